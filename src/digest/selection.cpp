#include "digest/selection.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace postrider::digest {
namespace {

using stories::StoryState;

// The first rule that keeps the story out; empty: it is eligible.
std::string kept_out(const Considered& considered, const Rules& rules) {
    auto& [story, standing, since] = considered.candidate;
    if (considered.issue && *considered.issue) return fmt::format("was part of issue {}", *considered.issue);
    if (story.state == StoryState::hidden) return "hidden by the operator";
    if (story.state == StoryState::held) return "held by the operator until it is released";
    if (considered.issue) return "is part of a draft";
    if (standing == stories::Standing::remembered) return "was in the feed before the list had it";
    if (story.published_at && since - *story.published_at > rules.look_back) {
        auto age = std::chrono::duration_cast<std::chrono::hours>(since - *story.published_at);
        return fmt::format("was already {} old when first seen; the look-back is {}", to_text(Duration(age)),
                           to_text(rules.look_back));
    }
    return "";
}

Time shown_by(const Considered& considered) {
    return std::min(considered.candidate.story.published_at.value_or(considered.candidate.since),
                    considered.candidate.since);
}

}

Selection select(std::span<const Considered> stories, const Rules& rules) {
    Selection selection;
    std::vector<std::size_t> eligible;
    for (std::size_t i = 0; i < stories.size(); ++i) {
        auto why = kept_out(stories[i], rules);
        if (why.empty()) eligible.push_back(i);
        selection.choices.push_back(
            {stories[i].candidate.story.id, stories[i].candidate.story.title, false, std::move(why)});
    }
    if (eligible.empty()) {
        selection.why_not = stories.empty() ? "there are no stories yet" : "there are no new stories";
        if (auto drafted = std::ranges::count_if(stories, [](auto& one) { return one.issue == 0; }))
            selection.why_not += fmt::format("; {} {} in a draft", drafted, drafted == 1 ? "is" : "are");
        return selection;
    }
    if (eligible.size() < std::size_t(rules.minimum)) {
        selection.why_not = fmt::format("{} new {}, and the minimum is {}", eligible.size(),
                                        eligible.size() == 1 ? "story" : "stories", rules.minimum);
        for (auto i : eligible) selection.choices[i].why = "waits: " + selection.why_not;
        return selection;
    }

    std::stable_sort(eligible.begin(), eligible.end(), [&](auto a, auto b) {
        return std::pair(stories[a].candidate.since, shown_by(stories[a])) <
               std::pair(stories[b].candidate.since, shown_by(stories[b]));
    });
    auto room = std::min(eligible.size(), std::size_t(rules.maximum));
    for (auto i : std::span(eligible).subspan(room))
        selection.choices[i].why = fmt::format("carried over to the next issue: the maximum is {}", rules.maximum);
    selection.left_over = eligible.size() - room;

    selection.chosen.assign(eligible.begin(), eligible.begin() + std::ptrdiff_t(room));
    std::ranges::stable_sort(selection.chosen,
                             [&](auto a, auto b) { return shown_by(stories[a]) > shown_by(stories[b]); });
    for (std::size_t place = 0; place < selection.chosen.size(); ++place) {
        auto& choice = selection.choices[selection.chosen[place]];
        choice.in = true;
        choice.why = fmt::format("new, number {} of {}", place + 1, selection.chosen.size());
    }
    return selection;
}

}
