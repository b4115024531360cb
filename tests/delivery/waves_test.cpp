#include "delivery/waves.hpp"
#include "post_office.hpp"
#include "schedule/zone.hpp"

#include <algorithm>
#include <set>

namespace postrider::delivery {
namespace {

const Time slot = parse_rfc3339("2027-01-15T06:00:00Z").value(); // 07:00 in Berlin

std::vector<Wave> waves_of_zones(const std::vector<std::string>& zones, std::string_view list = "Europe/Berlin",
                                 Time at = slot) {
    return waves_at(at, schedule::Zone::find(list).value(), zones);
}

TEST(Waves, AReaderIsDueWhenTheirOwnClockShowsTheListsHour) {
    auto waves = waves_of_zones({"America/New_York", "Europe/Paris", "Europe/London", "Asia/Tokyo", "Asia/Kolkata"});
    ASSERT_EQ(waves.size(), 5u);
    EXPECT_EQ(waves[0].not_before, slot);
    EXPECT_EQ(waves[0].zones, "") << "Paris goes with the list, and so does everybody whose zone is not known";
    EXPECT_EQ(waves[1].names(), std::vector<std::string>{"Europe/London"});
    EXPECT_EQ(waves[1].not_before, slot + 1h);
    EXPECT_EQ(waves[2].names(), std::vector<std::string>{"America/New_York"});
    EXPECT_EQ(waves[2].not_before, slot + 6h);
    EXPECT_EQ(waves[3].names(), std::vector<std::string>{"Asia/Tokyo"});
    EXPECT_EQ(waves[3].not_before, slot + 16h) << "07:00 on the next morning";
    EXPECT_EQ(waves[4].names(), std::vector<std::string>{"Asia/Kolkata"});
    EXPECT_EQ(waves[4].not_before, slot + 19h + 30min);
}

TEST(Waves, TheOffsetIsThatOfTheDay) {
    auto summer = parse_rfc3339("2027-03-20T06:00:00Z").value(); // New York has summer time, Berlin not yet
    EXPECT_EQ(waves_of_zones({"America/New_York"}, "Europe/Berlin", summer)[1].not_before, summer + 5h);
    // 02:30 in Berlin on the night on which its clocks skip it, for a list in New York.
    auto night = parse_rfc3339("2027-03-27T06:30:00Z").value();
    auto waves = waves_of_zones({"Europe/Berlin"}, "America/New_York", night);
    ASSERT_EQ(waves.size(), 2u);
    EXPECT_EQ(rfc3339(waves[1].not_before), "2027-03-28T01:00:00Z");
}

TEST(Waves, ThereAreAtMostTwentyFourWithinADayHoweverManyZones) {
    std::vector<std::string> zones;
    for (auto name : {"Pacific/Kiritimati",  "Pacific/Chatham",   "Pacific/Apia",
                      "Australia/Lord_Howe", "Australia/Eucla",   "Australia/Adelaide",
                      "Asia/Tokyo",          "Asia/Kathmandu",    "Asia/Kolkata",
                      "Asia/Kabul",          "Asia/Tehran",       "Asia/Karachi",
                      "Asia/Dubai",          "Europe/Moscow",     "Europe/Kyiv",
                      "Europe/London",       "Atlantic/Azores",   "Atlantic/South_Georgia",
                      "America/St_Johns",    "America/Halifax",   "America/New_York",
                      "America/Chicago",     "America/Denver",    "America/Los_Angeles",
                      "America/Anchorage",   "Pacific/Marquesas", "Pacific/Honolulu",
                      "Pacific/Pago_Pago",   "Asia/Dhaka",        "Asia/Yangon",
                      "Asia/Bangkok",        "Asia/Shanghai",     "Australia/Brisbane",
                      "Pacific/Noumea",      "Pacific/Fiji",      "Nowhere"})
        zones.emplace_back(name);
    for (int hour = 0; hour < 24; ++hour) {
        auto at = slot + std::chrono::hours(hour) + 20min;
        auto waves = waves_of_zones(zones, "Europe/Berlin", at);
        EXPECT_LE(waves.size(), 24u);
        EXPECT_EQ(waves.front().not_before, at);
        EXPECT_LT(waves.back().not_before, at + 24h);
        EXPECT_TRUE(std::ranges::is_sorted(waves, {}, &Wave::not_before));
    }
}

TEST(Waves, WhereAllLiveByTheListsClockThereAreNone) {
    EXPECT_TRUE(waves_of_zones({}).empty());
    EXPECT_TRUE(waves_of_zones({"Europe/Paris", "Europe/Madrid", "no/such"}).empty());
}

class WavesOffice : public PostOffice {
protected:
    WavesOffice() {
        auto fresh = subscribers::Lists(*connection).find(list).value();
        fresh.timezone = "Europe/Berlin";
        (void)subscribers::Lists(*connection).update(fresh, clock.now());
        clock.advance(slot - clock.now());
    }
    SubscriptionId lives(const std::string& address, const std::string& zone) {
        auto who = joins(address);
        moves(who, zone);
        return who;
    }
    void moves(SubscriptionId who, const std::string& zone) {
        connection->run(
            "UPDATE subscriber SET timezone = $2 WHERE id = (SELECT subscriber_id FROM subscription WHERE id = $1)",
            who, zone);
    }
    MailingId local_issue() { return Mailings(*connection).add(list, a_message().to_text(), clock.now(), slot); }
    // Readers of three zones and some of none, in many slices.
    void a_crowd(int count) {
        storage::Transaction transaction(*connection);
        const char* zones[] = {"", "America/New_York", "Europe/London", "Asia/Tokyo", "Mars/Olympus"};
        for (int i = 0; i < count; ++i) lives(fmt::format("reader{}@example.org", i), zones[i % 5]);
        transaction.commit();
    }
    std::size_t sent() { return relay.messages().size(); }
};

TEST_F(WavesOffice, EachReaderGetsTheIssueAtTheirOwnHour) {
    lives("ada@example.org", "Europe/Paris");
    lives("nobody@example.org", "");
    lives("lon@example.org", "Europe/London");
    lives("nyc@example.org", "America/New_York");
    auto id = local_issue();
    settles();
    EXPECT_EQ(sent(), 2u);
    EXPECT_EQ(balance(id).planned, 4);
    balances(id, 2, MailingState::sending);
    auto state = waves_now(*connection, id, clock.now());
    EXPECT_TRUE(state.resting);
    EXPECT_EQ(state.next->not_before, slot + 1h);
    passes(59min, 10min);
    EXPECT_EQ(sent(), 2u);
    passes(1min);
    EXPECT_EQ(relay.messages_for("lon@example.org"), 1);
    balances(id, 3, MailingState::sending);
    passes(5h, 30min);
    EXPECT_EQ(relay.messages_for("nyc@example.org"), 1);
    balances(id, 4);
    auto& late = relay.messages().back().bytes;
    EXPECT_TRUE(late.starts_with("Date: Fri, 15 Jan 2027 12:00:00 +0000\r\n")) << "the hour at which it was due";
}

TEST_F(WavesOffice, ManySlicesGoThroughAllWavesAndNobodyIsSentTwice) {
    a_crowd(5000);
    auto id = local_issue();
    passes(24h, 1h);
    balances(id, 5000);
    std::set<std::string> to;
    for (auto& mail : relay.messages()) to.insert(mail.to);
    EXPECT_EQ(to.size(), 5000u);
    EXPECT_EQ(sent(), 5000u);
    auto account = Mailings(*connection).progress(id);
    EXPECT_EQ(account.accepted, 5000);
}

TEST_F(WavesOffice, AKillInAnyWaveLosesNobody) {
    a_crowd(600);
    auto id = local_issue();
    for (int hour = 0; hour < 24; ++hour) {
        if (hour % 2) {
            opens();
            dispatcher->tick(true);
            for (int i = 0; i < 40; ++i) context.run_one_for(std::chrono::milliseconds(1)); // somewhere in the middle
        } else
            settles();
        closes();
        for (auto& sentence : Mailings(*connection).contradictions(id)) ADD_FAILURE() << sentence;
        clock.advance(1h);
    }
    passes(1h, 10min);
    balances(id, 600);
    std::set<std::string> to;
    for (auto& mail : relay.messages()) to.insert(mail.to);
    EXPECT_EQ(to.size(), 600u);
}

TEST_F(WavesOffice, NobodyWaitsForTheHourOfAZoneInWhichNoReaderOfTheListLives) {
    lives("ada@example.org", "");
    lives("nyc@example.org", "America/New_York");
    auto elsewhere = add_list("elsewhere");
    for (auto* zone : {"Europe/London", "Asia/Tokyo"})
        moves(joins(std::string(zone) + "@example.org", elsewhere), zone);
    auto id = local_issue();
    settles();
    ASSERT_EQ(waves_of(*connection, id).size(), 4u);
    auto wave = [&] { return connection->value<int>("SELECT wave FROM slice WHERE mailing_id = $1", id).value(); };
    EXPECT_EQ(wave(), 2) << "past London's";
    passes(6h, 30min);
    balances(id, 2);
    EXPECT_EQ(balance(id).state, MailingState::sent) << "long before Tokyo's";
}

TEST_F(WavesOffice, WhereEverybodyHasItAfterTheListsHourTheIssueIsSent) {
    lives("ada@example.org", "");
    moves(joins("tokyo@example.org", add_list("elsewhere")), "Asia/Tokyo");
    auto id = local_issue();
    settles();
    balances(id, 1);
}

TEST_F(WavesOffice, WhoMovesToAZoneWhoseWaveIsLeftOutGetsItWithTheLastOne) {
    auto tokyo = lives("tokyo@example.org", "Asia/Tokyo");
    moves(joins("elsewhere@example.org", add_list("elsewhere")), "America/New_York");
    auto id = local_issue();
    settles();
    moves(tokyo, "America/New_York");
    passes(17h, 1h);
    EXPECT_EQ(relay.messages_for("tokyo@example.org"), 1);
    balances(id, 1);
}

TEST_F(WavesOffice, WhoMovesToAnotherZoneMeanwhileGetsItOnceAllTheSame) {
    auto west = lives("west@example.org", "America/New_York");
    auto home = lives("home@example.org", "");
    auto late = lives("late@example.org", "Asia/Tokyo");
    lives("lon@example.org", "Europe/London");
    auto id = local_issue();
    settles();
    EXPECT_EQ(relay.messages_for("home@example.org"), 1);
    passes(2h, 30min);
    moves(home, "America/New_York"); // has it already
    moves(west, "Europe/London");    // whose wave is over
    moves(late, "America/New_York");
    passes(22h, 30min);
    for (auto who : {"west@example.org", "home@example.org", "late@example.org", "lon@example.org"})
        EXPECT_EQ(relay.messages_for(who), 1) << who;
    balances(id, 4);
}

TEST_F(WavesOffice, WhoLeavesBeforeTheirHourGetsNothing) {
    auto nyc = lives("nyc@example.org", "America/New_York");
    lives("ada@example.org", "");
    auto id = local_issue();
    settles();
    leaves(nyc);
    passes(7h, 30min);
    EXPECT_EQ(balance(id).suppressed, 1);
    balances(id, 1);
}

TEST_F(WavesOffice, APausedIssueMissesNoWaveAndACancelledOneSendsNone) {
    lives("ada@example.org", "");
    lives("lon@example.org", "Europe/London");
    lives("nyc@example.org", "America/New_York");
    auto id = local_issue();
    settles();
    ASSERT_TRUE(Mailings(*connection).pause(id));
    passes(2h, 30min);
    EXPECT_EQ(sent(), 1u);
    ASSERT_TRUE(Mailings(*connection).resume(id));
    settles();
    EXPECT_EQ(sent(), 2u) << "London's hour has passed";
    ASSERT_TRUE(Mailings(*connection).cancel(id, clock.now()));
    passes(6h, 30min);
    EXPECT_EQ(sent(), 2u);
    EXPECT_EQ(balance(id).pending(), 1);
}

TEST_F(WavesOffice, AReaderOfALateWaveIsTriedForAsLongAsOneOfTheFirst) {
    settings.retry_for = 4h;
    lives("ada@example.org", "");
    lives("nyc@example.org", "America/New_York");
    relay.answers_for("nyc@example.org", test::Stage::rcpt, "451 4.3.0 later", 3);
    auto id = local_issue();
    passes(6h, 30min);
    EXPECT_EQ(balance(id).deferred, 1);
    passes(3h, 10min);
    balances(id, 2);
}

TEST_F(WavesOffice, WhomNobodyReachesExpiresAfterTheLastWave) {
    settings.retry_for = 2h;
    a_crowd(10);
    relay.stops_listening();
    auto id = local_issue();
    passes(17h, 1h);
    EXPECT_EQ(balance(id).expired, 0);
    passes(3h, 1h);
    EXPECT_EQ(balance(id).expired, 10);
    balances(id, 0);
}

}
}
