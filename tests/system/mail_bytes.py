"""Reads a message the strict way, as the RFCs say and not as the program thinks, and says what is wrong with it."""

import base64
import binascii
import email
import email.header
import email.policy
import email.utils
import json
import quopri
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

SCRIPTS = Path(__file__).parent / "readers"

ORDINARY = ["date", "from", "to", "subject", "message-id", "mime-version", "content-type"]
OF_A_LIST = ["list-id", "list-unsubscribe", "list-unsubscribe-post", "list-help", "list-post", "feedback-id"]
OF_A_LIST += ["precedence", "x-auto-response-suppress"]
KNOWN = {*ORDINARY, *OF_A_LIST, "list-archive", "list-owner", "reply-to", "auto-submitted", "dkim-signature"}
KNOWN |= {"cfbl-address", "cfbl-feedback-id"}

WORD = re.compile(rb"=\?([^?\s]+)\?([^?\s])\?([^?\s]*)\?=")


def header_and_body(data):
    header, _, body = data.partition(b"\r\n\r\n")
    return header + b"\r\n", body


def fields(header):
    """[(name, value)], unfolded, as octets."""
    unfolded = re.sub(rb"\r\n(?=[ \t])", b"", header)
    found = []
    for line in unfolded.split(b"\r\n")[:-1]:
        name, colon, value = line.partition(b":")
        found.append((name.decode("ascii", "replace"), value.removeprefix(b" ") if colon else None))
    return found


def values(data, name):
    return [value for key, value in fields(header_and_body(data)[0]) if key.lower() == name.lower()]


def value(data, name):
    [only] = values(data, name)
    return only.decode()


# --- Faults ---------------------------------------------------------------------------------------------------------


def faults_of_lines(data):
    if not data.endswith(b"\r\n"):
        yield "the end is no line end"
    if re.search(rb"\r(?!\n)|(?<!\r)\n", data):
        yield "a CR or LF by itself"
    if b"\0" in data:
        yield "NUL"
    for line in data.split(b"\r\n"):
        if len(line) > 998:
            yield f"a line of {len(line)} octets"
        if line.startswith((b".", b"From ")):
            yield f"a line that relays may change: {line[:20]}"


def without_quotes(content):
    """What a quoted-string or an angle bracket holds is one word to whoever folds."""
    return re.sub(rb'"(?:\\.|[^"\\])*"|<[^>]*>', b"x", content)


def faults_of_folding(header):
    for line in header.split(b"\r\n")[:-1]:
        continued = line.startswith((b" ", b"\t"))
        content = line.strip() if continued else line.partition(b": ")[2]
        if not line.strip():
            yield "a header line of blanks"
        if len(line) > 78 and (b" " in without_quotes(content)):
            yield f"could be folded: {line}"
        if WORD.search(line) and len(line) > 76:
            yield f"{len(line)} octets in a line with an encoded word: {line}"
        if not continued and not re.fullmatch(rb"[!-9;-~]+: .*", line):
            yield f"no field: {line}"


def faults_of_words(name, value):
    """RFC 2047: sections 2, 4 and 5."""
    if re.search(rb"[\x00-\x08\x0a-\x1f\x7f]", value):
        yield f"a control character in {name}"
    if name.lower() in ("from", "to", "reply-to"):
        value = re.sub(rb"\S+@[^@<]+$|<[^<]*>$", b"", value)  # an address may look like one
    bare = WORD.sub(b"", value)
    if b"=?" in bare:
        yield f"half an encoded word in {name}: {value}"
    for quoted in re.findall(rb'"(?:\\.|[^"\\])*"', value):
        if b"=?" in quoted:
            yield f"an encoded word in quotation marks: {value}"
    for match in WORD.finditer(value):
        before, after = value[: match.start()], value[match.end() :]
        if (before and not before.endswith(b" ")) or (after and not after.startswith(b" ")):
            yield f"an encoded word that touches its neighbour: {value}"
        charset, encoding, text = match.groups()
        if len(match.group()) > 75:
            yield f"an encoded word of {len(match.group())}: {match.group()}"
        try:
            if encoding.upper() == b"B":
                octets = base64.b64decode(text, validate=True)
            else:
                if re.search(rb"=(?![0-9A-F]{2})", text) or (name.lower() != "subject" and re.search(rb'[^A-Za-z0-9!*+/=_-]', text)):
                    yield f"what no Q may hold: {text}"
                octets = quopri.decodestring(text, header=True)
            if charset.lower() != b"utf-8" or not octets:
                yield f"an odd encoded word: {match.group()}"
            octets.decode("utf-8")
        except (binascii.Error, UnicodeDecodeError) as wrong:
            yield f"{match.group()}: {wrong}"


