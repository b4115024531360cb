#include "http/date.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

namespace postrider::http {

namespace {

constexpr std::array<std::string_view, 7> weekdays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::array<std::string_view, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

std::optional<int> number(std::string_view text) {
    if (text.empty() || text.size() > 4) return std::nullopt;
    int value = 0;
    for (char c : text) {
        if (c < '0' || c > '9') return std::nullopt;
        value = value * 10 + (c - '0');
    }
    return value;
}

std::vector<std::string_view> words(std::string_view text, std::string_view separators) {
    std::vector<std::string_view> out;
    while (out.size() < 8) {
        auto first = text.find_first_not_of(separators);
        if (first == std::string_view::npos) break;
        text.remove_prefix(first);
        auto end = std::min(text.find_first_of(separators), text.size());
        out.push_back(text.substr(0, end));
        text.remove_prefix(end);
    }
    return out;
}

std::optional<Time> assemble(std::string_view day, std::string_view month, std::string_view year,
                             std::string_view clock, Time now) {
    auto name = std::find(months.begin(), months.end(), month);
    auto d = number(day);
    auto y = number(year);
    auto parts = words(clock, ":");
    if (name == months.end() || !d || !y || parts.size() != 3) return std::nullopt;
    auto h = number(parts[0]);
    auto m = number(parts[1]);
    auto s = number(parts[2]);
    if (!h || !m || !s || *h > 23 || *m > 59 || *s > 60) return std::nullopt;
    if (year.size() == 2) {
        std::chrono::year_month_day today(std::chrono::floor<std::chrono::days>(now));
        *y += 2000;
        if (*y > int(today.year()) + 50) *y -= 100;
    }
    std::chrono::year_month_day date{std::chrono::year(*y), std::chrono::month(unsigned(name - months.begin() + 1)),
                                     std::chrono::day(unsigned(*d))};
    if (!date.ok()) return std::nullopt;
    return Time(std::chrono::sys_days(date)) + std::chrono::hours(*h) + std::chrono::minutes(*m) +
           std::chrono::seconds(*s);
}

}

std::string http_date(Time time) {
    auto day = std::chrono::floor<std::chrono::days>(time);
    std::chrono::year_month_day date(day);
    std::chrono::hh_mm_ss clock(std::chrono::floor<std::chrono::seconds>(time - day));
    return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT", weekdays[std::chrono::weekday(day).c_encoding()],
                       unsigned(date.day()), months[unsigned(date.month()) - 1], int(date.year()),
                       clock.hours().count(), clock.minutes().count(), clock.seconds().count());
}

std::optional<Time> parse_http_date(std::string_view text, Time now) {
    auto w = words(text, " ,");
    if (w.size() == 6 && (w[5] == "GMT" || w[5] == "UTC")) return assemble(w[1], w[2], w[3], w[4], now);
    if (w.size() == 4 && w[3] == "GMT") { // RFC 850: "Sunday, 06-Nov-94 08:49:37 GMT"
        auto date = words(w[1], "-");
        return date.size() == 3 ? assemble(date[0], date[1], date[2], w[2], now) : std::nullopt;
    }
    if (w.size() == 5) return assemble(w[2], w[1], w[4], w[3], now); // asctime: "Sun Nov  6 08:49:37 1994"
    return std::nullopt;
}

}
