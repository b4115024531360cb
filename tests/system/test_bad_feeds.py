"""What publishers serve instead of a feed: refused with what was found, and nothing of it kept."""

import gzip
import json
import time

import pytest


def feeds(site):
    return site.read("feed", "ls")


def refused(site, url, *words):
    done = site.try_to("feed", "add", url, "--list", "daily")
    assert done.returncode == 1, done.stdout + done.stderr
    error = done.stderr.strip()
    assert len(error.splitlines()) == 1, error
    for word in words:
        assert word.lower() in error.lower(), error
    assert feeds(site) == [] and site.read("story", "ls", "--list", "daily") == []


def test_a_page_instead_of_a_feed_is_refused_with_its_title(site, publisher):
    url = publisher.put("/feed", "<!doctype html><html><head><title>Please log in</title></head><body>...</body></html>", "text/html")
    refused(site, url, "html", "Please log in")


def test_an_empty_answer_is_refused(site, publisher):
    refused(site, publisher.put("/feed", ""), "empty")


def test_a_404_is_refused_with_the_status(site, publisher):
    refused(site, publisher.url + "/nothing", "404")


def test_a_410_is_refused_with_the_status(site, publisher):
    refused(site, publisher.put("/feed", "gone", status=410), "410")


def test_a_compressed_bomb_is_refused_before_it_unfolds(site, publisher):
    bomb = gzip.compress(b"<rss>" + b" " * (300 * 1024 * 1024), 9)
    url = publisher.put("/feed", bomb, **{"Content-Encoding": "gzip"})
    began = time.monotonic()
    refused(site, url, "larger")
    assert time.monotonic() - began < 10


def test_entities_that_multiply_are_not_unfolded(site, publisher):
    lines = "".join(f'<!ENTITY e{i} "{f"&e{i - 1};" * 10}">' for i in range(1, 12))
    bomb = f'<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY e0 "ha">{lines}]><rss version="2.0"><channel><title>&e11;</title></channel></rss>'
    began = time.monotonic()
    done = site.try_to("feed", "add", publisher.put("/feed", bomb), "--list", "daily")
    assert done.returncode in (0, 1) and time.monotonic() - began < 5


def test_a_file_of_this_machine_is_never_read_through_an_entity(site, publisher, tmp_path):
    (tmp_path / "secret").write_text("a-secret-of-this-machine")
    body = f'''<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY x SYSTEM "file://{tmp_path}/secret">]>
    <rss version="2.0"><channel><title>T</title><item><title>A &x; b</title><link>https://c.example/1</link></item></channel></rss>'''
    done = site.try_to("feed", "check", publisher.put("/feed", body))
    assert "a-secret-of-this-machine" not in done.stdout + done.stderr


def test_a_redirect_without_end_is_given_up(site, publisher):
    publisher.put("/feed", "", status=302, Location="/feed")
    refused(site, publisher.url + "/feed", "redirect")


def test_an_address_of_an_intranet_is_refused_unless_the_site_allows_it(site, publisher):
    site.set("feeds", "allow_private_addresses", False)
    url = publisher.put_feed(["A"])
    refused(site, url, "127.0.0.1")
    assert publisher.requests == []


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://127.0.0.1/feed", "gopher://127.0.0.1/", "not a url", "http://"])
def test_what_is_no_web_address_is_refused(site, url):
    refused(site, url)


def test_a_feed_that_breaks_later_keeps_its_stories_and_the_error_is_shown(site, publisher):
    url = publisher.put_feed(["Old"])
    site.run("feed", "add", url, "--list", "daily")
    publisher.put("/feed.xml", "<html><title>Maintenance</title></html>", "text/html")
    done = site.try_to("feed", "poll", "--all", "--force")
    assert "Maintenance" in done.stdout + done.stderr
    assert "Maintenance" in site.run("feed", "show", feeds(site)[0]["id"])
    publisher.put_feed(["New", "Old"])
    site.run("feed", "poll", "--all", "--force")
    assert [row["title"] for row in site.read("issue", "explain", "daily") if row["in"]] == ["New"]


def test_markup_and_line_breaks_in_a_title_reach_no_header_and_no_page_as_such(site, publisher, sink):
    hostile = "Sale\r\nBcc: victim@example.org <script>alert(1)</script> {{site.name}} =?utf-8?q?x?="
    publisher.put_feed([])
    site.run("feed", "add", publisher.url + "/feed.xml", "--list", "daily")
    publisher.put_feed([hostile])
    site.run("feed", "poll", "--all", "--force")
    site.add_reader("ada@reader.example")
    site.serve()
    site.wait_for(site.send())
    mail = sink.to("ada@reader.example")[0]
    assert mail.message["Bcc"] is None and sink.count() == 1
    assert "<script" not in mail.text("html")
    assert "{{site.name}}" in mail.text("plain"), "a story's text is no template"


def test_feed_check_prints_what_a_poll_would_read_and_stores_nothing(site, corpora):
    file = corpora / "feeds-real/feedjira/TechCrunch.xml"
    before = site.dump()
    stories = site.read("feed", "check", file)
    oracle = json.loads((corpora / "feeds-real/expected-oracle.json").read_text())["feedjira/TechCrunch.xml"]["feedparser"]
    assert [story["title"] for story in stories] == [item["title"] for item in oracle["items"]]
    assert site.dump() == before
