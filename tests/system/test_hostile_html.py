"""HTML of strangers that means harm: none of it is left in a mail, a page or a feed of ours."""

import json
import re
import subprocess
import sys
import xml.etree.ElementTree
from pathlib import Path

import pytest
from waiting import until

CHECK = Path(__file__).parent / "readers/html5.py"

SCHEMES = ["javascript:alert(1)", "JaVaScRiPt:alert(1)", "java\tscript:alert(1)", "java\nscript:alert(1)", "\x01javascript:alert(1)"]
SCHEMES += [" javascript:alert(1)", "\u00a0javascript:alert(1)", "\u2028javascript:alert(1)", "\u200bjavascript:alert(1)", "jav&#x09;ascript:alert(1)"]
SCHEMES += ["&#106;&#97;vascript:alert(1)", "&#0000106avascript&colon;alert(1)", "javascript&#58;alert(1)", "javascript://courier.example/%0aalert(1)"]
SCHEMES += ["vbscript:msgbox(1)", "livescript:x", "mocha:x", "data:text/html,<script>alert(1)</script>", "data:text/html;base64,PHNjcmlwdD4="]
SCHEMES += ["DATA:image/svg+xml,<svg/onload=alert(1)>", "feed:javascript:alert(1)", "view-source:javascript:alert(1)", "blob:https://x/1", "file:///etc/passwd"]
SCHEMES += ["jar:https://x!/y", "about:blank", "intent://x#Intent;end", "tel:1", "//evil.example/x", "\\\\evil.example\\x", "https:javascript:alert(1)", "%6aavascript:alert(1)"]

IN_PLACE = [
    '<a href="{}">x</a>',
    "<a href='{}'>x</a>",
    "<a href={}>x</a>",
    '<a href="https://ok.example/" ping="{0}" xlink:href="{0}">x</a>',
    '<img src="{}" alt=x width=10 height=10>',
    '<img src="https://ok.example/x.png" srcset="{0} 2x" lowsrc="{0}" dynsrc="{0}" longdesc="{0}">',
    '<img data-src="{0}" data-srcset="{0} 1x">',
    '<picture><source srcset="{0}"><img src="{0}"></picture>',
    '<blockquote cite="{0}">x</blockquote><q cite="{0}">y</q><ins cite="{0}">z</ins>',
    '<table background="{0}"><tr><td background="{0}">x</td></tr></table>',
    '<body background="{0}"><form action="{0}"><button formaction="{0}">x</button></form>',
    '<iframe src="{0}" srcdoc="&lt;script&gt;alert(1)&lt;/script&gt;"></iframe><embed src="{0}"><object data="{0}"></object>',
    '<svg><a xlink:href="{0}" href="{0}"><text y=20>x</text></a><use href="{0}"/><animate attributeName=href values="{0}"></svg>',
    '<math href="{0}"><mtext href="{0}">x</mtext></math>',
    '<base href="{0}"><link rel=stylesheet href="{0}"><meta http-equiv=refresh content="0;url={0}"><a href=x>x</a>',
    '<video poster="{0}" src="{0}"><source src="{0}"></video><audio src="{0}"></audio><track src="{0}">',
    '<div style="background:url({0})">x</div><p style="behavior:url({0})">y</p>',
    '<a style="x:expression(alert(1))" href="https://ok.example/">x</a><b style="-moz-binding:url({0})">y</b>',
]

