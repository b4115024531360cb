#pragma once

#include "smtp/relay.hpp"
#include "system/curl_loop.hpp"
#include "system/time.hpp"

#include <algorithm>
#include <cstdint>
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
    std::string reason; // of the hold
    bool noted = false; // relay_state has it; at the start it may still tell of an earlier life

    // The relay's rate: at most a tenth of a second's worth at once. Counted in fractions of a millisecond, so that rates above a
    // thousand a second are true as well.
    double next_place = 0; // milliseconds since 1970
    [[nodiscard]] Time next_allowed() const { return Time(Duration(std::int64_t(next_place))); }
    void spend(Time now) {
        if (settings.per_second <= 0) return;
        next_place = std::max(next_place, double(now.time_since_epoch().count()) - 100) + 1000 / settings.per_second;
    }

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
