"""A database that cannot be used: said in one line, and left as it was."""

import os
import subprocess
import threading
import time

import pytest

from program import BINARY, clean_environment
from waiting import until


def refused(done, *words):
    assert done.returncode == 1, done.stdout + done.stderr
    error = done.stderr.strip()
    assert len(error.splitlines()) == 1, error
    for word in words:
        assert word in error.lower(), error
    return error


def test_a_database_of_a_newer_program_is_refused_by_name_and_left_alone(site):
    site.alter("INSERT INTO applied_schema (name, digest, applied_at) VALUES ('999_future.sql', 'x', 0)")
    before = site.dump()
    refused(site.try_to("list", "ls"), "newer", "999_future.sql")
    daemon = site.serve(wait=False)
    assert daemon.wait(10) == 1 and "newer" in daemon.log()
    assert site.dump() == before


def test_a_file_that_is_no_database_is_refused_and_left_alone(site):
    for file in site.folder.glob("postrider.db*"):
        file.unlink()
    site.database.write_bytes(b"<html>" + b"this is no database " * 500)
    refused(site.try_to("list", "ls"), "postrider.db")
    daemon = site.serve(wait=False)
    assert daemon.wait(10) == 1 and "postrider.db" in daemon.log()
    assert site.database.read_bytes().startswith(b"<html>")


def test_a_database_that_another_process_locks_for_a_moment_is_waited_for(site):
    with site.locked() as lock:
        command = subprocess.Popen(
            [BINARY, "-C", site.folder, "list", "add", "weekly", "--title", "W", "--from", "W <w@w.example>"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=clean_environment(),
        )
        try:
            with pytest.raises(subprocess.TimeoutExpired):
                command.wait(1.0)
            lock.close()
            assert command.wait(10) == 0, command.stderr.read()
        finally:
            if command.poll() is None:
                command.kill()
                command.wait()
            command.stdout.close()
            command.stderr.close()
    assert len(site.read("list", "ls")) == 2


def test_a_daemon_waits_for_a_locked_database_and_goes_on(site, sink):
    site.add_reader("ada@reader.example")
    site.add_story("The ship came in")
    daemon = site.serve()
    issue = site.send()
    site.wait_for(issue)
    with site.locked():
        assert site.get("/join/daily").status == 200, "reading goes on"
        assert site.health().status == 200
    site.add_story("Another ship came in")
    site.wait_for(site.send())
    assert sink.count() == 2 and daemon.running


def test_a_database_locked_for_long_stops_sending_is_said_and_sending_goes_on_by_itself(site, sink):
    site.prepare_issue(readers=1000, connections=4)
    sink.delay = 0.003
    daemon = site.serve()
    issue = site.send()
    until(lambda: sink.count() > 50, "the first mails")
    with site.locked():
        locked_at = sink.count()
        until(lambda: "locked" in site.health().text, "/health to say so", within=20)
        assert sink.count() - locked_at <= 2 * 4, "one message for each connection, and what was on its way"
        assert "locked" in site.run("status") and "locked" in daemon.log()
    assert site.wait_for(issue, within=60)["balanced"]
    assert len(sink.mails) == len({mail.recipient for mail in sink.mails}) == 1000, "nothing was forgotten"
    assert site.read("status")["wrong"] == []
    site.run("issue", "verify", issue)


def test_a_sign_up_while_the_database_is_locked_is_answered_when_it_is_free(site, sink):
    site.serve()
    answers = []
    visitor = threading.Thread(target=lambda: answers.append(site.post("/join/daily", {"email": "nora@reader.example"}, timeout=20)))
    try:
        with site.locked():
            visitor.start()
            assert site.get("/health").status == 200
            visitor.join(0.5)
            assert not answers
    finally:
        visitor.join(20)
    assert [answer.status for answer in answers] == [200]
    until(lambda: sink.to("nora@reader.example"), "the confirmation mail")


def test_a_daemon_leaves_in_time_even_while_the_database_is_locked(site):
    daemon = site.serve()
    with site.locked("EXCLUSIVE"):
        begun = time.monotonic()
        assert daemon.terminate() == 0
        assert time.monotonic() - begun < 8
    assert "lost" not in daemon.log(), "nothing was"


def test_what_cannot_be_written_is_answered_503_and_said_by_health(site):
    site.serve()
    site.database.write_bytes(os.urandom(site.database.stat().st_size))
    answer = site.post("/join/daily", {"email": "nora@reader.example"})
    assert answer.status == 503 and answer.headers["retry-after"] == "10"
    assert site.health().json["wrong"]


def test_a_database_that_is_deleted_under_a_daemon_ends_it_and_no_command_makes_an_empty_one(site):
    daemon = site.serve()
    for file in site.folder.glob("postrider.db*"):
        file.unlink()
    assert daemon.wait(10) == 1 and "deleted or replaced" in daemon.log()
    refused(site.try_to("list", "ls"), "does not exist", "restore")
    assert not site.database.exists()
    site.database.touch()
    refused(site.try_to("list", "ls"), "is empty", "restore")
