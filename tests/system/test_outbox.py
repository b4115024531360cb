"""The mails that the built-in test relay kept, looked at in a browser: as on a desk and on a phone, light and dark, as text, as source."""

import re
import urllib.parse

import pytest
from waiting import until

TITLE = 'A <script>alert(1)</script> & "ship"'


@pytest.fixture
def kept(empty_site):
    """(site, path of the one mail in its outbox)."""
    site = empty_site
    site.add_list()
    site.add_reader("ada+news@reader.example")
    site.add_story(TITLE, url="https://courier.example/1")
    site.serve()
    site.wait_for(site.send())
    [file] = until(lambda: list((site.folder / "outbox").glob("*.eml")), "the mail in the outbox")
    return site, "/outbox/" + urllib.parse.quote(file.name), file.read_bytes()


def links(page):
    return re.findall(r'href="(/outbox/[^"]+)"', page.text)


def test_every_view_of_a_mail_is_a_link_away(kept):
    site, path, source = kept
    listed = site.get("/outbox/")
    assert listed.status == 200 and f"{path}/desktop" in links(listed) and f"{path}/phone" in links(listed)
    for view in ("desktop", "desktop-dark", "phone", "phone-dark"):
        page = site.get(f"{path}/{view}")
        assert page.status == 200
        wanted = {f"{path}/{name}" for name in ("desktop", "desktop-dark", "phone", "phone-dark", "text", "source")}
        assert wanted <= set(links(page))
        assert page.text.count('aria-current="page"') == 1
        [frame] = re.findall(r"<iframe[^>]*>", page.text)
        assert f'src="{path}/html-{"dark" if "dark" in view else "light"}"' in frame
        assert ('class="phone"' in frame) == ("phone" in view)
    assert site.get(f"{path}/source").body == source
    assert TITLE in site.get(f"{path}/text").text


def test_nothing_of_a_mail_runs_in_any_view(kept):
    site, path, _ = kept
    for view in ("desktop", "phone-dark"):
        page = site.get(f"{path}/{view}")
        policy = page.headers["content-security-policy"]
        assert "default-src 'none'" in policy and "frame-src 'self'" in policy and "frame-ancestors 'none'" in policy
        assert "script" not in policy and "unsafe" not in policy
        assert "<script" not in page.text
        assert 'sandbox="allow-popups allow-popups-to-escape-sandbox"' in page.text
    for view in ("html", "html-light", "html-dark"):
        page = site.get(f"{path}/{view}")
        policy = page.headers["content-security-policy"]
        assert policy.startswith("sandbox allow-popups") and "default-src 'none'" in policy and "script" not in policy
        assert ("frame-ancestors 'self'" in policy) == (view != "html")
        assert "<script" not in page.text
    for view in ("html-blue", "phone-light", "desktop/x", ""):
        assert site.get(f"{path}/{view}").status == 404
    for name in ("..%2fpostrider.toml", "%2e%2e", ".envelopes", "x.eml"):
        assert site.get(f"/outbox/{name}/desktop").status == 404


def test_colours_are_those_of_the_view_and_not_of_the_screen(kept):
    site, path, _ = kept
    plain, light, dark = (site.get(f"{path}/{view}").text for view in ("html", "html-light", "html-dark"))
    assert "prefers-color-scheme" in plain and "prefers-color-scheme" not in light + dark
    assert "color-scheme:only dark" in dark and "color-scheme:only light" in light


def test_a_mail_of_text_only_has_no_views_but_text_and_source(kept):
    site, path, source = kept
    name = "20261124T075400-9999-x@reader.example.eml"
    (site.folder / "outbox" / name).write_bytes(b"From: a@b.example\r\nTo: x@reader.example\r\nSubject: \r\n\r\nOnly text.\r\n")
    assert site.get(f"/outbox/{name}/text").text == "Only text.\r\n"
    for view in ("html", "html-dark", "desktop", "phone"):
        assert site.get(f"/outbox/{name}/{view}").status == 404
    assert f"/outbox/{name}/desktop" not in links(site.get("/outbox/"))
