"""The operator watches an issue go out: on a terminal a line that is redrawn in place, elsewhere a few plain lines."""

import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import termios
import threading

import pytest

import program
from waiting import until

COLUMNS = 80


class Terminal:
    """A command at a terminal of 80 columns, with the terminal's Ctrl-C."""

    def __init__(self, site, *arguments):
        self.screen = b""
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, COLUMNS, 0, 0))
        self.process = subprocess.Popen(
            [str(program.BINARY), "-C", str(site.folder), *map(str, arguments)],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=program.clean_environment(TERM="xterm"),
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )
        os.close(slave)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        while True:
            try:
                piece = os.read(self.master, 65536)
            except OSError:  # EIO: nobody has the other end any more
                return
            if not piece:
                return
            self.screen += piece

    def text(self):
        return self.screen.decode()

    def shows(self, words, within=15.0):
        until(lambda: words in self.text(), f"the terminal to show {words!r}, not {self.text()[-500:]!r}", within)

    def press_ctrl_c(self):
        os.write(self.master, b"\x03")

    def ends(self, within=30.0):
        status = self.process.wait(within)
        self._reader.join(5)
        return status

    def frames(self):
        """What was drawn in place, in order, without what only wipes."""
        drawn = self.text().split("issue 1 (daily/1): ")[0]
        assert "\n" not in drawn, "redrawn in place, not line under line"
        return [frame.rstrip() for frame in drawn.split("\r") if frame.strip()]

    def clean_up(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
        os.close(self.master)


@pytest.fixture
def terminal():
    opened = []

    def open_one(site, *arguments):
        opened.append(Terminal(site, *arguments))
        return opened[-1]

    yield open_one
    for one in opened:
        one.clean_up()


@pytest.fixture
def ready(site, sink):
    """A story, 300 readers, and a relay that takes about three seconds for them."""
    site.prepare_issue(readers=300, connections=2)
    sink.delay = 0.02
    return site


@pytest.fixture
def sending(ready, sink):
    ready.serve()
    ready.issue = ready.send()
    until(lambda: sink.count() > 0, "the first mail")
    return ready


def percents(lines):
    return [int(re.search(r"\b(\d+)% ", line).group(1)) for line in lines]


def test_on_a_terminal_one_line_is_redrawn_until_the_report(ready, sink, terminal):
    ready.serve()
    watcher = terminal(ready, "issue", "send", "daily", "--wait")
    assert watcher.ends() == 0, watcher.text()
    frames = watcher.frames()
    assert len(frames) >= 3
    assert all(len(frame) < COLUMNS for frame in frames)
    assert all(re.match(r"daily/1 \[=* *\] \d+% \d+ of \d+", frame) for frame in frames), frames
    assert percents(frames) == sorted(percents(frames))
    assert any(re.search(r"\d/s, \d+s left", frame) for frame in frames), frames
    assert re.search(r"\r +\rissue 1 \(daily/1\): sent\r\n", watcher.text()), "the bar makes room for the report"


def test_in_a_pipe_a_plain_line_for_every_ten_percent(ready, sink):
    ready.serve()
    done = ready.try_to("issue", "send", "daily", "--wait")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("issue 1 (daily/1): sent\n")
    lines = done.stderr.splitlines()
    assert 2 <= len(lines) <= 14, "logs stay short"
    assert "\r" not in done.stderr and "\x1b" not in done.stderr
    assert all(re.match(r"issue 1 \(daily/1\): \d+% \d+ of \d+", line) for line in lines), lines
    assert percents(lines) == sorted(percents(lines))


def test_refusals_are_in_the_line_and_their_reasons_in_the_report(ready, sink, terminal):
    sink.on("rcpt", "550 5.1.1 nobody here", when=lambda line: "reader1" in line)  # 111 of them
    ready.serve()
    watcher = terminal(ready, "issue", "send", "daily", "--wait")
    watcher.shows(" refused")
    assert watcher.ends() == 0
    assert re.search(r"refused or expired:\r\n +111  550 5.1.1 nobody here\r\n", watcher.text()), watcher.text()


def test_a_pause_is_shown_and_resuming_goes_on(sending, sink, terminal):
    watcher = terminal(sending, "issue", "report", sending.issue, "--follow")
    sending.run("issue", "pause", sending.issue)
    watcher.shows("; paused")
    sending.run("issue", "resume", sending.issue)
    assert watcher.ends() == 0
    assert "left" not in next(frame for frame in watcher.frames() if "paused" in frame)


def test_a_held_relay_is_shown_with_until_when_and_why(ready, sink, terminal):
    sink.on("greeting", "454 4.7.0 Temporary authentication failure")
    ready.serve()
    watcher = terminal(ready, "issue", "send", "daily", "--wait")
    watcher.shows("relay main ")
    until(lambda: re.search(r"relay main held until \d\d:\d\d:\d\d UTC: ", watcher.text()), "the hold to be shown")
    until(lambda: "454 4.7.0 Temporary authentication failure" in ready.run("status"), "status to say why")
    held = ready.read("status")["relays_held"]
    assert held[0]["name"] == "main" and held[0]["held_until"]
    sink.behave()
    sink.delay = 0.0
    assert watcher.ends(60) == 0
    assert all(len(frame) < COLUMNS for frame in watcher.frames())


def test_in_a_log_the_same_hold_is_said_once(ready, sink, tmp_path):
    sink.on("greeting", "454 4.7.0 Temporary authentication failure")
    ready.serve()
    log = tmp_path / "watched.log"
    with open(log, "wb") as file:
        watcher = subprocess.Popen(
            [str(program.BINARY), "-C", str(ready.folder), "issue", "send", "daily", "--wait"],
            stdin=subprocess.DEVNULL, stdout=file, stderr=file, env=program.clean_environment(),
        )
    try:
        until(lambda: "454 4.7.0" in log.read_text(), "the hold to be in the log")
        sink.behave()
        sink.delay = 0.0
        assert watcher.wait(60) == 0
    finally:
        watcher.kill()
        watcher.wait()
    # A line for each ten seconds of it at most, though the relay is tried again after 1, 2, 4 and more seconds.
    assert len(log.read_text().split("held until")) <= 4, log.read_text()


def test_ctrl_c_stops_watching_and_not_the_issue(sending, sink, terminal):
    watcher = terminal(sending, "issue", "report", sending.issue, "--follow")
    watcher.shows("% ")
    watcher.press_ctrl_c()
    assert watcher.ends() == 1
    assert f"the issue goes on; `postrider issue report {sending.issue} --follow`" in watcher.text()
    sink.delay = 0.0
    assert sending.wait_for(sending.issue)["accepted"] == 300


def test_an_issue_that_is_cancelled_ends_the_watching_with_status_1(sending, terminal):
    watcher = terminal(sending, "issue", "report", sending.issue, "--follow")
    watcher.shows("% ")
    sending.run("issue", "cancel", sending.issue, "--yes")
    assert watcher.ends() == 1
    assert "issue 1 (daily/1): cancelled" in watcher.text()
    assert "never tried" in watcher.text()


def test_without_a_daemon_nobody_waits(site):
    site.add_reader("ada@reader.example")
    site.add_story("The ship came in")
    issue = site.send()
    for words in (("issue", "report", issue, "--follow"), ("issue", "send", "daily", "--wait")):
        done = site.try_to(*words, timeout=10)
        assert done.returncode == 1
        assert "no daemon serves this site" in done.stderr and "postrider serve" in done.stderr
        assert len(done.stderr.splitlines()) == 1


def test_a_daemon_that_dies_ends_the_watching(sending, daemons, terminal):
    watcher = terminal(sending, "issue", "report", sending.issue, "--follow")
    watcher.shows("% ")
    daemons[0].kill()
    assert watcher.ends() == 1
    assert "no daemon serves this site" in watcher.text()


def test_following_what_is_sent_already_prints_its_report(sending, sink, daemons):
    sink.delay = 0.0
    sending.wait_for(sending.issue)
    assert daemons[0].terminate() == 0
    followed = sending.read("issue", "report", sending.issue, "--follow")
    assert followed == sending.report(sending.issue)
    assert (followed["status"], followed["remaining"], followed["accepted"]) == ("sent", 0, 300)
