#include "stories/dates.hpp"

#include <gtest/gtest.h>

#include <string>

using namespace postrider;
using stories::parse_date;

namespace {

std::string read(std::string_view text) {
    const auto time = parse_date(text);
    return time ? rfc3339(*time) : "nothing";
}

}

TEST(Dates, ReadsRfc822InAllItsWear) {
    const std::pair<std::string_view, std::string_view> dates[] = {
        {"Tue, 24 Nov 2026 07:54:00 +0100", "2026-11-24T06:54:00Z"},
        {"Tue, 24 Nov 2026 07:54:00 GMT", "2026-11-24T07:54:00Z"},
        {"24 Nov 26 07:54 EST", "2026-11-24T12:54:00Z"},
        {"Thu, 01 Jan 04 19:48:21 GMT", "2004-01-01T19:48:21Z"},
        {"Thu, 01 Jan 98 19:48:21 PDT", "1998-01-02T02:48:21Z"},
        {"Fri, 24 Nov 2026 07:54:00 Z", "2026-11-24T07:54:00Z"}, // it was a Tuesday
        {"Tue, 24 November 2026 7:54:00 -0330", "2026-11-24T11:24:00Z"},
        {"Tue,24 Nov 2026 07:54:00 CEST", "2026-11-24T05:54:00Z"},
        {"Tuesday, November 24, 2026 7:54 PM", "2026-11-24T19:54:00Z"},
        {"Tue, 24-Nov-2026 07:54:00 GMT", "2026-11-24T07:54:00Z"},
        {"Tue, 24 Nov 2026 07:54:00 GMT+0200", "2026-11-24T05:54:00Z"},
        {"Tue, 24 Nov 2026 07:54:00 +01:00", "2026-11-24T06:54:00Z"},
        {"Tue, 24 Nov 2026 07:54:00 -0800 (PST)", "2026-11-24T15:54:00Z"},
        {"Tue Nov 24 07:54:00 2026", "2026-11-24T07:54:00Z"},
        {"Tue Nov 24 07:54:00 EST 2026", "2026-11-24T12:54:00Z"},
        {"24 Nov 2026", "2026-11-24T00:00:00Z"},
        {"Wed, 31 Jun 2026 10:00:00 GMT", "2026-07-01T10:00:00Z"},
        {"Di, 24 Dez 2026 07:54:00 +0100", "2026-12-24T06:54:00Z"},
        {"mar., 24 nov. 2026 07:54:00 +0100", "2026-11-24T06:54:00Z"},
        {"\n  Tue, 24 Nov 2026\t07:54:00 GMT ", "2026-11-24T07:54:00Z"},
        {"Tue, 24 Nov 2026 24:00:00 GMT", "2026-11-25T00:00:00Z"},
    };
    for (const auto& [text, time] : dates) EXPECT_EQ(read(text), time) << text;
}

TEST(Dates, ReadsIso8601DownToTheYear) {
    const std::pair<std::string_view, std::string_view> dates[] = {
        {"2026-11-24T07:54:00Z", "2026-11-24T07:54:00Z"},
        {"2026-11-24T07:54:00.123456+01:00", "2026-11-24T06:54:00Z"},
        {"2026-11-24T07:54-05", "2026-11-24T12:54:00Z"},
        {"2026-11-24t07:54:00z", "2026-11-24T07:54:00Z"},
        {"2026-11-24 07:54:00", "2026-11-24T07:54:00Z"},
        {"2026-11-24 07:54:00 +0100", "2026-11-24T06:54:00Z"},
        {"2026-11-24 07:54:00 UTC", "2026-11-24T07:54:00Z"},
        {"2026-11-24", "2026-11-24T00:00:00Z"},
        {"2026/11/24 07:54", "2026-11-24T07:54:00Z"},
        {"2026-11", "2026-11-01T00:00:00Z"},
        {"2026", "2026-01-01T00:00:00Z"},
        {"20261124", "2026-11-24T00:00:00Z"},
        {"20261124T075400Z", "2026-11-24T07:54:00Z"},
        {"2026-328", "2026-11-24T00:00:00Z"},
        {"1795506840", "2026-11-24T07:54:00Z"},
        {"1795506840000", "2026-11-24T07:54:00Z"},
    };
    for (const auto& [text, time] : dates) EXPECT_EQ(read(text), time) << text;
}

TEST(Dates, KeepsMilliseconds) {
    EXPECT_EQ(parse_date("2026-11-24T07:54:00.25Z"), *parse_date("2026-11-24T07:54:00Z") + 250ms);
}

TEST(Dates, GivesNothingRatherThanAGuess) {
    for (const auto* text :
         {"", "yesterday", "06/07/2026", "24", "Nov 2026 07:54", "0001-01-01T00:00:00Z", "0000-00-00 00:00:00",
          "2026-13-01", "2026-11-24T25:00:00Z", "2026-11-24T07:99:00Z", "Tue, 24 Nov 2026 99:00:00 GMT",
          "2026-11-24Tmorning", "%", "12:00", "-", "99999999999999999999"})
        EXPECT_EQ(read(text), "nothing") << text;
}
