#include "stories/feed.hpp"
#include "stories/html.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>

using namespace postrider;
using stories::parse_feed;

namespace {

stories::Feed read(std::string_view bytes, std::string_view type = "text/xml") {
    auto feed = parse_feed(bytes, type, "https://example.org/blog/feed.xml");
    EXPECT_TRUE(feed) << (feed ? "" : feed.error().what);
    return feed ? *feed : stories::Feed{};
}

std::string refusal(std::string_view bytes, std::string_view type = "text/xml") {
    const auto feed = parse_feed(bytes, type, "https://example.org/feed");
    return feed ? "a feed" : feed.error().what;
}

std::string rss(std::string_view items) {
    return R"(<?xml version="1.0"?><rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"
        xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:media="http://search.yahoo.com/mrss/"
        xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd" xmlns:atom="http://www.w3.org/2005/Atom"
        xmlns:feedburner="http://rssnamespace.org/feedburner/ext/1.0"><channel><title>News</title>)" +
           std::string(items) + "</channel></rss>";
}

std::string atom(std::string_view entries) {
    return R"(<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="de"><title>News</title>)" + std::string(entries) +
           "</feed>";
}

stories::FeedItem item(std::string_view inside) {
    auto feed = read(rss("<item>" + std::string(inside) + "</item>"));
    return feed.items.empty() ? stories::FeedItem{} : feed.items[0];
}

stories::FeedItem entry(std::string_view inside) {
    auto feed = read(atom("<entry>" + std::string(inside) + "</entry>"));
    return feed.items.empty() ? stories::FeedItem{} : feed.items[0];
}

}

TEST(Feed, ADocumentThatEndsBeforeItsFirstItemIsNoFeed) {
    for (auto* start : {"<rss>", "<rss version=\"2.0\"><channel>", "<rss><channel><title>News</title>",
                        "<rss><channel><title>News</ti", "<rss><channel><title>News</title></channel>",
                        "<feed xmlns=\"http://www.w3.org/2005/Atom\"><title>News</title><entry><title>"}) {
        EXPECT_TRUE(refusal(start).starts_with("a feed that ends in the middle: <")) << start << ": " << refusal(start);
    }
    EXPECT_EQ(refusal("<rss><channel><title>News</title></channel></rss>"), "a feed") << "empty, and whole";
    EXPECT_EQ(refusal("<rss/>"), "a feed");
}

TEST(Feed, WhatStandsBeforeTheEndOfACutOffDocumentIsReadAndTheEndIsReported) {
    const std::string whole = rss("<item><title>One</title></item><item><title>Two</title></item>");
    EXPECT_FALSE(read(whole).cut_off);
    const auto feed = read(whole.substr(0, whole.find("Two")));
    ASSERT_EQ(feed.items.size(), 1u);
    EXPECT_TRUE(feed.cut_off);
}

TEST(Feed, SkipHoursAndSkipDaysAreRead) {
    auto feed = parse_feed("<rss version='2.0'><channel><title>T</title><skipHours><hour>0</hour><hour>24</hour>"
                           "<hour>7</hour><hour>99</hour></skipHours><skipDays><day>Sunday</day><day>Noday</day>"
                           "</skipDays><item><title>a</title></item></channel></rss>",
                           "", "")
                    .value();
    EXPECT_EQ(feed.skip_hours, 1U | 1U << 7);
    EXPECT_EQ(feed.skip_days, 1U);
}

TEST(Feed, ReadsRss2) {
    const auto feed =
        read(R"(<rss version="2.0"><channel><title>News &amp; views</title><link>https://example.org/</link>
        <description>All of &lt;b&gt;it&lt;/b&gt;</description><language>en_gb</language><ttl>90</ttl>
        <item><title>One</title><link>https://example.org/1</link><guid isPermaLink="false">id-1</guid>
        <author>ada@example.org (Ada Lovelace)</author><category>Engines</category><category>Engines</category>
        <pubDate>Tue, 24 Nov 2026 07:54:00 +0100</pubDate><description>&lt;p&gt;Hello &amp;amp; welcome&lt;/p&gt;</description></item>
        </channel></rss>)");
    EXPECT_EQ(feed.title, "News & views");
    EXPECT_EQ(feed.url, "https://example.org/");
    EXPECT_EQ(feed.description, "All of it");
    EXPECT_EQ(feed.language, "en-gb");
    EXPECT_EQ(feed.ttl, Duration(90min));
    ASSERT_EQ(feed.items.size(), 1u);
    const auto& one = feed.items[0];
    EXPECT_EQ(one.id, "id-1");
    EXPECT_EQ(one.title, "One");
    EXPECT_EQ(one.url, "https://example.org/1");
    EXPECT_EQ(one.byline, "Ada Lovelace");
    EXPECT_EQ(rfc3339(*one.published), "2026-11-24T06:54:00Z");
    EXPECT_EQ(one.summary, "Hello & welcome");
    EXPECT_EQ(one.html, "<p>Hello &amp; welcome</p>");
    EXPECT_EQ(one.categories, std::vector<std::string>{"Engines"});
    EXPECT_EQ(one.language, "en-gb");
}