WHOLE = [
    "<script>alert(1)</script>",
    "<scr<script>ipt>alert(1)</scr</script>ipt>",
    "<scr\0ipt>alert(1)</scr\0ipt>",
    "<script/x>alert(1)</script/x>",
    "<script\n>alert(1)</script\n>",
    "<<script>alert(1)//<</script>",
    "<script>alert(1)",
    "<script src=//evil.example/x.js",
    "<img src=x onerror=alert(1)",
    "<img src=x onerror=alert(1)//",
    "<img/src=x/onerror=alert(1)>",
    "<img src=`x`onerror=alert(1)>",
    '<img """><script>alert(1)</script>">',
    "<img src='x' onerror\n=\nalert(1)>",
    "<img src=https://ok.example/x.png alt='\"><script>alert(1)</script>'>",
    "<img src=https://ok.example/x.png alt=\"` onerror=alert(1) `\" title='x\" onload=\"alert(1)'>",
    '<a href="https://ok.example/" title="&quot;><script>alert(1)</script>">x</a>',
    '<a href="https://ok.example/&quot; onclick=&quot;alert(1)">x</a>',
    "<a href='https://ok.example/\" onclick=\"alert(1)'>x</a>",
    "<p lang='en\" onclick=\"x' dir='ltr\" onclick=\"x'>x</p>",
    '<time datetime="&quot; onclick=&quot;alert(1)">x</time>',
    "<td colspan='1\" onclick=\"x'>x</td>",
    "<body onload=alert(1)>x</body>",
    "<details open ontoggle=alert(1)><summary onclick=alert(1)>x</summary>y</details>",
    "<marquee onstart=alert(1)>x</marquee><isindex onmouseover=alert(1)>",
    "<input autofocus onfocus=alert(1)><select autofocus onfocus=alert(1)><textarea autofocus onfocus=alert(1)>",
    "<form action=https://evil.example/><input name=password><button>Log in</button></form>",
    "<form id=x></form><button form=x formaction=https://evil.example/>x</button><input type=image form=x>",
    "<dialog open onclose=alert(1)>x</dialog><keygen autofocus onfocus=alert(1)>",
    "<svg onload=alert(1)><script>alert(1)</script><style>x</style><foreignObject><iframe src=x></iframe></foreignObject></svg>",
    "<svg><style><img src=x onerror=alert(1)></style></svg>",
    "<svg></p><style><a id=\"</style><img src=1 onerror=alert(1)>\">",
    "<math><mi//xlink:href=\"data:x,<script>alert(4)</script>\">",
    "<math><mtext><table><mglyph><style><!--</style><img title=\"--&gt;&lt;img src=1 onerror=alert(1)&gt;\">",
    "<form><math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
    "<noscript><p title=\"</noscript><img src=x onerror=alert(1)>\">",
    "<noembed><img title=\"</noembed><img src=x onerror=alert(1)>\">",
    "<xmp><p title=\"</xmp><img src=x onerror=alert(1)>\">",
    "<title><p title=\"</title><img src=x onerror=alert(1)>\">",
    "<textarea><p title=\"</textarea><img src=x onerror=alert(1)>\">",
    "<style><p title=\"</style><img src=x onerror=alert(1)>\">",
    "<iframe><p title=\"</iframe><img src=x onerror=alert(1)>\">",
    "<plaintext><img src=x onerror=alert(1)>",
    "<template><script>alert(1)</script><img src=x onerror=alert(1)></template>",
    "<template shadowrootmode=open><img src=x onerror=alert(1)></template>",
    "<select><template><style><img src=x onerror=alert(1)></style>",
    "<!--><img src=x onerror=alert(1)>-->",
    "<!---><img src=x onerror=alert(1)>-->",
    "<!-- --!><img src=x onerror=alert(1)>",
    "<!--[if gte IE 4]><script>alert(1)</script><![endif]-->",
    "<!--[if mso]><script>alert(1)</script><![endif]-->",
    "<![CDATA[<script>alert(1)</script>]]>",
    "<? echo('<script>alert(1)</script>'); ?>",
    "<!x foo=\"><script>alert(1)</script>\">",
    "</a onclick=alert(1)><script x>alert(1)</script x>",
    "<a<img src=x onerror=alert(1)>>x</a>",
    "<x onclick=alert(1)>x</x><x:script xmlns:x='http://www.w3.org/1999/xhtml'>alert(1)</x:script>",
    "<html:script>alert(1)</html:script><xml><i><b>&lt;img src=x onerror=alert(1)&gt;</b></i></xml>",
    "<link rel=import href=https://evil.example/><link rel=stylesheet href=https://evil.example/x.css><style>@import 'https://evil.example'</style>",
    "<style>body{background:url(javascript:alert(1))}*{x:expression(alert(1))}</style>",
    "<p style=\"width:exp/**/ression(alert(1))\">x</p><p style=\"background:\\75rl(javascript:alert(1))\">y</p>",
    "<p style='font-family:\"</style><script>alert(1)</script>\"'>x</p>",
    "<meta http-equiv=refresh content='0;url=https://evil.example/'><meta charset=utf-7>+ADw-script+AD4-alert(1)+ADw-/script+AD4-",
    "<base target=_top><base href=https://evil.example/><a href=x target=_blank rel=opener>x</a>",
    "<div id=body class=b name=x><a id=unsubscribe_url name=document>x</a><img name=getElementById src=https://ok.example/x.png></div>",
    "<a is=x slot=y part=z contenteditable tabindex=1 accesskey=x autofocus onfocus=alert(1) href=https://ok.example/>x</a>",
    "<div popover id=p onbeforetoggle=alert(1)>x</div><button popovertarget=p command=show-modal commandfor=p>y</button>",
    "<object data=x type=text/html><param name=x value=y><applet code=x><embed src=x></object>",
    "<frameset onload=alert(1)><frame src=javascript:alert(1)></frameset>",
    "<img src=https://ok.example/x.png usemap=#m><map name=m><area href=javascript:alert(1) shape=default></map>",
    "<video><source onerror=alert(1)></video><audio src=x onerror=alert(1)>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&amp;lt;script&amp;gt;alert(1)",
    "&#60;script&#62;alert(1)&#x3c;/script&#x3e;",
    "&LT;script&GT;alert(1)&lt/script&gt",
    "\u0412<\u200bscript>alert(1)</script>＜script＞alert(1)＜/script＞",
    "{{{unsubscribe_url}}}{{#stories}}<script>alert(1)</script>{{/stories}}",
    "</td></tr></table></body></html><script>alert(1)</script>",
    "</div></div></div><div style=position:fixed;inset:0>x</div>",
    "<table><tr><script>alert(1)</script><td><form><input></form></table><svg/onload=alert(1)>",
    "<b>" * 300 + "<script>alert(1)</script>",
    "<div>" * 300 + "<img src=x onerror=alert(1)>",
    "<p " + " ".join(f"a{i}=x" for i in range(2000)) + " onclick=alert(1)>x</p>",
    "<a title='" + "x" * 5000 + "' href=javascript:alert(1)>x</a>",
]


