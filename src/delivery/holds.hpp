#pragma once

#include "storage/connection.hpp"

#include <optional>
#include <string>
#include <vector>

// Who is left alone for a while, until when and why: relays and domains, for commands to show.
//
// Always: a relay is in it until it takes a message again, also between two tries, when `until` has passed and the
//         trouble has not; a domain only while it is held. What is read is what the daemon last recorded.

namespace postrider::delivery {

struct HoldNote { // of a relay or a domain
    std::string name;
    std::optional<Time> held_until; // none: it takes mail again
    std::string reason{};
};

struct HoldRecord {
    std::string name;
    Time until;
    std::string reason;
};

struct Holds {
    std::vector<HoldRecord> relays, domains; // domains: the longest held first
};
[[nodiscard]] Holds read_holds(storage::Connection&, Time now);

void note_relay(storage::Connection&, const HoldNote&, Time now);
void note_domain(storage::Connection&, const HoldNote&, Time now);
// At the start of a daemon: it holds no domain yet.
void forget_domain_holds(storage::Connection&);

}
