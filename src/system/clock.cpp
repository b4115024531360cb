#include "system/clock.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace postrider::system {

Time SystemClock::now() const { return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now()); }

boost::asio::awaitable<void> SystemClock::sleep_until(Time at) {
    using Steady = std::chrono::steady_clock;
    boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor);
    const auto latest = Steady::now() + std::min<Duration>(at - now(), 365 * 24h); // more does not fit
    for (auto left = at - now(); left > 0ms && Steady::now() < latest; left = at - now()) {
        timer.expires_after(std::min<Steady::duration>({left, latest - Steady::now(), 5s}));
        co_await timer.async_wait(boost::asio::use_awaitable);
    }
}

}
