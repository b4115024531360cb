#include "schedule/languages.hpp"
#include "schedule/quote.hpp"
#include "schedule/schedule.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace postrider::schedule {

namespace {

constexpr std::size_t longest = 2000; // room for the holidays of some years
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

struct Parts {
    std::string_view rule;       // without blanks at its end
    std::string_view exceptions; // behind the word; only looked at when there is one
    bool excepts = false;
};

// At the first word "except" or "excluding", or the words "but not", that stand alone.
Parts parts_of(std::string_view text) {
    std::string lower(text);
    for (char& c : lower)
        if (c >= 'A' && c <= 'Z')
            c = static_cast<char>(c - 'A' + 'a');
        else if (c == '\t')
            c = ' ';
    Parts parts{text, {}, false};
    auto first = text.npos;
    for (std::string_view word : {"except", "excluding", "but not", "except for"}) {
        for (auto at = lower.find(word); at != lower.npos && at <= first; at = lower.find(word, at + 1)) {
            const bool alone = (at == 0 || lower[at - 1] == ' ' || lower[at - 1] == ',') &&
                               (at + word.size() == lower.size() || lower[at + word.size()] == ' ');
            if (!alone) continue;
            first = at;
            parts = {text.substr(0, at), text.substr(at + word.size()), true};
            break;
        }
    }
    if (parts.excepts)
        while (!parts.rule.empty() && (blanks.contains(parts.rule.back()) || parts.rule.back() == ','))
            parts.rule.remove_suffix(1);
    return parts;
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

    const auto parts = parts_of(text);
    if (parts.rule.empty())
        return std::unexpected(ScheduleError{"says only when not; write for example \"every weekday at 07:00 except "
                                             "2026-12-25\"",
                                             begin, 0});
    auto schedule = looks_like_cron(parts.rule) ? parse_cron(parts.rule) : parse_english(parts.rule);
    if (!schedule) {
        schedule.error().column += begin;
        return schedule;
    }
    if (parts.excepts) {
        auto except = parse_exceptions(parts.exceptions);
        if (!except) {
            except.error().column += begin + static_cast<std::size_t>(parts.exceptions.data() - text.data());
            return std::unexpected(std::move(except.error()));
        }
        schedule->days.except = std::move(*except);
    }
    if (!falls_due(*schedule)) {
        schedule->days.except = {};
        return std::unexpected(ScheduleError{falls_due(*schedule)
                                                 ? "never falls due: \"except\" leaves out every day of it"
                                                 : "never falls due: no month it names has such a day",
                                             begin, text.size()});
    }
    schedule->expression = text;
    return schedule;
}

std::string with_exceptions(std::string_view expression, std::span<const std::string> exceptions) {
    std::string text(expression);
    bool has_some = parts_of(text).excepts;
    for (const auto& one : exceptions) {
        text += has_some ? ", " : " except ";
        text += one;
        has_some = true;
    }
    return text;
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
