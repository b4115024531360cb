#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <type_traits>
#include <utility>

// Work that would hold the loop's thread for too long: it is done by another, while the caller waits.
//
// Always: the work is moved there and its result moved back; what it throws is thrown to the caller.

namespace postrider::stories {

template <class Work>
boost::asio::awaitable<std::invoke_result_t<Work&>> beside_the_loop(boost::asio::any_io_executor other, Work work) {
    auto task = [](Work w) -> boost::asio::awaitable<std::invoke_result_t<Work&>> { co_return w(); };
    auto running = task(std::move(work));
    co_return co_await boost::asio::co_spawn(other, std::move(running), boost::asio::use_awaitable);
}

}
