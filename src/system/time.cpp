#include "system/time.hpp"

#include <fmt/format.h>

#include <charconv>

namespace postrider {
namespace {

using namespace std::chrono;

std::optional<int> digits(std::string_view text, std::size_t at, std::size_t count) {
    if (at + count > text.size()) return std::nullopt;
    int value = 0;
    for (char c : text.substr(at, count)) {
        if (c < '0' || c > '9') return std::nullopt;
        value = value * 10 + (c - '0');
    }
    return value;
}

}

std::string rfc3339(Time time) {
    auto day = floor<days>(time);
    year_month_day date(day);
    hh_mm_ss clock(floor<seconds>(time - day));
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", int(date.year()), unsigned(date.month()),
                       unsigned(date.day()), clock.hours().count(), clock.minutes().count(), clock.seconds().count());
}

std::optional<Time> parse_rfc3339(std::string_view text) {
    auto y = digits(text, 0, 4), mo = digits(text, 5, 2), d = digits(text, 8, 2);
    auto h = digits(text, 11, 2), mi = digits(text, 14, 2), s = digits(text, 17, 2);
    if (!y || !mo || !d || !h || !mi || !s) return std::nullopt;
    if (text[4] != '-' || text[7] != '-' || text[13] != ':' || text[16] != ':') return std::nullopt;
    if (text[10] != 'T' && text[10] != 't' && text[10] != ' ') return std::nullopt;
    year_month_day date{year(*y), month(unsigned(*mo)), day(unsigned(*d))};
    if (!date.ok() || *h > 23 || *mi > 59 || *s > 60) return std::nullopt;
    Time time = sys_days(date) + hours(*h) + minutes(*mi) + seconds(*s);

    std::size_t at = 19;
    if (at < text.size() && text[at] == '.') {
        int unit = 100;
        for (++at; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at) {
            time += milliseconds((text[at] - '0') * unit);
            unit /= 10;
        }
    }
    auto zone = text.substr(at);
    if (zone == "Z" || zone == "z") return time;
    if (zone.size() != 6 || (zone[0] != '+' && zone[0] != '-') || zone[3] != ':') return std::nullopt;
    auto zh = digits(zone, 1, 2), zm = digits(zone, 4, 2);
    if (!zh || !zm || *zh > 23 || *zm > 59) return std::nullopt;
    auto offset = hours(*zh) + minutes(*zm);
    return zone[0] == '+' ? time - offset : time + offset;
}

std::expected<Duration, std::string> parse_duration(std::string_view text) {
    long long count = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
    std::string_view unit(end, text.data() + text.size() - end);
    long long scale = unit == "ms"  ? 1
                      : unit == "s" ? 1000
                      : unit == "m" ? 60'000
                      : unit == "h" ? 3'600'000
                      : unit == "d" ? 86'400'000
                                    : 0;
    if (error != std::errc() || scale == 0 || count < 0)
        return std::unexpected(fmt::format("\"{}\" is no duration; write it like 90s, 15m, 36h or 7d", text));
    if (count > 36'500LL * 86'400'000 / scale)
        return std::unexpected(fmt::format("\"{}\" is longer than a hundred years", text));
    return Duration(count * scale);
}

std::string to_text(Duration duration) {
    auto count = duration.count();
    if (count == 0) return "0s";
    for (auto [scale, unit] : {std::pair{86'400'000LL, "d"}, {3'600'000LL, "h"}, {60'000LL, "m"}, {1000LL, "s"}})
        if (count % scale == 0) return fmt::format("{}{}", count / scale, unit);
    return fmt::format("{}ms", count);
}

}
