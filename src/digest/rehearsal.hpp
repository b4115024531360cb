#pragma once

#include "digest/selection.hpp"
#include "schedule/schedule.hpp"

#include <cstddef>
#include <string>
#include <vector>

// The coming slots of a list in simulated time: what each would send, skip, or leave over.
//
// In:     the list's stories as they are, its rules, its schedule; how many stories a week come in; now.
// Out:    the slots in order.
// Always: pure. New stories are made up, evenly spaced, each like one of the newest there were: of its feed, with its
//         categories and words, so that filters and limits have something to judge. At most 10,000 slots are gone
//         through, and no story is made up while 1,000 wait.

namespace postrider::digest {

// Of the last four weeks, by when stories were published or first seen. 0: there is nothing to guess by.
[[nodiscard]] double stories_a_week(std::span<const Considered>, Time now);

enum class Rehearsed {
    sends,
    overflows, // sends, and leaves over at least as much as it sends
    skips,
};
[[nodiscard]] std::string_view to_text(Rehearsed);

struct RehearsedSlot {
    Time slot;
    std::size_t stories = 0;
    std::size_t left_over = 0;
    Rehearsed what = Rehearsed::skips;
    std::string why_not;
};

[[nodiscard]] std::vector<RehearsedSlot> rehearse(std::vector<Considered> stories, const Rules&,
                                                  const schedule::Schedule&, const schedule::Zone&, double a_week,
                                                  Time now, Time end);

}
