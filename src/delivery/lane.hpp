#pragma once

#include "smtp/relay.hpp"
#include "system/curl_loop.hpp"
#include "system/time.hpp"

#include <memory>
#include <optional>
#include <string>

// One relay as the dispatcher sees it: how many connections it may have, and whether it is left alone for a while.

namespace postrider::delivery {

struct LaneSettings {
    smtp::RelaySettings relay;
    int connections = 10;
    double per_second = 0; // 0: no limit
};

struct Lane {
    LaneSettings settings;
    std::unique_ptr<system::CurlLoop> curl; // of its own: curl searches all sessions of a loop for each call
    int connections = 0;                    // open or opening
    int troubles = 0;                       // in a row, since the last message that was taken
    int breaks = 0;                         // connections that broke in a row without a message taken between
    std::optional<Time> held_until;
    std::string reason;  // of the hold
    bool noted = false;  // relay_state has it; at the start it may still tell of an earlier life
    Time next_allowed{}; // the rate's next place

    [[nodiscard]] bool open(Time now) const { return !held_until || *held_until <= now; }
    // In trouble: one connection tries, the others wait for it.
    [[nodiscard]] int allowed() const { return troubles > 0 ? 1 : settings.connections; }
};

struct DomainHold {
    Time until{};
    int times = 0;
    std::string reason{};
};

}
