"""kill -9 and SIGTERM in the middle of an issue: nobody is lost, and hardly anybody is written to twice. `./dev soak kills` does it 250 times."""

from waiting import until

READERS, CONNECTIONS = 20_000, 20


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
