#pragma once

#include "system/clock.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <list>
#include <memory>

namespace postrider::test {

// Stands still until it is moved.
class SimulatedClock final : public system::Clock {
public:
    explicit SimulatedClock(boost::asio::any_io_executor executor, Time start = Time(1'800'000'000'000ms))
        : executor_(std::move(executor)), now_(start) {}

    [[nodiscard]] Time now() const override { return now_; }

    boost::asio::awaitable<void> sleep_until(Time at) override {
        namespace asio = boost::asio;
        for (const auto before = set_back_; now_ + (set_back_ - before) < at;) {
            auto bell = sleepers_->emplace(sleepers_->end(), executor_);
            struct Leave { // keeps the list alive: a coroutine may outlive the clock
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

    void advance(Duration length) { set(now_ + length); }
    void set(Time now) {
        set_back_ += std::max(now_ - now, Duration::zero());
        now_ = now;
        for (auto& bell : *sleepers_) bell.cancel();
    }

private:
    boost::asio::any_io_executor executor_;
    Time now_;
    Duration set_back_{}; // in all: whoever sleeps is not kept waiting by it
    std::shared_ptr<std::list<boost::asio::steady_timer>> sleepers_ =
        std::make_shared<std::list<boost::asio::steady_timer>>();
};

}
