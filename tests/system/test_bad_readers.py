"""Hostile and broken input about readers: addresses, tables, links."""

import json
import urllib.parse

import pytest

from browser import path_of
from program import Site
from waiting import stays, until

INJECTING = [
    "a@b.example\r\nBcc: victim@example.org",
    "a@b.example\nRCPT TO:<victim@example.org>",
    "a@b.example>\r\nRCPT TO:<victim@example.org",
    "<a@b.example>, victim@example.org",
    "a@b.example,victim@example.org",
    "a b@b.example",
    "a@b.example\0",
    '"a\r\n"@b.example',
    "@b.example",
    "a@",
    "a" * 65 + "@b.example",
    "a@" + "b" * 64 + ".example",
    "a@-b.example",
    "",
]


def test_an_address_that_could_add_a_line_or_a_reader_is_refused(site, sink):
    daemon = site.serve()
    for address in INJECTING:
        assert site.post("/join/daily", {"email": address}).status == 422, repr(address)
        if "\0" not in address:
            assert site.try_to("subscriber", "add", address, "--list", "daily").returncode == 1, repr(address)
    assert site.sql("SELECT count(*) FROM sign_up") == [(0,)]
    assert daemon.running and sink.count() == 0


def test_a_name_that_injects_is_no_reason_to_refuse_and_adds_no_header(site, sink):
    site.serve()
    name = "Nora\r\nBcc: victim@example.org\r\n\r\n<script>alert(1)</script>{{site.name}}"
    assert site.post("/join/daily", {"email": "nora@reader.example", "name": name}).status == 200
    confirmation = until(lambda: sink.to("nora@reader.example"), "the confirmation")[0]
    assert site.post(site.path_in(confirmation, "confirm")).status == 200
    site.add_story("The ship came in")
    site.wait_for(site.send())
    for mail in sink.to("nora@reader.example"):
        assert mail.message["Bcc"] is None
        assert "<script" not in mail.text("html")
    assert {mail.recipient for mail in sink.mails} == {"nora@reader.example"}


def imported(site, data, *options, status=0):
    file = site.folder / "table.csv"
    file.write_bytes(data)
    done = site.try_to("subscriber", "import", file, "--list", "daily", "--basis", "a test", "--confirmed", "--json", *options)
    assert done.returncode == status, done.stdout + done.stderr
    return done


def readers(site):
    return [row["address"] for row in site.read("subscriber", "ls", "--list", "daily")]


def rejected_lines(done):
    return [row["line"] for row in json.loads(done.stdout)["rejections"]]


def test_a_table_without_the_column_is_refused_as_a_whole(site):
    done = imported(site, b"mail,name\nada@reader.example,Ada\n", status=1)
    assert "email" in done.stderr and "table.csv:1" in done.stderr
    assert readers(site) == []


def test_a_broken_quote_costs_its_line_and_no_other(site):
    done = imported(site, b'email,name\nada@reader.example,Ada\nben@reader.example,"Ben\ncleo@reader.example,Cleo\n')
    assert rejected_lines(done) == [3]
    assert sorted(readers(site)) == ["ada@reader.example", "cleo@reader.example"]


def test_a_nul_in_a_table_costs_at_most_its_line(site):
    done = imported(site, b"email,name\nada@reader.example,Ada\nb\0en@reader.example,Ben\ncleo@reader.example,C\0leo\n")
    assert 3 in rejected_lines(done)
    assert "ada@reader.example" in readers(site)
    assert all("\0" not in address for address in readers(site))


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_names_in_the_encodings_of_spreadsheets_arrive_as_they_were_written(site, encoding):
    text = "email,name\r\nnora@reader.example,Nóra Müller\r\n"
    imported(site, text.encode(encoding))
    assert site.read("subscriber", "show", "nora@reader.example")["name"] == "Nóra Müller"


def test_a_line_of_ten_megabytes_costs_itself_and_no_other(site):
    data = b"email,name\nada@reader.example,Ada\n" + b"x" * 10_000_000 + b"@reader.example,X\nben@reader.example,Ben\n"
    done = imported(site, data)
    assert rejected_lines(done) == [3]
    assert sorted(readers(site)) == ["ada@reader.example", "ben@reader.example"]


