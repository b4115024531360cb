"""A publisher's web server on a free port: feeds that grow, and whatever else a test wants a feed to be."""

import threading
from email.utils import format_datetime
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from xml.sax.saxutils import escape


class Publisher:
    """`pages` maps a path to (status, headers, body), or to a callable that is given the request handler."""

    def __init__(self):
        publisher = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                publisher.requests.append((self.path, {k.lower(): v for k, v in self.headers.items()}))
                page = publisher.pages.get(self.path, (404, {"Content-Type": "text/html"}, b"<h1>not here</h1>"))
                if callable(page):
                    page = page(self)
                    if page is None:
                        return
                status, headers, body = page
                try:
                    self.send_response(status)
                    for name, value in headers.items():
                        self.send_header(name, value)
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)
                except OSError:
                    self.close_connection = True

            def log_message(self, *_):
                pass

        self.pages = {}
        self.requests = []
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.block_on_close = False
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self.thread.start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join(5)

    def put(self, path, body, content_type="application/rss+xml", status=200, **headers):
        body = body.encode() if isinstance(body, str) else body
        self.pages[path] = (status, {"Content-Type": content_type, **headers}, body)
        return self.url + path

    def put_feed(self, titles, path="/feed.xml"):
        """An RSS feed, the newest title first, each a minute older than the one before."""
        now = datetime.now(timezone.utc)
        items = "".join(
            f"""<item><title>{escape(title)}</title><link>https://courier.example/{abs(hash(title))}</link>
            <guid isPermaLink="false">{escape(title)}</guid>
            <pubDate>{format_datetime(now - timedelta(minutes=i + 1))}</pubDate>
            <description>{escape("About: " + title)}</description></item>"""
            for i, title in enumerate(titles)
        )
        return self.put(
            path,
            f"""<?xml version="1.0" encoding="UTF-8"?><rss version="2.0"><channel><title>The Harbour</title>
            <link>https://courier.example/</link><description>News</description>{items}</channel></rss>""",
        )
