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
    auto selection = select(stories, {}, noon);
    EXPECT_EQ(ids(stories, selection), (std::vector<std::int64_t>{2, 3, 1}));
    for (auto& choice : selection.choices) EXPECT_TRUE(choice.in);
}

TEST(Selection, AStoryOfAnEarlierIssueIsNeverRepeated) {
    std::vector stories{story(1, 1h), story(2, 1h)};
    stories[0].issue = 4;
    auto selection = select(stories, {}, noon);
    EXPECT_EQ(ids(stories, selection), std::vector<std::int64_t>{2});
    EXPECT_EQ(selection.choices[0].why, "was part of issue 4");
}

TEST(Selection, BelowTheMinimumStoriesWait) {
    std::vector stories{story(1, 1h), story(2, 1h)};
    auto selection = select(stories, {.minimum = 3}, noon);
    EXPECT_TRUE(selection.chosen.empty());
    EXPECT_EQ(selection.why_not, "2 new stories, and the minimum is 3");
}

TEST(Selection, AboveTheMaximumTheLongestWaitingGoFirstAndTheOthersAreCarriedOver) {
    std::vector stories{story(1, 1h), story(2, 3h), story(3, 2h)};
    auto selection = select(stories, {.maximum = 2}, noon);
    EXPECT_EQ(ids(stories, selection), (std::vector<std::int64_t>{3, 2}));
    EXPECT_FALSE(selection.choices[0].in);
    EXPECT_NE(selection.choices[0].why.find("carried over"), std::string::npos);
    EXPECT_EQ(selection.left_over, 1u);
}

TEST(Selection, WhatIsCarriedOverDoesNotAgeOut) {
    std::vector stories{story(1, 30 * 24h, 30 * 24h)};
    EXPECT_EQ(select(stories, {.look_back = 7 * 24h}, noon).chosen.size(), 1u);
}

TEST(Selection, AStoryThatWasOldWhenFirstSeenStaysOut) {
    std::vector stories{story(1, 1h, 9 * 24h)};
    auto selection = select(stories, {.look_back = 7 * 24h}, noon);
    EXPECT_TRUE(selection.chosen.empty());
    EXPECT_EQ(selection.choices[0].why, "was already 215h old when first seen; the look-back is 7d");
}

TEST(Selection, HeldHiddenAndRememberedStoriesStayOutWithTheirReason) {
    std::vector stories{story(1, 1h), story(2, 1h), story(3, 1h)};
    stories[0].candidate.story.state = stories::StoryState::held;
    stories[1].candidate.story.state = stories::StoryState::hidden;
    stories[2].candidate.standing = stories::Standing::remembered;
    auto selection = select(stories, {}, noon);
    EXPECT_TRUE(selection.chosen.empty());
    EXPECT_EQ(selection.why_not, "there are no new stories");
    for (auto& choice : selection.choices) EXPECT_FALSE(choice.why.empty());
}

TEST(Selection, EveryStoryHasAReason) {
    std::vector<Considered> stories;
    for (int i = 0; i < 50; ++i) stories.push_back(story(i, Duration(i * 1h)));
    for (auto& choice : select(stories, {.maximum = 20}, noon).choices) EXPECT_FALSE(choice.why.empty());
}

std::string why(const Selection& selection, std::size_t i) { return selection.choices.at(i).why; }
std::vector<std::int64_t> shown(const std::vector<Considered>& stories, const Rules& rules) {
    return ids(stories, select(stories, rules, noon));
}
Considered of_feed(Considered considered, int feed, int weight = 0, int place = 0) {
    considered.candidate.feed = FeedId{feed};
    considered.candidate.feed_title = "Feed " + std::to_string(feed);
    considered.candidate.weight = weight;
    considered.candidate.place = place;
    return considered;
}
Considered about(int id, const std::string& title, std::vector<std::string> categories = {}) {
    auto considered = story(id, 1h);
    considered.candidate.story.title = title;
    considered.candidate.story.categories = std::move(categories);
    return considered;
}

using Ids = std::vector<std::int64_t>;

TEST(Order, IsNewestOldestByFeedOrByWeight) {
    std::vector stories{of_feed(story(1, 4h), 2, 0, 0), of_feed(story(2, 3h), 1, 5, 1), of_feed(story(3, 3h), 1, 5, 0),
                        of_feed(story(4, 1h), 2, 0, 0)};
    EXPECT_EQ(shown(stories, {.sequence = Sequence::newest}), (Ids{4, 2, 3, 1}));
    EXPECT_EQ(shown(stories, {.sequence = Sequence::oldest}), (Ids{1, 2, 3, 4}));
    EXPECT_EQ(shown(stories, {.sequence = Sequence::feed}), (Ids{3, 2, 4, 1}));
    EXPECT_EQ(shown(stories, {.sequence = Sequence::weight}), (Ids{2, 3, 4, 1}));
}

TEST(Order, TheHeaviestFeedIsPickedFirstWhereWeightCounts) {
    std::vector stories{of_feed(story(1, 9h), 1), of_feed(story(2, 1h), 2, 3)};
    EXPECT_EQ(shown(stories, {.maximum = 1, .sequence = Sequence::weight}), Ids{2});
    EXPECT_EQ(shown(stories, {.maximum = 1}), Ids{1});
}

TEST(Limits, AtMostSoManyOfAFeedTheOthersAreCarriedOver) {
    std::vector stories{of_feed(story(1, 3h), 1), of_feed(story(2, 2h), 1), of_feed(story(3, 1h), 2), story(4, 1h),
                        story(5, 1h)};
    auto selection = select(stories, {.per_feed = 1}, noon);
    EXPECT_EQ(ids(stories, selection), (Ids{3, 4, 5, 1}));
    EXPECT_EQ(why(selection, 1), "carried over to the next issue: at most 1 of a feed, and Feed 1 has them");
    EXPECT_EQ(selection.left_over, 1U);
}

