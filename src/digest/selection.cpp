#include "digest/selection.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>

namespace postrider::digest {
namespace {

using stories::StoryState;

std::string whole_hours(Duration length) {
    return postrider::to_text(Duration(std::chrono::duration_cast<std::chrono::hours>(length)));
}

// What the list's filters say; empty: they let it in.
std::string filtered_out(const stories::Story& story, const Rules& rules) {
    for (auto& filter : rules.exclude)
        if (matches(filter, story)) return fmt::format("matches \"{}\", which the list excludes", filter.text);
    if (rules.include.empty() || std::ranges::any_of(rules.include, [&](auto& one) { return matches(one, story); }))
        return "";
    if (rules.include.size() == 1)
        return fmt::format("does not match \"{}\", and the list takes nothing else", rules.include.front().text);
    return fmt::format("matches none of the {} things that the list includes", rules.include.size());
}

// How long it has waited: an embargo is no waiting.
Duration waited(const stories::Candidate& candidate, Time now) {
    return now - std::max(candidate.since, candidate.story.not_before.value_or(Time()));
}

// The first rule that keeps the story out; empty: it is eligible.
std::string kept_out(const Considered& considered, const Rules& rules, Time now) {
    auto& candidate = considered.candidate;
    auto& story = candidate.story;
    if (considered.issue && *considered.issue) return fmt::format("was part of issue {}", *considered.issue);
    if (story.state == StoryState::hidden) return "hidden by the operator";
    if (story.state == StoryState::held) return "held by the operator until it is released";
    if (considered.issue) return "is part of a draft";
    if (story.not_before && *story.not_before > now)
        return fmt::format("is under embargo until {}", rfc3339(*story.not_before));
    if (story.expires_at && *story.expires_at <= now) return fmt::format("expired at {}", rfc3339(*story.expires_at));
    if (story.pinned_at) return "";
    if (!considered.before) {
        if (candidate.standing == stories::Standing::remembered) return "was in the feed before the list had it";
        if (story.published_at && candidate.since - *story.published_at > rules.look_back)
            return fmt::format("was already {} old when first seen; the look-back is {}",
                               whole_hours(candidate.since - *story.published_at), postrider::to_text(rules.look_back));
        if (rules.expiry && waited(candidate, now) > *rules.expiry)
            return fmt::format("expired: it has waited for {}, and the list lets stories wait for {}",
                               whole_hours(waited(candidate, now)), postrider::to_text(*rules.expiry));
    }
    return filtered_out(story, rules);
}

// Who is picked first: pinned stories as they were pinned, then by the weight of their feeds where it counts, then the
// longest waiting.
auto picked_by(const Considered& considered, const Rules& rules) {
    auto& story = considered.candidate.story;
    const int weight = rules.sequence == Sequence::weight ? considered.candidate.weight : 0;
    return std::tuple(story.pinned_at.value_or(Time::max()), -weight, considered.candidate.since, came_at(considered));
}

bool shown_before(const Considered& a, const Considered& b, const Rules& rules) {
    auto pinned = [](const Considered& one) { return one.candidate.story.pinned_at.value_or(Time::max()); };
    if (pinned(a) != pinned(b)) return pinned(a) < pinned(b);
    auto& left = a.candidate;
    auto& right = b.candidate;
    switch (rules.sequence) {
    case Sequence::newest: return came_at(a) > came_at(b);
    case Sequence::oldest: return came_at(a) < came_at(b);
    case Sequence::weight: return std::tuple(-left.weight, came_at(b)) < std::tuple(-right.weight, came_at(a));
    case Sequence::feed: break;
    }
    // A feed keeps its newest at the top, so what it brought last comes first, and of that the top.
    return std::tuple(left.feed, right.since, left.place) < std::tuple(right.feed, left.since, right.place);
}

// Gives out the places of an issue.
class Places {
public:
    explicit Places(const Rules& rules) : rules_(rules) {}