TEST(Feed, ReadsRss1WithItsItemsOutsideTheChannel) {
    const auto feed =
        read(R"(<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/"
        xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:sy="http://purl.org/rss/1.0/modules/syndication/">
        <channel rdf:about="https://example.org/"><title>News</title><link>https://example.org/</link>
        <sy:updatePeriod>daily</sy:updatePeriod><sy:updateFrequency>2</sy:updateFrequency></channel>
        <item rdf:about="https://example.org/1"><title>One</title><link>https://example.org/one</link><dc:creator>Ada</dc:creator>
        <dc:date>2026-11-24T07:54:00Z</dc:date><dc:subject>Engines</dc:subject></item></rdf:RDF>)");
    EXPECT_EQ(feed.title, "News");
    EXPECT_EQ(feed.ttl, Duration(12h));
    ASSERT_EQ(feed.items.size(), 1u);
    EXPECT_EQ(feed.items[0].id, "https://example.org/1");
    EXPECT_EQ(feed.items[0].url, "https://example.org/one");
    EXPECT_EQ(feed.items[0].byline, "Ada");
    EXPECT_EQ(feed.items[0].categories, std::vector<std::string>{"Engines"});
}

TEST(Feed, ReadsAtom) {
    const auto one = entry(R"(<id>tag:example.org,2026:1</id><title type="html">A &lt;i&gt;new&lt;/i&gt; engine</title>
        <link rel="self" href="https://example.org/1.atom"/><link rel="replies" href="https://example.org/1#c"/>
        <link href="/1"/><author><name>Ada</name></author><author><name>Charles</name></author>
        <updated>2026-11-25T00:00:00Z</updated><published>2026-11-24T00:00:00Z</published>
        <category term="engines" label="Engines"/><summary>Short &amp;amp; plain</summary>
        <content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p>Long <img src="a.png"/> &lt;3</p></div></content>)");
    EXPECT_EQ(one.id, "tag:example.org,2026:1");
    EXPECT_EQ(one.title, "A new engine");
    EXPECT_EQ(one.url, "https://example.org/1");
    EXPECT_EQ(one.byline, "Ada, Charles");
    EXPECT_EQ(rfc3339(*one.published), "2026-11-24T00:00:00Z");
    EXPECT_EQ(one.categories, std::vector<std::string>{"engines"});
    EXPECT_EQ(one.summary, "Short &amp; plain");
    EXPECT_EQ(one.html, "<div><p>Long <img src=\"https://example.org/a.png\"> &lt;3</p></div>");
    EXPECT_EQ(one.image.url, "https://example.org/a.png");
    EXPECT_EQ(one.language, "de");
}

TEST(Feed, AnAtomTitleOfTypeTextIsTakenAtItsWord) {
    EXPECT_EQ(entry("<title>std::vector&lt;b&gt; &amp;amp; more &lt;br&gt;</title>").title,
              "std::vector<b> &amp; more <br>");
}

TEST(Feed, ReadsAtom03) {
    const auto feed = read(
        R"(<feed version="0.3" xmlns="http://purl.org/atom/ns#"><title mode="escaped" type="text/html">A&amp;amp;B</title>
        <tagline>Sub</tagline><entry><title>T</title><issued>2004-01-01T00:00:00Z</issued><modified>2005-01-01T00:00:00Z</modified>
        <link rel="alternate" type="text/html" href="http://example.org/t"/>
        <content mode="base64" type="text/html">PGI+aGk8L2I+</content></entry></feed>)");
    EXPECT_EQ(feed.title, "A&B");
    EXPECT_EQ(feed.description, "Sub");
    ASSERT_EQ(feed.items.size(), 1u);
    EXPECT_EQ(feed.items[0].html, "<b>hi</b>");
    EXPECT_EQ(rfc3339(*feed.items[0].published), "2004-01-01T00:00:00Z");
}

