#include "digest/rehearsal.hpp"

#include <gtest/gtest.h>

namespace postrider::digest {
namespace {

const Time now = parse_rfc3339("2026-11-24T06:00:00Z").value();

// One every `apart`, the newest just now.
std::vector<Considered> came(int count, Duration apart) {
    std::vector<Considered> stories(static_cast<std::size_t>(count));
    for (int i = 0; i < count; ++i) {
        auto& candidate = stories[static_cast<std::size_t>(i)].candidate;
        candidate.story.id = StoryId{i + 1};
        candidate.story.title = "Story";
        candidate.story.published_at = now - i * apart;
        candidate.since = now - i * apart;
        candidate.standing = stories::Standing::candidate;
    }
    return stories;
}

std::vector<RehearsedSlot> days(std::vector<Considered> stories, const Rules& rules, double a_week, int count = 7) {
    return rehearse(std::move(stories), rules, schedule::parse("every day at 07:00").value(), schedule::Zone::utc(),
                    a_week, now, now + count * 24h);
}

TEST(Rehearsal, TheRateIsThatOfTheLastFourWeeksOrOfWhatTheFeedShows) {
    EXPECT_NEAR(stories_a_week(came(28, 24h), now), 7, 0.5);
    EXPECT_NEAR(stories_a_week(came(10, 12h), now), 15.5, 1);
    EXPECT_EQ(stories_a_week(came(1, 1h), now), 0);
    EXPECT_EQ(stories_a_week(came(5, 40 * 24h), now), 0);
}

TEST(Rehearsal, WhatIsThereGoesFirstAndNewStoriesFollow) {
    auto slots = days(came(3, 1h), {}, 14);
    ASSERT_EQ(slots.size(), 7U);
    EXPECT_EQ(slots[0].stories, 3U);
    EXPECT_EQ(slots[1].stories, 2U);
    EXPECT_EQ(slots[6].what, Rehearsed::sends);
}

TEST(Rehearsal, WithoutNewOnesTheLaterSlotsAreSkipped) {
    auto slots = days(came(3, 1h), {.maximum = 2}, 0);
    EXPECT_EQ(slots[0].stories, 2U);
    EXPECT_EQ(slots[1].stories, 1U);
    EXPECT_EQ(slots[2].what, Rehearsed::skips);
    EXPECT_EQ(slots[2].why_not, "there are no stories yet");
}

TEST(Rehearsal, AMinimumMakesSlotsWait) {
    auto slots = days(came(1, 1h), {.minimum = 3}, 7);
    EXPECT_EQ(slots[0].what, Rehearsed::skips);
    EXPECT_EQ(slots[2].what, Rehearsed::sends);
}

TEST(Rehearsal, ASlotThatLeavesMoreOverThanItSendsOverflows) {
    auto slots = days(came(10, 1h), {.maximum = 2}, 70);
    EXPECT_EQ(slots[0].what, Rehearsed::overflows);
    EXPECT_GT(slots[6].left_over, slots[1].left_over);
}

TEST(Rehearsal, FiltersJudgeTheStoriesThatAreMadeUp) {
    auto stories = came(10, 24h);
    for (auto& one : stories) one.candidate.story.categories = {"Sport"};
    Rules rules;
    rules.exclude.push_back(parse_filter("category:sport").value());
    for (auto& slot : days(stories, rules, 50)) EXPECT_EQ(slot.what, Rehearsed::skips);
}

TEST(Rehearsal, AFloodForTenYearsIsBounded) {
    auto slots = days(came(100, 1min), {.maximum = 1}, 1e9, 3660);
    EXPECT_EQ(slots.size(), 3660U);
}

}
}
