"""A visitor's way to being a subscriber, and out again, over real sockets."""

import pytest

from browser import multipart, path_of, request
from waiting import stays, until

READER = "nora@reader.example"


def settled(site):
    """No letter is on its way, so that nothing but a visitor can change the database."""
    until(lambda: site.sql("SELECT count(*) FROM letter WHERE state = 'waiting'") == [(0,)], "all letters to be sent")


def test_a_visitor_becomes_a_subscriber_gets_the_next_digest_and_leaves_by_one_click(site, sink):
    site.serve()
    page = site.get("/join/daily")
    assert page.status == 200 and "<form" in page.text and "The Daily" in page.text
    assert READER not in site.run("subscriber", "ls", "--list", "daily")

    assert site.post("/join/daily", {"email": READER, "name": "Nora"}).status == 200
    confirmation = until(lambda: sink.to(READER), "the confirmation mail")[0]
    assert confirmation.message["Auto-Submitted"] == "auto-generated"
    assert not [name for name in confirmation.message.keys() if name.lower().startswith("list-") or name.lower() == "precedence"]
    settled(site)

    confirm = site.path_in(confirmation, "confirm")
    before = site.dump()
    for method in ("GET", "HEAD", "OPTIONS"):
        answer = request(site.port, method, confirm)
        assert answer.status == (204 if method == "OPTIONS" else 200)
        request(site.port, method, "/join/daily")
    assert site.dump() == before, "GET, HEAD and OPTIONS change nothing"

    assert site.post(confirm).status == 200
    assert site.post(confirm).status == 200, "also the second time"
    reader = site.read("subscriber", "show", READER)
    assert [(s["list"], s["state"]) for s in reader["subscriptions"]] == [("daily", "active")]

    site.add_story("The ship came in")
    report = site.wait_for(site.send())
    assert (report["planned"], report["accepted"]) == (1, 1)
    digest = sink.to(READER)[-1]
    assert "The ship came in" in digest.text()

    leave = digest.leave_url
    assert leave.startswith(f"{site.url}/leave/")
    before = site.dump()
    for method in ("GET", "HEAD", "OPTIONS"):
        request(site.port, method, path_of(leave))
    assert site.dump() == before
    assert site.post(path_of(leave), {"List-Unsubscribe": "One-Click"}).status == 200
    assert site.post(path_of(leave), {"List-Unsubscribe": "One-Click"}).status == 200
    reader = site.read("subscriber", "show", READER)
    assert [s["state"] for s in reader["subscriptions"]] == ["unsubscribed"]

    site.add_reader("other@reader.example")
    site.add_story("A second ship came in")
    site.wait_for(site.send())
    assert len(sink.to("other@reader.example")) == 1
    assert len(sink.to(READER)) == 2, "no further mail: the confirmation and one digest"


@pytest.mark.parametrize("encoding", ["urlencoded", "multipart", "without a type"])
def test_one_click_is_taken_in_every_encoding_that_mail_programs_use(site, sink, encoding):
    site.add_reader(READER)
    site.add_story("The ship came in")
    site.serve()
    site.wait_for(site.send())
    leave = path_of(sink.to(READER)[0].leave_url)
    if encoding == "multipart":
        body, content_type = multipart({"List-Unsubscribe": "One-Click"})
        headers = {"Content-Type": content_type}
    else:
        body = b"List-Unsubscribe=One-Click"
        headers = {"Content-Type": "application/x-www-form-urlencoded"} if encoding == "urlencoded" else {}
    assert site.post(leave, body, headers=headers).status == 200
    assert site.sql("SELECT left_how FROM subscription") == [("one-click",)]


@pytest.mark.parametrize("kind", ["form", "multipart", "json"])
def test_a_sign_up_is_taken_as_form_multipart_and_json(site, sink, kind):
    site.serve()
    fields = {"email": READER, "name": "Nora"}
    if kind == "form":
        assert site.post("/join/daily", fields).status == 200
    elif kind == "multipart":
        body, content_type = multipart(fields)
        assert site.post("/join/daily", body, headers={"Content-Type": content_type}).status == 200
    else:
        body = b'{"email": "nora@reader.example", "name": "Nora"}'
        answer = site.post("/join/daily", body, headers={"Content-Type": "application/json"})
        assert answer.status == 202 and answer.json
    until(lambda: sink.to(READER), "the confirmation mail")


def test_the_answer_to_a_sign_up_does_not_tell_who_is_a_reader(site, sink):
    site.add_reader("known@reader.example")
    site.serve()
    known = site.post("/join/daily", {"email": "known@reader.example"})
    unknown = site.post("/join/daily", {"email": "stranger@reader.example"})
    assert (known.status, known.body) == (unknown.status, unknown.body)


def test_the_issue_in_the_browser_is_the_one_in_the_mail(site, sink):
    site.add_reader(READER)
    site.add_story("The ship came in")
    site.serve()
    site.wait_for(site.send())
    view = site.path_in(sink.to(READER)[0], "view")
    page = site.get(view)
    assert page.status == 200
    assert page.text.replace("\r\n", "\n").strip() == sink.to(READER)[0].text("html").replace("\r\n", "\n").strip()


def test_a_reader_who_leaves_between_two_tries_gets_no_second_try(site, sink):
    site.set("delivery", "retry_first", "2s")
    sink.on("rcpt", "451 4.7.1 Greylisted", when=lambda line: READER in line, times=1)
    site.add_reader(READER)
    site.add_story("The ship came in")
    site.serve()
    issue = site.send()
    until(lambda: site.report(issue)["deferred"] == 1, "the reader to be greylisted")
    site.run("subscriber", "remove", READER, "--list", "daily")
    report = site.wait_for(issue)
    assert (report["planned"], report["suppressed"], report["accepted"], report["balanced"]) == (1, 1, 0, True)
    assert sink.to(READER) == []


def test_an_import_is_mailed_no_welcome_and_a_second_import_changes_nothing(site, sink):
    site.serve()
    site.import_readers(20)
    again = site.read(
        *("subscriber", "import", site.folder / "readers.csv", "--list", "daily", "--basis", "a test", "--confirmed")
    )
    assert (again["rows"], again["new"], again["unchanged"]) == (20, 0, 20)
    stays(sink.count, 0.5, "the number of mails")
    assert sink.count() == 0
