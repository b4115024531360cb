#!/usr/bin/env python3
"""An issue to many readers, each outcome durable, against Postfix's smtp-source -d: the same sink, alternating rounds.

    tests/bench/delivery.py [--readers 100000] [--rounds 3] [--connections 50]
"""

import argparse
import subprocess
import time

from measuring import Folder, Site, cpu_seconds, free_port, hardware, median, need, peak_kilobytes, run_measured, table
from measuring import BINARY

# What smtp-source sends to everybody; the issue is made to be about as long.
LENGTH = 14_000
WORDS = ("The harbour board met on Monday evening and heard fishermen, bakers and the master of the night ferry before it "
         "decided to put off the decision until the ice has gone, as it has done every winter since the old pier burnt down. ")


def add_stories(site, round_number, count):
    for story in range(count):
        site.run("story", "add", "--list", "daily", "--title", f"Story {story} of round {round_number}",
                 "--url", f"https://courier.example/{round_number}/{story}", "--summary", WORDS * 2)


def stories_for(site):
    """How many stories make a mail of about LENGTH."""
    for count in range(1, 21):
        add_stories(site, f"try{count}", 1)
        size = len(site.run("issue", "preview", "daily", "--eml"))
        if size >= LENGTH:
            return count, size
    return count, size


def send(site, round_number, stories, readers):
    if round_number > 0:
        add_stories(site, round_number, stories)
    daemon = subprocess.Popen([BINARY, "-C", site.folder, "serve"], stderr=subprocess.DEVNULL)
    try:
        while cpu_seconds(daemon.pid) == 0 and daemon.poll() is None:
            time.sleep(0.05)
        time.sleep(1)
        cpu, began = cpu_seconds(daemon.pid), time.time()
        issue = site.run("issue", "send", "daily").split()[1]
        while (report := site.report(issue))["status"] != "sent":
            time.sleep(0.1)
        if report["accepted"] != readers or not report["balanced"]:
            raise SystemExit(f"the account is wrong: {report}")
        spent = cpu_seconds(daemon.pid) - cpu
        return {"rate": readers / (time.time() - began), "per_cpu": readers / spent, "peak": peak_kilobytes(daemon.pid)}
    finally:
        daemon.terminate()
        daemon.wait()


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--readers", type=int, default=100_000)
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--connections", type=int, default=50)
    options = arguments.parse_args()
    need("smtp-source", "smtp-sink", BINARY)

    port = free_port()
    sink = subprocess.Popen(["smtp-sink", "-u", "postfix", f"127.0.0.1:{port}", "1000"], stderr=subprocess.DEVNULL)
    try:
        with Folder() as folder:
            site = Site(folder, f"smtp://127.0.0.1:{port}", options.connections)
            readers = folder / "readers.csv"
            readers.write_text("email,name\n" + "".join(
                f"reader.{i:07}@example{i % 97}.test,Johanna{i % 1000} Lindgren\n" for i in range(options.readers)))
            site.run("subscriber", "import", readers, "--list", "daily", "--confirmed", "--basis", "a measurement")
            stories, size = stories_for(site)
            ours, theirs = [], []
            for number in range(options.rounds):
                ours.append(send(site, number, stories, options.readers))
                wall, cpu, peak = run_measured(["smtp-source", "-d", "-s", str(options.connections), "-l", str(LENGTH), "-m",
                                                str(options.readers), "-f", "a@courier.example", "-t", "b@example.test",
                                                f"127.0.0.1:{port}"])
                theirs.append({"rate": options.readers / wall, "per_cpu": options.readers / cpu, "peak": peak})
    finally:
        sink.terminate()
        sink.wait()

    print(f"{options.readers} readers, personal mails of {size} octets, {options.connections} connections to smtp-sink; "
          f"medians of {options.rounds} alternating rounds\n{hardware()}\n")
    rows = [(name, f"{median(rounds, 'rate'):,.0f}", f"{median(rounds, 'per_cpu'):,.0f}", f"{median(rounds, 'peak') / 1024:.0f}")
            for name, rounds in (("postrider", ours), ("smtp-source -d", theirs))]
    rows.append(("ratio", f"{median(ours, 'rate') / median(theirs, 'rate'):.2f}",
                 f"{median(ours, 'per_cpu') / median(theirs, 'per_cpu'):.2f}", ""))
    table(("", "messages/s", "messages/CPU-s", "peak MB"), rows)


main()
