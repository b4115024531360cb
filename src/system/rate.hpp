#pragma once

#include "system/time.hpp"

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

// So many in so long, as configuration spells it: "100/s", "30/hour", "3/day".

namespace postrider {

struct Rate {
    std::int64_t count; // > 0
    Duration per;       // > 0
    bool operator==(const Rate&) const = default;
};

// COUNT/UNIT with the units s, second, m, minute, h, hour, d, day. The error is a sentence that begins with the text
// itself.
[[nodiscard]] std::expected<Rate, std::string> parse_rate(std::string_view);
[[nodiscard]] std::string to_text(const Rate&); // "30/hour"

}
