"""What we sign, four verifiers that share no line with us or each other take; what was changed on the way, they refuse.

The mails are signed by dkim_sign, with keys of `postrider dkim create`; no verifier asks DNS: each is handed the records that
`postrider dkim show` prints."""

import json
import os
import random
import re
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import program
import pytest
from program import Site
from waiting import until

COUNT = 500
RSA, ED25519 = "rsa-sha256", "ed25519-sha256"
SIGNER = program.BINARY.parent / "dkim_sign"
SCRIPTS = Path(__file__).parent / "dkim_verifiers"
NODE_PATH = os.environ.get("NODE_PATH", "")

# Signed once more than they are there.
OVERSIGNED = ["From", "To", "Cc", "Subject", "Date", "Reply-To", "Message-ID", "Content-Type", "List-Unsubscribe"]
OVERSIGNED += ["List-Unsubscribe-Post"]


# --- Mails ----------------------------------------------------------------------------------------------------------

WORDS = "harbour board café ferry  ice\tpier «été» ночь 東京 = =3D . , <b> &amp; \U0001f44d naïve https://courier.example/x".split(" ")

SUBJECTS = [
    "The Courier, issue {}",
    "The Courier,\r\n issue {}, folded",
    "Twice\r\n\t \tfolded \t with   tabs\r\n  and spaces, {}\t ",
    "=?utf-8?Q?Caf=C3=A9_{}?=",
    "Café {}, as it stands",
    "\r\n {}",
    "",
    "   ",
    "{}: colons: in: it; and semicolons; b=",
    "a very long word " + "x" * 900,
]

LAST_LINES = ["", "\r\n", "\r\n\r\n", "\r\n" * 40, " \t\r\n", "the end", "the end \t ", "the end\r\n \t\r\n\r\n", "\t", ".\r\n", "..", "From here\r\n"]


def line(dice):
    kind = dice.randrange(10)
    if kind == 0:
        return ""
    if kind == 1:
        return dice.choice([" ", "\t", "  \t ", "." * dice.randint(1, 3), "--", "-- ", "From the harbour"])
    if kind == 2:
        return "x" * dice.randint(900, 998)
    words = (dice.choice([" ", " ", " ", "  ", "\t", " \t"]) + dice.choice(WORDS) for _ in range(dice.randint(1, 12)))
    text = "".join(words)[dice.randint(0, 1) :]
    return text + dice.choice(["", "", "", " ", "\t", "  ", "="])


def body(dice):
    kind = dice.randrange(12)
    if kind < len(LAST_LINES) // 3:
        return dice.choice(LAST_LINES[:5])  # nothing, or nothing but empty lines
    count = 3000 if kind == 11 and dice.random() < 0.2 else dice.randint(1, 40)
    return "".join(line(dice) + "\r\n" for _ in range(count)) + dice.choice(LAST_LINES)


def mail(dice, number):
    fields = [
        ("From", dice.choice(["The Courier <news@courier.example>", '"Courier, The"\r\n <news@news.courier.example>'])),
        ("To", dice.choice(["ada@example.org", "Ada   Lovelace\t<ada@example.org>", "Ünal <ada@example.org>"])),
        ("Subject", dice.choice(SUBJECTS).format(number)),
        ("Date", "Tue, 24 Nov 2026 07:54:00 +0000"),
        ("Message-ID", f"<{number}.{dice.getrandbits(64):x}@courier.example>"),
        ("MIME-Version", "1.0"),
        ("Content-Type", dice.choice(["text/plain; charset=utf-8", 'text/plain;\r\n\tcharset="utf-8"'])),
        ("Content-Transfer-Encoding", "8bit"),
    ]
    more = [
        ("Cc", "grace@example.org,\r\n  alan@example.org"),
        ("Reply-To", "desk@courier.example"),
        ("List-Id", "The Daily <daily.courier.example>"),
        ("List-Help", "<mailto:desk@courier.example>"),
        ("List-Unsubscribe", f"<https://mail.courier.example/leave/{number}>,\r\n <mailto:leave+{number}@courier.example>"),
        ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
        ("Feedback-ID", f"{number}:daily:news:courier"),
        ("CFBL-Address", "fbl@courier.example; report=arf"),
        ("CFBL-Feedback-ID", str(number)),
        ("Precedence", "list"),
        ("X-Note", "not signed"),
    ]
    fields += [field for field in more if dice.random() < 0.6]
    if dice.random() < 0.3:
        dice.shuffle(fields)
    if dice.random() < 0.2:
        fields.append(("List-Help", "<https://courier.example/a-second-one>"))
    case = dice.choice([str, str, str.lower, str.upper])
    gap = dice.choice([":", ": ", ": ", ":  ", ":\t"])
    text = "".join(case(name) + gap + value + "\r\n" for name, value in fields)
    return (text + "\r\n" + body(dice)).encode()