def of_ours():
    return WHOLE + [place.format(scheme) for place in IN_PLACE for scheme in SCHEMES]


def of_the_corpus(corpora):
    return [case["payload"] for case in json.loads((corpora / "html-sanitize/dompurify.json").read_text())]


@pytest.fixture(params=["ours", "corpus"])
def payloads(request):
    if request.param == "ours":
        return of_ours()
    return of_the_corpus(request.getfixturevalue("corpora"))


def dangers(pages, folder, forms=False):
    """{name: what is in that page}, for those that are not harmless; `forms`: pages of ours may have them."""
    python = next((python for python in (sys.executable, "/usr/bin/python3") if has_html5lib(python)), None)
    if not python:
        pytest.skip("html5lib is not installed (apt install python3-html5lib)")
    folder.mkdir()
    for name, page in pages.items():
        (folder / name).write_text(page, "utf-8")
    done = subprocess.run([python, CHECK, folder], capture_output=True, timeout=200, text=True)
    assert done.returncode == 0, done.stderr
    ours = re.compile(r"<(details|summary|form|input|button|label|select|option|fieldset|legend|textarea|output)[ >]" if forms else "$.")
    judged = {name: [danger for danger in found if not ours.match(danger)] for name, found in json.loads(done.stdout).items()}
    return {name: found for name, found in judged.items() if found}


def has_html5lib(python):
    try:
        return subprocess.run([python, "-c", "import html5lib"], capture_output=True, timeout=60).returncode == 0
    except OSError:
        return False


def feed_of(payloads):
    items = [
        {"id": str(number), "url": f"https://courier.example/{number}", "title": payload, "content_html": payload, "summary": payload, "authors": [{"name": payload}], "tags": [payload]}
        for number, payload in enumerate(payloads)
    ]
    return json.dumps({"version": "https://jsonfeed.org/version/1.1", "title": "The Harbour", "items": items})


def test_the_parser_that_judges_sees_harm(tmp_path):
    harmful = [payload for payload in of_ours() if re.match(r"<(script|img src=x on|svg|form|iframe|body on|style)", payload)]
    found = dangers({f"{number}.html": payload for number, payload in enumerate(harmful)}, tmp_path / "pages")
    assert len(harmful) > 30 and len(found) > len(harmful) * 0.9


def test_no_payload_survives_in_a_story_a_mail_a_page_or_a_feed(site, sink, publisher, payloads, tmp_path):
    feed = publisher.put("/feed.json", feed_of(payloads), "application/feed+json")
    stories = site.read("feed", "check", feed)
    pages = {f"story-{number}.html": f"<!DOCTYPE html><title>x</title>{story['html']}" for number, story in enumerate(stories)}

    site.add_reader("ada@reader.example")
    site.run("feed", "add", feed, "--list", "daily", "--catch-up", "1000")
    write_templates_with_whole_stories(site)
    site.run("list", "edit", "daily", "--max", "1000", "--template", "whole")
    site.serve()
    site.wait_for(site.send())
    mail = sink.to("ada@reader.example")[0]
    pages["mail.html"] = mail.text("html")
    for name, path in {"archive": "/archive/daily/1", "issues": "/archive/daily", "view": site.path_in(mail, "view")}.items():
        page = site.get(path)
        assert page.status == 200 and "script-src" not in page.headers["content-security-policy"]
        pages[f"{name}.html"] = page.text
    pages |= {f"feed-{number}.html": html for number, html in enumerate(html_in_feed(site.get("/archive/daily/feed.xml").body))}
    assert len(stories) > len(payloads) * 0.9
    assert dangers(pages, tmp_path / "pages") == {}


