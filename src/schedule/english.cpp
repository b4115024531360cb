#include "schedule/languages.hpp"
#include "schedule/reader.hpp"
#include "schedule/said.hpp"
#include "schedule/tokens.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>
#include <set>

namespace postrider::schedule {

namespace {

template <class T>
using Result = std::expected<T, ScheduleError>;
using Done = Result<void>;

constexpr std::chrono::local_days earliest_start{std::chrono::year{1970} / 1 / 1};
constexpr std::chrono::local_days latest_start{std::chrono::year{2999} / 12 / 31};

// A sentence is a row of clauses in any order: how often, on which days, in which months, at what times, between which
// hours, starting when. Each may be said once. What they add up to is checked at the end.
class Sentence : Reader {
public:
    explicit Sentence(std::string_view text) : Reader(text) { said_.text = text; }

    Result<Schedule> read() {
        // These, alone, mean what they mean in cron.
        if (only_one_word() && is({"daily", "weekly", "monthly", "yearly", "annually"}))
            return parse_cron(fmt::format("@{}", word()));
        while (!over()) {
            if (auto done = clause(); !done) return std::unexpected(done.error());
        }
        return add_up(std::move(said_));
    }

private:
    using Unit = Said::Unit;
    using Selection = Said::Selection;

    // Clauses

    Done clause() {
        if (is({",", "and", "on", "the"})) return connector();
        if (part_at(0) || (is({"in", "at"}) && (part_at(1) || (is({"the"}, 1) && part_at(2))))) return part_of_day();
        if (is({"once", "twice"}) || (count_of(word()) && is({"times"}, 1))) return so_often();
        if (is({"alternate"}) && starts_weekday(word(1))) {
            skip();
            return every_counted(2, position() - 1);
        }
        if (is({"half", "quarter"}) && is({"past", "to"}, 1)) return times();
        if (is({"end"}) && is({"of"}, 1)) return end_of_month();
        if (take({"every", "each"})) return every();
        if (take({"at"})) return times();
        if (is({"starting", "beginning", "since"}) || (is({"from"}) && date_of(word(1)))) return start();
        if (is({"between", "from"}) && !starts_weekday(word(1))) return window();
        if (take({"of", "in"})) return of_which_month();
        if (is({"hourly", "daily", "weekly", "fortnightly", "monthly", "quarterly", "yearly", "annually", "biweekly"}))
            return adverb();
        if (is({"from"}) && starts_weekday(word(1))) skip();
        if (starts_weekday(word())) return weekdays();
        if (take({"day"})) return dates_by_number();
        if (ordinal_of(word()) || is({"last"})) return ordinals();
        if (count_of(word()) && month_of(word(1))) return date_in_month();
        if (month_of(word())) return month_first();
        if (const auto clock = clock_of(word());
            clock && (clock->minutes_written || clock->half != Half::none || is({"am", "pm", "o'clock"}, 1)))
            return times();
        if (clock_of(word()))
            return wrong(
                "a number alone says nothing; write a time as \"at 7\" or \"07:00\", a day of the month as \"15th\"",
                here());
        return not_understood();
    }

    // ", and on the" in this order; none of them twice, none that leads nowhere, no "and" without something before it.
    Done connector() {
        if (position() == 0 && is({",", "and"})) return not_understood();
        for (auto word : {",", "and", "on", "the"}) take({word});
        if (over() || is({",", "and", "on", "the"})) return not_understood();
        return {};
    }