# --- What happens on the way ----------------------------------------------------------------------------------------


def as_received(message):
    """What stands before the final dot of DATA ends in CRLF, whether the mail did or not (RFC 5321 section 4.1.1.4)."""
    return message if message.endswith(b"\r\n") else message + b"\r\n"


def with_a_byte_changed(dice, message):
    """In the body, or in a signed field: never one that relaxed form does not see."""
    head, rest = message.split(b"\r\n\r\n", 1)
    places = [at for at, byte in enumerate(rest) if byte in b"abcdefghijklmnopqrstuvwxyz"]
    if places and dice.random() < 0.7:
        at = len(head) + 4 + dice.choice(places)
    else:
        value = re.search(rb"(?mi)^message-id:\s*<(\d)", message)
        at = value.start(1)
    return message[:at] + bytes([message[at] ^ 1]) + message[at + 1 :]


def with_a_byte_added(dice, message):
    """A letter somewhere in the body."""
    begin = message.index(b"\r\n\r\n") + 4
    breaks = [found.end() for found in re.finditer(rb"\r\n", message[begin:])]
    at = begin + dice.choice([0, *breaks])
    return message[:at] + b"x" + message[at:]


def with_a_field_added(dice, message):
    name = dice.choice(OVERSIGNED).encode()
    return name + b": evil@courier.example\r\n" + message


CHANGES = {"changed": with_a_byte_changed, "added": with_a_byte_added, "headed": with_a_field_added}


# --- Verifiers: each gives {file: {algorithm: result}} ----------------------------------------------------------------


def run_script(command, records, folder, **environment):
    done = subprocess.run([*command, records, folder], capture_output=True, text=True, timeout=250, env={**os.environ, **environment})
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def works(*command, **environment):
    return subprocess.run(command, capture_output=True, env={**os.environ, **environment}).returncode == 0


def dkimpy(records, folder):
    for python in (sys.executable, "/usr/bin/python3"):
        if works(python, "-c", "import dkim, nacl"):
            return run_script([python, SCRIPTS / "dkimpy.py"], records, folder)
    pytest.skip("dkimpy is not installed (apt install python3-dkim python3-nacl)")


def mail_dkim(records, folder):
    if not works("perl", "-MMail::DKIM", "-e", "1"):
        pytest.skip("Mail::DKIM is not installed (apt install libmail-dkim-perl)")
    return run_script(["perl", SCRIPTS / "mail_dkim.pl"], records, folder)


def mailauth(records, folder):
    if not shutil.which("node"):
        pytest.skip("node is not installed (apt install nodejs npm)")
    if not works("node", "-e", "require('mailauth/package.json')", NODE_PATH=NODE_PATH):
        pytest.skip("mailauth is not installed (npm install --prefix DIR mailauth, then NODE_PATH=DIR/node_modules)")
    return run_script(["node", SCRIPTS / "mailauth.js"], records, folder, NODE_PATH=NODE_PATH)


def opendkim(records, folder):
    """The filter of OpenDKIM in its test mode, in which it says what header it would add."""
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    filter = shutil.which("opendkim", path=path)
    if not filter:
        pytest.skip("opendkim is not installed (apt install opendkim)")
    keys, settings = records.with_suffix(".keys"), records.with_suffix(".conf")
    keys.write_text("".join(f"{name} {value}\n" for name, value in json.loads(records.read_text()).items()))
    settings.write_text(f"Mode v\nSyslog no\nTestPublicKeys {keys}\n")

    def verify(file):
        done = subprocess.run([filter, "-x", settings, "-vvv", "-t", file], capture_output=True, timeout=60)
        found = re.findall(rb"dkim=(\w+)[^;]*? header\.a=([\w-]+)", done.stdout)
        return file.name, {algorithm.decode(): result.decode() for result, algorithm in found}

    with ThreadPoolExecutor(max_workers=os.cpu_count()) as threads:
        return dict(threads.map(verify, sorted(folder.iterdir())))


VERIFIERS = {"dkimpy": dkimpy, "Mail::DKIM": mail_dkim, "OpenDKIM": opendkim, "mailauth": mailauth}


# --- Tests ----------------------------------------------------------------------------------------------------------


