"""Requests that are too large, too slow, malformed or smuggled, byte by byte."""

import resource
import socket
import threading
import time

import pytest

from browser import raw, request, statuses
from program import Site


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    site = Site(tmp_path_factory.mktemp("http") / "site")
    site.add_list("daily")
    daemon = site.serve()
    yield site, daemon
    daemon.clean_up()


@pytest.fixture
def served(server):
    """One site for all of these: whatever came before, it goes on."""
    site, daemon = server
    yield site
    assert daemon.running and site.get("/health").status == 200, daemon.log()[-3000:]


MALFORMED = {
    "no version": (b"GET /\r\n\r\n", {400}),
    "another version": (b"GET / HTTP/3.7\r\nHost: x\r\n\r\n", {400, 505}),
    "no host": (b"GET / HTTP/1.1\r\n\r\n", {400}),
    "two hosts": (b"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", {400}),
    "space before colon": (b"GET / HTTP/1.1\r\nHost : x\r\n\r\n", {400}),
    "folded field": (b"GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n", {400}),
    "bare LF": (b"GET / HTTP/1.1\r\nHost: x\nA: b\r\n\r\n", {400}),
    "bare LF everywhere": (b"GET / HTTP/1.1\nHost: x\n\n", {400}),
    "bare LF first": (b"\n\nGET / HTTP/1.1\r\nHost: x\r\n\r\n", {400}),
    "NUL in a field": (b"GET / HTTP/1.1\r\nHost: x\r\nA: \0\r\n\r\n", {400}),
    "negative length": (b"POST /join/daily HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", {400}),
    "length that overflows": (b"POST /join/daily HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n", {400, 413}),
    "TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x55" * 100 + b"\r\n\r\n", {400}),
    "an SMTP client": (b"EHLO me\r\nMAIL FROM:<a@b>\r\n\r\n", {400}),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_request_is_refused_once_and_the_connection_closed(served, name):
    sent, expected = MALFORMED[name]
    codes = statuses(raw(served.port, sent))
    assert len(codes) == 1 and codes[0] in expected


def sign_up_of(address):
    form = b"email=" + address
    head = b"POST /join/daily HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n"
    return head % len(form) + form


def signed_up(site):
    return [address for (address,) in site.sql("SELECT address FROM sign_up")]


HIDDEN = sign_up_of(b"evil@reader.example")
SMUGGLED = {
    "length and chunked": b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunked and length": b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
    "two lengths": b"Content-Length: 5\r\nContent-Length: 0\r\n\r\n",
    "list of lengths": b"Content-Length: 0, 5\r\n\r\n",
    "length with a sign": b"Content-Length: +0\r\n\r\n",
    "obscure coding": b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "chunked twice": b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "coding behind a tab": b"Transfer-Encoding:\tchunked, identity\r\n\r\n0\r\n\r\n",
    "bare LF in a chunk": b"Transfer-Encoding: chunked\r\n\r\n0\n\n",
    "chunk size that overflows": b"Transfer-Encoding: chunked\r\n\r\n10000000000000005\r\nhello\r\n0\r\n\r\n",
    "chunk longer than it says": b"Transfer-Encoding: chunked\r\n\r\n2\r\nhello\r\n0\r\n\r\n",
}


@pytest.mark.parametrize("name", SMUGGLED)
def test_a_request_that_two_readers_could_understand_differently_is_refused_with_all_behind_it(served, name):
    head = b"POST /join/daily HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    codes = statuses(raw(served.port, head + SMUGGLED[name] + HIDDEN))
    assert len(codes) == 1 and codes[0] in (400, 413, 501), codes
    assert "evil@reader.example" not in signed_up(served), "what was hidden behind it was not obeyed"


def test_two_requests_in_a_row_that_can_be_understood_in_one_way_are_both_obeyed(served):
    sent = sign_up_of(b"first@reader.example") + sign_up_of(b"second@reader.example").replace(b"Host: x", b"Host: x\r\nConnection: close")
    assert statuses(raw(served.port, sent)) == [200, 200]
    assert set(signed_up(served)) >= {"first@reader.example", "second@reader.example"}