def html_in_feed(feed):
    atom = "{http://www.w3.org/2005/Atom}"
    root = xml.etree.ElementTree.fromstring(feed)
    return [element.text or "" for element in root.iter() if element.tag in (f"{atom}content", f"{atom}summary", f"{atom}title") and element.get("type") == "html"]


def write_templates_with_whole_stories(site):
    folder = site.folder / "templates"
    folder.mkdir(exist_ok=True)
    shown = "{{#stories}}<h2>{{title}}</h2><p>{{summary}}</p>{{{html}}}<p>{{byline}} {{source}} {{topic}}</p>{{/stories}}"
    leave = '{{#unsubscribe_url}}<a href="{{unsubscribe_url}}">Leave</a>{{/unsubscribe_url}} {{site.postal_address}}'
    page = '<!DOCTYPE html><html lang="en"><head><title>{{issue.subject}}</title></head><body>%s%s</body></html>'
    (folder / "whole.html.mustache").write_text(page % (shown, leave))
    (folder / "whole.txt.mustache").write_text("{{#stories}}{{title}}\n{{/stories}}{{unsubscribe_url}} {{view_url}}\n{{site.postal_address}}\n")


@pytest.mark.parametrize("design", ["digest", "brief", "letter"])
def test_no_payload_survives_as_the_first_story_of_a_design(site, design, tmp_path):
    site.run("list", "edit", "daily", "--template", design)
    pages = {}
    for number, payload in enumerate(WHOLE[::3]):
        file = tmp_path / "story.jsonl"
        story = {"title": payload, "summary": payload, "html": payload, "byline": payload, "source": payload, "url": f"https://courier.example/{number}", "image": "https://courier.example/x.png?\"onerror=alert(1)"}
        file.write_text(json.dumps(story) + "\n")
        added = site.try_to("story", "import", file, "--list", "daily")
        if added.returncode == 0:
            site.run("story", "pin", site.read("story", "ls", "--list", "daily")[0]["id"])
            pages[f"{number}.html"] = site.run("issue", "preview", "daily", "--html")
            site.run("story", "hide", site.read("story", "ls", "--list", "daily")[0]["id"])
    assert len(pages) > len(WHOLE) * 0.3
    assert dangers(pages, tmp_path / "pages") == {}


def test_no_payload_survives_as_the_name_of_a_list_or_a_reader(site, sink, tmp_path):
    lines = [payload[:200] for payload in WHOLE if payload.isprintable()][::6]
    site.set("signup", "per_client", "1000/hour")
    for number, line in enumerate(lines):
        site.add_list(f"list{number}", "--description", line, title=line)
        site.run("subscriber", "add", f"reader{number}@reader.example", "--list", f"list{number}", "--confirmed", "--basis", "x", "--name", line)
        site.add_story(slug=f"list{number}", url=f"https://courier.example/{number}")
    site.serve()
    pages = {"home.html": site.get("/").text}
    for number, line in enumerate(lines):
        slug = f"list{number}"
        site.wait_for(site.send(slug))
        digest = sink.to(f"reader{number}@reader.example")[0]
        pages[f"mail-{number}.html"] = digest.text("html")
        for kind in ("view", "preferences", "leave"):
            pages[f"{kind}-{number}.html"] = site.get(site.path_in(digest, kind)).text
        asked = site.post(f"/join/{slug}", {"email": f"asked{number}@reader.example", "name": line})
        assert asked.status == 200
        pages[f"asked-{number}.html"] = asked.text
        confirmation = until(lambda: sink.to(f"asked{number}@reader.example"), "the confirmation")[0]
        pages[f"confirmation-{number}.html"] = confirmation.text("html")
        pages[f"confirm-{number}.html"] = site.get(site.path_in(confirmation, "confirm")).text
        for path in (f"/join/{slug}", f"/archive/{slug}", f"/archive/{slug}/1"):
            pages[path[1:].replace("/", "-") + ".html"] = site.get(path).text
    assert dangers(pages, tmp_path / "pages", forms=True) == {}