def write_records(site, file):
    """What DNS would say of the site's keys, for the verifiers; and what `dkim show` says of them."""
    shown = site.read("dkim", "show", "courier.example")
    file.write_text(json.dumps({key["name"]: key["value"] for row in shown for key in row["keys"]}))
    return shown


@pytest.fixture(scope="module")
def signed(tmp_path_factory):
    """(records, folders): the file of records; folders of the mails as they were, signed, received, and after each change."""
    if not SIGNER.is_file():
        pytest.skip(f"{SIGNER} is not built; `./dev test` makes it")
    root = tmp_path_factory.mktemp("dkim")
    site = Site(root / "site")
    site.run("dkim", "create", "courier.example", "n2026")
    records = root / "records.json"
    write_records(site, records)

    folders = {name: root / name for name in ("plain", "signed", "received", *CHANGES)}
    for folder in folders.values():
        folder.mkdir()
    dice = random.Random(6376)
    for number in range(COUNT):
        (folders["plain"] / f"{number:03}.eml").write_bytes(mail(dice, number))
    now = str(int(time.time()) - 60)  # verifiers refuse a signature of tomorrow
    command = [SIGNER, site.folder / "keys", "courier.example", "n2026", folders["plain"], folders["signed"], now]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    for file in sorted(folders["signed"].iterdir()):
        (folders["received"] / file.name).write_bytes(as_received(file.read_bytes()))
        for name, change in CHANGES.items():
            (folders[name] / file.name).write_bytes(as_received(change(dice, file.read_bytes())))
    return records, folders


def test_a_signature_stands_in_front_of_an_unchanged_mail(signed):
    _, folders = signed
    for file in folders["plain"].iterdir():
        made, plain = (folders["signed"] / file.name).read_bytes(), file.read_bytes()
        assert made.endswith(plain)
        added = made[: -len(plain)]
        assert re.fullmatch(rb"(DKIM-Signature: [^\r\n]+\r\n( [^\r\n]+\r\n)+){2}", added), added
        assert max(len(text) for text in added.split(b"\r\n")) <= 78
        assert b"l=" not in re.sub(rb"(bh?=)[^;]*", b"", added)


@pytest.mark.parametrize("verifier", VERIFIERS)
def test_every_mail_passes_and_no_changed_one(signed, verifier):
    records, folders = signed
    results = VERIFIERS[verifier](records, folders["received"])
    assert len(results) == COUNT
    wrong = {file: result for file, result in results.items() if result.get(RSA) != "pass"}
    assert not wrong, f"{len(wrong)} of {COUNT}: {dict(sorted(wrong.items())[:5])}"
    # One that does not know Ed25519 says so of every mail (Mail::DKIM of Debian 12).
    if not all("unsupported" in result.get(ED25519, "") for result in results.values()):
        wrong = {file: result for file, result in results.items() if result.get(ED25519) != "pass"}
        assert not wrong, f"{len(wrong)} of {COUNT}: {dict(sorted(wrong.items())[:5])}"

    for change in CHANGES:
        results = VERIFIERS[verifier](records, folders[change])
        assert len(results) == COUNT
        fooled = {file: result for file, result in results.items() if "pass" in result.values()}
        assert not fooled, f"{change}, {len(fooled)} of {COUNT}: {dict(sorted(fooled.items())[:5])}"


def test_an_issue_and_a_confirmation_of_a_site_that_signs_pass(empty_site, sink, tmp_path):
    site = empty_site
    site.run("dkim", "create", "courier.example", "n2026")
    site.set("dkim", "selector", "n2026")
    site.set("relay", "url", sink.url)
    site.add_list("daily")
    site.import_readers(30)
    site.add_story("News")
    records, mails = tmp_path / "records.json", tmp_path / "mails"
    shown = write_records(site, records)
    assert all(row["signs"] for row in shown)
    site.serve()
    report = site.wait_for(site.send())
    assert (report["accepted"], report["balanced"]) == (30, True)
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert site.post("/join/daily", b"email=ada@example.org", headers=form).status == 200
    until(lambda: len(sink.mails) == 31, "the confirmation")

    mails.mkdir()
    for number, mail in enumerate(sink.mails):
        (mails / f"{number:03}.eml").write_bytes(mail.data)
    results = VERIFIERS["dkimpy"](records, mails)
    assert len(results) == 31 and all(result == {RSA: "pass", ED25519: "pass"} for result in results.values()), results


def test_keys_that_cannot_be_used_are_named_at_the_start_and_nothing_goes_out_unsigned(empty_site):
    empty_site.set("dkim", "selector", "n2026")
    done = empty_site.try_to("serve")
    assert done.returncode == 1
    assert "n2026" in done.stderr and "dkim create" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
