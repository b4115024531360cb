#include "stories/characters.hpp"
#include "stories/encoding.hpp"
#include "stories/html.hpp"
#include "stories/reading.hpp"

#include <boost/json.hpp>
#include <gtest/gtest.h>
#include <gumbo.h>

#include <ctime>
#include <set>

namespace postrider::stories {
namespace {

constexpr std::string_view base = "https://example.org/news/today.html";

std::string repeated(std::string_view piece, std::size_t times) {
    std::string out;
    out.reserve(piece.size() * times);
    for (std::size_t i = 0; i < times; ++i) out += piece;
    return out;
}

// Of the processor, so that a busy machine changes nothing.
double seconds_for(auto work) {
    const auto begin = std::clock();
    work();
    return static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
}

// What is dangerous in a tree as a browser would build it from the output; empty when nothing is.
void find_danger(const GumboNode& node, std::string& danger) {
    static const std::set<std::string> good_tags{
        "html",       "head",   "body",  "a",        "abbr",   "b",   "bdi", "bdo",   "blockquote", "br", "caption",
        "cite",       "code",   "col",   "colgroup", "dd",     "del", "dfn", "div",   "dl",         "dt", "em",
        "figcaption", "figure", "h1",    "h2",       "h3",     "h4",  "h5",  "h6",    "hr",         "i",  "img",
        "ins",        "kbd",    "li",    "mark",     "ol",     "p",   "pre", "q",     "rp",         "rt", "ruby",
        "s",          "samp",   "small", "span",     "strong", "sub", "sup", "table", "tbody",      "td", "tfoot",
        "th",         "thead",  "time",  "tr",       "u",      "ul",  "var", "wbr"};
    static const std::set<std::string> good_attributes{"href",  "src",   "alt",    "title",    "lang",
                                                       "dir",   "width", "height", "colspan",  "rowspan",
                                                       "start", "value", "span",   "datetime", "cite"};
    if (node.type == GUMBO_NODE_COMMENT || node.type == GUMBO_NODE_CDATA) danger += "a comment; ";
    if (node.type != GUMBO_NODE_ELEMENT) return;
    const auto& element = node.v.element;
    const std::string name = gumbo_normalized_tagname(element.tag);
    if (!good_tags.contains(name)) danger += "<" + name + ">; ";
    if (element.tag_namespace != GUMBO_NAMESPACE_HTML) danger += "a foreign element; ";
    for (unsigned i = 0; i < element.attributes.length; ++i) {
        const auto& attribute = *static_cast<const GumboAttribute*>(element.attributes.data[i]);
        const std::string key = attribute.name;
        const std::string value = attribute.value;
        if (!good_attributes.contains(key)) danger += key + "; ";
        if (key != "href" && key != "src" && key != "cite") continue;
        const bool good = value.starts_with("http://") || value.starts_with("https://") ||
                          (key == "href" && value.starts_with("mailto:"));
        if (!good) danger += key + "=" + value + "; ";
    }
    for (unsigned i = 0; i < element.children.length; ++i)
        find_danger(*static_cast<const GumboNode*>(element.children.data[i]), danger);
}

std::string danger_in(const std::string& html) {
    std::string danger;
    GumboOutput* output = gumbo_parse_with_options(&kGumboDefaultOptions, html.data(), html.size());
    find_danger(*output->root, danger);
    gumbo_destroy_output(&kGumboDefaultOptions, output);
    if (clean_utf8(html) != html) danger += "invalid UTF-8; ";
    return danger;
}

bool is_balanced(std::string_view html) {
    std::vector<std::string> open;
    for (auto at = html.find('<'); at != std::string_view::npos; at = html.find('<', at + 1)) {
        const auto end = html.find('>', at);
        if (end == std::string_view::npos) return false;
        auto tag = html.substr(at + 1, end - at - 1);
        const bool closes = tag.starts_with('/');
        if (closes) tag.remove_prefix(1);
        const std::string name(tag.substr(0, tag.find(' ')));
        if (name == "br" || name == "hr" || name == "img" || name == "wbr" || name == "col") continue;
        if (!closes)
            open.push_back(name);
        else if (open.empty() || open.back() != name)
            return false;
        else
            open.pop_back();
    }
    return open.empty();
}

TEST(SafeHtml, KeepsWhatAStoryIsMadeOf) {
    EXPECT_EQ(
        safe_html("<p>One <b>bold</b> <i>word</i> &amp; a <a href='https://example.net/a?b=1&c=2'>link</a></p>", base),
        "<p>One <b>bold</b> <i>word</i> &amp; a <a href=\"https://example.net/a?b=1&amp;c=2\">link</a></p>");
    EXPECT_EQ(safe_html("<ul><li>one<li>two</ul>", base), "<ul><li>one</li><li>two</li></ul>");
    EXPECT_EQ(safe_html("<table><tr><td colspan=2 bgcolor=red>x</table>", base),
              "<table><tbody><tr><td colspan=\"2\">x</td></tr></tbody></table>");
}

TEST(SafeHtml, MakesEveryAddressAbsolute) {
    EXPECT_EQ(safe_html("<a href='/top'>a</a><img src=pic.png>", base),
              "<a href=\"https://example.org/top\">a</a><img src=\"https://example.org/news/pic.png\" alt=\"\">");
    EXPECT_EQ(safe_html("<a href='//cdn.example.net/x'>a</a>", base), "<a href=\"https://cdn.example.net/x\">a</a>");
    EXPECT_EQ(safe_html("<a href='/top'>a</a>", ""), "a");
}

TEST(SafeHtml, DropsSchemesOtherThanTheThree) {
    for (const auto* url :
         {"javascript:alert(1)", " java\nscript:alert(1)", "&#106;avascript:alert(1)", "data:text/html,x", "vbscript:x",
          "file:///etc/passwd", "cid:1", "JaVaScRiPt:x", "\x01javascript:x", "javascript&colon;alert(1)"})
        EXPECT_FALSE(safe_html(std::string("<a href=\"") + url + "\">a</a>", base).contains("script:")) << url;
    EXPECT_EQ(safe_html("<a href='mailto:desk@example.org'>a</a>", base), "<a href=\"mailto:desk@example.org\">a</a>");
    EXPECT_EQ(safe_html("<img src='mailto:desk@example.org'>", base), "");
}

TEST(SafeHtml, DropsImagesThatOnlyCountReaders) {
    EXPECT_EQ(safe_html("a<img src=https://t.example/p.gif width=1 height=1>", base), "a");
    EXPECT_EQ(safe_html("a<img src=https://t.example/p.gif style='width: 1px; height: 1px'>", base), "a");
    EXPECT_TRUE(safe_html("<img src=https://t.example/p.gif width=100>", base).contains("width=\"100\""));
}

TEST(SafeHtml, TakesLazyImagesFromWhereScriptsWould) {
    EXPECT_EQ(safe_html("<img src='data:image/gif;base64,R0' data-src='/real.jpg' alt=\"It's\">", base),
              "<img src=\"https://example.org/real.jpg\" alt=\"It&#39;s\">");
}

TEST(SafeHtml, KeepsHiddenTextHidden) {
    EXPECT_EQ(safe_html("a<span style='display: none'>b</span><p hidden>c</p>", base), "a");
}

TEST(SafeHtml, RepairsMisnestedTags) {
    for (const auto* html : {"<b><p>one</b> two</p>", "<p>a<div>b</p>c", "<i><b>x</i>y</b>", "</p></div>x",
                             "<table>x<td>y", "<li>a<ul><li>b", "<a href=/1>x<a href=/2>y", "<p><b>x<p>y", "<h1>a<h2>b",
                             "<b><div><i>x</b>y</div>z</i>", "<", "a < b", "<p", "<a href='"})
        EXPECT_TRUE(is_balanced(safe_html(html, base))) << safe_html(html, base);
}

TEST(SafeHtml, StopsMarkupThatChangesWhenParsedAgain) {
    for (const auto* html :
         {"<svg><style><img src=x onerror=alert(1)></style></svg>",
          "<noscript><p title=\"</noscript><img src=x onerror=alert(1)>\">",
          "<math><mtext><table><mglyph><style><!--</style><img title=\"--&gt;&lt;img src=1 onerror=alert(1)&gt;\">",
          "<form><math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
          "<listing>&lt;img onerror=alert(1) src=x&gt;</listing>",
          "<xmp><p title=\"</xmp><img src=x onerror=alert(1)>\">",
          "<title><a title=\"</title><img src=x onerror=alert(1)>\">",
          "<textarea><p title=\"</textarea><img src=x onerror=alert(1)>\">",
          "<svg></p><style><a id=\"</style><img src=1 onerror=alert(1)>\">",
          "<select><title><div onclick=x><script>alert(1)</script>", "<!--><img src=x onerror=alert(1)>-->",
          "<!--a--!><img src=x onerror=alert(1)>-->", "<plaintext><img src=x onerror=alert(1)>",
          "<template><img src=x onerror=alert(1)></template>", "<p/onclick=alert(1)/>x",
          "<img src=x alt=`><img/onerror=alert(1)`>"}) {
        const auto out = safe_html(html, base);
        EXPECT_EQ(danger_in(out), "") << html << " -> " << out;
        EXPECT_EQ(safe_html(out, base), out);
    }
}

TEST(SafeHtml, GivesValidUtf8WithoutControlCharactersForAnyBytes) {
    std::string bytes("a\0b\xFF\xC3(\xED\xA0\x80&#0;&#1;&#xD800;&#xFFFE;&#x110000;\x1B[0m", 48);
    EXPECT_EQ(danger_in(safe_html(bytes, base)), "");
    std::string noise;
    unsigned state = 1;
    for (int i = 0; i < 20000; ++i) {
        state = state * 1664525 + 1013904223;
        noise += i % 7 == 0 ? "<>\"'/=&!- "[state >> 24 & 7] : static_cast<char>(state >> 24);
    }
    EXPECT_EQ(danger_in(safe_html(noise, base)), "");
    EXPECT_EQ(clean_utf8(plain_text(noise)), plain_text(noise));
}

TEST(SafeHtml, HostileShapesTakeLessThanASecond) {
    const std::string numbered = [] {
        std::string out = "<p>";
        for (int i = 0; i < 40; ++i) out += "<font class=" + std::to_string(i) + ">";
        return out + "</p>" + repeated("<p>x</p>", 100000);
    }();
    const std::string attributes = [] {
        std::string out = "<a ";
        for (int i = 0; i < 200000; ++i) out += "a" + std::to_string(i) + "=1 ";
        return out + ">x</a>";
    }();
    const std::pair<const char*, std::string> shapes[] = {
        {"nested divs", repeated("<div>", 1000000)},
        {"nested formatting", repeated("<b><i><a>", 300000)},
        {"nested tables", repeated("<table><tr><td>", 200000)},
        {"unclosed items", repeated("<li><p>x", 200000)},
        {"nested lists", repeated("<ul><li>", 200000)},
        {"formatting reopened in each paragraph", numbered},
        {"formatting closed from below",
         repeated(repeated("<b>", 16) + repeated("<i>", 16) + repeated("</b>x", 16) + "</p><p>", 2000)},
        {"ends without beginnings", repeated("</div></b></x>", 200000)},
        {"attributes", attributes},
        {"open comments", repeated("<!-- --!", 300000)},
        {"open scripts", repeated("<script></scriptx>", 100000)},
        {"open svg", repeated("<svg><x>", 200000)},
        {"foreign content", repeated("<svg><td><input>", 200000)},
        {"open brackets", repeated("<", 2000000)},
        {"open quotes", repeated("<a href=\"", 200000)},
        {"fostered content", "<table>" + repeated("<br>x", 200000)},
        {"5 MB of text", repeated("word &amp; ", 500000)},
        {"5 MB of paragraphs", repeated("<p>A paragraph with <b>bold</b> words.</p>", 125000)},
        {"entities", repeated("&amp", 500000)},
    };
    for (const auto& [name, html] : shapes) {
        std::string out;
        const auto taken = seconds_for([&] { out = safe_html(html, base); });
        EXPECT_LT(taken, 1) << name;
        EXPECT_EQ(danger_in(out).substr(0, 200), "") << name;
        EXPECT_TRUE(is_balanced(out)) << name;
        EXPECT_LT(seconds_for([&] { (void)plain_text(html); }), 1) << name;
        printf("  %-40s %.3f s\n", name, taken);
    }
}

TEST(SafeHtml, TagsTooDeepVanishAndTheirTextStays) {
    const auto out = safe_html(repeated("<div>", 5000) + "the text" + repeated("</div>", 5000) + "<p>after</p>", base);
    EXPECT_TRUE(out.contains("the text"));
    EXPECT_TRUE(out.contains("<p>after</p>"));
}

TEST(SafeHtml, NoneOfTheCorpusPayloadsSurvives) {
    const auto folder = reading::corpora();
    if (!folder) GTEST_SKIP() << "POSTRIDER_CORPORA is not set";
    const auto cases = boost::json::parse(reading::file(*folder / "html-sanitize/dompurify.json"));
    std::size_t survived = 0;
    for (const auto& item : cases.as_array()) {
        const std::string payload(item.at("payload").as_string());
        const auto out = safe_html(payload, base);
        const auto danger = danger_in(out);
        survived += !danger.empty();
        EXPECT_EQ(danger, "") << payload << "\n -> " << out;
        EXPECT_TRUE(is_balanced(out)) << out;
        EXPECT_EQ(danger_in(safe_html(out, base)), "") << payload;
    }
    printf("  %zu payloads, %zu survived\n", cases.as_array().size(), survived);
}

TEST(PlainText, PartsParagraphsByAnEmptyLine) {
    EXPECT_EQ(plain_text("<h1>Title</h1><p>One\n two</p><p>Three<br>four</p><div>Five</div>"),
              "Title\n\nOne two\n\nThree\nfour\n\nFive");
}

TEST(PlainText, PutsEachItemOfAListOnALine) {
    EXPECT_EQ(plain_text("<p>a</p><ul><li>one</li><li><p>two</p></li></ul><p>b</p>"), "a\n\n- one\n- two\n\nb");
    EXPECT_EQ(plain_text("<ol start=3><li>one</li><li>two<ul><li>deep</li></ul></li></ol>"),
              "3. one\n4. two\n  - deep");
}

TEST(PlainText, DecodesEntitiesAndLeavesOutWhatIsNotForReaders) {
    EXPECT_EQ(plain_text("Caf&eacute;&nbsp;&amp; bar<script>x</script><style>y</style><span hidden>z</span> &#8217;"),
              "Café & bar ’");
}

TEST(PlainText, WritesLinksOutWhenAsked) {
    const auto* html = "Read <a href='https://example.org/r'>the report</a>, or <a "
                       "href='https://example.org'>https://example.org</a>.";
    EXPECT_EQ(plain_text(html), "Read the report, or https://example.org.");
    EXPECT_EQ(plain_text(html, Links::written_out), "Read the report (https://example.org/r), or https://example.org.");
}

TEST(PlainText, KeepsLinesOfPreformattedText) { EXPECT_EQ(plain_text("<pre>a  b\n  c</pre>"), "a  b\n  c"); }

TEST(PlainText, KeepsTheColumnsOfADataTableApartAndNotThoseOfALayout) {
    EXPECT_EQ(
        plain_text("<table><thead><tr><th>Part<th>Million</thead><tbody><tr><td>Steel<td>41<tr><td><td>30</table>x"),
        "Part | Million\nSteel | 41\n| 30\n\nx");
    EXPECT_EQ(plain_text("<table><tr><td>left<td>right</table>"), "left right");
    EXPECT_EQ(plain_text("<table><tr><th>A<th>B<tr><td>1<td><table><tr><td>2<td>3</table></table>"),
              "A | B\n1 |\n\n2 3");
}

TEST(PlainText, ALinkWithoutWordsIsKnownByItsTitle) {
    EXPECT_EQ(
        plain_text("See <a href='https://example.org/r' title='The report'><img src=x.png></a>.", Links::written_out),
        "See The report (https://example.org/r).");
    EXPECT_EQ(plain_text("<a href='mailto:ada@example.org'>mailto:ada@example.org</a>", Links::written_out),
              "mailto:ada@example.org");
}

TEST(PlainText, AgreesWithTheCorpus) {
    const auto folder = reading::corpora();
    if (!folder) GTEST_SKIP() << "POSTRIDER_CORPORA is not set";
    double all = 0, order = 0;
    int count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(*folder / "html-to-text/soundasleep/html")) {
        const auto stem = entry.path().stem().string();
        const auto text_folder = *folder / "html-to-text/soundasleep/txt";
        const auto no_links = text_folder / (stem + ".no-links.txt");
        const bool without = std::filesystem::exists(no_links);
        const auto wanted = reading::words(reading::file(without ? no_links : text_folder / (stem + ".txt")));
        const auto given = reading::words(plain_text(to_utf8(reading::file(entry.path()), "text/html").text,
                                                     without ? Links::text_only : Links::written_out));
        const auto alike = reading::likeness(wanted, given);
        const auto ordered = reading::likeness(reading::pairs(wanted), reading::pairs(given));
        if (alike < 0.97) printf("  %-32s words %.3f  pairs %.3f\n", stem.c_str(), alike, ordered);
        all += alike;
        order += ordered;
        ++count;
    }
    printf("  %d pages: words %.3f, pairs of words %.3f\n", count, all / count, order / count);
    EXPECT_GE(all / count, 0.97);
    EXPECT_GE(order / count, 0.95);
}

TEST(Excerpt, CutsBehindASentenceElseBetweenWords) {
    EXPECT_EQ(excerpt("Short enough.", 20), "Short enough.");
    EXPECT_EQ(excerpt("The first sentence. The second one is long.", 24), "The first sentence. …");
    EXPECT_EQ(excerpt("Several words, none of them ending", 20), "Several words, none…");
    EXPECT_EQ(excerpt("Unbreakablewordthatgoeson", 10), "Unbreakab…");
}

TEST(Excerpt, NeverCutsInsideACharacterAndNeverExceedsItsLength) {
    const std::string text = "Žluťoučký kůň úpěl ďábelské ódy. 他们说，你好。 Конец. 🎉🎉🎉";
    for (std::size_t length = 0; length < 70; ++length) {
        const auto cut = excerpt(text, length);
        EXPECT_EQ(clean_utf8(cut), cut);
        EXPECT_LE(count_characters(cut), length);
    }
    EXPECT_EQ(excerpt("a \n\n b", 10), "a b");
}

TEST(Html, NoTextCanPassForThePlaceOfAnother) {
    const std::string long_text = "A sentence that is long enough to be kept back";
    EXPECT_EQ(plain_text("<p>" + long_text + "</p><p>\uF8FE0; and &#xF8FE;0; and &#63742;0;</p>"),
              long_text + "\n\n\uF8FE0; and 0; and 0;");
    EXPECT_EQ(plain_text("<p>" + long_text + "</p><p>x&#4294967297;y &amp;copy; &copy; &copyright</p>"),
              long_text + "\n\nxy &copy; © ©right");
    EXPECT_EQ(safe_html("<p title=\"a\uF8FE0;&#xF8FE;0;\">" + long_text + "</p>", base),
              "<p title=\"a\uF8FE0;\uF8FE0;\">" + long_text + "</p>");
    EXPECT_EQ(plain_text("<p>x &#12;\t\t\t\t&#12; y</p>"), "x y");
}

TEST(Html, WhiteSpaceIsKeptToTheLastBlank) {
    const auto blanks = repeated(" ", 50);
    EXPECT_EQ(safe_html("<pre>\n\n" + blanks + "x\n" + repeated("\t", 30) + "y</pre>", base),
              "<pre>\n" + blanks + "x\n" + repeated("\t", 30) + "y</pre>");
    EXPECT_EQ(safe_html("<p>a\n" + blanks + "b" + blanks + "<b>c</b></p>", base),
              "<p>a\n" + blanks + "b" + blanks + "<b>c</b></p>");
}

}
}
