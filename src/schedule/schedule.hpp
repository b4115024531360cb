#pragma once

#include "schedule/days.hpp"
#include "schedule/zone.hpp"
#include "system/time.hpp"

#include <chrono>
#include <cstddef>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

// When something falls due: a cron expression or plain English, read into one form.
//
// In:   five cron fields ("0 7 * * mon-fri"), a cron word ("@daily"), or English ("every weekday at 07:00"); a zone; an
// instant. Out:  the slots, one after the other, and the schedule in words. Pure, apart from the zone's data. Always:
// what parse() takes does fall due; anything else is refused with its place. Slots ascend strictly.
//
// Cron as in crontab(5) of Vixie cron: lists, ranges, steps, three-letter names, 0 and 7 for Sunday. When day of month
// and day of week are both restricted, either is enough; a field that begins with * (or is ?) is not restricted, and
// then both must fit. Beyond it: "5/15" is 5-59/15; L, LW (last day, last Monday-to-Friday) as day of month; "5#1" and
// "5L" (first, last Friday) as day of week.
//
// Behind either language may stand days on which nothing falls due: "except 2026-12-25, january 1 and sundays".
//
// Daylight saving. A schedule of fixed times runs once a local day for each of its times: a time that the clocks skip
// falls due at the first instant after the gap (the next day, in a zone that skips the last hour of one), a time that
// they show twice the first time only, and on a date that does not exist not at all. A schedule of intervals (cron with
// a minute or hour that begins with *; "every 2 hours") is due whenever the clocks show one of its times: what they
// skip is not made up for, what they show twice is due twice.

namespace postrider::schedule {

enum class Pace { fixed_times, intervals };

struct Schedule {
    std::string expression; // as it was written, without the blanks round it
    Days days;
    std::vector<std::chrono::minutes> times; // since local midnight; ascending, never empty
    Pace pace = Pace::fixed_times;

    friend bool operator==(const Schedule&, const Schedule&) = default;
};

struct ScheduleError {
    std::string message;    // a clause without the expression: "hour 25 is out of range 0-23"
    std::size_t column = 0; // of the first wrong byte, from 0; at most the length of the expression
    std::size_t length = 0; // of the wrong part in bytes; 0: something is missing here
};

[[nodiscard]] std::expected<Schedule, ScheduleError> parse(std::string_view expression);

// The expression with more exceptions: "2026-12-25" and "0 7 * * *" give "0 7 * * * except 2026-12-25".
[[nodiscard]] std::string with_exceptions(std::string_view expression, std::span<const std::string> exceptions);

// One printable line with the place, columns from 1: `"0 25 * * *": hour 25 is out of range 0-23 (at column 3, "25")`.
[[nodiscard]] std::string explain(std::string_view expression, const ScheduleError&);

// The first slot strictly after `after`. Nothing after the year 9999, or when none is found within 400 years.
[[nodiscard]] std::optional<Time> next(const Schedule&, const Zone&, Time after);

// "every weekday at 07:00": what was understood, not what was written. Says what "every other" is counted from.
[[nodiscard]] std::string in_words(const Schedule&);

}
