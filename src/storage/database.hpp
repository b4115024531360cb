#pragma once

#include "storage/batches.hpp"
#include "storage/connection.hpp"
#include "system/counted.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <optional>
#include <string>
#include <type_traits>

// The daemon's way to the database: one thread with the writing connection, one with a reading connection. Work is a
// function on a Connection& that returns a value; it runs on that thread, the caller's coroutine resumes on its own
// executor with the value.
//
//   auto look = [&](storage::Connection& c) { return Stories(c).find(id); };
//   auto story = co_await database.read(look);
//
// Exceptions of the work come out of the co_await. References captured by the work must outlive it: they do, as the
// caller waits.

namespace postrider::storage {

class Database {
public:
    explicit Database(const std::string& url); // the file must be there
    ~Database();                               // waits for work under way

    template <class Work>
    auto write(Work work) {
        return noted(on(writing_thread_, writer_, std::move(work)), write_trouble_, under_way_);
    }
    // In one transaction with what others write at the same time, and committed once for all: for the many small
    // writes of pages.
    template <class Work>
    auto write_together(Work work) {
        return noted(in(writes_, std::move(work)), write_trouble_, under_way_);
    }
    template <class Work>
    auto read(Work work) {
        return noted(in(reads_, std::move(work)), read_trouble_, under_way_);
    }
    // Rises with every commit but those of the reading connection: another process's, and those of write(), by which a
    // page's letter, or an issue that is now at its turn, is noticed. Says nothing about trouble.
    boost::asio::awaitable<std::int64_t> data_version();
    // Nothing is under way. On the loop.
    [[nodiscard]] bool idle() const { return under_way_ == 0; }

    // Why the last write, or else the last read, failed; empty: they did not. On the loop.
    [[nodiscard]] const std::string& trouble() const { return write_trouble_.empty() ? read_trouble_ : write_trouble_; }
    // False once the file was deleted or replaced: what is written then is lost.
    [[nodiscard]] bool still_in_place() const { return writer_.still_in_place(); }
    // A lock of another process is not waited for any more: for a daemon that is told to leave. Any thread.
    void stop_waiting();

private:
    // Keeps in `trouble` what became of the work; a constraint is the caller's affair and no trouble.
    template <class Result>
    static boost::asio::awaitable<Result> noted(boost::asio::awaitable<Result> work, std::string& trouble,
                                                int& under_way) {
        system::Counted counted(under_way);
        try {
            if constexpr (std::is_void_v<Result>) {
                co_await std::move(work);
                trouble.clear();
                co_return;
            } else {
                auto result = co_await std::move(work);
                trouble.clear();
                co_return result;
            }
        } catch (const Error& error) {
            if (error.kind != Error::Kind::constraint) trouble = error.what();
            throw;
        }
    }

    template <class Work>
    static auto on(boost::asio::thread_pool& thread, Connection& connection, Work work)
        -> boost::asio::awaitable<std::invoke_result_t<Work&, Connection&>> {
        auto task = [](Connection& c, Work w) -> boost::asio::awaitable<std::invoke_result_t<Work&, Connection&>> {
            co_return w(c);
        };
        auto running = task(connection, std::move(work));
        co_return co_await boost::asio::co_spawn(thread, std::move(running), boost::asio::use_awaitable);
    }

    template <class Work>
    static auto in(Batches& batches, Work work) -> boost::asio::awaitable<std::invoke_result_t<Work&, Connection&>> {
        using Result = std::invoke_result_t<Work&, Connection&>;
        struct Piece final : Batches::Piece {
            explicit Piece(Work&& w) : work(std::move(w)) {}
            void run(Connection& connection) override {
                if constexpr (std::is_void_v<Result>)
                    work(connection);
                else
                    result.emplace(work(connection));
            }
            Work work;
            std::optional<std::conditional_t<std::is_void_v<Result>, bool, Result>> result;
        };
        Piece piece(std::move(work));
        co_await batches.run(piece);
        if constexpr (!std::is_void_v<Result>) co_return std::move(*piece.result);
    }

    Connection writer_;
    Connection reader_;
    std::string write_trouble_, read_trouble_;
    int under_way_ = 0;
    boost::asio::thread_pool writing_thread_{1};
    boost::asio::thread_pool reading_thread_{1};
    Batches writes_{writer_, writing_thread_, Batches::Together::transaction};
    Batches reads_{reader_, reading_thread_, Batches::Together::in_order};
};

}
