"""A wrong postrider.toml: one line that says where, what, and what to write instead; nothing is half done."""

import re

import pytest

from program import Site, clean_environment, postrider
from waiting import until


def line_of(site, text):
    return next(i for i, line in enumerate(site.config.read_text().splitlines(), 1) if text in line)


def refused(done, *, where=None, saying=()):
    assert done.returncode == 1, done.stdout + done.stderr
    error = done.stderr.strip()
    assert len(error.splitlines()) == 1, f"one line, not: {error}"
    if where:
        assert where in error
    for word in saying:
        assert word in error
    return error


def test_an_unknown_key_is_named_with_its_line_and_the_nearest_known_one(empty_site):
    empty_site.set("http", "lisen", "127.0.0.1:1")
    place = f"postrider.toml:{line_of(empty_site, 'lisen')}"
    refused(empty_site.try_to("status"), where=place, saying=["lisen", "listen"])


def test_a_value_of_the_wrong_type_is_named_with_its_line(empty_site):
    empty_site.set("relay", "connections", "many")
    place = f"postrider.toml:{line_of(empty_site, 'connections =')}"
    refused(empty_site.try_to("status"), where=place, saying=["connections"])


def test_a_duration_that_is_none_shows_how_one_is_written(empty_site):
    empty_site.set("delivery", "retry_for", "two days")
    place = f"postrider.toml:{line_of(empty_site, 'retry_for')}"
    refused(empty_site.try_to("status"), where=place, saying=["retry_for", "two days"])


def test_a_file_that_is_no_toml_is_named_with_the_line_of_the_mistake(empty_site):
    text = empty_site.config.read_text()
    empty_site.config.write_text(text + "\n[broken\n")
    last = len(text.splitlines()) + 2
    error = refused(empty_site.try_to("status"), where="postrider.toml:")
    assert abs(int(re.search(r"postrider\.toml:(\d+)", error).group(1)) - last) <= 1


def test_a_missing_key_is_named_with_an_example(empty_site):
    lines = [line for line in empty_site.config.read_text().splitlines() if not line.startswith("postal_address")]
    empty_site.config.write_text("\n".join(lines) + "\n")
    refused(empty_site.try_to("status"), where="postrider.toml", saying=["postal_address"])


def test_plain_http_is_refused_for_any_host_but_this_one(empty_site):
    empty_site.set("site", "url", "http://mail.courier.example")
    refused(empty_site.try_to("status"), where=f"postrider.toml:{line_of(empty_site, 'url =')}", saying=["https"])


@pytest.mark.parametrize("url", ["https://mail.courier.example/?a=1", "https://mail.courier.example/#top",
                                 "https://me:secret@mail.courier.example", "https://mail.courier .example"])
def test_an_address_of_the_site_that_links_cannot_be_built_on_is_refused(empty_site, url):
    empty_site.set("site", "url", url)
    refused(empty_site.try_to("status"), where=f"postrider.toml:{line_of(empty_site, 'url =')}", saying=["url"])


@pytest.mark.parametrize(
    "section, key, value, word",
    [
        ("http", "listen", "nowhere:99999", "nowhere:99999"),
        ("http", "trusted_proxies", ["10.0.0.0/8", "proxy.example"], "proxy.example"),
        ("http", "cors_origins", ["https://courier.example/"], "https://courier.example"),
        ("http", "cors_origins", ["*"], "origin"),
        ("relay", "url", "smtp://me:secret@127.0.0.1:25", "password_file"),
        ("relay", "hello", "my host", "my host"),
        ("delivery", "retry_for", "0s", "at least"),
        ("delivery", "retry_first", "0s", "at least"),
        ("signup", "confirm_within", "0s", "at least"),
        ("signup", "purge_after", "1s", "at least"),
    ],
)
def test_a_value_that_could_only_fail_later_is_refused_with_its_line(empty_site, section, key, value, word):
    empty_site.set("relay", "url", "smtp://127.0.0.1:25")
    empty_site.set(section, key, value)
    lines = empty_site.config.read_text().splitlines()
    heading = next(i for i, line in enumerate(lines) if line.split("#")[0].strip() in (f"[{section}]", f"[[{section}]]"))
    line = next(i for i in range(heading, len(lines)) if re.match(rf"{key}\s*=", lines[i])) + 1
    error = refused(empty_site.try_to("status"), where=f"postrider.toml:{line}", saying=[key, word])
    assert "secret" not in error


