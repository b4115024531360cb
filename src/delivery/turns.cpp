#include "delivery/connection.hpp"
#include "system/log.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

// Whose turn it is: the part of the dispatcher that keeps rates, warm-ups and weights.

namespace postrider::delivery {
namespace {

constexpr double most_ahead = 8; // messages by weight that a relay may be ahead of another

int weight_of(const Lane& lane) { return lane.settings.weight.value_or(1); }

}

// By weight: whether this relay may have the next message, or it is for another that takes mail and has had too few.
bool Dispatcher::has_turn(const Lane& lane, Time now) const {
    if (!weighed_) return true;
    for (auto& other : lanes_) {
        if (&other == &lane || !other.open(now) || other.unanswered || other.troubles > 0) continue;
        if (weight_of(other) == 0) continue;
        if (weight_of(lane) == 0) return false;
        // Who cannot keep up, or has a rate of its own to keep, is not waited for.
        bool keeps_up = now - other.last_taken <= 1s && other.pace.next() <= now;
        if (keeps_up && lane.share >= other.share + most_ahead) return false;
    }
    return true;
}

Time Dispatcher::next_turn(const Lane& lane) const { return std::max(lane.pace.next(), pace_.next()); }

void Dispatcher::spend_turn(Lane& lane, Time now) {
    lane.pace.spend(now);
    pace_.spend(now);
    if (weighed_ && weight_of(lane) != 0) {
        // Back after a pause: what it missed is not made up for.
        if (now - lane.last_taken > 1s)
            for (auto& other : lanes_)
                if (now - other.last_taken <= 1s) lane.share = std::max(lane.share, other.share - most_ahead);
        lane.share += 1.0 / weight_of(lane);
    }
    lane.last_taken = now;
    if (!lane.settings.warm_up) return;
    if (std::exchange(lane.resting, false) && lane.troubles == 0) recovered(lane);
    lane.warm_up = as_of(now, lane.warm_up);
    ++lane.warm_up.sent;
    rest_until_tomorrow(lane, now);
}

// What a warm-up allows for a day has left: the relay is held, which says so and lets another one take over.
void Dispatcher::rest_until_tomorrow(Lane& lane, Time now) {
    if (!lane.settings.warm_up || (lane.resting && !lane.open(now))) return;
    auto today = as_of(now, lane.warm_up);
    auto most = allowance(*lane.settings.warm_up, today.day);
    if (!most || today.sent < *most) return;
    lane.resting = true;
    lane.held_until = tomorrow(now);
    lane.reason = fmt::format("warm-up, day {}: its {} messages have left", today.day, *most);
    lane.noted = false;
    must_ask_ = true;
    log::info("relay rests", {{"relay", lane.settings.relay.name}, {"reason", lane.reason}});
}

int Dispatcher::messages_left(const Connection& connection) const {
    auto most = connection.lane.settings.messages_per_connection;
    return most == 0 ? std::numeric_limits<int>::max() : most - connection.messages;
}

// A domain with a rate: the message's turn, when it is not now. A reader who was put off has had a turn reserved; a letter
// takes the next free one, before everybody who waits. Turns that were missed, while the relay was down, do not come all
// at once.
std::optional<Time> Dispatcher::reserved_place(const Parcel& parcel, Time now) {
    if (settings_.domain_rates.empty()) return std::nullopt;
    bool has_turn = !parcel.mailing || parcel.slice == 0;
    auto domain = domain_of(parcel);
    auto rate = settings_.domain_rates.find(domain);
    if (rate == settings_.domain_rates.end()) return std::nullopt;
    auto& pace = domain_paces_.try_emplace(domain, rate->second).first->second;
    bool free = pace.next() <= now;
    if (!free && !parcel.mailing) return pace.next();
    if (!has_turn || !free) {
        auto& next = domain_turns_[domain];
        auto turn = std::max(next, free ? now : pace.next());
        next = turn + rate->second.per / rate->second.count;
        if (turn > now) return turn;
    }
    pace.spend(now);
    return std::nullopt;
}

// What a quarter of a second carries away, where rates are all that limits it: nobody's state is old when the message
// leaves, and memory stays small.
int Dispatcher::most_to_take(Time now) const {
    constexpr double no_limit = 1e9;
    auto quarter = [](const Pace& pace) { return pace.is_limited() ? std::max(1.0, pace.per_second() / 4) : no_limit; };
    double most = 0;
    for (auto& lane : lanes_)
        if (lane.open(now)) most += quarter(lane.pace);
    return int(std::min({most, quarter(pace_), no_limit}));
}

// False where the database cannot be read now: a relay that is warmed up must not begin at full strength.
boost::asio::awaitable<bool> Dispatcher::remembered_warm_ups() {
    for (auto& lane : lanes_) {
        if (!lane.settings.warm_up) continue;
        auto& name = lane.settings.relay.name;
        auto look = [&name](storage::Connection& connection) { return read_day(connection, name); };
        try {
            auto known = co_await database_.read(look);
            if (known) lane.warm_up = *known;
        } catch (const storage::Error& error) {
            log::error("sending waits: the warm-up of a relay cannot be read",
                       {{"relay", name}, {"reason", error.what()}});
            co_return false;
        }
    }
    co_return true;
}

}
