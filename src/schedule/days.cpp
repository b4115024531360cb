#include "schedule/days.hpp"

#include <algorithm>

namespace postrider::schedule {

namespace {

using std::chrono::days;
using std::chrono::local_days;
using std::chrono::year_month_day;

unsigned length_of_month(const year_month_day& date) {
    return static_cast<unsigned>(std::chrono::year_month_day_last{date.year(), date.month() / std::chrono::last}.day());
}

bool is_workday(unsigned weekday) { return weekday >= 1 && weekday <= 5; }

bool is_first_workday(unsigned date, unsigned weekday) {
    return is_workday(weekday) && (date == 1 || (weekday == 1 && date <= 3));
}

bool is_last_workday(unsigned date, unsigned weekday, unsigned length) {
    return is_workday(weekday) && (date == length || (weekday == 5 && date + 2 >= length));
}

long floor_divide(long a, long b) { return a / b - (a % b < 0 ? 1 : 0); }

bool is_in(const Period& period, local_days day) {
    if (period.starts_at_anchor && day < period.anchor) return false;
    auto from = period.anchor;
    if (period.unit == Period::Unit::weeks) from -= std::chrono::weekday{from} - std::chrono::Monday;
    const long unit = period.unit == Period::Unit::weeks ? 7 : 1;
    return floor_divide((day - from).count(), unit) % period.count == 0;
}

}

bool Exceptions::hold(local_days day) const {
    if (empty()) return false;
    if (weekdays >> std::chrono::weekday{day}.c_encoding() & 1) return true;
    const year_month_day calendar{day};
    return std::ranges::binary_search(dates, day) ||
           std::ranges::binary_search(yearly, std::chrono::month_day{calendar.month(), calendar.day()});
}

bool falls_on(const Days& rule, local_days day) {
    const year_month_day calendar{day};
    if (!(rule.months >> static_cast<unsigned>(calendar.month()) & 1)) return false;
    if (rule.except.hold(day)) return false;
    if (rule.period && !is_in(*rule.period, day)) return false;

    const auto date = static_cast<unsigned>(calendar.day());
    const auto weekday = std::chrono::weekday{day}.c_encoding();
    const auto length = length_of_month(calendar);
    const bool date_fits = (rule.dates >> date & 1) || (rule.last_date && date == length) ||
                           (rule.first_workday && is_first_workday(date, weekday)) ||
                           (rule.last_workday && is_last_workday(date, weekday, length));
    const auto which = rule.weekdays[weekday];
    const bool weekday_fits =
        (which & Days::each) || (which >> ((date - 1) / 7 + 1) & 1) || ((which & Days::last) && date + 7 > length);
    return rule.combine == Days::Combine::either ? date_fits || weekday_fits : date_fits && weekday_fits;
}

std::optional<local_days> first_on_or_after(const Days& rule, local_days day) {
    if (rule.period && rule.period->starts_at_anchor) day = std::max(day, rule.period->anchor);
    const auto limit = day + days{146'097};
    while (day < limit) {
        const year_month_day calendar{day};
        if (!(rule.months >> static_cast<unsigned>(calendar.month()) & 1)) {
            day = local_days{calendar.year() / calendar.month() / 1} + days{length_of_month(calendar)};
            continue;
        }
        if (falls_on(rule, day)) return day;
        day += days{1};
    }
    return std::nullopt;
}

}
