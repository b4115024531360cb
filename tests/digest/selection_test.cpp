#include "digest/selection.hpp"

#include <gtest/gtest.h>

namespace postrider::digest {
namespace {

const Time noon = Time(1'800'000'000'000ms);

Considered story(int id, Duration seen_ago, std::optional<Duration> published_ago = {}) {
    Considered considered;
    considered.candidate.story.id = StoryId{id};
    considered.candidate.story.title = "Story " + std::to_string(id);
    considered.candidate.since = noon - seen_ago;
    considered.candidate.story.first_seen_at = noon - seen_ago;
    considered.candidate.standing = stories::Standing::candidate;
    if (published_ago) considered.candidate.story.published_at = noon - *published_ago;
    return considered;
}

std::vector<std::int64_t> ids(const std::vector<Considered>& stories, const Selection& selection) {
    std::vector<std::int64_t> result;
    for (auto i : selection.chosen) result.push_back(stories[i].candidate.story.id.number);
    return result;
}

TEST(Selection, NewStoriesGoInNewestFirst) {
    std::vector stories{story(1, 3h), story(2, 1h), story(3, 2h)};
    auto selection = select(stories, {});
    EXPECT_EQ(ids(stories, selection), (std::vector<std::int64_t>{2, 3, 1}));
    for (auto& choice : selection.choices) EXPECT_TRUE(choice.in);
}

TEST(Selection, AStoryOfAnEarlierIssueIsNeverRepeated) {
    std::vector stories{story(1, 1h), story(2, 1h)};
    stories[0].issue = 4;
    auto selection = select(stories, {});
    EXPECT_EQ(ids(stories, selection), std::vector<std::int64_t>{2});
    EXPECT_EQ(selection.choices[0].why, "was part of issue 4");
}

TEST(Selection, BelowTheMinimumStoriesWait) {
    std::vector stories{story(1, 1h), story(2, 1h)};
    auto selection = select(stories, {.minimum = 3});
    EXPECT_TRUE(selection.chosen.empty());
    EXPECT_EQ(selection.why_not, "2 new stories, and the minimum is 3");
}

TEST(Selection, AboveTheMaximumTheLongestWaitingGoFirstAndTheOthersAreCarriedOver) {
    std::vector stories{story(1, 1h), story(2, 3h), story(3, 2h)};
    auto selection = select(stories, {.maximum = 2});
    EXPECT_EQ(ids(stories, selection), (std::vector<std::int64_t>{3, 2}));
    EXPECT_FALSE(selection.choices[0].in);
    EXPECT_NE(selection.choices[0].why.find("carried over"), std::string::npos);
    EXPECT_EQ(selection.left_over, 1u);
}

TEST(Selection, WhatIsCarriedOverDoesNotAgeOut) {
    std::vector stories{story(1, 30 * 24h, 30 * 24h)};
    EXPECT_EQ(select(stories, {.look_back = 7 * 24h}).chosen.size(), 1u);
}

TEST(Selection, AStoryThatWasOldWhenFirstSeenStaysOut) {
    std::vector stories{story(1, 1h, 9 * 24h)};
    auto selection = select(stories, {.look_back = 7 * 24h});
    EXPECT_TRUE(selection.chosen.empty());
    EXPECT_EQ(selection.choices[0].why, "was already 215h old when first seen; the look-back is 7d");
}

TEST(Selection, HeldHiddenAndRememberedStoriesStayOutWithTheirReason) {
    std::vector stories{story(1, 1h), story(2, 1h), story(3, 1h)};
    stories[0].candidate.story.state = stories::StoryState::held;
    stories[1].candidate.story.state = stories::StoryState::hidden;
    stories[2].candidate.standing = stories::Standing::remembered;
    auto selection = select(stories, {});
    EXPECT_TRUE(selection.chosen.empty());
    EXPECT_EQ(selection.why_not, "there are no new stories");
    for (auto& choice : selection.choices) EXPECT_FALSE(choice.why.empty());
}

TEST(Selection, EveryStoryHasAReason) {
    std::vector<Considered> stories;
    for (int i = 0; i < 50; ++i) stories.push_back(story(i, Duration(i * 1h)));
    for (auto& choice : select(stories, {.maximum = 20}).choices) EXPECT_FALSE(choice.why.empty());
}

}
}
