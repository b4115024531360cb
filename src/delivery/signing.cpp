#include "delivery/signing.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <thread>
#include <utility>

namespace postrider::delivery {

Signing::Signing(boost::asio::any_io_executor loop, std::shared_ptr<const std::vector<mail::dkim::Signer>> signers)
    : loop_(std::move(loop)), signers_(std::move(signers)) {
    if (signers_) threads_.emplace(std::max(1u, std::thread::hardware_concurrency()));
}

Signing::~Signing() {
    if (threads_) threads_->join();
}

void Signing::begin(Work& work, std::string& message, std::string_view from_domain, Time at) {
    auto* signer = threads_ ? mail::dkim::signer_for(*signers_, from_domain) : nullptr;
    if (!signer) return;
    if (std::exchange(work.under_way_, true))
        work.state_ = std::make_shared<Work::State>(); // the last was not waited for
    auto state = work.state_;
    state->message.swap(message);
    message.clear();
    boost::asio::post(*threads_, [state, signer, at, loop = loop_] {
        try {
            state->fields = signer->sign(state->message, at);
        } catch (...) {
            state->failure = std::current_exception();
        }
        boost::asio::post(loop, [state] { state->done.set(); });
    });
}

boost::asio::awaitable<void> Signing::end(Work& work, std::string& message) {
    if (!std::exchange(work.under_way_, false)) co_return;
    auto state = work.state_;
    co_await state->done.wait();
    state->message.swap(message);
    if (state->failure) std::rethrow_exception(std::exchange(state->failure, nullptr));
    message.insert(0, state->fields);
}

}
