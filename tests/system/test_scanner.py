"""Mail filters open every link before a reader does, and again: nothing may come of it."""

import html
import re
from urllib.parse import urljoin, urlsplit

from browser import request
from waiting import until

READER = "nora@reader.example"
METHODS = ("GET", "HEAD", "OPTIONS")


def links_in(text, base):
    """Every address in a page or a mail: of links, forms, pictures, scripts and plain words."""
    named = re.findall(r"""(?:href|src|action)\s*=\s*["']([^"']*)["']""", text)
    written = re.findall(r"https?://[^\s<>\"')]+", text)
    return {urljoin(base, html.unescape(link)) for link in named + written}


def path_on(site, link):
    parts = urlsplit(link)
    if f"{parts.scheme}://{parts.netloc}" != site.url:
        return None
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def scan(site, links):
    """Opens them all, and all that they lead to. Gives the paths."""
    waiting = {path_on(site, link) for link in links} - {None}
    seen = set()
    while waiting:
        path = waiting.pop()
        seen.add(path)
        assert len(seen) < 2000
        for method in METHODS:
            answer = request(site.port, method, path, headers={"Accept-Encoding": "identity"})
            assert answer.status < 500, (method, path)
            if method == "GET" and "text/html" in answer.headers.get("content-type", ""):
                found = {path_on(site, link) for link in links_in(answer.text, site.url + path)}
                waiting |= found - {None} - seen
    return seen


def test_a_scanner_that_opens_every_link_of_every_mail_and_page_changes_nothing(site, sink):
    site.run("list", "edit", "daily", "--welcome", "yes")
    site.serve()
    assert site.post("/join/daily", {"email": READER}).status == 200
    confirmation = until(lambda: sink.to(READER), "the confirmation mail")[0]
    site.add_reader("ada@reader.example")
    site.add_story("The ship came in")
    site.wait_for(site.send())
    issue = sink.to("ada@reader.example")[0]
    until(lambda: site.sql("SELECT count(*) FROM letter WHERE state = 'waiting'") == [(0,)], "all letters to be sent")

    links = {site.url + "/", site.url + "/health", site.url + "/challenge", site.url + "/join.js"}
    for mail in (confirmation, issue):
        links |= links_in(mail.text("plain"), site.url) | links_in(mail.text("html"), site.url)
        links |= links_in(" ".join(str(value) for value in mail.message.values()), site.url)
    before = site.dump()
    seen = scan(site, links)
    assert {path.split("/")[1] for path in seen} >= {"", "join", "confirm", "leave", "view", "preferences", "archive"}
    print(f"{len(seen)} paths, three methods each")
    assert site.dump() == before
    assert len(sink.to(READER)) == 1
    assert [s["state"] for s in site.read("subscriber", "show", READER)["subscriptions"]] == ["pending"]


def test_a_host_header_of_an_attacker_appears_nowhere(site):
    site.serve()
    for path in ("/", "/join/daily", "/archive/daily", "/archive/daily/feed.xml", "/nothing"):
        answer = request(site.port, "GET", path, headers={"Host": "evil.example", "X-Forwarded-Host": "evil.example"})
        assert b"evil.example" not in answer.body and "evil.example" not in str(answer.headers)


def test_no_page_may_be_framed_run_inline_script_or_set_a_cookie(site):
    site.serve()
    for path in ("/", "/join/daily", "/archive/daily", "/nothing", "/confirm/x", "/join.js", "/challenge"):
        headers = site.get(path).headers
        policy = headers["content-security-policy"]
        assert "frame-ancestors 'none'" in policy and "default-src 'none'" in policy and "unsafe" not in policy, path
        assert "set-cookie" not in headers and headers["x-content-type-options"] == "nosniff", path
