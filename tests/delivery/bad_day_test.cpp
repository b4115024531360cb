#include "post_office.hpp"

#include <set>

// The relay has a bad day: whatever it says or does not say, and wherever, nobody is lost and nobody is blamed for it.

namespace postrider::delivery {
namespace {

using test::Stage;

class BadDay : public PostOffice {
protected:
    std::string relay_state() {
        return connection
            ->value<std::optional<std::string>>(
                "SELECT CASE WHEN held_until IS NOT NULL THEN reason END FROM relay_state WHERE name = $1",
                relays.front().relay.name)
            .value_or(std::nullopt)
            .value_or("");
    }
    bool all_taken_once() {
        std::set<std::string> to;
        for (auto& mail : relay.messages()) to.insert(mail.to);
        return to.size() == relay.messages().size();
    }
};

// ---- three that were wrong

TEST_F(BadDay, ARefusalOfMailDecidesAlthoughTheRelayTakesTheRecipientAllTheSame) {
    join(5);
    relay.answers(Stage::mail, "550 5.7.1 your sender is blocked");
    relay.answers(Stage::rcpt, "250 2.1.5 Ok");
    relay.answers(Stage::data, "354 Go on");
    auto id = issue();
    settles();
    EXPECT_EQ(relay_state(), "550 5.7.1 your sender is blocked");
    EXPECT_EQ(relay.messages().size(), 0u);
    EXPECT_EQ(balance(id).pending(), 5);
    relay.accepts_everything();
    passes(3min, 10s);
    balances(id, 5);
    EXPECT_EQ(balance(id).attempts, 5);
}

TEST_F(BadDay, ALoginThatCannotBeCheckedHoldsTheRelayBrieflyAndBlamesNoKey) {
    join(3);
    relay.wants_login("courier", "secret");
    relays[0].relay = relay.settings();
    relay.answers(Stage::auth, "454 4.7.0 Temporary authentication failure");
    auto id = issue();
    settles();
    EXPECT_NE(relay_state().find("454 4.7.0 Temporary authentication failure"), std::string::npos) << relay_state();
    EXPECT_EQ(relay_state().find("password_file"), std::string::npos) << relay_state();
    passes(2min, 1s);
    EXPECT_LE(relay.count("AUTH"), 4 * 4) << "a login that is asked for every second looks like an attack";
    relay.accepts_everything();
    passes(2min, 5s);
    balances(id, 3);
}

TEST_F(BadDay, ARefusedLoginNamesTheKeysAndIsNotTriedOverAndOver) {
    join(3);
    relay.wants_login("courier", "secret");
    relays[0].relay = relay.settings();
    relays[0].relay.password = "wrong";
    auto id = issue();
    passes(1h, 30s);
    EXPECT_NE(relay_state().find("535 5.7.8"), std::string::npos) << relay_state();
    EXPECT_NE(relay_state().find("user of [[relay]] \"test\" and password_file"), std::string::npos) << relay_state();
    EXPECT_LE(relay.connections(), 10) << "who is locked out stays locked out by trying";
    EXPECT_EQ(balance(id).pending(), 3);
    closes();
    relays[0].relay = relay.settings(); // the operator wrote the right one
    settles();
    balances(id, 3);
}

TEST_F(BadDay, ARelayThatDoesNotGreetIsShownAtOnceAndHeldLater) {
    join(3);
    relay.falls_silent(Stage::greeting);
    auto id = issue();
    settles();
    auto began = rfc3339(clock.now());
    passes(3s, 1s);
    EXPECT_EQ(relay_state(), "connecting to " + relay.url() + " since " + began + ", no answer yet");
    EXPECT_FALSE(held()) << "it may still answer";
    passes(30s, 5s);
    EXPECT_TRUE(held());
    passes(5min, 10s);
    EXPECT_NE(relay_state().find("no answer"), std::string::npos);
    relay.accepts_everything();
    passes(6min, 10s);
    balances(id, 3);
    EXPECT_EQ(relay_state(), "");
}

TEST_F(BadDay, ARelayThatTalksNonsenseAtTheGreetingIsShownAtOnceThoughItStaysOnTheLine) {
    join(3);
    relay.falls_silent(Stage::greeting, test::always, "HTTP/1.1 400 Bad Request\r\n");
    auto id = issue();
    settles();
    EXPECT_NE(relay_state().find("no SMTP server (\"HTTP/1.1 400 Bad Request\")"), std::string::npos) << relay_state();
    relay.accepts_everything();
    passes(2min, 5s);
    balances(id, 3);
}

// ---- 4yz, 5yz and 421 everywhere

TEST_F(BadDay, WhateverIsRefusedAtWhateverStageEverybodyIsAccountedFor) {
    int lists = 0;
    for (auto stage : {Stage::greeting, Stage::ehlo, Stage::auth, Stage::mail, Stage::rcpt, Stage::data, Stage::body})
        for (std::string reply : {"450 4.3.2 not now", "421 4.3.2 closing", "550 5.3.2 never", "550 5.7.1 policy"}) {
            SCOPED_TRACE(std::string(to_text(stage)) + ": " + reply);
            closes();
            relay.accepts_everything();
            relay.wants_login("courier", "secret");
            relays[0].relay = relay.settings();
            auto where = add_list(fmt::format("list{}", ++lists));
            for (int i = 0; i < 3; ++i) joins(fmt::format("reader{}@host{}.example", i, lists), where);
            relay.answers(stage, reply);
            auto before = relay.messages().size();
            auto id = issue(where);
            settles();
            passes(1min, 20s);
            EXPECT_EQ(relay.messages().size(), before);
            bool about_the_reader = reply == "550 5.3.2 never" && (stage == Stage::rcpt || stage == Stage::body);
            EXPECT_EQ(balance(id).refused, about_the_reader ? 3 : 0);
            relay.accepts_everything();
            passes(70min, 10min);
            balances(id, about_the_reader ? 0 : 3);
        }
}

}
}
