"""A real feed, a real Postfix over STARTTLS with a password, and a real mailbox behind it."""

import html
import json
import re
import shutil

import pytest

from mail_server import PASSWORD, USER
from program import Site
from waiting import stays, until

ZOE = "zoe@test.example"


def words(text):
    """A title as readers see it, whatever the line breaks are."""
    return " ".join(text.split())


@pytest.fixture
def site(tmp_path, mail_server):
    made = Site(tmp_path / "site", relay=mail_server.url)
    shutil.copy(mail_server.authority, made.folder / "keys/relay-ca.pem")
    password = made.folder / "keys/relay"
    password.write_text(PASSWORD + "\n")
    password.chmod(0o600)
    made.set("relay", "tls", "required")
    made.set("relay", "user", USER)
    made.set("relay", "password_file", "keys/relay")
    made.set("relay", "ca_file", "keys/relay-ca.pem")
    made.add_list("daily", "--look-back", "20000d", "--max", "20")
    return made


@pytest.mark.parametrize("file", ["feedjira/TechCrunch.xml", "feedjira/CRE.xml", "newsboat/rss.xml"])
def test_a_real_feed_becomes_a_digest_that_a_real_postfix_takes_over_starttls(site, mail_server, publisher, corpora, file):
    reader = f"zoe+{file.split('/')[1].split('.')[0].lower()}@test.example"
    feed = corpora / "feeds-real" / file
    oracle = json.loads((corpora / "feeds-real/expected-oracle.json").read_text())[file]["feedparser"]
    url = publisher.put("/feed", feed.read_bytes())
    site.run("feed", "add", url, "--list", "daily", "--catch-up", "20")
    site.add_reader(reader)
    before = len(mail_server.mailbox("zoe"))
    site.serve()
    report = site.wait_for(site.send())
    assert (report["planned"], report["accepted"], report["balanced"]) == (1, 1, True)

    arrived = until(lambda: len(mail_server.mailbox("zoe")) > before and mail_server.mailbox("zoe"), "the mail in the mailbox")
    mail = next(mail for mail in arrived if mail["Delivered-To"] == reader or mail["To"].addresses[0].addr_spec == reader)
    assert "with ESMTPSA" in "".join(mail.get_all("Received")), "encrypted, and with a password"
    assert mail.get_content_type() == "multipart/alternative"
    titles = [words(item["title"]) for item in oracle["items"][:20]]
    assert len(titles) == min(20, oracle["n"]) and all(titles)
    plain = words(mail.get_body(("plain",)).get_content())
    missing = [title for title in titles if title not in plain]
    assert not missing, f"{missing} is not in: {plain}"
    assert words(html.unescape(re.sub(r"<[^>]*>", "", mail.get_body(("html",)).get_content()))).count(titles[0]) >= 1
    assert list(mail.defects) == []


def test_a_wrong_password_sends_nothing_names_the_key_and_leaves_the_daemon_running(site, mail_server):
    (site.folder / "keys/relay").write_text("wrong\n")
    nothing_is_sent_and_the_operator_is_told(site, mail_server, "password_file")


def test_an_untrusted_certificate_sends_nothing_names_the_key_and_leaves_the_daemon_running(site, mail_server):
    config = site.config.read_text()
    site.config.write_text("".join(line + "\n" for line in config.splitlines() if not line.startswith("ca_file")))
    nothing_is_sent_and_the_operator_is_told(site, mail_server, "ca_file")


def nothing_is_sent_and_the_operator_is_told(site, mail_server, key):
    before = len(mail_server.mailbox("zoe"))
    site.add_reader(ZOE)
    site.add_story("The ship came in")
    daemon = site.serve()
    issue = site.send()
    until(lambda: "main" in site.health().text and key in site.health().text, "/health to name the relay and the key")
    assert site.health().status == 200
    assert key in daemon.log()
    until(lambda: "main" in site.run("status") and key in site.run("status"), "status to name the relay and the key")
    report = site.report(issue)
    assert (report["status"], report["accepted"], report["refused"]) == ("sending", 0, 0), "the reader is not to blame"
    stays(lambda: len(mail_server.mailbox("zoe")), 0.5, "the mailbox")
    assert len(mail_server.mailbox("zoe")) == before
    assert daemon.running and site.get("/join/daily").status == 200

    done = site.try_to("relay", "test")
    assert done.returncode == 1 and key in done.stdout + done.stderr


def test_mending_the_password_and_restarting_sends_what_waited(site, mail_server):
    (site.folder / "keys/relay").write_text("wrong\n")
    before = len(mail_server.mailbox("yuri"))
    site.add_reader("yuri@test.example")
    site.add_story("The ship came in")
    daemon = site.serve()
    issue = site.send()
    until(lambda: "password_file" in site.health().text, "the relay to be held")
    daemon.terminate()
    (site.folder / "keys/relay").write_text(PASSWORD + "\n")
    site.serve()
    site.wait_for(issue)
    until(lambda: len(mail_server.mailbox("yuri")) == before + 1, "the mail in the mailbox")


def test_relay_test_with_the_right_password_says_so(site, mail_server):
    assert "main" in site.run("relay", "test")


def test_a_relay_that_does_not_offer_encryption_gets_no_password_and_no_mail(tmp_path, sink):
    site = Site(tmp_path / "site", relay=sink.url)
    site.set("relay", "tls", "required")
    site.add_list()
    site.add_reader(ZOE)
    site.add_story("The ship came in")
    daemon = site.serve()
    site.send()
    until(lambda: "tls" in site.health().text.lower(), "/health to name the relay's lack of encryption")
    assert sink.count() == 0 and sink.commands["mail"] == 0
    assert daemon.running
