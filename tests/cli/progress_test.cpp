#include "cli/output.hpp"
#include "cli/progress.hpp"

#include <gtest/gtest.h>

// The line that says how far an issue is.

namespace postrider::cli {
namespace {

using delivery::MailingState;
using std::chrono::steady_clock;

const Time noon = parse_rfc3339("2026-11-24T12:00:00Z").value();

Sight sending(std::int64_t planned, std::int64_t accepted) {
    Sight sight;
    sight.balance.state = MailingState::sending;
    sight.balance.planned = planned;
    sight.balance.accepted = accepted;
    return sight;
}

bool has(const std::string& text, std::string_view words) { return text.find(words) != text.npos; }

}

TEST(Progress, ALineHasDoneRateRemainingTimeAndRefusalsAtEightyColumns) {
    auto sight = sending(1'000'000, 430'000);
    sight.balance.refused = 112;
    auto line = progress_line("daily/3", sight, 8120.4, noon, 79);
    EXPECT_EQ(line, "daily/3 [===      ] 43% 430,112 of 1,000,000, 8,120/s, 1m 11s left, 112 refused");
    EXPECT_EQ(progress_text(sight, 8120.4, noon), "43% 430,112 of 1,000,000, 8,120/s, 1m 11s left, 112 refused");
}

TEST(Progress, ALineIsNeverWiderThanTheTerminal) {
    auto sight = sending(1'000'000, 430'000);
    sight.balance.refused = sight.balance.expired = sight.balance.deferred = sight.balance.unknown = 1234;
    sight.holds.relays.push_back({"main", noon + 40min, std::string(300, 'x')});
    for (std::size_t columns = 1; columns < 300; ++columns)
        EXPECT_LE(width_of(progress_line("daily/3", sight, 17.0, noon, columns)), columns);
    EXPECT_TRUE(has(progress_line("daily/3", sight, 17.0, noon, 299), "1,234 deferred"));
}

TEST(Progress, AHundredPercentAreEverybody) {
    auto sight = sending(1000, 999);
    EXPECT_EQ(percent(sight.balance), 99);
    sight.balance.suppressed = 1;
    EXPECT_EQ(percent(sight.balance), 100);
    EXPECT_EQ(percent(delivery::Balance{}), 0);
}

TEST(Progress, TheRemainingTimeIsLeftOutWhereItIsUnknown) {
    EXPECT_FALSE(has(progress_text(sending(100, 10), std::nullopt, noon), "left"));
    EXPECT_FALSE(has(progress_text(sending(100, 10), 0.0, noon), "left"));
    EXPECT_FALSE(has(progress_text(sending(100, 10), 0.0, noon), "/s"));
    auto paused = sending(100, 10);
    paused.balance.state = MailingState::paused;
    EXPECT_EQ(progress_text(paused, 5.0, noon), "10% 10 of 100; paused");
    EXPECT_EQ(progress_text(sending(100, 10), 2.5, noon), "10% 10 of 100, 2.5/s, 37s left");
}

TEST(Progress, AHoldSaysUntilWhenAndWhy) {
    auto sight = sending(100, 10);
    sight.holds.relays.push_back({"main", noon + 40min, "454 4.7.0 Temporary authentication failure"});
    EXPECT_EQ(standstill(sight, noon), "relay main held until 12:40 UTC: 454 4.7.0 Temporary authentication failure");
    EXPECT_EQ(standstill(sight, noon + 39min).substr(0, 33), "relay main held until 12:40:00 UT");
    EXPECT_TRUE(has(standstill(sight, noon + 41min), "relay main being tried again: 454"));
    auto subject = standstill_subject(sight, noon);
    EXPECT_EQ(subject, standstill_subject(sight, noon + 41min)) << "the same trouble is no news";

    sight.holds.relays.clear();
    EXPECT_NE(subject, standstill_subject(sight, noon));
    sight.holds.domains = {{"example.org", noon + 24h, "421 slower"}, {"example.net", noon + 20min, "421 slower"}};
    EXPECT_EQ(standstill(sight, noon), "example.org held until 2026-11-25 12:00 UTC: 421 slower; 1 more domain held");
    EXPECT_EQ(standstill(sight, noon + 25h), "");
}

TEST(Progress, WhereOnlySecondTriesAreLeftItSaysWhenTheNextIs) {
    auto sight = sending(100, 99);
    sight.balance.deferred = 1;
    sight.balance.next_try_at = noon + 30min;
    EXPECT_EQ(progress_text(sight, 0.0, noon), "99% 99 of 100, 1 deferred; next try at 12:30 UTC");
}

TEST(Progress, NothingARelaySaysMovesTheCursor) {
    auto sight = sending(100, 10);
    sight.holds.relays.push_back({"main", noon + 40min,
                                  "450 \x1b[2J\r\nbell\a \xc2\x9b"
                                  "31m \xff"});
    for (auto& text : {progress_text(sight, 1.0, noon), progress_line("daily/3", sight, 1.0, noon, 200)})
        for (unsigned char c : text) EXPECT_TRUE(c >= 0x20 && c != 0x7f) << text;
    EXPECT_FALSE(has(progress_text(sight, 1.0, noon), "\xc2\x9b"));
}

TEST(Progress, TheRateIsThatOfTheLastTenSeconds) {
    RecentRate rate;
    steady_clock::time_point begin;
    EXPECT_EQ(rate.per_second(), std::nullopt);
    rate.add(begin, 0);
    rate.add(begin + 500ms, 50);
    EXPECT_EQ(rate.per_second(), std::nullopt) << "half a second says nothing";
    for (int second = 1; second <= 20; ++second) rate.add(begin + second * 1s, 100 * second);
    EXPECT_DOUBLE_EQ(rate.per_second().value(), 100);
    for (int second = 21; second <= 31; ++second) rate.add(begin + second * 1s, 2000);
    EXPECT_DOUBLE_EQ(rate.per_second().value(), 0);
}

TEST(Progress, NumbersAreGroupedForTheEye) {
    EXPECT_EQ(grouped(0), "0");
    EXPECT_EQ(grouped(999), "999");
    EXPECT_EQ(grouped(1000), "1,000");
    EXPECT_EQ(grouped(1234567), "1,234,567");
    EXPECT_EQ(grouped(-1234), "-1,234");
    EXPECT_EQ(grouped(-123), "-123");
}

TEST(Progress, LongLinesAreBrokenBetweenWords) {
    EXPECT_EQ(wrapped("one two three", 8), "one two\n    three");
    EXPECT_EQ(wrapped("  waits for a", 8), "  waits\n    for\n    a");
    EXPECT_EQ(wrapped("incomprehensibilities", 8), "incomprehensibilities");
    EXPECT_EQ(wrapped("", 8), "");
}

}