def faults_of_part(part):
    header, body = header_and_body(part)
    yield from faults_of_folding(header)
    described = {name.lower(): value for name, value in fields(header)}
    if set(described) != {"content-type", "content-transfer-encoding"}:
        yield f"a part with {sorted(described)}"
    if not re.fullmatch(rb"text/(plain|html); charset=utf-8", described.get("content-type", b"")):
        yield f"a part of {described.get('content-type')}"
    if described.get("content-transfer-encoding") != b"quoted-printable":
        yield f"a part in {described.get('content-transfer-encoding')}"
    for line in body.split(b"\r\n"):
        if len(line) > 76:
            yield f"an encoded line of {len(line)}"
        if not re.fullmatch(rb"(?:[!-<>-~ \t]|=[0-9A-F]{2})*=?", line) or line.endswith((b" ", b"\t")):
            yield f"no quoted-printable: {line}"
    decoded = quopri.decodestring(body)
    try:
        text = decoded.decode("utf-8")
    except UnicodeDecodeError as wrong:
        yield f"a part that is not UTF-8: {wrong}"
        return
    if found := re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]", text.replace("\r\n", "\n")):
        yield f"U+{ord(found.group()):04X} in a body: {text[max(0, found.start() - 30) : found.end() + 10]!r}"


def faults_of_body(data):
    content_type = value(data, "Content-Type")
    found = re.fullmatch(r'multipart/alternative; boundary="([^"]+)"', content_type)
    if not found:
        yield f"Content-Type: {content_type}"
        return
    boundary = found.group(1)
    if len(boundary) > 70 or not re.fullmatch(r"[0-9A-Za-z'()+_,./:=? -]*[0-9A-Za-z'()+_,./:=?-]", boundary):
        yield f"no boundary: {boundary}"
    mark = b"--" + boundary.encode()
    body = header_and_body(data)[1]
    pieces = (b"\r\n" + body).split(b"\r\n" + mark)
    if body.count(mark) != 3 or len(pieces) != 4 or pieces[0] or pieces[3] != b"--\r\n":
        yield "not two parts and nothing else"
        return
    for piece, kind in zip(pieces[1:3], (b"text/plain", b"text/html")):
        if not piece.startswith(b"\r\n") or not piece.removeprefix(b"\r\n").startswith(b"Content-Type: " + kind):
            yield f"no {kind.decode()} where it should be"
        yield from faults_of_part(piece.removeprefix(b"\r\n"))


def faults(data, of_a_list=True):
    """All that is wrong with these octets, as a relay gets them after DATA; empty when nothing is."""
    found = list(faults_of_lines(data))
    header, _ = header_and_body(data)
    found += faults_of_folding(header)
    names = Counter(name.lower() for name, _ in fields(header))
    found += [f"{name} {count} times" for name, count in names.items() if count > 1 and name != "dkim-signature"]
    wanted = ORDINARY + (OF_A_LIST if of_a_list else ["auto-submitted"])
    found += [f"no {name}" for name in wanted if name not in names]
    found += [f"a field that nobody asked for: {name}" for name in names if name not in KNOWN]
    if not of_a_list:
        found += [f"a letter with {name}" for name in names if name.startswith("list-") or name == "precedence"]
    for name, octets in fields(header):
        if not octets.isascii() and name.lower() != "to":
            found.append(f"{name} is not ASCII: {octets}")
        found += faults_of_words(name, octets)
    if names["content-type"] == 1:
        found += faults_of_body(data)
    return found


# --- Two programs that read mail ------------------------------------------------------------------------------------


def unquoted(phrase):
    if phrase.startswith('"') and phrase.endswith('"') and len(phrase) > 1:
        return re.sub(r"\\(.)", r"\1", phrase[1:-1])
    return phrase


def mailbox(octets):
    """(name, address) of a field that holds one; the name by Python's decoder of encoded words."""
    text = octets.decode("utf-8")
    angle = re.search(r' <((?:"(?:\\.|[^"\\])*"@)?[^<>]*)>$', text)
    if not angle:
        return ["", text]
    phrase = text[: angle.start()]
    return [(unquoted(phrase) if phrase.startswith('"') else decoded(phrase)).strip(), angle.group(1)]


def decoded(text):
    return str(email.header.make_header(email.header.decode_header(text)))


def as_python_reads(data):
    message = email.message_from_bytes(data, policy=email.policy.default)
    assert not message.defects and not any(part.defects for part in message.walk()), message.defects
    return {
        "fields": message.keys(),
        "from": [mailbox(values(data, "From")[0])],
        "to": [mailbox(values(data, "To")[0])],
        "subject": decoded(value(data, "Subject")),
        "date": int(message["Date"].datetime.timestamp()),
        "message_id": message["Message-ID"].strip("<>"),
        "parts": [[part.get_content_type(), part.get_content()] for part in message.iter_parts()],
    }


def python_with_gmime():
    ask = "import gi; gi.require_version('GMime', '3.0'); from gi.repository import GMime"
    for python in (sys.executable, "/usr/bin/python3"):
        try:
            if subprocess.run([python, "-c", ask], capture_output=True, timeout=60).returncode == 0:
                return python
        except OSError:
            pass
    return None


def as_gmime_reads(mails, folder):
    """What GMime makes of each of the mails, in their order; nothing where it is not installed."""
    python = python_with_gmime()
    if not python:
        return []
    folder.mkdir()
    for number, data in enumerate(mails):
        (folder / f"{number:05}.eml").write_bytes(data)
    done = subprocess.run([python, SCRIPTS / "gmime.py", folder], capture_output=True, timeout=120, text=True)
    assert done.returncode == 0, done.stderr
    read = json.loads(done.stdout)
    return [read[name] for name in sorted(read)]
