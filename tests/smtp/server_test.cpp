#include "smtp/conversation.hpp"
#include "smtp/outbox.hpp"
#include "smtp/server.hpp"

#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <unistd.h>

namespace postrider::smtp {

namespace {

using asio::ip::tcp;

struct Receiving : Conversation {
    std::vector<ReceivedMail> mails;
    Reply verdict{250, "2.0.0", "taken"};
    Receiver receiver{context.get_executor(),
                      [this](const ReceivedMail& mail) {
                          if (verdict.code == 0) throw std::runtime_error("disk full");
                          mails.push_back(mail);
                          return verdict;
                      },
                      0, Receiver::Limits{1000, 2, 3}};

    Receiving() { receiver.run(); }

    // Everything the server says until it hangs up, which QUIT makes it do.
    std::string said(std::string bytes, std::size_t piece = std::string::npos) {
        std::string answers;
        tell([&]() -> awaitable<void> {
            tcp::socket socket(context);
            co_await socket.async_connect({asio::ip::address_v4::loopback(), receiver.port()}, asio::use_awaitable);
            for (std::size_t at = 0; at < bytes.size(); at += piece == std::string::npos ? bytes.size() : piece) {
                auto part = std::string_view(bytes).substr(at, piece);
                co_await asio::async_write(socket, asio::buffer(part), asio::use_awaitable);
            }
            boost::system::error_code end;
            auto token = asio::redirect_error(asio::use_awaitable, end);
            co_await asio::async_read(socket, asio::dynamic_buffer(answers), token);
        });
        return answers;
    }
    // The codes only: "220 250 354".
    std::string codes(const std::string& bytes, std::size_t piece = std::string::npos) {
        std::string out, answers = said(bytes, piece);
        for (std::size_t at = 0; at < answers.size(); at = answers.find('\n', at) + 1)
            if (answers[at + 3] != '-') out += (out.empty() ? "" : " ") + answers.substr(at, 3);
        return out;
    }
};

const std::string envelope = "EHLO x\r\nMAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.org>\r\nDATA\r\n";

}

TEST_F(Receiving, AMailArrivesAsItWasMeant) {
    EXPECT_EQ(codes(envelope + "Subject: x\r\n\r\n..dot\r\n.\r\nQUIT\r\n"), "220 250 250 250 354 250 221");
    ASSERT_EQ(mails.size(), 1u);
    EXPECT_EQ(mails[0].from, "a@example.org");
    EXPECT_EQ(mails[0].to, (std::vector<std::string>{"b@example.org"}));
    EXPECT_EQ(mails[0].bytes, "Subject: x\r\n\r\n.dot\r\n");
}

TEST_F(Receiving, ItDoesNotMatterHowTheBytesAreCut) {
    for (std::size_t piece : {1, 2, 3, 7})
        EXPECT_EQ(codes(envelope + "a\r\n..b\r\n.\r\nMAIL FROM:<>\r\nRCPT TO:<c@d>\r\nDATA\r\n.\r\nQUIT\r\n", piece),
                  "220 250 250 250 354 250 250 250 354 250 221");
    ASSERT_EQ(mails.size(), 8u);
    EXPECT_EQ(mails[0].bytes, "a\r\n.b\r\n");
    EXPECT_EQ(mails[1].bytes, "");
    EXPECT_EQ(mails[1].from, "");
}

TEST_F(Receiving, OnlyCrLfDotCrLfEndsAMessage) {
    const std::string smuggled = "a\n.\nMAIL FROM:<x@y>\r\nb\r\n.\nc\n.\r\nd\r\n";
    EXPECT_EQ(codes(envelope + smuggled + ".\r\nQUIT\r\n"), "220 250 250 250 354 250 221");
    ASSERT_EQ(mails.size(), 1u);
    EXPECT_EQ(mails[0].bytes, "a\n.\nMAIL FROM:<x@y>\r\nb\r\n\nc\n.\r\nd\r\n");
}

TEST_F(Receiving, CommandsOutOfOrderAreRefused) {
    EXPECT_EQ(codes("RCPT TO:<b@c>\r\nDATA\r\nMAIL FROM:<a@b>\r\nMAIL FROM:<a@b>\r\nDATA\r\nRSET\r\nRCPT TO:<b@c>\r\n"
                    "NOOP\r\nVRFY x\r\nFOO\r\nMAIL FROM:a@b\r\nMAIL FROM:<a@b> X=1\r\nMAILFROM\r\nquit\r\n"),
              "220 503 503 250 503 503 250 503 250 252 500 501 555 500 221");
}

TEST_F(Receiving, SizesAndNumbersAreBounded) {
    EXPECT_EQ(codes("EHLO x\r\nMAIL FROM:<a@b> SIZE=1001\r\nMAIL FROM:<a@b> SIZE=10 BODY=8BITMIME SMTPUTF8\r\n"
                    "RCPT TO:<1@b>\r\nRCPT TO:<2@b>\r\nRCPT TO:<3@b>\r\nDATA\r\n" +
                    std::string(500, 'x') + "\r\n" + std::string(500, 'x') + "\r\n.\r\nQUIT\r\n"),
              "220 250 552 250 250 250 452 354 552 221");
    EXPECT_TRUE(mails.empty());
    EXPECT_EQ(codes(envelope + std::string(200000, '.') + "\r\n.\r\nQUIT\r\n"), "220 250 250 250 354 552 221");
    EXPECT_EQ(codes(std::string(20000, 'x')), "220 500");
}

TEST_F(Receiving, TheHandlersReplyIsTheAnswerAndItsFailureATemporaryOne) {
    verdict = Reply{550, "5.7.1", "not wanted"};
    EXPECT_NE(said(envelope + "x\r\n.\r\nQUIT\r\n").find("550 5.7.1 not wanted\r\n"), std::string::npos);
    verdict.code = 0;
    EXPECT_NE(said(envelope + "x\r\n.\r\nQUIT\r\n").find("451 4.3.0"), std::string::npos);
}

TEST_F(Receiving, TakesOurOwnSession) {
    RelaySettings settings;
    settings.url = "smtp://127.0.0.1:" + std::to_string(receiver.port());
    settings.tls = Tls::never;
    tell([&]() -> awaitable<void> {
        auto session = co_await connected(settings);
        EXPECT_TRUE(session->offered().pipelining && session->offered().smtputf8 && session->offered().size);
        auto envelope = to("jos\xC3\xA9@example.org"), next = to("\"a > b\"@example.org");
        envelope.size = 20;
        co_await session->begin(envelope);
        auto body = text("one");
        co_await session->finish(body, &next);
        auto result = co_await session->envelope_result();
        EXPECT_TRUE(result.ready());
        body = text("two");
        co_await session->finish(body, nullptr);
        co_await session->quit();
    });
    ASSERT_EQ(mails.size(), 2u);
    EXPECT_TRUE(mails[0].smtputf8);
    EXPECT_EQ(mails[1].to[0], "\"a > b\"@example.org");
    EXPECT_EQ(mails[1].bytes, text("two"));
}

TEST_F(Receiving, StoppingHangsUp) {
    RelaySettings settings;
    settings.url = "smtp://127.0.0.1:" + std::to_string(receiver.port());
    settings.tls = Tls::never;
    tell([&]() -> awaitable<void> {
        auto session = co_await connected(settings);
        receiver.stop();
        auto envelope = to("a@example.org");
        bool lost = false;
        try {
            co_await session->begin(envelope);
        } catch (const SessionLost&) {
            lost = true;
        }
        EXPECT_TRUE(lost);
    });
    EXPECT_EQ(not_connected(settings).stage, Stage::connect);
}

namespace {

struct Keeping : Conversation {
    std::filesystem::path folder =
        std::filesystem::temp_directory_path() / ("postrider-outbox-" + std::to_string(::getpid()));
    ~Keeping() override { std::filesystem::remove_all(folder); }

