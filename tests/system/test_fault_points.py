"""Killed at the worst places, each by a fault point of a binary made for it: nobody is lost, and what was half done is undone or gone on with."""

import datetime
import os
import signal
import subprocess
from pathlib import Path

import pytest

import kills
from program import BINARY, Site, clean_environment, postrider
from waiting import until

FAULTY = BINARY.parent / "postrider_with_faults"
READERS, CONNECTIONS = 5000, 6  # three slices

pytestmark = pytest.mark.skipif(not FAULTY.is_file(), reason=f"{FAULTY} is not built")


def dies(site, place, *arguments, within=30):
    """Runs a command, or serves, until it comes by the place."""
    log = site.logs / "killed.log"
    with open(log, "wb") as file:
        killed = subprocess.run(
            [FAULTY, "-C", site.folder, *map(str, arguments)],
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            env=clean_environment(POSTRIDER_KILL_AT=place),
            timeout=within,
        )
    assert killed.returncode == -signal.SIGKILL, f"not killed at {place}: {log.read_text()}"


# Where, and how many messages may be doubled: those that were taken and not committed.
PLACES = [
    ("audience half fixed", 0),
    ("slice claimed, not committed", 0),
    ("slice claimed, not committed:2", CONNECTIONS),
    ("slice claimed, not committed:3", CONNECTIONS),
    ("outcomes known, not recorded", CONNECTIONS),
    ("outcomes known, not recorded:50", CONNECTIONS),
    ("outcomes recorded, not committed", CONNECTIONS),
    ("outcomes recorded, not committed:50", CONNECTIONS),
    ("outcomes committed, not known to be", CONNECTIONS),
    ("outcomes committed, not known to be:50", CONNECTIONS),
    ("mailing finished, not committed", CONNECTIONS),
]


@pytest.mark.parametrize("place,doubles", PLACES, ids=[place for place, _ in PLACES])
def test_a_daemon_killed_there_loses_nobody(soak, place, doubles):
    account = kills.Account("kill -9")
    issue = soak.new_issue()
    dies(soak.site, place, "serve")
    lives = [soak.sink.take()]
    soak.balance(account, issue)
    soak.finish(account, issue, lives)
    assert not account.violations
    assert account.planned == account.outcomes == READERS
    assert account.messages - READERS == account.doubles <= doubles
    if place.startswith("outcomes known"):
        assert account.doubles > 0, "what was answered and not committed is sent again"


def test_a_daemon_killed_at_one_place_after_the_other_loses_nobody(soak):
    account = kills.Account("kill -9")
    issue, lives = soak.new_issue(), []
    places = ["audience half fixed", "slice claimed, not committed", "outcomes known, not recorded", "outcomes recorded, not committed"]
    places += ["outcomes committed, not known to be", "slice claimed, not committed", "outcomes known, not recorded:9"]
    places += ["outcomes recorded, not committed:9", "outcomes committed, not known to be:9", "mailing finished, not committed"]
    for place in places:
        dies(soak.site, place, "serve")
        lives.append(soak.sink.take())
        soak.balance(account, issue)
    soak.finish(account, issue, lives)
    assert not account.violations


@pytest.mark.parametrize("place", ["outcomes known, not recorded:2", "outcomes recorded, not committed:2", "outcomes committed, not known to be:2"])
def test_a_kill_among_second_tries_loses_nobody_and_holds_them_up_by_a_lease(site, sink, place):
    readers = set(site.prepare_issue(readers=200, connections=3))
    later = set()
    sink.on("rcpt", "451 4.7.1 Greylisted, try again later", when=lambda line: line not in later and not later.add(line))
    issue = site.send()
    daemon = site.serve()
    until(lambda: site.report(issue)["deferred"] == 200, "everybody to be put off")
    daemon.kill()
    # Their time has come; whoever was on the way at the kill comes again when the lease of that try is over.
    site.alter("UPDATE delivery SET next_try_at = 0 WHERE state = 'deferred'")
    dies(site, place, "serve")
    report = site.report(issue)
    assert report["planned"] == 200 == report["accepted"] + report["deferred"]
    site.run("issue", "verify", issue)
    site.alter("UPDATE delivery SET next_try_at = 0 WHERE state = 'deferred'")
    site.serve()
    report = site.wait_for(issue)
    assert report["accepted"] == 200 and report["balanced"]
    assert {mail.recipient for mail in sink.mails} == readers
    assert len(sink.mails) - 200 <= 3
    site.run("issue", "verify", issue)


