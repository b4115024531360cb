#pragma once

#include "smtp/session.hpp"
#include "support/scripted_relay.hpp"
#include "support/simulated_clock.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <gtest/gtest.h>

#include <exception>
#include <memory>
#include <string>

namespace postrider::smtp {

namespace asio = boost::asio;
using asio::awaitable;
using test::ScriptedRelay;

class Conversation : public testing::Test {
protected:
    asio::io_context context;
    test::SimulatedClock clock{context.get_executor()};
    system::CurlLoop loop{context.get_executor()};
    bool finished = false;
    std::exception_ptr failure;

    // Begins a story; it runs while tell(), or anything else, runs the context. The story must live as long.
    template <class Story>
    void begins(Story& story) {
        finished = false;
        asio::co_spawn(context, story(), [this](std::exception_ptr f) {
            failure = f;
            finished = true;
            context.stop();
        });
    }
    void ends() {
        context.restart();
        if (!finished) context.run();
        context.restart();
        if (failure) std::rethrow_exception(std::exchange(failure, nullptr));
    }
    template <class Story>
    void tell(Story story) {
        begins(story);
        ends();
    }
    void until_silent(const ScriptedRelay& relay) {
        context.restart();
        while (!relay.is_silent() && !finished) context.run_one();
    }

    awaitable<std::unique_ptr<Session>> connected(const RelaySettings& settings) {
        auto opened = co_await Session::open(loop, clock, settings);
        if (!opened) throw std::runtime_error(opened.error().text);
        co_return std::move(*opened);
    }

    // What kept us from being connected.
    ConnectError not_connected(const RelaySettings& settings) {
        ConnectError error;
        tell([&]() -> awaitable<void> {
            auto opened = co_await Session::open(loop, clock, settings);
            EXPECT_FALSE(opened) << "connected";
            if (!opened) error = opened.error();
        });
        return error;
    }
};

inline Envelope to(std::string_view address) { return {"bounce+1@courier.example", address}; }

inline std::string text(const std::string& words) { return "Subject: " + words + "\r\n\r\n" + words + "\r\n"; }

}
