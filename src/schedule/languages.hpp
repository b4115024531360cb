#pragma once

#include "schedule/schedule.hpp"

#include <expected>
#include <string_view>

// The two languages of parse(). Both take text that is printable ASCII (and tabs) throughout, not empty, at most
// 2,000 bytes, and give columns in it. Neither asks whether the schedule ever falls due; parse() does.

namespace postrider::schedule {

// Five fields, or a word that begins with @.
[[nodiscard]] std::expected<Schedule, ScheduleError> parse_cron(std::string_view text);

[[nodiscard]] std::expected<Schedule, ScheduleError> parse_english(std::string_view text);

// What stands behind the "except" of either: "2026-12-25, 26 december and sundays".
[[nodiscard]] std::expected<Exceptions, ScheduleError> parse_exceptions(std::string_view text);

}
