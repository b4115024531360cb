#include "delivery/pace.hpp"

#include <gtest/gtest.h>

namespace postrider::delivery {
namespace {

const Time noon = Time(1'800'014'400'000ms); // 2027-01-15T12:00:00Z

int leave_within(Pace pace, Time from, Duration length, Duration step = 10ms) {
    int count = 0;
    for (auto now = from; now < from + length; now += step)
        for (; pace.next() <= now; ++count) pace.spend(now);
    return count;
}

TEST(Pace, IsTrueInTheLongRunAndBoundedAtOnce) {
    EXPECT_NEAR(leave_within(Pace({100, 1s}), noon, 10s), 1000, 12);
    EXPECT_LE(leave_within(Pace({100, 1s}), noon, 10ms), 11);
    EXPECT_NEAR(leave_within(Pace({2000, 1h}), noon, 1h, 100ms), 2000, 2);
    EXPECT_LE(leave_within(Pace({2000, 1h}), noon, 1min, 100ms), 35) << "not all in the first minute";
    EXPECT_NEAR(leave_within(Pace({5000, 1s}), noon, 1s, 1ms), 5000, 505);
}

TEST(Pace, APauseIsNotMadeUpFor) {
    Pace pace({10, 1s});
    pace.spend(noon);
    EXPECT_LE(leave_within(pace, noon + 1h, 1s), 12);
}

TEST(WarmUp, GrowsByTheSameFactorFromTheStartToTheLimit) {
    WarmUp warm_up{100, 1600, 5};
    for (auto [day, most] : {std::pair{1, 100}, {2, 200}, {3, 400}, {4, 800}, {5, 1600}})
        EXPECT_EQ(allowance(warm_up, day), most);
    EXPECT_EQ(allowance(warm_up, 6), std::nullopt);
}

TEST(WarmUp, CountsTheDaysOnWhichMailWasSent) {
    auto count = as_of(noon, {});
    EXPECT_EQ(count.day, 1);
    count.sent = 70;
    EXPECT_EQ(as_of(noon + 11h, count).sent, 70);
    EXPECT_EQ(as_of(noon + 13h, count).day, 2);
    EXPECT_EQ(as_of(noon + 13h, count).sent, 0);
    EXPECT_EQ(as_of(noon + 30 * 24h, count).day, 2) << "a rest of a month is no warm-up";
    EXPECT_EQ(as_of(noon - 24h, count).sent, 70) << "a clock that is set back gives nothing";
    EXPECT_EQ(tomorrow(noon), noon + 12h);
}

}
}
