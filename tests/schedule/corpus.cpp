#include "schedule/schedule.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <sstream>

namespace postrider::schedule {
namespace {

namespace json = boost::json;

std::string text(const json::value& value) { return std::string{value.as_string()}; }

std::optional<json::value> corpus(const std::string& name) {
    const char* folder = std::getenv("POSTRIDER_CORPORA");
    if (!folder) return std::nullopt;
    std::ifstream file{std::string{folder} + "/cron/" + name};
    return json::parse(std::string{std::istreambuf_iterator<char>{file}, {}});
}

#define CORPUS_OR_SKIP(name)                                                                                           \
    const auto cases = corpus(name);                                                                                   \
    if (!cases) GTEST_SKIP() << "POSTRIDER_CORPORA does not name the folder of the corpora"

// robfig writes six fields with seconds first; ours are its minutes.
std::optional<std::string> without_seconds(std::string expression) {
    if (!expression.starts_with("0 ")) return std::nullopt;
    return expression.substr(2);
}

// "TZ=America/New_York rest" in front of an expression or a time.
std::string take_zone(std::string& text) {
    const auto equals = text.find("TZ=");
    if (equals == std::string::npos) return "UTC";
    const auto blank = text.find(' ');
    auto zone = text.substr(equals + 3, blank - equals - 3);
    text.erase(0, blank + 1);
    return zone;
}

// "Mon Jul 9 14:45 2012" in UTC, or "2012-03-11T00:00:00-0500".
Time instant(std::string text) {
    if (text.find('T') == 10) return *parse_rfc3339(text.insert(text.size() - 2, ":"));
    static const std::map<std::string, int> months{{"Jan", 1}, {"Feb", 2},  {"Apr", 4},  {"Jun", 6}, {"Jul", 7},
                                                   {"Aug", 8}, {"Oct", 10}, {"Nov", 11}, {"Dec", 12}};
    std::istringstream words{text};
    std::string weekday, month, clock;
    int day = 0, year = 0;
    words >> weekday >> month >> day >> clock >> year;
    if (clock.size() == 5) clock += ":00";
    return *parse_rfc3339(fmt::format("{:04}-{:02}-{:02}T{}Z", year, months.at(month), day, clock));
}

TEST(CronCorpus, WhatFourImplementationsAgreeOnIsWhatWeSay) {
    CORPUS_OR_SKIP("consensus-unanimous.json");
    int checked = 0;
    for (const auto& row : cases->as_array()) {
        const auto schedule = parse(text(row.at("expr")));
        ASSERT_TRUE(schedule) << row.at("expr");
        const auto zone = Zone::find(text(row.at("tz")));
        ASSERT_TRUE(zone) << row.at("tz");
        Time at{std::chrono::seconds{row.at("start_epoch").as_int64()}};
        for (const auto& expected : row.at("expected_epochs").as_array()) {
            const auto slot = next(*schedule, *zone, at);
            ASSERT_TRUE(slot) << row;
            ASSERT_EQ(rfc3339(*slot), rfc3339(Time{std::chrono::seconds{expected.as_int64()}})) << row;
            at = *slot;
        }
        ++checked;
    }
    EXPECT_GT(checked, 0);
}

TEST(CronCorpus, ExpressionsThatRobfigCallsInvalidAreRefused) {
    CORPUS_OR_SKIP("robfig.json");
    for (const auto& expression : cases->at("invalid").as_array()) EXPECT_FALSE(parse(text(expression))) << expression;
}

TEST(CronCorpus, RobfigActivatesWhenWeDo) {
    CORPUS_OR_SKIP("robfig.json");
    for (const auto& row : cases->at("activation_5field_utc").as_array()) {
        const auto expression = text(row.at("spec"));
        // robfig calls */10 restricted; in Vixie cron a field that begins with * is not, and the 15th is not among 1,
        // 11, 21, 31.
        if (expression == "* * */10 * Sun") continue;
        const auto schedule = parse(expression);
        ASSERT_TRUE(schedule) << expression;
        const auto time = instant(text(row.at("time")));
        const bool active = next(*schedule, Zone::utc(), time - 1s) == time;
        EXPECT_EQ(active, row.at("activates").as_bool()) << row;
    }
}

TEST(CronCorpus, RobfigAndWeNameTheSameNextTimeOutsideTheDocumentedDifferences) {
    CORPUS_OR_SKIP("robfig.json");
    // Where robfig skips a gap, runs twice in an overlap, or calls */5 restricted, and our documented rule says
    // otherwise.
    const std::map<std::string, std::string> differences{
        {"0 0 0 */5 Apr,Aug,Oct Mon @ Mon Jul 9 23:35 2012", "2012-08-06T00:00:00Z"},
        {"TZ=America/New_York 0 30 2 11 Mar ? @ 2012-03-11T00:00:00-0500", "2012-03-11T07:00:00Z"},
        {"TZ=America/New_York 0 0 2 * * ? @ 2012-03-11T00:00:00-0500", "2012-03-11T07:00:00Z"},
        {"TZ=America/New_York 0 30 1 04 Nov ? @ 2012-11-04T01:45:00-0400", "2013-11-04T06:30:00Z"},
        {"TZ=America/New_York 0 0 1 * * ? @ 2012-11-04T01:00:00-0400", "2012-11-05T06:00:00Z"},
        {"0 0 1 * * ? @ TZ=America/New_York 2012-11-04T01:00:00-0400", "2012-11-05T06:00:00Z"},
    };
    std::size_t checked = 0, differing = 0;
    for (const auto* part : {"next_6field_optional_seconds", "next_tz_5field"}) {
        for (const auto& row : cases->at(part).as_array()) {
            auto expression = text(row.at("spec"));
            auto after = text(row.at("after"));
            const auto key = expression + " @ " + after;
            auto zone_name = take_zone(expression);
            if (zone_name == "UTC") zone_name = take_zone(after);
            if (std::string{part}.find("6field") != std::string::npos) {
                const auto five = without_seconds(expression);
                if (!five) continue; // asks for seconds
                expression = *five;
            }
            auto zone = Zone::find(zone_name);
            if (after.ends_with("+0530")) zone = Zone::find("Asia/Kolkata");
            ASSERT_TRUE(zone) << zone_name;
            const auto schedule = parse(expression);
            if (row.at("next").is_null()) {
                EXPECT_FALSE(schedule) << expression;
                continue;
            }
            ASSERT_TRUE(schedule) << explain(expression, schedule.error());
            const auto slot = next(*schedule, *zone, instant(after));
            ASSERT_TRUE(slot);
            const auto difference = differences.find(key);
            const bool differs = difference != differences.end();
            EXPECT_EQ(rfc3339(*slot), differs ? difference->second : rfc3339(instant(text(row.at("next"))))) << row;
            differing += differs;
            ++checked;
        }
    }
    EXPECT_EQ(differing, differences.size());
    EXPECT_GT(checked, 40u);
}

}
}
