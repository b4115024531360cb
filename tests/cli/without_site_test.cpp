#include "cli/command_line.hpp"

// What needs no site: explaining, checking, rendering.

namespace postrider::cli {
TEST(WithoutSite, AScheduleIsSaidInWordsWithItsNextTimesInUtc) {
    auto explained = type({"schedule", "explain", "every weekday at 07:00", "--timezone", "Europe/Berlin", "--from",
                           "2026-11-24T12:00:00Z", "--count", "2", "--json"});
    ASSERT_EQ(explained.status, 0) << explained.err;
    auto data = explained.data();
    expect_keys(data, {"expression", "timezone", "words", "next"});
    EXPECT_EQ(data.at("next"), (json::array{"2026-11-25T06:00:00Z", "2026-11-26T06:00:00Z"}));
}

TEST(WithoutSite, AScheduleThatFallsDueNoMoreSaysSo) {
    auto none = type({"schedule", "explain", "every weekday at 07:00", "--from", "9999-12-31T00:00:00Z"});
    EXPECT_EQ(none.status, 0);
    EXPECT_TRUE(none.err.contains("no time after 9999-12-31T00:00:00Z: the search ends with the year 9999"))
        << none.err;
    auto last = type({"schedule", "explain", "@daily", "--from", "9999-12-29T12:00:00Z", "--json"});
    EXPECT_EQ(last.data().at("next").as_array().size(), 1u) << last.out;
    EXPECT_TRUE(last.err.contains("no further time after 9999-12-30T00:00:00Z")) << last.err;
    EXPECT_EQ(type({"schedule", "explain", "@daily", "--count", "3"}).err, "");
}

TEST(WithoutSite, AnInvalidScheduleIsRefusedInOneLineWithItsPlace) {
    expect_refused(type({"schedule", "explain", "0 25 * * *", "--json"}), 1, "column 3");
    expect_refused(type({"schedule", "explain", "@daily", "--timezone", "Europe/Berln"}), 1, "Europe/Berlin");
    expect_refused(type({"schedule", "explain", "@daily", "--from", "yesterday"}), 2, "--from");
    expect_refused(type({"schedule", "explain", "@daily", "--count", "many"}), 2, "--count");
}

TEST(WithoutSite, AnAnswerOfARelayIsExplained) {
    auto full = type({"relay", "explain", "552 5.2.2 mailbox full", "--json"}).data();
    expect_keys(full, {"verdict", "about", "why"});
    EXPECT_EQ(full.at("verdict"), "later");
    EXPECT_EQ(full.at("about"), "reader");
    EXPECT_EQ(type({"relay", "explain", "535 5.7.8 no", "--stage", "auth", "--json"}).data().at("verdict"), "hold");
    expect_refused(type({"relay", "explain", "hello"}), 1, "three digits");
    expect_refused(type({"relay", "explain", "550 no", "--stage", "rctp"}), 2, "did you mean \"rcpt\"?");
}

TEST(WithoutSite, AddressesAreCheckedOneALine) {
    auto done = type({"subscriber", "check", "-", "--json"}, "ada@example.org\r\nnobody\n\xff@example.org\n");
    EXPECT_EQ(done.status, 1) << "one is not taken";
    std::istringstream lines(done.out);
    std::vector<json::value> rows;
    for (std::string line; std::getline(lines, line);) rows.push_back(json::parse(line));
    ASSERT_EQ(rows.size(), 3u);
    for (auto& row : rows) expect_keys(row, {"input", "taken", "why", "normal", "ascii", "smtputf8"});
    EXPECT_EQ(rows[0].at("input"), "ada@example.org");
    EXPECT_EQ(rows[0].at("taken"), true);
    EXPECT_TRUE(rows[1].at("why").is_string());
    EXPECT_TRUE(rows[1].at("normal").is_null());
    EXPECT_EQ(type({"subscriber", "check", "ada@example.org"}).status, 0);
}

TEST(WithoutSite, WhatNeverEndsIsReadToALimitThatIsNamed) {
    for (std::vector<std::string> words : {std::vector<std::string>{"feed", "check"}, {"story", "read"}}) {
        words.emplace_back("/dev/zero");
        expect_refused(type(words), 1, "/dev/zero: is longer than 10 MB");
        words.back() = "-";
        expect_refused(type(words, std::string(10'000'001, 'y')), 1, "standard input: is longer than 10 MB");
    }
    expect_refused(type({"subscriber", "check", "-"}, std::string(20'000, 'y')), 1,
                   "standard input:1: the line is longer than 10000 bytes");
}

TEST_F(CommandLine, ATemplateIsRenderedToItsExactBytes) {
    auto page = file("hello.mustache", "{{greeting}} {{>who}}{{>plain}}{{>none}}");
    (void)file("a/who.mustache", "<{{name}}>");
    (void)file("b/plain", "!");
    auto done = type({"template", "render", page, "--data", "-", "--partials", (folder / "a").string(), "--partials",
                      (folder / "b").string()},
                     R"({"greeting": "a \"b\" & c", "name": "Ada"})");
    EXPECT_EQ(done.status, 0) << done.err;
    EXPECT_EQ(done.out, "a &quot;b&quot; &amp; c <Ada>!");
}

TEST_F(CommandLine, APartialCannotLeadOutOfItsFolder) {
    auto page = file("hello.mustache", "{{>../secret}}");
    (void)file("secret.mustache", "secret");
    (void)file("parts/x.mustache", "");
    expect_refused(type({"template", "render", page, "--partials", (folder / "parts").string()}), 1, "refused");
}

TEST_F(CommandLine, AFaultOfATemplateIsReportedWhereItOpens) {
    auto page = file("hello.mustache", "one\n  {{#stories}}");
    auto done = type({"template", "render", page});
    expect_refused(done, 1, "hello.mustache:2:3: ");
    expect_refused(type({"template", "render", file("x.mustache"), "--data", file("x.json", "{")}), 1, "x.json");
}

TEST_F(CommandLine, AFeedOfAFileIsReadAsAPollWouldInItsOwnOrder) {
    auto feed = file("feed.xml", R"xml(<rss version="2.0"><channel><title>T</title>
<item><guid>2</guid><title>Second</title><link>https://example.org/2</link><pubDate>Tue, 24 Nov 2026 07:00:00 GMT</pubDate>
<description>&lt;p onclick="x()"&gt;Hi&lt;script&gt;y&lt;/script&gt;&lt;/p&gt;</description><category>News</category></item>
<item><guid>1</guid><title>First</title><link>https://example.org/1</link></item>
<item><guid>2</guid><title>Second again</title><link>https://example.org/2</link></item>
</channel></rss>)xml");
    auto done = type({"feed", "check", feed, "--json"});
    ASSERT_EQ(done.status, 0) << done.err;
    auto rows = done.data().as_array();
    ASSERT_EQ(rows.size(), 2u) << "one id is one story";
    expect_keys(rows[0],
                {"id", "title", "url", "byline", "published", "summary", "html", "image", "categories", "language"});
    EXPECT_EQ(rows[0].at("id"), "2");
    EXPECT_EQ(rows[0].at("published"), "2026-11-24T07:00:00Z");
    EXPECT_EQ(rows[0].at("categories"), json::array{"News"});
    EXPECT_EQ(rows[0].at("html").as_string().find("onclick"), std::string::npos);
    EXPECT_TRUE(rows[1].at("published").is_null());
}

TEST_F(CommandLine, WhatIsNoFeedIsSaidToBeWhatItIs) {
    expect_refused(type({"feed", "check", file("page.html", "<!doctype html><title>Login</title>")}), 1, "Login");
    expect_refused(type({"feed", "check", (folder / "none.xml").string()}), 1, "none.xml");
}

TEST_F(CommandLine, APageIsReadAndNullStandsForWhatItDoesNotSay) {
    std::string text = "The ship came in at dawn, after eleven days at sea, and the whole town was there to see it. ";
    auto page =
        file("page.html", "<html><head><title>The ship</title></head><body><article><h1>The ship</h1><p>" + text +
                              text + text + "</p><p>" + text + text + text + "</p></article></body></html>");
    auto done = type({"story", "read", page, "--url", "https://courier.example/ship", "--json"});
    ASSERT_EQ(done.status, 0) << done.err;
    auto data = done.data();
    expect_keys(data, {"title", "byline", "agency", "dateline", "section", "published", "updated", "summary", "text",
                       "html", "image", "canonical_url", "site", "language"});
    EXPECT_EQ(data.at("title"), "The ship");
    EXPECT_TRUE(data.at("byline").is_null());
    EXPECT_TRUE(data.at("published").is_null());
}

}
