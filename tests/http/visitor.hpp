#pragma once

#include "http/server.hpp"
#include "support/scripted_server.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>

#include <memory>
#include <string>

// A server on loopback and visitors who send exactly the bytes a test tells them to.

namespace postrider::test {

class Visitor {
public:
    Visitor(asio::io_context& context, std::uint16_t port) : socket_(context) {
        socket_.connect(tcp::endpoint(asio::ip::address_v4::loopback(), port));
    }

    asio::awaitable<void> send(std::string text) {
        co_await asio::async_write(socket_, asio::buffer(text), asio::use_awaitable);
    }

    // One whole answer, by its Content-Length.
    asio::awaitable<std::string> answer(bool with_body = true) {
        auto buffer = asio::dynamic_buffer(buffered_);
        std::size_t head = co_await asio::async_read_until(socket_, buffer, "\r\n\r\n", asio::use_awaitable);
        std::size_t size = head;
        auto length = buffered_.find("Content-Length: ");
        if (with_body && length != std::string::npos && length < head)
            size += std::stoul(buffered_.substr(length + 16));
        if (buffered_.size() < size) {
            co_await asio::async_read(socket_, buffer, asio::transfer_exactly(size - buffered_.size()),
                                      asio::use_awaitable);
        }
        std::string text = buffered_.substr(0, size);
        buffered_.erase(0, size);
        co_return text;
    }

    // Whatever comes until the server closes.
    asio::awaitable<std::string> everything() {
        boost::system::error_code end;
        auto buffer = asio::dynamic_buffer(buffered_);
        co_await asio::async_read(socket_, buffer, asio::transfer_all(),
                                  asio::redirect_error(asio::use_awaitable, end));
        co_return std::move(buffered_);
    }

    void leave() { socket_.close(); }
    tcp::socket& socket() { return socket_; }

private:
    tcp::socket socket_;
    std::string buffered_;
};

struct House {
    explicit House(http::ServerSettings settings = {}, http::Handler handler = {}) {
        settings.listen = "127.0.0.1:0";
        auto keep_and_answer = [this](http::Request request) -> asio::awaitable<http::Response> {
            requests.push_back(std::move(request));
            http::Response response;
            response.headers.add("Content-Type", "text/plain");
            response.body = "hello";
            co_return response;
        };
        if (!handler) handler = keep_and_answer;
        server = std::make_unique<http::Server>(context.get_executor(), std::move(settings), std::move(handler));
        server->listen();
        asio::co_spawn(context, server->run(), [this](std::exception_ptr) { ended = true; });
    }

    // All bytes a fresh visitor gets who sends this and waits for the server to close.
    std::string says(const std::string& bytes) {
        auto story = [](Visitor& v, std::string text) -> asio::awaitable<std::string> {
            co_await v.send(std::move(text));
            std::string all = co_await v.everything();
            co_return all;
        };
        Visitor visitor(context, server->port());
        return run(context, story(visitor, bytes));
    }

    asio::io_context context;
    std::vector<http::Request> requests; // as the default handler got them
    bool ended = false;
    std::unique_ptr<http::Server> server;
};

inline bool begins(const std::string& text, const std::string& with) { return text.starts_with(with); }
inline bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}
