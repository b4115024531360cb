#include "stories/hosts.hpp"

#include "http/url.hpp"

namespace postrider::stories {

std::string host_of(const std::string& url) {
    auto parsed = http::Url::parse(url);
    return parsed ? parsed->host() : url;
}

boost::asio::awaitable<void> Hosts::wait_for(const std::string& host) {
    auto [place, free] = waiting_.try_emplace(host);
    if (free) co_return;
    system::Signal turn;
    place->second.push_back(&turn);
    co_await turn.wait();
}

void Hosts::leave(const std::string& host) {
    auto place = waiting_.find(host);
    if (place->second.empty()) {
        waiting_.erase(place);
        return freed_.set();
    }
    auto* next = place->second.front();
    place->second.pop_front();
    next->set();
}

}
