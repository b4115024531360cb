#include "schedule/zone.hpp"

#include <gtest/gtest.h>

namespace postrider::schedule {
namespace {

Time utc(std::string_view text) { return *parse_rfc3339(text); }

TEST(Zone, OnlyNamesOfTheDatabaseAreFound) {
    EXPECT_TRUE(Zone::find("Europe/Berlin"));
    EXPECT_TRUE(Zone::find("UTC"));
    EXPECT_TRUE(Zone::find("America/Argentina/Buenos_Aires"));
    using namespace std::string_view_literals;
    for (auto name :
         {""sv, "/"sv, "Europe"sv, "Europe/"sv, "europe/berlin"sv, "../../etc/passwd"sv, "/etc/localtime"sv,
          "localtime"sv, "right/Europe/Berlin"sv, "posix/UTC"sv, "zone.tab"sv, "tzdata.zi"sv, "Europe/Berlin\0"sv,
          "Europe//Berlin"sv, "file:Europe/Berlin"sv, "Fixed/UTC+01:00:00"sv, "PST"sv, " UTC"sv})
        EXPECT_FALSE(Zone::find(name)) << name;
    EXPECT_FALSE(Zone::find(std::string(100'000, 'A')));
}

TEST(Zone, AnUnknownNameGetsTheZoneThatWasMeant) {
    EXPECT_EQ(nearest_zone("Europe/Berln"), "Europe/Berlin");
    EXPECT_EQ(nearest_zone("europe/berlin"), "Europe/Berlin");
    EXPECT_EQ(nearest_zone("Berlin"), "Europe/Berlin");
    EXPECT_EQ(nearest_zone("new york"), "America/New_York");
    EXPECT_EQ(nearest_zone("PST"), "America/Los_Angeles");
    EXPECT_EQ(nearest_zone("utc"), "UTC");
    EXPECT_FALSE(nearest_zone("Mars/Olympus_Mons"));
    EXPECT_FALSE(nearest_zone(""));
    EXPECT_EQ(unknown_zone("Europe/Berln"), R"(time zone "Europe/Berln" is not known; did you mean "Europe/Berlin"?)");
    EXPECT_LT(unknown_zone(std::string(100'000, '\n')).size(), 500u);
}

TEST(Zone, ReadingsAreNamedOnceSkippedOrRepeated) {
    const auto berlin = *Zone::find("Europe/Berlin");
    const std::chrono::local_days spring{std::chrono::year{2026} / 3 / 29}, autumn{std::chrono::year{2026} / 10 / 25};
    EXPECT_EQ(berlin.at(spring + 12h).first, utc("2026-03-29T10:00:00Z"));
    EXPECT_EQ(berlin.at(spring + 2h + 30min).reading, Zone::Reading::skipped);
    EXPECT_EQ(berlin.at(spring + 2h + 30min).first, utc("2026-03-29T01:00:00Z"));
    EXPECT_EQ(berlin.at(autumn + 2h + 30min).reading, Zone::Reading::repeated);
    EXPECT_EQ(berlin.at(autumn + 2h + 30min).first, utc("2026-10-25T00:30:00Z"));
    EXPECT_EQ(berlin.at(autumn + 2h + 30min).second, utc("2026-10-25T01:30:00Z"));
    EXPECT_EQ(berlin.next_change(utc("2026-01-01T00:00:00Z")), utc("2026-03-29T01:00:00Z"));
    EXPECT_EQ(berlin.abbreviation(utc("2026-07-01T00:00:00Z")), "CEST");
    EXPECT_EQ(berlin.offset(utc("2026-07-01T00:00:00Z")), 2h);
    EXPECT_FALSE(Zone::utc().next_change(utc("2026-01-01T00:00:00Z")));
}

TEST(Zone, LocalTimeCutsOffMillisecondsTowardsThePast) {
    EXPECT_EQ(Zone::utc().local(Time{-1ms}), std::chrono::local_seconds{-1s});
    EXPECT_EQ(Zone::utc().local(Time{1999ms}), std::chrono::local_seconds{1s});
}

TEST(Zone, ADateLeftOutAltogetherIsNotThere) {
    const auto apia = *Zone::find("Pacific/Apia");
    EXPECT_TRUE(apia.has_day(std::chrono::local_days{std::chrono::year{2011} / 12 / 29}));
    EXPECT_FALSE(apia.has_day(std::chrono::local_days{std::chrono::year{2011} / 12 / 30}));
    EXPECT_TRUE(apia.has_day(std::chrono::local_days{std::chrono::year{2011} / 12 / 31}));
    EXPECT_TRUE(Zone::find("America/Sao_Paulo")->has_day(std::chrono::local_days{std::chrono::year{2018} / 11 / 4}));
}

}
}