    Done every() {
        const auto begin = position();
        if (take({"other", "alternate"})) return every_counted(2, begin);
        if (is({"second", "2nd"}) && !is_of_month(2)) {
            skip();
            return every_counted(2, begin);
        }
        if (const auto place = ordinal_of(word());
            place && *place > 2 && *place < 6 && starts_weekday(word(1)) && !is_of_month(2))
            return wrong_words(
                fmt::format("may mean two things: say \"{} {} of the month\" or \"every {} weeks on {}\"", word(),
                            word(1), *place, word(1)),
                span(position(), position() + 1));
        if (take({"half"})) {
            if (!take({"hour", "an"})) return not_understood();
            take({"hour"});
            return interval(30, begin);
        }
        if (const auto count = count_of(word()); count && !month_of(word(1))) {
            skip();
            if (*count < 1) return wrong_words("must be at least 1", span(begin, begin));
            return every_counted(*count, begin);
        }
        if (is({"hour", "minute", "day", "week", "month", "quarter", "year"})) return every_counted(1, begin);
        // The rest are clauses of their own: "every [monday]", "every [first friday of the month]", "every [may 1]".
        const bool day = starts_weekday(word()) || ordinal_of(word()) || is({"last"}) || part_at(0).has_value();
        if (day || month_of(word()) || month_of(word(1))) return {};
        return not_understood();
    }

    Done every_counted(int count, std::size_t begin) {
        if (take({"hour", "hours"})) return interval(count * 60, begin);
        if (take({"minute", "minutes", "min", "mins"})) return interval(count, begin);
        if (take({"day", "days"})) return repeat(Unit::days, count, 366, begin);
        if (take({"week", "weeks"})) return repeat(Unit::weeks, count, 52, begin);
        if (take({"month", "months"})) return repeat(Unit::months, count, 12, begin);
        if (take({"quarter"})) return repeat(Unit::months, count * 3, 12, begin);
        if (take({"year", "years"})) return repeat(Unit::years, count, 1, begin);
        if (!starts_weekday(word())) return not_understood();
        if (auto done = repeat(Unit::weeks, count, 52, begin); !done) return done;
        return weekdays();
    }

    // "end of the month", as "last day of the month"
    Done end_of_month() {
        if (auto done = select(Selection::dates); !done) return done;
        said_.days.last_date = true;
        skip();
        return {};
    }

    // "once a week", "twice a day", "3 times a month"
    Done so_often() {
        const auto begin = position();
        if (said_.often) return wrong("how often is said a second time", here());
        const auto count = is({"once"}) ? 1 : is({"twice"}) ? 2 : *count_of(word());
        skip(is({"once", "twice"}) ? 1 : 2);
        if (!take({"a", "per", "each", "every"})) return not_understood();
        const auto unit = is({"day"})     ? Unit::days
                          : is({"week"})  ? Unit::weeks
                          : is({"month"}) ? Unit::months
                          : is({"year"})  ? Unit::years
                                          : Unit::none;
        if (unit == Unit::none) return not_understood();
        skip();
        if (auto done = repeat(unit, 1, 1, begin); !done) return done;
        said_.often = count;
        said_.often_place = since(begin);
        return {};
    }

    [[nodiscard]] std::optional<Said::Part> part_at(std::size_t ahead) const {
        if (is({"morning", "mornings"}, ahead)) return Said::Part::morning;
        if (is({"afternoon", "afternoons"}, ahead)) return Said::Part::afternoon;
        if (is({"evening", "evenings"}, ahead)) return Said::Part::evening;
        return std::nullopt;
    }

    // "mornings", "in the evening"
    Done part_of_day() {
        const auto begin = position();
        take({"in", "at"});
        take({"the"});
        if (said_.part != Said::Part::none) return wrong("the part of the day is said a second time", since(begin));
        said_.part = *part_at(0);
        skip();
        said_.part_place = since(begin);
        return {};
    }

    Done adverb() {
        const auto begin = position();
        if (take({"hourly"})) return interval(60, begin);
        if (take({"daily"})) return repeat(Unit::days, 1, 1, begin);
        if (take({"weekly"})) return repeat(Unit::weeks, 1, 1, begin);
        if (take({"fortnightly"})) return repeat(Unit::weeks, 2, 2, begin);
        if (take({"monthly"})) return repeat(Unit::months, 1, 1, begin);
        if (take({"quarterly"})) return repeat(Unit::months, 3, 3, begin);
        if (take({"yearly", "annually"})) return repeat(Unit::years, 1, 1, begin);
        return wrong_words("may mean two things: say \"every other week\" or name two days", here()); // biweekly
    }

    Done interval(int minutes, std::size_t begin) {
        if (minutes > 24 * 60) return wrong_words("is longer than a day: count days or weeks instead", since(begin));
        if (auto done = once(Unit::minutes, begin); !done) return done;
        said_.count = minutes;
        return {};
    }