def test_a_header_that_is_too_large_is_refused(served):
    assert statuses(raw(served.port, b"GET / HTTP/1.1\r\nHost: x\r\nA: " + b"a" * 100_000 + b"\r\n\r\n")) == [431]
    assert statuses(raw(served.port, b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n"))[0] in (414, 431)


def test_a_body_that_is_too_large_is_refused(served):
    answer = request(served.port, "POST", "/join/daily", b"email=" + b"a" * 30_000, {"Content-Type": "application/x-www-form-urlencoded"})
    assert answer.status == 413
    chunks = b"".join(b"1000\r\n" + b"a" * 4096 + b"\r\n" for _ in range(50))
    sent = b"POST /join/daily HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks
    assert statuses(raw(served.port, sent)) == [413]


def test_visitors_who_send_too_slowly_are_sent_away_and_keep_nobody_waiting(served):
    began = time.monotonic()
    dawdlers = [socket.create_connection(("127.0.0.1", served.port), timeout=20) for _ in range(20)]
    try:
        for dawdler in dawdlers:
            dawdler.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nA: ")
        assert request(served.port, "GET", "/health").status == 200
        received = b""
        dawdlers[0].settimeout(20)
        while piece := dawdlers[0].recv(4096):
            received += piece
        assert statuses(received) in ([408], [])
        assert time.monotonic() - began < 15
    finally:
        for dawdler in dawdlers:
            dawdler.close()


def test_ten_thousand_connections_that_say_nothing_keep_nobody_out(site):
    """As many as this machine lets one process open; the program keeps the latest few hundred of them."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 20_000), hard))
    site.set("http", "trusted_proxies", ["127.0.0.1"])
    daemon = site.serve()
    silent = []
    try:
        for _ in range(min(10_000, resource.getrlimit(resource.RLIMIT_NOFILE)[0] - 200)):
            silent.append(socket.create_connection(("127.0.0.1", site.port), timeout=20))
            if len(silent) % 500 == 0:
                assert site.get("/join/daily").status == 200, len(silent)
        assert site.post("/join/daily", {"email": "nora@reader.example"}).status == 200
        assert daemon.terminate() == 0
    finally:
        for one in silent:
            one.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_sixty_clients_that_trickle_do_not_slow_real_ones(served):
    trickling = [socket.create_connection(("127.0.0.1", served.port), timeout=20) for _ in range(60)]
    try:
        for letter in b"POST /join/daily HTTP/1.1\r\nHost: x\r\nA: b":
            for one in trickling:
                one.send(bytes([letter]))
            began = time.monotonic()
            assert request(served.port, "GET", "/join/daily").status == 200
            assert time.monotonic() - began < 2
    finally:
        for one in trickling:
            one.close()


def test_a_crowd_at_once_is_served(served):
    answers = []

    def visit():
        answers.append(request(served.port, "GET", "/join/daily").status)

    crowd = [threading.Thread(target=visit) for _ in range(60)]
    for visitor in crowd:
        visitor.start()
    for visitor in crowd:
        visitor.join(20)
    assert answers == [200] * 60


def test_requests_in_a_row_on_one_connection_are_answered_in_their_order(served):
    sent = b"GET /join/daily HTTP/1.1\r\nHost: x\r\n\r\n"
    sent += b"GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n"
    sent += b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    assert statuses(raw(served.port, sent)) == [200, 404, 200]


def test_a_wrong_method_is_refused_with_the_right_ones(served):
    for method in ("PUT", "DELETE", "PATCH"):
        answer = request(served.port, method, "/join/daily")
        assert answer.status == 405 and "POST" in answer.headers["allow"]
    assert request(served.port, "OPTIONS", "/join/daily").status == 204


@pytest.mark.parametrize("body", [b"{", b"[]", b"null", b'{"email": 7}', b"[" * 20_000, b'{"email": "a@b.example\\u0000"}'])
def test_json_that_is_none_or_says_nothing_is_refused(served, body):
    before = signed_up(served)
    answer = served.post("/join/daily", body, headers={"Content-Type": "application/json"})
    assert answer.status in (400, 413, 422)
    assert signed_up(served) == before


ELSEWHERE = [
    "/../etc/passwd",
    "/%2e%2e/%2e%2e/etc/passwd",
    "/outbox/../postrider.toml/raw",
    "/join/%00",
    "/archive/daily/-1",
    "/archive/daily/99999999999999999999",
]


@pytest.mark.parametrize("path", ELSEWHERE)
def test_a_path_that_leads_elsewhere_leads_nowhere(served, path):
    received = raw(served.port, f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    assert statuses(received)[0] in (400, 404)
    assert b"root:" not in received and b"[site]" not in received