    void send(Outbox& outbox, const std::vector<std::string>& readers) {
        RelaySettings settings;
        settings.url = outbox.url();
        settings.tls = default_tls(settings.url);
        tell([&]() -> awaitable<void> {
            auto session = co_await connected(settings);
            for (const auto& reader : readers) {
                auto envelope = to(reader);
                co_await session->begin(envelope);
                auto body = text("for you");
                auto reply = co_await session->finish(body, nullptr);
                EXPECT_TRUE(reply.done());
            }
            co_await session->quit();
        });
    }
    [[nodiscard]] std::vector<std::string> names() const {
        std::vector<std::string> names;
        for (const auto& entry : std::filesystem::directory_iterator(folder))
            if (entry.path().extension() == ".eml") names.push_back(entry.path().filename());
        std::ranges::sort(names);
        return names;
    }
    [[nodiscard]] std::string content(const std::string& name) const {
        std::ifstream file(folder / name, std::ios::binary);
        return {std::istreambuf_iterator<char>(file), {}};
    }
};

}

TEST_F(Keeping, EveryMailIsAFileWithExactlyItsBytes) {
    Outbox outbox(context.get_executor(), folder, clock);
    outbox.run();
    send(outbox, {"ada@example.org", "bob@example.org"});
    EXPECT_EQ(names(), (std::vector<std::string>{"20270115T080000-0001-ada@example.org.eml",
                                                 "20270115T080000-0002-bob@example.org.eml"}));
    EXPECT_EQ(content(names()[0]), text("for you"));
    EXPECT_NE(
        content(".envelopes")
            .find(
                R"({"file":"20270115T080000-0002-bob@example.org.eml","from":"bounce+1@courier.example","to":["bob@example.org"]})"),
        std::string::npos);
}

TEST_F(Keeping, NoMailReplacesAnother) {
    for (int run = 0; run < 2; ++run) {
        Outbox outbox(context.get_executor(), folder, clock);
        outbox.run();
        send(outbox, {"ada@example.org"});
    }
    EXPECT_EQ(names().size(), 2u);
}

TEST_F(Keeping, NoNameLeavesTheFolder) {
    EXPECT_EQ(file_name_part("\"../../etc/x\"@example.org"), "_.._.._etc_x_@example.org");
    EXPECT_EQ(file_name_part("..@example.org"), "_..@example.org");
    EXPECT_EQ(file_name_part("a*b?<c>|d@example.org"), "a_b__c__d@example.org");
    EXPECT_EQ(file_name_part("jos\xC3\xA9@example.org"), "jos\xC3\xA9@example.org");
    EXPECT_LE(file_name_part(std::string(300, 'x')).size(), 80u);
    Outbox outbox(context.get_executor(), folder, clock);
    outbox.run();
    send(outbox, {"\"../x\"@example.org"});
    EXPECT_EQ(names().size(), 1u);
}

}
