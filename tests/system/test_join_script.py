"""join.js in a real browser, on a page of another site."""

import http.server
import shutil
import subprocess
import threading

import pytest

from waiting import until

CHROMIUM = shutil.which("chromium")
PAGE = """<!doctype html><title>The Courier</title>
<form action="{url}/join/daily" method="post"><input name="email" value="nora@reader.example"><button>Subscribe</button></form>
<script src="{url}/join.js" defer></script>
<script>addEventListener("load", () => document.querySelector("form").requestSubmit())</script>"""


@pytest.fixture
def newspaper(site):
    """A page of a newspaper's own, with the form pasted into it; its address."""

    class Page(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(PAGE.format(url=site.url).encode())

        def log_message(self, *arguments):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


@pytest.mark.skipif(not CHROMIUM, reason="there is no chromium")
def test_a_visitor_of_another_page_signs_up_with_the_proof_of_work_and_stays_there(site, newspaper, tmp_path):
    site.set("http", "cors_origins", [newspaper])
    site.set("signup", "proof_of_work", "on")
    site.set("signup", "per_unproven", "1/hour")
    site.serve()
    assert site.post("/join/daily", {"email": "a@reader.example"}).status == 200
    assert site.post("/join/daily", {"email": "b@reader.example"}).status == 429, "without a proof no more"
    flags = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'browser'}", "--remote-debugging-port=0"]
    with open(tmp_path / "browser.log", "wb") as log:
        browser = subprocess.Popen([CHROMIUM, *flags, newspaper + "/"], stdout=log, stderr=log)
    try:
        form = "SELECT form FROM consent WHERE address_key = 'nora@reader.example'"
        assert until(lambda: site.sql(form), "the sign-up", 40) == [(f"form on {newspaper}",)]
    finally:
        browser.terminate()
        browser.wait(20)
