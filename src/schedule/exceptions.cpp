#include "schedule/languages.hpp"
#include "schedule/reader.hpp"

#include <algorithm>

namespace postrider::schedule {

namespace {

using Done = std::expected<void, ScheduleError>;

template <class Value>
void insert(std::vector<Value>& sorted, Value value) {
    const auto place = std::ranges::lower_bound(sorted, value);
    if (place == sorted.end() || *place != value) sorted.insert(place, value);
}

// A list of days, joined by commas, "and", "on" and "the".
class ExceptionList : Reader {
public:
    explicit ExceptionList(std::string_view text) : Reader(text) {}

    std::expected<Exceptions, ScheduleError> read() {
        if (over()) return wrong("except when? Say it, as in \"except 2026-12-25, january 1 and sundays\"", here());
        while (true) {
            take({"on"});
            take({"the"});
            if (auto done = day(); !done) return std::unexpected(done.error());
            if (over()) return std::move(except_);
            const bool joined = take({","});
            if (!take({"and", "or"}) && !joined) return not_a_day();
        }
    }

private:
    [[nodiscard]] std::unexpected<ScheduleError> not_a_day() const {
        return wrong("is no day to leave out; write a date as 2026-12-25 or \"december 25\", or a weekday", here());
    }

    Done day() {
        if (const auto date = date_of(word())) {
            skip();
            insert(except_.dates, *date);
            return {};
        }
        if (const auto range = weekday_range_of(word())) {
            skip();
            except_.weekdays |= weekdays_between(range->first, range->second);
            return {};
        }
        // "december 25", "25th of december"
        const bool month_first = month_of(word()).has_value();
        const auto number = number_at(month_first ? 1 : 0);
        const bool of = !month_first && is({"of"}, 1);
        const auto month = month_of(word(month_first ? 0 : of ? 2 : 1));
        if (!number || !month) return not_a_day();
        const auto date = std::chrono::month{*month} / static_cast<unsigned>(*number);
        if (!date.ok()) return wrong("there is no such day", span(position(), position() + (of ? 2 : 1)));
        skip(of ? 3 : 2);
        insert(except_.yearly, date);
        return {};
    }

    [[nodiscard]] std::optional<int> number_at(std::size_t ahead) const {
        const auto count = count_of(word(ahead));
        const auto number = count ? count : ordinal_of(word(ahead));
        return number && *number >= 1 && *number <= 31 ? number : std::nullopt;
    }

    Exceptions except_;
};

}

std::expected<Exceptions, ScheduleError> parse_exceptions(std::string_view text) { return ExceptionList{text}.read(); }

}
