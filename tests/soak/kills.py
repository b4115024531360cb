#!/usr/bin/env python3
"""A daemon killed at random moments of issues to many readers: nobody lost, and next to nobody written to twice.

    tests/soak/kills.py [--kills 200] [--terms 50] [--readers 20000] [--connections 20] [--seed N]

First `--kills` times kill -9, then `--terms` times SIGTERM. Each daemon is given a random moment of life; a kill counts when its
issue was not finished by then. After every one the account must balance and `issue verify` find nothing; after every issue what
the relay took must be one message for each reader, apart from the doubles that promise 1 allows: with kill -9 the last message
that a connection of a killed daemon had taken, byte for byte the same message; with SIGTERM none. Status 1 when anything else is
seen; the folder is kept then.
"""

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/system"))

from program import BINARY, Daemon, Site  # noqa: E402

SINK = Path(os.environ.get("POSTRIDER_BENCH_TOOLS") or BINARY.parent) / "bench_sink"
OUTCOMES = ("accepted", "refused", "suppressed", "expired", "unknown")


class Taken(NamedTuple):
    recipient: str
    message_id: str
    connection: int  # in the order in which they were made
    digest: str


class Sink:
    """tests/bench/sink.cpp, writing down what it takes."""

    def __init__(self, folder):
        record = folder / "taken"
        record.touch()
        self.file = open(record)
        self.process = subprocess.Popen([SINK, "--record", record], stdout=subprocess.PIPE, text=True)
        self.url = f"smtp://127.0.0.1:{self.process.stdout.readline().split()[1]}"

    def take(self):
        """What was taken since the last call, in order."""
        self.process.send_signal(signal.SIGUSR1)
        self.process.stdout.readline()  # everything up to here is in the file
        taken = []
        for line in self.file.read().splitlines():
            recipient, message_id, connection, digest = line.split("\t")
            taken.append(Taken(recipient.strip().strip("<>"), message_id, int(connection), digest))
        return taken

    def stop(self):
        self.process.terminate()
        self.process.wait()
        self.process.stdout.close()
        self.file.close()


@dataclass
class Account:
    """What one kind of kill led to."""

    kind: str
    kills: int = 0
    too_late: int = 0  # the issue was finished before
    before_first: int = 0  # of the kills: before this daemon had sent anything
    issues: int = 0
    planned: int = 0
    outcomes: int = 0
    messages: int = 0
    doubles: int = 0
    most: int = 0  # doubles at one kill
    cut: int = 0  # connections that had sent something when their daemon was killed
    seconds: float = 0
    violations: list = field(default_factory=list)

    def check(self, holds, words):
        if not holds:
            self.violations.append(words)


