"""A relay that is down, breaks, talks nonsense, or never answers: the readers wait, nobody is blamed, nobody is lost."""

import pytest

from program import Site, free_port
from relay_sink import HANG_UP, SILENCE, Last, RelaySink
from waiting import until

ADA = "ada@reader.example"


@pytest.fixture
def ready(site):
    site.add_reader(ADA)
    site.add_story("The ship came in")
    return site


def test_a_relay_that_is_down_holds_the_issue_and_it_goes_out_when_the_relay_is_back(tmp_path, sink):
    port = free_port()
    site = Site(tmp_path / "site", relay=f"smtp://127.0.0.1:{port}")
    site.add_list()
    site.add_reader(ADA)
    site.add_story("The ship came in")
    daemon = site.serve()
    issue = site.send()
    until(lambda: "main" in site.health().text, "/health to name the relay")
    assert site.health().status == 200
    report = site.report(issue)
    assert (report["status"], report["accepted"], report["deferred"], report["pending"]) == ("sending", 0, 0, 1)
    until(lambda: "the relay main: " in site.run("status"), "status to say what it waits for")
    assert str(port) in daemon.log()

    with_port = RelaySink(port=port)
    try:
        assert site.wait_for(issue, within=40)["accepted"] == 1
    finally:
        with_port.stop()


@pytest.mark.parametrize("nonsense", [b"\xff\xfe\x00\x01" * 50 + b"\r\n", b"999 what\r\n", b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 100_000])
def test_a_relay_that_talks_nonsense_gets_no_mail_and_the_reader_is_not_to_blame(ready, sink, nonsense):
    sink.on("greeting", Last(nonsense))
    daemon = ready.serve()
    issue = ready.send()
    until(lambda: "main" in ready.health().text, "/health to name the relay", within=20)
    report = ready.report(issue)
    assert (report["status"], report["refused"], report["unknown"]) == ("sending", 0, 0)
    sink.behave()
    assert ready.wait_for(issue, within=40)["accepted"] == 1
    assert daemon.running and sink.count() == 1


def test_a_relay_that_is_silent_is_not_waited_for_by_the_pages(ready, sink):
    sink.on("greeting", SILENCE)
    daemon = ready.serve()
    issue = ready.send()
    until(lambda: sink.connections > 0, "a connection")
    assert ready.get("/join/daily").status == 200 and ready.health().status == 200
    assert ready.report(issue)["pending"] == 1
    until(lambda: "no answer yet" in ready.run("status"), "status to say that it waits for a greeting")
    assert "no answer yet" in ready.health().text
    assert daemon.terminate() == 0


@pytest.mark.parametrize("stage", ["ehlo", "mail", "rcpt", "data"])
def test_a_connection_that_breaks_before_the_body_costs_nobody_anything(ready, sink, stage):
    sink.on(stage, HANG_UP, times=1)
    ready.serve()
    report = ready.wait_for(ready.send())
    assert (report["accepted"], report["balanced"]) == (1, True)
    assert sink.count() == 1


def test_a_connection_that_breaks_after_the_final_dot_is_tried_again_as_the_same_message(ready, sink):
    sink.on("body", HANG_UP, times=1)
    ready.serve()
    report = ready.wait_for(ready.send())
    assert (report["accepted"], report["balanced"]) == (1, True)
    first, second = sink.to(ADA)
    assert first.data == second.data


def test_with_on_unknown_record_it_is_recorded_and_left(ready, sink):
    ready.set("delivery", "on_unknown", "record")
    sink.on("body", HANG_UP, times=1)
    ready.serve()
    report = ready.wait_for(ready.send())
    assert (report["unknown"], report["accepted"], report["balanced"]) == (1, 0, True)
    assert len(sink.to(ADA)) == 1


def test_a_refused_reader_is_recorded_with_the_reason_and_the_others_get_theirs(ready, sink):
    ready.import_readers(20)
    sink.on("rcpt", "550 5.1.1 No such user here", when=lambda line: ADA in line)
    sink.on("rcpt", "451 4.7.1 Greylisted", when=lambda line: "reader7@" in line, times=1)
    ready.serve()
    report = ready.wait_for(ready.send())
    assert (report["planned"], report["accepted"], report["refused"], report["balanced"]) == (21, 20, 1, True)
    assert report["refusals"][0]["count"] == 1 and report["refusals"][0]["reason"].startswith("550 5.1.1")
    assert sink.to(ADA) == []


def test_a_body_that_is_refused_is_not_sent_twice(ready, sink):
    sink.on("body", "550 5.1.1 This mailbox is closed")
    ready.serve()
    report = ready.wait_for(ready.send())
    assert (report["refused"], report["accepted"], report["balanced"]) == (1, 0, True)
    assert sink.commands["body"] == 1


def test_a_certificate_of_a_stranger_is_not_trusted(tmp_path, certificate):
    relay = RelaySink(tls=certificate)
    try:
        site = Site(tmp_path / "site", relay=relay.url)
        site.set("relay", "tls", "required")
        site.add_list()
        site.add_reader(ADA)
        site.add_story("The ship came in")
        site.serve()
        issue = site.send()
        until(lambda: "ca_file" in site.health().text, "/health to name the key")
        assert relay.count() == 0 and relay.commands["mail"] == 0

        site.run("issue", "cancel", issue, "--yes")
    finally:
        relay.stop()


def test_with_the_certificate_as_authority_mail_goes_out_encrypted(tmp_path, certificate):
    relay = RelaySink(tls=certificate)
    try:
        site = Site(tmp_path / "site", relay=relay.url)
        site.set("relay", "tls", "required")
        site.set("relay", "ca_file", str(certificate[0]))
        site.add_list()
        site.import_readers(30)
        site.add_story("The ship came in")
        site.serve()
        assert site.wait_for(site.send())["accepted"] == 30
        assert relay.secured == relay.connections
    finally:
        relay.stop()
