#include "digest/cadence.hpp"

#include <fmt/format.h>

namespace postrider::digest {
namespace {

// A row for each missed slot is for the operator to see; a thousand of them say no more than that nobody was there.
constexpr std::size_t most_recorded = 1000;

}

std::vector<DueSlot> due_slots(const schedule::Schedule& schedule, const schedule::Zone& zone, Time since, Time now,
                               Duration catch_up) {
    std::vector<DueSlot> due;
    for (auto slot = schedule::next(schedule, zone, since); slot && *slot <= now;
         slot = schedule::next(schedule, zone, *slot)) {
        if (due.size() == most_recorded) due.erase(due.begin());
        due.push_back({*slot, "missed; a later slot was due too"});
    }
    if (due.empty()) return due;
    auto& newest = due.back();
    newest.skipped.clear();
    if (now - newest.slot > catch_up)
        newest.skipped = fmt::format("missed by more than {} ([digest] catch_up)", to_text(catch_up));
    return due;
}

}
