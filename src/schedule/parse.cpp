#include "schedule/languages.hpp"
#include "schedule/quote.hpp"
#include "schedule/schedule.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace postrider::schedule {

namespace {

constexpr std::size_t longest = 500;
constexpr std::string_view blanks = " \t";

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// "7 and 17 on weekdays" is English, "0 XYZ * * *" is cron with a slip: the first word must look like a field, and the
// second must not be a word unless a lone * gives cron away.
bool looks_like_cron(std::string_view text) {
    if (text.front() == '@' || text.find('*') != std::string_view::npos) return true;
    const auto first = text.substr(0, text.find_first_of(blanks));
    if (first.find_first_not_of("0123456789,-/?#") != std::string_view::npos) return false;
    const auto second = text.find_first_not_of(blanks, first.size());
    return second == std::string_view::npos || !is_letter(text[second]);
}

std::optional<ScheduleError> strange_byte(std::string_view text) {
    const auto strange =
        std::ranges::find_if(text, [](char c) { return (c < 0x20 && c != '\t') || c >= 0x7f || c < 0; });
    if (strange == text.end()) return std::nullopt;
    const auto column = static_cast<std::size_t>(strange - text.begin());
    return ScheduleError{"only plain ASCII letters, digits and signs may stand here", column, 1};
}

bool falls_due(const Schedule& schedule) { return first_on_or_after(schedule.days, default_anchor).has_value(); }

}

std::expected<Schedule, ScheduleError> parse(std::string_view expression) {
    const auto begin = expression.find_first_not_of(blanks);
    if (begin == std::string_view::npos)
        return std::unexpected(
            ScheduleError{"is empty; write for example \"every weekday at 07:00\" or \"0 7 * * 1-5\""});
    const auto text = expression.substr(begin, expression.find_last_not_of(blanks) - begin + 1);
    if (text.size() > longest)
        return std::unexpected(ScheduleError{
            fmt::format("is too long: {} bytes, and {} are allowed", text.size(), longest), begin + longest, 0});
    if (auto error = strange_byte(text)) {
        error->column += begin;
        return std::unexpected(*error);
    }

    auto schedule = looks_like_cron(text) ? parse_cron(text) : parse_english(text);
    if (!schedule) {
        schedule.error().column += begin;
        return schedule;
    }
    if (!falls_due(*schedule))
        return std::unexpected(ScheduleError{"never falls due: no month it names has such a day", begin, text.size()});
    schedule->expression = text;
    return schedule;
}

std::string explain(std::string_view expression, const ScheduleError& error) {
    const auto column = std::min(error.column, expression.size());
    const auto wrong = expression.substr(column, error.length);
    if (wrong.empty() && column == expression.size()) {
        if (column == 0) return fmt::format("{}: {}", quoted(expression), error.message);
        return fmt::format("{}: {} (at the end)", quoted(expression), error.message);
    }
    if (wrong.empty()) return fmt::format("{}: {} (at column {})", quoted(expression), error.message, column + 1);
    if (wrong.size() == expression.size()) return fmt::format("{}: {}", quoted(expression), error.message);
    return fmt::format("{}: {} (at column {}, {})", quoted(expression), error.message, column + 1, quoted(wrong));
}

}
