#include "post_office.hpp"

#include <map>
#include <memory>

// How fast mail leaves, and by which relay.

namespace postrider::delivery {
namespace {

using test::ScriptedRelay;
using test::Stage;

class Rates : public PostOffice {
protected:
    // A second relay of the same kind, named "second".
    ScriptedRelay& second() {
        if (!second_) {
            second_ = std::make_unique<ScriptedRelay>(context.get_executor());
            auto settings = second_->settings();
            settings.name = "second";
            relays.push_back(LaneSettings{settings, 4});
        }
        return *second_;
    }
    ~Rates() override { closes(); }

    // settle() waits for everything; with a rate there is always something that waits.
    void runs(Duration length, Duration step, int real_ms = 15) {
        if (!dispatcher) opens();
        for (auto until = clock.now() + length; clock.now() < until;) {
            dispatcher->tick(false);
            auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(real_ms);
            while (std::chrono::steady_clock::now() < end) {
                context.restart();
                context.run_one_for(std::chrono::milliseconds(3));
            }
            clock.advance(step);
        }
    }
    std::size_t sent() const { return relay.messages().size(); }
    std::string reason(const std::string& name = "test") {
        return connection
            ->value<std::optional<std::string>>(
                "SELECT CASE WHEN held_until IS NOT NULL THEN reason END FROM relay_state WHERE name = $1", name)
            .value_or(std::nullopt)
            .value_or("");
    }

private:
    std::unique_ptr<ScriptedRelay> second_;
};

TEST_F(Rates, ARateOfAllMailHoldsForAllRelaysTogether) {
    second();
    rate = Rate{10, 1s};
    join(60);
    auto id = issue();
    runs(2s, 50ms);
    auto both = sent() + second().messages().size();
    EXPECT_GE(both, 17u);
    EXPECT_LE(both, 24u);
    runs(6s, 50ms);
    balances(id, 60);
    EXPECT_GT(second().messages().size(), 0u);
}

TEST_F(Rates, SoManyAnHourAreSpreadOverTheHour) {
    relays[0].rate = Rate{3600, 1h};
    relays[0].connections = 1;
    join(30);
    auto id = issue();
    runs(10s, 200ms);
    EXPECT_GE(sent(), 8u);
    EXPECT_LE(sent(), 12u);
    runs(25s, 200ms);
    balances(id, 30);
}

TEST_F(Rates, ARateOfOneDomainIsTrueAndStopsNoOther) {
    domain_rates = {{"slow.example", Rate{1, 1s}}};
    for (int i = 0; i < 10; ++i) joins(fmt::format("a{}@slow.example", i));
    for (int i = 0; i < 30; ++i) joins(fmt::format("a{}@other.example", i));
    auto id = issue();
    auto to = [&](std::string_view domain) {
        return std::ranges::count_if(relay.messages(), [&](auto& mail) { return mail.to.ends_with(domain); });
    };
    runs(1s, 100ms);
    EXPECT_EQ(to("other.example"), 30);
    EXPECT_LE(to("slow.example"), 3);
    runs(4s, 100ms);
    EXPECT_GE(to("slow.example"), 3);
    EXPECT_LE(to("slow.example"), 7);
    runs(15s, 200ms);
    balances(id, 40);
    EXPECT_EQ(balance(id).attempts, 40);
}

TEST_F(Rates, TurnsOfADomainThatWereMissedDoNotComeAllAtOnce) {
    domain_rates = {{"slow.example", Rate{1, 1s}}};
    for (int i = 0; i < 30; ++i) joins(fmt::format("a{}@slow.example", i));
    auto id = issue();
    runs(3s, 200ms);
    relay.hangs_up(Stage::greeting, test::always);
    relay.hangs_up_on_everyone();
    runs(2min, 5s);
    relay.accepts_everything();
    auto before = sent();
    runs(35s, 1s); // the hold is over within 30 s
    EXPECT_GT(sent(), before);
    EXPECT_LE(sent(), before + 36);
    auto most = sent();
    runs(3s, 500ms);
    EXPECT_LE(sent() - most, 5u);
    runs(2min, 1s);
    balances(id, 30);
}

TEST_F(Rates, AWarmUpGrowsDayByDayAndSurvivesARestart) {
    settings.retry_for = 240h;
    relays[0].warm_up = WarmUp{10, 40, 3};
    join(100);
    auto id = issue();
    settles();
    EXPECT_EQ(sent(), 10u);
    EXPECT_EQ(reason(), "warm-up, day 1: its 10 messages have left");
    closes();
    settles();
    EXPECT_EQ(sent(), 10u) << "a restart does not begin the day anew";
    passes(24h, 2h);
    EXPECT_EQ(sent(), 30u);
    closes();
    passes(24h, 2h);
    EXPECT_EQ(sent(), 70u);
    passes(24h, 2h);
    balances(id, 100);
    EXPECT_EQ(reason(), "");
}

TEST_F(Rates, WhenARelayHasHadItsWarmUpForTodayAnotherTakesOver) {
    second();
    relays[0].warm_up = WarmUp{10, 100, 10};
    join(60);
    auto id = issue();
    settles();
    balances(id, 60);
    EXPECT_LE(sent(), 10u);
}

TEST_F(Rates, RelaysShareTheMailByWeight) {
    second();
    relays[0].weight = 3;
    relays[1].weight = 1;
    join(400);
    auto id = issue();
    settles();
    balances(id, 400);
    EXPECT_NEAR(double(sent()), 300, 30);
}

TEST_F(Rates, ARelayInReserveGetsMailOnlyWhileNoOtherTakesIt) {
    second();
    relays[1].weight = 0;
    join(50);
    auto first = issue();
    settles();
    balances(first, 50);
    EXPECT_EQ(sent(), 50u);
    EXPECT_EQ(second().connections(), 0);

    relay.answers(Stage::greeting, "554 5.3.2 no service");
    passes(10s, 1s); // idle connections are given back
    auto next = issue();
    settles();
    balances(next, 50);
    EXPECT_EQ(second().messages().size(), 50u);

    relay.accepts_everything();
    passes(1h, 10min);
    auto last = issue();
    settles();
    balances(last, 50);
    EXPECT_GE(sent(), 75u) << "back to the first, as soon as its probe was taken";
}

TEST_F(Rates, ARelayThatIsHeldGetsOnlyItsProbeAndTheOthersTheRest) {
    second();
    relay.answers(Stage::mail, "550 5.7.1 not from you");
    join(200);
    auto id = issue();
    settles();
    balances(id, 200);
    EXPECT_EQ(second().messages().size(), 200u);
    EXPECT_LE(relay.count("MAIL"), 8) << "what was on its way when it was held";
    auto before = relay.count("MAIL");
    for (int hour = 0; hour < 3; ++hour) {
        auto one = issue();
        passes(31min, 31min);
        balances(one, 200);
    }
    EXPECT_LE(relay.count("MAIL") - before, 6);
}

TEST_F(Rates, ASilentRelayKeepsNothingFromTheOther) {
    second();
    relays[0].connections = 10;
    relay.falls_silent(Stage::greeting);
    join(5);
    auto id = issue();
    settles();
    passes(5s, 1s);
    balances(id, 5);
    EXPECT_EQ(second().messages().size(), 5u);
    EXPECT_NE(reason().find("no answer yet"), std::string::npos) << reason();
}

TEST_F(Rates, AConnectionCarriesNoMoreMessagesThanTheRelayWants) {
    relays[0].messages_per_connection = 5;
    relays[0].connections = 2;
    join(52);
    auto id = issue();
    settles();
    balances(id, 52);
    std::map<int, int> carried;
    for (auto& mail : relay.messages()) ++carried[mail.connection];
    for (auto [number, count] : carried) EXPECT_LE(count, 5);
    EXPECT_EQ(relay.count("QUIT") + relay.open_connections(), relay.connections()) << "each with a goodbye";
    EXPECT_LE(relay.connections(), 14);
}

TEST_F(Rates, ConnectionsGrowWithNeedAreKeptAndGivenBack) {
    relays[0].connections = 8;
    joins("ada@example.org");
    auto first = issue();
    settles();
    balances(first, 1);
    EXPECT_EQ(relay.connections(), 1) << "one message needs one";
    join(100);
    auto second = issue();
    settles();
    balances(second, 101);
    EXPECT_GT(relay.connections(), 1);
    EXPECT_LE(relay.connections(), 8);
    auto made = relay.connections();
    passes(3s, 1s);
    auto third = issue();
    settles();
    balances(third, 101);
    EXPECT_LE(relay.connections(), 8) << "kept: " << made;
    passes(10s, 1s);
    EXPECT_EQ(relay.open_connections(), 0);
}

TEST_F(Rates, ALetterToADomainWithARateDoesNotWaitForTheWholeIssue) {
    domain_rates["example.org"] = Rate{1, 1s};
    join(40);
    auto id = issue();
    runs(2s, 100ms);
    Letters(*connection)
        .add(Purpose::confirmation, "bounce@courier.example", "new@example.org", "new@example.org",
             "Subject: confirm\r\n\r\nHello\r\n", clock.now(), 72h);
    dispatcher->tick(true);
    runs(4s, 100ms);
    EXPECT_EQ(relay.messages_for("new@example.org"), 1) << "after " << sent() << " of 40";
    EXPECT_LT(sent(), 12u);
    runs(40s, 200ms);
    balances(id, 40);
}

}
}