def test_addresses_in_a_table_are_held_to_the_same_rules(site):
    done = imported(site, b'email\n"a@b.example\r\nBcc: x@y.example"\nno address\nada@reader.example\n')
    assert len(rejected_lines(done)) == 2 and readers(site) == ["ada@reader.example"]


def test_a_dry_run_says_the_same_and_changes_nothing(site):
    before = site.dump()
    dry = imported(site, b"email\nada@reader.example\nno address\n", "--dry-run")
    assert site.dump() == before
    assert dry.stdout == imported(site, b"email\nada@reader.example\nno address\n").stdout


def test_forged_foreign_and_truncated_links_change_nothing_and_all_look_the_same(site, sink):
    site.add_reader("ada@reader.example")
    site.add_reader("ben@reader.example")
    site.add_story("The ship came in")
    site.serve()
    site.wait_for(site.send())
    digest = sink.to("ada@reader.example")[0]
    leave = path_of(digest.leave_url)
    token = leave.rsplit("/", 1)[1]
    view = site.path_in(digest, "view").rsplit("/", 1)[1]

    forged = {token[:-1], token[:10], token + "A", view, "x", "A" * len(token), "..%2f..%2fetc", "a" * 5000}
    for i in range(0, len(token), 3):
        forged.add(token[:i] + ("A" if token[i] != "A" else "B") + token[i + 1 :])
    before = site.dump()
    bodies = set()
    for one in forged:
        for kind in ("leave", "confirm", "view", "preferences"):
            if (kind, one) == ("view", view):
                continue
            asked = site.get(f"/{kind}/{one}")
            assert asked.status == 404, (kind, one)
            bodies.add(asked.body)
            posted = site.post(f"/{kind}/{one}", b"List-Unsubscribe=One-Click")
            # A page that is only read takes no POST; what is decoded to another path is no page at all.
            only_read = kind == "view" and "/" not in urllib.parse.unquote(one)
            assert posted.status == (405 if only_read else 404), (kind, one)
    assert len(bodies) == 1, "uniform"
    assert site.dump() == before
    assert site.post(leave, {"List-Unsubscribe": "One-Click"}).status == 200


def test_a_link_of_another_site_is_worth_nothing(site, sink, tmp_path):
    other = Site(tmp_path / "other", relay=sink.url)
    other.add_list()
    for one in (other, site):
        one.add_reader("ada@reader.example")
        one.add_story("The ship came in")
    other.serve()
    other.wait_for(other.send())
    foreign = path_of(sink.to("ada@reader.example")[0].leave_url)
    site.serve()
    assert site.post(foreign, b"List-Unsubscribe=One-Click").status == 404
    assert [s["state"] for s in site.read("subscriber", "show", "ada@reader.example")["subscriptions"]] == ["active"]
    assert other.post(foreign, b"List-Unsubscribe=One-Click").status == 200


def test_the_log_never_shows_a_whole_token(site, sink):
    daemon = site.serve()
    site.post("/join/daily", {"email": "nora@reader.example"})
    link = site.path_in(until(lambda: sink.to("nora@reader.example"), "the mail")[0], "confirm")
    site.post(link)
    site.get(link[:-1])
    daemon.terminate()
    assert link.rsplit("/", 1)[1] not in daemon.log()


def test_sign_ups_beyond_the_budget_of_an_address_are_answered_alike_and_not_mailed(site, sink):
    site.set("signup", "per_address", "2/day")
    site.serve()
    answers = [site.post("/join/daily", {"email": spelled}) for spelled in ["nora@reader.example"] * 2 + ["NORA@Reader.Example"] * 3]
    assert len({(answer.status, answer.body) for answer in answers}) == 1
    until(lambda: len(sink.mails) >= 1, "the first confirmation")
    stays(lambda: len(sink.mails) > 2, 0.7, "the number of confirmations")
    assert len(sink.mails) <= 2


def test_a_client_that_signs_up_too_many_is_told_to_wait(site):
    site.set("signup", "per_client", "3/hour")
    site.serve()
    statuses = [site.post("/join/daily", {"email": f"r{i}@reader.example"}) for i in range(5)]
    assert [answer.status for answer in statuses] == [200, 200, 200, 429, 429]
    assert int(statuses[-1].headers["retry-after"]) > 0
