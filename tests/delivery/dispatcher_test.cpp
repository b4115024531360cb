#include "post_office.hpp"

#include <set>

namespace postrider::delivery {
namespace {

using test::Stage;

TEST_F(PostOffice, EveryReaderGetsTheIssueOnceAndTheBalanceIsRight) {
    join(200);
    auto id = issue();
    settles();
    balances(id, 200);
    EXPECT_EQ(relay.messages().size(), 200u);
    std::set<std::string> to;
    for (auto& mail : relay.messages()) to.insert(mail.to);
    EXPECT_EQ(to.size(), 200u);
}

TEST_F(PostOffice, AnIssueWithoutReadersIsSentAtOnce) {
    auto id = issue();
    settles();
    balances(id, 0);
}

TEST_F(PostOffice, ARefusedReaderStopsNobodyElse) {
    join(20);
    relay.answers_for("reader7@example.org", Stage::rcpt, "550 5.1.1 no such user");
    auto id = issue();
    settles();
    balances(id, 19);
    auto account = balance(id);
    EXPECT_EQ(account.refused, 1);
    ASSERT_EQ(account.refusals.size(), 1u);
    EXPECT_EQ(account.refusals[0].reason, "550 5.1.1 no such user");
}

TEST_F(PostOffice, AGreylistedReaderIsTriedAgainAfterFiveMinutesAndNotBefore) {
    joins("ada@example.org");
    relay.answers_for("ada@example.org", Stage::rcpt, "451 4.7.1 Greylisted, try again later", 1);
    auto id = issue();
    settles();
    EXPECT_EQ(balance(id).deferred, 1);
    passes(4min + 59s, 4min);
    EXPECT_EQ(relay.tries_for("ada@example.org"), 1);
    passes(2s, 1s);
    EXPECT_EQ(relay.tries_for("ada@example.org"), 2);
    balances(id, 1);
    EXPECT_EQ(balance(id).attempts, 2);
}

TEST_F(PostOffice, AReaderWhoLeavesBetweenTwoTriesGetsNoSecondTry) {
    auto ada = joins("ada@example.org");
    relay.answers(Stage::rcpt, "451 4.3.0 later");
    auto id = issue();
    settles();
    leaves(ada);
    relay.accepts_everything();
    passes(1h, 10min);
    EXPECT_EQ(relay.tries_for("ada@example.org"), 1);
    EXPECT_EQ(balance(id).suppressed, 1);
    balances(id, 0);
}

TEST_F(PostOffice, WhoJoinsAfterTheStartWaitsForTheNextIssueAndWhoLeavesIsSuppressed) {
    join(3);
    auto bob = joins("bob@example.org");
    relay.stops_listening();
    auto id = issue();
    settles(); // the audience is fixed, nobody is reached
    joins("late@example.org");
    leaves(bob);
    EXPECT_EQ(balance(id).planned, 4);
    passes(37h, 30min);
    auto account = balance(id);
    EXPECT_EQ(account.expired, 3);
    EXPECT_EQ(account.suppressed, 1);
    balances(id, 0);
}

TEST_F(PostOffice, ATemporaryRefusalThatNeverEndsExpiresAfterRetryFor) {
    joins("ada@example.org");
    relay.answers(Stage::rcpt, "451 4.3.0 later");
    auto id = issue();
    passes(37h, 20min);
    EXPECT_EQ(balance(id).expired, 1);
    balances(id, 0);
    EXPECT_GT(balance(id).attempts, 5);
    EXPECT_LT(balance(id).attempts, 30);
}

TEST_F(PostOffice, APolicyOfTheRelayHoldsTheRelayAndNotTheReader) {
    join(10);
    relay.answers(Stage::mail, "550 5.7.1 your sender is blocked");
    auto id = issue();
    settles();
    EXPECT_EQ(balance(id).pending(), 10);
    EXPECT_TRUE(held());
    relay.accepts_everything();
    passes(10min, 30s);
    balances(id, 10);
    EXPECT_EQ(balance(id).attempts, 10) << "nobody's tries are counted for a hold";
}

TEST_F(PostOffice, ARelayThatIsDownIsTriedAgainWithoutCountingAgainstAnybody) {
    join(5);
    relays[0].relay.url = "smtp://127.0.0.1:1";
    auto id = issue();
    passes(2min, 1s);
    EXPECT_EQ(balance(id).pending(), 5);
    EXPECT_EQ(to_text(balance(id).state), "sending");
    closes();
    relays[0].relay = relay.settings();
    settles();
    balances(id, 5);
}

TEST_F(PostOffice, AConnectionThatBreaksInsideTheBodyLosesNobody) {
    join(50);
    relay.hangs_up_inside_the_body(3);
    auto id = issue();
    settles();
    EXPECT_EQ(balance(id).deferred, 3) << "the dot had left with the body: nobody can know whether it arrived";
    passes(7min);
    balances(id, 50);
}

TEST_F(PostOffice, ALostAnswerIsTriedAgainWithTheSameMessageId) {
    joins("ada@example.org");
    relay.loses_the_answer(1);
    auto id = issue();
    settles();
    EXPECT_EQ(balance(id).deferred, 1);
    passes(6min);
    balances(id, 1);
    ASSERT_EQ(relay.messages().size(), 2u);
    EXPECT_EQ(relay.messages()[0].bytes, relay.messages()[1].bytes);
}

TEST_F(PostOffice, ALostAnswerIsLeftAloneWhereTheOperatorWantsSo) {
    settings.on_unknown = RetrySettings::OnUnknown::record;
    joins("ada@example.org");
    relay.loses_the_answer(1);
    auto id = issue();
    passes(10min);
    EXPECT_EQ(balance(id).unknown, 1);
    balances(id, 0);
    EXPECT_EQ(relay.messages().size(), 1u);
}

TEST_F(PostOffice, A421InTheMiddleOnlyCostsAConnection) {
    join(30);
    relay.says_421_after(5);
    auto id = issue();
    passes(2min, 1s);
    balances(id, 30);
    EXPECT_EQ(relay.messages().size(), 30u);
}

TEST_F(PostOffice, SilenceEndsWithTheTimersOfRfc5321) {
    join(1);
    relay.falls_silent(Stage::rcpt, 1);
    auto id = issue();
    settles();
    EXPECT_EQ(relay.messages().size(), 0u);
    passes(6min, 30s);
    balances(id, 1);
}

TEST_F(PostOffice, ARelayWithoutPipeliningGetsTheDialogueStepByStep) {
    relay.offers_no_pipelining();
    join(40);
    auto id = issue();
    settles();
    balances(id, 40);
}

TEST_F(PostOffice, APausedIssueSendsNothingUntilItIsResumed) {
    join(10);
    relay.answers(Stage::rcpt, "451 4.3.0 later");
    auto id = issue();
    settles();
    relay.accepts_everything();
    EXPECT_TRUE(Mailings(*connection).pause(id));
    passes(2h, 10min);
    EXPECT_EQ(relay.messages().size(), 0u);
    EXPECT_EQ(to_text(balance(id).state), "paused");
    EXPECT_TRUE(Mailings(*connection).resume(id));
    settles();
    balances(id, 10);
}

TEST_F(PostOffice, ACancelledIssueSendsNothingMore) {
    join(10);
    relay.answers(Stage::rcpt, "451 4.3.0 later");
    auto id = issue();
    settles();
    relay.accepts_everything();
    EXPECT_TRUE(Mailings(*connection).cancel(id, clock.now()));
    passes(2h, 10min);
    EXPECT_EQ(relay.messages().size(), 0u);
}

TEST_F(PostOffice, OneIssueOfAListIsSentAtATime) {
    joins("ada@example.org");
    relay.answers(Stage::rcpt, "451 4.3.0 later", 1);
    auto first = issue();
    auto second = issue();
    settles();
    EXPECT_EQ(to_text(balance(first).state), "sending");
    EXPECT_EQ(to_text(balance(second).state), "scheduled");
    passes(6min);
    balances(first, 1);
    balances(second, 1);
}

TEST_F(PostOffice, StoppingFinishesWhatIsOnItsWayAndLeavesTheRestToTheNextStart) {
    join(300);
    auto id = issue();
    opens();
    while (relay.messages().size() < 20) {
        context.restart();
        dispatcher->tick(true);
        context.run_one_for(std::chrono::milliseconds(20));
    }
    stops();
    auto sent = std::int64_t(relay.messages().size());
    EXPECT_EQ(balance(id).accepted, sent) << "everything the relay took is recorded";
    EXPECT_LT(sent, 300);
    dispatcher.reset();
    database.reset();
    settles();
    balances(id, 300);
    EXPECT_EQ(relay.messages().size(), 300u) << "no double";
}

TEST_F(PostOffice, StoppingDoesNotWaitForTheGreetingOfASilentRelay) {
    join(3);
    relay.falls_silent(Stage::greeting);
    auto id = issue();
    settles();
    ASSERT_TRUE(relay.is_silent());
    auto before = clock.now();
    stops();
    EXPECT_LT(clock.now() - before, 2s);
    EXPECT_EQ(balance(id).pending(), 3);
}

TEST_F(PostOffice, StoppingInAnyTurnOfTheLoopEndsAndKeepsTheLetters) {
    relay.falls_silent(Stage::greeting);
    for (int turns = 0; turns < 15; ++turns) {
        auto address = fmt::format("reader{}@example.org", turns);
        Letters(*connection)
            .add(Purpose::confirmation, "bounce@courier.example", address, address,
                 "From: a@courier.example\r\n\r\nhi\r\n", clock.now(), 24h);
        opens();
        dispatcher->tick(true);
        for (int i = 0; i < turns; ++i) {
            context.restart();
            context.run_one_for(std::chrono::milliseconds(5));
        }
        stops();
        ASSERT_FALSE(running) << "stopped after " << turns << " turns";
        dispatcher.reset();
        database.reset();
    }
    relay.accepts_everything();
    passes(2min, 1s);
    EXPECT_EQ(relay.messages().size(), 15u);
}

TEST_F(PostOffice, TheDatabaseTellsOfARelayInTroubleUntilItTakesAMessage) {
    auto reason = [&] {
        return connection->value<std::optional<std::string>>(
            "SELECT CASE WHEN held_until IS NOT NULL THEN reason END FROM relay_state WHERE name = $1",
            relays.front().relay.name);
    };
    join(1);
    relay.answers(Stage::greeting, "554 5.3.2 no service");
    issue();
    settles();
    ASSERT_TRUE(reason() && *reason());
    EXPECT_NE((*reason())->find("no service"), std::string::npos);
    relay.accepts_everything();
    passes(1min, 1s);
    EXPECT_EQ(relay.messages().size(), 1u);
    EXPECT_EQ(*reason(), std::nullopt);
}

TEST_F(PostOffice, ARateIsTrue) {
    relays[0].rate = Rate{10, 1s};
    join(20);
    auto id = issue();
    settles();
    EXPECT_LE(relay.messages().size(), 2u);
    passes(1s, 50ms);
    EXPECT_GE(relay.messages().size(), 10u);
    EXPECT_LE(relay.messages().size(), 13u);
    passes(2s, 50ms);
    balances(id, 20);
}

TEST_F(PostOffice, StoppingDoesNotWaitForTheNextTurnOfASlowRate) {
    relays[0].rate = Rate{30, 1h};
    join(20);
    auto id = issue();
    passes(1s, 100ms);
    EXPECT_EQ(relay.messages().size(), 1u);
    auto began = clock.now();
    stops(6s);
    EXPECT_LT(clock.now() - began, 5s);
    EXPECT_TRUE(balance(id).balanced());
}

TEST_F(PostOffice, AReaderWhoseRowCannotBeWrittenIntoAMessageStopsNobodyElse) {
    join(30);
    connection->run("UPDATE subscriber SET attributes = '{' WHERE address = 'reader7@example.org'");
    auto message = a_message("Hello from {{subscriber.city}}\n{{unsubscribe_url}}\n").to_text();
    auto id = Mailings(*connection).add(list, message, clock.now());
    settles();
    balances(id, 29);
    EXPECT_EQ(balance(id).refused, 1);
    EXPECT_FALSE(held());
}

TEST_F(PostOffice, AnUnknownOutcomeStaysUnknownWhenTheReaderLeaves) {
    auto ada = joins("ada@example.org");
    relay.loses_the_answer(1);
    auto id = issue();
    settles();
    leaves(ada);
    passes(10min);
    EXPECT_EQ(connection->value<int>("SELECT count(*) FROM delivery WHERE was_unknown"), 1);
    balances(id, 0);
}

TEST_F(PostOffice, EveryAnswerIsInTheHistogramOfItsRelay) {
    join(120);
    relay.answers_for("reader7@example.org", Stage::body, "451 4.3.0 later", 1);
    relay.answers_for("reader8@example.org", Stage::rcpt, "550 5.1.1 no such user");
    auto id = issue();
    settles();
    passes(10min, 5min);
    balances(id, 119);
    auto histograms = AnswerTimes::of(*connection, id);
    ASSERT_EQ(histograms.size(), 1u);
    EXPECT_EQ(histograms[0].relay, "test");
    EXPECT_EQ(histograms[0].total(), 120) << "one for each body, the second try included";
}

TEST_F(PostOffice, AHeldDomainIsShownUntilItTakesMailAgain) {
    joins("ada@gmail.example");
    relay.answers_for("ada@gmail.example", Stage::rcpt, "451 4.7.28 too many from this address", 1);
    auto id = issue();
    settles();
    auto held = [&] {
        return connection->value<int>("SELECT count(*) FROM domain_state WHERE name = 'gmail.example'");
    };
    EXPECT_EQ(held(), 1);
    passes(2h, 5min);
    balances(id, 1);
    EXPECT_EQ(held(), 0);
}

TEST_F(PostOffice, LettersGoAheadOfIssues) {
    join(50);
    auto id = issue();
    Letters(*connection)
        .add(Purpose::confirmation, "bounce@courier.example", "new@example.org", "new@example.org",
             "Subject: confirm\r\n\r\nHello\r\n", clock.now(), 72h);
    settles();
    balances(id, 50);
    ASSERT_EQ(relay.messages().size(), 51u);
    std::size_t place = 0;
    while (relay.messages()[place].to != "new@example.org") ++place;
    EXPECT_LT(place, 4u) << "among the first on four connections";
}

TEST_F(PostOffice, AHeldDomainDoesNotStopTheOthers) {
    for (int i = 0; i < 5; ++i) joins(fmt::format("a{}@gmail.example", i));
    for (int i = 0; i < 5; ++i) joins(fmt::format("a{}@other.example", i));
    for (int i = 0; i < 5; ++i)
        relay.answers_for(fmt::format("a{}@gmail.example", i), Stage::rcpt,
                          "550 5.7.26 unauthenticated mail is not accepted", 1);
    auto id = issue();
    passes(30min, 1min);
    balances(id, 10);
    EXPECT_EQ(balance(id).refused, 0);
}

TEST_F(PostOffice, OneReaderWhomAPolicyKeepsOutDoesNotStarveTheOthersOfTheDomain) {
    join(60);
    relay.answers_for("reader5@example.org", Stage::rcpt, "550 5.7.1 recipient restricts senders");
    auto id = issue();
    passes(10min, 30s);
    EXPECT_EQ(balance(id).accepted, 59);
    EXPECT_EQ(balance(id).deferred, 1);
    passes(37h, 30min);
    balances(id, 59);
    auto account = balance(id);
    ASSERT_EQ(account.refusals.size(), 1u);
    EXPECT_EQ(account.refusals[0].reason, "550 5.7.1 recipient restricts senders");
    EXPECT_EQ(account.refusals[0].count, 1);
}

TEST_F(PostOffice, OneMessageRefusedForItsContentDoesNotStarveTheOthersOfTheRelay) {
    join(30);
    relay.answers_for("reader5@example.org", Stage::body, "554 5.6.0 bad content");
    auto id = issue();
    passes(10min, 30s);
    EXPECT_EQ(balance(id).accepted, 29);
    passes(37h, 30min);
    balances(id, 29);
    ASSERT_EQ(balance(id).refusals.size(), 1u);
    EXPECT_EQ(balance(id).refusals[0].reason, "554 5.6.0 bad content");
}

TEST_F(PostOffice, WhoWasNeverAskedIsNotReportedWithSomebodyElsesAnswer) {
    settings.retry_for = 30s;
    join(20);
    relay.answers(Stage::rcpt, "550 5.7.1 no");
    auto id = issue();
    passes(45s, 5s);
    auto account = balance(id);
    EXPECT_EQ(account.expired, 20) << "a hold does not outlast retry_for";
    for (auto& [reason, count] : account.refusals)
        if (reason == "550 5.7.1 no") EXPECT_EQ(count, relay.count("RCPT"));
    balances(id, 0);
}

TEST_F(PostOffice, AMessageThatWasOnItsWayDoesNotLiftAHold) {
    relays[0].connections = 1;
    join(3);
    relay.answers_message(1, Stage::data, "554 5.0.0 not now");
    auto id = issue();
    settles();
    EXPECT_TRUE(held()) << "whatever else was taken meanwhile";
    passes(3min, 30s);
    balances(id, 3);
}

TEST_F(PostOffice, EveryMessageIsFitForTheWireAndPersonal) {
    joins("ada@example.org");
    issue();
    settles();
    ASSERT_EQ(relay.messages().size(), 1u);
    auto& mail = relay.messages()[0];
    EXPECT_TRUE(mail::safe_for_data(mail.bytes));
    EXPECT_NE(mail.bytes.find("To: Ada <ada@example.org>\r\n"), mail.bytes.npos);
    EXPECT_NE(mail.bytes.find("Subject: News for Ada\r\n"), mail.bytes.npos);
    EXPECT_NE(mail.bytes.find("List-Unsubscribe: <https://mail.courier.example/leave/"), mail.bytes.npos);
    EXPECT_NE(mail.bytes.find("List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"), mail.bytes.npos);
    EXPECT_TRUE(mail.from.starts_with("bounce+")) << mail.from;
}

}
}
