"""What the measurements of this folder share: a site of their own, figures of a process, medians of alternating rounds."""

import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BINARY = os.environ.get("POSTRIDER_BINARY", str(ROOT / "build/release/postrider"))
TICKS = os.sysconf("SC_CLK_TCK")


def hardware():
    model = next((line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "unknown")
    return f"{model}, {os.cpu_count()} cores, Linux {os.uname().release}"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def need(*programs):
    missing = [program for program in programs if shutil.which(program) is None and not Path(program).exists()]
    if missing:
        sys.exit(f"this measurement needs {', '.join(missing)}")


class Folder:
    """On the disk the checkout is on: a tmpfs would make every commit free."""

    def __enter__(self):
        (ROOT / "build").mkdir(exist_ok=True)
        self.path = Path(tempfile.mkdtemp(prefix="bench-", dir=ROOT / "build"))
        return self.path

    def __exit__(self, *_):
        shutil.rmtree(self.path)


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
        lines.insert(at + 1, f'listen = "127.0.0.1:{free_port()}"')
        (self.folder / "postrider.toml").write_text("\n".join(lines) + "\n")
        self.run("list", "add", "daily", "--title", "The Daily")

    def run(self, *words):
        done = subprocess.run([BINARY, "-C", self.folder, *map(str, words)], capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"postrider {' '.join(map(str, words))}: {done.stderr.strip()}")
        return done.stdout

    def report(self, issue):
        return json.loads(self.run("issue", "report", issue, "--json"))


def cpu_seconds(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def peak_kilobytes(pid):
    return next(int(line.split()[1]) for line in open(f"/proc/{pid}/status") if line.startswith("VmHWM"))


def run_measured(command):
    """Wall and CPU seconds of a command, and its peak memory in kB."""
    began = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    errors = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        sys.exit(f"{' '.join(map(str, command))}: {errors.strip()}")
    return time.monotonic() - began, usage.ru_utime + usage.ru_stime, usage.ru_maxrss


def median(rounds, key):
    return statistics.median(one[key] for one in rounds)


def table(head, rows):
    widths = [max(len(str(row[i])) for row in [head, *rows]) for i in range(len(head))]
    for row in [head, *rows]:
        print("  ".join(str(cell).ljust(width) if i == 0 else str(cell).rjust(width)
                        for i, (cell, width) in enumerate(zip(row, widths))))
