#include "delivery/connection.hpp"
#include "system/log.hpp"

#include <fmt/format.h>

// Who is left alone for a while: the part of the dispatcher that holds relays and domains, and lets them go again.

namespace postrider::delivery {
namespace {

// A relay that does not answer: when that is said, and when the others' mail is no longer kept for it. (The session goes
// on waiting: RFC 5321 section 4.5.3.2.1 gives a greeting five minutes.)
constexpr Duration said_after = 2s;
constexpr Duration held_after = 30s;

}

void Dispatcher::hold(Lane& lane, Duration length, std::string reason) {
    auto now = clock_.now();
    if (lane.held_until && *lane.held_until > now) return; // several connections tell the same story
    ++lane.troubles;
    lane.held_until = now + length;
    if (lane.reason != reason)
        log::warn("relay held",
                  {{"relay", lane.settings.relay.name}, {"for", postrider::to_text(length)}, {"reason", reason}});
    lane.reason = std::move(reason);
    lane.noted = false;
    must_ask_ = true; // a group, now, so that `status` knows
}

Time Dispatcher::hold_domain(const std::string& domain, std::string reason, Time now) {
    auto& held = domains_[domain];
    if (held.until > now && !held.probed) return held.until; // several readers tell the same story
    held = {now + held_for(held.times + 1), held.times + 1, std::move(reason)};
    gathered_.domains.push_back({domain, held.until, held.reason});
    log::warn("domain held", {{"domain", domain}, {"until", rfc3339(held.until)}, {"reason", held.reason}});
    return held.until;
}

void Dispatcher::domain_recovered(const std::string& domain, Time now) {
    auto held = domains_.find(domain);
    if (held == domains_.end()) return;
    if (!held->second.probed && held->second.until > now) return; // it was on its way before: it proves nothing
    domains_.erase(held);
    gathered_.domains.push_back({domain, std::nullopt});
}

void Dispatcher::recovered(Lane& lane) {
    log::info("relay takes mail again", {{"relay", lane.settings.relay.name}});
    lane.troubles = 0;
    lane.held_until.reset();
    lane.reason.clear();
    lane.noted = false;
}

// Who waits for an answer takes nothing: others may start for what is in the queue, and `status` says what is waited for.
void Dispatcher::watch_openings(Time now) {
    std::set<const Lane*> serving;
    for (auto& [key, connection] : connections_)
        if (connection->session) serving.insert(&connection->lane);
    for (auto& [key, connection] : connections_) {
        auto& lane = connection->lane;
        auto waiting = now - connection->opening_since;
        if (connection->session || waiting < said_after) continue;
        started(*connection);
        bool known = lane.unanswered;
        if (serving.contains(&lane) || !lane.open(now)) continue;
        if (known && waiting < held_after) continue;
        lane.unanswered = true;
        lane.held_until = waiting < held_after ? now : now + held_after;
        lane.reason = fmt::format("connecting to {} since {}, no answer yet", lane.settings.relay.url,
                                  rfc3339(connection->opening_since));
        if (!known) log::warn("relay does not answer", {{"relay", lane.settings.relay.name}, {"reason", lane.reason}});
        lane.noted = false;
        must_ask_ = true;
    }
}

}
