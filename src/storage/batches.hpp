#pragma once

#include "storage/connection.hpp"
#include "system/signal.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/thread_pool.hpp>

#include <exception>
#include <vector>

// Work for a thread of the database, handed over many pieces at a time: two threads that wake each other for every
// piece spend more on that than on the work, and a disk takes fifty commits in the time of one.
//
// In:     pieces of work, each from a coroutine on the loop that waits for it.
// Out:    each is run, in the order they came; what it throws comes out of run() in its own coroutine.
// Always: Together::transaction: what one thread's turn brought is committed at once, and nobody is told before; a piece
//         that throws leaves nothing behind and does not touch the others; when the commit fails all of them failed.

namespace postrider::storage {

class Batches {
public:
    enum class Together { in_order, transaction };
    struct Piece {
        virtual void run(Connection&) = 0;

        std::exception_ptr failure;
        system::Signal done;

    protected:
        ~Piece() = default;
    };

    // Both must outlive it.
    Batches(Connection& connection, boost::asio::thread_pool& thread, Together together)
        : connection_(connection), thread_(thread), together_(together) {}

    boost::asio::awaitable<void> run(Piece& piece); // on the loop

private:
    boost::asio::awaitable<void> hand_over();
    void run_all(const std::vector<Piece*>& pieces);
    void fail(std::exception_ptr failure);

    Connection& connection_;
    boost::asio::thread_pool& thread_;
    const Together together_;
    std::vector<Piece*> waiting_, handed_over_;
    bool under_way_ = false;
};

}
