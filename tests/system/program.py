"""Postrider as an operator meets it: a site in a folder, its commands, its daemon."""

import contextlib
import csv
import email
import email.policy
import json
import os
import random
import re
import signal
import socket
import sqlite3
import subprocess
from pathlib import Path

import browser
from waiting import until

BINARY = Path(
    os.environ.get("POSTRIDER_BINARY") or Path(__file__).resolve().parents[2] / "build/release/postrider"
).absolute()
CORPORA = os.environ.get("POSTRIDER_CORPORA")

_ports = random.SystemRandom()


def free_port():
    """A port of 127.0.0.1 that nobody has, below the range from which the kernel takes those of outgoing connections."""
    for _ in range(1000):
        port = _ports.randrange(12000, 30000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise RuntimeError("no free port on 127.0.0.1")


def clean_environment(**more):
    """The environment without anything that would change what the program does."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("POSTRIDER_")}
    kept.update(NO_COLOR="1", TZ="UTC", LC_ALL="C.UTF-8", http_proxy="", no_proxy="*")
    kept.update(more)
    return kept


def postrider(*arguments, folder=None, input=None, timeout=60, environment=None):
    """One command; the result has returncode, stdout and stderr."""
    command = [str(BINARY), *(["-C", str(folder)] if folder else []), *map(str, arguments)]
    binary = isinstance(input, bytes)
    return subprocess.run(
        command,
        input=input,
        stdin=None if input is not None else subprocess.DEVNULL,
        capture_output=True,
        text=not binary,
        timeout=timeout,
        env=environment or clean_environment(),
    )


class Site:
    """A folder made by `postrider init`, whose pages and links are on a free port of this machine."""

    _logs = None

    def __init__(self, folder, relay="outbox:", name="The Courier"):
        self.folder = Path(folder)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        made = postrider(
            "init",
            *("--name", name),
            *("--url", self.url),
            *("--from", "The Courier <news@courier.example>"),
            *("--postal-address", "1 Press Square, Example City"),
            *("--relay", relay),
            "--yes",
            folder=self.folder,
        )
        assert made.returncode == 0, made.stderr
        self.set("http", "listen", f"127.0.0.1:{self.port}")
        self.set("feeds", "allow_private_addresses", True)
        self.set("signup", "check_mx", False)
        self.set("delivery", "retry_first", "1s")

    @classmethod
    def at(cls, folder, port):
        """One that is there already, whose configuration names the port."""
        site = cls.__new__(cls)
        site.folder, site.port, site.url = Path(folder), port, f"http://127.0.0.1:{port}"
        return site

    @property
    def logs(self):
        """Where its daemons' logs go: beside it, unless a test says otherwise."""
        return self._logs or self.folder.parent

    @logs.setter
    def logs(self, folder):
        self._logs = folder

    @property
    def config(self):
        return self.folder / "postrider.toml"

    @property
    def database(self):
        return self.folder / "postrider.db"

    def set(self, section, key, value):
        """Writes one key as an operator would: in its section, which is added where there is none. `relay` is the first relay."""
        written = json.dumps(value, ensure_ascii=False)
        lines = self.config.read_text().rstrip("\n").split("\n")
        headings = (f"[{section}]", f"[[{section}]]")
        begin = next((i for i, line in enumerate(lines) if line.split("#")[0].strip() in headings), None)
        if begin is None:
            lines += ["", f"[{section}]"]
            begin = len(lines) - 1
        end = next((i for i in range(begin + 1, len(lines)) if lines[i].startswith("[")), len(lines))
        lines[begin + 1 : end] = [line for line in lines[begin + 1 : end] if not re.match(rf"\s*{key}\s*=", line)]
        lines.insert(begin + 1, f"{key} = {written}")
        self.config.write_text("\n".join(lines) + "\n")

    def try_to(self, *arguments, **options):
        """Runs a command that may fail."""
        return postrider(*arguments, folder=self.folder, **options)

    def run(self, *arguments, **options):
        """Runs a command that must not fail; gives its standard output."""
        done = self.try_to(*arguments, **options)
        assert done.returncode == 0, f"postrider {' '.join(map(str, arguments))}: {done.stdout}{done.stderr}"
        return done.stdout

    def read(self, *arguments, **options):
        """What a command prints with --json."""
        return json.loads(self.run(*arguments, "--json", **options))

    def read_anyway(self, *arguments, **options):
        """The same of a command whose check may say no."""
        return json.loads(self.try_to(*arguments, "--json", **options).stdout)

    def add_list(self, slug="daily", *options, title="The Daily"):
        self.run("list", "add", slug, "--title", title, "--from", "The Courier <news@courier.example>", *options)
        return slug

    def add_reader(self, address, slug="daily"):
        self.run("subscriber", "add", address, "--list", slug, "--confirmed", "--basis", "asked for it in a test")

    def import_readers(self, count, slug="daily"):
        """reader1@reader.example and so on, all active."""
        people = {f"reader{i}@reader.example": f"Reader {i}" for i in range(1, count + 1)}
        self.import_people(people, slug)
        return list(people)

    def import_people(self, names, slug="daily"):
        """{address: name}, all active. A NUL, which would cost its line, becomes another control character."""
        file = self.folder / "readers.csv"
        with open(file, "w", newline="") as table:
            csv.writer(table).writerows([("email", "name"), *((address, name.replace("\0", "\1")) for address, name in names.items())])
        self.run("subscriber", "import", file, "--list", slug, "--basis", "a test", "--confirmed")

    def add_story(self, title="A story", slug="daily", url=None, summary="What happened."):
        url = url or f"https://courier.example/{re.sub('[^a-z0-9]+', '-', title.lower())}"
        self.run("story", "add", "--title", title, "--url", url, "--summary", summary, "--list", slug)

    def prepare_issue(self, readers, connections):
        """What an issue needs: a story, and so many readers, who are given back; the relay gets so many connections."""
        addresses = self.import_readers(readers)
        self.set("relay", "connections", connections)
        self.add_story("The ship came in")
        return addresses

    def issues(self, slug="daily"):
        return self.read("issue", "ls", "--list", slug)

    def send(self, slug="daily"):
        """`issue send`, and the id of the issue."""
        before = {issue["issue"] for issue in self.issues(slug)}
        said = self.run("issue", "send", slug)
        made = [issue["issue"] for issue in self.issues(slug) if issue["issue"] not in before]
        assert len(made) == 1, said
        return made[0]

    def report(self, issue):
        return self.read("issue", "report", issue)

    def wait_for(self, issue, status="sent", within=30):
        def look():
            report = self.report(issue)
            return report if report["status"] == status else None

        return until(look, f"issue {issue} to be {status}", within)

    def sql(self, statement, *values):
        """Reads the database beside the program, as no command would."""
        connection = sqlite3.connect(f"file:{self.database}?mode=ro", uri=True, timeout=10)
        try:
            return connection.execute(statement, values).fetchall()
        finally:
            connection.close()

    def alter(self, statement, *values):
        """Writes to the database behind the program's back: only to move a moment into the past."""
        connection = sqlite3.connect(self.database, timeout=10)
        try:
            with connection:
                connection.execute(statement, values)
        finally:
            connection.close()

    @contextlib.contextmanager
    def locked(self, how="IMMEDIATE"):
        """The database as while another process writes; with "EXCLUSIVE", nobody can read either. close() ends it early."""
        connection = sqlite3.connect(self.database, isolation_level=None, timeout=10, check_same_thread=False)
        try:
            connection.execute(f"BEGIN {how}")
            yield connection
        finally:
            connection.close()

    def dump(self):
        """Every row of the database as text: equal dumps, nothing changed. The counters of ids may rise without a row."""
        connection = sqlite3.connect(f"file:{self.database}?mode=ro", uri=True, timeout=10)
        try:
            connection.execute("BEGIN")
            return [line for line in connection.iterdump() if "sqlite_sequence" not in line]
        finally:
            connection.close()

    def outbox_links(self, path):
        """The paths of the links to `path` in the mails that the built-in relay kept, oldest mail first, each once."""
        found = []
        for file in sorted((self.folder / "outbox").glob("*.eml")):
            message = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
            text = message.get_body(("plain",)).get_content()
            found += re.findall(re.escape(self.url) + "(" + re.escape(path) + r"[A-Za-z0-9_-]+)", text)
        return list(dict.fromkeys(found))

    def path_in(self, mail, page):
        """The path of the link to such a page in the text of a mail: "confirm", "view", "preferences", "leave"."""
        return browser.path_of(mail.link(f"{self.url}/{page}/"))

    def serve(self, *options, wait=True):
        daemon = Daemon(self, *options)
        if wait:
            daemon.wait_until_ready()
        return daemon

    def get(self, path, **options):
        return browser.request(self.port, "GET", path, **options)

    def post(self, path, body=b"", **options):
        return browser.request(self.port, "POST", path, body=body, **options)

    def health(self):
        return self.get("/health", headers={"Accept": "application/json"})


class Daemon:
    """`postrider serve` as a process of its own; its log is in a file, so that no pipe can fill."""

    _count = 0

    def __init__(self, site, *options):
        Daemon._count += 1
        self.site = site
        self.log_file = site.logs / f"{site.folder.name}-serve-{Daemon._count}.log"
        with open(self.log_file, "wb") as log:
            self.process = subprocess.Popen(
                [str(BINARY), "-C", str(site.folder), "serve", *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=clean_environment(),
            )

    def wait_until_ready(self):
        def look():
            if self.process.poll() is not None:
                raise AssertionError(f"serve left with {self.process.returncode}: {self.log()}")
            try:
                return self.site.health().status == 200
            except OSError:
                return False

        until(look, "the daemon to serve /health")

    def log(self):
        return self.log_file.read_text(errors="replace")

    @property
    def running(self):
        return self.process.poll() is None

    def terminate(self, within=8.0):
        """SIGTERM; the exit status. The promise is to leave within eight seconds."""
        self.process.send_signal(signal.SIGTERM)
        return self.wait(within)

    def kill(self):
        """kill -9, as a crash would."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def wait(self, within=30.0):
        try:
            return self.process.wait(within)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"serve did not leave within {within} s: {self.log()[-3000:]}") from None

    def clean_up(self):
        """At the end of a test: gone, whatever state it was in. True when it left as it should."""
        if not self.running:
            return True
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(8) == 0
        except subprocess.TimeoutExpired:
            self.kill()
            return False
