"""Feeds found from a page, lists of feeds, and feeds that need a look at their pages."""

import json
import xml.etree.ElementTree as ElementTree

HEAD = '<!doctype html><html><head><title>The Harbour</title>{}</head><body><h1>News</h1></body></html>'
DECLARED = '<link rel="alternate" type="application/rss+xml" title="{}" href="{}">'


def test_a_page_that_declares_one_feed_gives_it(site, publisher):
    publisher.put_feed(["First", "Second"])
    page = publisher.put("/", HEAD.format(DECLARED.format("All", "/feed.xml")), "text/html")
    done = site.try_to("feed", "add", page, "--list", "daily")
    assert done.returncode == 0, done.stderr
    assert publisher.url + "/feed.xml" in done.stdout
    assert [feed["url"] for feed in site.read("feed", "ls")] == [publisher.url + "/feed.xml"]


def test_a_page_that_declares_several_offers_them(site, publisher):
    publisher.put_feed(["First"], "/a.xml")
    links = DECLARED.format("All", "/a.xml") + DECLARED.format("Sport", "/b.xml")
    page = publisher.put("/", HEAD.format(links), "text/html")
    done = site.try_to("feed", "add", page, "--list", "daily")
    assert done.returncode == 1
    assert publisher.url + "/a.xml" in done.stdout and "Sport" in done.stdout
    assert len(done.stderr.strip().splitlines()) == 1 and "2 feeds" in done.stderr
    done = site.try_to("feed", "add", page, "--list", "daily", "--json")
    assert [one["title"] for one in json.loads(done.stdout)["declared"]] == ["All", "Sport"]
    assert site.read("feed", "ls") == []


def test_a_page_that_declares_none_is_looked_at_where_feeds_often_are(site, publisher):
    publisher.put_feed(["First"], "/feed")
    done = site.try_to("feed", "add", publisher.put("/", HEAD.format(""), "text/html"), "--list", "daily")
    assert done.returncode == 0, done.stderr
    assert [feed["url"] for feed in site.read("feed", "ls")] == [publisher.url + "/feed"]


def test_a_declared_feed_that_is_none_is_refused_with_what_it_is(site, publisher):
    page = publisher.put("/", HEAD.format(DECLARED.format("All", "/nothing")), "text/html")
    done = site.try_to("feed", "add", page, "--list", "daily")
    assert done.returncode == 1 and "404" in done.stderr and "/nothing" in done.stderr


def test_feeds_of_an_opml_file_are_polled_and_come_out_again(site, publisher, tmp_path):
    feeds = [publisher.put_feed([f"Story {i}"], f"/{i}.xml") for i in range(3)]
    outlines = "".join(f'<outline text="F" xmlUrl="{url}"/>' for url in feeds)
    (tmp_path / "feeds.opml").write_text(f"<opml version='2.0'><body><outline text='Folder'>{outlines}</outline></body></opml>")
    assert site.read("feed", "import", tmp_path / "feeds.opml", "--list", "daily")["new"] == 3
    assert all(report["error"] is None and report["remembered"] == 1 for report in site.read("feed", "poll", "--all"))
    exported = ElementTree.fromstring(site.try_to("feed", "export").stdout)
    assert [outline.get("xmlUrl") for outline in exported.iter("outline")] == feeds


def test_an_entry_that_is_no_more_than_a_title_gets_the_words_of_its_page(site, publisher):
    def feed(*paths):
        items = "".join(f"<item><title>Title of {path}</title><link>{publisher.url}{path}</link></item>" for path in paths)
        return publisher.put("/feed.xml", f"<rss version='2.0'><channel><title>Bare</title>{items}</channel></rss>")

    words = "<p>The ferry to the islands was full, as it is on every first day of the holidays, and left late.</p>" * 5
    publisher.put("/ferry", HEAD.format("").replace("<h1>News</h1>", f"<article><h1>Ferry</h1>{words}</article>"), "text/html")
    assert site.try_to("feed", "add", feed("/old"), "--list", "daily", "--full").returncode == 0
    feed("/ferry", "/old")
    report, = site.read("feed", "poll", "--all")
    assert (report["new"], report["pages"]) == (1, 1)
    story = next(row for row in site.read("story", "ls", "--list", "daily") if row["title"] == "Title of /ferry")
    assert "ferry to the islands" in site.read("story", "show", story["id"])["html"]


def test_a_schedule_skips_a_holiday_and_a_month_is_rehearsed(site):
    site.read("schedule", "explain", "every day at 07:00", "--except", "december 25")
    assert site.try_to("schedule", "set", "daily", "every day at 07:00", "--except", "december 25").returncode == 0
    slots = site.read("schedule", "rehearse", "daily", "--days", "400")
    assert len(slots) >= 398 and not any(slot["slot"][5:10] == "12-25" for slot in slots)