TEST(Feed, ReadsJsonFeed) {
    const auto feed =
        read(R"({"version":"https://jsonfeed.org/version/1.1","title":"News","home_page_url":"https://example.org/",
        "language":"en","authors":[{"name":"The desk"}],"unknown":[1,2],"items":[
        {"id":17,"url":"/1","title":"5 < 6 & <b>more</b>","content_html":"<p>Hi</p>","date_published":"2026-11-24T07:54:00+01:00",
         "tags":["a","b"],"image":"https://example.org/i.png","author":{"name":"Ada"}},
        {"id":"x","external_url":"https://elsewhere.example/","content_text":"a < b\nc","summary":"S"},
        "not an item"]})",
             "application/json");
    ASSERT_EQ(feed.items.size(), 2u);
    EXPECT_EQ(feed.items_left_out, 1u);
    EXPECT_EQ(feed.items[0].id, "17");
    EXPECT_EQ(feed.items[0].url, "https://example.org/1");
    EXPECT_EQ(feed.items[0].title, "5 < 6 & <b>more</b>");
    EXPECT_EQ(feed.items[0].byline, "Ada");
    EXPECT_EQ(feed.items[0].summary, "Hi");
    EXPECT_EQ(feed.items[0].image.url, "https://example.org/i.png");
    EXPECT_EQ(feed.items[0].categories, (std::vector<std::string>{"a", "b"}));
    EXPECT_EQ(feed.items[1].url, "https://elsewhere.example/");
    EXPECT_EQ(feed.items[1].html, "a &lt; b<br>\nc");
    EXPECT_EQ(feed.items[1].summary, "S");
    EXPECT_EQ(feed.items[1].byline, "The desk");
    EXPECT_EQ(feed.items[1].language, "en");
}

TEST(Feed, TheFullTextComesBeforeTheDescriptionWhichIsTheSummary) {
    const auto one = item("<description>Short</description><content:encoded><![CDATA[<p>Long</p>]]></content:encoded>");
    EXPECT_EQ(one.html, "<p>Long</p>");
    EXPECT_EQ(one.summary, "Short");
}

TEST(Feed, TitlesBecomeOneLineOfPlainText) {
    const std::pair<std::string_view, std::string_view> titles[] = {
        {"AT&amp;T", "AT&T"},
        {"AT&T and &nbsp;more", "AT&T and more"},
        {"Caf&eacute; &#8217;s &#146;90s &#x2014;", "Café ’s ’90s —"},
        {"<![CDATA[Q&amp;A &#8211; today]]>", "Q&A – today"},
        {"&lt;b&gt;Bold&lt;/b&gt; move&lt;br/&gt;now", "Bold move now"},
        {"std::vector&lt;int&gt; and a &lt; b", "std::vector<int> and a < b"},
        {"What &lt;video&gt; is", "What <video> is"},
        {"An <em>unescaped</em> title", "An unescaped title"},
        {"&amp;lt;script&amp;gt; explained", "<script> explained"},
        {"  two\n  lines\t", "two lines"},
        {"nul\x01 and \x0b bell", "nul and bell"},
    };
    for (const auto& [title, plain] : titles)
        EXPECT_EQ(item("<title>" + std::string(title) + "</title>").title, plain) << title;
}

TEST(Feed, TheAddressOfAnItemIsItsLinkElseItsPermalinkElseWhatItEncloses) {
    EXPECT_EQ(item("<guid>https://example.org/g</guid><link>https://example.org/l</link>").url,
              "https://example.org/l");
    EXPECT_EQ(item("<title>x</title><guid>https://example.org/g</guid>").url, "https://example.org/g");
    EXPECT_EQ(item("<title>x</title><guid isPermaLink=\"false\">https://example.org/g</guid>").url, "");
    EXPECT_EQ(item("<link/><atom:link href=\"/a\"/>").url, "https://example.org/a");
    EXPECT_EQ(item("<title>x</title><link>../x</link>").url, "https://example.org/x");
    EXPECT_EQ(item("<title>x</title><link>javascript:alert(1)</link>").url, "");
    EXPECT_EQ(item("<title>x</title><enclosure url=\"https://example.org/a.mp3\" type=\"audio/mpeg\"/>").url,
              "https://example.org/a.mp3");
}

