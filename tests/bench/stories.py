#!/usr/bin/env python3
"""Stories: a round of polls over many feeds, and how fast feeds and article pages are read.

    tests/bench/stories.py [--feeds 10000] [--rounds 3] [--only reading|holding|polling]

The feeds are served by nginx on as many addresses of 127.0.0.0/8, so that each is a host of its own. In the first round
all of them are new; in the rounds that count, one in twenty has changed and the others answer 304. Reading is measured
by tests/bench/reading.cpp in processor time, against Python's feedparser (and Go's gofeed, where Go is installed and can
fetch it) on the same files in the same run, one after the other. The files are those of POSTRIDER_CORPORA. How long a poll
holds the loop's thread is measured by tests/bench/holding.cpp with feeds as large and as bad as they may be.
"""

import argparse
import gzip
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from measuring import BINARY, Folder, Site, free_port, hardware, need, run_measured, table, tool, wait_for_port

ITEM = ("<item><guid>https://news.example/{feed}/{item}</guid><title>Story {item} of feed {feed}</title>"
        "<link>https://news.example/{feed}/{item}</link><pubDate>Tue, 24 Nov 2026 10:00:00 GMT</pubDate>"
        "<description>&lt;p&gt;The harbour was full of ships, and on the quay stood everybody who had a hat to wave. "
        "Nobody had expected so many so early in the year.&lt;/p&gt;</description></item>")

CONFIGURATION = """
    daemon off; worker_processes 1; pid nginx.pid; error_log error.log; events {{ worker_connections 4096; }}
    http {{ access_log off; default_type application/rss+xml; keepalive_requests 100000000; client_body_temp_path body;
           proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
           gzip_static on;
           server {{ listen 0.0.0.0:{port} reuseport; root feeds; }} }}"""


class Publisher:
    """Ten thousand feeds of twenty items each."""

    def __init__(self, folder, count):
        self.folder, self.count, self.port = folder / "nginx", count, free_port()
        (self.folder / "feeds").mkdir(parents=True)
        for feed in range(count):
            self.publish(feed, 20)
        (self.folder / "nginx.conf").write_text(CONFIGURATION.format(port=self.port))
        self.process = subprocess.Popen(["nginx", "-p", self.folder, "-c", "nginx.conf", "-g", "user root;"],
                                        stderr=subprocess.DEVNULL)
        wait_for_port(self.port)

    def publish(self, feed, newest):
        items = "".join(ITEM.format(feed=feed, item=item) for item in range(newest, newest - 20, -1))
        (self.folder / f"feeds/{feed}.xml").write_text(
            f"<rss version='2.0'><channel><title>Feed {feed}</title>{items}</channel></rss>")

    def url(self, feed):
        return f"http://127.{1 + feed // 62500}.{feed // 250 % 250}.{1 + feed % 250}:{self.port}/{feed}.xml"

    def opml(self):
        return "<opml version='2.0'><body>" + "".join(
            f"<outline type='rss' xmlUrl='{self.url(feed)}'/>" for feed in range(self.count)) + "</body></opml>"

    def stop(self):
        self.process.terminate()
        self.process.wait()


def polling(count, rounds):
    need("nginx")
    with Folder() as folder:
        publisher = Publisher(folder, count)
        try:
            site = Site(folder, "smtp://127.0.0.1:9")
            os.environ["POSTRIDER_FEEDS__ALLOW_PRIVATE_ADDRESSES"] = "true"
            (folder / "feeds.opml").write_text(publisher.opml())
            site.run("feed", "import", folder / "feeds.opml", "--list", "daily")
            poll = [BINARY, "-C", site.folder, "feed", "poll", "--all", "--json"]
            results = [("all new", *run_measured(poll))]
            for number in range(rounds):
                time.sleep(1.1)  # a file that changes within a second of the last time keeps its ETag
                for feed in range(number, count, 20):
                    publisher.publish(feed, 21 + number)
                results.append((f"1 in 20 changed, round {number + 1}", *run_measured(poll)))
            stories, = site.query("SELECT count(*) FROM story_list WHERE standing = 'candidate'")
            expected = sum(len(range(number, count, 20)) for number in range(rounds))
            failing, = site.query("SELECT count(*) FROM feed WHERE last_error IS NOT NULL")
            print(f"\nA round of {count} feeds, eight at once")
            table(["", "seconds", "CPU seconds", "feeds/s", "peak MB"],
                  [[name, f"{wall:.1f}", f"{cpu:.1f}", f"{count / wall:.0f}", f"{peak / 1024:.0f}"]
                   for name, wall, cpu, peak in results])
            print(f"new stories: {stories} (changed feeds: {expected}); feeds in trouble: {failing}")
        finally:
            publisher.stop()


