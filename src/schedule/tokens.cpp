#include "schedule/tokens.hpp"

#include "system/nearest.hpp"

#include <algorithm>
#include <array>

namespace postrider::schedule {

namespace {

constexpr std::array<std::string_view, 7> weekdays{"sunday",   "monday", "tuesday", "wednesday",
                                                   "thursday", "friday", "saturday"};
constexpr std::array<std::string_view, 12> months{"january",   "february", "march",    "april",
                                                  "may",       "june",     "july",     "august",
                                                  "september", "october",  "november", "december"};
constexpr std::array<std::string_view, 13> counts{"zero",  "one",   "two",  "three", "four",   "five",  "six",
                                                  "seven", "eight", "nine", "ten",   "eleven", "twelve"};
constexpr std::array<std::pair<std::string_view, int>, 5> round_counts{
    {{"fifteen", 15}, {"twenty", 20}, {"thirty", 30}, {"forty", 40}, {"ninety", 90}}};
constexpr std::array<std::string_view, 6> ordinals{"", "first", "second", "third", "fourth", "fifth"};

constexpr std::array<std::string_view, 79> vocabulary{
    "every",     "each",        "other",    "day",       "days",     "daily",     "week",      "weeks",    "weekly",
    "month",     "months",      "monthly",  "year",      "yearly",   "annually",  "quarterly", "quarter",  "hour",
    "hours",     "hourly",      "minute",   "minutes",   "weekday",  "weekdays",  "weekend",   "weekends", "workday",
    "workdays",  "fortnightly", "at",       "on",        "of",       "the",       "and",       "between",  "from",
    "to",        "until",       "starting", "noon",      "midnight", "last",      "first",     "second",   "third",
    "fourth",    "fifth",       "sunday",   "monday",    "tuesday",  "wednesday", "thursday",  "friday",   "saturday",
    "january",   "february",    "march",    "april",     "may",      "june",      "july",      "august",   "september",
    "october",   "november",    "december", "half",      "except",   "once",      "twice",     "morning",  "mornings",
    "afternoon", "evening",     "evenings", "alternate", "end",      "past",      "times"};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// At most four digits from the front of `text`, which is shortened by them.
std::optional<int> take_number(std::string_view& text) {
    std::size_t size = 0;
    int value = 0;
    for (; size < text.size() && is_digit(text[size]); ++size) {
        if (size == 4) return std::nullopt;
        value = value * 10 + (text[size] - '0');
    }
    text.remove_prefix(size);
    return size == 0 ? std::nullopt : std::optional{value};
}

// The name itself, or its first letters as far as they are in use: "tue", "tues", "sept".
bool names(std::string_view word, std::string_view full) {
    if (word == full) return true;
    return word.size() >= 3 && word.size() <= 5 && full.starts_with(word);
}

}

std::vector<Token> tokens_of(std::string_view text) {
    std::vector<Token> tokens;
    std::size_t at = 0;
    while (at < text.size()) {
        if (text[at] == ' ' || text[at] == '\t') {
            ++at;
            continue;
        }
        const auto end = text[at] == ',' ? at + 1 : std::min(text.find_first_of(" \t,", at), text.size());
        Token token{std::string{text.substr(at, end - at)}, at, end - at};
        for (char& c : token.text)
            if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
        if (token.text == "a.m." || token.text == "p.m.") token.text = {token.text[0], 'm'};
        if (token.text.size() > 1 && token.text.ends_with('.')) token.text.pop_back();
        if (token.text == "&") token.text = "and";
        tokens.push_back(std::move(token));
        at = end;
    }
    return tokens;
}

std::optional<int> count_of(std::string_view word) {
    for (std::size_t i = 0; i < counts.size(); ++i)
        if (word == counts[i]) return static_cast<int>(i);
    for (const auto& [name, count] : round_counts)
        if (word == name) return count;
    const auto number = take_number(word);
    return word.empty() ? number : std::nullopt;
}

std::optional<int> ordinal_of(std::string_view word) {
    for (std::size_t i = 1; i < ordinals.size(); ++i)
        if (word == ordinals[i]) return static_cast<int>(i);
    const auto number = take_number(word);
    if (!number || *number < 1 || *number > 31) return std::nullopt;
    if (word == "st" || word == "nd" || word == "rd" || word == "th") return number;
    return std::nullopt;
}

std::optional<unsigned> weekday_of(std::string_view word) {
    if (word == "weds") return 3;
    for (unsigned i = 0; i < 7; ++i)
        if (names(word, weekdays[i]) || (word.ends_with('s') && word.substr(0, word.size() - 1) == weekdays[i]))
            return i;
    return std::nullopt;
}

std::optional<std::pair<unsigned, unsigned>> weekday_range_of(std::string_view word) {
    if (word == "weekday" || word == "weekdays" || word == "workday" || word == "workdays") return std::pair{1u, 5u};
    if (word == "weekend" || word == "weekends") return std::pair{6u, 0u};
    if (const auto day = weekday_of(word)) return std::pair{*day, *day};
    const auto dash = word.find('-');
    if (dash == std::string_view::npos) return std::nullopt;
    const auto first = weekday_of(word.substr(0, dash));
    const auto last = weekday_of(word.substr(dash + 1));
    if (!first || !last) return std::nullopt;
    return std::pair{*first, *last};
}

std::uint8_t weekdays_between(unsigned first, unsigned last) {
    std::uint8_t days = 0;
    for (auto day = first;; day = (day + 1) % 7) {
        days |= static_cast<std::uint8_t>(1U << day);
        if (day == last) return days;
    }
}

std::optional<unsigned> month_of(std::string_view word) {
    for (unsigned i = 0; i < 12; ++i)
        if (names(word, months[i])) return i + 1;
    return std::nullopt;
}

std::optional<std::chrono::local_days> date_of(std::string_view word) {
    if (word.size() != 10 || word[4] != '-' || word[7] != '-') return std::nullopt;
    const auto year = take_number(word);
    word.remove_prefix(std::min<std::size_t>(1, word.size()));
    const auto month = take_number(word);
    word.remove_prefix(std::min<std::size_t>(1, word.size()));
    const auto day = take_number(word);
    if (!year || !month || !day || !word.empty()) return std::nullopt;
    const auto date = std::chrono::year{*year} / *month / *day;
    if (!date.ok()) return std::nullopt;
    return std::chrono::local_days{date};
}

std::optional<Clock> clock_of(std::string_view word) {
    if (word == "noon" || word == "midday") return Clock{12, 0, true, Half::none};
    if (word == "midnight") return Clock{0, 0, true, Half::none};
    Clock clock{0, 0, false, Half::none};
    const auto hour = take_number(word);
    if (!hour) return std::nullopt;
    clock.hour = *hour;
    if (word.starts_with(':') || word.starts_with('.')) {
        word.remove_prefix(1);
        if (word.size() < 2 || !is_digit(word[0]) || !is_digit(word[1])) return std::nullopt;
        clock.minute = (word[0] - '0') * 10 + (word[1] - '0');
        clock.minutes_written = true;
        word.remove_prefix(2);
    }
    if (word == "am" || word == "a.m")
        clock.half = Half::am;
    else if (word == "pm" || word == "p.m")
        clock.half = Half::pm;
    else if (!word.empty())
        return std::nullopt;
    return clock;
}

std::optional<std::string_view> nearest_english(std::string_view word) { return system::nearest(word, vocabulary); }

}
