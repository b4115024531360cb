#include "delivery/connection.hpp"
#include "system/log.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

// Whose turn it is: the part of the dispatcher that keeps rates, warm-ups and weights.

namespace postrider::delivery {
namespace {

constexpr double most_ahead = 8; // messages by weight that a relay may be ahead of another

}

// By weight: whether this relay may have the next message, or it is for another that takes mail and has had too few.
bool Dispatcher::has_turn(const Lane& lane, Time now) const {
    if (!weighed_) return true;
    auto weight_of = [](const Turns& turns) { return turns.settings.weight.value_or(1); };
    auto& mine = turns_.at(&lane);
    for (auto& other : lanes_) {
        if (&other == &lane || !other.open(now) || unanswered_.contains(&other) || other.troubles > 0) continue;
        auto& theirs = turns_.at(&other);
        if (weight_of(theirs) == 0) continue;
        if (weight_of(mine) == 0) return false;
        // Who cannot keep up, or has a rate of its own to keep, is not waited for.
        bool keeps_up = now - theirs.last <= 1s && other.next_allowed() <= now;
        if (keeps_up && mine.share >= theirs.share + most_ahead) return false;
    }
    return true;
}

Time Dispatcher::next_turn(const Lane& lane) const { return std::max(lane.next_allowed(), pace_.next()); }

void Dispatcher::spend_turn(Lane& lane, Time now) {
    lane.spend(now);
    pace_.spend(now);
    auto& turns = turns_.at(&lane);
    if (weighed_ && turns.settings.weight != 0) {
        // Back after a pause: what it missed is not made up for.
        if (now - turns.last > 1s)
            for (auto& [other, theirs] : turns_)
                if (now - theirs.last <= 1s) turns.share = std::max(turns.share, theirs.share - most_ahead);
        turns.share += 1.0 / turns.settings.weight.value_or(1);
    }
    turns.last = now;
    if (!turns.settings.warm_up) return;
    if (std::exchange(turns.resting, false) && lane.troubles == 0) recovered(lane);
    turns.warm_up = as_of(now, turns.warm_up);
    ++turns.warm_up.sent;
    rest_until_tomorrow(lane, now);
}

// What a warm-up allows for a day has left: the relay is held, which says so and lets another one take over.
void Dispatcher::rest_until_tomorrow(Lane& lane, Time now) {
    auto& turns = turns_.at(&lane);
    if (!turns.settings.warm_up || (turns.resting && !lane.open(now))) return;
    auto today = as_of(now, turns.warm_up);
    auto most = allowance(*turns.settings.warm_up, today.day);
    if (!most || today.sent < *most) return;
    turns.resting = true;
    lane.held_until = tomorrow(now);
    lane.reason = fmt::format("warm-up, day {}: its {} messages have left", today.day, *most);
    lane.noted = false;
    must_ask_ = true;
    log::info("relay rests", {{"relay", lane.settings.relay.name}, {"reason", lane.reason}});
}

int Dispatcher::messages_left(const Connection& connection) const {
    auto most = turns_.at(&connection.lane).settings.messages_per_connection;
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
    double most = 0;
    for (auto& lane : lanes_) {
        if (!lane.open(now)) continue;
        most += lane.settings.per_second > 0 ? std::max(1.0, lane.settings.per_second / 4) : no_limit;
    }
    if (settings_.rate) {
        auto per_second = double(settings_.rate->count) * 1000 / double(settings_.rate->per.count());
        most = std::min(most, std::max(1.0, per_second / 4));
    }
    return int(std::min(most, no_limit));
}

// False where the database cannot be read now: a relay that is warmed up must not begin at full strength.
boost::asio::awaitable<bool> Dispatcher::remembered_warm_ups() {
    for (auto& [lane, turns] : turns_) {
        if (!turns.settings.warm_up) continue;
        auto name = lane->settings.relay.name;
        auto look = [name](storage::Connection& connection) {
            return connection.first(
                "SELECT date, day, sent FROM relay_day WHERE name = $1",
                [](const storage::Row& row) {
                    return DayCount{row.get<std::int64_t>(0), int(row.get<std::int64_t>(1)), row.get<std::int64_t>(2)};
                },
                name);
        };
        try {
            auto known = co_await database_.read(look);
            if (known) turns.warm_up = *known;
        } catch (const storage::Error& error) {
            log::error("sending waits: the warm-up of a relay cannot be read",
                       {{"relay", name}, {"reason", error.what()}});
            co_return false;
        }
    }
    co_return true;
}

}
