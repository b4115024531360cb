#include "digest/notices.hpp"
#include "storage/migrations.hpp"
#include "stories/poll.hpp"
#include "subscribers/lists.hpp"
#include "templates/words.hpp"

#include <gtest/gtest.h>

namespace postrider::digest {
namespace {

using stories::FeedRecord;
using stories::FeedState;

const Time noon = parse_rfc3339("2026-11-24T12:00:00Z").value();

std::vector<std::string> kinds(const std::vector<Trouble>& troubles) {
    std::vector<std::string> found;
    for (auto& one : troubles) found.emplace_back(to_text(one.kind));
    return found;
}
using Kinds = std::vector<std::string>;

FeedRecord feed_with_news_every(Duration gap, int times) {
    FeedRecord feed;
    feed.id = FeedId{7};
    feed.url = "https://ada:secret@a.example/f";
    feed.last_success_at = noon;
    for (int i = times - 1; i >= 0; --i) stories::note_news(feed, noon - i * gap);
    return feed;
}

Issue skipped(int days_ago, const std::string& reason) {
    Issue issue{};
    issue.state = IssueState::skipped;
    issue.slot = noon - days_ago * 24h;
    issue.reason = reason;
    return issue;
}

TEST(Troubles, AFeedIsSilentOnlyForLongerThanItsHabit) {
    auto daily = feed_with_news_every(24h, 10);
    EXPECT_FALSE(is_silent(daily, noon + 47h));
    EXPECT_TRUE(is_silent(daily, noon + 49h));
    auto busy = feed_with_news_every(10min, 100);
    EXPECT_FALSE(is_silent(busy, noon + 23h)) << "a newsroom sleeps at night";
    EXPECT_TRUE(is_silent(busy, noon + 25h));
    EXPECT_FALSE(is_silent(feed_with_news_every(1h, 3), noon + 1000h)) << "three times are no habit";
    busy.state = FeedState::paused;
    EXPECT_FALSE(is_silent(busy, noon + 25h));
}

TEST(Troubles, AWeekendIsPartOfAHabitAndFadesWithinMonths) {
    FeedRecord feed;
    for (int week = 0; week < 4; ++week)
        for (int day = 0; day < 5; ++day) stories::note_news(feed, noon + (week * 7 + day) * 24h);
    EXPECT_GT(feed.habit, 60h);
    auto last = *feed.news_at;
    for (int day = 1; day < 200; ++day) stories::note_news(feed, last + day * 24h);
    EXPECT_EQ(feed.habit, 24h);
}

TEST(Troubles, TheFeedAndNotItsPasswordIsNamed) {
    auto feed = feed_with_news_every(1h, 9);
    feed.state = FeedState::failing;
    feed.last_error = "404 Not Found";
    auto found = troubles_in({{feed}, {}, {}, {}}, noon);
    ASSERT_EQ(kinds(found), Kinds{"feed_failing"});
    EXPECT_EQ(found[0].name, "https://a.example/f");
    EXPECT_EQ(sentence_of(found[0], templates::Languages().words({"en"})),
              "Feed https://a.example/f: cannot be read since 24 November 2026, 12:00 UTC. 404 Not Found");
}

TEST(Troubles, ASlotIsMissedUntilALaterOneIsDealtWithAndThreeEmptyOnesAreTooMany) {
    auto in = [](std::vector<Issue> slots) {
        return kinds(troubles_in({{}, {{"daily", "The Daily", {}, std::move(slots)}}, {}, {}}, noon));
    };
    EXPECT_EQ(in({skipped(0, "missed by more than 12h ([digest] catch_up)")}), Kinds{"slot_missed"});
    EXPECT_EQ(in({skipped(0, "no new stories"), skipped(1, "missed by more than 12h")}), Kinds{});
    EXPECT_EQ(in({skipped(0, "none"), skipped(1, "none"), skipped(2, "none")}), Kinds{"issues_skipped"});
    auto sent = skipped(1, "");
    sent.state = IssueState::sent;
    EXPECT_EQ(in({skipped(0, "none"), sent, skipped(2, "none"), skipped(3, "none")}), Kinds{});
    EXPECT_EQ(kinds(troubles_in({{}, {{"daily", "D", noon - 9min, {}}}, {}, {}}, noon)), Kinds{});
    EXPECT_EQ(kinds(troubles_in({{}, {{"daily", "D", noon - 11min, {}}}, {}, {}}, noon)), Kinds{"slot_overdue"});
}

TEST(Troubles, AnIssueWaitsADayOrUntilItsSlotForItsEditor) {
    Issue issue{};
    issue.id = IssueId{3};
    issue.created_at = noon;
    auto at = [&](Time now) { return troubles_in({{}, {}, {issue}, {}}, now).size(); };
    EXPECT_EQ(at(noon + 23h), 0u);
    EXPECT_EQ(at(noon + 25h), 1u);
    issue.slot = noon + 2h;
    EXPECT_EQ(at(noon + 119min), 0u);
    EXPECT_EQ(at(noon + 121min), 1u);
}

class TheOperator : public testing::Test {
protected:
    TheOperator() {
        storage::migrate(connection, embedded::schema(), noon);
        subscribers::List list;
        list.slug = "daily";
        list.title = "The Daily";
        list.sender = "a@b.example";
        daily = subscribers::Lists(connection).add(list, noon).value().id;
    }
    FeedId feed(FeedState state, const std::string& url = "https://a.example/f") {
        auto feed = stories::Feeds(connection).add(url, daily, 30min, 0, noon).feed;
        feed.state = state;
        feed.last_error = "404 Not Found";
        (void)stories::Feeds(connection).record(feed);
        return feed.id;
    }
    void becomes(FeedId id, FeedState state) {
        auto feed = stories::Feeds(connection).find(id).value();
        feed.state = state;
        (void)stories::Feeds(connection).record(feed);
    }
    Told looks() { return Notices(connection, site, to, relays).take_note(templates::Languages().words({"en"}), now); }
    std::vector<std::string> letters() {
        return connection.all("SELECT message FROM letter WHERE purpose = 'notice' ORDER BY id",
                              [](const storage::Row& row) { return row.get<std::string>(0); });
    }