def rss(items):
    return "<rss version='2.0'><channel><title>A feed</title>" + "".join(items) + "</channel></rss>"


def bad_feeds():
    """Name and body; 10 MB is what a feed may have."""
    most = 10 * 1024 * 1024 - 1000
    text = "&lt;p&gt;The harbour was full of ships, and on the quay stood everybody. &lt;/p&gt;"
    yield "2,000 items of 5 kB", rss(f"<item><title>Story {i}</title><link>https://news.example/a{i}</link><description>"
                                     f"{text * 60}</description></item>" for i in range(2000))
    yield "100,000 items", rss(f"<item><title>Story {i}</title><link>https://news.example/b{i}</link></item>"
                               for i in range(100000))
    yield "an item of 9 MB", rss(["<item><title>Long</title><link>https://news.example/c</link><description>"
                                  + text * (most * 9 // 10 // len(text)) + "</description></item>"])
    yield "1,000,000 nested tags", rss(["<item><title>Deep</title><link>https://news.example/d</link><description>"
                                        + "<b>" * 1000000])
    yield "10 MB of blanks", " " * most


def holding():
    need("nginx")
    with Folder() as folder:
        publisher = Publisher(folder, 1)
        try:
            site = Site(folder, "smtp://127.0.0.1:9")
            os.environ["POSTRIDER_FEEDS__ALLOW_PRIVATE_ADDRESSES"] = "true"
            feeds = publisher.folder / "feeds"
            names = []
            for name, body in bad_feeds():
                for packed in (False, True):
                    path = feeds / f"bad{len(names)}.xml"
                    path.write_text(body)
                    if packed:
                        with gzip.open(f"{path}.gz", "wb") as out:
                            out.write(body.encode())
                    names.append(f"{name}, gzip" if packed else name)
            paragraph = "<p>" + "word, word and word. " * 200 + "</p>"
            page = "<title>A page that is long</title><article>" + paragraph * (5 * 1024 * 1024 // len(paragraph))
            (feeds / "page.html").write_text(page)
            outlines = "".join(f"<outline type='rss' xmlUrl='http://127.0.0.{2 + i}:{publisher.port}/bad{i}.xml'/>"
                               for i in range(len(names)))
            (folder / "bad.opml").write_text(f"<opml version='2.0'><body>{outlines}</body></opml>")
            site.run("feed", "import", folder / "bad.opml", "--list", "daily")
            last, = site.query("SELECT max(id) FROM feed")
            done = subprocess.run([tool("bench_holding"), f"sqlite:{site.folder}/postrider.db",
                                   *map(str, range(1, last + 1))], capture_output=True, text=True,
                                  check=True)
            rows = [json.loads(line) for line in done.stdout.splitlines()]
            print("\nPolls of bad feeds: how long the loop's thread is held")
            table(["", "longest ms", "all ms", "steps", "items"],
                  [[name, f"{row['longest_ms']:.1f}", f"{row['all_ms']:.0f}", row["steps"], row["items"]]
                   for name, row in zip(names, rows)])
        finally:
            publisher.stop()


FEEDPARSER = """
import feedparser, json, sys, time
files = json.load(sys.stdin)
bodies = [open(file, 'rb').read() for file in files]
rounds = []
for _ in range(3):
    began = time.process_time()
    for body in bodies:
        feedparser.parse(body)
    rounds.append(time.process_time() - began)
print(len(bodies) / sorted(rounds)[1])
"""

GOFEED = """
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"sort"
	"syscall"

	"github.com/mmcdole/gofeed"
)

func cpu() float64 {
	var usage syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &usage)
	return float64(usage.Utime.Sec+usage.Stime.Sec) + float64(usage.Utime.Usec+usage.Stime.Usec)/1e6
}

func main() {
	var files []string
	json.NewDecoder(os.Stdin).Decode(&files)
	var bodies [][]byte
	for _, file := range files {
		body, _ := os.ReadFile(file)
		bodies = append(bodies, body)
	}
	var rounds []float64
	for i := 0; i < 5; i++ {
		began := cpu()
		for _, body := range bodies {
			gofeed.NewParser().Parse(bytes.NewReader(body))
		}
		rounds = append(rounds, cpu()-began)
	}
	sort.Float64s(rounds)
	fmt.Println(float64(len(bodies)) / rounds[2])
}
"""


def with_feedparser(files):
    """With the distribution's Python, whose package python3-feedparser it is, or with the one that runs this."""
    for python in ("/usr/bin/python3", sys.executable):
        done = subprocess.run([python, "-W", "ignore", "-c", FEEDPARSER], input=json.dumps(files), capture_output=True,
                              text=True)
        if done.returncode == 0:
            return float(done.stdout)
    print("feedparser is not installed (Debian: python3-feedparser); not compared")
    return None


def with_gofeed(files):
    if shutil.which("go") is None:
        return None
    with Folder() as folder:
        (folder / "main.go").write_text(GOFEED)
        for words in (["mod", "init", "bench"], ["mod", "tidy"], ["build", "-o", "bench", "."]):
            done = subprocess.run(["go", *words], cwd=folder, capture_output=True, text=True,
                                  env={**os.environ, "GOFLAGS": "-mod=mod -modcacherw"})
            if done.returncode != 0:
                print(f"gofeed cannot be built here: {done.stderr.strip().splitlines()[-1][:200]}")
                return None
        done = subprocess.run([folder / "bench"], input=json.dumps(files), capture_output=True, text=True)
        return float(done.stdout)


def reading():
    corpora = os.environ.get("POSTRIDER_CORPORA")
    if not corpora:
        return print("\nPOSTRIDER_CORPORA does not name a folder: reading is not measured")
    files = sorted(str(file) for file in (Path(corpora) / "feeds-real").rglob("*")
                   if file.suffix in (".xml", ".rss", ".atom", ".rdf"))
    ours = json.loads(subprocess.run([tool("bench_reading")], capture_output=True, text=True, check=True).stdout)
    rows = [["ours, parsed", ours["read"]["per_second"]], ["ours, parsed and made safe", ours["news"]["per_second"]],
            ["Python feedparser", with_feedparser(files)], ["Go gofeed", with_gofeed(files)]]
    print(f"\n{ours['feeds']} real feeds, of a second of processor time")
    table(["", "feeds/s", "ours is"], [[name, f"{rate:.0f}", f"{ours['read']['per_second'] / rate:.1f} x"]
                                       for name, rate in rows if rate])
    print(f"longest: {ours['read']['longest']} {ours['read']['longest_ms']:.1f} ms, made safe "
          f"{ours['news']['longest']} {ours['news']['longest_ms']:.1f} ms")
    article = ours["article"]
    print(f"\n{ours['pages']} article pages: {article['per_second']:.0f} pages/s, {article['megabytes_per_second']:.1f} MB/s; "
          f"longest {article['longest_ms']:.1f} ms")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--feeds", type=int, default=10000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", choices=("reading", "holding", "polling"))
    arguments = parser.parse_args()
    print(hardware())
    if arguments.only in (None, "reading"):
        reading()
    if arguments.only in (None, "holding"):
        holding()
    if arguments.only in (None, "polling"):
        polling(arguments.feeds, arguments.rounds)


if __name__ == "__main__":
    main()
