#include "smtp/conversation.hpp"
#include "smtp/session.hpp"

namespace postrider::smtp {

namespace {

const std::string ada = "ada@example.org", bob = "bob@example.org", eve = "eve@example.org";

class Messages : public Conversation {
protected:
    ScriptedRelay relay{context.get_executor()};
    RelaySettings settings = relay.settings();

    // Sends to each in turn, as the delivery engine does; "accepted", the refusal, or why the session was lost.
    std::vector<std::string> send(const std::vector<std::string>& readers) {
        settings = relay.settings();
        std::vector<std::string> outcomes;
        tell([&]() -> awaitable<void> {
            auto session = co_await connected(settings);
            try {
                co_await send_over(*session, readers, outcomes);
                co_await session->quit();
            } catch (const SessionLost& lost) {
                outcomes.push_back(std::string("lost at ") + std::string(to_text(lost.stage)) +
                                   (lost.after_dot ? " after the dot: " : ": ") + lost.what());
            }
        });
        return outcomes;
    }

    awaitable<void> send_over(Session& session, const std::vector<std::string>& readers,
                              std::vector<std::string>& outcomes) {
        bool under_way = false;
        std::string body;
        for (std::size_t i = 0; i < readers.size(); ++i) {
            auto envelope = to(readers[i]);
            EnvelopeResult result;
            if (under_way)
                result = co_await session.envelope_result();
            else
                result = co_await session.begin(envelope);
            under_way = false;
            if (!result.ready()) {
                outcomes.push_back(std::string(to_text(result.stage)) + " " + to_text(*result.refusal));
                continue;
            }
            body = text("for " + readers[i]);
            Envelope next;
            bool more = i + 1 < readers.size();
            if (more) next = to(readers[i + 1]);
            const Envelope* following = more ? &next : nullptr;
            auto reply = co_await session.finish(body, following);
            under_way = more;
            outcomes.push_back(reply.done() ? "accepted" : "body " + to_text(reply));
        }
    }
};

using Outcomes = std::vector<std::string>;

}

TEST_F(Messages, TravelOneAfterAnotherOverOneConnection) {
    EXPECT_EQ(send({ada, bob, eve}), (Outcomes{"accepted", "accepted", "accepted"}));
    ASSERT_EQ(relay.messages().size(), 3u);
    EXPECT_EQ(relay.messages()[1].to, bob);
    EXPECT_EQ(relay.messages()[1].from, "bounce+1@courier.example");
    EXPECT_EQ(relay.messages()[1].bytes, text("for " + bob));
    EXPECT_EQ(relay.connections(), 1);
    EXPECT_EQ(relay.count("QUIT"), 1);
    EXPECT_EQ(relay.count("EHLO postrider.test"), 1);
}

TEST_F(Messages, TheNextEnvelopeRidesWithTheBody) {
    send({ada, bob, eve});
    ASSERT_EQ(relay.messages().size(), 3u);
    EXPECT_TRUE(relay.messages()[0].next_rode_along);
    EXPECT_TRUE(relay.messages()[1].next_rode_along);
    EXPECT_FALSE(relay.messages()[2].next_rode_along);
}

TEST_F(Messages, ARelayWithoutPipeliningGetsOneCommandAtATime) {
    relay.offers_no_pipelining();
    relay.answers_for(bob, Stage::rcpt, "550 5.1.1 no");
    EXPECT_EQ(send({ada, bob, eve, bob}), (Outcomes{"accepted", "rcpt 550 5.1.1 no", "accepted", "rcpt 550 5.1.1 no"}));
    for (const auto& mail : relay.messages()) EXPECT_FALSE(mail.next_rode_along);
    EXPECT_EQ(relay.count("DATA"), 2) << "nobody asks to send what has no recipient";
    EXPECT_EQ(relay.count("RSET"), 1);
}

TEST_F(Messages, ARefusedRecipientKeepsTheConnection) {
    relay.answers_for(bob, Stage::rcpt, "550 5.1.1 no such user");
    EXPECT_EQ(send({bob, ada, bob, eve, bob}),
              (Outcomes{"rcpt 550 5.1.1 no such user", "accepted", "rcpt 550 5.1.1 no such user", "accepted",
                        "rcpt 550 5.1.1 no such user"}));
    EXPECT_EQ(relay.connections(), 1);
    EXPECT_EQ(relay.messages_for(bob), 0);
}

TEST_F(Messages, ARelayThatWantsAMessageWithoutRecipientsGetsALoneDot) {
    relay.asks_for_the_message_even_without_recipients();
    relay.answers_for(bob, Stage::rcpt, "550 5.1.1 no");
    EXPECT_EQ(send({bob, ada, bob, eve}), (Outcomes{"rcpt 550 5.1.1 no", "accepted", "rcpt 550 5.1.1 no", "accepted"}));
    EXPECT_EQ(relay.empty_messages(), 2);
    EXPECT_EQ(relay.messages().size(), 2u);
    EXPECT_EQ(relay.connections(), 1);
}

TEST_F(Messages, ARefusedSenderIsSaidToBeThat) {
    relay.answers(Stage::mail, "550 5.7.1 sender not allowed", 1);
    EXPECT_EQ(send({ada, bob}), (Outcomes{"mail 550 5.7.1 sender not allowed", "accepted"}));
}

TEST_F(Messages, ARefusedSenderDecidesAlthoughTheRecipientIsTaken) {
    relay.answers(Stage::mail, "550 5.7.1 sender not allowed", 1);
    relay.answers(Stage::rcpt, "250 2.1.5 Ok");
    EXPECT_EQ(send({ada, bob}), (Outcomes{"mail 550 5.7.1 sender not allowed", "lost at mail: the session is over"}))
        << "the relay waits for a message to this reader: only hanging up keeps it from leaving";
    EXPECT_EQ(relay.messages().size(), 0u);
    EXPECT_EQ(relay.bodies(), 0);
}

TEST_F(Messages, AMessageLargerThanOfferedIsNotEvenBegun) {
    relay.offers({"PIPELINING", "SIZE 1000"});
    tell([&]() -> awaitable<void> {
        settings = relay.settings();
        auto session = co_await connected(settings);
        auto envelope = to(ada);
        envelope.size = 1001;
        auto result = co_await session->begin(envelope);
        EXPECT_EQ(result.stage, Stage::mail);
        EXPECT_EQ(result.refusal->code, 552);
        envelope.size = 1000;
        result = co_await session->begin(envelope);
        EXPECT_TRUE(result.ready());
    });
    EXPECT_EQ(relay.count("MAIL"), 1);
}

TEST_F(Messages, ARefusedDataIsSaidToBeThatAndForgottenByTheRelay) {
    relay.answers(Stage::data, "451 4.3.0 disk full", 1);
    EXPECT_EQ(send({ada, bob}), (Outcomes{"data 451 4.3.0 disk full", "accepted"}));
    EXPECT_EQ(relay.count("RSET"), 1);
    EXPECT_EQ(relay.messages().at(0).to, bob);
}

TEST_F(Messages, ARefusedBodyDoesNotHinderTheNextOne) {
    relay.answers_for(ada, Stage::body, "554 5.6.0 too ugly");
    EXPECT_EQ(send({ada, bob}), (Outcomes{"body 554 5.6.0 too ugly", "accepted"}));
    EXPECT_EQ(relay.bodies(), 2);
}

TEST_F(Messages, A421EndsTheSessionWhereverItComes) {
    for (auto stage : {Stage::mail, Stage::rcpt, Stage::data, Stage::body}) {
        relay.accepts_everything();
        relay.answers(stage, "421 4.3.2 closing");
        auto where = std::string(to_text(stage));
        EXPECT_EQ(send({ada}), (Outcomes{"lost at " + where + ": 421 4.3.2 closing"})) << where;
    }
}

TEST_F(Messages, A421ToTheNextEnvelopeLosesNothingOfThisMessage) {
    relay.says_421_after(1);
    EXPECT_EQ(send({ada, bob}), (Outcomes{"accepted", "lost at mail: 421 4.7.0 Enough for one connection"}));
}

TEST_F(Messages, ALostAnswerToTheDotIsKnownToBeUncertain) {
    relay.loses_the_answer();
    EXPECT_EQ(send({ada, bob}), (Outcomes{"lost at body after the dot: the relay hung up"}));
    EXPECT_EQ(relay.messages_for(ada), 1);
}

TEST_F(Messages, AConnectionLostBeforeTheBodyIsCertain) {
    for (auto stage : {Stage::mail, Stage::rcpt, Stage::data}) {
        relay.hangs_up(stage);
        auto where = std::string(to_text(stage));
        EXPECT_EQ(send({ada}), (Outcomes{"lost at " + where + ": the relay hung up"}));
    }
}

TEST_F(Messages, AConnectionLostInsideTheBodyIsCertain) {
    relay.hangs_up_inside_the_body();
    bool after_dot = true;
    std::optional<Stage> stage;
    tell([&]() -> awaitable<void> {
        auto session = co_await connected(settings);
        auto envelope = to(ada);
        auto result = co_await session->begin(envelope);
        EXPECT_TRUE(result.ready());
        std::string body(64 << 20, 'x'); // more than any socket buffer holds
        try {
            co_await session->finish(body, nullptr);
        } catch (const SessionLost& lost) {
            after_dot = lost.after_dot;
            stage = lost.stage;
        }
        EXPECT_TRUE(session->lost());
    });
    EXPECT_FALSE(after_dot);
    EXPECT_EQ(stage, Stage::body);
}

TEST_F(Messages, HalfAReplyIsNoReply) {
    relay.hangs_up(Stage::body, 1, "250 2.0.");
    EXPECT_EQ(send({ada}), (Outcomes{"lost at body after the dot: the relay hung up in the middle of a reply"}));
}

TEST_F(Messages, NonsenseEndsTheSession) {
    relay.says(Stage::rcpt, "What?\r\n");
    EXPECT_EQ(send({ada}), (Outcomes{"lost at rcpt: the relay does not speak SMTP: What?"}));
    relay.answers(Stage::body, "354 more");
    EXPECT_EQ(send({ada}), (Outcomes{"lost at body after the dot: the relay answered the final dot with 354 more"}));
}

TEST_F(Messages, ALongAnswerAndBareLineFeedsAreUnderstood) {
    std::string many;
    for (int i = 0; i < 499; ++i) many += "250-2.1.5 still thinking about it\n";
    relay.says(Stage::rcpt, many + "250 2.1.5 yes\n");
    EXPECT_EQ(send({ada}), (Outcomes{"accepted"}));
}

TEST_F(Messages, ASecondAnswerToOneCommandIsNotTakenForThatOfTheNext) {
    relay.says(Stage::body, "250 2.0.0 Ok\r\n250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n");
    auto outcomes = send({ada, bob});
    ASSERT_EQ(outcomes.size(), 2u);
    EXPECT_TRUE(outcomes[1].starts_with("lost at data: the relay answered DATA with 250")) << outcomes[1];
}

TEST_F(Messages, SilenceAfterTheDotLastsTenMinutesAndIsUncertain) {
    relay.falls_silent(Stage::body);
    std::unique_ptr<Session> session;
    std::optional<SessionLost> loss;
    auto story = [&]() -> awaitable<void> {
        session = co_await connected(settings);
        auto envelope = to(ada);
        co_await session->begin(envelope);
        auto body = text("hello");
        try {
            co_await session->finish(body, nullptr);
        } catch (const SessionLost& lost) {
            loss = lost;
        }
    };
    begins(story);
    until_silent(relay);
    EXPECT_EQ(session->deadline() - clock.now(), 10min);
    session->expire(clock.now() + 10min - 1ms);
    EXPECT_FALSE(session->lost());
    session->expire(clock.now() + 10min);
    ends();
    ASSERT_TRUE(loss);
    EXPECT_TRUE(loss->after_dot);
    EXPECT_EQ(loss->stage, Stage::body);
    EXPECT_STREQ(loss->what(), "no answer at body in time");
    EXPECT_EQ(session->deadline(), Time::max());
}

TEST_F(Messages, HalfAnAnswerDoesNotProlongTheWait) {
    relay.falls_silent(Stage::mail, 1, "250-well");
    std::unique_ptr<Session> session;
    std::optional<SessionLost> loss;
    auto story = [&]() -> awaitable<void> {
        session = co_await connected(settings);
        auto envelope = to(ada);
        try {
            co_await session->begin(envelope);
        } catch (const SessionLost& lost) {
            loss = lost;
        }
    };
    begins(story);
    until_silent(relay);
    auto deadline = session->deadline();
    EXPECT_EQ(deadline - clock.now(), 5min);
    clock.advance(2min);
    context.poll();
    EXPECT_EQ(session->deadline(), deadline);
    clock.advance(3min);
    session->expire(clock.now());
    ends();
    ASSERT_TRUE(loss);
    EXPECT_FALSE(loss->after_dot);
}

TEST_F(Messages, KeepTimeEndsAWaitWithoutAnybodyElse) {
    relay.falls_silent(Stage::data);
    std::unique_ptr<Session> session;
    std::optional<SessionLost> loss;
    auto story = [&]() -> awaitable<void> {
        session = co_await connected(settings);
        auto envelope = to(ada);
        try {
            co_await session->begin(envelope);
        } catch (const SessionLost& lost) {
            loss = lost;
        }
    };
    begins(story);
    until_silent(relay);
    asio::co_spawn(context, session->keep_time(), [](std::exception_ptr) {});
    context.poll();
    clock.advance(2min);
    ends();
    ASSERT_TRUE(loss);
    EXPECT_EQ(loss->stage, Stage::data);
}

TEST_F(Messages, NoAddressCanAddACommand) {
    for (std::string address :
         {"a@example.org>\r\nRCPT TO:<eve@example.org", "a@example.org\r\nDATA", "a@example.org> SIZE=1",
          "a@ex\nample.org", "", "<a@example.org>", "\"a@example.org", "a b@example.org"})
        EXPECT_EQ(send({address}), (Outcomes{"rcpt 501 5.1.3 the address does not fit into a command"})) << address;
    EXPECT_EQ(send({std::string("a\0b@example.org", 15)}).size(), 1u);
    EXPECT_EQ(send({ada, "x>\r\nRSET\r\n<y@example.org", "\"a > b\"@example.org"}),
              (Outcomes{"accepted", "rcpt 501 5.1.3 the address does not fit into a command", "accepted"}));
    EXPECT_EQ(relay.count("RCPT"), 2);
    EXPECT_EQ(relay.count("RSET"), 0);
    EXPECT_EQ(relay.tries_for("\"a > b\"@example.org"), 1);
}

TEST_F(Messages, AnAddressBeyondAsciiNeedsARelayThatTakesIt) {
    const std::string jose = "jos\xC3\xA9@example.org";
    EXPECT_EQ(send({jose}), (Outcomes{"accepted"}));
    EXPECT_NE(relay.messages()[0].mail_parameters.find("BODY=8BITMIME SMTPUTF8"), std::string::npos);
    relay.offers({"PIPELINING", "8BITMIME"});
    EXPECT_EQ(send({jose, ada}),
              (Outcomes{"rcpt 550 5.6.7 the relay does not take addresses beyond ASCII (SMTPUTF8)", "accepted"}));
    EXPECT_EQ(relay.tries_for(jose), 1);
}

TEST_F(Messages, SizeAndBounceWishesAreSaidOnlyToWhoUnderstandsThem) {
    auto send_one = [&] {
        settings = relay.settings();
        tell([&]() -> awaitable<void> {
            auto session = co_await connected(settings);
            auto envelope = to("a+b=c@example.org");
            envelope.size = 1234;
            envelope.id = "issue 7+x";
            co_await session->begin(envelope);
            auto body = text("hello");
            co_await session->finish(body, nullptr);
            co_await session->quit();
        });
    };
    send_one();
    EXPECT_EQ(relay.messages()[0].mail_parameters, "SIZE=1234 RET=HDRS ENVID=issue+207+2Bx");
    EXPECT_EQ(relay.messages()[0].rcpt_parameters, "NOTIFY=FAILURE,DELAY ORCPT=rfc822;a+2Bb+3Dc@example.org");
    relay.offers({});
    send_one();
    EXPECT_EQ(relay.messages()[1].mail_parameters, "");
    EXPECT_EQ(relay.messages()[1].rcpt_parameters, "");
}

TEST_F(Messages, WhatTheRelayOfferedIsKnown) {
    relay.offers({"size 1000", "Pipelining", "X-NOISE 8BITMIME"});
    tell([&]() -> awaitable<void> {
        auto session = co_await connected(settings);
        EXPECT_TRUE(session->offered().pipelining);
        EXPECT_EQ(session->offered().largest, 1000u);
        EXPECT_FALSE(session->offered().eight_bit_mime);
        EXPECT_FALSE(session->encrypted());
        co_await session->quit();
    });
}

TEST_F(Messages, ABodyLargerThanTheSocketArrivesWhole) {
    std::string large = "Subject: large\r\n\r\n";
    while (large.size() < 8 << 20) large += "Lorem ipsum dolor sit amet, consectetur adipiscing elit, sed do\r\n";
    tell([&]() -> awaitable<void> {
        auto session = co_await connected(settings);
        auto envelope = to(ada), next = to(bob);
        co_await session->begin(envelope);
        auto body = large;
        auto reply = co_await session->finish(body, &next);
        EXPECT_TRUE(reply.done());
        auto result = co_await session->envelope_result();
        EXPECT_TRUE(result.ready());
        body = text("small");
        co_await session->finish(body, nullptr);
        co_await session->quit();
    });
    ASSERT_EQ(relay.messages().size(), 2u);
    EXPECT_EQ(relay.messages()[0].bytes, large);
}

TEST_F(Messages, WhoHangsUpInTheMiddleSaysSoToNobodyElse) {
    tell([&]() -> awaitable<void> {
        auto session = co_await connected(settings);
        auto envelope = to(ada);
        co_await session->begin(envelope);
        session.reset();
        auto second = co_await connected(settings);
        co_await second->quit();
    });
    EXPECT_TRUE(relay.messages().empty());
    EXPECT_EQ(relay.connections(), 2);
}

TEST_F(Messages, ALostSessionSaysSoAgain) {
    relay.hangs_up(Stage::mail);
    tell([&]() -> awaitable<void> {
        auto session = co_await connected(settings);
        auto envelope = to(ada);
        for (int i = 0; i < 2; ++i) {
            bool lost = false;
            try {
                co_await session->begin(envelope);
            } catch (const SessionLost&) {
                lost = true;
            }
            EXPECT_TRUE(lost);
        }
        co_await session->quit();
    });
    EXPECT_EQ(relay.count("MAIL"), 1);
}

TEST_F(Messages, AGoodbyeBetweenTwoMessagesIsRead) {
    tell([&]() -> awaitable<void> {
        auto session = co_await connected(settings);
        relay.hangs_up_on_everyone();
        auto envelope = to(ada);
        bool lost = false;
        try {
            co_await session->begin(envelope);
        } catch (const SessionLost& loss) {
            lost = true;
            EXPECT_FALSE(loss.after_dot);
        }
        EXPECT_TRUE(lost);
    });
}

}