    storage::Connection connection{"sqlite::memory:"};
    ListId daily;
    SiteWords site{"The Courier", "https://mail.courier.example", "1 Press Square", "",
                   mail::parse_mailbox("The Courier <news@courier.example>").value()};
    std::optional<mail::Address> to = mail::parse_address("desk@courier.example").value();
    std::vector<std::string> relays{"main"};
    Time now = noon;
};

TEST_F(TheOperator, HearsOfATroubleOnceAndOnceWhenItIsOver) {
    auto id = feed(FeedState::failing);
    EXPECT_EQ(looks().begun.size(), 1u);
    ASSERT_EQ(letters().size(), 1u);
    EXPECT_TRUE(letters()[0].contains("Auto-Submitted: auto-generated\r\n")) << letters()[0];
    EXPECT_TRUE(letters()[0].contains("To: desk@courier.example\r\n"));
    EXPECT_TRUE(letters()[0].contains("Content-Type: text/plain"));
    EXPECT_FALSE(letters()[0].contains("List-"));
    for (int i = 0; i < 3; ++i) {
        now += 1h;
        EXPECT_FALSE(looks().mailed);
    }
    becomes(id, FeedState::active);
    EXPECT_EQ(looks().cured.size(), 1u);
    ASSERT_EQ(letters().size(), 2u);
    EXPECT_TRUE(letters()[1].contains("Subject: The Courier: well again")) << letters()[1];
    now += 1h;
    EXPECT_FALSE(looks().mailed);
    becomes(id, FeedState::failing);
    looks();
    EXPECT_EQ(letters().size(), 3u) << "it is a trouble again";
}

TEST_F(TheOperator, HearsOfManyTroublesInOneMail) {
    for (int i = 0; i < 100; ++i) feed(FeedState::failing, "https://a.example/" + std::to_string(i));
    looks();
    ASSERT_EQ(letters().size(), 1u);
    EXPECT_LT(letters()[0].size(), 12'000u);
    EXPECT_EQ(connection.value<int>("SELECT count(*) FROM notice WHERE told_at IS NOT NULL"), 100);
}

TEST_F(TheOperator, GetsABoundedNumberOfMailsADayAndTheRestTheNextDay) {
    for (int i = 0; i < 20; ++i) {
        feed(FeedState::failing, "https://a.example/" + std::to_string(i));
        looks();
        now += 1min;
    }
    EXPECT_EQ(letters().size(), std::size_t(most_mails));
    now += 24h;
    looks();
    EXPECT_EQ(letters().size(), std::size_t(most_mails) + 1);
    EXPECT_EQ(connection.value<int>("SELECT count(*) FROM notice WHERE told_at IS NULL"), 0);
}

TEST_F(TheOperator, IsNotToldOfARelayThatIsBackSoon) {
    auto held = [&](std::optional<Time> until) {
        delivery::note_relay(connection, {"main", until, "421 too busy"}, now);
    };
    held(now + 1min);
    looks();
    now += 10min;
    held(std::nullopt);
    looks();
    EXPECT_TRUE(letters().empty());
    held(now + 1min);
    looks();
    now += 16min;
    looks();
    ASSERT_EQ(letters().size(), 1u);
    EXPECT_TRUE(letters()[0].contains("Relay main")) << letters()[0];
    delivery::note_relay(connection, {"old", now + 1h, "no longer configured"}, now);
    now += 1h;
    EXPECT_TRUE(looks().begun.empty());
}

TEST_F(TheOperator, WhoIsNotNamedGetsNothingAndIsToldAllOnceNamed) {
    to.reset();
    feed(FeedState::gone);
    EXPECT_EQ(looks().begun.size(), 1u) << "the log says it";
    EXPECT_TRUE(looks().begun.empty());
    EXPECT_TRUE(letters().empty());
    to = mail::parse_address("desk@courier.example").value();
    looks();
    EXPECT_EQ(letters().size(), 1u);
}

TEST_F(TheOperator, LookingWritesNothingWhileNothingIsNew) {
    feed(FeedState::failing);
    Notices notices(connection, site, to, relays);
    EXPECT_TRUE(notices.anything_new(notices.troubles(now), now));
    looks();
    EXPECT_FALSE(notices.anything_new(notices.troubles(now), now));
}

}
}
