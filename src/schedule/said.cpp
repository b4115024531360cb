#include "schedule/said.hpp"

#include "schedule/languages.hpp"

#include <fmt/format.h>

#include <bit>

namespace postrider::schedule {

namespace {

using Unit = Said::Unit;
using Selection = Said::Selection;
using Done = std::expected<void, ScheduleError>;

constexpr int day_length = 24 * 60;

std::unexpected<ScheduleError> wrong(std::string_view message, Span place) {
    return std::unexpected(ScheduleError{std::string{message}, place.column, place.length});
}

std::unexpected<ScheduleError> missing(const Said& said, std::string_view question) {
    return wrong(question, {said.text.size(), 0});
}

Done check_days(const Said& said) {
    switch (said.unit) {
    case Unit::days:
        if (said.selection != Selection::none)
            return wrong_words(said.text, said.unit_place, "counts days, and days are named as well");
        break;
    case Unit::weeks:
        if (said.selection == Selection::dates)
            return wrong_words(said.text, said.unit_place, "counts weeks, and days of the month are named as well");
        if (said.selection == Selection::none)
            return missing(said, "on which day of the week? Say it, as in \"weekly on friday at 17:00\"");
        break;
    case Unit::months:
        if (said.selection == Selection::weekdays)
            return wrong("which of them in the month? Say \"first\", \"last\" or the like", said.selection_place);
        if (said.selection == Selection::none)
            return missing(said, "on which day of the month? Say it, as in \"monthly on the 1st at 09:00\"");
        break;
    case Unit::years:
        if (said.selection != Selection::dates)
            return missing(said, "on which day of the year? Say it, as in \"yearly on 1 march at 09:00\"");
        if (!said.months) return missing(said, "in which month? Say it, as in \"yearly on 1 march at 09:00\"");
        break;
    case Unit::none:
        if (said.selection == Selection::none && said.months)
            return missing(said, "on which days? Say it, as in \"every day in december at 09:00\"");
        break;
    case Unit::minutes: break;
    }
    return {};
}

std::string text_of(int minutes) {
    if (minutes % 60 == 0) return fmt::format("{} hour{}", minutes / 60, minutes == 60 ? "" : "s");
    return fmt::format("{} minute{}", minutes, minutes == 1 ? "" : "s");
}

// The next length from `minutes` on, in whole hours if it is some, that divides a day.
int divisor(int minutes, int direction) {
    const int unit = minutes % 60 == 0 ? 60 : 1;
    while (day_length % minutes != 0) minutes += direction * unit;
    return minutes;
}

Done add_interval(const Said& said, Schedule& schedule) {
    if (said.part != Said::Part::none)
        return wrong_words(said.text, said.part_place, "goes with a time, as in \"mornings at 7\"");
    if (!said.times.empty())
        return wrong_words(said.text, said.times_place, "is a time, and how often is said too; say one or the other");
    if (!said.window && day_length % said.count != 0) {
        const auto advice = fmt::format("does not divide a day evenly; {} or {} would",
                                        text_of(divisor(said.count, -1)), text_of(divisor(said.count, 1)));
        return wrong_words(said.text, said.unit_place, advice);
    }
    const auto [first, last] = said.window.value_or(std::pair{0, day_length - 1});
    for (int time = first; time <= last; time += said.count) schedule.times.emplace_back(time);
    schedule.pace = Pace::intervals;
    return {};
}

// "7" in the evening is 19:00; 19:00 is not in the morning.
std::expected<std::set<int>, ScheduleError> times_of_day(const Said& said) {
    if (said.part == Said::Part::none) return said.times;
    constexpr int noon = day_length / 2;
    const bool morning = said.part == Said::Part::morning;
    std::set<int> times;
    for (int time : said.times) {
        if (said.half_times.contains(time) && time / 60 == 12 && said.part != Said::Part::afternoon)
            return wrong_words(said.text, said.times_place, "may be noon or midnight; say which");
        if (said.half_times.contains(time)) time = time % noon + (morning ? 0 : noon);
        if (morning != (time < noon))
            return wrong_words(said.text, said.part_place,
                               fmt::format("does not go with {:02}:{:02}", time / 60, time % 60));
        times.insert(time);
    }
    return times;
}

int weekdays_named(const Said& said) {
    int named = 0;
    for (auto which : said.days.weekdays)
        for (unsigned bit = 0; bit < 7; ++bit) named += which >> bit & 1;
    return named;
}

int dates_named(const Said& said) {
    return std::popcount(said.days.dates) + said.days.last_date + said.days.first_workday + said.days.last_workday;
}

// "Twice a week" with three days is a slip, and nobody knows of which kind.
Done check_often(const Said& said) {
    if (said.often == 0) return {};
    std::string_view what = "day";
    int named = static_cast<int>(said.times.size());
    if (said.unit == Unit::days)
        what = "time";
    else if (said.times.size() > 1)
        return wrong_words(said.text, said.often_place, "does not go with several times a day");
    else
        named = said.unit == Unit::weeks || said.days.any_date() ? weekdays_named(said) : dates_named(said);
    if (named == said.often) return {};
    return wrong_words(said.text, said.often_place,
                       fmt::format("does not go with {} {}{}", named, what, named == 1 ? "" : "s"));
}

Done add_times(const Said& said, Schedule& schedule) {
    if (said.window) return wrong("such hours go with \"every hour\" or \"every 30 minutes\"", said.window_place);
    if (said.times.empty()) return missing(said, "at what time? Say it, as in \"every weekday at 07:00\"");
    if (auto done = check_often(said); !done) return done;
    const auto times = times_of_day(said);
    if (!times) return std::unexpected(times.error());
    for (int time : *times) schedule.times.emplace_back(time);
    return {};
}

Done add_days(const Said& said, Schedule& schedule) {
    schedule.days = said.days;
    const bool counted = (said.unit == Unit::days || said.unit == Unit::weeks) && said.count > 1;
    if (said.start && !counted)
        return wrong("a start goes with \"every other\" or \"every 3 weeks\", which are counted from it",
                     said.start_place);
    if (counted) {
        const auto unit = said.unit == Unit::days ? Period::Unit::days : Period::Unit::weeks;
        schedule.days.period = Period{unit, said.count, said.start.value_or(default_anchor), said.start.has_value()};
    }
    if (said.unit == Unit::months && said.count > 1) {
        if (said.months) return wrong_words(said.text, said.unit_place, "counts months, and months are named as well");
        schedule.days.months = 0;
        for (int month = 1; month <= 12; month += said.count)
            schedule.days.months |= static_cast<std::uint16_t>(1 << month);
    }
    return {};
}

}

std::expected<Schedule, ScheduleError> add_up(Said said) {
    Schedule schedule;
    auto done = check_days(said);
    if (done) done = said.unit == Unit::minutes ? add_interval(said, schedule) : add_times(said, schedule);
    if (done) done = add_days(said, schedule);
    if (!done) return std::unexpected(done.error());
    return schedule;
}

}