    Done repeat(Unit unit, int count, int most, std::size_t begin) {
        if (count > most) return wrong_words(fmt::format("is too rare: at most {} can be counted", most), since(begin));
        if (unit == Unit::months && 12 % count != 0)
            return wrong_words("does not divide a year evenly; 1, 2, 3, 4, 6 and 12 months do", since(begin));
        if (auto done = once(unit, begin); !done) return done;
        said_.count = count;
        return {};
    }

    Done once(Unit unit, std::size_t begin) {
        if (said_.unit != Unit::none)
            return wrong("how often is said a second time; a schedule has one such clause", since(begin));
        said_.unit = unit;
        said_.unit_place = since(begin);
        return {};
    }

    // Days

    Done select(Selection selection) {
        if (said_.selection != Selection::none)
            return wrong("days are said a second time; join them in one list, or make two schedules", here());
        said_.selection = selection;
        said_.selection_place = here();
        if (selection == Selection::dates) said_.days.dates = 0;
        return {};
    }

    [[nodiscard]] static bool starts_weekday(std::string_view word) { return weekday_range_of(word).has_value(); }

    // Whether "of the month" or the like follows `ahead` tokens from here.
    [[nodiscard]] bool is_of_month(std::size_t ahead) const { return is({"of", "in"}, ahead); }

    void add(unsigned first, unsigned last) {
        const auto days = weekdays_between(first, last);
        for (std::size_t day = 0; day < said_.days.weekdays.size(); ++day)
            if (days >> day & 1U) said_.days.weekdays[day] |= Days::each;
    }

    Done weekdays() {
        if (auto done = select(Selection::weekdays); !done) return done;
        said_.days.weekdays.fill(0);
        while (true) {
            auto range = *weekday_range_of(word());
            skip();
            if (is({"to", "through", "until", "till", "-"}) && range.first == range.second && weekday_of(word(1))) {
                range.second = *weekday_of(word(1));
                skip(2);
            }
            add(range.first, range.second);
            const auto ahead = separator(starts_weekday);
            if (!ahead) return {};
            skip(ahead);
        }
    }

    // "day 1", "days" is an interval and never comes here.
    Done dates_by_number() {
        if (auto done = select(Selection::dates); !done) return done;
        while (true) {
            const auto date = count_of(word());
            if (!date || *date < 1 || *date > 31) return wrong("a day of the month is a number from 1 to 31", here());
            skip();
            said_.days.dates |= std::uint32_t{1} << *date;
            const auto ahead = separator([](std::string_view next) { return count_of(next).has_value(); });
            if (!ahead) return {};
            skip(ahead);
        }
    }

    // "first and third monday", "last day", "1st and 15th", "first workday", "25th december".
    Done ordinals() {
        const auto begin = position();
        if (auto done = select(Selection::dates); !done) return done;
        std::set<int> places;
        bool last = false;
        while (true) {
            if (take({"last"})) {
                last = true;
            } else {
                places.insert(*ordinal_of(word()));
                skip();
            }
            if (is({"day"}) && separator_after_day()) skip(); // "the first day and the last day"
            const auto ahead = separator([](std::string_view next) { return next == "last" || ordinal_of(next); });
            const auto with_article = ahead ? 0 : separator([](std::string_view next) { return next == "the"; });
            if (with_article && (is({"last"}, with_article + 1) || ordinal_of(word(with_article + 1)))) {
                skip(with_article + 1);
                continue;
            }
            if (!ahead) break;
            skip(ahead);
        }
        if (weekday_of(word())) return weekdays_of_month(places, last, begin);
        if (is({"working", "business"}) && is({"day"}, 1)) {
            skip(2);
            return workdays_of_month(places, last, begin);
        }
        if (take({"weekday", "workday"})) return workdays_of_month(places, last, begin);
        const bool day = take({"day", "days"});
        if (last && !day)
            return wrong("last what? Say \"last day\", \"last weekday\" or \"last friday\" of the month", here());
        for (int date : places) said_.days.dates |= std::uint32_t{1} << date;
        said_.days.last_date = last;
        if (month_of(word())) return months();
        return {};
    }