TEST(Feed, KeepsTheAddressBehindACounterBesideTheLink) {
    const auto one =
        item("<link>http://feeds.example/~r/x</link><feedburner:origLink>https://example.org/x</feedburner:origLink>");
    EXPECT_EQ(one.url, "http://feeds.example/~r/x");
    EXPECT_EQ(one.original_url, "https://example.org/x");
}

TEST(Feed, LinksInHtmlAreAbsoluteByXmlBaseElseByTheArticle) {
    EXPECT_EQ(item("<link>https://example.org/a/b</link><description>&lt;a "
                   "href='c?x=1&amp;amp;y'&gt;c&lt;/a&gt;</description>")
                  .html,
              "<a href='https://example.org/a/c?x=1&amp;y'>c</a>");
    EXPECT_EQ(entry("<link href='https://example.org/a/b'/><content type='html' xml:base='https://cdn.example/'>"
                    "&lt;img src=p.png&gt;&lt;a href='mailto:a@b'&gt;m&lt;/a&gt;</content>")
                  .html,
              "<img src=https://cdn.example/p.png><a href='mailto:a@b'>m</a>");
}

TEST(Feed, AnItemAlwaysHasAnId) {
    EXPECT_EQ(item("<link>https://example.org/1</link>").id, "https://example.org/1");
    const auto one = item("<title>x</title><pubDate>2026-11-24</pubDate>"),
               same = item("<title>x</title><pubDate>2026-11-24</pubDate>");
    const auto later = item("<title>x</title><pubDate>2026-11-25</pubDate>");
    EXPECT_EQ(one.id, same.id);
    EXPECT_NE(one.id, later.id);
}

TEST(Feed, LongIdsStayApart) {
    const std::string start(1'000'000, 'g');
    const auto one = item("<guid>" + start + "1</guid>"), two = item("<guid>" + start + "2</guid>");
    EXPECT_LE(one.id.size(), 1000u);
    EXPECT_NE(one.id, two.id);
}

TEST(Feed, ChoosesThePictureThatSuitsAMail) {
    const auto one = item(
        "<title>x</title><media:content url='https://e.org/140.jpg' width='140' height='84' medium='image'/>"
        "<media:content url='https://e.org/700.jpg' width='700' height='420' medium='image'><media:description>A ship"
        "</media:description></media:content>"
        "<media:content url='https://e.org/4000.jpg' width='4000' height='2400' medium='image'/>"
        "<media:thumbnail url='https://e.org/t.jpg'/>");
    EXPECT_EQ(one.image.url, "https://e.org/700.jpg");
    EXPECT_EQ(one.image.width, 700);
    EXPECT_EQ(one.image.height, 420);
    EXPECT_EQ(one.image.alt, "A ship");
    EXPECT_EQ(item("<title>x</title><enclosure url='/a.png' type='image/png'/>").image.url,
              "https://example.org/a.png");
    EXPECT_EQ(item("<title>x</title><itunes:image href='/c.png'/>").image.url, "https://example.org/c.png");
    EXPECT_EQ(item("<description>&lt;img src='/p.gif' width=1 height=1&gt;&lt;img alt='A &amp;amp; B' src='/b.png' "
                   "width='300'&gt;</description>")
                  .image.url,
              "https://example.org/b.png");
}

TEST(Feed, WhatIsForgottenOrBrokenCostsNoItem) {
    const auto feed =
        read("<br />\n<b>Warning</b>: mysql in /srv/x.php\n<?xml version=\"1.0\"?><rss version=2.0><channel>"
             "<category text='open'><item><title>One & <b>two</title><link>https://example.org/1"
             "<item><title>Two</title></wrong><undeclared:x>y</undeclared:x><description>a<br>b</description></item>"
             "<item><title>Three</title><description><![CDATA[cut");
    ASSERT_EQ(feed.items.size(), 3u);
    EXPECT_EQ(feed.items[0].title, "One & two");
    EXPECT_EQ(feed.items[0].url, "https://example.org/1");
    EXPECT_EQ(feed.items[1].title, "Two");
    EXPECT_EQ(feed.items[1].html, "a<br>b");
    EXPECT_EQ(feed.items[2].summary, "cut");
}

