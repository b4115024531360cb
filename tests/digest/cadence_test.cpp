#include "digest/cadence.hpp"

#include <gtest/gtest.h>

namespace postrider::digest {
namespace {

const auto daily = schedule::parse("every day at 07:00").value();
const auto berlin = schedule::Zone::find("Europe/Berlin").value();

Time at(std::string_view text) { return parse_rfc3339(text).value(); }

TEST(Cadence, NothingIsDueBeforeTheNextSlot) {
    EXPECT_TRUE(due_slots(daily, berlin, at("2026-11-24T06:00:00Z"), at("2026-11-25T05:59:59Z"), 12h).empty());
}

TEST(Cadence, ASlotIsDueFromItsVeryMoment) {
    auto due = due_slots(daily, berlin, at("2026-11-24T06:00:00Z"), at("2026-11-25T06:00:00Z"), 12h);
    ASSERT_EQ(due.size(), 1u);
    EXPECT_EQ(due[0].slot, at("2026-11-25T06:00:00Z"));
    EXPECT_TRUE(due[0].skipped.empty());
}

TEST(Cadence, OfSeveralMissedSlotsOnlyTheNewestIsFilled) {
    auto due = due_slots(daily, berlin, at("2026-11-20T06:00:00Z"), at("2026-11-24T08:00:00Z"), 12h);
    ASSERT_EQ(due.size(), 4u);
    for (std::size_t i = 0; i < 3; ++i) EXPECT_FALSE(due[i].skipped.empty());
    EXPECT_TRUE(due[3].skipped.empty());
}

TEST(Cadence, ASlotMissedByMoreThanCatchUpIsSkippedToo) {
    auto due = due_slots(daily, berlin, at("2026-11-23T06:00:00Z"), at("2026-11-24T19:00:00Z"), 12h);
    ASSERT_EQ(due.size(), 1u);
    EXPECT_NE(due[0].skipped.find("12h"), std::string::npos) << due[0].skipped;
}

TEST(Cadence, AClockSetBackFindsNothingDueAgain) {
    EXPECT_TRUE(due_slots(daily, berlin, at("2026-11-24T06:00:00Z"), at("2026-11-24T05:00:00Z"), 12h).empty());
}

TEST(Cadence, EveryLocalDayHasOneSlotThroughBothClockChanges) {
    for (auto [from, to] :
         {std::pair{"2026-03-27T06:00:00Z", "2026-04-01T05:00:00Z"}, {"2026-10-23T05:00:00Z", "2026-10-28T06:00:00Z"}})
        EXPECT_EQ(due_slots(daily, berlin, at(from), at(to), 12h).size(), 5u) << from;
}

}
}
