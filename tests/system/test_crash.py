"""kill -9 in the middle of an issue: nobody is lost, and hardly anybody is written to twice."""

import random
import time
from collections import defaultdict

from waiting import until

READERS = 2000
KILLS = 10
CONNECTIONS = 4


def test_ten_kills_in_the_middle_of_an_issue_lose_nobody_and_double_at_most_one_a_connection(site, sink):
    moments = random.Random(20240229)
    site.set("relay", "connections", CONNECTIONS)
    readers = site.import_readers(READERS)
    site.add_story("The ship came in")
    site.run("issue", "send", "daily")
    issue = site.issues()[0]["issue"]

    sink.delay = 0.003
    open_at_kills = 0
    for _ in range(KILLS):
        daemon = site.serve(wait=False)
        target = sink.count() + moments.randrange(1, 150)
        until(lambda: sink.count() >= target, f"{target} of {READERS} mails")
        spin(moments.random() * 0.004)
        open_at_kills += sink.open
        daemon.kill()
        assert sink.count() < READERS, "the kill came too late to prove anything"
    sink.delay = 0.0
    site.serve()
    report = site.wait_for(issue, within=60)

    received = defaultdict(list)
    for mail in sink.mails:
        received[mail.recipient].append(mail)
    assert set(received) == set(readers), "nobody is lost, nobody invented"
    doubles = 0
    for mails in received.values():
        doubles += len(mails) - 1
        assert len({mail.data for mail in mails}) == 1, "a double is the same message, byte for byte"
        assert len({mail.message["Message-ID"] for mail in mails[:2]}) == 1
    assert doubles <= open_at_kills <= KILLS * CONNECTIONS, "at most one for each connection that was open at a kill"

    assert report["planned"] == READERS
    assert report["planned"] == sum(report[s] for s in ("accepted", "refused", "suppressed", "expired", "unknown"))
    assert report["balanced"] is True
    site.run("issue", "verify", issue)


def test_a_sign_up_that_was_answered_survives_a_kill(site, sink):
    sink.on("greeting", "421 4.3.2 not now")
    daemon = site.serve()
    assert site.post("/join/daily", {"email": "nora@reader.example"}).status == 200
    daemon.kill()
    sink.behave()
    site.serve()
    until(lambda: sink.to("nora@reader.example"), "the confirmation mail after the restart", within=40)


def spin(seconds):
    """A moment too short to look at anything."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pass
