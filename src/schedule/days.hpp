#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

// Which days of the calendar a schedule falls on, whatever language it was written in. Pure calendar: no zone, no
// clock.

namespace postrider::schedule {

// "Every other week", "every 3 days": counted from a day that does not depend on when anybody asks.
struct Period {
    enum class Unit { days, weeks };
    Unit unit;
    int count;                      // at least 1
    std::chrono::local_days anchor; // day 0, or any day of week 0; weeks begin on Monday
    bool starts_at_anchor;          // named by the user, and nothing falls on a day before it

    friend bool operator==(const Period&, const Period&) = default;
};

// What periods are counted from unless the user names a day: a Monday.
inline constexpr std::chrono::local_days default_anchor{
    std::chrono::local_days{std::chrono::year{2024} / std::chrono::January / 1}};

// Days on which nothing falls due, whatever else the schedule says: holidays.
struct Exceptions {
    std::vector<std::chrono::local_days> dates; // ascending, each once
    std::vector<std::chrono::month_day> yearly; // ascending, each once
    std::uint8_t weekdays = 0;                  // bit 0: Sundays

    [[nodiscard]] bool empty() const { return dates.empty() && yearly.empty() && weekdays == 0; }
    [[nodiscard]] bool hold(std::chrono::local_days) const;

    friend bool operator==(const Exceptions&, const Exceptions&) = default;
};

struct Days {
    static constexpr std::uint32_t all_dates = 0xFFFFFFFE;
    static constexpr std::uint16_t all_months = 0x1FFE;
    // What a weekday may stand for: each of them, the first to the fifth of a month (bits 1 to 5), the last of a month.
    static constexpr std::uint8_t each = 1;
    static constexpr std::uint8_t last = 1 << 6;

    std::uint16_t months = all_months; // bit 1 is January
    std::uint32_t dates = all_dates;   // bit 1 is the 1st
    bool last_date = false;            // the last day of the month, beside `dates`
    bool first_workday = false;        // the first, or last, Monday to Friday of the month
    bool last_workday = false;
    std::array<std::uint8_t, 7> weekdays{1, 1, 1, 1, 1, 1, 1};   // Sunday first
    enum class Combine { both, either } combine = Combine::both; // dates with weekdays
    std::optional<Period> period;
    Exceptions except;

    [[nodiscard]] bool any_date() const { return dates == all_dates; }
    [[nodiscard]] bool any_weekday() const { return weekdays == std::array<std::uint8_t, 7>{1, 1, 1, 1, 1, 1, 1}; }

    friend bool operator==(const Days&, const Days&) = default;
};

[[nodiscard]] bool falls_on(const Days&, std::chrono::local_days);

// Nothing when there is none within 400 years, the length after which the calendar repeats itself.
[[nodiscard]] std::optional<std::chrono::local_days> first_on_or_after(const Days&, std::chrono::local_days);

}
