#include "smtp/connect.hpp"
#include "smtp/conversation.hpp"

namespace postrider::smtp {

namespace {

using Encryption = ScriptedRelay::Encryption;

struct Connecting : Conversation {
    ConnectError fails(const ScriptedRelay& relay) { return not_connected(relay.settings()); }

    // One message, to see that what was opened works.
    void sends(const RelaySettings& settings, bool encrypted) {
        tell([&]() -> awaitable<void> {
            auto session = co_await connected(settings);
            EXPECT_EQ(session->encrypted(), encrypted);
            auto envelope = to("ada@example.org");
            auto result = co_await session->begin(envelope);
            EXPECT_TRUE(result.ready());
            auto body = text("hello");
            auto reply = co_await session->finish(body, nullptr);
            EXPECT_EQ(reply.code, 250);
            co_await session->quit();
        });
    }
};

#define EXPECT_SAYS(error, words) EXPECT_NE((error).text.find(words), std::string::npos) << (error).text

}

TEST_F(Connecting, StarttlsAndLoginWork) {
    ScriptedRelay relay(context.get_executor(), Encryption::starttls);
    relay.wants_login("courier", "secret");
    sends(relay.settings(), true);
    EXPECT_EQ(relay.messages().size(), 1u);
    EXPECT_TRUE(relay.messages()[0].next_rode_along == false);
    EXPECT_FALSE(relay.saw_in_the_clear("AUTH"));
    EXPECT_FALSE(relay.saw_in_the_clear("MAIL"));
}

TEST_F(Connecting, ImplicitTlsWorks) {
    ScriptedRelay relay(context.get_executor(), Encryption::from_the_start);
    relay.wants_login("courier", "secret");
    sends(relay.settings(), true);
    EXPECT_FALSE(relay.saw_in_the_clear("EHLO"));
}

TEST_F(Connecting, OfferedTlsIsUsedAndItsAbsenceIsNoHindrance) {
    ScriptedRelay with(context.get_executor(), Encryption::starttls), without(context.get_executor());
    for (auto* relay : {&with, &without}) {
        auto settings = relay->settings();
        settings.tls = Tls::offered;
        sends(settings, relay == &with);
    }
}

TEST_F(Connecting, NeverMeansNever) {
    ScriptedRelay relay(context.get_executor(), Encryption::starttls);
    auto settings = relay.settings();
    settings.tls = Tls::never;
    sends(settings, false);
    EXPECT_EQ(relay.count("STARTTLS"), 0);
}

TEST_F(Connecting, RequiredTlsFailsClosedWhenStarttlsIsWithdrawn) {
    ScriptedRelay relay(context.get_executor(), Encryption::starttls);
    relay.wants_login("courier", "secret");
    relay.withdraws_starttls();
    auto error = fails(relay);
    EXPECT_EQ(error.stage, Stage::starttls);
    EXPECT_FALSE(error.reply);
    EXPECT_SAYS(error, "does not offer STARTTLS although tls = \"required\"");
    EXPECT_SAYS(error, "[[relay]] \"test\"");
    EXPECT_FALSE(relay.saw_in_the_clear("AUTH"));
    EXPECT_EQ(relay.count("MAIL"), 0);
}

TEST_F(Connecting, ALoginIsNotSentInTheClearWhenTlsIsOnlyOffered) {
    ScriptedRelay relay(context.get_executor());
    relay.wants_login("courier", "secret");
    auto settings = relay.settings();
    settings.tls = Tls::offered;
    auto error = not_connected(settings);
    EXPECT_EQ(error.stage, Stage::starttls);
    EXPECT_SAYS(error, "a login is not sent in the clear");
    EXPECT_FALSE(relay.saw_in_the_clear("AUTH"));
}

TEST_F(Connecting, ALoginIsNotSentInTheClearAcrossANetwork) {
    RelaySettings settings;
    settings.name = "far";
    settings.url = "smtp://mail.example:25";
    settings.tls = Tls::never;
    settings.user = "courier";
    auto error = not_connected(settings);
    EXPECT_SAYS(error, "set tls = \"required\" in [[relay]] \"far\"");
}

TEST_F(Connecting, AnUntrustedCertificateIsRefusedWithAdvice) {
    for (auto encryption : {Encryption::starttls, Encryption::from_the_start}) {
        ScriptedRelay relay(context.get_executor(), encryption);
        relay.wants_login("courier", "secret");
        auto settings = relay.settings();
        settings.ca_file.clear();
        auto error = not_connected(settings);
        EXPECT_EQ(error.stage, Stage::starttls);
        EXPECT_SAYS(error, "certificate is not trusted");
        EXPECT_SAYS(error, "ca_file of [[relay]] \"test\"");
        EXPECT_EQ(relay.count("AUTH"), 0);
    }
}

TEST_F(Connecting, ACertificateForAnotherHostIsRefused) {
    ScriptedRelay relay(context.get_executor(), Encryption::starttls, "mail.elsewhere.example");
    auto error = fails(relay);
    EXPECT_EQ(error.stage, Stage::starttls);
    EXPECT_SAYS(error, "url of [[relay]] \"test\"");
    EXPECT_EQ(relay.count("MAIL"), 0);
}

TEST_F(Connecting, AMissingFileOfAuthoritiesIsNamed) {
    ScriptedRelay relay(context.get_executor(), Encryption::starttls);
    auto settings = relay.settings();
    settings.ca_file = "/nowhere/ca.pem";
    EXPECT_SAYS(not_connected(settings), "ca_file of [[relay]] \"test\"");
}

TEST_F(Connecting, ARefusedStarttlsKeepsItsReply) {
    ScriptedRelay relay(context.get_executor(), Encryption::starttls);
    relay.answers(Stage::starttls, "454 4.7.0 TLS not available");
    auto error = fails(relay);
    EXPECT_EQ(error.stage, Stage::starttls);
    ASSERT_TRUE(error.reply);
    EXPECT_EQ(error.reply->code, 454);
}

TEST_F(Connecting, ARefusedLoginIsBlamedOnUserAndPassword) {
    ScriptedRelay relay(context.get_executor(), Encryption::starttls);
    relay.wants_login("courier", "secret");
    auto settings = relay.settings();
    settings.password = "wrong";
    auto error = not_connected(settings);
    EXPECT_EQ(error.stage, Stage::auth);
    ASSERT_TRUE(error.reply);
    EXPECT_EQ(*error.reply, (Reply{535, "5.7.8", "Wrong user or password"}));
    EXPECT_SAYS(error, "user of [[relay]] \"test\" and password_file");
    EXPECT_EQ(error.text.find("wrong"), std::string::npos) << "no password in a message";
}

TEST_F(Connecting, ATemporaryFailureOfTheLoginKeepsItsReply) {
    ScriptedRelay relay(context.get_executor(), Encryption::starttls);
    relay.wants_login("courier", "secret");
    relay.answers(Stage::auth, "454 4.7.0 Temporary authentication failure");
    auto error = fails(relay);
    EXPECT_EQ(error.stage, Stage::auth);
    ASSERT_TRUE(error.reply);
    EXPECT_EQ(error.reply->code, 454);
    EXPECT_SAYS(error, "cannot check our login for the moment");
    EXPECT_EQ(error.text.find("password_file"), std::string::npos) << "there is nothing to change";
}

TEST_F(Connecting, WhatIsNoMailServerNeedNotHangUpToBeKnown) {
    for (auto stage : {Stage::greeting, Stage::ehlo}) {
        ScriptedRelay relay(context.get_executor());
        relay.falls_silent(stage, test::always, "HTTP/1.1 400 Bad Request\r\n");
        EXPECT_SAYS(fails(relay), "no SMTP server (\"HTTP/1.1 400 Bad Request\")");
    }
}

TEST_F(Connecting, ARelayThatOffersNoLoginIsNotUsedWithoutOne) {
    ScriptedRelay relay(context.get_executor(), Encryption::starttls);
    auto settings = relay.settings();
    settings.user = "courier";
    settings.password = "secret";
    auto error = not_connected(settings);
    EXPECT_EQ(error.stage, Stage::auth);
    EXPECT_FALSE(error.reply);
    EXPECT_SAYS(error, "offers no login");
}

TEST_F(Connecting, ARefusalAtTheGreetingKeepsItsReply) {
    ScriptedRelay relay(context.get_executor());
    relay.answers(Stage::greeting, "554 5.7.1 blocked");
    auto error = fails(relay);
    EXPECT_EQ(error.stage, Stage::greeting);
    ASSERT_TRUE(error.reply);
    EXPECT_EQ(*error.reply, (Reply{554, "5.7.1", "blocked"}));
    relay.answers(Stage::greeting, "421 4.3.2 too busy");
    EXPECT_EQ(fails(relay).reply->code, 421);
}

TEST_F(Connecting, WhatIsNoMailServerIsSaidToBeNone) {
    ScriptedRelay relay(context.get_executor());
    relay.says(Stage::greeting, "SSH-2.0-OpenSSH_9.2\r\n");
    relay.hangs_up(Stage::greeting);
    EXPECT_EQ(fails(relay).stage, Stage::greeting);
}

TEST_F(Connecting, ARefusalOfEhloFallsBackToHelo) {
    ScriptedRelay relay(context.get_executor());
    relay.answers(Stage::ehlo, "502 5.5.1 not implemented", 1);
    sends(relay.settings(), false);
    EXPECT_EQ(relay.count("HELO"), 1);
}

TEST_F(Connecting, ARelayThatHangsUpAtAnyPointIsToldFromOneThatIsNotThere) {
    ScriptedRelay relay(context.get_executor());
    relay.hangs_up(Stage::greeting);
    EXPECT_EQ(fails(relay).stage, Stage::greeting);
    relay.hangs_up(Stage::ehlo);
    EXPECT_EQ(fails(relay).stage, Stage::ehlo);
    auto settings = relay.settings();
    relay.stops_listening();
    auto error = not_connected(settings);
    EXPECT_EQ(error.stage, Stage::connect);
    EXPECT_FALSE(error.reply);
}

// libcurl tries both addresses, and the second socket may have the number of the first.
TEST_F(Connecting, AHostWithTwoAddressesIsTriedAtBothAndThenGivenUp) {
    ScriptedRelay relay(context.get_executor());
    auto settings = relay.settings();
    settings.url = "smtp://localhost:" + std::to_string(relay.port());
    sends(settings, false);
    relay.stops_listening();
    EXPECT_EQ(not_connected(settings).stage, Stage::connect);
    relay.hangs_up_on_everyone();
    context.run(); // nothing is left behind that would keep it running
}

TEST_F(Connecting, SilenceEndsWithTheTimeForOpening) {
    for (auto stage : {Stage::greeting, Stage::ehlo}) {
        ScriptedRelay relay(context.get_executor());
        relay.falls_silent(stage);
        auto settings = relay.settings();
        std::optional<ConnectError> error;
        auto story = [&]() -> awaitable<void> {
            auto opened = co_await Session::open(loop, clock, settings);
            if (!opened) error = opened.error();
        };
        begins(story);
        until_silent(relay);
        clock.advance(30s);
        context.poll();
        clock.advance(4min);
        context.poll();
        EXPECT_FALSE(finished);
        clock.advance(1min);
        ends();
        ASSERT_TRUE(error);
        EXPECT_EQ(error->stage, stage);
        EXPECT_EQ(error->text, "no answer at " + std::string(to_text(stage)) + " in time");
    }
}

TEST_F(Connecting, AnAddressThatIsNoneIsNamed) {
    for (auto url : {"http://mail.example", "mail.example", "smtp://", "outbox:", "smtp://a b"}) {
        RelaySettings settings;
        settings.name = "main";
        settings.url = url;
        auto error = not_connected(settings);
        EXPECT_EQ(error.stage, Stage::connect);
        EXPECT_SAYS(error, "url of [[relay]] \"main\"");
    }
    RelaySettings settings;
    settings.url = "smtp://127.0.0.1:1";
    settings.hello_name = "a\r\nMAIL FROM:<x>";
    EXPECT_SAYS(not_connected(settings), "hello of [[relay]]");
}

TEST(RelaySettings, NeedTlsEverywhereButOnLoopback) {
    for (auto url :
         {"smtp://127.0.0.1:25", "smtp://localhost", "smtp://LocalHost:2525/x", "smtp://[::1]:25", "smtp://127.8.8.8"})
        EXPECT_EQ(default_tls(url), Tls::never) << url;
    for (auto url : {"smtp://mail.example", "smtp://127.evil.example", "smtp://localhost.example", "smtps://10.0.0.1",
                     "smtp://localhost@mail.example:25", "smtp://[2001:db8::1]"})
        EXPECT_EQ(default_tls(url), Tls::required) << url;
}

}
