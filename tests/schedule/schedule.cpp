#include "schedule/schedule.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

namespace postrider::schedule {
namespace {

Schedule schedule(std::string_view expression) {
    auto parsed = parse(expression);
    if (!parsed) throw std::runtime_error(explain(expression, parsed.error()));
    return *parsed;
}

std::string refusal(std::string_view expression) {
    const auto parsed = parse(expression);
    return parsed ? "taken: " + in_words(*parsed) : explain(expression, parsed.error());
}

std::string words(std::string_view expression) { return in_words(schedule(expression)); }

Time utc(std::string_view text) { return *parse_rfc3339(text); }

std::vector<std::string> slots(std::string_view expression, std::string_view zone, std::string_view after, int count) {
    std::vector<std::string> result;
    auto at = utc(after);
    for (int i = 0; i < count; ++i) {
        const auto slot = next(schedule(expression), *Zone::find(zone), at);
        if (!slot) break;
        result.push_back(rfc3339(*slot));
        at = *slot;
    }
    return result;
}

using Slots = std::vector<std::string>;

TEST(Cron, EveryKindOfMalformedExpressionIsRefusedWithAPlaceInsideIt) {
    using namespace std::string_view_literals;
    const std::string_view malformed[] = {
        "",
        " ",
        "\t",
        "*",
        "* *",
        "* * * *",
        "* * * * * *",
        "* * * * * * *",
        "0",
        "0 0",
        "60 * * * *",
        "-1 * * * *",
        "* 24 * * *",
        "* * 0 * *",
        "* * 32 * *",
        "* * * 0 *",
        "* * * 13 *",
        "* * * * 8",
        "* * * * -1",
        "*/0 * * * *",
        "*/61 * * * *",
        "*/ * * * *",
        "/5 * * * *",
        "/ * * * *",
        "*/5/2 * * * *",
        "*/a * * * *",
        "*/-5 * * * *",
        "*/1.5 * * * *",
        "5-1 * * * *",
        "1- * * * *",
        "-5 * * * *",
        "1-2-3 * * * *",
        "1--2 * * * *",
        "- * * * *",
        ", * * * *",
        "1, * * * *",
        ",1 * * * *",
        "1,,2 * * * *",
        "** * * * *",
        "*5 * * * *",
        "5* * * * *",
        "*-5 * * * *",
        "1-* * * * *",
        "+5 * * * *",
        "5. * * * *",
        "1.5 * * * *",
        "0x5 * * * *",
        "1e1 * * * *",
        "mon * * * *",
        "* jan * * *",
        "* * mon * *",
        "* * * mon *",
        "* * * * jan",
        "* * * january *",
        "* * * * monday",
        "* * * foo *",
        "* * * * XYZ",
        "0 0 * * fri-mon",
        "0 0 * * 5-0",
        "* * * dec-jan *",
        "1-60 * * * *",
        "50-61 * * * *",
        "* 20-24 * * *",
        "* * 0-5 * *",
        "* * 25-32 * *",
        "? * * * *",
        "* ? * * *",
        "* * * ? *",
        "* * ?/2 * *",
        "* * ??  * *",
        "L * * * *",
        "* L * * *",
        "* * * L *",
        "* * * * L",
        "* * L/2 * *",
        "* * L-3 * *",
        "* * 1-L * *",
        "* * 15W * *",
        "* * W * *",
        "* * LL * *",
        "* * 5#1 * *",
        "* * * * 5#",
        "* * * * #1",
        "* * * * 5#0",
        "* * * * 5#6",
        "* * * * 5#1#2",
        "* * * * 8#1",
        "* * * * 5#-1",
        "* * * * 5#L",
        "* * * * 1-5#1",
        "* * * * 8L",
        "* * * * L5",
        "* * * * monL#1",
        "1 # * * *",
        "99999999999999999999 * * * *",
        "*/99999999999999999999 * * * *",
        "0 0 30 2 *",
        "0 0 31 4 *",
        "0 0 31 2,4,6,9,11 *",
        "0 0 30-31 2 *",
        "0 0 30 2 */2",
        "0 0 30 feb ?",
        "0 7 * * * root",
        "0 7 * * * ; x",
        "0 7 * * *;",
        "0 7\n* * *",
        "0 7 * * *\n",
        "\n0 7 * * *",
        "0 7 * *\r*",
        "0 7 * * * \0"sv,
        "0 7 *\0* * *"sv,
        "\0"sv,
        "0 7 * * \xc3\xa9",
        "\xc2\xa0 0 7 * * *",
        "０ 7 * * *",
        "∗ * * * *",
        "0 0 * * м",
        "\xff\xfe",
        "@",
        "@dialy",
        "@daily x",
        "@daily @daily",
        "@reboot",
        "@every 1h",
        "@5",
        "@ daily",
        "TZ=UTC 0 7 * * *",
        "CRON_TZ=UTC 0 7 * * *",
        "TZ=America/New_York 15/0 * * * *",
        "0,7 * * *",
        "%d * * * *",
        "\"0 7 * * *\"",
        "'0 7 * * *'",
        "0 7 * * *, 0 8 * * *",
        "0_0 * * * *",
        "H * * * *",
        "* * * * mon-",
        "* * * * -fri",
        "* * * * mon,",
        "* * * * mon-fri-sun",
        "* * * * mon/",
        "* * * * /2",
        "* * * * mon/8",
        "* * */32 * *",
        "* */25 * * *",
        "* * * */13 *",
        "* * * * */8",
        "xyz",
    };
    for (const auto expression : malformed) {
        const auto parsed = parse(expression);
        ASSERT_FALSE(parsed) << '"' << expression << '"';
        EXPECT_FALSE(parsed.error().message.empty()) << expression;
        EXPECT_LE(parsed.error().column + parsed.error().length, expression.size()) << expression;
        const auto line = explain(expression, parsed.error());
        EXPECT_TRUE(std::ranges::all_of(line, [](char c) { return c >= 0x20 && c < 0x7f; })) << expression;
    }
}

TEST(Cron, AnErrorMarksItsPlaceInOneLine) {
    EXPECT_EQ(refusal("0 25 * * *"), R"("0 25 * * *": hour 25 is out of range 0-23 (at column 3, "25"))");
    EXPECT_EQ(refusal("0 7 * * 1,8"), R"("0 7 * * 1,8": day of week 8 is out of range 0-7 (at column 11, "8"))");
    EXPECT_EQ(refusal("  5-1 * * * *"), R"("  5-1 * * * *": range 5-1 runs backwards (at column 3, "5-1"))");
    EXPECT_EQ(refusal("* * * *"), R"("* * * *": 4 of five fields; the day of week is missing (at the end))");
    EXPECT_EQ(refusal("0 0 30 2 *"), R"("0 0 30 2 *": never falls due: no month it names has such a day)");
    EXPECT_EQ(refusal("@dialy"), R"("@dialy": is not known; did you mean "@daily"?)");
}

TEST(Cron, ATenKilobyteInputIsRefusedInAShortLine) {
    for (const auto& piece : {"1,", "* ", "every ", "a", "@", "\x01"}) {
        std::string expression;
        while (expression.size() < 10'000) expression += piece;
        EXPECT_LT(refusal(expression).size(), 400u);
        EXPECT_FALSE(parse(expression));
    }
}

TEST(Cron, DifferentSpellingsOfOneScheduleAreTheSame) {
    const std::pair<std::string_view, std::string_view> same[] = {
        {"@hourly", "0 * * * *"},
        {"@Daily", "0 0 * * *"},
        {"@midnight", "0 0 * * *"},
        {"@weekly", "0 0 * * 7"},
        {"@monthly", "0 0 1 * *"},
        {"@yearly", "0 0 1 jan *"},
        {"@annually", "0 0 1 1 ?"},
        {"0 7 * * MON-FRI", "0 7 * * 1-5"},
        {"0 7 * * 5-7", "0 7 * * fri,sat,sun"},
        {"0 7 * * 0-7", "0 7 * * 0-6"},
        {"5/15 7 * * *", "5-59/15 7 * * *"},
        {"0 7 ? * mon/2", "0 7 * * 1,3,5"},
        {"00 07 1 01 *", "0 7 1 1 *"},
        {"0\t7  * * *", " 0 7 * * * "},
        {"0 7 * * fri#1", "0 7 * * 5#1"},
        {"0 7 * * 7L", "0 7 * * sunl"},
        {"0 7 1,15,l * *", "0 7 15,L,1 * *"},
    };
    for (const auto& [a, b] : same) {
        auto first = schedule(a), second = schedule(b);
        first.expression = second.expression;
        EXPECT_EQ(first, second) << a << " and " << b;
    }
}

TEST(Cron, TheExpressionIsKeptAsItWasWritten) {
    EXPECT_EQ(schedule(" 0 7 * * MON ").expression, "0 7 * * MON");
    EXPECT_EQ(schedule("Every Weekday at 07:00").expression, "Every Weekday at 07:00");
    EXPECT_EQ(schedule("@daily").expression, "@daily");
}

TEST(Cron, TwoRestrictedDayFieldsNeedOnlyOneToFitAStarredFieldNeedsBoth) {
    // Friday the 2nd, the 13th (a Tuesday), Friday the 9th: January 2026 begins on a Thursday.
    EXPECT_EQ(slots("0 0 13 1 5", "UTC", "2026-01-05T00:00:00Z", 3),
              (Slots{"2026-01-09T00:00:00Z", "2026-01-13T00:00:00Z", "2026-01-16T00:00:00Z"}));
    EXPECT_EQ(slots("0 0 */2 1 5", "UTC", "2026-01-01T00:00:00Z", 2),
              (Slots{"2026-01-09T00:00:00Z", "2026-01-23T00:00:00Z"}));
    EXPECT_EQ(slots("0 0 13 * */5", "UTC", "2026-01-01T00:00:00Z", 2), // Sunday or Friday the 13th
              (Slots{"2026-02-13T00:00:00Z", "2026-03-13T00:00:00Z"}));
}

TEST(Cron, PlacesInTheMonthAreCountedFromItsEnds) {
    // January 2026 begins on a Thursday and ends on a Saturday; the 24th, a week before the end, is not the last
    // Saturday.
    EXPECT_EQ(slots("0 0 * * 6L", "UTC", "2026-01-01T00:00:00Z", 2),
              (Slots{"2026-01-31T00:00:00Z", "2026-02-28T00:00:00Z"}));
    EXPECT_EQ(slots("0 0 * * 4#1,4#5", "UTC", "2025-12-31T00:00:00Z", 3),
              (Slots{"2026-01-01T00:00:00Z", "2026-01-29T00:00:00Z", "2026-02-05T00:00:00Z"}));
    EXPECT_EQ(slots("0 0 L,LW 1,2 *", "UTC", "2026-01-01T00:00:00Z", 4),
              (Slots{"2026-01-30T00:00:00Z", "2026-01-31T00:00:00Z", "2026-02-27T00:00:00Z", "2026-02-28T00:00:00Z"}));
    EXPECT_EQ(slots("first workday of the month at 0:00", "UTC", "2026-01-15T00:00:00Z", 3), // 1 February is a Sunday
              (Slots{"2026-02-02T00:00:00Z", "2026-03-02T00:00:00Z", "2026-04-01T00:00:00Z"}));
}

TEST(Cron, RareDaysAreFoundHoweverFarAwayTheyAre) {
    EXPECT_EQ(slots("0 0 29 2 *", "UTC", "2096-03-01T00:00:00Z", 1), Slots{"2104-02-29T00:00:00Z"});
    EXPECT_EQ(slots("0 0 29 2 */7", "UTC", "2004-03-01T00:00:00Z", 2), // 29 February on a Sunday
              (Slots{"2032-02-29T00:00:00Z", "2060-02-29T00:00:00Z"}));
    EXPECT_EQ(slots("*/30 * 29 2 */7", "Europe/Berlin", "2032-03-01T00:00:00Z", 1), Slots{"2060-02-28T23:00:00Z"});
    EXPECT_EQ(slots("0 9 * 2 5#5", "UTC", "2026-01-01T00:00:00Z", 1), Slots{"2036-02-29T09:00:00Z"});
}

TEST(Cron, ASlotIsStrictlyLaterToTheMillisecond) {
    const auto seven = schedule("0 7 * * *");
    const auto slot = utc("2026-01-05T07:00:00Z");
    EXPECT_EQ(next(seven, Zone::utc(), slot - 1ms), slot);
    EXPECT_EQ(next(seven, Zone::utc(), slot), slot + 24h);
    EXPECT_EQ(next(seven, Zone::utc(), slot + 1ms), slot + 24h);
    const auto each_minute = schedule("* * * * *");
    EXPECT_EQ(next(each_minute, Zone::utc(), slot - 1ms), slot);
    EXPECT_EQ(next(each_minute, Zone::utc(), slot), slot + 1min);
}

TEST(Cron, TheEndsOfTimeAreHarmless) {
    for (const auto* expression : {"0 7 * * *", "* * * * *", "every other friday at noon"}) {
        EXPECT_FALSE(next(schedule(expression), *Zone::find("Europe/Berlin"), Time::max()));
        EXPECT_TRUE(next(schedule(expression), *Zone::find("Europe/Berlin"), Time::min()));
    }
}

TEST(DaylightSaving, AFixedTimeInAGapFallsDueAtTheFirstInstantAfterIt) {
    EXPECT_EQ(slots("30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", 2),
              (Slots{"2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"}));
    EXPECT_EQ(slots("10 2 * * *", "Australia/Lord_Howe", "2026-10-03T00:00:00Z", 2), // clocks go from 02:00 to 02:30
              (Slots{"2026-10-03T15:30:00Z", "2026-10-04T15:10:00Z"}));
    EXPECT_EQ(slots("0 0 * * *", "America/Sao_Paulo", "2018-11-03T12:00:00Z", 2),
              (Slots{"2018-11-04T03:00:00Z", "2018-11-05T02:00:00Z"}));
}

TEST(DaylightSaving, TimesThatFallIntoOneGapAreOneSlot) {
    EXPECT_EQ(slots("0,20,40 2 29 3 *", "Europe/Berlin", "2026-03-01T00:00:00Z", 2),
              (Slots{"2026-03-29T01:00:00Z", "2027-03-29T00:00:00Z"}));
    EXPECT_EQ(slots("0 2-3 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", 2),
              (Slots{"2026-03-29T01:00:00Z", "2026-03-30T00:00:00Z"}));
}

TEST(DaylightSaving, AFixedTimeThatComesTwiceFallsDueTheFirstTimeOnly) {
    EXPECT_EQ(slots("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", 2),
              (Slots{"2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"}));
    // Asked between the two, and within the second.
    EXPECT_EQ(slots("30 2 * * *", "Europe/Berlin", "2026-10-25T00:45:00Z", 1), Slots{"2026-10-26T01:30:00Z"});
    EXPECT_EQ(slots("30 2 * * *", "Europe/Berlin", "2026-10-25T01:10:00Z", 1), Slots{"2026-10-26T01:30:00Z"});
}

TEST(DaylightSaving, IntervalsFollowTheClockThroughGapAndOverlap) {
    EXPECT_EQ(slots("*/30 1-3 * * *", "Europe/Berlin", "2026-03-29T00:00:00Z", 3),
              (Slots{"2026-03-29T00:30:00Z", "2026-03-29T01:00:00Z", "2026-03-29T01:30:00Z"}));
    EXPECT_EQ(slots("every hour", "Europe/Berlin", "2026-10-24T23:30:00Z", 4),
              (Slots{"2026-10-25T00:00:00Z", "2026-10-25T01:00:00Z", "2026-10-25T02:00:00Z", "2026-10-25T03:00:00Z"}));
}

TEST(DaylightSaving, ADateThatDoesNotExistHasNoSlot) {
    EXPECT_EQ(slots("0 9 * * *", "Pacific/Apia", "2011-12-29T12:00:00Z", 3), // 29, 31 December, 1 January
              (Slots{"2011-12-29T19:00:00Z", "2011-12-30T19:00:00Z", "2011-12-31T19:00:00Z"}));
    EXPECT_EQ(slots("0 9 30 12 *", "Pacific/Apia", "2011-12-01T00:00:00Z", 1), Slots{"2012-12-29T19:00:00Z"});
}

TEST(DaylightSaving, ADailyTimeRunsExactlyOncePerLocalDayInEveryZone) {
    const std::pair<const char*, const char*> years[] = {
        {"Australia/Lord_Howe", "2026-01-01T00:00:00Z"}, {"America/Sao_Paulo", "2018-01-01T00:00:00Z"},
        {"Pacific/Apia", "2011-06-01T00:00:00Z"},        {"Europe/Berlin", "2026-01-01T00:00:00Z"},
        {"America/New_York", "2026-01-01T00:00:00Z"},    {"Africa/Casablanca", "2026-01-01T00:00:00Z"},
        {"Asia/Tehran", "2021-01-01T00:00:00Z"},         {"America/Havana", "2026-01-01T00:00:00Z"},
        {"Asia/Beirut", "2026-01-01T00:00:00Z"},         {"Antarctica/Troll", "2026-01-01T00:00:00Z"},
    };
    for (const auto& [name, start] : years) {
        const auto zone = *Zone::find(name);
        for (int minute = 0; minute < 24 * 60; minute += 15) {
            const auto daily = schedule(std::to_string(minute % 60) + " " + std::to_string(minute / 60) + " * * *");
            std::map<std::chrono::local_days, int> runs;
            auto at = utc(start);
            const auto end = at + 24h * 366;
            for (auto slot = next(daily, zone, at); slot && *slot < end; slot = next(daily, zone, at)) {
                ++runs[std::chrono::floor<std::chrono::days>(zone.local(*slot))];
                at = *slot;
            }
            for (const auto& [day, count] : runs) ASSERT_EQ(count, 1) << name << " " << daily.expression;
            for (auto day = runs.begin()->first; day <= runs.rbegin()->first; day += std::chrono::days{1})
                ASSERT_EQ(runs.count(day), zone.has_day(day) ? 1u : 0u) << name << " " << daily.expression;
        }
    }
}

TEST(English, SaysTheSameAsCron) {
    const std::pair<std::string_view, std::string_view> same[] = {
        {"every weekday at 07:00", "0 7 * * 1-5"},
        {"Weekdays at 7 and 17", "0 7,17 * * mon-fri"},
        {"mon-fri at 7am", "0 7 * * 1-5"},
        {"monday to friday, 7:00", "0 7 * * 1-5"},
        {"from monday to friday at 7", "0 7 * * 1-5"},
        {"daily at 7:30", "30 7 * * *"},
        {"every day at noon", "0 12 * * *"},
        {"at midnight", "0 0 * * *"},
        {"7:30 p.m. every day", "30 19 * * *"},
        {"at 12am and 12 pm, daily", "0 0,12 * * *"},
        {"every monday and thursday at 18:00", "0 18 * * 1,4"},
        {"mondays, wednesdays, and fridays at 6.30 am", "30 6 * * 1,3,5"},
        {"weekly on friday at 5 pm", "0 17 * * 5"},
        {"every week on sunday at 8", "0 8 * * 7"},
        {"weekends at 10", "0 10 * * 0,6"},
        {"friday to monday at 9", "0 9 * * 5,6,0,1"},
        {"every weekday and saturday at 9 o'clock", "0 9 * * 1-6"},
        {"first monday of the month at 9am", "0 9 * * 1#1"},
        {"the first and third tuesday of every month at 9", "0 9 * * 2#1,2#3"},
        {"last friday of the month at 5pm", "0 17 * * 5L"},
        {"every second friday of the month at 9", "0 9 * * 5#2"},
        {"first monday of january and july at 9", "0 9 * 1,7 1#1"},
        {"last day of the month at 18:00", "0 18 L * *"},
        {"last weekday of the month at 18:00", "0 18 LW * *"},
        {"monthly on the 1st at 9", "0 9 1 * *"},
        {"monthly on day 15 at 9", "0 9 15 * *"},
        {"on the 1st and the 15th of each month at 8", "0 8 1,15 * *"},
        {"1st, 10th and 20th at 8", "0 8 1,10,20 * *"},
        {"on the 15th and last day of the month at 8", "0 8 15,L * *"},
        {"the first day and the last day of the month at 8", "0 8 1,L * *"},
        {"quarterly on the 1st at 9", "0 9 1 1,4,7,10 *"},
        {"every 2 months on the 1st at 9", "0 9 1 */2 *"},
        {"yearly on 1 march at 9", "0 9 1 3 *"},
        {"every december 24th at 8", "0 8 24 12 *"},
        {"every day in december at 7", "0 7 * 12 *"},
        {"weekdays in june to august at 7", "0 7 * 6-8 1-5"},
        {"hourly", "0 * * * *"},
        {"every hour on weekdays", "0 * * * 1-5"},
        {"every 2 hours", "0 */2 * * *"},
        {"every other hour", "0 */2 * * *"},
        {"every fifteen minutes", "*/15 * * * *"},
        {"every 15 minutes", "*/15 * * * *"},
        {"every minute", "* * * * *"},
        {"every half hour", "*/30 * * * *"},
        {"daily", "@daily"},
        {"monthly", "@monthly"},
    };
    for (const auto& [english, cron] : same) {
        auto first = parse(english);
        ASSERT_TRUE(first) << refusal(english);
        auto second = schedule(cron);
        first->expression = second.expression;
        EXPECT_EQ(*first, second) << english << " is not " << cron << " but " << in_words(*first);
    }
}

TEST(English, IntervalsMayHaveBounds) {
    EXPECT_EQ(slots("every 4 hours between 9 and 17 on weekdays", "UTC", "2026-01-09T12:00:00Z", 3),
              (Slots{"2026-01-09T13:00:00Z", "2026-01-09T17:00:00Z", "2026-01-12T09:00:00Z"}));
    EXPECT_EQ(slots("every 90 minutes", "UTC", "2026-01-09T21:00:00Z", 2),
              (Slots{"2026-01-09T22:30:00Z", "2026-01-10T00:00:00Z"}));
}

TEST(English, EveryOtherIsCountedFromADayThatDoesNotMove) {
    EXPECT_EQ(slots("every other friday at noon", "UTC", "2026-01-05T00:00:00Z", 2),
              (Slots{"2026-01-16T12:00:00Z", "2026-01-30T12:00:00Z"}));
    EXPECT_EQ(slots("every other friday at noon starting 2026-01-09", "UTC", "2025-06-01T00:00:00Z", 2),
              (Slots{"2026-01-09T12:00:00Z", "2026-01-23T12:00:00Z"}));
    EXPECT_EQ(slots("every 3 days at 9 from 2026-02-27", "UTC", "2026-01-05T00:00:00Z", 2),
              (Slots{"2026-02-27T09:00:00Z", "2026-03-02T09:00:00Z"}));
    EXPECT_EQ(words("every second friday at noon"), "every other Friday at 12:00 (counted from Monday 1 January 2024)");
    EXPECT_EQ(words("fortnightly on mon and fri at 9"), words("every two weeks on monday and friday at 9"));
}

TEST(English, WhatMayMeanTwoThingsIsRefusedWithBothSpelledOut) {
    EXPECT_EQ(refusal("every third friday at 10"),
              R"("every third friday at 10": "third friday" may mean two things: say "third friday of the month" or )"
              R"("every 3 weeks on friday" (at column 7, "third friday"))");
    EXPECT_EQ(refusal("at 7 and 9pm"),
              R"("at 7 and 9pm": am or pm? Say it with each of these times, or with none (at column 4, "7"))");
    EXPECT_NE(refusal("every monday at 7 and every friday at 9").find("days are said a second time"),
              std::string::npos);
}

TEST(English, ATypingErrorGetsASuggestion) {
    EXPECT_EQ(refusal("every wekday at 7"),
              R"("every wekday at 7": "wekday" is not understood; did you mean "weekday"? (at column 7, "wekday"))");
    EXPECT_NE(refusal("evrey day at 7").find("\"every\""), std::string::npos);
}

TEST(English, WhatIsIncompleteOrContradictsItselfIsRefused) {
    for (const auto* expression : {"every",
                                   "every day",
                                   "every friday",
                                   "at",
                                   "at seven thirty",
                                   "monday and",
                                   "and monday at 7",
                                   "at 7 at 8",
                                   "every monday at 24:00",
                                   "at 7:60",
                                   "at 13pm",
                                   "at 0am",
                                   "every 0 hours",
                                   "every 7 minutes",
                                   "every 25 hours",
                                   "every 5 hours",
                                   "every hour at 7",
                                   "daily on monday at 7",
                                   "weekly at 7",
                                   "monthly at 7",
                                   "yearly at 7",
                                   "yearly on the 1st at 9",
                                   "on the 32nd at 7",
                                   "on the last at 7",
                                   "sixth monday of the month at 7",
                                   "6th monday at 7",
                                   "every every monday at 7",
                                   "on on monday at 7",
                                   "every and monday at 7",
                                   "monday the 1st at 7",
                                   "31st of february at 7",
                                   "every other friday at noon starting 2026-02-30",
                                   "every other friday at noon starting 9999-12-31",
                                   "every friday at noon starting 2026-01-09",
                                   "every 400 days at 7",
                                   "every 60 weeks on monday at 7",
                                   "every 5 months on the 1st at 7",
                                   "biweekly on friday at 9",
                                   "every hour from 17 to 9",
                                   "every day from 9 to 17 at 9",
                                   "at 7 UTC",
                                   "second weekday of the month at 9",
                                   "every monday at 7;",
                                   "noon noon",
                                   "every 2 months in june on the 1st at 7",
                                   "mondays of the month at 7",
                                   "99999999999 at 7",
                                   "every 99999999999 hours",
                                   "in december at 7",
                                   "every monday at -7",
                                   "every monday at 7-9",
                                   "tomorrow at 7",
                                   "every month at 7"})
        EXPECT_FALSE(parse(expression)) << refusal(expression);
}

TEST(Words, SayWhatWasUnderstood) {
    EXPECT_EQ(words("0 7 * * 1-5"), "every weekday at 07:00");
    EXPECT_EQ(words("0 7 * * 6,0"), "every Saturday and Sunday at 07:00");
    EXPECT_EQ(words("0 9 * * 1#1"), "the first Monday of the month at 09:00");
    EXPECT_EQ(words("15 10 L * *"), "on the last day of the month at 10:15");
    EXPECT_EQ(words("0 9 13 * 5"), "on the 13th of the month and every Friday at 09:00");
    EXPECT_EQ(words("0 9 13 * */5"), "on the 13th of the month, if it is a Friday or Sunday, at 09:00");
    EXPECT_EQ(words("0 0 1 1 *"), "every year on 1 January at 00:00");
    EXPECT_EQ(words("0 0 */10 * *"), "on the 1st, 11th, 21st and 31st of the month at 00:00");
    EXPECT_EQ(words("0 4 8-14 * *"), "on the 8th to 14th of the month at 04:00");
    EXPECT_EQ(words("0 12 * jan-mar mon"), "every Monday in January to March at 12:00");
    EXPECT_EQ(words("*/15 9-17 * * 1-5"), "every 15 minutes from 09:00 to 17:45 on weekdays");
    EXPECT_EQ(words("5 * * * *"), "every hour at minute 5");
    EXPECT_EQ(words("* * * * *"), "every minute");
    EXPECT_EQ(words("* 9 * * *"), "every minute from 09:00 to 09:59");
    EXPECT_EQ(words("1,2,7 8,9,12,20 * * *"), "at minutes 1, 2 and 7 of the hours 8, 9, 12 and 20");
}

TEST(English, SaysOnceAndTwiceAndMeansIt) {
    EXPECT_EQ(words("once a week on sunday at noon"), "every Sunday at 12:00");
    EXPECT_EQ(words("twice a day at 7 and 19"), "every day at 07:00 and 19:00");
    EXPECT_EQ(words("twice a week on monday and thursday at 7:30"), "every Monday and Thursday at 07:30");
    EXPECT_EQ(words("twice a month on the 1st and 15th at 9:00"), "on the 1st and 15th of the month at 09:00");
    EXPECT_EQ(words("3 times a day at 6, 12 and 18"), "every day at 06:00, 12:00 and 18:00");
    EXPECT_EQ(words("once a month on the first monday at 9"), "the first Monday of the month at 09:00");
    EXPECT_TRUE(refusal("twice a day at 7").contains("does not go with 1 time ")) << refusal("twice a day at 7");
    EXPECT_TRUE(refusal("twice a week on mon, tue and wed at 7").contains("does not go with 3 days"));
    EXPECT_TRUE(refusal("twice a week").contains("on which day of the week?"));
}

TEST(English, ThePartOfTheDaySaysWhichSevenIsMeant) {
    EXPECT_EQ(words("every morning at 7"), "every day at 07:00");
    EXPECT_EQ(words("every weekday evening at 7:30"), "every weekday at 19:30");
    EXPECT_EQ(words("tuesday evenings at 8"), "every Tuesday at 20:00");
    EXPECT_EQ(words("mondays at 7 in the morning"), "every Monday at 07:00");
    EXPECT_EQ(words("at 3 in the afternoon on fridays"), "every Friday at 15:00");
    EXPECT_EQ(words("every evening at 19:00"), "every day at 19:00");
    EXPECT_TRUE(refusal("every morning at 19:00").contains("\"morning\" does not go with 19:00"));
    EXPECT_TRUE(refusal("every morning at 12").contains("noon or midnight"));
    EXPECT_TRUE(refusal("every morning").contains("at what time?"));
    EXPECT_TRUE(refusal("every morning in the evening at 7").contains("a second time"));
}

TEST(English, HalvesAndQuartersOfAnHour) {
    EXPECT_EQ(words("every day at half past seven"), "every day at 07:30");
    EXPECT_EQ(words("quarter to 8 every day"), "every day at 07:45");
    EXPECT_EQ(words("every evening at quarter past 8"), "every day at 20:15");
    EXPECT_TRUE(refusal("half past 7:10 every day").contains("must be a full hour"));
}

TEST(English, OtherWaysToSayTheSame) {
    EXPECT_EQ(words("end of the month at 18:00"), words("last day of the month at 18:00"));
    EXPECT_EQ(words("alternate fridays at noon"), words("every other friday at noon"));
    EXPECT_EQ(words("weekdays at 7 and 17"), "every weekday at 07:00 and 17:00");
}

TEST(Exceptions, NothingFallsDueOnThem) {
    EXPECT_EQ(slots("every day at 07:00 except 2026-12-25, 2026-12-26", "UTC", "2026-12-24T00:00:00Z", 3),
              (Slots{"2026-12-24T07:00:00Z", "2026-12-27T07:00:00Z", "2026-12-28T07:00:00Z"}));
    EXPECT_EQ(slots("0 7 * * * except december 25 and 1st january", "UTC", "2026-12-24T08:00:00Z", 7).back(),
              "2027-01-02T07:00:00Z");
    EXPECT_EQ(slots("every 12 hours except sundays", "UTC", "2026-11-28T12:00:00Z", 2),
              (Slots{"2026-11-30T00:00:00Z", "2026-11-30T12:00:00Z"}));
}

TEST(Exceptions, AreDaysOfTheZoneNotOfUtc) {
    EXPECT_EQ(slots("every day at 23:00 except 2026-12-25", "America/New_York", "2026-12-25T00:00:00Z", 2),
              (Slots{"2026-12-25T04:00:00Z", "2026-12-27T04:00:00Z"}));
}

TEST(Exceptions, AreShownBackInPlainWords) {
    EXPECT_EQ(words("every weekday at 7 except 2026-12-25"),
              "every weekday at 07:00, but not on Friday 25 December 2026");
    EXPECT_EQ(words("Every day at 7, EXCEPT on sundays, the 25th of december or 2027-01-02"),
              "every day at 07:00, but not on Sundays, 25 December of any year or Saturday 2 January 2027");
    EXPECT_EQ(words("every day at 7 but not on weekends"), words("every day at 7 excluding weekends"));
}

TEST(Exceptions, WhatIsNoDayIsRefusedWithItsPlace) {
    EXPECT_EQ(refusal("every day at 7 except 2026-02-30"),
              "\"every day at 7 except 2026-02-30\": is no day to leave out; write a date as 2026-12-25 or \"december "
              "25\", or a weekday (at column 23, \"2026-02-30\")");
    EXPECT_TRUE(refusal("every day at 7 except").contains("except when?"));
    EXPECT_TRUE(refusal("every day at 7 except holidays").contains("is no day to leave out"));
    EXPECT_TRUE(refusal("except 2026-12-25").contains("says only when not"));
    EXPECT_TRUE(refusal("every day at 7 except february 30").contains("there is no such day"));
    EXPECT_TRUE(refusal("every monday at 7 except mondays").contains("never falls due"));
}

TEST(Exceptions, AreAddedToWhatIsThere) {
    const std::vector<std::string> days{"2026-12-25", "2026-12-26"};
    EXPECT_EQ(with_exceptions("0 7 * * *", days), "0 7 * * * except 2026-12-25, 2026-12-26");
    EXPECT_EQ(with_exceptions("daily except sundays", days), "daily except sundays, 2026-12-25, 2026-12-26");
    EXPECT_EQ(with_exceptions("0 7 * * *", {}), "0 7 * * *");
}

// Clock changes at which programs differ: each of a schedule's times runs exactly once a local day, whatever the clocks
// do. Half an hour at Lord Howe, at midnight in Sao Paulo and Havana, a whole day left out at Apia.
TEST(ClockChanges, AFixedTimeRunsExactlyOnceOnEveryLocalDay) {
    struct Case {
        const char* zone;
        const char* after;
        int days;
    };
    for (auto [name, after, count] :
         {Case{"Australia/Lord_Howe", "2026-03-30T00:00:00Z", 14},
          Case{"Australia/Lord_Howe", "2026-09-30T00:00:00Z", 14},
          Case{"America/Sao_Paulo", "2018-10-30T00:00:00Z", 14}, Case{"America/Sao_Paulo", "2019-02-10T00:00:00Z", 14},
          Case{"America/Havana", "2026-03-01T00:00:00Z", 14}, Case{"America/Havana", "2026-10-25T00:00:00Z", 14},
          Case{"Pacific/Apia", "2011-12-25T00:00:00Z", 10}, Case{"Europe/Berlin", "2026-03-25T00:00:00Z", 9},
          Case{"Europe/Berlin", "2026-10-20T00:00:00Z", 9}, Case{"Antarctica/Troll", "2026-03-25T00:00:00Z", 9},
          Case{"Africa/Casablanca", "2026-02-10T00:00:00Z", 45}})
        for (auto* expression : {"every day at 00:00", "every day at 00:30", "every day at 01:30", "every day at 02:15",
                                 "every day at 02:30", "30 2 * * *"}) {
            const auto zone = *Zone::find(name);
            std::map<std::chrono::local_days, int> runs;
            const auto begin = utc(after);
            auto at = begin;
            while (at < begin + 24h * count) {
                at = *next(schedule(expression), zone, at);
                ++runs[std::chrono::floor<std::chrono::days>(zone.local(at))];
            }
            auto expected = std::next(runs.begin())->first; // the first day may have begun before
            for (auto& [day, times] : runs) {
                EXPECT_EQ(times, 1) << expression << " in " << name << " on "
                                    << std::chrono::sys_days(day.time_since_epoch()).time_since_epoch().count();
                if (day < expected) continue;
                while (expected < day && !zone.has_day(expected)) expected += std::chrono::days{1};
                EXPECT_EQ(day, expected) << expression << " left a day out in " << name;
                expected = day + std::chrono::days{1};
            }
        }
}

}
}
