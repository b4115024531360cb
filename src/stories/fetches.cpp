#include "stories/fetches.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace postrider::stories {
namespace asio = boost::asio;

// Only the fetch can be given up; what follows it is short and is to be recorded.
template <class Result>
asio::awaitable<Result> Fetches::until_given_up(asio::awaitable<Result> running) {
    struct Listed {
        std::list<asio::cancellation_signal>& signals;
        std::list<asio::cancellation_signal>::iterator signal;
        ~Listed() { signals.erase(signal); }
    } listed{signals_, signals_.emplace(signals_.end())};
    auto token = asio::bind_cancellation_slot(listed.signal->slot(), asio::use_awaitable);
    co_return co_await asio::co_spawn(executor_, std::move(running), token);
}

asio::awaitable<http::FetchResult> Fetches::get(http::FetchRequest request) {
    auto running = client_.get(std::move(request));
    co_return co_await until_given_up(std::move(running));
}

asio::awaitable<void> Fetches::wait_until(system::Clock& clock, Time at) {
    auto running = clock.sleep_until(at);
    co_await until_given_up(std::move(running));
}

void Fetches::give_up() {
    // A signal may take its own entry out of the list.
    for (auto next = signals_.begin(); next != signals_.end();) {
        auto& signal = *next++;
        signal.emit(asio::cancellation_type::terminal);
    }
}

}
