"""Commands steer an issue that is being sent: the database is the control socket, and a second is long."""

import pytest

from waiting import stays, until

# The contract says about a second; two, because the machine that tests may be busy.
SOON = 2.0


@pytest.fixture
def sending(site, sink):
    """A site in the middle of an issue to 3,000 readers that would take long at this relay."""
    site.prepare_issue(readers=3000, connections=5)
    sink.delay = 0.02
    site.serve()
    site.issue = site.send()
    until(lambda: sink.count() > 50, "the first mails")
    return site


def quiet(sink):
    """True once no message arrived for a quarter of a second."""
    last = sink.count()
    try:
        stays(sink.count, 0.25, "mails")
    except AssertionError:
        return False
    return last == sink.count()


def test_pause_stops_an_issue_within_about_a_second_and_resume_goes_on_where_it_was(sending, sink):
    sending.run("issue", "pause", sending.issue)
    until(lambda: quiet(sink), "sending to stop", within=SOON)
    assert sending.report(sending.issue)["status"] == "paused"
    held = stays(sink.count, 0.7, "the number of mails of a paused issue")
    assert held < 3000

    sink.delay = 0.0
    sending.run("issue", "resume", sending.issue)
    until(lambda: sink.count() > held, "sending to go on", within=SOON)
    report = sending.wait_for(sending.issue)
    assert (report["accepted"], report["balanced"]) == (3000, True)
    assert len({mail.recipient for mail in sink.mails}) == len(sink.mails) == 3000


def test_cancel_stops_an_issue_for_good_and_shows_who_got_nothing_as_pending(sending, sink):
    sending.run("issue", "cancel", sending.issue, "--yes")
    until(lambda: quiet(sink), "sending to stop", within=SOON)
    sent = stays(sink.count, 0.5, "the number of mails of a cancelled issue")
    report = sending.report(sending.issue)
    assert report["status"] == "cancelled"
    assert (report["planned"], report["accepted"], report["pending"]) == (3000, sent, 3000 - sent)


def test_a_paused_issue_stays_paused_over_a_restart(sending, sink, daemons):
    sending.run("issue", "pause", sending.issue)
    until(lambda: quiet(sink), "sending to stop", within=SOON)
    assert daemons[0].terminate() == 0
    sending.serve()
    held = stays(sink.count, 0.7, "the number of mails of a paused issue")
    sink.delay = 0.0
    sending.run("issue", "resume", sending.issue)
    assert sending.wait_for(sending.issue)["accepted"] == 3000
    assert held < 3000 == len({mail.recipient for mail in sink.mails}) == sink.count()


def test_a_reader_removed_while_an_issue_is_sent_gets_nothing(sending, sink):
    late = "reader2990@reader.example"
    assert not sink.to(late)
    sending.run("subscriber", "remove", late, "--list", "daily")
    sink.delay = 0.0
    report = sending.wait_for(sending.issue)
    assert (report["accepted"], report["suppressed"], report["balanced"]) == (2999, 1, True)
    assert sink.to(late) == []


def test_an_issue_that_is_to_be_approved_waits_for_a_person(site, sink):
    site.add_reader("ada@reader.example")
    site.add_story("The ship came in")
    site.serve()
    site.run("issue", "draft", "daily")
    issue = site.issues()[0]
    assert issue["status"] == "draft"
    stays(sink.count, 0.5, "the number of mails")
    site.run("issue", "send", issue["issue"])
    site.wait_for(issue["issue"])
    assert sink.count() == 1