# --- Freezing an issue


def test_a_command_killed_while_it_freezes_an_issue_leaves_none_behind(site, sink):
    site.add_reader("ada@reader.example")
    site.add_story("The ship came in")
    before = site.dump()
    dies(site, "issue half frozen", "issue", "send", "daily")
    assert site.dump() == before
    site.serve()
    issue = site.send()
    assert site.wait_for(issue)["accepted"] == 1
    assert site.issues()[0]["number"] == 1
    site.run("issue", "verify", issue)
    assert sink.count() == 1


def test_a_draft_whose_freezing_was_killed_is_a_draft(site, sink):
    site.add_reader("ada@reader.example")
    site.add_story("The ship came in")
    issue = site.read("issue", "draft", "daily")["issue"]
    dies(site, "issue half frozen", "issue", "send", issue)
    assert [one["status"] for one in site.issues()] == ["draft"]
    site.run("issue", "verify", issue)
    site.run("issue", "send", issue)
    site.serve()
    site.wait_for(issue)
    assert sink.count() == 1


def test_a_slot_whose_issue_was_killed_while_it_was_frozen_is_filled_once(site, sink):
    site.add_reader("ada@reader.example")
    site.add_story("The ship came in")
    due = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(hours=1)
    site.run("schedule", "set", "daily", f"every day at {due:%H:%M}")
    site.alter("UPDATE list SET schedule_set_at = schedule_set_at - 7200000")
    dies(site, "issue half frozen", "serve")
    assert site.issues() == []
    site.serve()
    until(lambda: sink.count() == 1 and site.issues()[0]["status"] == "sent", "the issue of the slot")
    assert len(site.issues()) == 1 and site.issues()[0]["slot"]


# --- Bringing a database up to date


def schema_files():
    return sorted(path.name for path in (Path(__file__).resolve().parents[2] / "schema").glob("*.sql"))


def make_a_site_up_to(number, folder):
    """As one is that an older program made: killed in the middle of the schema file with this number, counted from 1."""
    init = ["init", "--name", "The Courier", "--url", "http://127.0.0.1:8025", "--from", "The Courier <news@courier.example>"]
    init += ["--postal-address", "1 Press Square", "--relay", "outbox:", "--yes"]
    site = Site.at(folder, 8025)
    dies(site, f"schema file half applied:{number}", *init)
    return site


@pytest.mark.parametrize("number", range(1, len(schema_files()) + 1))
def test_a_site_whose_making_was_killed_is_gone_on_with(tmp_path, number):
    site = make_a_site_up_to(number, tmp_path / "site")
    site.add_list()
    assert [name for name, in site.sql("SELECT name FROM applied_schema ORDER BY name")] == schema_files()
    assert len(site.read("list", "ls")) == 1
    assert postrider("doctor", folder=site.folder).returncode in (0, 1)


def test_an_upgrade_killed_in_its_middle_changes_nothing_and_is_gone_on_with(tmp_path):
    files = schema_files()
    site = make_a_site_up_to(6, tmp_path / "site")  # 005_issues.sql is in, and what came later is not
    site.alter("INSERT INTO list (slug, title, sender, created_at) VALUES ('daily', 'The Daily', 'C <c@courier.example>', 0)")
    site.alter("INSERT INTO list_counter (list_id) VALUES (1)")
    os.makedirs(site.folder / "keys", exist_ok=True)
    edit = ["list", "edit", "daily", "--title", "New"]
    for reached in range(5, len(files)):
        before = site.dump()
        dies(site, "schema file half applied", *edit)
        assert site.dump() == before, "half a file is none"
        if reached + 1 < len(files):
            dies(site, "schema file half applied:2", *edit)
            assert site.sql("SELECT count(*) FROM applied_schema") == [(reached + 1,)]
    site.run(*edit)
    assert [name for name, in site.sql("SELECT name FROM applied_schema ORDER BY name")] == files
    assert [row["title"] for row in site.read("list", "ls")] == ["New"]