class Soak:
    def __init__(self, folder, readers, connections, seed):
        self.random = random.Random(seed)
        self.sink = Sink(folder)
        self.site = Site(folder / "site", relay=self.sink.url)
        self.site.set("relay", "connections", connections)
        self.site.add_list()
        self.readers = set(self.site.import_readers(readers))
        self.numbers = 0

    def stop(self):
        self.sink.stop()

    def run(self, kind, kills, longest=0.5):
        """Kills so often, each within `longest` seconds of its daemon's life, and sends the last issue to its end."""
        account, began = Account(kind), time.monotonic()
        while account.kills < kills:
            self.one_issue(account, kills, longest)
        account.seconds = time.monotonic() - began
        return account

    def new_issue(self):
        self.numbers += 1
        self.site.add_story(f"Story {self.numbers}")
        return self.site.send()

    def one_issue(self, account, kills, longest):
        issue = self.new_issue()
        lives = []  # what each daemon sent
        while account.kills < kills:
            daemon = Daemon(self.site)
            time.sleep(self.random.uniform(0, longest))
            account.check(daemon.running, f"a daemon left by itself: {daemon.log()[-500:]}")
            if account.kind == "kill -9":
                daemon.kill()
            else:
                # In its first milliseconds it does not listen to signals yet, and has begun nothing.
                left = daemon.terminate() == 0 or (daemon.process.returncode == -signal.SIGTERM and not daemon.log())
                account.check(left, f"status {daemon.process.returncode} after SIGTERM: {daemon.log()[-500:]}")
            lives.append(self.sink.take())
            if self.balance(account, issue)["status"] == "sent":
                account.too_late += 1
                break
            account.kills += 1
            account.before_first += not lives[-1]
        self.finish(account, issue, lives)

    def finish(self, account, issue, lives):
        """Sends the rest of an issue, and compares what came of it with what should have."""
        daemon = self.site.serve()
        report = self.site.wait_for(issue, within=120)
        account.check(daemon.terminate() == 0, "the last daemon did not leave as it should")
        lives.append(self.sink.take())
        self.balance(account, issue)
        self.compare(account, issue, report, lives)

    def balance(self, account, issue):
        report = self.site.report(issue)
        name = f"issue {issue} after kill {account.kills}"
        if report["status"] != "scheduled":
            parts = sum(report[outcome] for outcome in OUTCOMES) + report["deferred"] + report["pending"]
            account.check(report["planned"] == len(self.readers) == parts and report["pending"] >= 0,
                          f"{name}: {json.dumps(report)}")
        verified = self.site.try_to("issue", "verify", issue)
        account.check(verified.returncode == 0, f"{name}: {verified.stderr.strip()}")
        return report

    def compare(self, account, issue, report, lives):
        name = f"issue {issue}"
        # Whatever was on its way to the relay when its daemon was killed may be written down later: connections tell whose it was.
        connections, copies = defaultdict(list), defaultdict(list)
        for taken in sorted((taken for life in lives for taken in life), key=lambda taken: taken.connection):
            connections[taken.connection].append(taken)
            copies[taken.recipient].append(taken)
        killed = {taken.connection for life in lives[:-1] for taken in life}
        at_kill = defaultdict(int)
        life_of = {taken.connection: number for number, life in reversed(list(enumerate(lives))) for taken in life}
        for recipient, all_copies in copies.items():
            for copy in all_copies[:-1]:
                account.doubles += 1
                at_kill[life_of[copy.connection]] += 1
                account.check(account.kind == "kill -9", f"{name}: {recipient} has it twice")
                account.check(copy is connections[copy.connection][-1] and copy.connection in killed,
                              f"{name}: {recipient} has it twice, and the first was not the last one of its connection")
            account.check(len({(copy.message_id, copy.digest) for copy in all_copies}) == 1,
                          f"{name}: {recipient} has two different messages")
        account.check(len({all_copies[0].message_id for all_copies in copies.values()}) == len(copies),
                      f"{name}: a Message-ID was used for two readers")
        lost, strangers = self.readers - set(copies), set(copies) - self.readers
        account.check(not lost, f"{name}: {len(lost)} readers are lost, {sorted(lost)[:3]} among them")
        account.check(not strangers, f"{name}: {sorted(strangers)[:3]} are no readers")
        account.check(report["balanced"] and report["accepted"] == len(self.readers), f"{name}: {json.dumps(report)}")
        account.issues += 1
        account.planned += report["planned"]
        account.outcomes += sum(report[outcome] for outcome in OUTCOMES)
        account.messages += sum(len(life) for life in lives)
        account.most = max([account.most, *at_kill.values()])
        account.cut += len(killed)


def show(accounts):
    rows = [("by", "kills", "before its 1st mail", "issues", "planned", "outcomes", "messages", "doubles", "most at once",
             "connections cut", "seconds", "violations")]
    for a in accounts:
        rows.append((a.kind, a.kills, a.before_first, a.issues, f"{a.planned:,}", f"{a.outcomes:,}", f"{a.messages:,}", a.doubles,
                     a.most, a.cut, f"{a.seconds:.0f}", len(a.violations)))
    widths = [max(len(str(row[i])) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        print("  ".join(str(cell).rjust(width) for cell, width in zip(row, widths)))
    for account in accounts:
        for violation in account.violations[:20]:
            print(f"{account.kind}: {violation}")


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--kills", type=int, default=200)
    arguments.add_argument("--terms", type=int, default=50)
    arguments.add_argument("--readers", type=int, default=20_000)
    arguments.add_argument("--connections", type=int, default=20)
    arguments.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**9))
    options = arguments.parse_args()
    for program in (BINARY, SINK):
        if not program.is_file():
            sys.exit(f"{program} is not built")
    print(f"issues to {options.readers:,} readers over {options.connections} connections; --seed {options.seed}", flush=True)
    # On the disk the checkout is on: a tmpfs would make every commit free.
    (ROOT / "build").mkdir(exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="soak-", dir=ROOT / "build"))
    soak = Soak(folder, options.readers, options.connections, options.seed)
    try:
        accounts = [soak.run("kill -9", options.kills), soak.run("SIGTERM", options.terms)]
    finally:
        soak.stop()
    show(accounts)
    if any(account.violations for account in accounts):
        sys.exit(f"what there is to see is in {folder}")
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
