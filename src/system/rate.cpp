#include "system/rate.hpp"

#include <fmt/format.h>

#include <charconv>

namespace postrider {
namespace {

struct Unit {
    std::string_view name;
    std::string_view letter;
    Duration length;
};
constexpr Unit units[] = {{"second", "s", 1s}, {"minute", "m", 1min}, {"hour", "h", 1h}, {"day", "d", 24h}};

}

std::expected<Rate, std::string> parse_rate(std::string_view text) {
    auto wrong = [&](std::string_view why) {
        return std::unexpected(fmt::format("\"{}\" {}; write for example 100/s, 30/hour or 3/day", text, why));
    };
    auto slash = text.find('/');
    if (slash == text.npos) return wrong("is not a rate");
    std::int64_t count = 0;
    auto number = text.substr(0, slash);
    auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), count);
    if (error != std::errc() || end != number.data() + number.size())
        return wrong("does not begin with a whole number");
    if (count < 1) return wrong("must be at least one");
    for (auto& unit : units)
        if (text.substr(slash + 1) == unit.name || text.substr(slash + 1) == unit.letter)
            return Rate{count, unit.length};
    return wrong("has an unknown unit of time");
}

std::string to_text(const Rate& rate) {
    for (auto& unit : units)
        if (rate.per == unit.length) return fmt::format("{}/{}", rate.count, unit.name);
    return fmt::format("{}/{}", rate.count, to_text(rate.per));
}

}
