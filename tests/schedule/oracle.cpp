#include "schedule/schedule.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <bitset>
#include <random>
#include <set>

// next() jumps; this walks. For random expressions and zones both must name the same slots round the changes of the
// clocks.

namespace postrider::schedule {
namespace {

using std::chrono::days;
using std::chrono::floor;
using std::chrono::local_seconds;
using std::chrono::minutes;

using Random = std::mt19937;

int below(Random& random, int limit) { return static_cast<int>(random() % static_cast<unsigned>(limit)); }

struct Field {
    std::string text;
    std::bitset<64> values;
    bool starred = false;
};

Field list(Random& random, int low, int high) {
    Field field;
    const int count = 1 + below(random, 3);
    for (int i = 0; i < count; ++i) {
        const int first = low + below(random, high - low + 1);
        const int last = first + below(random, high - first + 1);
        const int step = 1 + below(random, 5);
        if (i > 0) field.text += ",";
        switch (below(random, 4)) {
        case 0:
            field.text += fmt::format("{}-{}", first, last);
            for (int v = first; v <= last; ++v) field.values.set(static_cast<std::size_t>(v));
            break;
        case 1:
            field.text += fmt::format("{}-{}/{}", first, last, step);
            for (int v = first; v <= last; v += step) field.values.set(static_cast<std::size_t>(v));
            break;
        default: field.text += std::to_string(first); field.values.set(static_cast<std::size_t>(first));
        }
    }
    return field;
}

Field field(Random& random, int low, int high, int chance_of_star) {
    if (below(random, 100) >= chance_of_star) return list(random, low, high);
    Field field{"*", {}, true};
    int step = 1;
    if (below(random, 3) == 0) {
        step = 1 + below(random, high - low + 1);
        field.text = fmt::format("*/{}", step);
    }
    for (int v = low; v <= high; v += step) field.values.set(static_cast<std::size_t>(v));
    return field;
}

struct Expression {
    Field minute, hour, date, month, weekday;
    std::set<std::chrono::local_days> except;

