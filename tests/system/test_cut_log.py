"""The write-ahead log beside the database, cut off, deleted or with rubbish in it: nobody is lost, and nothing is written over the hole."""

import os
import sqlite3
from collections import defaultdict
from pathlib import Path

import pytest

from waiting import until

READERS, CONNECTIONS = 600, 4


@pytest.fixture
def issue(site, sink):
    """Ready to be sent, and in the database itself: with the last command that closed it, its log went."""
    site.prepare_issue(readers=READERS, connections=CONNECTIONS)
    site.run("issue", "send", "daily")
    sink.delay = 0.003
    return site.issues()[0]["issue"]


def log_of(site):
    return Path(f"{site.database}-wal")


def cut(site, part):
    log = log_of(site)
    os.truncate(log, int(log.stat().st_size * part))


def is_sound(site):
    connection = sqlite3.connect(site.database, timeout=10)
    try:
        return connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    finally:
        connection.close()


def sends_the_rest(site, sink, issue):
    """To the end; the number of doubles."""
    assert is_sound(site)
    site.run("issue", "verify", issue)
    sink.delay = 0.0
    site.serve()
    report = site.wait_for(issue)
    assert report["balanced"] and report["accepted"] == report["planned"] == READERS
    site.run("issue", "verify", issue)
    received = defaultdict(list)
    for mail in sink.mails:
        received[mail.recipient].append(mail.data)
    assert len(received) == READERS, "nobody is lost"
    assert all(len(set(copies)) == 1 for copies in received.values()), "a double is the same message, byte for byte"
    return len(sink.mails) - READERS


@pytest.mark.parametrize(
    "harm",
    [lambda site: cut(site, 0), lambda site: cut(site, 0.5), lambda site: cut(site, 0.99), lambda site: log_of(site).unlink()],
    ids=["to nothing", "to half", "at its end", "deleted"],
)
def test_a_log_that_is_cut_off_under_a_daemon_ends_it_within_one_group(site, sink, issue, harm):
    daemon = site.serve()
    until(lambda: sink.count() > 150, "some mails")
    harm(site)
    seen = sink.count()
    assert daemon.wait(10) == 1
    assert "log cut off" in daemon.log() and "sending stops" in daemon.log()
    # Each connection had one message on its way and may have begun one more with what was committed before.
    assert sink.count() - seen <= 3 * CONNECTIONS
    sends_the_rest(site, sink, issue)


@pytest.mark.parametrize("part", [0, 0.1, 0.5, 0.9, 0.999])
def test_a_log_that_lost_its_end_after_a_kill_loses_nobody(site, sink, issue, part):
    daemon = site.serve()
    until(lambda: sink.count() > 150, "some mails")
    daemon.kill()
    cut(site, part)
    sends_the_rest(site, sink, issue)


@pytest.mark.parametrize("rubbish", [b"\0" * 100_000, os.urandom(100_000)], ids=["zeros", "noise"])
def test_half_a_commit_at_the_end_of_the_log_makes_nothing_acknowledged_forgotten(site, sink, issue, rubbish):
    daemon = site.serve()
    until(lambda: sink.count() > 150, "some mails")
    daemon.kill()
    with open(log_of(site), "ab") as log:
        log.write(rubbish)
    assert sends_the_rest(site, sink, issue) <= CONNECTIONS


def test_a_log_emptied_lawfully_by_another_program_is_no_trouble(site, sink, issue):
    daemon = site.serve()
    until(lambda: sink.count() > 150, "some mails")
    connection = sqlite3.connect(site.database, timeout=10)
    until(lambda: connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0, "the checkpoint")
    connection.close()
    assert site.wait_for(issue)["accepted"] == READERS
    assert daemon.running and len(sink.mails) == READERS
