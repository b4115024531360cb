"""Every page and every mail as readers see them: in light and dark, on a phone, a tablet and a desk, in three scripts.

One Chromium opens them all, once. POSTRIDER_LOOKS names the folder for its pictures, for people to look at."""

import email
import email.policy
import json
import os
import re
import shutil
import subprocess
import urllib.parse
from pathlib import Path

import program
import pytest
from browser import path_of
from publisher import Publisher
from program import Daemon, Site
from waiting import until

HERE = Path(__file__).parent / "looks"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
STORIES = json.loads((HERE / "stories.json").read_text())
WIDTHS, SCHEMES, LANGUAGES = [320, 600, 1200], ["light", "dark"], list(STORIES)

PAGES = {
    "home": 200,
    "join": 200,
    "join_mistake": 422,
    "asked": 200,
    "confirm": 200,
    "confirmed": 200,
    "confirm_expired": 410,
    "leave": 200,
    "left": 200,
    "preferences": 200,
    "preferences_saved": 200,
    "erase": 200,
    "archive": 200,
    "archive_empty": 200,
    "archive_issue": 200,
    "view": 200,
    "outbox": 200,
    "outbox_desktop": 200,
    "outbox_phone_dark": 200,
    "error_404": 404,
    "error_405": 405,
    "error_413": 413,
    "error_413_unread": 413,
    "error_429": 429,
}
DESIGNS = ["digest", "brief", "letter"]
MAILS = ["mail_confirm", "mail_welcome"] + [f"mail_{design}{off}" for design in DESIGNS for off in ("", "_without_images")]


# --- A site where everything has happened ---------------------------------------------------------------------------


class Newsroom:
    """A list in each language and design, with an issue sent; readers who are at every point of their way."""

    def __init__(self, folder):
        self.publisher = Publisher()
        self.site = Site(folder)
        self.site.set("http", "trusted_proxies", ["127.0.0.1"])  # so that each visitor can have an address
        there = {template["name"].split(".")[0] for template in self.site.read("template", "ls")}
        self.designs = [design for design in DESIGNS if design in there]
        for language in LANGUAGES:
            self.make_lists(language)
        self.daemon = Daemon(self.site)
        self.daemon.wait_until_ready()
        for language in LANGUAGES:
            self.join(language, "reader")
            self.site.post(self.link(language, "reader", "confirm"))
        issues = [self.site.send(f"{design}-{language}") for language in LANGUAGES for design in self.designs]
        for issue in issues:
            self.site.wait_for(issue)

    def make_lists(self, language):
        about = STORIES[language]
        feed = {"version": "https://jsonfeed.org/version/1.1", "title": about["title"], "language": language, "items": []}
        for number, (title, summary, author) in enumerate(about["stories"]):
            item = {"id": f"{language}-{number}", "url": f"https://courier.example/{language}/{number}", "title": title}
            item |= {"summary": summary, "date_published": f"2026-11-2{4 - number}T06:00:00Z"}
            item |= {"authors": [{"name": author}]} if author else {}
            item |= {"image": f"https://pictures.example/{language}/{number}.jpg"} if number < 2 else {}
            feed["items"].append(item)
        url = self.publisher.put(f"/{language}.json", json.dumps(feed), "application/feed+json")
        for design in self.designs:
            slug = f"{design}-{language}"
            options = ("--language", language, "--description", about["description"], "--welcome", "yes")
            self.site.add_list(slug, *options, "--template", design, "--look-back", "3650d", title=about["title"])
            self.site.run("feed", "add", url, "--list", slug, "--catch-up", "9")
            if design != "digest":
                self.site.add_reader(self.reader(language, "reader"), slug)
        self.site.add_list(f"quiet-{language}", "--language", language, title=about["title"])

    def stop(self):
        clean = self.daemon.clean_up()
        self.publisher.stop()
        assert clean, self.daemon.log()[-3000:]

    def reader(self, language, who):
        return f"{who}-{language}@reader.example"

    def join(self, language, who):
        joined = self.site.post(f"/join/digest-{language}", {"email": self.reader(language, who), "name": "Ada"})
        assert joined.status == 200, joined.text

    def mails(self, address):
        files = sorted((self.site.folder / "outbox").glob(f"*-{address}.eml"))
        return [email.message_from_bytes(file.read_bytes(), policy=email.policy.default) for file in files]

    def mail(self, language, who, link, sender=None):
        """The first mail to the reader that has the link in its text."""

        def look():
            for mail in self.mails(self.reader(language, who)):
                if f"{self.site.url}/{link}" in mail.get_body(("plain",)).get_content() and sender in (None, mail["List-Id"]):
                    return mail

        return until(look, f"a mail with a link to {link}")

    def link(self, language, who, kind):
        text = self.mail(language, who, f"{kind}/").get_body(("plain",)).get_content()
        return path_of(re.search(rf"{self.site.url}/{kind}/\S+", text)[0])

    # What is opened -------------------------------------------------------------------------------------------------

    def pages(self, language):
        slug = f"digest-{language}"
        for who in ("waiting", "late", "gone"):
            self.join(language, who)
        late = self.link(language, "late", "confirm")
        self.site.alter("UPDATE sign_up SET expires_at = 1 WHERE address = ?", self.reader(language, "late"))
        gone = self.link(language, "gone", "confirm")
        self.site.post(gone)
        leave = self.link(language, "gone", "leave")
        preferences = self.link(language, "reader", "preferences")
        number = self.site.issues(slug)[0]["number"]

        yield "home", {"path": "/"}
        yield "join", {"path": f"/join/{slug}"}
        yield "join_mistake", {"path": f"/join/{slug}", "form": {"email": "ada@reader,example", "name": "Ada"}}
        yield "asked", {"path": f"/join/{slug}", "form": {"email": self.reader(language, "new")}}
        yield "confirm", {"path": self.link(language, "waiting", "confirm")}
        yield "confirmed", {"path": self.link(language, "reader", "confirm")}
        yield "confirm_expired", {"path": late}
        yield "leave", {"path": self.link(language, "reader", "leave")}
        yield "left", {"path": leave, "form": {"any": "thing"}}
        yield "preferences", {"path": preferences}
        yield "preferences_saved", {"path": preferences, "form": {"save": "1", "name": "Ada"}}
        yield "erase", {"path": preferences, "form": {"erase": "1"}}
        yield "archive", {"path": f"/archive/{slug}"}
        yield "archive_empty", {"path": f"/archive/quiet-{language}"}
        yield "archive_issue", {"path": f"/archive/{slug}/{number}"}
        yield "view", {"path": self.link(language, "reader", "view")}
        yield "outbox", {"path": "/outbox/"}
        kept = sorted((self.site.folder / "outbox").glob(f"*-{self.reader(language, 'reader')}.eml"))[-1].name
        yield "outbox_desktop", {"path": f"/outbox/{kept}/desktop"}
        yield "outbox_phone_dark", {"path": f"/outbox/{kept}/phone-dark"}
        yield "error_404", {"path": "/confirm/nothing"}
        yield "error_405", {"path": "/", "form": {"any": "thing"}}
        yield "error_413", {"path": f"/join/{slug}", "form": {"email": "a" * 20000}}
        yield "error_413_unread", {"path": f"/join/{slug}", "form": {"email": "a" * 100_000}}
        visitor = f"198.51.100.{LANGUAGES.index(language) + 1}"
        headers = {"X-Forwarded-For": visitor}
        form = {"email": "ada@reader.example"}
        until(lambda: self.site.post(f"/join/{slug}", form, headers=headers).status == 429, "too many sign-ups")
        yield "error_429", {"path": f"/join/{slug}", "form": form, "headers": headers}

    def letters(self, language):
        yield "mail_confirm", {"mail": self.mail(language, "reader", "confirm/")}
        yield "mail_welcome", {"mail": self.mail(language, "reader", "leave/")}
        for design in self.designs:
            issue = next(m for m in self.mails(self.reader(language, "reader")) if f"{design}-{language}" in (m["List-Id"] or ""))
            yield f"mail_{design}", {"mail": issue}
            yield f"mail_{design}_without_images", {"mail": issue, "images": "off"}

    def views(self):
        for language in LANGUAGES:
            for name, what in [*self.pages(language), *self.letters(language)]:
                view = {"name": name, "language": language, "images": what.get("images", "on")}
                view["is_mail"] = "mail" in what or name == "view"
                if "mail" in what:
                    view["html"] = what["mail"].get_body(("html",)).get_content()
                else:
                    view["url"] = self.site.url + what["path"]
                    view["headers"] = what.get("headers", {})
                if "form" in what:
                    view |= {"method": "POST", "form": urllib.parse.urlencode(what["form"])}
                yield view


