"""The octets that a relay gets after DATA, for readers and stories that are as odd as they can be: held against the RFCs by mail_bytes,
and read again by two programs that share no line with ours."""

import email.utils
import html.parser
import json
import re
import time
import unicodedata
from collections import Counter

import mail_bytes
import pytest
from program import Site, clean_environment
from relay_sink import RelaySink
from waiting import until

LONG = 300
LONGEST_TITLE, LONGEST_BYLINE, LONGEST_SUMMARY = 300, 200, 500  # what the program keeps of them

NAMES = {
    "plain": "Ada Lovelace",
    "quotes": 'Ada "the Count" Lovelace \\ "',
    "specials": "Doe, J. (x) <y@z.example>; a:b [c]",
    "an address": "news@courier.example",
    "an encoded word": "=?utf-8?Q?=0D=0ABcc:_victim=40reader.example?=",
    "two encoded words": "a =?utf-8?B?Zm9v?= =?utf-8?B?YmFy?= b",
    "half an encoded word": "=?utf-8?Q?x",
    "only marks": "=? ?=",
    "line ends": "Ada\r\nBcc: victim@reader.example\r\n\r\n<script>",
    "controls": "A\td\va\x01\x1b[31m \x7f\u0085Love\u2028lace\u2029",
    "NUL": "Ada\0Lovelace",
    "umlauts": "Jürgen Große",
    "one encoded letter": "é",
    "emoji": "👩‍👩‍👧‍👦 família 👍🏽",
    "Arabic": 'نورا "القلم" محمد',
    "Hebrew with an override": "שלום \u202eevil\u202c",
    "Japanese": "東京 太郎",
    "combining": "e\u0301" * 100,
    "300 letters": "x" * LONG,
    "300 words": "ab " * 99 + "abc",
    "300 umlauts": "é" * LONG,
    "300 emoji": "👍🏽" * (LONG // 2),
    "300 quotes": '"' * LONG,
    "300 backslashes": "\\" * LONG,
    "spaces": "   Ada    Lovelace   ",
    "a dot": ".Ada",
    "a group": "undisclosed-recipients:;",
    "From": "From Ada",
    "a tag of ours": "{{site.name}}{{{unsubscribe_url}}}",
    "markup": "<b>Ada</b> & Ben",
    "underscores": "a_b=c?d",
}

# As given, and as RCPT and To have it where that is another spelling.
ADDRESSES = {
    "ada+news@reader.example": None,
    "a.!#$%&'*+-/=?^_`{|}~b@reader.example": None,
    '"ada lovelace"@reader.example': None,
    '"a\\"b"@reader.example': None,
    '"a\\\\b"@reader.example': None,
    '"a@b"@reader.example': None,
    '"a,b;c:d"@reader.example': None,
    '".dots..dots."@reader.example': None,
    '"<x>(y)[z]"@reader.example': None,
    '"plain"@reader.example': "plain@reader.example",
    "Ada.Lovelace@Reader.Example": "Ada.Lovelace@reader.example",
    "nora@müller.example": "nora@xn--mller-kva.example",
    "nora@xn--bcher-kva.example": None,
    "grüße@müller.example": "grüße@xn--mller-kva.example",
    "用户@例え.example": "用户@xn--r8jz45g.example",
    '"γ δ"@reader.example': None,
    "=?utf-8?q?x?=@reader.example": None,
    "x" * 64 + "@reader.example": None,
    '"' + "x " * 31 + '"@reader.example': None,
    "a@" + ".".join(["b" * 60] * 3) + ".example": None,
    "1@1.example": None,
}

TEXTS = {
    "plain": "The ship came in",
    "5 kB without a space": "x" * 5000,
    "5 kB of umlauts": "é" * 2500,
    "5 kB of emoji": "🏴󠁧󠁢󠁥󠁮󠁧󠁿" * 180,
    "a lone CR": "one\rtwo\r\rthree",
    "smuggling": "one\r.\r\ntwo\n.\r\nthree\r\n.\nfour\r\n.\r\nMAIL FROM:<x@y.example>\r\n",
    "separators": "one\u2028two\u2029three\u0085four",
    "NUL and others": "one\0two\x01\x07\x08\x0b\x0c\x1b[2J\x7f",
    "dots": ".\n..\n.x\n. \n" + "a" * 75 + ".",
    "a dot at every column": ". " * 200,
    "From": "From here on\nFrom \n>From there\n" + "From " * 100,
    "boundaries": "--\n----\n--=_\n--=_0123456789abcdef01234567\n--=_0123456789abcdef01234567--\nContent-Type: text/html",
    "headers": "Subject: x\r\nBcc: victim@reader.example\r\n\r\nbody",
    "encoded words": "=?utf-8?Q?=0D=0ABcc:_victim=40reader.example?= =?utf-8?B?Zm9v?=",
    "quoted-printable": "=3D =0D=0A =\n= =20 ==",
    "blanks at the end": "one \ntwo\t\nthree  ",
    "markup": "<b>bold</b> & &amp; &#0; &#13;&#10;. &lt;script&gt;",
    "right to left": "مرحبا بالعالم \u202eoverride\u202c \u200fmark",
    "combining": "e" + "\u0301" * 400,
    "noncharacters": "\ufffe\uffff\U0001fffe \ufeffBOM",
    "mustache": "{{unsubscribe_url}} {{{site.name}}} {{#stories}}",
}


def seen(text):
    """What a reader sees of it, whatever white space parts it."""
    return "".join(c for c in text if unicodedata.category(c) not in ("Cc", "Zl", "Zp", "Cn") and c != "\ufeff" and not c.isspace())


def begins(text, longest):
    """What is there of it in any case: a long text is cut behind a sentence or a word, in its last third."""
    one_line = " ".join("".join(" " if unicodedata.category(c) in ("Cc", "Zl", "Zp") else c for c in text).split())
    return seen(one_line[: longest * 2 // 3])


def name_kept(text):
    """A name as a reader's profile keeps it: one line, single spaces, no marks that turn the direction of what follows."""
    line = "".join(" " if unicodedata.category(c) in ("Cc", "Zl", "Zp") or c in "\u202a\u202b\u202c\u202d\u202e" else c for c in text)
    return " ".join(line.split())


def stories_file(folder, texts, first=1):
    file = folder / "stories.jsonl"
    with open(file, "w") as out:
        for number, text in enumerate(texts, first):
            story = {"title": text, "byline": text, "summary": text, "source": text, "categories": [text], "url": f"https://courier.example/{number}"}
            out.write(json.dumps({**story, "html": f"<p>{text}</p>"}) + "\n")
    return file


class Words(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.words = []

    def handle_data(self, data):
        self.words.append(data)


def words_of(page):
    reader = Words()
    reader.feed(page)
    reader.close()
    return "".join(reader.words)


@pytest.fixture(scope="module")
def torture(tmp_path_factory):
    """(site, relay, readers): one issue of all the stories went to all the readers, {address: (name, address in the mail)}."""
    folder = tmp_path_factory.mktemp("bytes")
    relay = RelaySink()
    site = Site(folder / "site", relay=relay.url)
    site.add_list("daily", "--max", "100")
    readers = {f"name{number}@reader.example": (name, None) for number, name in enumerate(NAMES.values())}
    readers |= {address: (NAMES["umlauts"], other) for address, other in ADDRESSES.items()}
    site.import_people({address: name for address, (name, _) in readers.items()})
    site.run("story", "import", stories_file(folder, TEXTS.values()), "--list", "daily")
    site.run("issue", "send", "daily")
    site.run("serve", "--once")
    yield site, relay, readers
    relay.stop()


def read_by_both(mails, folder):
    """As they are read by Python's email package, after GMime, where it is installed, has said the same."""
    by_python = [mail_bytes.as_python_reads(mail.sent) for mail in mails]
    for mail, one, other in zip(mails, by_python, mail_bytes.as_gmime_reads([mail.sent for mail in mails], folder)):
        for key in one:
            assert one[key] == other[key], (mail.recipient, key)
    return by_python


def test_there_is_a_gmime_to_ask():
    if not mail_bytes.python_with_gmime():
        pytest.skip("GMime is not installed (apt install python3-gi gir1.2-gmime-3.0): the mails are read by Python only")


def test_nothing_is_wrong_with_any_mail_of_the_torture(torture):
    site, relay, readers = torture
    assert len(relay.mails) == len(readers), site.report("daily/1")
    for mail in relay.mails:
        assert mail_bytes.faults(mail.sent) == [], mail.recipient
        assert mail.sent == mail.data, "no line needed a dot before it"


def test_every_reader_is_addressed_as_they_wrote_it(torture, tmp_path):
    _, relay, readers = torture
    meant = {other or address: name for address, (name, other) in readers.items()}
    assert Counter(mail.recipient for mail in relay.mails) == dict.fromkeys(meant, 1)
    for mail, read in zip(relay.mails, read_by_both(relay.mails, tmp_path / "mails")):
        assert read["to"] == [[name_kept(meant[mail.recipient]), mail.recipient]]
        assert read["from"] == [["The Courier", "news@courier.example"]]


def test_every_story_is_in_both_parts_as_it_was_written(torture, tmp_path):
    _, relay, _ = torture
    for mail, read in zip(relay.mails, read_by_both(relay.mails, tmp_path / "mails")):
        (_, plain), (_, page) = read["parts"]
        for part in (seen(plain), seen(words_of(page))):
            for label, text in TEXTS.items():
                for longest in (LONGEST_TITLE, LONGEST_BYLINE, LONGEST_SUMMARY):
                    assert begins(text, longest) in part, label


def test_a_mail_tells_who_it_is_and_nothing_about_its_reader(torture):
    site, relay, readers = torture
    ids = [mail_bytes.value(mail.sent, "Message-ID") for mail in relay.mails]
    assert len(set(ids)) == len(readers)
    for id, mail in zip(ids, relay.mails):
        assert re.fullmatch(r"<[A-Za-z0-9._=+-]{16,80}@courier\.example>", id), id
        local = mail.recipient.split("@")[0]
        assert len(local) < 5 or local not in id
    one = relay.mails[0].sent
    number = site.issues()[0]["number"]
    assert mail_bytes.value(one, "Feedback-ID") == f"{number}:daily:digest:thecourier"
    assert mail_bytes.value(one, "List-Id") == '"The Daily" <daily.courier.example>'.replace('"', "")
    assert mail_bytes.value(one, "List-Post") == "NO"
    assert mail_bytes.value(one, "Precedence") == "bulk"


def test_the_fields_for_leaving_are_those_of_rfc_8058_and_rfc_2369(torture):
    site, relay, _ = torture
    seen_before = set()
    for mail in relay.mails:
        leave = mail_bytes.value(mail.sent, "List-Unsubscribe")
        found = re.fullmatch(r"<([^<>\s]+)>, <(mailto:[^<>\s]+)>", leave)
        assert found, leave
        url, mailto = found.groups()
        assert re.fullmatch(re.escape(site.url) + r"/leave/[A-Za-z0-9_-]{22,}", url), "https of the site; on this machine http"
        assert re.fullmatch(r"mailto:leave\+[A-Za-z0-9_-]{22,40}@courier\.example\?subject=unsubscribe", mailto)
        assert mail_bytes.value(mail.sent, "List-Unsubscribe-Post") == "List-Unsubscribe=One-Click"
        assert {url, mailto}.isdisjoint(seen_before)
        seen_before |= {url, mailto}
        for name in ("List-Help", "List-Archive"):
            assert re.fullmatch(r"<[a-z]+:[!-;=?-~]+>", mail_bytes.value(mail.sent, name))


LINES = {label: text for label, text in {**NAMES, **TEXTS}.items() if not any(unicodedata.category(c) in ("Cc", "Zl", "Zp") for c in text)}


@pytest.fixture(scope="module")
def lists(tmp_path_factory):
    """(site, relay): for each line a list that is called so, describes itself so and sends under that name, and whose newest
    story has it as its title. Each has one reader, who is welcomed before the issue, and one who is asked to confirm."""
    folder = tmp_path_factory.mktemp("lists")
    relay = RelaySink()
    site = Site(folder / "site", relay=relay.url)
    for number, line in enumerate(LINES.values()):
        escaped = line.replace("\\", "\\\\").replace('"', '\\"')
        sender = f'"{escaped}" <news@courier.example>'
        slug = f"list{number}"
        site.run("list", "add", slug, "--title", line, "--description", line, "--from", sender, "--welcome", "yes")
        site.run("subscriber", "add", f"reader{number}@reader.example", "--list", slug, "--confirmed", "--basis", "a test", "--name", line)
        site.run("subscriber", "add", f"asked{number}@reader.example", "--list", slug, "--name", line)
        site.add_story(line, slug, url=f"https://courier.example/{number}", summary=line)
        site.run("issue", "send", slug)
    site.run("serve", "--once")
    yield site, relay
    relay.stop()


def test_a_list_of_any_name_has_the_same_name_in_its_mails(lists, tmp_path):
    _, relay = lists
    mails = [relay.to(f"reader{number}@reader.example")[0] for number in range(len(LINES))]
    for mail, read, line in zip(mails, read_by_both(mails, tmp_path / "mails"), LINES.values()):
        assert mail_bytes.faults(mail.sent) == [], line
        assert read["from"] == [[line.strip(), "news@courier.example"]]
        assert read["subject"].startswith(f"{line}: ".lstrip())
        assert begins(line, LONGEST_TITLE) in seen(read["subject"][len(line.lstrip()) + 2 :])
        assert mail_bytes.mailbox(mail_bytes.values(mail.sent, "List-Id")[0])[0] == line.strip()
        (_, plain), (_, page) = read["parts"]
        for part in (seen(plain), seen(words_of(page))):
            assert part.count(begins(line, LONGEST_TITLE)) >= 3, "list, its description, story"


def test_letters_of_a_list_of_any_name_are_letters(lists, tmp_path):
    _, relay = lists
    mails = [relay.to(f"asked{number}@reader.example")[0] for number in range(len(LINES))]
    for mail, read, line in zip(mails, read_by_both(mails, tmp_path / "mails"), LINES.values()):
        assert mail_bytes.faults(mail.sent, of_a_list=False) == [], line
        assert mail_bytes.value(mail.sent, "Auto-Submitted") == "auto-generated"
        assert line.strip() in read["subject"]


def test_a_welcome_is_a_letter_to_the_reader(site, sink, tmp_path):
    site.run("list", "edit", "daily", "--welcome", "yes")
    site.set("signup", "per_client", "1000/hour")
    site.serve()
    for number, name in enumerate(NAMES.values()):
        address = f"name{number}@reader.example"
        assert site.post("/join/daily", {"email": address, "name": name}).status == 200
        asked = until(lambda: sink.to(address), "the confirmation")[0]
        assert mail_bytes.faults(asked.sent, of_a_list=False) == [], name
        assert site.post(site.path_in(asked, "confirm")).status == 200
    mails = [until(lambda: sink.to(f"name{number}@reader.example")[1:], "the welcome")[0] for number in range(len(NAMES))]
    for mail, read, name in zip(mails, read_by_both(mails, tmp_path / "mails"), NAMES.values()):
        assert mail_bytes.faults(mail.sent, of_a_list=False) == [], name
        assert read["to"] == [[name_kept(name), mail.recipient]]


def put_raw_feed(publisher, texts):
    """A feed of octets that are no XML, no UTF-8 and no text."""
    items = b"".join(
        b"<item><title>%b</title><link>https://courier.example/%d</link><guid>%d</guid><author>%b</author>"
        b"<description>%b</description></item>" % (text, number, number, text, text)
        for number, text in enumerate(texts)
    )
    return publisher.put("/feed.xml", b'<?xml version="1.0" encoding="UTF-8"?><rss version="2.0"><channel><title>x</title>' + items + b"</channel></rss>")


def test_a_feed_of_broken_octets_makes_whole_mails(site, sink, publisher):
    texts = [b"half \xe2\x82", b"\xff\xfe\xfd", b"overlong \xc0\xaf\xc0\xae", b"surrogate \xed\xa0\x80", b"nul\0 \x1b[0m", b"&#0;&#13;&#10;.&#10;&#x80;&#xD800;"]
    texts += [b"\r\n.\r\nMAIL FROM:<x@y.example>\r\n", b"<![CDATA[\n.\n\r.\r]]>", b"caf\xe9 latin", b"&#x2028;&#x2029;&#x85;", b"x" * 5000, "é".encode() * 3000 + b"\xc3"]
    site.add_reader("ada@reader.example")
    site.run("list", "edit", "daily", "--max", "100")
    site.run("feed", "add", put_raw_feed(publisher, texts), "--list", "daily", "--catch-up", "100")
    site.run("issue", "send", "daily")
    site.run("serve", "--once")
    [mail] = sink.mails
    assert mail_bytes.faults(mail.sent) == []
    assert mail.text("html").count("<h2") == len(texts)


def test_an_operators_subject_for_each_reader_is_one_whole_field(site, sink, tmp_path):
    folder = site.folder / "templates"
    folder.mkdir(exist_ok=True)
    (folder / "subject.mustache").write_text("{{subscriber.name}}:\r\n {{list.title}}\n\n")
    site.import_people({f"name{number}@reader.example": name for number, name in enumerate(NAMES.values())})
    site.add_story()
    site.run("issue", "send", "daily")
    site.run("serve", "--once")
    for mail, read in zip(sink.mails, read_by_both(sink.mails, tmp_path / "mails")):
        assert mail_bytes.faults(mail.sent) == []
        name = name_kept(NAMES[list(NAMES)[int(re.sub(r"\D", "", mail.recipient))]])
        assert " ".join(read["subject"].split()) == f"{name}: The Daily"
        assert read["subject"] == read["subject"].strip()


@pytest.mark.parametrize("zone, locale", [("Asia/Kolkata", "C"), ("America/St_Johns", "de_DE.UTF-8"), ("Pacific/Apia", "ar_EG.UTF-8"), (":/nowhere", "tr_TR")])
def test_the_date_is_right_wherever_the_machine_stands(site, sink, zone, locale):
    site.add_reader("ada@reader.example")
    site.run("subscriber", "add", "ben@reader.example", "--list", "daily")
    site.add_story()
    elsewhere = clean_environment(TZ=zone, LC_ALL=locale, LANG=locale)
    before = int(time.time())
    site.run("issue", "send", "daily", environment=elsewhere)
    site.run("serve", "--once", environment=elsewhere)
    for mail in sink.mails:
        date = mail_bytes.value(mail.sent, "Date")
        assert re.fullmatch(r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} \d\d:\d\d:\d\d \+0000", date)
        moment = email.utils.parsedate_to_datetime(date)
        assert before - 1 <= moment.timestamp() <= time.time()
        assert date.startswith(email.utils.format_datetime(moment)[:3]), "the day of the week"


def test_the_longest_names_of_lists_and_domains_are_still_written_plainly(tmp_path, sink):
    site = Site(tmp_path / "site", relay=sink.url)
    slug = "s" * 64
    domain = ".".join(["d" * 60] * 3) + ".example"
    site.run("list", "add", slug, "--title", "The Daily", "--from", f"The Courier <news@{domain}>")
    site.add_reader("ada@reader.example", slug)
    site.run("subscriber", "add", "ben@reader.example", "--list", slug)
    site.add_story(slug=slug)
    site.run("issue", "send", slug)
    site.run("serve", "--once")
    [mail] = sink.to("ada@reader.example")
    assert mail_bytes.faults(mail.sent) == []
    assert mail_bytes.value(mail.sent, "Feedback-ID") == f"1:{slug}:digest:thecourier"
    assert mail_bytes.value(mail.sent, "List-Id").endswith(f"<{slug}.{domain}>")
    assert mail_bytes.faults(sink.to("ben@reader.example")[0].sent, of_a_list=False) == []


@pytest.mark.parametrize("key", ["name", "postal_address"])
def test_words_of_the_site_are_text_or_no_mail_is_made(site, sink, key):
    site.add_reader("ada@reader.example")
    site.run("subscriber", "add", "ben@reader.example", "--list", "daily")
    site.add_story()
    for wrong in ("The \u2028Courier", "The \u0007Courier", "The \u0085Courier"):
        site.set("site", key, wrong)
        refused = site.try_to("issue", "send", "daily")
        assert refused.returncode == 1 and key in refused.stderr and f"U+{ord(wrong[4]):04X}" in refused.stderr
    line_end = "\n" if key == "postal_address" else " "
    site.set("site", key, f"The{line_end}Bcc: x@y.example{line_end}{line_end}.{line_end}" + "=?utf-8?Q?x?= é" * 100)
    site.run("issue", "send", "daily")
    site.run("serve", "--once")
    assert mail_bytes.faults(sink.to("ada@reader.example")[0].sent) == []
    assert mail_bytes.faults(sink.to("ben@reader.example")[0].sent, of_a_list=False) == []


def test_an_address_of_the_site_that_fits_no_line_is_refused_before_any_mail(site, sink):
    site.add_reader("ada@reader.example")
    site.add_story()
    site.set("site", "url", "https://mail.courier.example/" + "a" * 480)
    refused = site.try_to("issue", "send", "daily")
    assert refused.returncode == 1 and re.search(r"postrider\.toml:\d+: .*url.* 500 characters", refused.stderr), refused.stderr
    site.set("site", "url", "https://mail.courier.example/" + "a" * 470)
    site.run("issue", "send", "daily")
    site.run("serve", "--once")
    assert mail_bytes.faults(sink.mails[0].sent) == []


def test_a_sender_that_not_every_server_takes_is_refused(site):
    for command in (("list", "add", "weekly", "--title", "Weekly"), ("list", "edit", "daily")):
        refused = site.try_to(*command, "--from", "Grüße <grüße@courier.example>")
        assert refused.returncode == 1 and "ASCII" in refused.stderr
    site.set("site", "from", "Grüße <grüße@courier.example>")
    refused = site.try_to("list", "ls")
    assert refused.returncode == 1 and "from" in refused.stderr and "ASCII" in refused.stderr


def test_values_of_a_table_are_text_in_a_mail(site, sink, tmp_path):
    folder = site.folder / "templates"
    folder.mkdir(exist_ok=True)
    for kind in ("txt", "html"):
        text = site.run("template", "show", f"digest.{kind}")
        (folder / f"digest.{kind}.mustache").write_text(text.replace("</body>", "") + "{{subscriber.city}}\n")
    table = site.folder / "readers.csv"
    rows = ["email,city", *(f'city{number}@reader.example,"{text}"' for number, text in enumerate(CITIES))]
    table.write_bytes("\r\n".join(rows).encode())
    site.run("subscriber", "import", table, "--list", "daily", "--basis", "a test", "--confirmed")
    site.add_story()
    site.run("issue", "send", "daily")
    site.run("serve", "--once")
    assert len(sink.mails) == len(CITIES)
    for mail, read in zip(sink.mails, read_by_both(sink.mails, tmp_path / "mails")):
        assert mail_bytes.faults(mail.sent) == []
        city = CITIES[int(re.sub(r"\D", "", mail.recipient))]
        for _, part in read["parts"]:
            assert seen(city) in seen(words_of(part))


CITIES = ["Graz", "a\rb\r\n.\r\nFrom c\n.", "\x01\x07\x1b[2J\x7f\u0085\u2028x", "=3D=\n--=_", "é" * 1900, "x" * 3900, "\r\r\n\n"]


def test_a_signed_mail_is_as_sound(site, sink, tmp_path):
    site.run("dkim", "create", "courier.example", "n2026")
    site.set("dkim", "selector", "n2026")
    site.import_people({f"name{number}@reader.example": name for number, name in enumerate(NAMES.values())})
    site.add_story()
    site.run("issue", "send", "daily")
    site.run("serve", "--once")
    assert len(sink.mails) == len(NAMES)
    for mail in sink.mails:
        assert mail_bytes.values(mail.sent, "DKIM-Signature")
        assert mail_bytes.faults(mail.sent) == []
