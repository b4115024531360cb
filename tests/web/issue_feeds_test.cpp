#include "stories/feed.hpp"
#include "web/issue_feeds.hpp"

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include <array>

namespace postrider::web {
namespace {

const IssueFeed feed{"A & <B>",
                     "\x01 \xff\"",
                     "C",
                     "en",
                     "https://x.example/archive/a",
                     "https://x.example/archive/a/feed",
                     "https://x.example/archive/a/feed?before=7",
                     Time()};
const std::array entries{FeedEntry{"]]> & \x0b", "https://x.example/archive/a/8", "<p>R&amp;D</p>", Time()},
                         FeedEntry{"Seven", "https://x.example/archive/a/7", "", Time()}};

TEST(Atom, IsWellFormedWhateverTheTitlesAre) {
    auto text = atom(feed, entries);
    EXPECT_NE(text.find("<title>A &amp; &lt;B&gt;</title>"), std::string::npos);
    EXPECT_NE(text.find("<title>]]&gt; &amp; </title>"), std::string::npos);
    EXPECT_EQ(text.find_first_of("\x01\x0b\xff"), std::string::npos);
}

TEST(IssueFeeds, OurOwnFeedReaderReadsBothAlike) {
    for (auto& text : {atom(feed, entries), json_feed(feed, entries)}) {
        auto read = stories::parse_feed(text, "", feed.url);
        ASSERT_TRUE(read) << text;
        EXPECT_EQ(read->title, "A & <B>");
        ASSERT_EQ(read->items.size(), 2u);
        EXPECT_EQ(read->items[0].url, entries[0].url);
        EXPECT_EQ(read->items[0].html, "<p>R&amp;D</p>");
        EXPECT_EQ(read->items[1].title, "Seven");
        EXPECT_NE(text.find("before=7"), std::string::npos);
    }
}

TEST(JsonFeed, HasWhatItsSpecificationAsksFor) {
    auto all = boost::json::parse(json_feed(feed, entries));
    EXPECT_EQ(all.at("version").as_string(), "https://jsonfeed.org/version/1.1");
    for (auto key : {"title", "home_page_url", "feed_url", "next_url", "description", "language"})
        EXPECT_TRUE(all.at(key).is_string()) << key;
    EXPECT_TRUE(all.at("authors").at(0).at("name").is_string());
    for (auto& item : all.at("items").as_array())
        for (auto key : {"id", "url", "title", "content_html", "date_published"})
            EXPECT_TRUE(item.at(key).is_string()) << key;
}

TEST(IssueFeeds, AnIssueIsTheLinksToItsStories) {
    EXPECT_EQ(stories_as_html(R"({"stories": [{"title": "A < B", "url": "https://x.example/?a&b", "summary": "\"C\""},
                                              {"title": "D", "url": "", "summary": ""}, 7]})"),
              "<h2><a href=\"https://x.example/?a&amp;b\">A &lt; B</a></h2>\n<p>&quot;C&quot;</p>\n<h2>D</h2>\n");
    for (auto broken : {"", "[]", "{", R"({"stories": 1})"}) EXPECT_EQ(stories_as_html(broken), "") << broken;
}

}
}
