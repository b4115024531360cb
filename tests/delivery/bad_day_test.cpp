#include "post_office.hpp"

#include <atomic>
#include <dlfcn.h>
#include <map>
#include <netdb.h>
#include <netinet/in.h>
#include <set>
#include <sys/socket.h>
#include <unistd.h>

// The relay has a bad day: whatever it says or does not say, and wherever, nobody is lost and nobody is blamed for it.

namespace postrider::delivery {
namespace {

using test::Stage;

}

// What the name server says of hosts in ".test"; libcurl asks through getaddrinfo(), from threads of its own.
struct Names {
    static inline std::atomic<int> failures = 0; // so many questions get no answer
    static inline std::atomic<bool> two = false; // an IPv6 address, and the IPv4 one
    static inline std::atomic<int> questions = 0;
};

namespace {

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
    // For what libcurl does in a thread or by a clock of its own.
    template <class Done>
    void until(Done done, Duration step = 0s) {
        auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
        while (!done() && std::chrono::steady_clock::now() < end) {
            clock.advance(step);
            settles_within(std::chrono::milliseconds(300));
        }
        EXPECT_TRUE(done());
    }
    void settles_within(std::chrono::milliseconds length) {
        if (!dispatcher) opens();
        dispatcher->tick(true);
        for (auto end = std::chrono::steady_clock::now() + length; std::chrono::steady_clock::now() < end;) {
            context.restart();
            if (context.run_one_for(std::chrono::milliseconds(10)) == 0) dispatcher->tick(false);
        }
    }
    // New connections to a relay that refuses nothing yet and wants a login; a new list, whose readers are at one host.
    ListId begins_anew(const std::string& list, int readers, int host) {
        closes();
        relay.accepts_everything();
        relay.wants_login("courier", "secret");
        relays[0].relay = relay.settings();
        auto where = add_list(list);
        for (int i = 0; i < readers; ++i) joins(fmt::format("reader{}@host{}.example", i, host), where);
        return where;
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
            ++lists;
            auto where = begins_anew(fmt::format("list{}", lists), 3, lists);
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

TEST_F(BadDay, WhateverIsRefusedAtStarttlsNothingLeavesInTheClear) {
    test::ScriptedRelay secure(context.get_executor(), test::ScriptedRelay::Encryption::starttls);
    relays[0].relay = secure.settings();
    int lists = 0;
    for (std::string reply : {"454 4.7.0 TLS not available now", "421 4.3.2 closing", "554 5.7.3 no"}) {
        SCOPED_TRACE(reply);
        auto where = add_list(fmt::format("list{}", ++lists));
        for (int i = 0; i < 3; ++i) joins(fmt::format("reader{}@host{}.example", i, lists), where);
        closes(); // no connection of before
        secure.answers(Stage::starttls, reply);
        auto before = secure.messages().size();
        auto id = issue(where);
        settles();
        passes(1min, 20s);
        EXPECT_NE(relay_state().find(reply), std::string::npos) << relay_state();
        EXPECT_EQ(secure.messages().size(), before);
        secure.accepts_everything();
        passes(70min, 10min);
        balances(id, 3);
        secure.falls_silent(Stage::starttls, 2);
        auto next = issue(where);
        until([&] { return balance(next).accepted == 3; }, 1min);
        balances(next, 3);
        secure.accepts_everything();
    }
    EXPECT_FALSE(secure.saw_in_the_clear("MAIL"));
}

TEST_F(BadDay, A421AtRcptAsALimitOfTheConnectionCostsSecondsAndNotMinutes) {
    join(30);
    relay.answers(Stage::rcpt, "421 4.3.2 enough for now", 6);
    auto id = issue();
    settles();
    passes(30s, 1s);
    balances(id, 30);
    EXPECT_EQ(balance(id).attempts, 30) << "nobody's try is counted for it";
}

TEST_F(BadDay, ALimitOfOneProviderHoldsItsDomainAndNotTheRelay) {
    relays[0].connections = 1;
    for (int i = 0; i < 4; ++i) {
        joins(fmt::format("a{}@gmail.example", i));
        joins(fmt::format("a{}@other.example", i));
    }
    for (int i = 0; i < 4; ++i)
        relay.answers_for(fmt::format("a{}@gmail.example", i), Stage::rcpt, "421 4.7.28 unusual rate", 2);
    auto id = issue();
    settles();
    EXPECT_EQ(balance(id).accepted, 4) << "the others are not kept waiting";
    EXPECT_EQ(relay_state(), "");
    passes(30min, 1min);
    balances(id, 8);
    EXPECT_EQ(balance(id).refused, 0);
}

TEST_F(BadDay, AHeldDomainGetsOneMessageNowAndThenAndThenAllOfThem) {
    for (int i = 0; i < 40; ++i) joins(fmt::format("a{}@gmail.example", i));
    relay.answers(Stage::rcpt, "550 5.7.26 unauthenticated");
    auto id = issue();
    settles();
    auto at_first = relay.count("RCPT");
    EXPECT_LE(at_first, 8) << "what was on its way on four connections";
    passes(1h, 1min);
    EXPECT_LE(relay.count("RCPT") - at_first, 8) << "after 1, 2, 4, 8, 16 and 30 minutes";
    EXPECT_GE(relay.count("RCPT") - at_first, 4);
    EXPECT_EQ(balance(id).refused, 0);
    relay.accepts_everything();
    passes(2h, 1min);
    balances(id, 40);
}

TEST_F(BadDay, AGoodbyeToIdleConnectionsIsNoTrouble) {
    join(40);
    auto first = issue();
    settles();
    balances(first, 40);
    ASSERT_GT(relay.open_connections(), 2);
    relay.says_goodbye_to_everyone("421 4.4.2 idle for too long\r\n");
    auto second = issue();
    settles();
    balances(second, 40);
    EXPECT_EQ(relay.messages().size(), 80u);
    EXPECT_EQ(relay_state(), "");
}

// ---- silence, broken connections, half a reply

TEST_F(BadDay, SilenceAnywhereLosesNobody) {
    for (auto stage : {Stage::greeting, Stage::ehlo, Stage::auth, Stage::mail, Stage::rcpt, Stage::data, Stage::body})
        for (std::string first : {"", "250-half"}) {
            SCOPED_TRACE(std::string(to_text(stage)) + " " + first);
            auto where = begins_anew(fmt::format("list{}-{}", int(stage), first.size()), 3, int(stage));
            relay.falls_silent(stage, test::always, first);
            auto id = issue(where);
            settles();
            passes(11min, 1min);
            EXPECT_EQ(balance(id).accepted, 0);
            EXPECT_EQ(balance(id).refused, 0);
            relay.accepts_everything();
            passes(70min, 5min);
            balances(id, 3);
        }
}

TEST_F(BadDay, AConnectionThatBreaksAnywhereLosesNobody) {
    for (auto stage : {Stage::greeting, Stage::ehlo, Stage::auth, Stage::mail, Stage::rcpt, Stage::data, Stage::body})
        for (std::string first : {"", "25", "250-half\r\n"}) {
            SCOPED_TRACE(std::string(to_text(stage)) + " " + first);
            auto where = begins_anew(fmt::format("list{}-{}", int(stage), first.size()), 20, int(stage));
            relay.hangs_up(stage, 5, first);
            auto id = issue(where);
            settles();
            passes(1min, 10s);
            passes(20min, 5min);
            balances(id, 20);
            EXPECT_EQ(balance(id).refused, 0);
        }
}

// ---- odd replies

TEST_F(BadDay, OddRepliesAreUnderstood) {
    std::string long_yes, long_no;
    for (int i = 1; i < 500; ++i) {
        long_yes += fmt::format("250-2.1.5 line {}\r\n", i);
        long_no += fmt::format("550-5.1.1 line {}\r\n", i);
    }
    joins("long@example.org");
    joins("long-no@example.org");
    joins("bare@example.org");
    joins("utf8@example.org");
    joins("liar@example.org");
    relays[0].connections = 1;
    relay.answers_for("long@example.org", Stage::rcpt, long_yes + "250 2.1.5 Ok");
    relay.answers_for("long-no@example.org", Stage::rcpt, long_no + "550 5.1.1 no such user");
    relay.answers_for("bare@example.org", Stage::rcpt, "250-2.1.5 bare\n250 2.1.5 Ok");
    relay.answers_for("utf8@example.org", Stage::rcpt, "550 5.1.1 unbekannter Empf\xc3\xa4nger \xff\x1b[31m");
    // The code of the reply decides, not the one it contradicts (RFC 5321 section 4.2): this one is for later.
    relay.answers_for("liar@example.org", Stage::rcpt, "450 5.1.1 no such user", 1);
    auto id = issue();
    settles();
    passes(10min, 1min);
    balances(id, 3);
    EXPECT_EQ(balance(id).refused, 2);
    bool readable = false;
    for (auto& [reason, count] : balance(id).refusals)
        readable |= reason == "550 5.1.1 unbekannter Empf\xc3\xa4nger \xef\xbf\xbd [31m";
    EXPECT_TRUE(readable);
    EXPECT_EQ(relay.tries_for("liar@example.org"), 2);
}

// ---- what it offers

TEST_F(BadDay, PipeliningThatIsOfferedAndNotHonouredIsGivenUp) {
    join(30);
    relay.forgets_what_came_with_a_command();
    auto id = issue();
    until([&] { return balance(id).accepted == 30; }, 1min);
    balances(id, 30);
    EXPECT_TRUE(all_taken_once());
}

TEST_F(BadDay, AMessageLargerThanTheRelayTakesIsNotSentAndHeldAgainstNobody) {
    join(10);
    relay.offers({"PIPELINING", "SIZE 500"});
    auto id = issue();
    settles();
    EXPECT_EQ(relay.count("MAIL"), 0) << "it said so before";
    EXPECT_TRUE(relay_state().starts_with("552 5.3.4 the message has ")) << relay_state();
    closes();
    relay.offers({"PIPELINING", "SIZE 10000000"});
    relay.answers(Stage::mail, "552 5.3.4 too large for today", 4);
    settles();
    EXPECT_EQ(relay_state(), "552 5.3.4 too large for today");
    passes(10min, 1min);
    balances(id, 10);
    EXPECT_NE(relay.messages()[9].mail_parameters.find("SIZE="), std::string::npos);
}

TEST_F(BadDay, ARelayThatTakesOnlySevenBitsGetsOnlySevenBits) {
    joins("ada@example.org");
    joins("j\xc3\xb6rg@b\xc3\xbc"
          "cher.example");
    joins("eve@b\xc3\xbc"
          "cher.example");
    relay.offers({"PIPELINING"});
    auto id = issue();
    settles();
    balances(id, 2);
    EXPECT_EQ(balance(id).refused, 1) << "an address that needs SMTPUTF8";
    for (auto& mail : relay.messages()) {
        EXPECT_EQ(mail.mail_parameters, "");
        for (char c : mail.bytes + mail.to) ASSERT_LT(static_cast<unsigned char>(c), 0x80);
    }
}

// ---- TLS

TEST_F(BadDay, StarttlsWithdrawnBetweenTwoSessionsStopsTheMailUntilItIsBack) {
    test::ScriptedRelay secure(context.get_executor(), test::ScriptedRelay::Encryption::starttls);
    secure.wants_login("courier", "secret");
    relays[0].relay = secure.settings();
    join(3);
    auto first = issue();
    settles();
    balances(first, 3);
    passes(10s, 1s); // the connections are given back
    EXPECT_EQ(secure.open_connections(), 0);
    secure.withdraws_starttls();
    auto second = issue();
    settles();
    passes(2min, 10s);
    EXPECT_NE(relay_state().find("does not offer STARTTLS"), std::string::npos) << relay_state();
    EXPECT_FALSE(secure.saw_in_the_clear("MAIL"));
    EXPECT_FALSE(secure.saw_in_the_clear("AUTH"));
    secure.withdraws_starttls(false);
    passes(2min, 10s);
    balances(second, 3);
}

TEST_F(BadDay, ACertificateThatExpiredOrIsOfAnotherHostStopsTheMailAndNamesTheKeys) {
    using Kind = test::ScriptedRelay;
    Kind expired(context.get_executor(), Kind::Encryption::starttls, "127.0.0.1", Kind::Certificate::expired);
    Kind wrong(context.get_executor(), Kind::Encryption::from_the_start, "elsewhere.example");
    join(2);
    auto id = issue();
    for (auto* one : {&expired, &wrong}) {
        relays[0].relay = one->settings();
        settles();
        passes(1min, 10s);
        EXPECT_NE(relay_state().find("certificate is not trusted"), std::string::npos) << relay_state();
        if (one == &expired) EXPECT_NE(relay_state().find("expired"), std::string::npos) << relay_state();
        EXPECT_NE(relay_state().find("ca_file"), std::string::npos) << relay_state();
        EXPECT_EQ(one->count("MAIL"), 0);
        EXPECT_EQ(balance(id).pending(), 2);
        closes();
    }
    relays[0].relay = relay.settings();
    settles();
    balances(id, 2);
}

// ---- names and addresses

TEST_F(BadDay, ANameServerThatFailsHoldsTheRelayUntilItAnswers) {
    relays[0].relay.url = fmt::format("smtp://relay.test:{}", relay.port());
    relays[0].connections = 1;
    Names::failures = 3;
    join(3);
    auto id = issue();
    until([&] { return relay_state() != ""; });
    EXPECT_NE(relay_state().find("check url of [[relay]]"), std::string::npos) << relay_state();
    EXPECT_EQ(balance(id).pending(), 3);
    until([&] { return balance(id).accepted == 3; }, 5s);
    balances(id, 3);
    EXPECT_EQ(relay_state(), "");
}

TEST_F(BadDay, AnIpv6AddressThatHangsDoesNotKeepTheMailFromTheIpv4One) {
    // A listener that takes nobody: its queue is full, and the kernel answers no more.
    int six = ::socket(AF_INET6, SOCK_STREAM, 0);
    sockaddr_in6 address{};
    address.sin6_family = AF_INET6;
    address.sin6_addr = in6addr_loopback;
    address.sin6_port = htons(relay.port());
    int only = 1;
    ::setsockopt(six, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof only);
    if (six < 0 || ::bind(six, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 || ::listen(six, 0) != 0)
        GTEST_SKIP() << "no IPv6 here";
    std::vector<int> fillers;
    for (int i = 0; i < 4; ++i) {
        fillers.push_back(::socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK, 0));
        (void)::connect(fillers.back(), reinterpret_cast<sockaddr*>(&address), sizeof address);
    }
    relays[0].relay.url = fmt::format("smtp://relay.test:{}", relay.port());
    Names::two = true;
    join(3);
    auto id = issue();
    until([&] { return balance(id).accepted == 3; });
    Names::two = false;
    balances(id, 3);
    for (int filler : fillers) ::close(filler);
    ::close(six);
}

TEST_F(BadDay, ARelayThatIsDownForADayCostsNobodyATry) {
    join(20);
    relay.hangs_up(Stage::greeting, test::always);
    auto id = issue();
    settles();
    passes(24h, 20min);
    EXPECT_EQ(balance(id).pending(), 20);
    EXPECT_NE(relay_state(), "");
    EXPECT_LE(relay.connections(), 24 * 60 * 2 + 10);
    relay.accepts_everything();
    passes(1min, 10s);
    balances(id, 20);
    EXPECT_EQ(balance(id).attempts, 20);
}

}
}

// Stands before libc's, for hosts in ".test" alone.
extern "C" int getaddrinfo(const char* node, const char* service, const addrinfo* hints, addrinfo** result) {
    using postrider::delivery::Names;
    using Function = int (*)(const char*, const char*, const addrinfo*, addrinfo**);
    static auto real = reinterpret_cast<Function>(::dlsym(RTLD_NEXT, "getaddrinfo"));
    if (!node || !std::string_view(node).ends_with(".test")) return real(node, service, hints, result);
    ++Names::questions;
    if (Names::failures > 0) {
        --Names::failures;
        return EAI_AGAIN;
    }
    addrinfo plain = hints ? *hints : addrinfo{};
    plain.ai_family = AF_UNSPEC;
    plain.ai_flags = AI_NUMERICHOST;
    if (!Names::two) return real("127.0.0.1", service, &plain, result);
    addrinfo* second = nullptr;
    if (int failed = real("::1", service, &plain, result)) return failed;
    if (int failed = real("127.0.0.1", service, &plain, &second)) return failed;
    (*result)->ai_next = second; // freeaddrinfo() walks the chain
    return 0;
}
