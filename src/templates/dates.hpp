#pragma once

#include "system/time.hpp"

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

// Dates in words, in one language and one time zone: "24 November 2026", "Dienstag, 24. November 2026".
//
// In:     a language tag (BCP 47) and the name of a time zone; one that is not known counts as UTC.
// Out:    the day of an instant, and its words: calendar, digits and order are those of the language (CLDR).
// Always: immutable and cheap to copy; any number of threads may ask at once. To make one takes some ten microseconds,
//         to format a day about one: who writes to many readers keeps the days that were asked for.

namespace postrider::templates {

class Dates {
public:
    enum class Style { full, long_ }; // full: with the day of the week

    Dates(std::string_view language, std::string_view timezone, Style);

    [[nodiscard]] std::chrono::local_days day(Time) const;
    [[nodiscard]] std::string in_words(std::chrono::local_days) const;
    [[nodiscard]] std::string in_words(Time time) const { return in_words(day(time)); }

private:
    struct State;
    std::shared_ptr<const State> state_;
};

}
