#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// The words of an English schedule, one by one: cutting the text, and what a single word can mean.

namespace postrider::schedule {

struct Token {
    std::string text;   // lower case; "," stands alone
    std::size_t column; // in the text it was cut from
    std::size_t length;
};

[[nodiscard]] std::vector<Token> tokens_of(std::string_view text);

// "two", "12": 0 to 9999.
[[nodiscard]] std::optional<int> count_of(std::string_view word);
// "1st", "first" to "fifth", "31st"; not "last", not a bare number. 1 to 31.
[[nodiscard]] std::optional<int> ordinal_of(std::string_view word);
// "monday", "mondays", "mon", "tues"; Sunday is 0.
[[nodiscard]] std::optional<unsigned> weekday_of(std::string_view word);
// "mon-fri", "weekdays", "weekend", and a single weekday as a range of one. May run past Saturday.
[[nodiscard]] std::optional<std::pair<unsigned, unsigned>> weekday_range_of(std::string_view word);
// The days from `first` to `last`, round the end of the week where need be; bit 0 is Sunday.
[[nodiscard]] std::uint8_t weekdays_between(unsigned first, unsigned last);
// "january", "jan"; January is 1.
[[nodiscard]] std::optional<unsigned> month_of(std::string_view word);
// "2026-01-09"
[[nodiscard]] std::optional<std::chrono::local_days> date_of(std::string_view word);

enum class Half { none, am, pm };
struct Clock {
    int hour;
    int minute;
    bool minutes_written; // "7:30", or a word such as "noon": not just a number
    Half half;
};
// "07:00", "7.30", "7", "7am", "7:30pm", "noon", "midnight"; not yet checked for its range.
[[nodiscard]] std::optional<Clock> clock_of(std::string_view word);

// The word that a mistyped one was probably meant to be.
[[nodiscard]] std::optional<std::string_view> nearest_english(std::string_view word);

}
