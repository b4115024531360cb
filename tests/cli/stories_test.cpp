#include "cli/command_line.hpp"

// Feeds and stories as an operator handles them.

namespace postrider::cli {
namespace {

const std::string two_feeds = "<opml version='2.0'><head><title>Mine</title></head><body><outline text='News'>"
                              "<outline text='A' xmlUrl='https://a.example/f'/></outline>"
                              "<outline text='B' xmlUrl='https://b.example/f'/></body></opml>";

using Texts = std::vector<std::string>;

Texts titles_in(const json::value& explained) {
    Texts found;
    for (auto& row : explained.as_array())
        if (row.at("in").as_bool()) found.emplace_back(row.at("title").as_string());
    return found;
}

}

TEST_F(CommandLine, AnOpmlFileIsShownWithoutASiteAndWithoutStoringAnything) {
    auto shown = type({"feed", "import", file("feeds.opml", two_feeds), "--dry-run", "--json"});
    EXPECT_EQ(shown.status, 0) << shown.err;
    auto data = shown.data();
    auto& feeds = data.at("feeds").as_array();
    ASSERT_EQ(feeds.size(), 2U);
    EXPECT_EQ(feeds[0].at("title"), "A");
    EXPECT_EQ(feeds[1].at("url"), "https://b.example/f");
    expect_refused(type({"feed", "import", file("x", "<x/>"), "--dry-run"}), 1, "its root is <x>");
}

TEST_F(ASite, AnOpmlFileIsImportedWholeOrSaysWhatIsMissing) {
    expect_refused(on_site({"feed", "import", file("cut.opml", two_feeds.substr(0, two_feeds.find("</body>"))),
                            "--list", "daily"}),
                   1, "ends in the middle, after 2 feeds; nothing was stored");
    EXPECT_TRUE(data({"feed", "ls"}).as_array().empty());

    auto some = two_feeds;
    std::string deep;
    for (int i = 0; i < 198; ++i) deep += "<outline text='x'>";
    deep += "<outline xmlUrl='https://deep.example/f'/>";
    for (int i = 0; i < 198; ++i) deep += "</outline>";
    some.insert(some.find("</body>"), "<outline xmlUrl='|prog'/>" + deep);
    auto opml = file("some.opml", some);
    auto done = on_site({"feed", "import", opml, "--list", "daily"});
    EXPECT_EQ(done.status, 1);
    EXPECT_TRUE(done.says("|prog: is a program of another reader")) << done.err;
    EXPECT_TRUE(done.says("1 element is nested deeper than 200 folders and left out")) << done.err;
    EXPECT_TRUE(done.says("2 entries are of it not imported")) << done.err;
    EXPECT_EQ(data({"feed", "ls"}).as_array().size(), 2U);
    auto dry = type({"feed", "import", opml, "--dry-run", "--json"});
    EXPECT_EQ(dry.status, 1);
    EXPECT_EQ(dry.data().at("refused").at(0).at("url"), "|prog");
    EXPECT_EQ(dry.data().at("too_deep"), 1);
}

TEST_F(ASite, ThePasswordInAFeedsAddressIsKeptAndNotShown) {
    const std::string secret = "https://ada:secret@a.example/f";
    auto opml = file("feeds.opml", "<opml><body><outline text='A' xmlUrl='" + secret + "'/></body></opml>");
    auto quiet = [&](std::vector<std::string> words) {
        auto done = on_site(words);
        EXPECT_FALSE(done.says("secret")) << words[1] << ": " << done.out << done.err;
        return done;
    };
    EXPECT_TRUE(quiet({"feed", "import", opml, "--dry-run"}).says("https://ada:***@a.example/f"));
    quiet({"feed", "import", opml, "--dry-run", "--json"});
    quiet({"feed", "import", opml, "--list", "daily"});
    EXPECT_TRUE(quiet({"feed", "ls"}).says("https://ada:***@a.example/f"));
    quiet({"feed", "ls", "--json"});
    quiet({"feed", "show", "1"});
    quiet({"feed", "show", "1", "--json"});
    quiet({"status"});
    auto exported = quiet({"feed", "export"});
    EXPECT_TRUE(exported.out.contains("xmlUrl=\"https://a.example/f\"")) << exported.out;
    EXPECT_TRUE(exported.err.contains("feed 1")) << exported.err;
    EXPECT_TRUE(must({"feed", "export", "--passwords"}).out.contains(secret));
    auto masked = file("masked.opml", "<opml><body><outline xmlUrl='https://ada:***@a.example/g'/></body></opml>");
    EXPECT_TRUE(on_site({"feed", "import", masked, "--list", "daily"}).says("write the password"));
    EXPECT_TRUE(quiet({"feed", "remove", "1"}).says("https://ada:***@a.example/f"));
    expect_refused(quiet({"feed", "add", "ftp://ada:secret@a.example/f", "--list", "daily"}), 1, "ada:***@a.example");
}

TEST_F(ASite, WhatReadersOrRulesHoldTakesNoControlCharacters) {
    for (auto* option : {"--include", "--exclude", "--topic"})
        expect_refused(on_site({"list", "edit", "daily", option, "World = a\x1b[2J"}), 1, "control character (U+001B)");
    expect_refused(on_site({"schedule", "set", "daily", "every day at 7", "--except", "sun\ndays"}), 1, "U+000A");
    expect_refused(on_site({"suppression", "add", "a@b.example", "--reason", "a\x07"}), 1, "U+0007");
    expect_refused(on_site({"subscriber", "add", "a@b.example", "--list", "daily", "--confirmed", "--basis", "a\x07"}),
                   1, "U+0007");
    for (auto* option : {"--byline", "--category"})
        expect_refused(on_site({"story", "add", "--title", "T", "--url", "https://a.example/", "--list", "daily",
                                option, "a\x1b"}),
                       1, "U+001B");
    expect_refused(on_site({"story", "add", "--title", "a\x1b", "--url", "https://a.example/", "--list", "daily"}), 1,
                   "U+001B");
}

TEST_F(ASite, AStoryThatCouldNeverBeSentIsNoCandidate) {
    auto add = [&](std::vector<std::string> more) {
        std::vector<std::string> words = {"story",  "add",  "--title", "T", "--url", "https://a.example/",
                                          "--list", "daily"};
        words.insert(words.end(), more.begin(), more.end());
        return on_site(words);
    };
    expect_refused(add({"--expires", "2020-01-01T00:00:00Z"}), 1, "2020-01-01T00:00:00Z is past");
    expect_refused(add({"--not-before", "2999-02-01T00:00:00Z", "--expires", "2999-01-01T00:00:00Z"}), 1,
                   "before it may be sent");
    EXPECT_EQ(add({"--not-before", "2999-01-01T00:00:00Z", "--expires", "2999-02-01T00:00:00Z"}).status, 0);
    expect_refused(on_site({"story", "edit", "1", "--not-before", "2999-03-01T00:00:00Z"}), 1, "before it may be sent");
    auto lines = on_site({"story", "import", "-", "--list", "daily"},
                         R"({"title": "T", "url": "https://a.example/2", "expires": "2020-01-01T00:00:00Z"})");
    EXPECT_EQ(lines.status, 1);
    EXPECT_TRUE(lines.says("is past")) << lines.err;
}

TEST_F(ASite, FeedsComeFromOneOpmlFileAndGoIntoAnother) {
    auto opml = file("feeds.opml", two_feeds);
    expect_refused(on_site({"feed", "import", opml}), 2, "--list");
    auto first = data({"feed", "import", opml, "--list", "daily", "--every", "2h"});
    EXPECT_EQ(first.at("new"), 2);
    EXPECT_EQ(data({"feed", "import", opml, "--list", "daily"}).at("unchanged"), 2);
    EXPECT_EQ(data({"feed", "ls"}).as_array().size(), 2U);
    EXPECT_EQ(data({"feed", "show", "1"}).at("every"), "2h");
    auto exported = must({"feed", "export", "--list", "daily"}).out;
    EXPECT_TRUE(exported.contains("xmlUrl=\"https://a.example/f\"")) << exported;
    must({"feed", "export", "--output", (folder / "out.opml").string()});
    EXPECT_EQ(type({"feed", "import", (folder / "out.opml").string(), "--dry-run", "--json"})
                  .data()
                  .at("feeds")
                  .as_array()
                  .size(),
              2U);
    EXPECT_EQ(data({"feed", "edit", "1", "--weight", "7", "--full", "yes"}).at("weight"), 7);
    EXPECT_EQ(data({"feed", "show", "1"}).at("full"), true);
}

TEST_F(ASite, TheRulesOfAListAreShownAndSayWhyAStoryStaysOut) {
    auto rules = data({"list", "edit", "daily", "--order", "oldest", "--per-feed", "3", "--per-topic", "2", "--expire",
                       "14d", "--exclude", "sponsored", "--exclude", "category:sport", "--topic", "World = politics"});
    EXPECT_EQ(rules.at("order"), "oldest");
    EXPECT_EQ(rules.at("exclude").as_array().size(), 2U);
    EXPECT_EQ(data({"list", "edit", "daily", "--max", "5"}).at("expire"), "14d") << "what is not named stays";
    story("A sponsored story", "https://courier.example/1");
    story("A story", "https://courier.example/2");
    auto explained = data({"issue", "explain", "daily"});
    EXPECT_EQ(titles_in(explained), Texts{"A story"});
    must({"list", "edit", "daily", "--exclude", "none", "--expire", "none", "--per-feed", "0"});
    EXPECT_EQ(titles_in(data({"issue", "explain", "daily"})).size(), 2U);
    EXPECT_TRUE(must({"list", "show", "daily"}).out.contains("World = politics"));
    expect_refused(on_site({"list", "edit", "daily", "--order", "random"}), 2, "newest, oldest, feed or weight");
    expect_refused(on_site({"list", "edit", "daily", "--topic", "World"}), 2, "has no name");
}

TEST_F(ASite, AStoryUnderEmbargoWaitsAndAPinnedOneGoesFirst) {
    must({"story", "add", "--title", "Later", "--url", "https://courier.example/1", "--list", "daily", "--not-before",
          "2999-01-01T00:00:00Z"});
    story("Old", "https://courier.example/2");
    story("New", "https://courier.example/3");
    must({"story", "pin", "2"});
    must({"list", "edit", "daily", "--max", "1"});
    auto explained = data({"issue", "explain", "daily"});
    EXPECT_EQ(titles_in(explained), Texts{"Old"});
    must({"story", "unpin", "2"});
    must({"story", "edit", "1", "--not-before", "none"});
    EXPECT_EQ(data({"story", "show", "1"}).at("not_before"), nullptr);
    must({"story", "edit", "3", "--expires", "2020-01-01T00:00:00Z"});
    must({"list", "edit", "daily", "--max", "9"});
    EXPECT_EQ(titles_in(data({"issue", "explain", "daily"})).size(), 2U);
    expect_refused(on_site({"story", "edit", "1", "--not-before", "tomorrow"}), 2, "2026-11-24T07:00:00Z");
}

TEST_F(ASite, AStoryThatWasSentGoesOutAgainOnlyWhenTheOperatorSaysSo) {
    reader("ada@reader.example");
    story("The ship came in", "https://courier.example/ship");
    expect_refused(on_site({"story", "resend", "1"}), 1, "was never sent");
    must({"issue", "send", "daily"});
    EXPECT_TRUE(titles_in(data({"issue", "explain", "daily"})).empty());
    EXPECT_EQ(data({"story", "resend", "1", "--list", "daily"}).at("lists").at(0), "daily");
    auto explained = data({"issue", "explain", "daily"});
    EXPECT_EQ(titles_in(explained), Texts{"The ship came in"});
    EXPECT_TRUE(explained.at(0).at("why").as_string().starts_with("again, as the operator asked"));
    must({"issue", "send", "daily"});
    EXPECT_TRUE(titles_in(data({"issue", "explain", "daily"})).empty()) << "once more, not for ever";
}

TEST_F(ASite, StoriesComeAsJsonLinesAndABadLineIsNamed) {
    const std::string lines = R"({"title": "One", "url": "https://a.example/1", "categories": ["Sport"]})"
                              "\n\n"
                              R"({"title": "Two", "url": "file:///etc/passwd"})"
                              "\nnot json\n"
                              R"({"title": "Three", "url": "https://a.example/3", "titel": "x"})"
                              "\n";
    auto name = file("stories.jsonl", lines);
    auto dry = on_site({"story", "import", name, "--list", "daily", "--dry-run", "--json"});
    EXPECT_EQ(dry.status, 1);
    EXPECT_EQ(dry.data().at("new"), 1);
    EXPECT_EQ(dry.data().at("rejections").as_array().size(), 3U);
    EXPECT_EQ(dry.data().at("rejections").at(1).at("line"), 4);
    EXPECT_TRUE(data({"story", "ls", "--list", "daily"}).as_array().empty());
    auto done = on_site({"story", "import", "-", "--list", "daily"}, lines);
    EXPECT_TRUE(done.err.contains("-:5: \"titel\" is no property of a story")) << done.err;
    EXPECT_EQ(data({"story", "ls", "--list", "daily"}).as_array().size(), 1U);
}

TEST_F(ASite, AListSaysWhoSeesItsIssuesAheadAndWhatSilenceMeans) {
    expect_refused(on_site({"list", "edit", "daily", "--approve", "2h"}), 1, "--editor ADDRESS");
    expect_refused(on_site({"list", "edit", "daily", "--unanswered", "send"}), 2, "needs --approve");
    expect_refused(on_site({"list", "edit", "daily", "--approve", "30d", "--editor", "a@b.example"}), 2, "1m to 7d");
    auto shown = data({"list", "edit", "daily", "--approve", "2h", "--editor", "desk@courier.example"}).at("approve");
    EXPECT_EQ(shown.at("ahead"), "2h");
    EXPECT_EQ(shown.at("unanswered"), "wait");
    EXPECT_EQ(data({"list", "edit", "daily", "--unanswered", "send"}).at("approve").at("editor"),
              "desk@courier.example");
    EXPECT_TRUE(
        must({"list", "show", "daily"}).says("2h ahead, by desk@courier.example; without an answer it is sent"));
    EXPECT_EQ(data({"list", "edit", "daily", "--approve", "none"}).at("approve"), nullptr);
}

TEST_F(ASite, AScheduleIsRehearsedInSimulatedTime) {
    must({"schedule", "set", "daily", "every day at 07:00", "--except", "2026-12-25", "--except", "sundays"});
    EXPECT_TRUE(must({"schedule", "next", "daily"}).out.contains("but not on Sundays or Friday 25 December 2026"));
    for (int i = 0; i < 5; ++i) story("Story", "https://courier.example/" + std::to_string(i));
    auto slots = data({"schedule", "rehearse", "daily", "--days", "30", "--rate", "0"}).as_array();
    ASSERT_GE(slots.size(), 25U);
    EXPECT_EQ(slots[0].at("what"), "sends");
    EXPECT_EQ(slots[0].at("stories"), 5);
    EXPECT_EQ(slots[1].at("what"), "skips");
    EXPECT_EQ(slots[1].at("why_not"), "there are no stories yet");
    for (auto& slot : data({"schedule", "rehearse", "daily", "--rate", "14"}).as_array())
        EXPECT_EQ(slot.at("what"), "sends") << slot;
    EXPECT_TRUE(must({"schedule", "rehearse", "daily"}).out.contains("new ones a week"));
}

TEST_F(CommandLine, ASchedulesEnglishIsShownBackInPlainWords) {
    for (auto [said, shown] : {std::pair{"every other friday at noon", "every other Friday at 12:00"},
                               {"last day of the month at 18:00", "on the last day of the month at 18:00"},
                               {"weekdays at 7 and 17", "every weekday at 07:00 and 17:00"}}) {
        auto done = type({"schedule", "explain", said, "--json"});
        ASSERT_EQ(done.status, 0) << done.err;
        EXPECT_TRUE(done.data().at("words").as_string().starts_with(shown)) << done.out;
        EXPECT_EQ(done.data().at("next").as_array().size(), 10U);
    }
}

TEST_F(CommandLine, ExceptionsOfAScheduleAreExplained) {
    auto done = type({"schedule", "explain", "0 7 * * 1-5", "--except", "december 25", "--json"});
    ASSERT_EQ(done.status, 0) << done.err;
    EXPECT_EQ(done.data().at("words"), "every weekday at 07:00, but not on 25 December of any year");
    EXPECT_EQ(done.data().at("expression"), "0 7 * * 1-5 except december 25");
    expect_refused(type({"schedule", "explain", "0 7 * * 1-5", "--except", "sometimes"}), 1, "is no day to leave out");
    for (auto [expression, days] : {std::pair{"every sunday at 7", "sundays"}, {"0 7 25 12 *", "december 25"}})
        expect_refused(type({"schedule", "explain", expression, "--except", days}), 1,
                       "never falls due: \"except\" leaves out every day of it");
    expect_refused(type({"schedule", "explain", "0 7 30 2 *", "--except", "sundays"}), 1, "no month it names");
}

}
