#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

// A server on loopback that says exactly what a test tells it to. It lives in the test's own io_context, takes a port
// from the system, and hands every connection to the script; a script that throws (the peer left) just ends its
// connection.

namespace postrider::test {

namespace asio = boost::asio;
using asio::ip::tcp;

class Conversation {
public:
    explicit Conversation(tcp::socket socket) : socket_(std::move(socket)) {}

    // Everything up to and with the delimiter.
    asio::awaitable<std::string> read_until(std::string delimiter) {
        auto buffer = asio::dynamic_buffer(buffered_);
        std::size_t size = co_await asio::async_read_until(socket_, buffer, delimiter, asio::use_awaitable);
        std::string text = buffered_.substr(0, size);
        buffered_.erase(0, size);
        co_return text;
    }

    asio::awaitable<void> say(std::string text) {
        co_await asio::async_write(socket_, asio::buffer(text), asio::use_awaitable);
    }

    // Returns once the peer closes.
    asio::awaitable<void> wait_for_the_peer_to_leave() {
        boost::system::error_code failure;
        char scrap[4096];
        while (!failure) {
            co_await socket_.async_read_some(asio::buffer(scrap), asio::redirect_error(asio::use_awaitable, failure));
        }
    }

private:
    tcp::socket socket_;
    std::string buffered_;
};

class ScriptedServer {
public:
    using Script = std::function<asio::awaitable<void>(Conversation&)>;

    ScriptedServer(asio::io_context& context, Script script)
        : state_(std::make_shared<State>(
              State{tcp::acceptor(context, tcp::endpoint(asio::ip::address_v4::loopback(), 0)), std::move(script)})) {
        asio::co_spawn(context, accept(state_), [](std::exception_ptr) {});
    }
    ~ScriptedServer() { close(); }
    ScriptedServer(const ScriptedServer&) = delete;

    [[nodiscard]] std::string port() const { return std::to_string(state_->acceptor.local_endpoint().port()); }
    [[nodiscard]] int connections() const { return state_->connections; }
    void close() {
        boost::system::error_code ignored;
        state_->acceptor.close(ignored);
    }

private:
    // Outlives the server where its coroutine still has to hear that the acceptor is closed.
    struct State {
        tcp::acceptor acceptor;
        Script script;
        int connections = 0;
    };

    static asio::awaitable<void> accept(std::shared_ptr<State> state) {
        while (state->acceptor.is_open()) {
            tcp::socket socket = co_await state->acceptor.async_accept(asio::use_awaitable);
            ++state->connections;
            asio::co_spawn(state->acceptor.get_executor(), converse(std::move(socket), state),
                           [](std::exception_ptr) {});
        }
    }

    static asio::awaitable<void> converse(tcp::socket socket, std::shared_ptr<State> state) {
        Conversation conversation(std::move(socket));
        co_await state->script(conversation);
    }

    std::shared_ptr<State> state_;
};

// An HTTP server: one request a connection; the answer is all bytes, status line included.
class ScriptedHttp {
public:
    using Answer = std::function<std::string(const std::string& request)>;

    ScriptedHttp(asio::io_context& context, Answer answer)
        : answer_(std::move(answer)), server_(context, [this](Conversation& c) { return serve(c); }) {}

    [[nodiscard]] std::string url(const std::string& path = "/") const {
        return "http://127.0.0.1:" + server_.port() + path;
    }
    [[nodiscard]] const std::vector<std::string>& requests() const { return requests_; }
    [[nodiscard]] int connections() const { return server_.connections(); }

private:
    asio::awaitable<void> serve(Conversation& conversation) {
        std::string request = co_await conversation.read_until("\r\n\r\n");
        requests_.push_back(request);
        std::string answer = answer_(request);
        co_await conversation.say(std::move(answer));
    }

    Answer answer_;
    std::vector<std::string> requests_;
    ScriptedServer server_;
};

// Runs one coroutine to its end on the context and returns its value; what it throws comes out.
template <class T>
T run(asio::io_context& context, asio::awaitable<T> story) {
    std::exception_ptr failure;
    std::optional<T> value;
    asio::co_spawn(context, std::move(story), [&](std::exception_ptr f, T v) {
        failure = f;
        value = std::move(v);
        context.stop();
    });
    context.restart();
    context.run();
    if (failure) std::rethrow_exception(failure);
    return std::move(*value);
}

}
