#pragma once

#include "digest/rules.hpp"
#include "stories/stories.hpp"

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

// Which stories go into a list's next issue, and for each of the others the first rule that kept it out.
//
// In:     every story of the list, the number of the issue each was part of already (the ledger), the list's rules, now.
// Out:    a choice for each story, with a reason a person can read; whether that makes an issue.
// Always: pure. By the ledger, never by a date window: a story is chosen once, and one that finds no room waits for the
//         next issue and does not age out, unless the list or the story says when. Pinned ones first, whatever the
//         list's filters say; then the longest waiting, or those of the heaviest feed, so that nothing waits for ever.
//         How they are shown is another matter: newest first, unless the list says otherwise.

namespace postrider::digest {

struct Considered {
    stories::Candidate candidate;
    std::optional<int> issue;       // the number of the issue it is part of; 0: a draft
    std::optional<int> before = {}; // of the issue it was part of before the operator asked to send it again
};

// When it was published, or first seen for the list if that was earlier.
[[nodiscard]] Time came_at(const Considered&);

struct Choice {
    StoryId story;
    std::string title;
    bool in;
    std::string why;
};

struct Selection {
    std::vector<std::size_t>
        chosen;                  // indexes into the considered stories, in the order they are shown; empty: no issue
    std::vector<Choice> choices; // one for each considered story, in the same order
    std::size_t left_over = 0;   // eligible, but without room in this issue
    std::string why_not;         // why there is no issue
};

[[nodiscard]] Selection select(std::span<const Considered> stories, const Rules& rules, Time now);

}
