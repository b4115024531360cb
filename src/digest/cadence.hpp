#pragma once

#include "schedule/schedule.hpp"

#include <string>
#include <vector>

// Which slots of a schedule a list owes now.
//
// In:     the schedule, its zone, the last slot that was dealt with (or when the schedule was set), and now.
// Out:    every slot since then, in order, each to be filled or to be skipped with a reason.
// Always: pure. At most the newest one is filled: slots missed while nobody was there make one issue, not several. A
// clock that was
//         set back finds nothing due until it has caught up, so no slot comes twice.

namespace postrider::digest {

struct DueSlot {
    Time slot;
    std::string skipped; // why; empty: fill it
};

[[nodiscard]] std::vector<DueSlot> due_slots(const schedule::Schedule& schedule, const schedule::Zone& zone, Time since,
                                             Time now, Duration catch_up);

}