    // Empty: it has one. A pinned story takes its place whatever its feed and topic have had.
    std::string take(const Considered& considered) {
        auto& candidate = considered.candidate;
        const auto topic = topic_of(candidate.story, rules_);
        int none = 0;
        int& of_feed = candidate.feed ? of_feed_[*candidate.feed] : none;
        int& of_topic = topic.empty() ? none : of_topic_[topic];
        const bool pinned = candidate.story.pinned_at.has_value();
        if (taken_ >= rules_.maximum)
            return fmt::format("carried over to the next issue: the maximum is {}", rules_.maximum);
        if (!pinned && rules_.per_feed > 0 && of_feed >= rules_.per_feed)
            return fmt::format("carried over to the next issue: at most {} of a feed, and {} has them", rules_.per_feed,
                               candidate.feed_title.empty() ? "its own" : candidate.feed_title);
        if (!pinned && rules_.per_topic > 0 && of_topic >= rules_.per_topic)
            return fmt::format("carried over to the next issue: at most {} of a topic, and {} has them",
                               rules_.per_topic, topic);
        ++taken_;
        ++of_feed;
        ++of_topic;
        return "";
    }

private:
    const Rules& rules_;
    int taken_ = 0;
    std::map<FeedId, int> of_feed_;
    std::map<std::string, int> of_topic_;
};

std::string why_in(const Considered& considered, std::size_t place, std::size_t count) {
    std::string how = "new";
    if (considered.candidate.story.pinned_at) how = "pinned";
    if (considered.before)
        how = fmt::format("again, as the operator asked (it was part of issue {})", *considered.before);
    return fmt::format("{}, number {} of {}", how, place + 1, count);
}

std::string nothing_new(std::span<const Considered> stories) {
    if (stories.empty()) return "there are no stories yet";
    auto drafted = std::ranges::count_if(stories, [](auto& one) { return one.issue == 0; });
    if (drafted == 0) return "there are no new stories";
    return fmt::format("there are no new stories; {} {} in a draft", drafted, drafted == 1 ? "is" : "are");
}

}

Time came_at(const Considered& considered) {
    return std::min(considered.candidate.story.published_at.value_or(considered.candidate.since),
                    considered.candidate.since);
}

Selection select(std::span<const Considered> stories, const Rules& rules, Time now) {
    Selection selection;
    std::vector<std::size_t> eligible;
    for (std::size_t i = 0; i < stories.size(); ++i) {
        auto why = kept_out(stories[i], rules, now);
        if (why.empty()) eligible.push_back(i);
        selection.choices.push_back(
            {stories[i].candidate.story.id, stories[i].candidate.story.title, false, std::move(why)});
    }
    if (eligible.empty()) {
        selection.why_not = nothing_new(stories);
        return selection;
    }

    std::ranges::stable_sort(eligible, {}, [&](auto i) { return picked_by(stories[i], rules); });
    Places places(rules);
    std::vector<std::size_t> chosen;
    for (auto i : eligible) {
        auto why = places.take(stories[i]);
        if (why.empty())
            chosen.push_back(i);
        else
            selection.choices[i].why = std::move(why);
    }
    if (chosen.size() < std::size_t(rules.minimum)) {
        selection.why_not = fmt::format("{} new {}", eligible.size(), eligible.size() == 1 ? "story" : "stories");
        if (chosen.size() < eligible.size())
            selection.why_not += fmt::format(", but room for {} of them", chosen.size());
        selection.why_not += fmt::format(", and the minimum is {}", rules.minimum);
        for (auto i : chosen) selection.choices[i].why = "waits: " + selection.why_not;
        return selection;
    }
    selection.left_over = eligible.size() - chosen.size();
    selection.chosen = std::move(chosen);
    std::ranges::stable_sort(selection.chosen,
                             [&](auto a, auto b) { return shown_before(stories[a], stories[b], rules); });
    for (std::size_t place = 0; place < selection.chosen.size(); ++place) {
        auto& choice = selection.choices[selection.chosen[place]];
        choice.in = true;
        choice.why = why_in(stories[selection.chosen[place]], place, selection.chosen.size());
    }
    return selection;
}

}
