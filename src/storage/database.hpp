#pragma once

#include "storage/connection.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <type_traits>

// The daemon's way to the database: one thread with the writing connection, one with a reading connection. Work is a
// function on a Connection& that returns a value; it runs on that thread, the caller's coroutine resumes on its own
// executor with the value.
//
//   auto story = co_await database.read([&](storage::Connection& c) { return Stories(c).find(id); });
//
// Exceptions of the work come out of the co_await. References captured by the work must outlive it: they do, as the
// caller waits.

namespace postrider::storage {

class Database {
public:
    explicit Database(const std::string& url);
    ~Database(); // waits for work under way

    template <class Work>
    auto write(Work work) {
        return on(writing_thread_, writer_, std::move(work));
    }
    template <class Work>
    auto read(Work work) {
        return on(reading_thread_, reader_, std::move(work));
    }

private:
    template <class Work>
    static auto on(boost::asio::thread_pool& thread, Connection& connection, Work work)
        -> boost::asio::awaitable<std::invoke_result_t<Work&, Connection&>> {
        auto task = [](Connection& c, Work w) -> boost::asio::awaitable<std::invoke_result_t<Work&, Connection&>> {
            co_return w(c);
        };
        auto running = task(connection, std::move(work));
        co_return co_await boost::asio::co_spawn(thread, std::move(running), boost::asio::use_awaitable);
    }

    Connection writer_;
    Connection reader_;
    boost::asio::thread_pool writing_thread_{1};
    boost::asio::thread_pool reading_thread_{1};
};

}
