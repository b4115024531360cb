#include "support/scripted_name_server.hpp"
#include "support/simulated_clock.hpp"
#include "system/mail_hosts.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <gtest/gtest.h>

#include <future>
#include <memory>

namespace postrider::system {
namespace {

using test::dns::Message;
namespace dns = test::dns;

DnsAnswer read_bytes(const std::string& bytes, DnsType type = DnsType::mx) {
    // A copy of exactly this size, so that the address sanitizer sees one octet too many.
    std::vector<unsigned char> exact(bytes.begin(), bytes.end());
    return read_dns_answer(exact, type);
}
DnsAnswer read(const Message& message, DnsType type = DnsType::mx) { return read_bytes(message.bytes(), type); }

const std::string root(1, '\0');

TEST(DnsAnswer, AnExchangerTakesMailAndTheRootAloneWithPreferenceNothingTakesNone) {
    EXPECT_EQ(read({"a.org", dns::mx, {dns::exchanger(10, dns::name("mx.a.org"))}}), DnsAnswer::hosts);
    EXPECT_EQ(read({"a.org", dns::mx, {dns::exchanger(10, "\2mx" + dns::the_name_asked)}}), DnsAnswer::hosts);
    EXPECT_EQ(read({"a.org", dns::mx, {dns::exchanger(0, root)}}), DnsAnswer::null_mx);
    EXPECT_EQ(read({"a.org", dns::mx, {dns::exchanger(0, root), dns::exchanger(5, dns::name("mx.a.org"))}}),
              DnsAnswer::hosts);
}

TEST(DnsAnswer, ANullMxThatIsNotWrittenAsRfc7505WantsItSaysNothing) {
    EXPECT_EQ(read({"a.org", dns::mx, {dns::exchanger(10, root)}}), DnsAnswer::unusable);
    EXPECT_EQ(read({"a.org", dns::mx, {dns::exchanger(0, root), dns::exchanger(0, root)}}), DnsAnswer::unusable);
}

TEST(DnsAnswer, AnAliasOnTheWayIsNoExchangerAndHidesNone) {
    auto alias = dns::record(dns::cname, dns::name("b.org"));
    EXPECT_EQ(read({"a.org", dns::mx, {alias}}), DnsAnswer::nothing);
    auto exchanger = dns::record(dns::mx, dns::two_octets(5) + dns::name("mx.b.org"), dns::name("b.org"));
    EXPECT_EQ(read({"a.org", dns::mx, {alias, exchanger}}), DnsAnswer::hosts);
}

TEST(DnsAnswer, AnAddressCountsOnlyForItsOwnTypeAndSize) {
    auto four = dns::record(dns::a, "\x7F\1\1\1"), sixteen = dns::record(dns::aaaa, std::string(16, '\1'));
    EXPECT_EQ(read({"a.org", dns::a, {four}}, DnsType::a), DnsAnswer::hosts);
    EXPECT_EQ(read({"a.org", dns::aaaa, {sixteen}}, DnsType::aaaa), DnsAnswer::hosts);
    EXPECT_EQ(read({"a.org", dns::a, {sixteen}}, DnsType::a), DnsAnswer::nothing);
    EXPECT_EQ(read({"a.org", dns::mx, {four}}, DnsType::mx), DnsAnswer::nothing);
    EXPECT_EQ(read({"a.org", dns::a, {dns::record(dns::a, "\x7F\1\1")}}, DnsType::a), DnsAnswer::unusable);
}

TEST(DnsAnswer, OnlyAServerThatWouldKnowCanSayThatThereIsNothing) {
    EXPECT_EQ(read({"a.org", dns::mx, {}}), DnsAnswer::nothing);
    EXPECT_EQ(read({"a.org", dns::mx, {}, dns::no_such_name}), DnsAnswer::no_such_domain);
    EXPECT_EQ(read({"a.org", dns::mx, {}, dns::no_error, false, false}), DnsAnswer::unusable);
    EXPECT_EQ(read({"a.org", dns::mx, {}, dns::no_such_name, false, false}), DnsAnswer::unusable);
    EXPECT_EQ(read({"a.org", dns::mx, {}, dns::server_failure}), DnsAnswer::unusable);
    EXPECT_EQ(read({"a.org", dns::mx, {}, dns::refused}), DnsAnswer::unusable);
}

TEST(DnsAnswer, WhatWasCutShortCountsForWhatItHoldsAndNotForWhatItLacks) {
    EXPECT_EQ(read({"a.org", dns::mx, {dns::exchanger(10, dns::name("mx.a.org"))}, dns::no_error, true}),
              DnsAnswer::hosts);
    EXPECT_EQ(read({"a.org", dns::mx, {}, dns::no_error, true}), DnsAnswer::unusable);
    EXPECT_EQ(read({"a.org", dns::mx, {dns::exchanger(0, root)}, dns::no_error, true}), DnsAnswer::unusable);
    EXPECT_EQ(read({"a.org", dns::a, {}, dns::no_error, true}, DnsType::a), DnsAnswer::unusable);
}

TEST(DnsAnswer, EveryTruncationOfAMessageIsUnusable) {
    auto whole =
        Message{"a.org", dns::mx, {dns::exchanger(10, dns::name("mx.a.org")), dns::exchanger(0, root)}}.bytes();
    for (std::size_t size = 0; size < whole.size(); ++size)
        EXPECT_EQ(read_bytes(whole.substr(0, size)), DnsAnswer::unusable) << size;
    EXPECT_EQ(read_bytes(whole + "more"), DnsAnswer::unusable);
}

TEST(DnsAnswer, PointersInCirclesForwardOrOutsideAreUnusable) {
    Message question{"a.org", dns::mx, {}};
    auto here =
        question.bytes().size(); // where the first record begins; its owner takes 2 octets, its data begins at +12
    auto pointer = [](std::size_t to) { return dns::two_octets(0xC000 | to); };
    for (auto to : {here + 14, here + 16, here + 100, std::size_t(0x3FFF)}) {
        question.answers = {dns::exchanger(10, pointer(to))};
        EXPECT_EQ(read(question), DnsAnswer::unusable) << to - here;
    }
    question.answers = {dns::exchanger(10, "\1x" + pointer(here + 14))}; // back to its own first label
    EXPECT_EQ(read(question), DnsAnswer::unusable);
    question.answers = {dns::exchanger(10, pointer(here + 16) + pointer(here + 14))}; // two that point to each other
    EXPECT_EQ(read(question), DnsAnswer::unusable);
    question.answers = {dns::record(dns::mx, dns::two_octets(10) + dns::name("mx.a.org"), pointer(here))};
    EXPECT_EQ(read(question), DnsAnswer::unusable) << "an owner that is a pointer to itself";
}

TEST(DnsAnswer, ARecordWhoseHostEndsBeforeOrBehindItsDataIsUnusable) {
    EXPECT_EQ(read({"a.org", dns::mx, {dns::exchanger(10, dns::name("mx.a.org") + "x")}}), DnsAnswer::unusable);
    EXPECT_EQ(read({"a.org", dns::mx, {dns::exchanger(10, "\5mx")}}), DnsAnswer::unusable);
    EXPECT_EQ(read({"a.org", dns::mx, {dns::exchanger(10, "")}}), DnsAnswer::unusable);
    EXPECT_EQ(read({"a.org", dns::mx, {dns::record(dns::mx, "")}}), DnsAnswer::unusable);
}

TEST(DnsAnswer, AQuestionAndCountsThatPromiseTooMuchAreUnusable) {
    auto bytes = Message{"a.org", dns::mx, {dns::exchanger(10, dns::name("mx.a.org"))}}.bytes();
    auto question = bytes;
    question[2] = 1;
    EXPECT_EQ(read_bytes(question), DnsAnswer::unusable);
    for (std::size_t count : {4, 6, 8, 10}) {
        auto promising = bytes;
        promising[count] = promising[count + 1] = '\xFF';
        EXPECT_EQ(read_bytes(promising), DnsAnswer::unusable) << count;
    }
    EXPECT_EQ(read_bytes(std::string(70'000, 'x')), DnsAnswer::unusable);
}

// Asks a name server that says what the test tells it to.
class MailHostsTest : public testing::Test {
protected:
    using Answers = std::vector<std::optional<MailHost>>;

    Answers ask_at_once(const std::vector<std::string>& domains) {
        Answers answers(domains.size());
        for (std::size_t i = 0; i < domains.size(); ++i)
            boost::asio::co_spawn(loop, hosts.ask(domains[i]), [&, i](std::exception_ptr error, MailHost answer) {
                if (!error) answers[i] = answer;
                answered();
            });
        loop.restart();
        loop.run();
        return answers;
    }
    std::optional<MailHost> ask(const std::string& domain) { return ask_at_once({domain}).front(); }

    std::function<void()> answered = [] {};
    boost::asio::io_context loop;
    test::SimulatedClock clock{loop.get_executor()};
    dns::NameServer server{[](const Message& question) { return question.bytes(); }};
    MailHosts hosts{clock, {.name_server = NameServer{"127.0.0.1", server.port()}, .most_waiting = 4, .most_kept = 3}};
};

TEST_F(MailHostsTest, ADomainTakesMailByItsExchangerOrElseByAnAddressOfEitherKind) {
    server.answers_with([](Message question) {
        if (question.domain == "mx.org" && question.type == dns::mx)
            question.answers = {dns::exchanger(10, dns::name("in.mx.org"))};
        if (question.domain == "four.org" && question.type == dns::a)
            question.answers = {dns::record(dns::a, "\x7F\1\1\1")};
        if (question.domain == "six.org" && question.type == dns::aaaa)
            question.answers = {dns::record(dns::aaaa, std::string(16, '\1'))};
        return question.bytes();
    });
    EXPECT_EQ(ask("mx.org"), MailHost::takes_mail);
    EXPECT_EQ(server.questions(), 1);
    EXPECT_EQ(ask("four.org"), MailHost::takes_mail);
    EXPECT_EQ(server.questions(), 3);
    EXPECT_EQ(ask("six.org"), MailHost::takes_mail);
    EXPECT_EQ(server.questions(), 6);
}

TEST_F(MailHostsTest, ADomainWithANullMxWithoutARecordOrNotInDnsTakesNone) {
    server.answers_with([](Message question) {
        if (question.domain == "null.org" && question.type == dns::mx) question.answers = {dns::exchanger(0, root)};
        if (question.domain == "null.org" && question.type == dns::a)
            question.answers = {dns::record(dns::a, "\x7F\1\1\1")};
        if (question.domain == "gone.org") question.code = dns::no_such_name;
        return question.bytes();
    });
    EXPECT_EQ(ask("null.org"), MailHost::takes_none);
    EXPECT_EQ(ask("gone.org"), MailHost::takes_none);
    EXPECT_EQ(server.questions(), 2);
    EXPECT_EQ(ask("empty.org"), MailHost::takes_none);
    EXPECT_EQ(server.questions(), 5);
}

TEST_F(MailHostsTest, AServerThatKnowsNotEvenTheRootIsNotBelievedThatADomainDoesNotExist) {
    server.is_cut_off();
    for (auto code : {dns::no_such_name, dns::no_error}) {
        server.answers_with([code](Message question) {
            if (question.domain == "null.org" && question.type == dns::mx) question.answers = {dns::exchanger(0, root)};
            question.code = question.answers.empty() ? code : dns::no_error;
            return question.bytes();
        });
        EXPECT_EQ(ask("gone.org"), MailHost::unknown);
        EXPECT_EQ(ask("null.org"), MailHost::takes_none) << "which nobody says by accident";
        clock.advance(1h);
    }
}

TEST_F(MailHostsTest, AServerThatFailsOrTalksNonsenseLeavesItUnknown) {
    server.answers_with([](Message question) {
        if (question.domain == "fails.org") question.code = dns::server_failure;
        if (question.domain == "refuses.org") question.code = dns::refused;
        if (question.domain == "nonsense.org") question.answers = {dns::exchanger(10, "\xC0\x0C\xC0\x0C")};
        return question.bytes();
    });
    for (auto domain : {"fails.org", "refuses.org", "nonsense.org"})
        EXPECT_EQ(ask(domain), MailHost::unknown) << domain;
    EXPECT_EQ(ask(std::string(300, 'a') + ".org"), MailHost::unknown);
}

TEST_F(MailHostsTest, ASilentServerLeavesItUnknownWithinThePatienceOfAVisitor) {
    server.answers_with([](const Message&) { return ""; });
    auto begin = std::chrono::steady_clock::now();
    EXPECT_EQ(ask_at_once({"a.org", "b.org", "c.org", "d.org"}), Answers(4, MailHost::unknown));
    EXPECT_LT(std::chrono::steady_clock::now() - begin, 4s); // 2.5, and a slow machine
}

TEST_F(MailHostsTest, TheLoopGoesOnWhileAQuestionWaits) {
    std::promise<void> the_loop_went_on;
    server.answers_with([went_on = the_loop_went_on.get_future().share()](Message question) {
        went_on.wait();
        question.answers = {dns::exchanger(10, dns::name("in.mx.org"))};
        return question.bytes();
    });
    boost::asio::co_spawn(loop, hosts.ask("mx.org"), [](std::exception_ptr, MailHost) {});
    boost::asio::post(loop, [&] { boost::asio::post(loop, [&] { the_loop_went_on.set_value(); }); });
    loop.run();
    EXPECT_EQ(ask("mx.org"), MailHost::takes_mail);
    EXPECT_EQ(server.questions(), 1);
}

TEST_F(MailHostsTest, MoreQuestionsThanMayWaitAreUnknownAtOnceAndTheirPlacesComeBack) {
    std::promise<void> first_answer;
    auto released = first_answer.get_future().share();
    bool first = true;
    answered = [&] {
        if (std::exchange(first, false)) first_answer.set_value();
    };
    server.answers_with([released](Message question) {
        released.wait();
        question.code = dns::no_such_name;
        return question.bytes();
    });
    auto answers = ask_at_once({"a.org", "b.org", "c.org", "d.org", "beyond.org"});
    EXPECT_EQ(answers.back(), MailHost::unknown);
    answers.pop_back();
    EXPECT_EQ(answers, Answers(4, MailHost::takes_none));
    EXPECT_EQ(ask("beyond.org"), MailHost::takes_none);
}

TEST_F(MailHostsTest, AnAnswerIsKeptForTenMinutesAndAFailureForThirtySeconds) {
    server.answers_with([](Message question) {
        question.code = question.domain == "fails.org" ? dns::server_failure : dns::no_such_name;
        return question.bytes();
    });
    ask("gone.org");
    ask("fails.org");
    auto asked = server.questions();
    clock.advance(29s);
    ask("gone.org");
    ask("fails.org");
    EXPECT_EQ(server.questions(), asked);
    clock.advance(1s);
    ask("fails.org");
    EXPECT_GT(server.questions(), asked);
    asked = server.questions();
    clock.advance(9min + 29s);
    ask("gone.org");
    EXPECT_EQ(server.questions(), asked);
    clock.advance(1s);
    ask("gone.org");
    EXPECT_EQ(server.questions(), asked + 1);
}

TEST_F(MailHostsTest, NoMoreAnswersAreKeptThanTheSettingSays) {
    server.answers_with([](Message question) {
        question.code = dns::no_such_name;
        return question.bytes();
    });
    const std::vector<std::string> domains = {"a.org", "b.org", "c.org", "d.org"};
    for (auto& domain : domains) ask(domain);
    EXPECT_EQ(server.questions(), 4);
    for (auto& domain : domains) ask(domain);
    EXPECT_GT(server.questions(), 4);
}

TEST_F(MailHostsTest, NamesForExamplesAndTestsNeverLeaveTheMachine) {
    for (auto domain : {"reader.example", "a.b.TEST", "x.invalid", "localhost", "mail.localhost", "example"}) {
        EXPECT_TRUE(is_reserved_name(domain)) << domain;
        EXPECT_EQ(ask(domain), MailHost::unknown) << domain;
    }
    EXPECT_EQ(server.questions(), 0);
    for (auto domain : {"example.org", "test.de", "contest", "myexample"}) EXPECT_FALSE(is_reserved_name(domain));
}

TEST_F(MailHostsTest, AQuestionUnderWayMayOutliveTheLoopThatAskedIt) {
    auto loop_of_its_own = std::make_unique<boost::asio::io_context>();
    auto asking = std::make_unique<MailHosts>(clock, MailHostSettings{NameServer{"127.0.0.1", server.port()}});
    bool resumed = false;
    boost::asio::co_spawn(*loop_of_its_own, asking->ask("a.org"),
                          [&](std::exception_ptr, MailHost) { resumed = true; });
    loop_of_its_own->poll_one();
    asking.reset();
    loop_of_its_own.reset();
    EXPECT_FALSE(resumed);
}

}
}