    [[nodiscard]] bool separator_after_day() const {
        std::size_t ahead = 1;
        if (is({","}, ahead)) ++ahead;
        if (is({"and"}, ahead)) ++ahead;
        if (ahead == 1) return false;
        if (is({"the"}, ahead)) ++ahead;
        return is({"last"}, ahead) || ordinal_of(word(ahead));
    }

    Done weekdays_of_month(const std::set<int>& places, bool last, std::size_t begin) {
        if (!places.empty() && *places.rbegin() > 5)
            return wrong("a month has at most five of each weekday", span(begin, position()));
        std::uint8_t which = last ? Days::last : 0;
        for (int place : places) which |= static_cast<std::uint8_t>(1 << place);
        said_.days.dates = Days::all_dates;
        said_.days.weekdays.fill(0);
        while (true) {
            said_.days.weekdays[*weekday_of(word())] |= which;
            skip();
            const auto ahead = separator([](std::string_view next) { return weekday_of(next).has_value(); });
            if (!ahead) return {};
            skip(ahead);
        }
    }

    Done workdays_of_month(const std::set<int>& places, bool last, std::size_t begin) {
        if (places.size() > 1 || (!places.empty() && *places.begin() != 1))
            return wrong("of the weekdays of a month only the first and the last can be named", since(begin));
        said_.days.first_workday = !places.empty();
        said_.days.last_workday = last;
        return {};
    }

    // Months

    Done months() {
        if (said_.months) return wrong("months are said a second time", here());
        said_.months = true;
        said_.days.months = 0;
        while (true) {
            const auto first = *month_of(word());
            skip();
            auto last = first;
            if (is({"to", "through", "until", "till"}) && month_of(word(1))) {
                last = *month_of(word(1));
                skip(2);
            }
            for (auto month = first;; month = month % 12 + 1) {
                said_.days.months |= static_cast<std::uint16_t>(1 << month);
                if (month == last) break;
            }
            const auto ahead = separator([](std::string_view next) { return month_of(next).has_value(); });
            if (!ahead) return {};
            skip(ahead);
        }
    }

    Done of_which_month() {
        take({"the", "every", "each", "a"});
        if (month_of(word())) return months();
        if (take({"month", "months"})) {
            if (said_.unit == Unit::none) said_.unit = Unit::months;
            return {};
        }
        return not_understood();
    }

    Done date_in_month() {
        if (auto done = select(Selection::dates); !done) return done;
        const auto date = *count_of(word());
        if (date < 1 || date > 31) return wrong("a day of the month is a number from 1 to 31", here());
        said_.days.dates |= std::uint32_t{1} << date;
        skip();
        return months();
    }

    // "january 1st", "december 25"; "january" alone restricts other clauses.
    Done month_first() {
        if (auto done = months(); !done) return done;
        take({"the"});
        const auto bare = count_of(word());
        const auto date = bare ? bare : ordinal_of(word());
        if (!date || (bare && is({"am", "pm"}, 1))) return {};
        if (auto done = select(Selection::dates); !done) return done;
        if (*date < 1 || *date > 31) return wrong("a day of the month is a number from 1 to 31", here());
        said_.days.dates |= std::uint32_t{1} << *date;
        skip();
        return {};
    }

    // Times

    // "half past seven", "quarter to 8"
    Result<int> minute_beside(bool bare_is_doubtful) {
        const int minutes = is({"half"}) ? 30 : 15;
        const bool past = is({"past"}, 1);
        if (minutes == 30 && !past) return not_understood();
        skip(2);
        const auto begin = position();
        const auto hour = minute_of_day(bare_is_doubtful);
        if (!hour) return hour;
        if (*hour % 60 != 0) return wrong("must be a full hour", span(begin, begin));
        const int time = (*hour + (past ? minutes : -minutes) + 24 * 60) % (24 * 60);
        if (said_.half_times.erase(*hour)) said_.half_times.insert(time);
        return time;
    }

