#pragma once

#include "smtp/session.hpp"
#include "support/scripted_relay.hpp"
#include "system/clock.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <gtest/gtest.h>

#include <exception>
#include <list>
#include <memory>
#include <string>

namespace postrider::smtp {

namespace asio = boost::asio;
using asio::awaitable;
using test::ScriptedRelay;

// Stands still until it is moved.
class StillClock final : public system::Clock {
public:
    explicit StillClock(asio::any_io_executor executor) : executor_(std::move(executor)) {}

    [[nodiscard]] Time now() const override { return now_; }

    awaitable<void> sleep_until(Time at) override {
        while (now_ < at) {
            auto bell = sleepers_->emplace(sleepers_->end(), executor_);
            struct Leave { // perhaps after the clock is gone, with the context
                std::shared_ptr<std::list<asio::steady_timer>> sleepers;
                std::list<asio::steady_timer>::iterator bell;
                ~Leave() { sleepers->erase(bell); }
            } leave{sleepers_, bell};
            bell->expires_at(asio::steady_timer::time_point::max());
            boost::system::error_code rung;
            auto token = asio::redirect_error(asio::use_awaitable, rung);
            co_await bell->async_wait(token);
            auto state = co_await asio::this_coro::cancellation_state;
            if (state.cancelled() != asio::cancellation_type::none)
                throw boost::system::system_error(asio::error::operation_aborted);
        }
    }

    void advance(Duration length) {
        now_ += length;
        for (auto& bell : *sleepers_) bell.cancel();
    }

private:
    asio::any_io_executor executor_;
    Time now_ = Time(1'800'000'000'000ms);
    std::shared_ptr<std::list<asio::steady_timer>> sleepers_ = std::make_shared<std::list<asio::steady_timer>>();
};

class Conversation : public testing::Test {
protected:
    asio::io_context context;
    StillClock clock{context.get_executor()};
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
