#!/usr/bin/env python3
"""An issue to many readers, every outcome durable, against Postfix's smtp-source -d over the same sink.

    tests/bench/delivery.py [--readers 100000] [--rounds 3] [--connections 50] [--sink quick|smtp-sink] [--peer yes|no] [--delay MS]

Sinks are our own quick one (sink.cpp) and smtp-sink; rounds alternate between postrider and smtp-source, and the figures
are medians. The time runs from the beginning of `issue send` to the last answer; the CPU time is the daemon's and the
command's, in user and kernel. With --delay every answer takes MS to arrive, and there is no peer: what can be reached is
connections / delay.
"""

import argparse
import os
import subprocess
import time

from measuring import BINARY, Folder, QuickSink, Site, hardware, median, need, run_measured, table, tool
from measuring import free_port, peak_kilobytes, thread_seconds, wait_for_port

# What smtp-source sends to everybody; the issue is made to be about as long.
LENGTH = 14_000
WORDS = ("The harbour board met on Monday evening and heard fishermen, bakers and the master of the night ferry before it "
         "decided to put off the decision until the ice has gone, as it has done every winter since the old pier burnt down. ")


class SmtpSink:
    name = "smtp-sink"

    def __init__(self, _):
        self.port = free_port()
        as_user = ["-u", "postfix"] if os.geteuid() == 0 else []  # it refuses to run as root
        self.process = subprocess.Popen(["smtp-sink", *as_user, f"127.0.0.1:{self.port}", "1000"],
                                        stderr=subprocess.DEVNULL)
        wait_for_port(self.port)

    def taken(self):
        return None

    def stop(self):
        self.process.terminate()
        self.process.wait()


def mail_size(site):
    return len(site.run("issue", "preview", "daily", "--eml"))


def summaries_for(site):
    """What stories to say so that a mail is about LENGTH octets."""
    for count in range(1, 21):
        site.add_stories(f"try{count}", [WORDS * 2])
        excess = mail_size(site) - LENGTH
        if excess >= 0:
            break
    # A summary is in both parts of the mail, where a line of 76 takes 3 more.
    return [(WORDS * 2)[:int(-excess / count / 2 * 76 / 79) or None]] * count


def send(site, sink, readers):
    """One issue, by a daemon of its own."""
    site.relay(f"smtp://127.0.0.1:{sink.port}")
    daemon = site.serve()
    try:
        before, began = thread_seconds(daemon.pid), time.time()
        _, command_spent, _ = run_measured([BINARY, "-C", site.folder, "issue", "send", "daily"])
        site.wait_until_sent()
        threads, peak = thread_seconds(daemon.pid), peak_kilobytes(daemon.pid)
        spent = sum(threads) - sum(before)
    finally:
        daemon.terminate()
        daemon.wait()
    report = site.newest_report()
    if report["accepted"] != readers or not report["balanced"] or sink.taken() not in (None, readers):
        raise SystemExit(f"the account is wrong: {report}")
    return {"rate": readers / (report["last"] - began), "per_cpu": readers / (spent + command_spent), "peak": peak,
            "first": 1000 * (report["first"] - began), "loop": (threads[0] - before[0]) / spent}


def send_by_peer(sink, options):
    wall, spent, peak = run_measured(
        ["smtp-source", "-d", "-s", str(options.connections), "-l", str(LENGTH), "-m", str(options.readers),
         "-f", "a@courier.example", "-t", "b@example.test", f"127.0.0.1:{sink.port}"])
    sink.taken()
    return {"rate": options.readers / wall, "per_cpu": options.readers / spent, "peak": peak}


def measure(site, sink, summaries, options):
    ours, theirs = [], []
    for number in range(options.rounds):
        site.add_stories(f"{sink.name.replace(' ', '-')}-{number}", summaries)
        size = mail_size(site)
        ours.append({**send(site, sink, options.readers), "size": size})
        if options.peer == "yes":
            theirs.append(send_by_peer(sink, options))
    return ours, theirs


def rows_for(sink, ours, theirs):
    def cells(rounds, first):
        return [f"{median(rounds, 'rate'):,.0f}", f"{median(rounds, 'per_cpu'):,.0f}",
                f"{max(one['peak'] for one in rounds) / 1024:.0f}", first]

    first = f"{median(ours, 'first'):.0f} ({max(one['first'] for one in ours):.0f})"
    rows = [[f"postrider to {sink.name}", *cells(ours, first)]]
    if theirs:
        rows.append([f"smtp-source -d to {sink.name}", *cells(theirs, "")])
        ratios = [[a[key] / b[key] for a, b in zip(ours, theirs)] for key in ("rate", "per_cpu")]
        rows.append(["  ratio of the medians", f"{median(ours, 'rate') / median(theirs, 'rate'):.2f}",
                     f"{median(ours, 'per_cpu') / median(theirs, 'per_cpu'):.2f}", "", ""])
        rows.append(["  lowest, middle, highest", *(f"{min(r):.2f}-{sorted(r)[len(r) // 2]:.2f}-{max(r):.2f}" for r in ratios),
                     "", ""])
    return rows


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--readers", type=int, default=100_000)
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--connections", type=int, default=50)
    arguments.add_argument("--sink", choices=["quick", "smtp-sink"])
    arguments.add_argument("--peer", choices=["yes", "no"], default="yes")
    arguments.add_argument("--delay", type=int, default=0)
    options = arguments.parse_args()
    if options.delay:
        options.sink, options.peer = "quick", "no"
    need(BINARY, tool("bench_sink"), *(["smtp-source"] if options.peer == "yes" else []))
    kinds = [kind for kind in (QuickSink, SmtpSink) if options.sink is None or kind.name.split()[0] == options.sink]
    if SmtpSink in kinds:
        need("smtp-sink")

    with Folder() as folder:
        site = Site(folder, "smtp://127.0.0.1:9", options.connections)
        site.import_readers(options.readers)
        site.run("list", "edit", "daily", "--max", "100")
        summaries = summaries_for(site)
        rows, every = [], []
        for kind in kinds:
            sink = kind(options.delay)
            try:
                if not rows:
                    send(site, sink, options.readers)  # not counted: it warms files and caches
                ours, theirs = measure(site, sink, summaries, options)
            finally:
                sink.stop()
            rows += rows_for(sink, ours, theirs)
            every += ours

    print(f"{options.readers:,} readers, personal mails of {median(every, 'size'):,.0f} octets, {options.connections} connections; "
          f"medians of {options.rounds} alternating rounds\n{hardware()}")
    print(f"Of the daemon's CPU time {100 * median(every, 'loop'):.0f} % is the loop thread's, nearly all else the "
          "database thread's.")
    if options.delay:
        print(f"A round trip takes {options.delay} ms: {options.connections * 1000 / options.delay:,.0f} messages/s are possible.")
    print()
    table(("", "messages/s", "messages/CPU-s", "peak MB", "first after ms (worst)"), rows)


main()
