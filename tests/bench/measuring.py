"""What the measurements of this folder share: a site of their own, figures of a process, medians of alternating rounds."""

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/system"))

from program import BINARY, free_port  # noqa: E402

TOOLS = Path(os.environ.get("POSTRIDER_BENCH_TOOLS", str(ROOT / "build/release")))


def hardware():
    model = next((line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "unknown")
    return f"{model}, {os.cpu_count()} cores, Linux {os.uname().release}"


def need(*programs, quietly=False):
    """Leaves when one is missing; quietly: gives those that are."""
    missing = [program for program in programs if shutil.which(program) is None and not Path(program).exists()]
    if missing and not quietly:
        sys.exit(f"this measurement needs {', '.join(map(str, missing))}")
    return missing


def tool(name):
    """One of our own measuring programs."""
    return str(TOOLS / name)


def wait_for_port(port):
    for _ in range(500):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.01)
    sys.exit(f"nobody listens on port {port}")


class Folder:
    """On the disk the checkout is on: a tmpfs would make every commit free."""

    def __enter__(self):
        (ROOT / "build").mkdir(exist_ok=True)
        self.path = Path(tempfile.mkdtemp(prefix="bench-", dir=ROOT / "build"))
        return self.path

    def __exit__(self, *_):
        shutil.rmtree(self.path)


class QuickSink:
    """tests/bench/sink.cpp"""

    name = "quick sink"

    def __init__(self, delay=0):
        self.process = subprocess.Popen([tool("bench_sink"), "--delay", str(delay)], stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline().split()[1])
        self.before = 0

    def taken(self):
        """Messages since the last call."""
        self.process.send_signal(signal.SIGUSR1)
        count = json.loads(self.process.stdout.readline())["messages"]
        since, self.before = count - self.before, count
        return since

    def stop(self):
        self.process.terminate()
        self.process.wait()


class Site:
    def __init__(self, folder, relay, connections=50):
        self.folder = folder / "site"
        self.run("init", "--yes", "--name", "The Courier", "--from", "The Courier <news@courier.example>",
                 "--url", "http://127.0.0.1:8025", "--postal-address", "1 Press Square", "--relay", relay)
        text = (self.folder / "postrider.toml").read_text()
        lines = [line for line in text.splitlines() if not line.startswith(("connections", "listen"))]
        at = lines.index(f'url = "{relay}"')
        lines.insert(at + 1, f"connections = {connections}")
        at = lines.index("[http]")
        self.port = free_port()
        lines.insert(at + 1, f'listen = "127.0.0.1:{self.port}"')
        (self.folder / "postrider.toml").write_text("\n".join(lines) + "\n")
        self.run("list", "add", "daily", "--title", "The Daily")

    def run(self, *words):
        done = subprocess.run([BINARY, "-C", self.folder, *map(str, words)], capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"postrider {' '.join(map(str, words))}: {done.stderr.strip()}")
        return done.stdout

    def import_readers(self, count):
        file = self.folder.parent / "readers.csv"
        file.write_text("email,name\n" + "".join(
            f"reader.{i:07}@example{i % 97}.test,Johanna{i % 1000} Lindgren\n" for i in range(count)))
        self.run("subscriber", "import", file, "--list", "daily", "--confirmed", "--basis", "a measurement")

    def add_stories(self, marker, summaries):
        for number, summary in enumerate(summaries):
            self.run("story", "add", "--list", "daily", "--title", f"Story {number} of {marker}",
                     "--url", f"https://courier.example/{marker}/{number}", "--summary", summary)

    def relay(self, url):
        """What is sent from now on goes there."""
        file = self.folder / "postrider.toml"
        file.write_text(re.sub(r'url = "smtp://[^"]*"', f'url = "{url}"', file.read_text()))

    def serve(self):
        """A daemon that answers, and has nothing to do."""
        with open(self.folder / "daemon.log", "a") as log:
            daemon = subprocess.Popen([BINARY, "-C", self.folder, "serve"], stderr=log)
        wait_for_port(self.port)
        time.sleep(0.5)
        if daemon.poll() is not None:
            sys.exit(f"the daemon left: {(self.folder / 'daemon.log').read_text()}")
        return daemon

    def query(self, sql):
        """Read beside the daemon: a command each time would take a good part of a core."""
        with contextlib.closing(sqlite3.connect(f"file:{self.folder}/postrider.db?mode=ro", uri=True, timeout=10)) as database:
            return database.execute(sql).fetchone()

    def is_sent(self):
        return self.query("SELECT count(*) FROM mailing WHERE finished_at IS NULL") == (0,)

    def wait_until_sent(self):
        while not self.is_sent():
            time.sleep(0.05)

    def newest_report(self):
        """As `issue report` has it, with the times in seconds since 1970."""
        issue, = self.query("SELECT max(id) FROM issue")
        report = json.loads(self.run("issue", "report", issue, "--json"))
        first, last = self.query("SELECT min(at), max(at) FROM delivery WHERE mailing_id = (SELECT max(id) FROM mailing)")
        return {**report, "first": first / 1000, "last": last / 1000}


def thread_seconds(pid):
    """CPU seconds of each thread, user and kernel, the first thread first."""
    return [int((task / "schedstat").read_text().split()[0]) / 1e9
            for task in sorted(Path(f"/proc/{pid}/task").iterdir(), key=lambda task: int(task.name))]


def peak_kilobytes(pid):
    return next(int(line.split()[1]) for line in open(f"/proc/{pid}/status") if line.startswith("VmHWM"))


def run_measured(command):
    """Wall and CPU seconds of a command, and its peak memory in kB (which wait4 would mix up with that of this process)."""
    began, peak = time.monotonic(), 0
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    ended = threading.Event()

    def look():
        nonlocal peak
        while not ended.wait(0.02):
            with contextlib.suppress(OSError, StopIteration):
                peak = max(peak, peak_kilobytes(process.pid))

    watcher = threading.Thread(target=look)
    watcher.start()
    errors = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.monotonic() - began
    ended.set()
    watcher.join()
    if status != 0:
        sys.exit(f"{' '.join(map(str, command))}: {errors.strip()}")
    return wall, usage.ru_utime + usage.ru_stime, peak


def median(rounds, key):
    return statistics.median(one[key] for one in rounds)


def table(head, rows):
    widths = [max(len(str(row[i])) for row in [head, *rows]) for i in range(len(head))]
    for row in [head, *rows]:
        print("  ".join(str(cell).ljust(width) if i == 0 else str(cell).rjust(width)
                        for i, (cell, width) in enumerate(zip(row, widths))))