TEST(Feed, ABodyThatIsNoFeedIsNamed) {
    EXPECT_EQ(refusal(""), "an empty body");
    EXPECT_EQ(refusal(" \n\t"), "an empty body");
    EXPECT_EQ(refusal("<!DOCTYPE html><html><head><title>Log in &amp; more</title></head>", "text/html"),
              "an HTML page titled \"Log in & more\"");
    EXPECT_EQ(refusal("<html><body>hi"), "an HTML page without a title");
    EXPECT_EQ(refusal("<?xml version=\"1.0\"?><opml version=\"2.0\"/>"), "XML, but no feed: its root is <opml>");
    EXPECT_EQ(refusal("{\"a\":1}"), "JSON, but no feed: it has no \"items\"");
    EXPECT_TRUE(refusal("{\"items\":[{").starts_with("broken JSON"));
    EXPECT_EQ(refusal("just words"), "text that is neither XML nor JSON; it begins \"just words\"");
    EXPECT_EQ(refusal("%PDF-1.4"), "a PDF document");
    EXPECT_EQ(refusal("<rdf:RDF xmlns:rdf=\"x\"><foaf:Person/></rdf:RDF>"), "XML, but no feed: RDF without a channel");
}

TEST(Feed, ExpandsNoEntityThatReachesOutOrMultiplies) {
    const std::string channel = "<rss><channel><item><title>&x;</title></item></channel></rss>";
    EXPECT_EQ(read("<!DOCTYPE rss [<!ENTITY x \"plain &#233;\">]>" + channel).items[0].title, "plain é");
    EXPECT_EQ(read("<!DOCTYPE rss [<!ENTITY x SYSTEM \"file:///etc/passwd\">]>" + channel).items[0].title, "&x;");
    EXPECT_EQ(read("<!DOCTYPE rss [<!ENTITY y \"yyyy\"><!ENTITY x \"&y;&y;&y;\">]>" + channel).items[0].title, "&x;");
    std::string many =
        "<!DOCTYPE rss [<!ENTITY x \"" + std::string(900, 'x') + "\">]><rss><channel><item><description>";
    for (int i = 0; i < 100'000; ++i) many += "&x;";
    EXPECT_LE(read(many).items[0].html.size(), 1024u * 1024);
}

TEST(Feed, TheSchemeOfAnAddressIsInLowerCase) {
    EXPECT_EQ(item("<link>HTTPS://Example.org/A</link><title>a</title>").url, "https://Example.org/A");
    EXPECT_EQ(entry("<title>a</title><link href='Http://example.org/B'/>").url, "http://example.org/B");
}

TEST(Feed, WordsComeBackFromBesideTheParser) {
    const auto feed =
        read("<rss xmlns:media='http://search.yahoo.com/mrss/'><channel><item><title>1;2 &lt; 3<![CDATA[ & 4;]]>"
             "<!-- 5; --> end</title><link>https://example.org/?a=1&amp;b=2;3</link>"
             "<description>One\r\ntwo</description><media:thumbnail url='https://example.org/i.png?x=1;&amp;y'"
             " width='0;' height=''/></item></channel></rss>");
    ASSERT_EQ(feed.items.size(), 1u);
    EXPECT_EQ(feed.items[0].title, "1;2 < 3 & 4; end");
    EXPECT_EQ(feed.items[0].url, "https://example.org/?a=1&b=2;3");
    EXPECT_EQ(feed.items[0].html, "One\ntwo");
    EXPECT_EQ(feed.items[0].image.url, "https://example.org/i.png?x=1;&y");
}

TEST(Feed, AnItemThatSpeaksToOtherReadersAloneIsAnItem) {
    const auto feed =
        read("<feed xmlns='http://www.w3.org/2005/Atom'><entry><x:point xmlns:x='urn:x'>1 2</x:point></entry>"
             "<entry/></feed>");
    EXPECT_EQ(feed.items.size(), 1u);
    EXPECT_EQ(feed.items_left_out, 1u);
}

TEST(Feed, KeepsTheFirstFiveThousandItemsAndCountsTheRest) {
    std::string items;
    for (int i = 0; i < 100'000; ++i) items += "<item><title>" + std::to_string(i) + "</title></item>";
    const auto feed = read(rss(items));
    ASSERT_EQ(feed.items.size(), 5'000u);
    EXPECT_EQ(feed.items.back().title, "4999");
    EXPECT_EQ(feed.items_left_out, 95'000u);
}

TEST(Feed, AMillionOpenTagsHideNeitherTextNorTheNextItem) {
    std::string deep = "<item><title>One</title><description>";
    for (int i = 0; i < 1'000'000; ++i) deep += "<a>";
    const auto feed = read(rss(deep + "the end</description></item><item><title>Two</title></item>"));
    ASSERT_EQ(feed.items.size(), 2u);
    EXPECT_TRUE(feed.items[0].html.contains("the end"));
    EXPECT_EQ(feed.items[1].title, "Two");
}

TEST(Feed, ATitleOfFiveMegabytesIsCut) {
    const auto one = item("<title>" + std::string(5'000'000, 'x') + "</title><link>https://example.org/1</link>");
    EXPECT_LE(one.title.size(), 2'000u);
    EXPECT_EQ(one.url, "https://example.org/1");
}

TEST(Feed, NulsAreNoEndAndComeOutNowhere) {
    using namespace std::string_view_literals;
    const auto feed =
        read("\0\0<rss><channel><title>A\0B</title><item><title>One\0 two</title><guid>1\0</guid>"
             "<description>a\0b</description></item><item><title>Last</title></item></channel></rss>\0"sv);
    ASSERT_EQ(feed.items.size(), 2u);
    EXPECT_EQ(feed.items[1].title, "Last");
    for (auto& one : feed.items)
        for (auto* text : {&one.title, &one.id, &one.html, &one.summary}) EXPECT_FALSE(text->contains('\0')) << *text;
    const auto json = read("{\"version\":\"https://jsonfeed.org/version/1\",\"items\":[{\"id\":\"1\\u0000\","
                           "\"title\":\"a\\u0000b\",\"content_text\":\"x\"}]}");
    ASSERT_EQ(json.items.size(), 1u);
    EXPECT_FALSE(json.items[0].title.contains('\0'));
    EXPECT_FALSE(json.items[0].id.contains('\0'));
}

TEST(Feed, AJsonFeedIsAsBoundedAsAnyOther) {
    const std::string head = "{\"version\":\"https://jsonfeed.org/version/1.1\",\"items\":[";
    std::string items;
    for (int i = 0; i < 100'000; ++i) items += fmt::format("{}{{\"id\":{},\"content_text\":\"x\"}}", i ? "," : "", i);
    const auto many = read(head + items + "]}");
    EXPECT_EQ(many.items.size(), 5'000u);
    EXPECT_EQ(many.items_left_out, 95'000u);
    const auto large = read(head + "{\"id\":\"" + std::string(1'000'000, 'i') + "\",\"title\":\"" +
                            std::string(5'000'000, 't') + "\"}]}");
    ASSERT_EQ(large.items.size(), 1u);
    EXPECT_LE(large.items[0].id.size(), 1'100u);
    EXPECT_LE(large.items[0].title.size(), 2'000u);
    EXPECT_FALSE(parse_feed(head + std::string(1'000'000, '['), "", ""));
    EXPECT_FALSE(parse_feed(std::string(1'000'000, '{'), "", ""));
}

TEST(Feed, WhatComesOutPassesTheSanitiser) {
    const auto one = item("<description>&lt;p onclick='x()'&gt;Hi &lt;a "
                          "href='/a'&gt;a&lt;/a&gt;&lt;script&gt;x()&lt;/script&gt;</description>");
    const auto safe = stories::safe_html(one.html, one.url);
    EXPECT_TRUE(safe.contains("https://example.org/a")) << safe;
    EXPECT_FALSE(safe.contains("script") || safe.contains("onclick")) << safe;
}

TEST(Feed, TimeGrowsWithTheSizeNotWithItsSquare) {
    const auto seconds = [](std::string_view unit, std::size_t count) {
        std::string body = "<rss><channel><item><title>x</title><description>";
        for (std::size_t i = 0; i < count; ++i) body += unit;
        const auto begin = std::chrono::steady_clock::now();
        (void)parse_feed(body, "", "https://example.org/");
        return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    };
    for (const auto* unit : {"<!--", "<![CDATA[", "<a b=\"", "<a b='", "&", "<", "</z>", "<?", "&lt;img ", "<a x=1 ",
                             "<!DOCTYPE [", "<b>"}) {
        const auto small = seconds(unit, 40'000), large = seconds(unit, 400'000);
        EXPECT_LT(large, 40 * small + 0.5) << unit; // ten times the size; a hundred times would be its square
    }
}
