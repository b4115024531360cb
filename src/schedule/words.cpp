#include "schedule/schedule.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <ranges>
#include <set>

namespace postrider::schedule {

namespace {

constexpr std::array<std::string_view, 7> weekday_names{"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                        "Thursday", "Friday", "Saturday"};
constexpr std::array<std::string_view, 13> month_names{"",        "January",  "February", "March",  "April",
                                                       "May",     "June",     "July",     "August", "September",
                                                       "October", "November", "December"};
constexpr std::array<std::string_view, 6> places{"", "first", "second", "third", "fourth", "fifth"};

std::string joined(const std::vector<std::string>& parts, std::string_view last = "and") {
    std::string text;
    for (std::size_t i = 0; i < parts.size(); ++i) {
        if (i > 0) text += i + 1 == parts.size() ? fmt::format(" {} ", last) : std::string{", "};
        text += parts[i];
    }
    return text;
}

std::string ordinal(unsigned number) {
    const auto tens = number / 10 % 10, ones = number % 10;
    const auto ending = tens == 1 ? "th" : ones == 1 ? "st" : ones == 2 ? "nd" : ones == 3 ? "rd" : "th";
    return fmt::format("{}{}", number, ending);
}

std::string clock(int minute_of_day) { return fmt::format("{:02}:{:02}", minute_of_day / 60, minute_of_day % 60); }

std::string calendar(std::chrono::local_days day) {
    const std::chrono::year_month_day date{day};
    return fmt::format("{} {} {} {}", weekday_names[std::chrono::weekday{day}.c_encoding()],
                       static_cast<unsigned>(date.day()), month_names[static_cast<unsigned>(date.month())],
                       static_cast<int>(date.year()));
}

// The set bits as names, three or more in a row as "A to C".
template <class Name>
std::vector<std::string> runs(std::uint32_t set, Name name) {
    std::vector<std::string> parts;
    for (unsigned first = 0; first < 32; ++first) {
        if (!(set >> first & 1)) continue;
        auto last = first;
        while (last + 1 < 32 && (set >> (last + 1) & 1)) ++last;
        if (last - first < 2) {
            parts.emplace_back(name(first));
            continue;
        }
        parts.push_back(fmt::format("{} to {}", name(first), name(last)));
        first = last;
    }
    return parts;
}

// The common distance of neighbours; nothing for fewer than two values or uneven ones.
template <class Values>
std::optional<int> step_of(const Values& values) {
    if (values.size() < 2) return std::nullopt;
    const auto step = values[1] - values[0];
    for (std::size_t i = 2; i < values.size(); ++i)
        if (values[i] - values[i - 1] != step) return std::nullopt;
    return static_cast<int>(step);
}

std::string months_of(const Days& days) {
    return joined(runs(days.months, [](unsigned month) { return std::string{month_names[month]}; }));
}

// "the month", or the months by name.
std::string which_month(const Days& days) { return days.months == Days::all_months ? "the month" : months_of(days); }

std::vector<std::string> dates_of(const Days& days) {
    std::vector<unsigned> dates;
    for (unsigned date = 1; date <= 31; ++date)
        if (days.dates >> date & 1) dates.push_back(date);
    const auto step = step_of(dates);
    auto parts = runs(days.dates, ordinal);
    if (dates.size() > 5 && step.value_or(1) > 1)
        parts = {fmt::format("{} and every {} day after it up to the {}", ordinal(dates.front()),
                             ordinal(static_cast<unsigned>(*step)), ordinal(dates.back()))};
    if (days.first_workday) parts.emplace_back("first weekday");
    if (days.last_workday) parts.emplace_back("last weekday");
    if (days.last_date) parts.emplace_back("last day");
    return parts;
}

std::uint32_t each_weekday(const Days& days) {
    std::uint32_t set = 0; // Monday first, so that a weekend ends the week
    for (unsigned i = 0; i < 7; ++i)
        if (days.weekdays[(i + 1) % 7] & Days::each) set |= 1u << i;
    return set;
}

std::vector<std::string> weekdays_of(const Days& days, std::string_view ending) {
    return runs(each_weekday(days),
                [&](unsigned i) { return fmt::format("{}{}", weekday_names[(i + 1) % 7], ending); });
}

// "first and third Monday", "last Friday"
std::vector<std::string> weekdays_of_month(const Days& days) {
    std::vector<std::string> parts;
    for (unsigned i = 0; i < 7; ++i) {
        const auto which = days.weekdays[(i + 1) % 7];
        if (which & Days::each) continue;
        std::vector<std::string> named;
        for (unsigned place = 1; place <= 5; ++place)
            if (which >> place & 1) named.emplace_back(places[place]);
        if (which & Days::last) named.emplace_back("last");
        if (!named.empty()) parts.push_back(fmt::format("{} {}", joined(named), weekday_names[(i + 1) % 7]));
    }
    return parts;
}

// What the weekday part says: "every weekday", "every Monday and the first Friday of the month".
std::string weekday_words(const Days& days) {
    std::string text;
    if (each_weekday(days) == 0b0011111)
        text = "every weekday";
    else if (each_weekday(days))
        text = "every " + joined(weekdays_of(days, ""));
    const auto of_month = weekdays_of_month(days);
    if (of_month.empty()) return text;
    if (!text.empty()) text += " and ";
    return text + fmt::format("the {} of {}", joined(of_month), which_month(days));
}

std::string date_words(const Days& days) {
    const auto single_date =
        std::popcount(days.dates) == 1 && !days.last_date && !days.first_workday && !days.last_workday;
    if (single_date && std::popcount(days.months) == 1)
        return fmt::format("every year on {} {}", std::countr_zero(days.dates), months_of(days));
    return fmt::format("on the {} of {}", joined(dates_of(days)), which_month(days));
}

std::string counted_from(const Period& period) {
    if (period.starts_at_anchor) return fmt::format(", starting {}", calendar(period.anchor));
    return fmt::format(" (counted from {})", calendar(period.anchor));
}

std::string period_words(const Days& days) {
    const auto& period = *days.period;
    const auto how_often = period.count == 2 ? std::string{"every other"} : fmt::format("every {}", period.count);
    if (period.unit == Period::Unit::days) return how_often + (period.count == 2 ? " day" : " days");
    if (period.count == 2 && each_weekday(days) != 0b0011111)
        return fmt::format("{} {}", how_often, joined(weekdays_of(days, "")));
    const auto on = each_weekday(days) == 0b0011111 ? "Monday to Friday" : joined(weekdays_of(days, ""));
    return fmt::format("{} week{} on {}", how_often, period.count == 2 ? "" : "s", on);
}

std::string day_words(const Days& days) {
    const bool months = days.months != Days::all_months;
    const auto in_months = months ? " in " + months_of(days) : std::string{};
    if (days.period) return period_words(days) + in_months;
    if (days.any_date() && days.any_weekday()) return "every day" + in_months;
    if (days.any_date()) return weekday_words(days) + (each_weekday(days) ? in_months : "");
    if (days.any_weekday() && days.combine == Days::Combine::both) return date_words(days);
    if (days.combine == Days::Combine::either)
        return fmt::format("on the {} of {} and {}", joined(dates_of(days)), which_month(days), weekday_words(days));
    auto weekday = joined(weekdays_of(days, ""), "or");
    if (each_weekday(days) == 0b0011111) weekday = "weekday";
    if (each_weekday(days) == 0 || !weekdays_of_month(days).empty()) weekday = weekday_words(days);
    return fmt::format("on the {} of {}, if it is a {},", joined(dates_of(days)), which_month(days), weekday);
}

// Minutes of the hour times hours of the day, where the times are such a product.
struct Grid {
    std::vector<int> minutes;
    std::vector<int> hours;
};

std::optional<Grid> grid_of(const Schedule& schedule) {
    std::set<int> minutes, hours;
    for (auto time : schedule.times) {
        minutes.insert(static_cast<int>(time.count() % 60));
        hours.insert(static_cast<int>(time.count() / 60));
    }
    if (minutes.size() * hours.size() != schedule.times.size()) return std::nullopt;
    return Grid{{minutes.begin(), minutes.end()}, {hours.begin(), hours.end()}};
}

std::string every_minutes(int minutes) {
    if (minutes == 1) return "every minute";
    if (minutes == 60) return "every hour";
    if (minutes % 60 == 0) return fmt::format("every {} hours", minutes / 60);
    return fmt::format("every {} minutes", minutes);
}

std::string listed(const std::vector<int>& numbers) {
    std::vector<std::string> parts;
    for (int number : numbers) parts.push_back(fmt::format("{}", number));
    return joined(parts);
}

// "every 15 minutes", with its bounds unless it goes round the clock. Nothing when the times are not evenly spaced.
std::optional<std::string> even_words(const std::vector<int>& times) {
    const auto step = step_of(times);
    if (!step || times.size() < 3) return std::nullopt;
    const bool round_the_clock = times.front() < *step && times.front() + 24 * 60 - times.back() == *step;
    if (!round_the_clock)
        return fmt::format("{} from {} to {}", every_minutes(*step), clock(times.front()), clock(times.back()));
    if (times.front() == 0) return every_minutes(*step);
    if (*step == 60) return fmt::format("every hour at minute {}", times.front());
    return fmt::format("{} from {}", every_minutes(*step), clock(times.front()));
}

// How the times read. `frequent`: as a rhythm rather than as a list of times.
struct TimeWords {
    std::string text;
    bool frequent;
};

TimeWords time_words(const Schedule& schedule) {
    std::vector<int> times;
    for (auto time : schedule.times) times.push_back(static_cast<int>(time.count()));
    const bool few = times.size() <= 4;
    if (schedule.pace == Pace::intervals || !few)
        if (const auto even = even_words(times)) return {*even, true};

    if (times.size() <= 8) {
        std::vector<std::string> parts;
        for (int time : times) parts.push_back(clock(time));
        return {"at " + joined(parts), false};
    }
    const auto grid = grid_of(schedule);
    if (!grid)
        return {fmt::format("{} times a day from {} to {}", times.size(), clock(times.front()), clock(times.back())),
                true};
    const auto minute_step = step_of(grid->minutes);
    std::string text;
    if (grid->minutes.size() == 60)
        text = "every minute";
    else if (minute_step && grid->minutes.front() == 0 && grid->minutes.back() + *minute_step == 60)
        text = every_minutes(*minute_step);
    else
        text = fmt::format("at minute{} {}", grid->minutes.size() == 1 ? "" : "s", listed(grid->minutes));
    if (grid->hours.size() == 24) return {text + " of every hour", true};
    return {fmt::format("{} of the hour{} {}", text, grid->hours.size() == 1 ? "" : "s", listed(grid->hours)), true};
}

}

namespace {

std::string rule_words(const Schedule& schedule) {
    const auto times = time_words(schedule);
    const auto& days = schedule.days;
    const auto anchor = days.period ? counted_from(*days.period) : std::string{};
    if (!times.frequent) return fmt::format("{} {}{}", day_words(days), times.text, anchor);
    if (days == Days{}) return times.text;
    if (days.any_date() && each_weekday(days) == 0b0011111 && days.months == Days::all_months && !days.period &&
        weekdays_of_month(days).empty())
        return times.text + " on weekdays";
    return fmt::format("{}, {}{}", times.text, day_words(days), anchor);
}

// ", but not on Sundays, 25 December or Friday 1 January 2027"
std::string exception_words(const Exceptions& except) {
    std::vector<std::string> parts;
    for (unsigned i = 0; i < 7; ++i)
        if (const auto day = (i + 1) % 7; except.weekdays >> day & 1)
            parts.push_back(fmt::format("{}s", weekday_names[day]));
    for (const auto& date : except.yearly)
        parts.push_back(fmt::format("{} {} of any year", static_cast<unsigned>(date.day()),
                                    month_names[static_cast<unsigned>(date.month())]));
    for (const auto date : except.dates) parts.push_back(calendar(date));
    return parts.empty() ? std::string{} : fmt::format(", but not on {}", joined(parts, "or"));
}

}

std::string in_words(const Schedule& schedule) {
    if (schedule.days.except.empty()) return rule_words(schedule);
    auto rule = schedule;
    rule.days.except = {};
    return rule_words(rule) + exception_words(schedule.days.except);
}

}