    [[nodiscard]] std::string text() const {
        auto text = fmt::format("{} {} {} {} {}", minute.text, hour.text, date.text, month.text, weekday.text);
        for (const char* before = " except "; const auto day : except) {
            const std::chrono::year_month_day calendar{day};
            text += fmt::format("{}{:04}-{:02}-{:02}", before, static_cast<int>(calendar.year()),
                                static_cast<unsigned>(calendar.month()), static_cast<unsigned>(calendar.day()));
            before = ", ";
        }
        return text;
    }
    [[nodiscard]] bool shows(local_seconds local) const {
        const auto day = floor<days>(local);
        if (except.contains(day)) return false;
        const std::chrono::year_month_day calendar{day};
        const bool d = date.values.test(static_cast<unsigned>(calendar.day()));
        const bool w = weekday.values.test(std::chrono::weekday{day}.c_encoding());
        const bool fits = date.starred || weekday.starred ? d && w : d || w;
        const auto of_day = floor<minutes>(local - day).count();
        return fits && month.values.test(static_cast<unsigned>(calendar.month())) &&
               hour.values.test(static_cast<std::size_t>(of_day / 60)) &&
               minute.values.test(static_cast<std::size_t>(of_day % 60));
    }
    [[nodiscard]] bool fixed() const { return !minute.starred && !hour.starred; }
};

Expression expression(Random& random) {
    return {field(random, 0, 59, 25), field(random, 0, 23, 25), field(random, 1, 31, 60),
            field(random, 1, 12, 80), field(random, 0, 6, 60),  {}};
}

// All slots after `begin` and not after `end`, seen by looking at the clock once a minute. No change may lie just
// before `begin`.
std::vector<std::string> walked(const Expression& expression, const Zone& zone, Time begin, Time end) {
    std::vector<std::string> slots;
    auto shown = zone.local(begin); // the latest reading so far
    for (Time at = begin + 1min; at <= end; at += 1min) {
        const auto local = zone.local(at);
        bool due = expression.shows(local);
        if (expression.fixed()) {
            due = due && local > shown;
            for (auto skipped = shown + minutes{1}; skipped < local; skipped += minutes{1}) {
                const auto day = floor<days>(skipped);
                const bool whole_day = day > floor<days>(shown) && day < floor<days>(local);
                due = due || (!whole_day && expression.shows(skipped));
            }
        }
        shown = std::max(shown, local);
        if (due) slots.push_back(rfc3339(at));
    }
    return slots;
}

TEST(Oracle, JumpingAndWalkingNameTheSameSlots) {
    const char* names[] = {"Europe/Berlin",   "America/New_York",  "America/Sao_Paulo", "Australia/Lord_Howe",
                           "Pacific/Apia",    "Africa/Casablanca", "Asia/Tehran",       "America/Havana",
                           "Europe/London",   "Antarctica/Troll",  "America/Nuuk",      "Asia/Kolkata",
                           "America/Caracas", "Asia/Pyongyang",    "Pacific/Kwajalein", "UTC"};
    Random random{20261124};
    int slots_seen = 0, checked = 0;
    while (checked < 600) {
        const auto zone = *Zone::find(names[below(random, std::size(names))]);
        Time begin =
            std::chrono::sys_days{std::chrono::year{1990 + below(random, 47)} / 1 / 1} + 24h * below(random, 365);
        // Two tries of three stand a day and a half before a change.
        if (const auto change = zone.next_change(begin); change && below(random, 3) > 0)
            begin = floor<minutes>(*change) - 36h;
        auto wanted = expression(random);
        if (below(random, 3) == 0) // one of the days that are walked
            wanted.except.insert(floor<days>(zone.local(begin)) + days{below(random, 5)});
        const auto schedule = parse(wanted.text());
        if (!schedule) continue; // never falls due
        const auto end = begin + 24h * 4;
        std::vector<std::string> jumped;
        auto at = begin;
        for (auto slot = next(*schedule, zone, at); slot && *slot <= end; slot = next(*schedule, zone, at)) {
            jumped.push_back(rfc3339(*slot));
            at = *slot;
        }
        ASSERT_EQ(jumped, walked(wanted, zone, begin, end))
            << wanted.text() << " in " << zone.name() << " from " << rfc3339(begin);
        slots_seen += static_cast<int>(jumped.size());
        ++checked;
    }
    EXPECT_GT(slots_seen, 1000);
}

TEST(Oracle, RandomBytesAndRandomWordsNeverDoMoreThanBeRefused) {
    Random random{7};
    const std::string_view pieces[] = {
        "every", "other",      "first",    "last",   "monday", "mon-fri", "of",    "the", "month",   "at",
        "7",     "7am",        "pm",       "and",    ",",      "between", "from",  "to",  "in",      "december",
        "1st",   "2026-01-09", "starting", "weekly", "hours",  "2",       "day",   "*",   "*/5",     "1-5",
        "L",     "5#1",        "@daily",   "noon",   "except", "sundays", "twice", "a",   "morning", "half",
        "past",  "in",         "week",     "once",   "end",    "times",   "but",   "not", "quarter"};
    for (int i = 0; i < 20'000; ++i) {
        std::string text;
        const int count = below(random, 9);
        for (int j = 0; j < count; ++j) {
            if (below(random, 12) == 0)
                text += static_cast<char>(below(random, 256));
            else
                text += std::string{pieces[below(random, std::size(pieces))]} + " ";
        }
        const auto parsed = parse(text);
        if (!parsed) {
            ASSERT_LE(parsed.error().column + parsed.error().length, text.size()) << text;
            ASSERT_FALSE(explain(text, parsed.error()).empty());
            continue;
        }
        ASSERT_TRUE(next(*parsed, Zone::utc(), Time{})) << text;
        ASSERT_FALSE(in_words(*parsed).empty());
    }
}

}
}
