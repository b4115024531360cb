#include "storage/batches.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <utility>

namespace postrider::storage {

namespace asio = boost::asio;

namespace {

void run_one(Connection& connection, Batches::Piece& piece) {
    try {
        piece.run(connection);
    } catch (...) {
        piece.failure = std::current_exception();
    }
}

void run_in_transaction(Connection& connection, Batches::Piece& piece) {
    try {
        Transaction transaction(connection); // within the batch's: a savepoint
        piece.run(connection);
        transaction.commit();
    } catch (...) {
        piece.failure = std::current_exception();
    }
}

}

asio::awaitable<void> Batches::run(Piece& piece) {
    waiting_.push_back(&piece);
    if (!std::exchange(under_way_, true)) {
        auto executor = co_await asio::this_coro::executor;
        asio::co_spawn(executor, hand_over(), [this](std::exception_ptr failure) {
            if (failure) fail(failure);
        });
    }
    co_await piece.done.wait();
    if (piece.failure) std::rethrow_exception(piece.failure);
}

// The batch could not be handed over at all, as without memory: whoever waits hears why.
void Batches::fail(std::exception_ptr failure) {
    under_way_ = false;
    for (auto* pieces : {&handed_over_, &waiting_})
        for (auto* piece : std::exchange(*pieces, {})) {
            piece->failure = failure;
            piece->done.set();
        }
}

asio::awaitable<void> Batches::hand_over() {
    asio::use_awaitable_t<> token;
    co_await asio::post(co_await asio::this_coro::executor, token); // whoever is ready now comes along
    while (!waiting_.empty()) {
        handed_over_ = std::exchange(waiting_, {});
        auto work = [](Batches& self, const std::vector<Piece*>& all) -> asio::awaitable<void> {
            self.run_all(all);
            co_return;
        };
        auto running = work(*this, handed_over_);
        co_await asio::co_spawn(thread_, std::move(running), token);
        // Its coroutine goes on at once, and the piece is gone.
        for (auto* piece : std::exchange(handed_over_, {})) piece->done.set();
    }
    under_way_ = false;
}

// On the thread of the database.
void Batches::run_all(const std::vector<Piece*>& pieces) {
    if (together_ == Together::in_order) {
        for (auto* piece : pieces) run_one(connection_, *piece);
        return;
    }
    try {
        Transaction transaction(connection_);
        for (auto* piece : pieces) run_in_transaction(connection_, *piece);
        transaction.commit();
    } catch (...) {
        for (auto* piece : pieces)
            if (!piece->failure) piece->failure = std::current_exception();
    }
}

}
