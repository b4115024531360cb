#include "schedule/languages.hpp"
#include "schedule/quote.hpp"
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

constexpr std::string_view another_way =
    "write for example \"every weekday at 07:00\" or \"first monday of the month at 9am\"";

// A sentence is a row of clauses in any order: how often, on which days, in which months, at what times, between which
// hours, starting when. Each may be said once. What they add up to is checked at the end.
class Sentence {
public:
    explicit Sentence(std::string_view text) : text_(text), tokens_(tokens_of(text)) {}

    Result<Schedule> read() {
        while (!over()) {
            if (auto done = clause(); !done) return std::unexpected(done.error());
        }
        return compile();
    }

private:
    enum class Unit { none, minutes, days, weeks, months, years };

    // Reading

    [[nodiscard]] bool over(std::size_t ahead = 0) const { return at_ + ahead >= tokens_.size(); }
    [[nodiscard]] std::string_view word(std::size_t ahead = 0) const {
        return over(ahead) ? std::string_view{} : std::string_view{tokens_[at_ + ahead].text};
    }
    [[nodiscard]] bool is(std::initializer_list<std::string_view> words, std::size_t ahead = 0) const {
        return !over(ahead) && std::ranges::find(words, word(ahead)) != words.end();
    }
    bool take(std::initializer_list<std::string_view> words) {
        if (!is(words)) return false;
        ++at_;
        return true;
    }
    // How many tokens of ", and" stand here, if something that `starts` fits behind them; 0 when the list is over.
    template <class Starts>
    [[nodiscard]] std::size_t separator(Starts starts) const {
        std::size_t ahead = 0;
        if (is({","}, ahead)) ++ahead;
        if (is({"and"}, ahead)) ++ahead;
        return ahead && !over(ahead) && starts(word(ahead)) ? ahead : 0;
    }

    [[nodiscard]] std::unexpected<ScheduleError> wrong(std::string message, std::size_t first, std::size_t last) const {
        if (first >= tokens_.size()) return std::unexpected(ScheduleError{std::move(message), text_.size(), 0});
        last = std::clamp(last, first, tokens_.size() - 1);
        const auto column = tokens_[first].column;
        return std::unexpected(
            ScheduleError{std::move(message), column, tokens_[last].column + tokens_[last].length - column});
    }
    [[nodiscard]] std::unexpected<ScheduleError> wrong_here(std::string message) const {
        return wrong(std::move(message), at_, at_);
    }
    // A message about these words, which become its subject: "\"7 minutes\" does not divide ...".
    [[nodiscard]] std::unexpected<ScheduleError> wrong_words(std::string_view predicate, std::size_t first,
                                                             std::size_t last) const {
        auto error = wrong({}, first, last).error();
        error.message = fmt::format("{} {}", quoted(text_.substr(error.column, error.length)), predicate);
        return std::unexpected(std::move(error));
    }
    [[nodiscard]] std::unexpected<ScheduleError> not_understood() const {
        if (over()) return wrong_here(fmt::format("something is missing here; {}", another_way));
        if (const auto meant = nearest_english(word()); meant && *meant != word())
            return wrong_words(fmt::format("is not understood; did you mean \"{}\"?", *meant), at_, at_);
        return wrong_words(fmt::format("is not understood here; {}", another_way), at_, at_);
    }

    // Clauses

    Done clause() {
        if (is({",", "and", "on", "the"})) return connector();
        if (take({"every", "each"})) return every();
        if (take({"at"})) return times();
        if (is({"starting", "beginning", "since"}) || (is({"from"}) && date_of(word(1)))) return start();
        if (is({"between", "from"}) && !starts_weekday(word(1))) return window();
        if (take({"of", "in"})) return of_which_month();
        if (is({"hourly", "daily", "weekly", "fortnightly", "monthly", "quarterly", "yearly", "annually", "biweekly"}))
            return adverb();
        if (is({"from"}) && starts_weekday(word(1))) ++at_;
        if (starts_weekday(word())) return weekdays();
        if (take({"day"})) return dates_by_number();
        if (ordinal_of(word()) || is({"last"})) return ordinals();
        if (count_of(word()) && month_of(word(1))) return date_in_month();
        if (month_of(word())) return month_first();
        if (const auto clock = clock_of(word());
            clock && (clock->minutes_written || clock->half != Half::none || is({"am", "pm", "o'clock"}, 1)))
            return times();
        if (clock_of(word()))
            return wrong_here(
                "a number alone says nothing; write a time as \"at 7\" or \"07:00\", a day of the month as \"15th\"");
        return not_understood();
    }

