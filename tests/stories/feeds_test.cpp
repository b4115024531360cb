#include "storage/migrations.hpp"
#include "stories/feeds.hpp"
#include "stories/poll.hpp"

#include <gtest/gtest.h>

#include <filesystem>

using namespace postrider;
using namespace postrider::stories;

namespace {

const Time noon(1'800'000'000'000ms);

class FeedsTest : public testing::Test {
protected:
    FeedsTest() {
        storage::migrate(connection, embedded::schema(), noon);
        first = add_list("first");
        second = add_list("second");
    }
    // The room of lists lies above this one.
    ListId add_list(std::string_view slug) {
        return connection
            .value<ListId>(
                "INSERT INTO list (slug, title, sender, created_at) VALUES ($1, $1, 'a@b.example', $2) RETURNING id",
                slug, noon)
            .value();
    }
    FeedRecord add(const std::string& url = "https://a.example/feed") {
        return feeds.add(url, first, 30min, 0, noon).feed;
    }

    storage::Connection connection{"sqlite::memory:"};
    Feeds feeds{connection};
    ListId first, second;
};

TEST_F(FeedsTest, AnAddressIsKeptOnceAndServesSeveralLists) {
    auto once = feeds.add("https://a.example/feed", first, 30min, 0, noon);
    auto again = feeds.add("https://a.example/feed", second, 1h, 3, noon);
    EXPECT_TRUE(once.new_feed && once.new_for_list && again.new_for_list);
    EXPECT_FALSE(again.new_feed);
    EXPECT_EQ(once.feed.id, again.feed.id);
    EXPECT_EQ(again.feed.every, 30min);
    EXPECT_EQ(feeds.lists_of(once.feed.id), (std::vector{first, second}));
    EXPECT_EQ(feeds.places_of(once.feed.id)[1].catch_up, 3);
    EXPECT_FALSE(feeds.add("https://a.example/feed", second, 1h, 0, noon).new_for_list);
    EXPECT_EQ(feeds.all().size(), 1u);
}

TEST_F(FeedsTest, WhatIsDueComesLongestDueFirstAndIsClaimedOnce) {
    auto late = add("https://a.example/1");
    auto later = feeds.add("https://a.example/2", first, 30min, 0, noon - 1h).feed;
    auto due = feeds.due(noon, 10);
    ASSERT_EQ(due.size(), 2u);
    EXPECT_EQ(due[0].id, later.id);
    EXPECT_EQ(feeds.due(noon, 1).size(), 1u);
    EXPECT_TRUE(feeds.claim(late.id, noon, noon + 5min));
    EXPECT_FALSE(feeds.claim(late.id, noon, noon + 5min));
    EXPECT_EQ(feeds.due(noon, 10).size(), 1u);
    EXPECT_EQ(feeds.next_due(), noon - 1h);
}

TEST_F(FeedsTest, APausedFeedIsNotDueUntilItIsResumed) {
    auto feed = add();
    EXPECT_TRUE(feeds.pause(feed.id));
    EXPECT_TRUE(feeds.due(noon, 10).empty());
    EXPECT_EQ(feeds.next_due(), std::nullopt);
    EXPECT_TRUE(feeds.resume(feed.id, noon));
    EXPECT_EQ(feeds.due(noon, 10).size(), 1u);
    EXPECT_FALSE(feeds.pause(FeedId{99}));
}

TEST_F(FeedsTest, ARunningRetryAfterOutlivesAResume) {
    auto feed = add();
    feed.retry_after_until = noon + 1h;
    feeds.record(feed);
    feeds.resume(feed.id, noon);
    EXPECT_TRUE(feeds.due(noon, 10).empty());
    EXPECT_EQ(feeds.next_due(), noon + 1h);
    EXPECT_EQ(feeds.due(noon + 1h, 10).size(), 1u);
}

TEST_F(FeedsTest, PausingDuringAPollHoldsAgainstItsOutcome) {
    auto feed = add();
    feeds.start(feed.id, first, noon);
    feeds.pause(feed.id);
    EXPECT_TRUE(feeds.record(feed));
    EXPECT_EQ(feeds.find(feed.id)->state, FeedState::paused);
}

TEST_F(FeedsTest, ARemovedFeedTakesNothingWithItAndRecordsNothing) {
    auto feed = add();
    EXPECT_TRUE(feeds.remove(feed.id));
    EXPECT_FALSE(feeds.remove(feed.id));
    EXPECT_FALSE(feeds.record(feed));
    EXPECT_TRUE(feeds.all().empty());
}

TEST_F(FeedsTest, AListGivenDuringAPollIsDueAtOnce) {
    auto feed = add();
    feeds.start(feed.id, first, noon);
    feeds.give_to_list(feed.id, second, 0, noon);
    feed.last_polled_at = noon;
    feed.next_poll_at = noon + 1h;
    feeds.record(feed);
    EXPECT_EQ(feeds.next_due(), noon);
    feeds.start(feed.id, second, noon);
    feeds.record(feed);
    EXPECT_EQ(feeds.next_due(), noon + 1h);
}

TEST_F(FeedsTest, AFeedKeepsItsAddressWhenAnotherFeedHasTheNewOne) {
    auto feed = add("https://a.example/old");
    add("https://a.example/new");
    feed.url = "https://a.example/new";
    feed.title = "moved";
    EXPECT_TRUE(feeds.record(feed));
    EXPECT_EQ(feeds.find(feed.id)->url, "https://a.example/old");
    EXPECT_EQ(feeds.find(feed.id)->title, "moved");
}

// ---- the policy

FeedRecord hourly() {
    FeedRecord feed;
    feed.url = "https://a.example/feed";
    feed.every = 1h;
    feed.etag = "W/\"x\"";
    return feed;
}

http::Fetched status(int code) {
    http::Fetched answer;
    answer.status = code;
    return answer;
}

const BodyResult good = FeedFacts{"The Courier", std::nullopt};

FeedRecord polled(FeedRecord feed, const http::Fetched& answer, double chance = 0) {
    std::optional<BodyResult> body;
    if (answer.status == 200) body = good;
    return after_poll(std::move(feed), answer, body, noon, chance, PollSettings{});
}

TEST(PollPolicy, A304KeepsWhatWeHadAndCountsAsWell) {
    auto feed = hourly();
    feed.failures = 2;
    auto after = polled(feed, status(304));
    EXPECT_EQ(after.etag, "W/\"x\"");
    EXPECT_EQ(after.failures, 0);
    EXPECT_EQ(after.next_poll_at, noon + 1h);
    EXPECT_EQ(after.last_success_at, noon);
}

TEST(PollPolicy, ANewCopyBringsNewValidatorsAndForgetsOldOnes) {
    auto answer = status(200);
    answer.last_modified = "Tue, 24 Nov 2026 08:00:00 GMT";
    auto after = polled(hourly(), answer);
    EXPECT_EQ(after.etag, "");
    EXPECT_EQ(after.last_modified, answer.last_modified);
    EXPECT_EQ(after.title, "The Courier");
}

TEST(PollPolicy, ChanceAddsAtMostATenth) {
    EXPECT_GT(polled(hourly(), status(304), 0.999).next_poll_at, noon + 65min);
    EXPECT_LE(polled(hourly(), status(304), 0.999).next_poll_at, noon + 66min);
}

TEST(PollPolicy, MaxAgeAndTtlMakeItRarerButNeverRarerThanADay) {
    auto answer = status(304);
    answer.max_age = 3h;
    EXPECT_EQ(polled(hourly(), answer).next_poll_at, noon + 3h);
    answer.max_age = 8760h;
    EXPECT_EQ(polled(hourly(), answer).next_poll_at, noon + 24h);
    answer.max_age = 10s;
    EXPECT_EQ(polled(hourly(), answer).next_poll_at, noon + 1h);

    std::optional<BodyResult> body = FeedFacts{"", 2h};
    EXPECT_EQ(after_poll(hourly(), status(200), body, noon, 0, PollSettings{}).next_poll_at, noon + 2h);
}

TEST(PollPolicy, AServerWithoutValidatorsIsAskedOnceAnHour) {
    auto feed = hourly();
    feed.every = 10min;
    EXPECT_EQ(polled(feed, status(200)).next_poll_at, noon + 1h);
    auto answer = status(200);
    answer.etag = "\"y\"";
    EXPECT_EQ(polled(feed, answer).next_poll_at, noon + 10min);
}

TEST(PollPolicy, BackOffGrowsToADayAndTheThirdFailureMakesItFailing) {
    auto feed = hourly();
    std::vector<Duration> waits;
    std::vector<FeedState> states;
    for (int i = 0; i < 8; ++i) {
        feed = polled(feed, status(500));
        waits.push_back(feed.next_poll_at - noon);
        states.push_back(feed.state);
    }
    EXPECT_EQ(waits, (std::vector<Duration>{30min, 1h, 2h, 4h, 8h, 16h, 24h, 24h}));
    EXPECT_EQ(states[1], FeedState::active);
    EXPECT_EQ(states[2], FeedState::failing);
    EXPECT_EQ(feed.last_error, "500 Internal Server Error");
    feed = polled(feed, status(304));
    EXPECT_EQ(feed.state, FeedState::active);
    EXPECT_EQ(feed.last_error, "");
}

TEST(PollPolicy, RetryAfterIsKeptAndNeverShortensTheInterval) {
    auto answer = status(503);
    answer.retry_after = 2h;
    auto after = polled(hourly(), answer);
    EXPECT_EQ(after.retry_after_until, noon + 2h);
    EXPECT_EQ(after.next_poll_at, noon + 2h);
    EXPECT_EQ(after.last_error, "503 Service Unavailable; it asks not to be asked before " + rfc3339(noon + 2h));
    answer.status = 429;
    answer.retry_after = 1s;
    EXPECT_EQ(polled(hourly(), answer).next_poll_at, noon + 1h);
    answer.retry_after = 9000h;
    EXPECT_EQ(polled(hourly(), answer).retry_after_until, noon + 168h);
}

TEST(PollPolicy, GoneIsGoneAtOnceButPausedStaysPaused) {
    EXPECT_EQ(polled(hourly(), status(410)).state, FeedState::gone);
    auto feed = hourly();
    feed.state = FeedState::paused;
    EXPECT_EQ(polled(feed, status(410)).state, FeedState::paused);
    EXPECT_EQ(polled(feed, status(304)).state, FeedState::paused);
}

TEST(PollPolicy, ThePermanentAddressIsLearntTheThirdTimeInARow) {
    auto answer = status(304);
    answer.permanent_url = "https://a.example/new";
    auto feed = polled(polled(hourly(), answer), answer);
    EXPECT_EQ(feed.url, "https://a.example/feed");
    EXPECT_EQ(polled(feed, answer).url, "https://a.example/new");

    auto interrupted = polled(polled(feed, status(304)), answer);
    EXPECT_EQ(interrupted.url, "https://a.example/feed");
    EXPECT_EQ(interrupted.moved_times, 1);
}

TEST(PollPolicy, APermanentRedirectToSomethingBrokenIsNotLearnt) {
    auto answer = status(404);
    answer.permanent_url = "https://a.example/new";
    auto feed = hourly();
    for (int i = 0; i < 5; ++i) feed = polled(feed, answer);
    EXPECT_EQ(feed.url, "https://a.example/feed");
}

TEST(PollPolicy, WhatIsNoFeedLeavesTheValidatorsAlone) {
    auto answer = status(200);
    answer.etag = "\"of the login page\"";
    std::optional<BodyResult> body = std::unexpected("this is an HTML page titled \"Login\", not a feed");
    auto after = after_poll(hourly(), answer, body, noon, 0, PollSettings{});
    EXPECT_EQ(after.etag, "W/\"x\"");
    EXPECT_EQ(after.last_error, body->error());
    EXPECT_EQ(after.failures, 1);
}

TEST(PollPolicy, HoursAndDaysThatThePublisherWantsSkippedAreSkipped) {
    FeedFacts facts;
    facts.skip_hours = 0xFFFFFF & ~(1U << 3); // only from three to four
    std::optional<BodyResult> body = facts;
    auto next = after_poll(hourly(), status(200), body, noon, 0, PollSettings{}).next_poll_at;
    EXPECT_EQ(rfc3339(next).substr(11, 3), "03:") << rfc3339(next);
    EXPECT_LT(next - noon, 24h);
    facts.skip_hours = 0;
    facts.skip_days = 0x7F & ~(1U << 1); // only on Mondays
    body = facts;
    auto day = std::chrono::floor<std::chrono::days>(
        after_poll(hourly(), status(200), body, noon, 0, PollSettings{}).next_poll_at);
    EXPECT_EQ(std::chrono::weekday(day), std::chrono::Monday);
}

TEST(PollPolicy, WhatIsTooMuchAtOnceDependsOnWhatIsUsual) {
    auto feed = hourly();
    feed.items = 20;
    EXPECT_EQ(most_news(feed, noon), 100U);
    feed.items = 300;
    EXPECT_EQ(most_news(feed, noon), 900U);
    feed.state = FeedState::failing;
    EXPECT_EQ(most_news(feed, noon), 300U);
    feed.state = FeedState::active;
    feed.last_success_at = noon - 30 * 24h;
    feed.items = 20;
    EXPECT_EQ(most_news(feed, noon), 50U);
}

}
