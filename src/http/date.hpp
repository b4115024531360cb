#pragma once

#include "system/time.hpp"

#include <optional>
#include <string>
#include <string_view>

// HTTP dates, RFC 9110 section 5.6.7.

namespace postrider::http {

[[nodiscard]] std::string http_date(Time); // "Sun, 06 Nov 1994 08:49:37 GMT"
// Any of the three forms that section lists; nothing for anything else. A two-digit year is within 50 years ahead of
// `now`.
[[nodiscard]] std::optional<Time> parse_http_date(std::string_view, Time now);

}