    // ", and on the" in this order; none of them twice, none that leads nowhere, no "and" without something before it.
    Done connector() {
        if (at_ == 0 && is({",", "and"})) return not_understood();
        for (auto word : {",", "and", "on", "the"}) take({word});
        if (over() || is({",", "and", "on", "the"})) return not_understood();
        return {};
    }

    Done every() {
        const auto begin = at_;
        if (take({"other", "alternate"})) return every_counted(2, begin);
        if (is({"second", "2nd"}) && !is_of_month(2)) {
            ++at_;
            return every_counted(2, begin);
        }
        if (const auto place = ordinal_of(word());
            place && *place > 2 && *place < 6 && starts_weekday(word(1)) && !is_of_month(2))
            return wrong_words(
                fmt::format("may mean two things: say \"{} {} of the month\" or \"every {} weeks on {}\"", word(),
                            word(1), *place, word(1)),
                at_, at_ + 1);
        if (take({"half"})) {
            if (!take({"hour", "an"})) return not_understood();
            take({"hour"});
            return interval(30, begin);
        }
        if (const auto count = count_of(word()); count && !month_of(word(1))) {
            ++at_;
            if (*count < 1) return wrong_words("must be at least 1", begin, begin);
            return every_counted(*count, begin);
        }
        if (is({"hour", "minute", "day", "week", "month", "quarter", "year"})) return every_counted(1, begin);
        // The rest are clauses of their own: "every [monday]", "every [first friday of the month]", "every [25
        // december]".
        const bool day = starts_weekday(word()) || ordinal_of(word()) || is({"last"});
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

    Done adverb() {
        const auto begin = at_++;
        const auto said = tokens_[begin].text;
        if (said == "hourly") return interval(60, begin);
        if (said == "daily") return repeat(Unit::days, 1, 1, begin);
        if (said == "weekly") return repeat(Unit::weeks, 1, 1, begin);
        if (said == "fortnightly") return repeat(Unit::weeks, 2, 2, begin);
        if (said == "monthly") return repeat(Unit::months, 1, 1, begin);
        if (said == "quarterly") return repeat(Unit::months, 3, 3, begin);
        if (said == "biweekly")
            return wrong_words("may mean two things: say \"every other week\" or name two days", begin, begin);
        return repeat(Unit::years, 1, 1, begin);
    }

    Done interval(int minutes, std::size_t begin) {
        if (minutes > 24 * 60) return wrong_words("is longer than a day: count days or weeks instead", begin, at_ - 1);
        if (auto done = once(Unit::minutes, begin); !done) return done;
        count_ = minutes;
        return {};
    }

    Done repeat(Unit unit, int count, int most, std::size_t begin) {
        if (count > most)
            return wrong_words(fmt::format("is too rare: at most {} can be counted", most), begin, at_ - 1);
        if (unit == Unit::months && 12 % count != 0)
            return wrong_words("does not divide a year evenly; 1, 2, 3, 4, 6 and 12 months do", begin, at_ - 1);
        if (auto done = once(unit, begin); !done) return done;
        count_ = count;
        return {};
    }

    Done once(Unit unit, std::size_t begin) {
        if (unit_ != Unit::none)
            return wrong("how often is said a second time; a schedule has one such clause", begin, at_ - 1);
        unit_ = unit;
        unit_place_ = {begin, at_ - 1};
        return {};
    }

    // Days

    enum class Selection { none, weekdays, dates };

    Done select(Selection selection, std::size_t begin) {
        if (selection_ != Selection::none)
            return wrong("days are said a second time; join them in one list, or make two schedules", begin, at_);
        selection_ = selection;
        selection_place_ = begin;
        if (selection == Selection::dates) days_.dates = 0;
        return {};
    }

    [[nodiscard]] static bool starts_weekday(std::string_view word) { return weekday_range_of(word).has_value(); }

    // Whether "of the month" or the like follows `ahead` tokens from here.
    [[nodiscard]] bool is_of_month(std::size_t ahead) const { return is({"of", "in"}, ahead); }

    void add(unsigned first, unsigned last) {
        for (auto day = first;; day = (day + 1) % 7) {
            days_.weekdays[day] |= Days::each;
            if (day == last) return;
        }
    }

    Done weekdays() {
        if (auto done = select(Selection::weekdays, at_); !done) return done;
        days_.weekdays.fill(0);
        while (true) {
            auto range = *weekday_range_of(word());
            ++at_;
            if (is({"to", "through", "until", "till", "-"}) && range.first == range.second && weekday_of(word(1))) {
                range.second = *weekday_of(word(1));
                at_ += 2;
            }
            add(range.first, range.second);
            const auto ahead = separator(starts_weekday);
            if (!ahead) return {};
            at_ += ahead;
        }
    }

    // "day 1", "days" is an interval and never comes here.
    Done dates_by_number() {
        if (auto done = select(Selection::dates, at_); !done) return done;
        while (true) {
            const auto date = count_of(word());
            if (!date || *date < 1 || *date > 31) return wrong_here("a day of the month is a number from 1 to 31");
            ++at_;
            days_.dates |= std::uint32_t{1} << *date;
            const auto ahead = separator([](std::string_view next) { return count_of(next).has_value(); });
            if (!ahead) return {};
            at_ += ahead;
        }
    }

    // "first and third monday", "last day", "1st and 15th", "first workday", "25th december".
    Done ordinals() {
        const auto begin = at_;
        if (auto done = select(Selection::dates, at_); !done) return done;
        std::set<int> places;
        bool last = false;
        while (true) {
            if (take({"last"})) {
                last = true;
            } else {
                places.insert(*ordinal_of(word()));
                ++at_;
            }
            if (is({"day"}) && separator_after_day()) ++at_; // "the first day and the last day"
            const auto ahead = separator([](std::string_view next) { return next == "last" || ordinal_of(next); });
            const auto with_article = ahead ? 0 : separator([](std::string_view next) { return next == "the"; });
            if (with_article && (is({"last"}, with_article + 1) || ordinal_of(word(with_article + 1)))) {
                at_ += with_article + 1;
                continue;
            }
            if (!ahead) break;
            at_ += ahead;
        }
        if (weekday_of(word())) return weekdays_of_month(places, last, begin);
        if (is({"working", "business"}) && is({"day"}, 1)) {
            at_ += 2;
            return workdays_of_month(places, last, begin);
        }
        if (take({"weekday", "workday"})) return workdays_of_month(places, last, begin);
        const bool day = take({"day", "days"});
        if (last && !day)
            return wrong_here("last what? Say \"last day\", \"last weekday\" or \"last friday\" of the month");
        for (int date : places) days_.dates |= std::uint32_t{1} << date;
        days_.last_date = last;
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
            return wrong("a month has at most five of each weekday", begin, at_);
        std::uint8_t which = last ? Days::last : 0;
        for (int place : places) which |= static_cast<std::uint8_t>(1 << place);
        days_.dates = Days::all_dates;
        days_.weekdays.fill(0);
        while (true) {
            days_.weekdays[*weekday_of(word())] |= which;
            ++at_;
            const auto ahead = separator([](std::string_view next) { return weekday_of(next).has_value(); });
            if (!ahead) return {};
            at_ += ahead;
        }
    }

    Done workdays_of_month(const std::set<int>& places, bool last, std::size_t begin) {
        if (places.size() > 1 || (!places.empty() && *places.begin() != 1))
            return wrong("of the weekdays of a month only the first and the last can be named", begin, at_ - 1);
        days_.first_workday = !places.empty();
        days_.last_workday = last;
        return {};
    }

    // Months

    Done months() {
        if (months_said_) return wrong_here("months are said a second time");
        months_said_ = true;
        days_.months = 0;
        while (true) {
            const auto first = *month_of(word());
            ++at_;
            auto last = first;
            if (is({"to", "through", "until", "till"}) && month_of(word(1))) {
                last = *month_of(word(1));
                at_ += 2;
            }
            for (auto month = first;; month = month % 12 + 1) {
                days_.months |= static_cast<std::uint16_t>(1 << month);
                if (month == last) break;
            }
            const auto ahead = separator([](std::string_view next) { return month_of(next).has_value(); });
            if (!ahead) return {};
            at_ += ahead;
        }
    }

    Done of_which_month() {
        take({"the", "every", "each", "a"});
        if (month_of(word())) return months();
        if (take({"month", "months"})) {
            if (unit_ == Unit::none) unit_ = Unit::months;
            return {};
        }
        return not_understood();
    }

    Done date_in_month() {
        if (auto done = select(Selection::dates, at_); !done) return done;
        const auto date = *count_of(word());
        if (date < 1 || date > 31) return wrong_here("a day of the month is a number from 1 to 31");
        days_.dates |= std::uint32_t{1} << date;
        ++at_;
        return months();
    }

    // "january 1st", "december 25"; "january" alone restricts other clauses.
    Done month_first() {
        if (auto done = months(); !done) return done;
        take({"the"});
        const auto bare = count_of(word());
        const auto date = bare ? bare : ordinal_of(word());
        if (!date || (bare && is({"am", "pm"}, 1))) return {};
        if (auto done = select(Selection::dates, at_); !done) return done;
        if (*date < 1 || *date > 31) return wrong_here("a day of the month is a number from 1 to 31");
        days_.dates |= std::uint32_t{1} << *date;
        ++at_;
        return {};
    }

    // Times

    Result<int> minute_of_day(bool bare_is_doubtful) {
        auto clock = clock_of(word());
        if (!clock) return not_understood();
        const auto begin = at_++;
        if (clock->half == Half::none && take({"am"})) clock->half = Half::am;
        if (clock->half == Half::none && take({"pm"})) clock->half = Half::pm;
        take({"o'clock"});
        if (clock->half != Half::none) {
            if (clock->hour < 1 || clock->hour > 12) return wrong("with am or pm the hour is 1 to 12", begin, begin);
            clock->hour = clock->hour % 12 + (clock->half == Half::pm ? 12 : 0);
        } else if (bare_is_doubtful && !clock->minutes_written && clock->hour >= 1 && clock->hour <= 12) {
            return wrong("am or pm? Say it with each of these times, or with none", begin, begin);
        }
        if (clock->hour > 23) return wrong(fmt::format("hour {} is out of range 0-23", clock->hour), begin, begin);
        if (clock->minute > 59)
            return wrong(fmt::format("minute {} is out of range 0-59", clock->minute), begin, begin);
        return clock->hour * 60 + clock->minute;
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
        const auto begin = at_;
        const bool halves = list_has_halves();
        if (!times_.empty())
            return wrong("times are said a second time; join them in one list, or make two schedules", begin, begin);
        times_place_ = begin;
        while (true) {
            const auto time = minute_of_day(halves);
            if (!time) return std::unexpected(time.error());
            times_.insert(*time);
            auto ahead = separator([](std::string_view next) { return clock_of(next).has_value(); });
            if (!ahead && is({"and"}) && is({"at"}, 1) && clock_of(word(2))) ahead = 2; // "at 7 and at 17"
            if (!ahead) return {};
            at_ += ahead;
        }
    }

    // "between 9 and 17", "from 8am to 6pm"
    Done window() {
        const auto begin = at_++;
        const bool halves = list_has_halves();
        if (window_) return wrong("hours are said a second time", begin, begin);
        const auto first = minute_of_day(halves);
        if (!first) return std::unexpected(first.error());
        if (!take({"and", "to", "until", "till"})) return not_understood();
        const auto last = minute_of_day(halves);
        if (!last) return std::unexpected(last.error());
        if (*last <= *first) return wrong_words("ends before it begins", begin, at_ - 1);
        window_ = {*first, *last};
        window_place_ = begin;
        return {};
    }

    Done start() {
        ++at_;
        take({"on", "from", "with"});
        const auto date = date_of(word());
        if (!date) return wrong_here("a date is written as in 2026-01-09");
        if (start_) return wrong_here("a start is named a second time");
        start_ = *date;
        start_place_ = at_++;
        return {};
    }

    // What it all adds up to

    Result<Schedule> compile() {
        if (auto done = check_days(); !done) return std::unexpected(done.error());
        Schedule schedule;
        if (unit_ == Unit::minutes) {
            if (auto done = fill_interval(schedule); !done) return std::unexpected(done.error());
        } else {
            if (window_)
                return wrong("hours like these go with \"every hour\" or \"every 30 minutes\"", window_place_, at_);
            if (tokens_.size() == 1 && is_cron_word(tokens_.front().text))
                return parse_cron("@" + tokens_.front().text);
            if (times_.empty()) return wrong_at_end("at what time? Say it, as in \"every weekday at 07:00\"");
            for (int time : times_) schedule.times.emplace_back(time);
        }
        if (auto done = fill_period(); !done) return std::unexpected(done.error());
        schedule.days = days_;
        return schedule;
    }

    [[nodiscard]] std::unexpected<ScheduleError> wrong_at_end(std::string message) const {
        return std::unexpected(ScheduleError{std::move(message), text_.size(), 0});
    }

    Done check_days() const {
        const auto [first, last] = unit_place_;
        switch (unit_) {
        case Unit::days:
            if (selection_ != Selection::none)
                return wrong_words("goes with every day, and days are named as well", first, last);
            break;
        case Unit::weeks:
            if (selection_ == Selection::dates)
                return wrong_words("counts weeks, and a day of the month is named", first, last);
            if (selection_ == Selection::none && tokens_.size() > 1)
                return wrong_at_end("on which day of the week? Say it, as in \"weekly on friday at 17:00\"");
            break;
        case Unit::months:
            if (selection_ == Selection::weekdays)
                return wrong("which of them in the month? Say \"first\", \"last\" or the like", selection_place_,
                             selection_place_);
            if (selection_ == Selection::none && tokens_.size() > 1)
                return wrong_at_end("on which day of the month? Say it, as in \"monthly on the 1st at 09:00\"");
            break;
        case Unit::years:
            if (selection_ != Selection::dates && tokens_.size() > 1)
                return wrong_at_end("on which day of the year? Say it, as in \"yearly on 1 march at 09:00\"");
            if (selection_ == Selection::dates && !months_said_)
                return wrong_at_end("in which month? Say it, as in \"yearly on 1 march at 09:00\"");
            break;
        case Unit::none:
            if (selection_ == Selection::none && months_said_)
                return wrong_at_end("on which days? Say it, as in \"every day in december at 09:00\"");
            break;
        case Unit::minutes: break;
        }
        return {};
    }

    // These, alone, mean what they mean in cron.
    [[nodiscard]] static bool is_cron_word(std::string_view word) {
        return word == "daily" || word == "weekly" || word == "monthly" || word == "yearly" || word == "annually";
    }

    Done fill_interval(Schedule& schedule) const {
        const auto [first, last] = unit_place_;
        if (!times_.empty())
            return wrong_words("is a time, and how often is said too; say one or the other", times_place_,
                               times_place_);
        const int day = 24 * 60;
        if (!window_ && day % count_ != 0)
            return wrong_words(
                fmt::format("does not divide a day evenly; {} or {} would", text_of(divisor(-1)), text_of(divisor(1))),
                first, last);
        const auto [from, to] = window_.value_or(std::pair{0, day - 1});
        for (int time = from; time <= to; time += count_) schedule.times.emplace_back(time);
        schedule.pace = Pace::intervals;
        return {};
    }

    [[nodiscard]] int divisor(int direction) const {
        const int unit = count_ % 60 == 0 ? 60 : 1;
        int minutes = count_;
        while (24 * 60 % minutes != 0) minutes += direction * unit;
        return minutes;
    }

    [[nodiscard]] static std::string text_of(int minutes) {
        if (minutes % 60 == 0) return fmt::format("{} hour{}", minutes / 60, minutes == 60 ? "" : "s");
        return fmt::format("{} minute{}", minutes, minutes == 1 ? "" : "s");
    }

    Done fill_period() {
        const bool counted = (unit_ == Unit::days || unit_ == Unit::weeks) && count_ > 1;
        if (start_ && !counted)
            return wrong("a start goes with \"every other\" or \"every 3 weeks\", which are counted from it",
                         start_place_, start_place_);
        if (counted) {
            const auto unit = unit_ == Unit::days ? Period::Unit::days : Period::Unit::weeks;
            days_.period = Period{unit, count_, start_.value_or(default_anchor), start_.has_value()};
        }
        if (unit_ == Unit::months && count_ > 1) {
            if (months_said_)
                return wrong_words("counts months, and months are named as well", unit_place_.first,
                                   unit_place_.second);
            days_.months = 0;
            for (int month = 1; month <= 12; month += count_) days_.months |= static_cast<std::uint16_t>(1 << month);
        }
        return {};
    }

    std::string_view text_;
    std::vector<Token> tokens_;
    std::size_t at_ = 0;

    Unit unit_ = Unit::none;
    int count_ = 1;
    std::pair<std::size_t, std::size_t> unit_place_{};
    Selection selection_ = Selection::none;
    std::size_t selection_place_ = 0;
    bool months_said_ = false;
    Days days_;
    std::set<int> times_;
    std::size_t times_place_ = 0;
    std::optional<std::pair<int, int>> window_;
    std::size_t window_place_ = 0;
    std::optional<std::chrono::local_days> start_;
    std::size_t start_place_ = 0;
};

}

std::expected<Schedule, ScheduleError> parse_english(std::string_view text) { return Sentence{text}.read(); }

}
