"""What a reader may choose: topics, and with them which stories of an issue come; and when it comes."""

from datetime import datetime, timedelta, timezone

from waiting import until


def confirm(site, sink, address):
    mail = until(lambda: sink.to(address), f"the confirmation mail to {address}")[0]
    assert site.post(site.path_in(mail, "confirm")).status == 200


def add_story(site, title, category):
    site.run("story", "add", "--title", title, "--url", f"https://courier.example/{category}", "--list", "daily", "--category", category)


def test_a_reader_gets_the_stories_of_the_topics_chosen_and_nothing_where_there_are_none(site, sink):
    site.run("list", "edit", "daily", "--topic", "World = politics", "--topic", "Sport = football, tennis", "--topic", "Culture = film")
    add_story(site, "An election", "politics")
    add_story(site, "A match", "football")
    site.add_reader("all@reader.example")
    site.run("subscriber", "add", "film@reader.example", "--list", "daily", "--topic", "culture", "--confirmed", "--basis", "a test")
    wrong = site.try_to("subscriber", "add", "x@reader.example", "--list", "daily", "--topic", "Sprot")
    assert wrong.returncode == 1 and 'no topic "Sprot"; it has: World; Sport; Culture' in wrong.stderr

    site.serve()
    page = site.get("/join/daily").text
    assert page.count('name="topics" value="') == 4 and 'value="Sport"' in page
    site.post("/join/daily", b"email=ada%40reader.example&topics=&topics=Sport", headers={"Content-Type": "application/x-www-form-urlencoded"})
    confirm(site, sink, "ada@reader.example")
    shown = site.read("subscriber", "show", "ada@reader.example")
    assert shown["subscriptions"][0]["topics"] == ["Sport"]

    issue = site.send()
    report = site.wait_for(issue)
    assert (report["planned"], report["accepted"], report["suppressed"], report["balanced"]) == (3, 2, 1, True)
    assert report["suppressions"] == [{"reason": "no story of the topics that the reader chose", "count": 1}]
    site.run("issue", "verify", issue)
    assert sink.to("film@reader.example") == []
    whole, part = sink.to("all@reader.example")[-1], sink.to("ada@reader.example")[-1]
    assert "An election" in whole.text() and "A match" in whole.text()
    for kind in ("plain", "html"):
        assert "A match" in part.text(kind) and "An election" not in part.text(kind)
    assert part.message["Subject"] == "The Daily: A match"

    view = site.get(site.path_in(part, "view")).text
    assert "A match" in view and "An election" not in view
    archived = site.get("/archive/daily/1").text
    assert "A match" in archived and "An election" in archived

    preferences = site.path_in(part, "preferences")
    changed = site.post(preferences, {"save": "1", "topics-daily": ""})
    assert changed.status == 200
    exported = site.run("subscriber", "export", "--list", "daily")
    assert "film@reader.example,,,,Culture" in exported and "ada@reader.example,,,," in exported


def test_an_issue_comes_at_each_readers_own_hour_even_if_the_daemon_is_killed_between_two(site, sink):
    site.run("list", "edit", "daily", "--local-hour", "yes")
    file = site.folder / "readers.csv"
    file.write_text("email,timezone\nhere@reader.example,\nwest@reader.example,Etc/GMT+3\n")
    site.run("subscriber", "import", file, "--list", "daily", "--basis", "a test", "--confirmed")
    site.add_story("The ship came in")
    slot = datetime.now(timezone.utc) - timedelta(minutes=10)
    site.run("schedule", "set", "daily", f"{slot.minute} {slot.hour} * * *")
    site.alter("UPDATE list SET schedule_set_at = schedule_set_at - 3600000")  # it was set an hour ago

    daemon = site.serve()
    issue = until(lambda: site.issues(), "the issue of the slot")[0]["issue"]
    until(lambda: site.report(issue)["accepted"] == 1, "the readers of the list's own hour to be served")
    assert [mail.recipient for mail in sink.mails] == ["here@reader.example"]
    report = site.report(issue)
    assert (report["status"], report["pending"], report["next_wave"]) == ("sending", 1, 2)
    assert report["waves"][1]["zones"] == ["Etc/GMT+3"]
    assert "wave 2 of 2" in site.run("status") and "wave 2 of 2" in site.run("issue", "report", issue)
    site.run("issue", "verify", issue)

    daemon.kill()
    for table in ("wave", "slice"):
        site.alter(f"UPDATE {table} SET not_before = not_before - 10800000")  # three hours pass
    site.serve()
    report = site.wait_for(issue)
    assert (report["planned"], report["accepted"], report["balanced"], report["next_wave"]) == (2, 2, True, None)
    assert sorted(mail.recipient for mail in sink.mails) == ["here@reader.example", "west@reader.example"]
    site.run("issue", "verify", issue)


def test_a_reader_pauses_and_leaves_and_takes_it_back_with_the_links_of_a_mail(site, sink):
    site.add_reader("ada@reader.example")
    site.add_reader("ben@reader.example")
    site.add_story("The ship came in")
    site.serve()
    site.wait_for(site.send())
    mail = sink.to("ada@reader.example")[-1]
    preferences, leave = (site.path_in(mail, page) for page in ("preferences", "leave"))

    assert "Paused until" in site.post(preferences, {"pause": "2"}).text
    site.add_story("Another ship came in")
    issue = site.send()
    report = site.wait_for(issue)
    assert (report["accepted"], report["suppressed"]) == (1, 1)
    assert report["suppressions"] == [{"reason": "paused by the reader", "count": 1}]
    assert "paused by the reader" in site.run("issue", "report", issue)
    assert site.read("subscriber", "show", "ada@reader.example")["paused_until"]
    site.post(preferences, {"pause_end": "1"})

    page = site.post(leave, {}).text
    assert 'name="undo"' in page and 'name="reason"' in page
    assert "Thank you" in site.post(leave, {"reason": "often"}).text
    assert site.read("list", "show", "daily")["left_because"] == {"often": 1}
    assert site.post(leave, {"undo": "1"}).status == 200
    shown = site.read("subscriber", "show", "ada@reader.example")
    assert [one["state"] for one in shown["subscriptions"]] == ["active"]
    site.add_story("A third ship came in")
    assert site.wait_for(site.send())["accepted"] == 2
