#include "support/scripted_server.hpp"
#include "system/curl_loop.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/steady_timer.hpp>
#include <curl/curl.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

using namespace postrider;
using namespace postrider::test;
using system::CurlLoop;

namespace {

struct CurlDelete {
    void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
using Easy = std::unique_ptr<CURL, CurlDelete>;

std::size_t append(char* data, std::size_t one, std::size_t count, void* to) {
    static_cast<std::string*>(to)->append(data, one * count);
    return one * count;
}

Easy fetching(const std::string& url, std::string& body) {
    Easy easy(curl_easy_init());
    curl_easy_setopt(easy.get(), CURLOPT_URL, url.c_str());
    curl_easy_setopt(easy.get(), CURLOPT_WRITEFUNCTION, &append);
    curl_easy_setopt(easy.get(), CURLOPT_WRITEDATA, &body);
    curl_easy_setopt(easy.get(), CURLOPT_TIMEOUT, 20L);
    return easy;
}

std::string hello(const std::string&) {
    return "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello";
}

asio::awaitable<void> say_nothing(Conversation& conversation) { co_await conversation.wait_for_the_peer_to_leave(); }

asio::awaitable<void> greet_as_a_relay(Conversation& relay) {
    co_await relay.say("220 relay ready\r\n");
    co_await relay.read_until("\r\n");
    co_await relay.say("250-relay\r\n250 PIPELINING\r\n");
    co_await relay.read_until("NOOP\r\n");
    co_await relay.say("250 still here\r\n");
    co_await relay.wait_for_the_peer_to_leave();
}

}

TEST(CurlLoop, ATransferGivesItsResultAndItsBody) {
    asio::io_context context;
    ScriptedHttp server(context, hello);
    CurlLoop loop(context.get_executor());
    std::string body;
    auto easy = fetching(server.url(), body);
    EXPECT_EQ(run(context, loop.perform(easy.get())), CURLE_OK);
    EXPECT_EQ(body, "hello");
}

TEST(CurlLoop, AHandleCanBePerformedAgain) {
    asio::io_context context;
    ScriptedHttp server(context, hello);
    CurlLoop loop(context.get_executor());
    std::string body;
    auto easy = fetching(server.url(), body);
    EXPECT_EQ(run(context, loop.perform(easy.get())), CURLE_OK);
    EXPECT_EQ(run(context, loop.perform(easy.get())), CURLE_OK);
    EXPECT_EQ(body, "hellohello");
}

TEST(CurlLoop, ARefusedConnectionIsAResultNotAnException) {
    asio::io_context context;
    std::string port;
    {
        ScriptedServer nobody(context, say_nothing);
        port = nobody.port();
    }
    CurlLoop loop(context.get_executor());
    std::string body;
    auto easy = fetching("http://127.0.0.1:" + port, body);
    EXPECT_EQ(run(context, loop.perform(easy.get())), CURLE_COULDNT_CONNECT);
}

TEST(CurlLoop, NamesAreResolvedWithoutASpecialCase) {
    asio::io_context context;
    ScriptedServer server(context, [](Conversation& c) -> asio::awaitable<void> {
        co_await c.read_until("\r\n\r\n");
        co_await c.say(hello({}));
    });
    CurlLoop loop(context.get_executor());
    std::string body;
    auto easy = fetching("http://localhost:" + server.port(), body);
    EXPECT_EQ(run(context, loop.perform(easy.get())), CURLE_OK);
    EXPECT_EQ(body, "hello");
}

TEST(CurlLoop, ManyTransfersShareTheLoopAndEveryOneEnds) {
    asio::io_context context;
    ScriptedHttp server(context, hello);
    CurlLoop loop(context.get_executor());
    constexpr int count = 200;
    std::vector<std::string> bodies(count);
    std::vector<Easy> handles;
    int ended = 0;
    for (auto& body : bodies) {
        handles.push_back(fetching(server.url(), body));
        asio::co_spawn(context, loop.perform(handles.back().get()), [&](std::exception_ptr failure, int result) {
            EXPECT_FALSE(failure);
            EXPECT_EQ(result, CURLE_OK);
            if (++ended == count) context.stop();
        });
    }
    context.run();
    EXPECT_EQ(ended, count);
    for (const auto& body : bodies) EXPECT_EQ(body, "hello");
}

TEST(CurlLoop, CancellingThrowsOperationAbortedAndLeavesTheLoopFitForOthers) {
    asio::io_context context;
    asio::cancellation_signal cancel;
    ScriptedServer mute(context, [&](Conversation& c) -> asio::awaitable<void> {
        co_await c.read_until("\r\n\r\n");
        cancel.emit(asio::cancellation_type::terminal);
        co_await c.wait_for_the_peer_to_leave();
    });
    CurlLoop loop(context.get_executor());
    std::string body;
    auto easy = fetching("http://127.0.0.1:" + mute.port(), body);
    std::exception_ptr failure;
    auto ended = [&](std::exception_ptr f, int) {
        failure = f;
        context.stop();
    };
    asio::co_spawn(context, loop.perform(easy.get()), asio::bind_cancellation_slot(cancel.slot(), ended));
    context.run();
    ASSERT_TRUE(failure);
    EXPECT_THROW(std::rethrow_exception(failure), boost::system::system_error);

    ScriptedHttp server(context, hello);
    auto other = fetching(server.url(), body);
    EXPECT_EQ(run(context, loop.perform(other.get())), CURLE_OK);
}

TEST(CurlLoop, ALoopThatGoesAwayAbortsWhatIsUnderWay) {
    asio::io_context context;
    std::optional<CurlLoop> loop(std::in_place, context.get_executor());
    ScriptedServer mute(context, [&](Conversation& c) -> asio::awaitable<void> {
        co_await c.read_until("\r\n\r\n");
        loop.reset();
    });
    std::string body;
    auto easy = fetching("http://127.0.0.1:" + mute.port(), body);
    std::exception_ptr failure;
    asio::co_spawn(context, loop->perform(easy.get()), [&](std::exception_ptr f, int) {
        failure = f;
        context.stop();
    });
    context.run();
    ASSERT_TRUE(failure);
    EXPECT_THROW(std::rethrow_exception(failure), boost::system::system_error);
}

TEST(CurlLoop, AContextDestroyedInTheMiddleOfATransferLeaksNothing) {
    std::string body;
    auto context = std::make_unique<asio::io_context>();
    {
        CurlLoop loop(context->get_executor());
        ScriptedServer mute(*context, say_nothing);
        auto story = [](CurlLoop& l, Easy e) -> asio::awaitable<void> { co_await l.perform(e.get()); };
        auto easy = fetching("http://127.0.0.1:" + mute.port(), body);
        asio::co_spawn(*context, story(loop, std::move(easy)), [](std::exception_ptr) {});
        for (int i = 0; i < 10; ++i) context->poll_one();
    }
    context.reset();
}

TEST(CurlLoop, AConnectOnlySessionStaysOpenUntilItIsReleased) {
    asio::io_context context;
    ScriptedServer relay(context, greet_as_a_relay);
    CurlLoop loop(context.get_executor());
    Easy easy(curl_easy_init());
    std::string url = "smtp://127.0.0.1:" + relay.port() + "/client.example";
    curl_easy_setopt(easy.get(), CURLOPT_URL, url.c_str());
    curl_easy_setopt(easy.get(), CURLOPT_CONNECT_ONLY, 1L);

    auto story = [](CurlLoop& l, CURL* e) -> asio::awaitable<std::string> {
        int result = co_await l.perform(e, CurlLoop::Afterwards::keep);
        if (result != CURLE_OK) co_return curl_easy_strerror(CURLcode(result));
        std::size_t sent = 0;
        curl_easy_send(e, "NOOP\r\n", 6, &sent);
        curl_socket_t socket = CURL_SOCKET_BAD;
        curl_easy_getinfo(e, CURLINFO_ACTIVESOCKET, &socket);
        auto executor = co_await asio::this_coro::executor;
        tcp::socket watch(executor, tcp::v4(), ::dup(socket));
        char answer[100];
        std::size_t received = 0;
        while (curl_easy_recv(e, answer, sizeof answer, &received) == CURLE_AGAIN) {
            co_await watch.async_wait(tcp::socket::wait_read, asio::use_awaitable);
        }
        co_return std::string(answer, received);
    };
    EXPECT_EQ(run(context, story(loop, easy.get())), "250 still here\r\n");
    loop.release(easy.get());
    loop.release(easy.get());
}