    Result<int> minute_of_day(bool bare_is_doubtful) {
        if (is({"half", "quarter"}) && is({"past", "to"}, 1)) return minute_beside(bare_is_doubtful);
        const auto said_word = std::string(word());
        auto clock = clock_of(said_word);
        if (!clock)
            if (const auto count = count_of(word()); count && *count >= 1 && *count <= 12)
                clock = Clock{*count, 0, false, Half::none};
        if (!clock) return not_understood();
        const auto begin = position();
        skip();
        if (clock->half == Half::none && take({"am"})) clock->half = Half::am;
        if (clock->half == Half::none && take({"pm"})) clock->half = Half::pm;
        take({"o'clock"});
        if (clock->half != Half::none) {
            if (clock->hour < 1 || clock->hour > 12)
                return wrong("with am or pm the hour is 1 to 12", span(begin, begin));
            clock->hour = clock->hour % 12 + (clock->half == Half::pm ? 12 : 0);
        } else if (bare_is_doubtful && !clock->minutes_written && clock->hour >= 1 && clock->hour <= 12) {
            return wrong("am or pm? Say it with each of these times, or with none", span(begin, begin));
        }
        if (clock->hour > 23)
            return wrong(fmt::format("hour {} is out of range 0-23", clock->hour), span(begin, begin));
        if (clock->minute > 59)
            return wrong(fmt::format("minute {} is out of range 0-59", clock->minute), span(begin, begin));
        const int time = clock->hour * 60 + clock->minute;
        const bool word_of_its_own = said_word == "noon" || said_word == "midday" || said_word == "midnight";
        if (clock->half == Half::none && !word_of_its_own && clock->hour >= 1 && clock->hour <= 12)
            said_.half_times.insert(time);
        return time;
    }

    // "at 7 and 9pm" leaves open which seven is meant.
    [[nodiscard]] bool list_has_halves() const {
        for (std::size_t ahead = 0; !over(ahead); ++ahead) {
            if (is({",", "and", "am", "pm", "to", "until", "till", "o'clock"}, ahead)) {
                if (is({"am", "pm"}, ahead)) return true;
                continue;
            }
            const auto clock = clock_of(word(ahead));
            if (!clock) return false;
            if (clock->half != Half::none) return true;
        }
        return false;
    }

    Done times() {
        const auto begin = position();
        const bool halves = list_has_halves();
        if (!said_.times.empty())
            return wrong("times are said a second time; join them in one list, or make two schedules",
                         span(begin, begin));
        while (true) {
            const auto time = minute_of_day(halves);
            if (!time) return std::unexpected(time.error());
            said_.times.insert(*time);
            auto ahead = separator([](std::string_view next) { return clock_of(next).has_value(); });
            if (!ahead && is({"and"}) && is({"at"}, 1) && clock_of(word(2))) ahead = 2; // "at 7 and at 17"
            if (!ahead) break;
            skip(ahead);
        }
        said_.times_place = since(begin);
        return {};
    }

    // "between 9 and 17", "from 8am to 6pm"
    Done window() {
        const auto begin = position();
        skip();
        const bool halves = list_has_halves();
        if (said_.window) return wrong("hours are said a second time", span(begin, begin));
        const auto first = minute_of_day(halves);
        if (!first) return std::unexpected(first.error());
        if (!take({"and", "to", "until", "till"})) return not_understood();
        const auto last = minute_of_day(halves);
        if (!last) return std::unexpected(last.error());
        if (*last <= *first) return wrong_words("ends before it begins", since(begin));
        said_.window = {*first, *last};
        said_.window_place = since(begin);
        return {};
    }

    Done start() {
        skip();
        take({"on", "from", "with"});
        const auto date = date_of(word());
        if (!date) return wrong("a date is written as in 2026-01-09", here());
        if (said_.start) return wrong("a start is named a second time", here());
        if (*date < earliest_start || *date > latest_start) return wrong("a start lies between 1970 and 2999", here());
        said_.start = *date;
        said_.start_place = here();
        skip();
        return {};
    }

    Said said_;
};

}

std::expected<Schedule, ScheduleError> parse_english(std::string_view text) { return Sentence{text}.read(); }

}