@pytest.fixture(scope="module")
def seen(tmp_path_factory):
    """name -> language -> what Chromium saw."""
    if not CHROMIUM:
        pytest.skip("chromium is not installed (apt install chromium)")
    if not shutil.which("node"):
        pytest.skip("node is not installed (apt install nodejs npm)")
    tools = subprocess.run(["node", "-e", "require('playwright-core'); require('axe-core')"], cwd=HERE, capture_output=True)
    if tools.returncode != 0:
        pytest.skip("playwright-core and axe-core are not installed (npm install --no-save playwright-core axe-core)")
    pictures = Path(os.environ.get("POSTRIDER_LOOKS") or tmp_path_factory.mktemp("looks"))
    pictures.mkdir(parents=True, exist_ok=True)
    newsroom = Newsroom(tmp_path_factory.mktemp("newsroom") / "site")
    try:
        plan = {"chromium": CHROMIUM, "folder": str(pictures), "widths": WIDTHS, "schemes": SCHEMES}
        plan["views"] = list(newsroom.views())
        looked = subprocess.run(
            ["node", HERE / "look.js"], input=json.dumps(plan), cwd=HERE, capture_output=True, text=True, timeout=240
        )
    finally:
        newsroom.stop()
    assert looked.returncode == 0, looked.stderr[-4000:]
    found = {}
    for view in json.loads(looked.stdout):
        found.setdefault(view["name"], {})[view["language"]] = view
    return found


def stumbles(views):
    return "\n".join(
        f"{view['name']} in {language}, {fault.get('at', 'opening')}: {fault['kind']}: {fault['what']}"
        for language, view in views.items()
        for fault in view["faults"]
    )


# --- What readers may expect ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PAGES)
def test_a_reader_stumbles_over_nothing_on_the_page(seen, name):
    assert {language: view["status"] for language, view in seen[name].items()} == dict.fromkeys(LANGUAGES, PAGES[name])
    assert not stumbles(seen[name])


@pytest.mark.parametrize("name", MAILS)
def test_a_reader_stumbles_over_nothing_in_the_mail(seen, name):
    if name not in seen:
        pytest.skip("there is no such design")
    assert not stumbles(seen[name])


@pytest.mark.parametrize("design", DESIGNS)
def test_a_mail_makes_sense_without_its_images(seen, design):
    if f"mail_{design}" not in seen:
        pytest.skip("there is no such design")
    for language in LANGUAGES:
        words = seen[f"mail_{design}_without_images"][language]["words"]
        told = [title for title, *_ in STORIES[language]["stories"] if title in words]
        assert len(told) >= (1 if design == "letter" else 4), words
