#include "schedule/languages.hpp"
#include "schedule/quote.hpp"
#include "system/nearest.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>
#include <vector>

namespace postrider::schedule {

namespace {

// A piece of the expression and where it stands.
struct Piece {
    std::string_view text;
    std::size_t column;

    [[nodiscard]] Piece from(std::size_t at) const { return {text.substr(at), column + at}; }
    [[nodiscard]] Piece until(std::size_t at) const { return {text.substr(0, at), column}; }
};

template <class T>
using Result = std::expected<T, ScheduleError>;

std::unexpected<ScheduleError> wrong(Piece place, std::string message) {
    return std::unexpected(ScheduleError{std::move(message), place.column, place.text.size()});
}

constexpr std::array<std::string_view, 12> month_names{"jan", "feb", "mar", "apr", "may", "jun",
                                                       "jul", "aug", "sep", "oct", "nov", "dec"};
constexpr std::array<std::string_view, 7> weekday_names{"sun", "mon", "tue", "wed", "thu", "fri", "sat"};

struct Kind {
    std::string_view name;
    int low;
    int high; // of a written number
    int last; // of what * and open steps run to: 7 is Sunday a second time, and must not be reached by counting
    std::span<const std::string_view> names;
};

const Kind minute{"minute", 0, 59, 59, {}};
const Kind hour{"hour", 0, 23, 23, {}};
const Kind day_of_month{"day of month", 1, 31, 31, {}};
const Kind month{"month", 1, 12, 12, month_names};
const Kind day_of_week{"day of week", 0, 7, 6, weekday_names};
const std::array<const Kind*, 5> kinds{&minute, &hour, &day_of_month, &month, &day_of_week};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool same_word(std::string_view a, std::string_view b) {
    return a.size() == b.size() && system::spelling_distance(a, b) == 0;
}

std::string form_of(const Kind& kind) {
    if (kind.names.empty()) return fmt::format("a number {}-{}", kind.low, kind.high);
    return fmt::format("a number {}-{} or a name such as {}", kind.low, kind.high, kind.names[1]);
}

Result<int> number(Piece piece, const Kind& kind) {
    int value = 0;
    for (char c : piece.text) value = std::min(value * 10 + (c - '0'), 1'000'000);
    if (value < kind.low || value > kind.high)
        return wrong(piece, fmt::format("{} {} is out of range {}-{}", kind.name, piece.text, kind.low, kind.high));
    return value;
}

Result<int> value(Piece piece, const Kind& kind) {
    if (piece.text.empty()) return wrong(piece, fmt::format("{} is missing here: {}", kind.name, form_of(kind)));
    if (std::ranges::all_of(piece.text, is_digit)) return number(piece, kind);
    for (std::size_t i = 0; i < kind.names.size(); ++i)
        if (same_word(piece.text, kind.names[i])) return static_cast<int>(i) + kind.low;
    return wrong(piece, fmt::format("{} is not a {}, which is {}", quoted(piece.text), kind.name, form_of(kind)));
}

Result<int> step(Piece piece, const Kind& kind) {
    const int size = kind.last - kind.low + 1;
    if (piece.text.empty() || !std::ranges::all_of(piece.text, is_digit))
        return wrong(piece, fmt::format("a step is a number from 1 to {}", size));
    int value = 0;
    for (char c : piece.text) value = std::min(value * 10 + (c - '0'), 1'000'000);
    if (value < 1 || value > size)
        return wrong(piece, fmt::format("step {} of the {} is out of range 1-{}", piece.text, kind.name, size));
    return value;
}

struct Range {
    int first;
    int last;
    bool open; // a lone value: a step makes it run on to the end
};

Result<Range> range(Piece piece, const Kind& kind) {
    if (piece.text == "*") return Range{kind.low, kind.last, false};
    const auto dash = piece.text.find('-');
    if (dash == std::string_view::npos) {
        const auto only = value(piece, kind);
        if (!only) return std::unexpected(only.error());
        return Range{*only, *only, true};
    }
    const auto first = value(piece.until(dash), kind);
    if (!first) return std::unexpected(first.error());
    const auto last = value(piece.from(dash + 1), kind);
    if (!last) return std::unexpected(last.error());
    if (*first <= *last) return Range{*first, *last, false};
    if (*last == 0 && &kind == &day_of_week)
        return wrong(piece, fmt::format("range {} runs backwards; at the end of a range Sunday is 7", piece.text));
    return wrong(piece, fmt::format("range {} runs backwards", piece.text));
}

// The values of one item of a list, 7 for Sunday already turned into 0.
Result<std::uint64_t> values(Piece item, const Kind& kind) {
    const auto slash = item.text.find('/');
    auto span = range(slash == std::string_view::npos ? item : item.until(slash), kind);
    if (!span) return std::unexpected(span.error());
    int stride = 1;
    if (slash != std::string_view::npos) {
        const auto given = step(item.from(slash + 1), kind);
        if (!given) return std::unexpected(given.error());
        stride = *given;
        if (span->open) span = Range{span->first % (kind.last + 1), kind.last, false};
    }
    std::uint64_t set = 0;
    for (int i = span->first; i <= span->last; i += stride) set |= std::uint64_t{1} << (i % (kind.last + 1));
    return set;
}

// Calls `take` for each item between the commas; stops at the first error.
template <class Take>
Result<void> each_item(Piece field, Take take) {
    std::size_t begin = 0;
    while (true) {
        const auto comma = std::min(field.text.find(',', begin), field.text.size());
        if (auto taken = take(field.from(begin).until(comma - begin)); !taken) return taken;
        if (comma == field.text.size()) return {};
        begin = comma + 1;
    }
}

Result<std::uint64_t> set_of(Piece field, const Kind& kind) {
    std::uint64_t set = 0;
    auto all = each_item(field, [&](Piece item) -> Result<void> {
        const auto some = values(item, kind);
        if (!some) return std::unexpected(some.error());
        set |= *some;
        return {};
    });
    if (!all) return std::unexpected(all.error());
    return set;
}

bool is_unrestricted(Piece field) { return field.text.front() == '*' || field.text == "?"; }

Result<void> read_dates(Piece field, Days& days) {
    if (field.text == "?") return {};
    days.dates = 0;
    return each_item(field, [&](Piece item) -> Result<void> {
        if (same_word(item.text, "L")) {
            days.last_date = true;
            return {};
        }
        if (same_word(item.text, "LW")) {
            days.last_workday = true;
            return {};
        }
        const auto some = values(item, day_of_month);
        if (!some) return std::unexpected(some.error());
        days.dates |= static_cast<std::uint32_t>(*some);
        return {};
    });
}

// "5#1", "fri#1", "5L": one weekday of a month. Nothing when the item is of another form.
Result<bool> read_weekday_of_month(Piece item, Days& days) {
    const auto hash = item.text.find('#');
    const bool last = item.text.size() > 1 && (item.text.back() == 'L' || item.text.back() == 'l');
    if (hash == std::string_view::npos && !last) return false;
    const auto weekday = value(item.until(last ? item.text.size() - 1 : hash), day_of_week);
    if (!weekday) return std::unexpected(weekday.error());
    auto& which = days.weekdays[static_cast<std::size_t>(*weekday % 7)];
    if (last) {
        which |= Days::last;
        return true;
    }
    const auto place = item.from(hash + 1);
    if (place.text.size() != 1 || place.text.front() < '1' || place.text.front() > '5')
        return wrong(place, "after # stands which one of the month, 1 to 5");
    which |= static_cast<std::uint8_t>(1 << (place.text.front() - '0'));
    return true;
}

Result<void> read_weekdays(Piece field, Days& days) {
    if (field.text == "?") return {};
    days.weekdays.fill(0);
    return each_item(field, [&](Piece item) -> Result<void> {
        if (same_word(item.text, "L"))
            return wrong(item, "L alone says no weekday; 5L is the last Friday of the month");
        const auto special = read_weekday_of_month(item, days);
        if (!special) return std::unexpected(special.error());
        if (*special) return {};
        const auto some = values(item, day_of_week);
        if (!some) return std::unexpected(some.error());
        for (std::size_t i = 0; i < 7; ++i)
            if (*some >> i & 1) days.weekdays[i] |= Days::each;
        return {};
    });
}

Result<std::array<Piece, 5>> split(std::string_view text) {
    std::vector<Piece> fields;
    for (auto begin = text.find_first_not_of(" \t"); begin != std::string_view::npos;) {
        const auto end = std::min(text.find_first_of(" \t", begin), text.size());
        fields.push_back({text.substr(begin, end - begin), begin});
        begin = text.find_first_not_of(" \t", end);
    }
    if (fields.front().text.find('=') != std::string_view::npos)
        return wrong(fields.front(), "a time zone is set beside the schedule, not in it");
    if (fields.size() > 5)
        return wrong(fields[5], fmt::format("{} fields; cron has five: minute, hour, day of month, month, day of week "
                                            "(no seconds, no year)",
                                            fields.size()));
    if (fields.size() < 5)
        return wrong({{}, text.size()},
                     fmt::format("{} of five fields; the {} is missing", fields.size(), kinds[fields.size()]->name));
    return std::array<Piece, 5>{fields[0], fields[1], fields[2], fields[3], fields[4]};
}

struct Word {
    std::string_view word;
    std::string_view fields;
};
constexpr std::array<Word, 7> words{{{"@yearly", "0 0 1 1 *"},
                                     {"@annually", "0 0 1 1 *"},
                                     {"@monthly", "0 0 1 * *"},
                                     {"@weekly", "0 0 * * 0"},
                                     {"@daily", "0 0 * * *"},
                                     {"@midnight", "0 0 * * *"},
                                     {"@hourly", "0 * * * *"}}};

Result<std::string_view> fields_of(std::string_view word) {
    const Piece place{word, 0};
    std::array<std::string_view, words.size()> known;
    for (std::size_t i = 0; i < words.size(); ++i) {
        if (same_word(word, words[i].word)) return words[i].fields;
        known[i] = words[i].word;
    }
    if (same_word(word, "@reboot")) return wrong(place, "@reboot names no time; a schedule falls due by the clock");
    if (auto meant = system::nearest(word, known))
        return wrong(place, fmt::format("is not known; did you mean \"{}\"?", *meant));
    return wrong(place, "is not known; there are @hourly, @daily, @weekly, @monthly and @yearly");
}

}

std::expected<Schedule, ScheduleError> parse_cron(std::string_view text) {
    if (text.front() == '@') {
        const auto fields = fields_of(text);
        if (!fields) return std::unexpected(fields.error());
        text = *fields;
    }
    const auto fields = split(text);
    if (!fields) return std::unexpected(fields.error());

    const auto minutes = set_of((*fields)[0], minute);
    if (!minutes) return std::unexpected(minutes.error());
    const auto hours = set_of((*fields)[1], hour);
    if (!hours) return std::unexpected(hours.error());
    Schedule schedule;
    if (auto read = read_dates((*fields)[2], schedule.days); !read) return std::unexpected(read.error());
    const auto months = set_of((*fields)[3], month);
    if (!months) return std::unexpected(months.error());
    if (auto read = read_weekdays((*fields)[4], schedule.days); !read) return std::unexpected(read.error());

    schedule.days.months = static_cast<std::uint16_t>(*months);
    if (!is_unrestricted((*fields)[2]) && !is_unrestricted((*fields)[4])) schedule.days.combine = Days::Combine::either;
    for (int at = 0; at < 24 * 60; ++at)
        if ((*hours >> at / 60 & 1) && (*minutes >> at % 60 & 1)) schedule.times.emplace_back(at);
    if (is_unrestricted((*fields)[0]) || is_unrestricted((*fields)[1])) schedule.pace = Pace::intervals;
    return schedule;
}

}
