"""html5.py FOLDER: prints {file: [what could run, send or hide something]}, as a parser sees it that works as browsers do."""

import json
import re
import sys
from pathlib import Path

import html5lib

ELEMENTS = set(
    """html head body title meta style link header footer main nav section article aside address div span p a abbr b bdi bdo
    blockquote br caption cite code col colgroup dd del dfn dl dt em figcaption figure h1 h2 h3 h4 h5 h6 hr i img ins kbd li mark ol
    pre q rp rt ruby s samp small strong sub sup table tbody td tfoot th thead time tr u ul var wbr""".split()
)
ATTRIBUTES = set(
    """align alt bgcolor border cellpadding cellspacing cite class colspan content charset datetime dir height href id lang media name rel
    role rowspan scope span src start style title type valign value width aria-label aria-hidden aria-labelledby aria-current
    xml:lang""".split()
)
ADDRESSES = {"href", "src", "cite", "background", "action"}
STYLE = re.compile(r"expression|javascript|vbscript|behaviou?r|-moz-binding|@import|url\s*\(|\\|/\*|data:", re.I)


def dangers(page):
    parser = html5lib.HTMLParser(tree=html5lib.getTreeBuilder("dom"), namespaceHTMLElements=False)
    pending = [parser.parse(page)]
    while pending:
        node = pending.pop()
        pending.extend(node.childNodes)
        if node.nodeType == node.COMMENT_NODE and not re.fullmatch(r"\[if mso\]>.*<!\[endif\]", node.data, re.S):
            yield f"a comment: {node.data[:80]}"
        if node.nodeType != node.ELEMENT_NODE:
            continue
        yield from dangers_of(node)


def text_in(node):
    return node.data if node.nodeType == node.TEXT_NODE else "".join(map(text_in, node.childNodes))


def dangers_of(node):
    name = node.tagName.lower()
    if name not in ELEMENTS:
        yield f"<{name}>"
    if name == "style" and re.search(r"expression|javascript|@import|url\s*\(|binding|behaviou?r", text_in(node), re.I):
        yield "a style sheet that loads or runs something"
    for attribute, value in node.attributes.items():
        attribute = attribute.lower()
        if attribute not in ATTRIBUTES:
            yield f"<{name} {attribute}>"
        if attribute == "style" and STYLE.search(value):
            yield f"<{name} style>: {value[:80]}"
        if attribute in ADDRESSES:
            bare = re.sub(r"[\x00-\x20\x7f-\x9f\u200b-\u200f\u2028\u2029\ufeff]", "", value).lower()
            if not re.match(r"https?://[^/?#]|mailto:[^/]|/(?!/)|#", bare):
                yield f"<{name} {attribute}>: {value[:80]}"
        if name == "meta" and attribute == "http-equiv":
            yield f"<meta http-equiv>: {value}"
        if name == "link" and attribute == "rel" and value not in ("alternate", "canonical", "icon"):
            yield f"<link rel={value}>"


json.dump({file.name: sorted(set(dangers(file.read_text("utf-8")))) for file in Path(sys.argv[1]).iterdir()}, sys.stdout)
