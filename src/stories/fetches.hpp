#pragma once

#include "http/client.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_signal.hpp>

#include <list>

// What is being fetched, so that all of it can be given up.
//
// Threads: the executor's one thread.

namespace postrider::stories {

class Fetches {
public:
    Fetches(boost::asio::any_io_executor executor, http::Client& client)
        : executor_(std::move(executor)), client_(client) {}

    // Throws operation_aborted when it was given up.
    boost::asio::awaitable<http::FetchResult> get(http::FetchRequest);
    void give_up();

private:
    boost::asio::any_io_executor executor_;
    http::Client& client_;
    std::list<boost::asio::cancellation_signal> signals_;
};

}
