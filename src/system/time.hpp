#pragma once

#include <chrono>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

// Points in time and lengths of time, in the units the program stores them in, and their two spellings:
// RFC 3339 in UTC for machines, "36h" for configuration.

namespace postrider {

using namespace std::chrono_literals;

using Duration = std::chrono::milliseconds;
using Time = std::chrono::sys_time<Duration>; // UTC; the database keeps time_since_epoch().count()

// "2026-11-24T07:54:00Z"; milliseconds are cut off.
[[nodiscard]] std::string rfc3339(Time);
// Any RFC 3339 date-time: offset or Z, fraction ignored past milliseconds. Nothing when it is not one.
[[nodiscard]] std::optional<Time> parse_rfc3339(std::string_view);

// "90s", "15m", "36h", "7d", "250ms". The error is a sentence that begins with the text itself.
[[nodiscard]] std::expected<Duration, std::string> parse_duration(std::string_view);
// The largest unit that loses nothing: 90min -> "90m", 48h -> "2d".
[[nodiscard]] std::string to_text(Duration);

}
