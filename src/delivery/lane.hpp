#pragma once

#include "delivery/pace.hpp"
#include "smtp/relay.hpp"
#include "system/curl_loop.hpp"
#include "system/rate.hpp"
#include "system/time.hpp"

#include <memory>
#include <optional>
#include <string>
#include <utility>

// One relay as the dispatcher sees it: how many connections it may have, and whether it is left alone for a while.

namespace postrider::delivery {

struct LaneSettings {
    smtp::RelaySettings relay;
    int connections = 10;
    std::optional<Rate> rate{};      // none: no limit
    std::optional<int> weight{};     // 0: only while no other relay takes mail; none anywhere: whoever is free takes
    int messages_per_connection = 0; // 0: no limit
    std::optional<WarmUp> warm_up{};
};

struct Lane {
    explicit Lane(LaneSettings s) : settings(std::move(s)) {
        if (settings.rate) pace = Pace(*settings.rate);
    }

    LaneSettings settings;
    std::unique_ptr<system::CurlLoop> curl; // of its own: curl searches all sessions of a loop for each call
    int connections = 0;                    // open or opening
    int troubles = 0;                       // in a row, since the last message that was taken
    int breaks = 0;                         // connections that broke in a row without a message taken between
    std::optional<Time> held_until;
    std::string reason; // of the hold
    bool noted = false; // relay_state has it; at the start it may still tell of an earlier life

    bool unanswered = false; // it has not answered yet, and is said not to have
    bool pipelined = false;  // messages have gone to it in groups: its PIPELINING is true

    // What it has had.
    Pace pace;
    DayCount warm_up{};
    bool resting = false; // until tomorrow
    double share = 0;     // messages by weight
    Time last_taken{};

    [[nodiscard]] bool open(Time now) const { return !held_until || *held_until <= now; }
    // In trouble: one connection tries, the others wait for it.
    [[nodiscard]] int allowed() const { return troubles > 0 ? 1 : settings.connections; }
};

struct DomainHold {
    Time until{};
    int times = 0;
    std::string reason{};
    bool probed = false; // the hold is over, and one message is on its way to try
};

}
