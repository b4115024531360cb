"""A story's way from a publisher's feed into readers' inboxes, over real sockets."""

from datetime import datetime, timedelta, timezone

from waiting import stays, until


def eligible(site, slug="daily"):
    return [row["title"] for row in site.read("issue", "explain", slug) if row["in"]]


def test_a_new_item_of_a_feed_reaches_every_active_reader_once(site, sink, publisher):
    url = publisher.put_feed(["Old harbour news"])
    site.run("feed", "add", url, "--list", "daily")
    assert eligible(site) == [], "the first poll remembers what is there and sends none of it"

    for name in ("ada", "ben", "cleo"):
        site.add_reader(f"{name}@reader.example")
    publisher.put_feed(["Ferry returns at last", "Old harbour news"])
    site.run("feed", "poll", "--all", "--force")
    assert eligible(site) == ["Ferry returns at last"]

    site.serve()
    issue = site.send()
    report = site.wait_for(issue)
    assert (report["planned"], report["accepted"], report["balanced"]) == (3, 3, True)
    site.run("issue", "verify", issue)

    assert sorted(mail.recipient for mail in sink.mails) == [f"{name}@reader.example" for name in ("ada", "ben", "cleo")]
    for mail in sink.mails:
        assert "Ferry returns at last" in mail.text("plain") and "Ferry returns at last" in mail.text("html")
        assert "Old harbour news" not in mail.text("plain")
        assert mail.message["To"].addresses[0].addr_spec == mail.recipient
        assert mail.message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert len({mail.message["Message-ID"] for mail in sink.mails}) == 3

    site.run("issue", "send", "daily")
    assert len(site.issues()) == 1, "a story is sent to a list only once"


def test_a_running_daemon_polls_a_due_feed_and_sends_the_first_mail_within_a_second_of_the_command(site, sink, publisher):
    url = publisher.put_feed(["Old"])
    site.run("feed", "add", url, "--list", "daily")
    site.add_reader("ada@reader.example")
    site.serve()
    publisher.put_feed(["Fog on the pier", "Old"])
    site.alter("UPDATE feed SET next_poll_at = 0")
    until(lambda: eligible(site) == ["Fog on the pier"], "the daemon to poll the feed that fell due")

    site.run("issue", "send", "daily")
    until(lambda: sink.to("ada@reader.example"), "the first mail", within=2)  # the promise is one second; the machine is busy


def test_a_slot_missed_while_down_goes_out_once_by_serve_once(site, sink):
    site.add_story("The ship came in")
    site.add_reader("ada@reader.example")
    missed = datetime.now(timezone.utc) - timedelta(minutes=10)
    site.run("schedule", "set", "daily", f"{missed.minute} {missed.hour} * * *")
    site.alter("UPDATE list SET schedule_set_at = schedule_set_at - 3600000")  # it was set an hour ago

    first = site.serve("--once", wait=False)
    assert first.wait() == 0, first.log()
    assert len(sink.to("ada@reader.example")) == 1
    assert [issue["status"] for issue in site.issues()] == ["sent"]

    site.add_story("Another ship came in")
    second = site.serve("--once", wait=False)
    assert second.wait() == 0
    assert sink.count() == 1, "a slot is never used twice"


def test_a_slot_with_nothing_to_send_is_an_issue_that_says_why(site, sink):
    site.add_reader("ada@reader.example")
    missed = datetime.now(timezone.utc) - timedelta(minutes=10)
    site.run("schedule", "set", "daily", f"{missed.minute} {missed.hour} * * *")
    site.alter("UPDATE list SET schedule_set_at = schedule_set_at - 3600000")
    assert site.serve("--once", wait=False).wait() == 0
    assert [issue["status"] for issue in site.issues()] == ["skipped"]
    assert sink.count() == 0


def test_without_a_daemon_issue_send_schedules_and_names_serve(site, sink):
    site.add_story("The ship came in")
    site.add_reader("ada@reader.example")
    refused = site.try_to("issue", "send", "daily", "--wait")
    assert refused.returncode == 1 and site.issues() == []

    said = site.run("issue", "send", "daily")
    assert "serve --once" in said
    assert [issue["status"] for issue in site.issues()] == ["scheduled"]
    assert sink.count() == 0
    assert site.serve("--once", wait=False).wait() == 0
    assert sink.count() == 1


def test_issue_send_with_wait_returns_when_everyone_has_it(site, sink):
    site.add_story("The ship came in")
    site.import_readers(50)
    site.serve()
    site.run("issue", "send", "daily", "--wait")
    assert sink.count() == 50


def test_a_test_mail_goes_to_one_address_and_counts_for_nothing(site, sink):
    site.add_story("The ship came in")
    site.add_reader("ada@reader.example")
    site.serve()
    site.run("issue", "send", "daily", "--test", "editor@courier.example")
    until(lambda: sink.to("editor@courier.example"), "the test mail")
    assert sink.count() == 1 and site.issues() == []
    assert eligible(site) == ["The ship came in"]
    stays(sink.count, 0.5, "the number of mails")
