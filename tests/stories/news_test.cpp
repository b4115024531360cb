#include "storage/migrations.hpp"
#include "stories/html.hpp"
#include "stories/news.hpp"
#include "stories/reading.hpp"

#include <gtest/gtest.h>

#include <iostream>

using namespace postrider;
using namespace postrider::stories;

namespace {

const Time now(1'800'000'000'000ms);

class NewsTest : public testing::Test {
protected:
    NewsTest() {
        storage::migrate(connection, embedded::schema(), now);
        list = connection
                   .value<ListId>("INSERT INTO list (slug, title, sender, created_at) VALUES ('daily', 'Daily', "
                                  "'a@b.example', $1) RETURNING id",
                                  now)
                   .value();
    }

    Taken take(FeedId feed, const News& news, Duration at_most = 1h) {
        auto places = Feeds(connection).places_of(feed);
        Taken taken;
        pieces = 0;
        for (std::size_t next = 0; next < news.items.size(); ++pieces)
            next = take_news(connection, feed, places, news, next, news.items.size(), at_most, now, taken);
        return taken;
    }
    FeedId add(const std::string& url, int catch_up = 0) {
        return Feeds(connection).add(url, list, 30min, catch_up, now).feed.id;
    }

    storage::Connection connection{"sqlite::memory:"};
    ListId list;
    int pieces = 0;
};

Feed with(std::vector<FeedItem> items) {
    Feed feed;
    feed.title = "The Courier";
    feed.items = std::move(items);
    return feed;
}

FeedItem item(const std::string& id) {
    FeedItem made;
    made.id = id;
    made.title = "Story " + id;
    return made;
}

// A line break that follows <pre> is not part of its text (HTML section 13.1.2.5), so it goes with each reading.
std::string without_pre_breaks(std::string html) {
    for (auto at = html.find("<pre>\n"); at != html.npos; at = html.find("<pre>\n", at)) html.erase(at + 5, 1);
    return html;
}

TEST_F(NewsTest, ItemsWithoutAnAddressAreKnownByTheirId) {
    auto feed = add("https://a.example/feed"), other = add("https://b.example/feed");
    Feeds(connection).start(feed, list, now);
    Feeds(connection).start(other, list, now);
    auto news = news_of(with({item("1"), item("2")}), "https://a.example/feed", now);
    EXPECT_EQ(take(feed, news).candidates, 2u);
    EXPECT_EQ(take(feed, news).candidates, 0u);
    EXPECT_EQ(take(other, news).candidates, 2u);
}

TEST_F(NewsTest, PiecesBegunAgainEndTheSame) {
    auto feed = add("https://a.example/feed", 1);
    auto news = news_of(with({item("3"), item("2"), item("1")}), "https://a.example/feed", now);
    auto places = Feeds(connection).places_of(feed);
    Taken interrupted;
    EXPECT_EQ(take_news(connection, feed, places, news, 0, 99, 0ms, now, interrupted), 1u);
    auto taken = take(feed, news, 0ms);
    EXPECT_EQ(pieces, 3);
    EXPECT_EQ(interrupted.remembered + taken.remembered, 2u);
    EXPECT_EQ(taken.candidates, 1u);
    for (const auto& candidate : Stories(connection).of_list(list))
        EXPECT_EQ(candidate.standing == Standing::candidate, candidate.story.title == "Story 3");
}

TEST_F(NewsTest, ARemovedFeedBringsNothing) {
    auto feed = add("https://a.example/feed");
    auto places = Feeds(connection).places_of(feed);
    Feeds(connection).remove(feed);
    auto news = news_of(with({item("1"), item("2")}), "https://a.example/feed", now);
    Taken taken;
    EXPECT_EQ(take_news(connection, feed, places, news, 0, 99, 1h, now, taken), 2u);
    EXPECT_TRUE(Stories(connection).of_list(list).empty());
}

TEST_F(NewsTest, AFeedWithoutATitleIsNamedAfterItsHost) {
    auto feed = with({item("1")});
    feed.title.clear();
    EXPECT_EQ(news_of(feed, "https://a.example/feed", now).items[0].story.source, "a.example");
}

TEST_F(NewsTest, APictureWithoutAWordIsAStoryAndAnAddressAloneIsNot) {
    FeedItem picture, address;
    picture.id = picture.url = "https://a.example/1";
    picture.html = "<img src='https://a.example/1.jpg'>";
    address.id = address.url = "https://a.example/2";
    auto news = news_of(with({picture, address}), "https://a.example/feed", now);
    ASSERT_EQ(news.items.size(), 1u);
    EXPECT_EQ(news.items[0].story.title, "The Courier");
    EXPECT_EQ(news.left_out, 1u);
}

TEST_F(NewsTest, EveryFeedOfTheCorporaBecomesSafeBoundedStoriesAndASecondPollBringsNone) {
    if (!reading::corpora()) GTEST_SKIP() << "POSTRIDER_CORPORA does not name a folder: no feeds to read";
    std::size_t feeds = 0;
    for (auto folder : {"feeds-real", "feeds-feedparser", "feeds-rss-parser"}) {
        std::size_t stories = 0, left_out = 0;
        for (const auto& file : std::filesystem::recursive_directory_iterator(*reading::corpora() / folder)) {
            if (!file.is_regular_file()) continue;
            auto url = "https://publisher.example/" + std::to_string(feeds);
            auto parsed = parse_feed(reading::file(file), "", url);
            if (!parsed) continue;
            ++feeds;
            auto news = news_of(*parsed, url, now);
            stories += news.items.size();
            left_out += news.left_out;
            for (const auto& [keys, story, place, bare, waits] : news.items) {
                EXPECT_FALSE(story.title.empty()) << file.path();
                EXPECT_LE(story.published_at.value_or(now), now) << file.path();
                EXPECT_EQ(without_pre_breaks(safe_html(story.html, url)), without_pre_breaks(story.html))
                    << file.path();
            }
            auto id = add(url);
            take(id, news);
            Feeds(connection).start(id, list, now);
            EXPECT_EQ(take(id, news_of(*parsed, url, now)).candidates, 0u) << file.path();
        }
        std::cout << folder << ": " << stories << " stories, " << left_out << " items left out\n";
    }
    EXPECT_GT(feeds, 0u);
    for (const auto& candidate : Stories(connection).of_list(list))
        EXPECT_EQ(candidate.standing, Standing::remembered) << candidate.story.title;
}

}
