#pragma once

#include "system/time.hpp"

#include <optional>
#include <string_view>

// Dates as feeds and pages write them.
//
// In:   RFC 822 in all its wear (two-digit years, named and military zones, a wrong or missing weekday, other orders
//       and separators, European month names), ISO 8601 and its W3C profile down to a bare year, asctime, seconds
//       since 1970.
// Out:  the moment in UTC. A missing zone is UTC, a missing time midnight; the 31st of a shorter month is the 1st of
//       the next.
// Always: nothing rather than a guess: "06/07/2026" could be two days, year 1 is a program's zero. Dates in the future
//         are given as they stand. Pure; only the first 100 characters are looked at.

namespace postrider::stories {

[[nodiscard]] std::optional<Time> parse_date(std::string_view);

}
