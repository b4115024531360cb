"""The attacker's way: what a stranger can make the program do through its sign-up form, and what not."""

import base64
import concurrent.futures
import hashlib
import http.client
import json
import statistics
import time
import urllib.parse

from waiting import until

VICTIM = "victim@reader.example"
LISTS, CLIENTS, SIGN_UPS = 20, 1000, 10_000


class Visitor:
    """One connection that is kept, as a program would."""

    def __init__(self, port):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)

    def joins(self, path, address, client="", **fields):
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        if client:
            headers["X-Forwarded-For"] = client
        self.connection.request("POST", path, urllib.parse.urlencode({"email": address, **fields}), headers)
        answer = self.connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()


def client(number):
    return f"198.51.{100 + number // 250}.{number % 250 + 1}"


def spelling(number):
    """The one mailbox in many spellings."""
    return [VICTIM, VICTIM.upper(), f"victim+{number}@reader.example", f"Victim+x{number}@Reader.Example"][number % 4]


def test_a_list_bomb_of_ten_thousand_sign_ups_makes_three_mails(site, sink):
    for number in range(1, LISTS):
        site.add_list(f"list-{number}", title=f"List {number}")
    lists = ["daily", *(f"list-{number}" for number in range(1, LISTS))]
    site.set("http", "trusted_proxies", ["127.0.0.1"])
    site.set("log", "level", "warn")
    site.set("site", "operator", "desk@courier.example")
    daemon = site.serve()

    def attack(worker, workers=4):
        visitor = Visitor(site.port)
        return [
            visitor.joins(f"/join/{lists[n % LISTS]}", spelling(n), client(n % CLIENTS))[0]
            for n in range(worker, SIGN_UPS, workers)
        ]

    began = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        statuses = [status for part in pool.map(attack, range(4)) for status in part]
    print(f"{SIGN_UPS} sign-ups in {time.monotonic() - began:.1f} s")
    assert set(statuses) == {200}, "the attacker learns nothing"
    until(lambda: site.sql("SELECT count(*) FROM letter WHERE state = 'waiting'") == [(0,)], "the letters to leave")
    mails = [mail for mail in sink.mails if "victim" in mail.recipient.lower()]
    assert 1 <= len(mails) <= 3
    confirmations = "SELECT count(*) FROM letter WHERE purpose = 'confirmation'"
    assert site.sql(confirmations) == [(len(mails),)]

    # A restart forgives nothing, and the operator is told.
    assert daemon.terminate() == 0
    assert "floods an address" in daemon.log() and "victim" not in daemon.log()
    site.serve()
    assert Visitor(site.port).joins("/join/daily", VICTIM, client(7))[0] == 200
    assert site.sql(confirmations) == [(len(mails),)]
    assert "addresses_flooded" in [trouble["kind"] for trouble in site.read_anyway("status")["troubles"]]
    notice = until(lambda: sink.to("desk@courier.example"), "the notice to the operator")[0]
    assert "somebody floods addresses (1)" in " ".join(notice.text().split())


def test_the_time_to_an_answer_does_not_tell_who_is_a_reader(site):
    site.set("signup", "per_client", "100000/hour")
    site.set("signup", "per_address", "100000/hour")
    site.import_readers(200)
    site.serve()
    visitor = Visitor(site.port)
    times = {"known": [], "unknown": []}
    answers = {"known": set(), "unknown": set()}
    for number in range(1, 201):
        for kind, address in (("known", f"reader{number}@reader.example"), ("unknown", f"nobody{number}@reader.example")):
            began = time.perf_counter()
            status, headers, body = visitor.joins("/join/daily", address)
            times[kind].append(time.perf_counter() - began)
            headers.pop("Date")
            answers[kind].add((status, tuple(headers.items()), body))
    assert answers["known"] == answers["unknown"] and len(answers["known"]) == 1
    known, unknown = statistics.median(times["known"]), statistics.median(times["unknown"])
    print(f"known {known * 1e3:.3f} ms, unknown {unknown * 1e3:.3f} ms")
    assert 0.6 < known / unknown < 1.67


def solved(challenge):
    """As the specification of ALTCHA v2 has it."""
    given = challenge["parameters"]
    nonce, salt = bytes.fromhex(given["nonce"]), bytes.fromhex(given["salt"])
    counter = 0
    while True:
        password = nonce + counter.to_bytes(4, "big")
        key = hashlib.pbkdf2_hmac("sha256", password, salt, given["cost"], given["keyLength"]).hex()
        if key.startswith(given["keyPrefix"]):
            payload = {"challenge": challenge, "solution": {"counter": counter, "derivedKey": key}}
            return base64.b64encode(json.dumps(payload).encode()).decode()
        counter += 1


def test_a_proof_of_work_counts_once_and_a_form_without_it_has_the_tighter_budget(site, sink):
    site.set("signup", "proof_of_work", "on")
    site.set("signup", "per_unproven", "1/hour")
    site.serve()
    visitor = Visitor(site.port)
    proof = solved(site.get("/challenge").json)
    joins = lambda name, **fields: visitor.joins("/join/daily", f"{name}@reader.example", **fields)[0]  # noqa: E731
    assert joins("a") == 200, "without JavaScript it works as well"
    assert joins("b") == 429
    assert joins("c", altcha=proof) == 200
    assert joins("d", altcha=proof) == 429, "a solution passes once"
    assert joins("e", altcha="nonsense") == 429
    assert joins("f", altcha=solved(site.get("/challenge").json)) == 200
    script = site.get("/join.js")
    assert script.status == 200 and len(script.body) < 3000
    assert "script-src 'self'" in site.get("/join/daily").headers["content-security-policy"]


def test_throw_away_domains_are_refused_by_the_operators_file(site):
    (site.folder / "disposable").write_text("# thrown away\nmailinator.example\n")
    site.set("signup", "disposable_domains", "disposable")
    daemon = site.serve()
    assert site.post("/join/daily", {"email": "ada@mailinator.example"}).status == 422
    answer = site.post("/join/daily", {"email": "ada@eu.mailinator.example"}, headers={"Accept": "application/json"})
    assert answer.status == 422 and "eu.mailinator.example" in answer.json["error"]
    assert site.post("/join/daily", {"email": "ada@reader.example"}).status == 200
    assert daemon.terminate() == 0
    # A line that is no domain stops the daemon and `doctor`, and no other command, which does not read the lines.
    assert "1 domain in" in site.try_to("doctor").stderr
    (site.folder / "disposable").write_text("mailinator.example\nno domain\n")
    assert site.try_to("list", "ls").returncode == 0
    for command in ("doctor", "serve"):
        failed = site.try_to(command)
        assert failed.returncode == 1 and "disposable:2: this is no domain" in failed.stderr
    site.set("signup", "disposable_domains", "missing")
    failed = site.try_to("status")
    assert failed.returncode == 1 and "postrider.toml" in failed.stderr and "missing" in failed.stderr
