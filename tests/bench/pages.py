#!/usr/bin/env python3
"""Pages and sign-ups: how many a second, and how long they take while an issue leaves at full speed.

    tests/bench/pages.py [--rounds 3] [--readers 200000]

The join page is asked for by wrk over 16 connections, against nginx with one worker that serves the same bytes from a
file. Sign-ups are JSON, each from another address, their confirmations sent to our quick sink. The waiting times are those
of a visitor who asks a hundred times a second, every fourth time with a sign-up, over one connection kept alive.
"""

import argparse
import http.client
import json
import re
import statistics
import subprocess
import sys
import time
import urllib.request

from measuring import BINARY, Folder, QuickSink, Site, free_port, hardware, need, table, tool, wait_for_port

SIGN_UPS = """
local count = 0
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
request = function()
    count = count + 1
    return wrk.format(nil, nil, nil, string.format('{"email": "visitor%d.MARK@example%d.test"}', count, count % 97))
end
"""

BUDGETS = """
[signup]
per_client = "100000000/hour"
per_domain = "100000000/hour"
per_list = "100000000/hour"
total = "100000000/hour"
check_mx = false
"""


class Nginx:
    def __init__(self, folder, page):
        self.port = free_port()
        self.folder = folder / "nginx"
        (self.folder / "join").mkdir(parents=True)
        (self.folder / "join/daily").write_bytes(page)
        (self.folder / "nginx.conf").write_text(f"""
            daemon off; worker_processes 1; pid nginx.pid; error_log error.log; events {{ }}
            http {{ access_log off; default_type text/html; keepalive_requests 100000000; client_body_temp_path body;
                   proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
                   server {{ listen 127.0.0.1:{self.port}; root .; }} }}""")
        self.process = subprocess.Popen(["nginx", "-p", self.folder, "-c", "nginx.conf", "-g", "user root;"],
                                        stderr=subprocess.DEVNULL)
        wait_for_port(self.port)

    def stop(self):
        self.process.terminate()
        self.process.wait()


def wrk(port, script=None):
    """Answers a second, and the time in which 99 of 100 came, in ms."""
    said = subprocess.run(["wrk", "-t1", "-c16", "-d3", "--latency", *(["-s", script] if script else []),
                           f"http://127.0.0.1:{port}/join/daily"], capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in said or "Socket errors" in said:
        sys.exit(f"not every answer was good:\n{said}")
    value, unit = re.search(r"99%\s+([\d.]+)(us|ms|s)", said).groups()
    return float(re.search(r"Requests/sec:\s+([\d.]+)", said)[1]), float(value) * {"us": 0.001, "ms": 1, "s": 1000}[unit]


class Visitor:
    def __init__(self, port):
        self.connection = http.client.HTTPConnection("127.0.0.1", port)
        self.count = 0

    def ask(self):
        """How long the answer took, in ms."""
        self.count += 1
        began = time.perf_counter()
        if self.count % 4 == 0:
            self.connection.request("POST", "/join/daily", json.dumps({"email": f"slow.visitor{self.count}@example.test"}),
                                    {"Content-Type": "application/json"})
        else:
            self.connection.request("GET", "/join/daily")
        answer = self.connection.getresponse()
        answer.read()
        took = 1000 * (time.perf_counter() - began)
        if answer.status not in (200, 202):
            sys.exit(f"a visitor got {answer.status}")
        return took

    def visits(self, goes_on):
        times, due = [], time.monotonic()
        while goes_on():
            times.append(self.ask())
            due += 0.01
            time.sleep(max(0.0, due - time.monotonic()))
        return times


def percentile(times, share):
    return f"{sorted(times)[min(len(times) - 1, int(len(times) * share))]:.1f}"


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--readers", type=int, default=200_000)
    options = arguments.parse_args()
    need(BINARY, tool("bench_sink"))
    missing = need("wrk", "nginx", quietly=True)

    sink = QuickSink()
    with Folder() as folder:
        site = Site(folder, f"smtp://127.0.0.1:{sink.port}")
        settings = site.folder / "postrider.toml"
        settings.write_text(settings.read_text() + BUDGETS)
        site.import_readers(options.readers)
        daemon = site.serve()
        rates = {"join page": [], "join page by nginx": [], "sign-ups": []}
        try:
            visitor = Visitor(site.port)
            if not missing:
                page = urllib.request.urlopen(f"http://127.0.0.1:{site.port}/join/daily").read()
                nginx = Nginx(folder, page)
                try:
                    for number in range(options.rounds):
                        rates["join page"].append(wrk(site.port))
                        rates["join page by nginx"].append(wrk(nginx.port))
                        (folder / "sign_ups.lua").write_text(SIGN_UPS.replace("MARK", str(number)))
                        rates["sign-ups"].append(wrk(site.port, folder / "sign_ups.lua"))
                finally:
                    nginx.stop()
                while site.query("SELECT count(*) FROM letter WHERE state = 'waiting'") != (0,):
                    time.sleep(0.2)
            until = time.monotonic() + 3
            idle = visitor.visits(lambda: time.monotonic() < until)
            site.add_stories("measured", ["A summary. " * 60] * 5)
            site.run("issue", "send", "daily")
            looked = [0.0]

            def sending():
                if time.monotonic() - looked[0] > 0.3:
                    looked[0] = time.monotonic()
                    return not site.is_sent()
                return True

            busy = visitor.visits(sending)
        finally:
            daemon.terminate()
            daemon.wait()
            sink.stop()

    print(f"{hardware()}\n")
    if missing:
        print(f"Not measured without {' and '.join(missing)}: how many pages and sign-ups a second.\n")
    else:
        table(("", "answers/s", "99 % within ms"),
              [(name, f"{statistics.median(r for r, _ in rounds):,.0f}", f"{statistics.median(p for _, p in rounds):.1f}")
               for name, rounds in rates.items()])
        print()
    table(("a visitor waits, in ms", "half", "99 %", "longest", "visits"),
          [(name, percentile(times, 0.5), percentile(times, 0.99), f"{max(times):.1f}", len(times))
           for name, times in (("while nothing is sent", idle), (f"while {options.readers:,} mails leave", busy))])


main()
