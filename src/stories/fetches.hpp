#pragma once

#include "http/client.hpp"
#include "system/clock.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_signal.hpp>

#include <list>

// What is being fetched, and what waits to be fetched, so that all of it can be given up.
//
// Threads: the executor's one thread.

namespace postrider::stories {

class Fetches {
public:
    Fetches(boost::asio::any_io_executor executor, http::Client& client)
        : executor_(std::move(executor)), client_(client) {}

    // Both throw operation_aborted when they were given up.
    boost::asio::awaitable<http::FetchResult> get(http::FetchRequest);
    boost::asio::awaitable<void> wait_until(system::Clock&, Time);
    void give_up();

private:
    template <class Result>
    boost::asio::awaitable<Result> until_given_up(boost::asio::awaitable<Result> running);

    boost::asio::any_io_executor executor_;
    http::Client& client_;
    std::list<boost::asio::cancellation_signal> signals_;
};

}
