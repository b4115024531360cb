"""Leaving on SIGTERM, and never two daemons at once."""

import signal
import socket
import time
from collections import Counter

import pytest
from relay_sink import SILENCE
from waiting import until


def test_sigterm_in_the_middle_of_an_issue_leaves_within_eight_seconds_and_doubles_nobody(site, sink):
    readers = site.import_readers(600)
    site.add_story("The ship came in")
    sink.delay = 0.01
    daemon = site.serve()
    issue = site.send()
    for _ in range(3):
        target = sink.count() + 60
        until(lambda: sink.count() >= target, f"{target} mails")
        began = time.monotonic()
        assert daemon.terminate() == 0
        assert time.monotonic() - began < 8
        assert sink.count() < 600
        daemon = site.serve()
    site.wait_for(issue)
    assert Counter(mail.recipient for mail in sink.mails) == Counter(readers)
    site.run("issue", "verify", issue)


def test_a_silent_relay_does_not_keep_the_daemon_from_leaving(site, sink):
    site.add_reader("ada@reader.example")
    site.add_story("The ship came in")
    sink.on("body", SILENCE)
    daemon = site.serve()
    site.run("issue", "send", "daily")
    until(lambda: sink.count() == 1, "the body to be with the relay")
    began = time.monotonic()
    assert daemon.terminate() == 0
    assert time.monotonic() - began < 8


@pytest.mark.parametrize(
    "sent", [b"", b"GET / HT", b"POST /join/daily HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\nemail="]
)
def test_a_silent_or_half_request_does_not_delay_the_leaving(site, sent):
    daemon = site.serve()
    with socket.create_connection(("127.0.0.1", site.port)) as connection:
        connection.sendall(sent)
        assert site.get("/health").status == 200, "by now the daemon has heard what was sent"
        began = time.monotonic()
        assert daemon.terminate() == 0
        assert time.monotonic() - began < 3


def test_a_visitor_who_dawdles_does_not_keep_the_daemon_from_leaving(site):
    daemon = site.serve()
    with socket.create_connection(("127.0.0.1", site.port)) as dawdler:
        dawdler.sendall(b"POST /join/daily HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nemail=")
        assert daemon.terminate() == 0


def test_sigint_is_taken_as_sigterm(site):
    daemon = site.serve()
    daemon.process.send_signal(signal.SIGINT)
    assert daemon.wait(8) == 0


def test_a_second_daemon_of_a_site_leaves_with_status_one_and_disturbs_nothing(site, sink):
    first = site.serve()
    for options in ((), ("--once",)):
        second = site.serve(*options, wait=False)
        assert second.wait() == 1
        assert "another daemon" in second.log()
    site.add_reader("ada@reader.example")
    site.add_story("The ship came in")
    site.wait_for(site.send())
    assert sink.count() == 1 and first.running


def test_a_killed_daemon_leaves_no_lock_behind(site):
    site.serve().kill()
    assert site.serve().running


def test_serve_once_with_nothing_due_leaves_with_status_zero(site):
    daemon = site.serve("--once", wait=False)
    assert daemon.wait(10) == 0


def test_a_port_in_use_is_an_error_that_names_it(site, tmp_path):
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", site.port))
        taken.listen()
        daemon = site.serve(wait=False)
        assert daemon.wait(10) == 1
        assert str(site.port) in daemon.log()
