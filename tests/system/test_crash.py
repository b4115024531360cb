"""kill -9 and SIGTERM in the middle of an issue: nobody is lost, and hardly anybody is written to twice. `./dev soak kills` does it 250 times."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "soak"))

import kills  # noqa: E402
from waiting import until  # noqa: E402


@pytest.fixture
def soak(tmp_path):
    if not kills.SINK.is_file():
        pytest.skip(f"{kills.SINK} is not built; the target bench_sink makes it")
    soak = kills.Soak(tmp_path, readers=20_000, connections=20, seed=20240229)
    yield soak
    soak.stop()


def test_five_kills_lose_nobody_and_double_at_most_the_last_message_of_each_connection(soak):
    account = soak.run("kill -9", 5)
    assert not account.violations
    assert account.planned == account.outcomes == account.issues * 20_000
    assert account.messages == account.planned + account.doubles and account.doubles <= account.cut


def test_three_orders_to_leave_lose_nobody_and_double_nobody(soak):
    account = soak.run("SIGTERM", 3)
    assert not account.violations
    assert account.planned == account.outcomes == account.messages == account.issues * 20_000


def test_a_sign_up_that_was_answered_survives_a_kill(site, sink):
    sink.on("greeting", "421 4.3.2 not now")
    daemon = site.serve()
    assert site.post("/join/daily", {"email": "nora@reader.example"}).status == 200
    daemon.kill()
    sink.behave()
    site.serve()
    until(lambda: sink.to("nora@reader.example"), "the confirmation mail after the restart", within=40)
