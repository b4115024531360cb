#pragma once

#include "system/signal.hpp"

#include <boost/asio/awaitable.hpp>

#include <deque>
#include <map>
#include <string>

// The hosts that are being asked, one question at a time each, and who waits for them.
//
// Threads: one loop thread.

namespace postrider::stories {

// The host of an address; the text itself where it is none.
[[nodiscard]] std::string host_of(const std::string& url);

class Hosts {
public:
    // `freed` is set when a host becomes free and nobody waits for it.
    explicit Hosts(system::Signal& freed) : freed_(freed) {}

    [[nodiscard]] bool busy(const std::string& host) const { return waiting_.contains(host); }

    // The host is the caller's afterwards, who puts it into a Taken.
    void take(const std::string& host) { waiting_.try_emplace(host); } // that is free
    boost::asio::awaitable<void> wait_for(const std::string& host);

    struct Taken {
        Taken(Hosts& h, std::string n) : hosts(h), host(std::move(n)) {}
        Taken(const Taken&) = delete;
        ~Taken() { hosts.leave(host); }
        Hosts& hosts;
        std::string host;
    };

private:
    void leave(const std::string& host);

    std::map<std::string, std::deque<system::Signal*>> waiting_;
    system::Signal& freed_;
};

}
