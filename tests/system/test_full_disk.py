"""A disk that is full or read-only: sending stops, says so, and goes on by itself; nothing acknowledged is forgotten."""

import os
import subprocess
from collections import Counter

import pytest

from program import Site
from waiting import stays, until


@pytest.fixture
def small_disk(tmp_path):
    """A file system of its own, 24 MB."""
    if os.geteuid() != 0:
        pytest.skip("a small file system can be mounted only by root")
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", place], capture_output=True, text=True)
    if mounted.returncode != 0:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.strip()}")
    yield place
    # A daemon that failed to leave must not keep it: lazily.
    subprocess.run(["umount", "-l", place], check=True)


@pytest.fixture
def tight_site(small_disk, sink, daemons, tmp_path):
    site = Site(small_disk / "site", relay=sink.url)
    site.logs = tmp_path  # its own disk would have no room for them
    site.add_list()
    yield site
    for daemon in daemons:
        daemon.clean_up()


def fill(place):
    """Leaves not one block free."""
    ballast = place / "ballast"
    with open(ballast, "wb", buffering=0) as file:
        for size in (1 << 20, 4096, 1):
            try:
                while True:
                    file.write(b"\0" * size)
            except OSError:
                continue
    return ballast


def test_a_full_disk_stops_sending_is_said_and_sending_goes_on_by_itself(tight_site, small_disk, sink):
    site = tight_site
    readers = site.prepare_issue(readers=5000, connections=5)
    sink.delay = 0.003
    daemon = site.serve()
    issue = site.send()
    until(lambda: sink.count() > 100, "the first mails")

    ballast = fill(small_disk)
    until(lambda: "record" in site.health().text, "/health to say that nothing can be recorded")
    assert site.health().status == 200
    assert "outcomes cannot be recorded" in site.run("status"), "what the database cannot tell, the daemon does"
    assert len(site.read("status")["wrong"]) == 1
    held = stays(sink.count, 1.0, "the number of mails while the disk is full")
    assert held < 5000
    assert daemon.running and "outcomes" in daemon.log()
    assert site.get("/join/daily").status == 200, "reading goes on"
    answer = site.post("/join/daily", {"email": "nora@reader.example"})
    assert answer.status in (500, 503), "a sign-up that cannot be written is not acknowledged"

    ballast.unlink()
    sink.delay = 0.0
    report = site.wait_for(issue, within=60)
    assert (report["planned"], report["accepted"], report["balanced"]) == (5000, 5000, True)
    times = Counter(mail.recipient for mail in sink.mails)
    assert set(times) == set(readers)
    assert sum(times.values()) == 5000, "what the relay had taken was kept until it could be written"
    site.run("issue", "verify", issue)
    assert site.sql("SELECT count(*) FROM sign_up") == [(0,)]
    assert site.read("status")["wrong"] == site.health().json["wrong"] == []
    assert "sending goes on" in daemon.log()


def test_a_disk_that_is_full_at_a_kill_forgets_nobody(tight_site, small_disk, sink):
    site = tight_site
    readers = site.prepare_issue(readers=1000, connections=3)
    sink.delay = 0.003
    daemon = site.serve()
    issue = site.send()
    until(lambda: sink.count() > 50, "the first mails")
    ballast = fill(small_disk)
    until(lambda: "record" in site.health().text, "/health to say that nothing can be recorded")
    daemon.kill()
    ballast.unlink()
    sink.delay = 0.0
    site.serve()
    assert site.wait_for(issue)["balanced"]
    times = Counter(mail.recipient for mail in sink.mails)
    assert set(times) == set(readers)
    # Whatever waited for the disk was in one group: one message for each connection, and what was in flight on each.
    assert sum(times.values()) - len(times) <= 2 * 3


def test_a_command_on_a_full_disk_says_so_and_can_be_given_again(tight_site, small_disk):
    site = tight_site
    table = site.folder / "table.csv"
    table.write_text("email\n" + "".join(f"reader{i}@reader.example\n" for i in range(20_000)))
    ballast = fill(small_disk)
    done = site.try_to("subscriber", "import", table, "--list", "daily", "--basis", "t", "--confirmed")
    assert done.returncode == 1 and ("full" in done.stderr or "space" in done.stderr), done.stderr
    ballast.unlink()
    again = site.read("subscriber", "import", table, "--list", "daily", "--basis", "t", "--confirmed")
    assert again["new"] + again["unchanged"] == 20_000, "what was committed counts, and the rest can be done again"


def test_a_disk_that_may_only_be_read_is_said_to_be_so(tight_site, small_disk):
    site = tight_site
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    done = site.try_to("list", "edit", "daily", "--title", "Other")
    assert done.returncode == 1 and "read" in done.stderr.lower() and len(done.stderr.strip().splitlines()) == 1, done.stderr
    subprocess.run(["mount", "-o", "remount,rw", small_disk], check=True)
    assert [row["title"] for row in site.read("list", "ls")] == ["The Daily"]
