"""Every command explains itself, and a mistyped one is answered with the nearest."""

import re
import subprocess
import time

import pytest

from program import BINARY, clean_environment, postrider

COMMANDS = """
init serve demo status doctor backup restore
list.add list.ls list.show list.edit list.archive
feed.check feed.add feed.ls feed.show feed.poll feed.pause feed.resume feed.remove
story.add story.ls story.show story.hold story.release story.hide
issue.ls issue.show issue.preview issue.explain issue.draft issue.send issue.approve issue.pause issue.resume issue.cancel
issue.report issue.verify
schedule.explain schedule.set schedule.next schedule.rehearse
subscriber.add subscriber.show subscriber.ls subscriber.remove subscriber.check subscriber.import subscriber.export subscriber.erase
suppression.add suppression.ls suppression.remove
template.render template.ls template.show template.check template.edit
relay.ls relay.test relay.explain
""".split()


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_explains_itself_with_an_example(command):
    words = command.split(".")
    done = postrider(*words, "--help")
    assert done.returncode == 0 and done.stderr == ""
    assert re.search(rf"postrider\b.*\b{words[0]}\b", done.stdout), done.stdout
    assert "xample" in done.stdout


def test_the_program_explains_itself_and_says_its_version():
    done = postrider("--help")
    assert done.returncode == 0
    for noun in {command.split(".")[0] for command in COMMANDS}:
        assert noun in done.stdout
    assert re.search(r"\d+\.\d+", postrider("--version").stdout)


@pytest.mark.parametrize(
    "typed, meant",
    [(["isue"], "issue"), (["subscribers"], "subscriber"), (["feed", "pol"], "poll"), (["list", "lst"], "ls"), (["stauts"], "status")],
)
def test_an_unknown_word_suggests_the_nearest(typed, meant):
    done = postrider(*typed)
    assert done.returncode == 2
    assert re.search(rf"\b{meant}\b", done.stderr), done.stderr


@pytest.mark.parametrize("typed", [["issue", "send"], ["list", "add"], ["feed", "add", "--nonsense"], ["serve", "--twice"], ["schedule"]])
def test_wrong_usage_is_status_two(site, typed):
    assert site.try_to(*typed).returncode == 2


@pytest.mark.parametrize(
    "command",
    [
        ["list", "show", "nowhere"],
        ["issue", "report", "77"],
        ["issue", "send", "nowhere"],
        ["feed", "show", "77"],
        ["story", "show", "77"],
        ["subscriber", "show", "nobody@reader.example"],
        ["subscriber", "remove", "nobody@reader.example", "--list", "daily"],
        ["suppression", "remove", "nobody@reader.example"],
        ["schedule", "set", "nowhere", "daily at 7am"],
        ["feed", "poll", "77"],
        ["template", "show", "nothing"],
        ["list", "add", "daily", "--title", "Again", "--from", "A <a@a.example>"],
        ["list", "add", "zoned", "--title", "Z", "--from", "A <a@a.example>", "--timezone", "Europe/Nowhere"],
        ["list", "add", "Bad Slug", "--title", "Z", "--from", "A <a@a.example>"],
        ["list", "add", "injected", "--title", "Z", "--from", "A <a@a.example>\r\nBcc: x@y.example"],
    ],
    ids=" ".join,
)
def test_what_does_not_exist_is_named_in_one_line_and_nothing_changes(site, command):
    before = site.dump()
    done = site.try_to(*command)
    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    assert site.dump() == before


@pytest.mark.parametrize(
    "command",
    [
        ["list", "ls"],
        ["list", "show", "daily"],
        ["feed", "ls"],
        ["story", "ls", "--list", "daily"],
        ["issue", "ls", "--list", "daily"],
        ["issue", "explain", "daily"],
        ["subscriber", "ls", "--list", "daily"],
        ["suppression", "ls"],
        ["template", "ls"],
        ["relay", "ls"],
        ["status"],
        ["schedule", "explain", "every weekday at 07:00"],
        ["relay", "explain", "451 4.7.1 Greylisted"],
    ],
    ids=" ".join,
)
def test_what_prints_data_prints_json_too(site, command):
    assert isinstance(site.read(*command), (list, dict))


def test_an_output_that_nobody_reads_is_no_crash(site):
    site.import_readers(3000)
    command = subprocess.Popen(
        [BINARY, "-C", site.folder, "subscriber", "ls", "--list", "daily"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=clean_environment(),
    )
    command.stdout.read(10)
    command.stdout.close()
    error = command.stderr.read()
    command.stderr.close()
    assert command.wait(10) >= -13 and b"terminate" not in error


def test_the_demo_verifies_every_step_in_under_ten_seconds(tmp_path):
    began = time.monotonic()
    done = postrider("demo", "--site", tmp_path / "demo")
    assert done.returncode == 0, done.stdout + done.stderr
    assert time.monotonic() - began < 10
    assert "accepted 2" in done.stdout


def test_doctor_says_of_a_good_site_that_it_is_good_and_of_a_bad_one_that_it_is_not(site, sink):
    assert site.try_to("doctor").returncode == 0
    sink.stop()
    done = site.try_to("doctor")
    assert done.returncode == 1 and "main" in done.stdout + done.stderr
