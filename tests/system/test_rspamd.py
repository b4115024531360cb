"""Our mails as rspamd sees them: nothing in their header, their MIME or their HTML makes it frown."""

import pytest
from browser import path_of
from program import Site
from relay_sink import Mail, RelaySink
from rspamd import Rspamd
from waiting import until

STORIES = {
    "en": [("The ship came in", "It had been missed since Tuesday, and nobody knew why."), ("Café “Zur Post” opens again", "Coffee at £2.50 — and a view.")],
    "ar": [("وصلت السفينة إلى الميناء", "كانت مفقودة منذ يوم الثلاثاء، ولم يعرف أحد السبب."), ("افتتاح المقهى من جديد", "قهوة ومنظر على البحر.")],
    "ja": [("船が港に着きました", "火曜日から行方が分からなくなっていましたが、理由は誰も知りません。"), ("喫茶店が再開します", "コーヒーと港の眺めを楽しめます。")],
}
TITLES = {"en": "The Daily", "ar": "صحيفة اليوم", "ja": "毎日の便り"}
READERS = {"en": "Ada Lovelace", "ar": "نورا محمد", "ja": "東京 太郎"}

# What is no fault of a mail: it comes without a server before it and without a name of its sender in the DNS; letters have another
# address on the envelope than in the mail, as every bounce address is; whether the number of addresses is odd says nothing.
INDIFFERENT = {"ONCE_RECEIVED", "RDNS_NONE", "RDNS_DNSFAIL", "FORGED_SENDER", "URI_COUNT_ODD"}


@pytest.fixture(scope="module")
def mails(tmp_path_factory):
    """{what it is: mail}: confirmation, welcome and each design of an issue, in three languages."""
    relay = RelaySink()
    site = Site(tmp_path_factory.mktemp("rspamd") / "site", relay=relay.url)
    site.set("site", "url", "https://mail.courier.example")
    daemon = None
    made = {}
    try:
        for language, stories in STORIES.items():
            site.add_list(language, "--language", language, "--welcome", "yes", "--description", stories[0][1], title=TITLES[language])
        daemon = site.serve()
        for language, stories in STORIES.items():
            address = f"{language}@reader.example"
            site.post(f"/join/{language}", {"email": address, "name": READERS[language], "language": language})
            made[f"confirmation {language}"] = until(lambda: relay.to(address), "the confirmation")[0]
            site.post(path_of(made[f"confirmation {language}"].link("https://mail.courier.example/confirm/")))
            made[f"welcome {language}"] = until(lambda: relay.to(address)[1:], "the welcome")[0]
            for design in ("digest", "brief", "letter"):
                site.run("list", "edit", language, "--template", design)
                for number, (title, summary) in enumerate(stories):
                    site.add_story(f"{title} ({design})", language, f"https://courier.example/{language}/{design}/{number}", summary)
                site.wait_for(site.send(language))
                made[f"{design} {language}"] = relay.to(address)[-1]
        yield made
    finally:
        if daemon:
            daemon.clean_up()
        relay.stop()


@pytest.fixture(scope="module")
def rspamd(tmp_path_factory):
    peer = Rspamd(tmp_path_factory.mktemp("rspamd-peer"))
    try:
        peer.start()
        yield peer
    finally:
        peer.stop()


def test_rspamd_frowns_at_what_is_wrong(rspamd, mails):
    mail = mails["digest en"]
    broken = mail.sent.replace(b"Subject: ", b"X-Subject: ").replace(b"Date: ", b"X-Date: ")
    found = rspamd.symbols(Mail(1, mail.sender, mail.recipient, broken, broken))
    assert found["MISSING_SUBJECT"][0] > 0 and found["MISSING_DATE"][0] > 0, found


def test_rspamd_finds_nothing_wrong_with_any_mail_of_ours(rspamd, mails):
    frowned = {}
    for name, mail in mails.items():
        found = rspamd.symbols(mail)
        bad = {symbol: why for symbol, why in found.items() if why[0] > 0 and symbol not in INDIFFERENT}
        if bad:
            frowned[name] = bad
    assert frowned == {}
