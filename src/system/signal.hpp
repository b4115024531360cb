#pragma once

#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <optional>
#include <utility>

// One coroutine waits, something else on the same executor wakes it: an event that remembers one early wake-up.

namespace postrider::system {

class Signal {
public:
    // Resumes the waiting coroutine at once, inside this call; without one, the next wait() does not wait.
    void set() {
        if (!waiting_) {
            set_ = true;
            return;
        }
        auto resume = std::move(*waiting_);
        waiting_.reset();
        std::move(resume)();
    }

    boost::asio::awaitable<void> wait() {
        if (std::exchange(set_, false)) co_return;
        auto remember = [this](Handler handler) { waiting_.emplace(std::move(handler)); };
        boost::asio::use_awaitable_t<> token;
        co_await boost::asio::async_initiate<boost::asio::use_awaitable_t<>, void()>(std::move(remember), token);
    }

    [[nodiscard]] bool awaited() const { return waiting_.has_value(); }

private:
    using Handler = boost::asio::async_result<boost::asio::use_awaitable_t<>, void()>::handler_type;
    std::optional<Handler> waiting_;
    bool set_ = false;
};

}