def test_a_domain_is_named_once_and_as_a_domain(empty_site):
    text = empty_site.config.read_text()
    rate = '[[domain]]\nname = "{}"\nrate = "20/s"\n'
    empty_site.config.write_text(text + rate.format("Gmail.com") + rate.format("münchen.example"))
    empty_site.run("status")
    empty_site.config.write_text(text + rate.format("Gmail.com") + rate.format("gmail.COM"))
    refused(empty_site.try_to("status"), saying=["gmail.COM", "already"])
    empty_site.config.write_text(text + rate.format("not a domain"))
    refused(empty_site.try_to("status"), saying=["not a domain", "name"])


def test_a_file_that_is_not_there_or_cannot_be_read_is_named(empty_site, tmp_path):
    refused(postrider("status", folder=tmp_path / "nowhere"), saying=["nowhere", "init"])
    empty_site.config.unlink()
    empty_site.config.mkdir()
    refused(empty_site.try_to("status"), saying=["postrider.toml"])


def test_a_password_that_others_can_read_is_refused(empty_site):
    (empty_site.folder / "keys/relay").write_text("secret\n")
    (empty_site.folder / "keys/relay").chmod(0o644)
    empty_site.set("relay", "user", "me")
    empty_site.set("relay", "password_file", "keys/relay")
    error = refused(empty_site.try_to("status"), saying=["password_file", "chmod"])
    assert "secret" not in error


def test_the_environment_overrides_the_file_and_is_checked_like_it(empty_site):
    done = empty_site.try_to("status", environment=clean_environment(POSTRIDER_DELIVERY__RETRY_FOR="nonsense"))
    refused(done, saying=["nonsense"])
    done = empty_site.try_to("status", environment=clean_environment(POSTRIDER_DELIVERY__RETRY_FOX="1h"))
    assert done.returncode == 1 and "RETRY_FOX" in done.stderr.upper()


def test_a_second_init_refuses_and_changes_nothing(empty_site):
    before = {path: path.read_bytes() for path in empty_site.folder.rglob("*") if path.is_file()}
    done = empty_site.try_to(
        *("init", "--name", "Other", "--url", "http://127.0.0.1:9", "--from", "O <o@o.example>"),
        *("--postal-address", "x", "--relay", "outbox:", "--yes"),
    )
    assert done.returncode == 1
    assert {path: path.read_bytes() for path in empty_site.folder.rglob("*") if path.is_file()} == before


def test_the_keys_of_a_site_are_for_its_owner_only(empty_site):
    assert (empty_site.folder / "keys").stat().st_mode & 0o777 == 0o700
    for file in (empty_site.folder / "keys").iterdir():
        assert file.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("schedule", ["0 0 30 2 *", "0 25 * * *", "every blue moon", "* * * *", "61 * * * *"])
def test_a_schedule_that_never_falls_due_is_refused_and_stored_nowhere(site, schedule):
    refused(site.try_to("schedule", "set", "daily", schedule))
    refused(site.try_to("schedule", "explain", schedule))
    assert site.sql("SELECT schedule FROM list") == [(None,)]


def test_keys_that_are_gone_or_of_another_site_are_never_replaced_by_new_ones(empty_site, tmp_path):
    empty_site.add_list("daily")
    empty_site.add_reader("ada@example.org")
    keys = empty_site.folder / "keys/links"
    ours = keys.read_text()
    keys.unlink()
    for command in (["doctor"], ["status"], ["serve", "--once"], ["subscriber", "add", "bob@example.org", "--list", "daily",
                                                                 "--confirmed", "--basis", "met"]):
        done = empty_site.try_to(*command)
        assert done.returncode == 1, command
        assert "keys/links" in done.stdout + done.stderr, command
        assert not keys.exists(), command

    other = Site(tmp_path / "other")
    keys.write_text((other.folder / "keys/links").read_text())
    keys.chmod(0o600)
    refused(empty_site.try_to("serve", "--once"), saying=["keys/links", "another site"])
    keys.write_text(ours)
    empty_site.run("serve", "--once")


def test_a_daemon_keeps_its_keys_when_the_file_becomes_that_of_another_site(empty_site, tmp_path):
    empty_site.add_list("daily")
    other = Site(tmp_path / "other")
    empty_site.serve()
    keys = empty_site.folder / "keys/links"
    keys.write_text((other.folder / "keys/links").read_text())
    until(lambda: b"another site" in empty_site.health().body, "the complaint in /health")
