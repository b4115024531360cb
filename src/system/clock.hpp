#pragma once

#include "system/time.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <memory>

// The only way the program learns what time it is, and the only way it waits. Tests bring a clock that they move by
// hand (tests/support/simulated_clock.hpp); everything else uses SystemClock.

namespace postrider::system {

class Clock {
public:
    virtual ~Clock() = default;
    [[nodiscard]] virtual Time now() const = 0;

    // Resumes on the calling coroutine's executor once now() >= at, or once so long has passed as was missing then: a
    // clock that is set back keeps nobody waiting, one that is set forward is noticed within seconds. Cancelled by
    // Asio's per-operation cancellation: throws operation_aborted.
    virtual boost::asio::awaitable<void> sleep_until(Time at) = 0;
    boost::asio::awaitable<void> sleep_for(Duration length) { return sleep_until(now() + length); }
};

class SystemClock final : public Clock {
public:
    [[nodiscard]] Time now() const override;
    boost::asio::awaitable<void> sleep_until(Time at) override;
};

}