TEST(Limits, AtMostSoManyOfATopic) {
    std::vector stories{about(1, "A", {"Politics"}), about(2, "B", {"politics"}), about(3, "C")};
    Rules rules{.per_topic = 1};
    rules.topics.push_back(parse_topic("World = politics, war").value());
    auto selection = select(stories, rules, noon);
    EXPECT_EQ(ids(stories, selection), (Ids{1, 3}));
    EXPECT_EQ(why(selection, 1), "carried over to the next issue: at most 1 of a topic, and World has them");
}

TEST(Limits, AnIssueThatTheyMakeTooSmallIsNotSent) {
    std::vector stories{of_feed(story(1, 3h), 1), of_feed(story(2, 2h), 1)};
    auto selection = select(stories, {.minimum = 2, .per_feed = 1}, noon);
    EXPECT_TRUE(selection.chosen.empty());
    EXPECT_EQ(selection.why_not, "2 new stories, but room for 1 of them, and the minimum is 2");
}

TEST(Filters, WordsAreWholeAndLetterCaseDoesNotMatter) {
    auto matching = [](const char* filter, const char* title) {
        return matches(parse_filter(filter).value(), about(1, title).candidate.story);
    };
    EXPECT_TRUE(matching("football", "FOOTBALL: a draw"));
    EXPECT_FALSE(matching("ball", "Football: a draw"));
    EXPECT_TRUE(matching("foot*", "Football: a draw"));
    EXPECT_TRUE(matching("prime minister", "The Prime Minister's day"));
    EXPECT_TRUE(matching("\xC3\xBC"
                         "bung",
                         "\xC3\x9C"
                         "bung, macht den Meister")); // U-umlaut
    EXPECT_FALSE(matching("bung", "\xC3\x9C"
                                  "bung"));
    EXPECT_TRUE(matching("\xE5\xA4\xA7", "\xE4\xB8\xAD\xE5\xA4\xA7\xE4\xBA\xBA")); // a script without spaces
    EXPECT_FALSE(parse_filter("  "));
    EXPECT_FALSE(parse_filter("category: "));
}

TEST(Filters, WhatTheListExcludesOrDoesNotIncludeStaysOutWithTheFilter) {
    std::vector stories{about(1, "Goals", {"Sport"}), about(2, "Votes", {"Politics"}), about(3, "Sponsored votes")};
    Rules rules;
    rules.exclude.push_back(parse_filter("sponsored").value());
    rules.include.push_back(parse_filter("category:politics").value());
    auto selection = select(stories, rules, noon);
    EXPECT_EQ(ids(stories, selection), Ids{2});
    EXPECT_EQ(why(selection, 0), "does not match \"category:politics\", and the list takes nothing else");
    EXPECT_EQ(why(selection, 2), "matches \"sponsored\", which the list excludes");
}

TEST(Topics, AreTheFirstOfTheListThatFitElseTheStorysOwn) {
    Rules rules;
    rules.topics = {parse_topic("World = politics").value(), parse_topic("Rest = *").value()};
    EXPECT_EQ(topic_of(about(1, "A", {"Local", "Politics"}).candidate.story, rules), "World");
    EXPECT_EQ(topic_of(about(1, "A").candidate.story, rules), "Rest");
    EXPECT_EQ(topic_of(about(1, "A", {"Local"}).candidate.story, {}), "Local");
    EXPECT_FALSE(parse_topic("World"));
    EXPECT_FALSE(parse_topic("= x"));
}

TEST(Moments, AnEmbargoHoldsUntilItsTimeAndIsNoWaiting) {
    std::vector stories{story(1, 48h)};
    stories[0].candidate.story.not_before = noon + 1h;
    EXPECT_TRUE(select(stories, {}, noon).choices[0].why.starts_with("is under embargo until 2027-01-15T"));
    EXPECT_EQ(select(stories, {.expiry = 24h}, noon + 2h).chosen.size(), 1U);
}

TEST(Moments, AStoryExpiresByItsOwnTimeOrTheLists) {
    std::vector stories{story(1, 48h), story(2, 1h)};
    stories[1].candidate.story.expires_at = noon;
    auto selection = select(stories, {.expiry = 24h}, noon);
    EXPECT_EQ(why(selection, 0), "expired: it has waited for 2d, and the list lets stories wait for 1d");
    EXPECT_TRUE(why(selection, 1).starts_with("expired at "));
}

TEST(Pins, GoFirstWhateverTheFiltersAndTheirAgeButNotPastAHold) {
    std::vector stories{story(1, 1h), story(2, 99h, 999h), story(3, 1h)};
    stories[1].candidate.standing = stories::Standing::remembered;
    stories[1].candidate.story.pinned_at = noon;
    stories[2].candidate.story.pinned_at = noon - 1h;
    stories[2].candidate.story.state = stories::StoryState::held;
    Rules rules{.maximum = 1};
    rules.exclude.push_back(parse_filter("story").value());
    auto selection = select(stories, rules, noon);
    EXPECT_EQ(ids(stories, selection), Ids{2});
    EXPECT_EQ(why(selection, 1), "pinned, number 1 of 1");
    EXPECT_EQ(why(selection, 2), "held by the operator until it is released");
}

TEST(Resending, AStoryMayGoOutOnceMoreWhateverItsAge) {
    std::vector stories{story(1, 99h, 9999h)};
    stories[0].before = 3;
    EXPECT_EQ(why(select(stories, {.expiry = 1h}, noon), 0),
              "again, as the operator asked (it was part of issue 3), number 1 of 1");
}

}
}
