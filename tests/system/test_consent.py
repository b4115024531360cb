"""What can be proved later: the consent record of a reader, and that nobody rewrote it."""

from waiting import until

READER = "nora@reader.example"


def join_and_confirm(site, sink):
    assert site.post("/join/daily", {"email": READER, "name": "Nora"}).status == 200
    mail = until(lambda: sink.to(READER), "the confirmation mail")[0]
    assert site.post(site.path_in(mail, "confirm")).status == 200
    return mail


def test_the_record_says_who_agreed_to_what_by_which_mail_and_which_confirmation(site, sink):
    site.serve()
    mail = join_and_confirm(site, sink)
    asked, confirmed = site.read("subscriber", "consent", READER)
    assert (asked["event"], confirmed["event"]) == ("asked", "confirmed")
    assert "The Daily" in asked["words"] and asked["language"] == "en" and len(asked["version"]) == 8
    assert (asked["form"], asked["client"], confirmed["client"]) == ("join page", "127.0.0.1", "127.0.0.1")
    assert asked["mail"] in mail.message["Message-ID"]
    assert asked["sign_up"] == confirmed["sign_up"]
    assert confirmed["hash"] in finding(site)["text"], "doctor shows the head of the chain"
    assert "sign-up" in site.run("subscriber", "consent", READER)
    nobody = site.try_to("subscriber", "consent", "nobody@reader.example")
    assert nobody.returncode == 1 and "nothing is on record" in nobody.stderr


def finding(site):
    return next(one for one in site.read_anyway("doctor")["findings"] if one["about"] == "consent")


def test_doctor_names_the_first_entry_that_was_rewritten(site):
    for name in ("ada", "bob", "cleo"):
        site.add_reader(f"{name}@reader.example")
    assert finding(site)["level"] == "ok"
    site.run("subscriber", "erase", "ada@reader.example", "--yes")
    assert finding(site)["level"] == "ok", "erasing keeps the chain whole"
    site.alter("DROP TRIGGER consent_is_not_rewritten")
    site.alter("UPDATE consent SET words = 'All of it, please.' WHERE address_key LIKE 'bob%'")
    broken = finding(site)
    assert broken["level"] == "fail" and "entry 2 " in broken["text"]
    assert site.try_to("doctor").returncode == 1
