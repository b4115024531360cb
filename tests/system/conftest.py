"""What the tests of the whole program are given. Everything is stopped at the end of its test, by the handle it was started with."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "soak"))

import kills  # noqa: E402
import program  # noqa: E402
from mail_server import MailServer  # noqa: E402
from program import Daemon, Site  # noqa: E402
from publisher import Publisher  # noqa: E402
from relay_sink import RelaySink  # noqa: E402


def pytest_collection_modifyitems(items):
    if program.BINARY.is_file():
        return
    missing = pytest.mark.skip(reason=f"{program.BINARY} is not built; `./dev build` makes it, or set POSTRIDER_BINARY")
    for item in items:
        item.add_marker(missing)


@pytest.fixture(autouse=True)
def daemons(monkeypatch):
    """Every daemon that a test starts is gone when the test ends; the log of a failing one is shown."""
    started = []
    begin = Daemon.__init__

    def remember(daemon, *arguments):
        begin(daemon, *arguments)
        started.append(daemon)

    monkeypatch.setattr(Daemon, "__init__", remember)
    yield started
    stubborn = [daemon for daemon in started if not daemon.clean_up()]
    for daemon in started:
        print(f"--- {daemon.log_file.name}, status {daemon.process.returncode}\n{daemon.log()[-4000:]}")
    assert not stubborn, "a daemon leaves within eight seconds of SIGTERM, with status 0"


@pytest.fixture
def sink():
    relay = RelaySink()
    yield relay
    relay.stop()


@pytest.fixture
def publisher():
    server = Publisher()
    yield server
    server.stop()


@pytest.fixture
def site(tmp_path, sink):
    """A site with the list `daily`, whose relay is the sink."""
    made = Site(tmp_path / "site", relay=sink.url)
    made.add_list("daily")
    return made


@pytest.fixture
def empty_site(tmp_path):
    """A site as init leaves it, with the built-in test relay."""
    return Site(tmp_path / "site")


@pytest.fixture
def soak(request, tmp_path):
    """A site to kill the daemons of, with the READERS and the CONNECTIONS of the test's file."""
    if not kills.SINK.is_file():
        pytest.skip(f"{kills.SINK} is not built; the target bench_sink makes it")
    soak = kills.Soak(tmp_path, request.module.READERS, request.module.CONNECTIONS, seed=20240229)
    yield soak
    soak.stop()


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    """(certificate, key) of a relay on this machine, signed by itself."""
    folder = tmp_path_factory.mktemp("certificate")
    return make_certificate(folder)


def make_certificate(folder):
    if not shutil.which("openssl"):
        pytest.skip("openssl is not installed; it makes the relay's certificate (apt install openssl)")
    certificate, key = folder / "cert.pem", folder / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
        + ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", key, "-out", certificate],
        check=True,
        capture_output=True,
    )
    return certificate, key


@pytest.fixture(scope="module")
def mail_server(certificate):
    """A real Postfix with STARTTLS and passwords, which hands mail to a real Dovecot."""
    for tool, package in (("postfix", "postfix"), ("dovecot", "dovecot-lmtpd")):
        if not shutil.which(tool, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin"):
            pytest.skip(f"{tool} is not installed (apt install {package})")
    if os.geteuid() != 0:
        pytest.skip("Postfix starts only as root; run the tests as root to have this one")
    server = MailServer(*certificate)
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="session")
def corpora():
    if not program.CORPORA:
        pytest.skip("POSTRIDER_CORPORA is not set; it names the folder with the collected real feeds")
    return Path(program.CORPORA)
