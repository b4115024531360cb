#include "delivery/dispatcher.hpp"

#include "delivery/connection.hpp"
#include "system/log.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <unistd.h>

namespace postrider::delivery {
namespace {

// Hand over when every busy connection waits, or this many outcomes, or this long a time have gathered: fewer and
// fuller commits.
constexpr std::size_t full_group = 50;
constexpr auto window = std::chrono::milliseconds(1);
constexpr Duration keep_idle_for = 5s;
constexpr Duration domain_probe = 10s; // how long the others wait for the one that tries a domain again
constexpr int most_queued = 32'768;

std::string worker_name() { return fmt::format("process {}", getpid()); }

}

std::string Dispatcher::domain_of(const Parcel& parcel) {
    return std::string(parcel.address->domain_ascii()); // in lower case, as every Address has it
}

Dispatcher::Dispatcher(boost::asio::any_io_executor executor, storage::Database& database, system::Clock& clock,
                       const subscribers::LinkTokens& tokens, Settings settings, std::vector<LaneSettings> relays)
    : executor_(executor), database_(database), clock_(clock), settings_(std::move(settings)),
      intake_(settings_.retry, tokens, worker_name()), signing_(executor, settings_.signers), window_(executor),
      rate_since_(clock.now()) {
    for (auto& relay : relays) {
        auto& lane = lanes_.emplace_back(std::move(relay));
        lane.curl = std::make_unique<system::CurlLoop>(executor);
        weighed_ |= lane.settings.weight.has_value();
    }
    if (settings_.rate) pace_ = Pace(*settings_.rate);
}

Dispatcher::~Dispatcher() = default;

// ---- the group under way

boost::asio::awaitable<void> Dispatcher::run() {
    while (!co_await remembered_warm_ups() && !stop_at_) co_await clock_.sleep_for(1s);
    while (!stop_at_ || !connections_.empty() || !gathered_.empty() || !queue_.empty()) {
        if (!worth_a_group()) {
            boost::asio::post(executor_, [this] { consider(); }); // opens the window, once this coroutine waits
            co_await ready_.wait();
        }
        Group group;
        assemble(group);
        busy_ = true;
        while (!co_await exchanged(group)) {
            if (stop_at_ && clock_.now() >= *stop_at_) {
                auto outcomes =
                    group.records.size() + group.letters.size() + gathered_.records.size() + gathered_.letters.size();
                if (outcomes > 0)
                    log::error("outcomes are lost to the database; their readers get the message again",
                               {{"outcomes", outcomes}});
                co_return;
            }
            co_await clock_.sleep_for(1s);
        }
        busy_ = false;
        distribute(group);
    }
}

// One transaction with the database; false, said once, when it cannot be made.
boost::asio::awaitable<bool> Dispatcher::exchanged(Group& group) {
    auto now = clock_.now();
    auto work = [this, &group, now](storage::Connection& connection) { intake_.exchange(connection, group, now); };
    std::string trouble;
    try {
        co_await database_.write(work);
    } catch (const std::exception& error) {
        trouble = error.what();
    }
    if (trouble != stalled_) {
        if (!trouble.empty())
            log::error("sending stops: outcomes cannot be recorded", {{"reason", trouble}});
        else
            log::info("sending goes on: outcomes are recorded again");
        stalled_ = trouble;
    }
    co_return trouble.empty();
}

int Dispatcher::wanted() const {
    if (!hungry_ || stop_at_) return 0;
    auto now = clock_.now();
    int places = 0;
    for (auto& lane : lanes_)
        if (lane.open(now)) places += lane.allowed();
    if (places == 0) return 0;
    int target = std::min(std::clamp(int(per_second_ / 4), 2 * places, most_queued), most_to_take(now));
    int queued = int(queue_.size());
    return queued < (target + 1) / 2 ? target - queued : 0;
}

void Dispatcher::assemble(Group& group) {
    std::swap(group, gathered_);
    gathered_ = {};
    std::swap(waiting_, waiting_for_this_);
    waiting_.clear();
    group.wanted = wanted();
    must_ask_ = false;
    // Nobody reads a histogram more often than once a second; the last answers of an issue go with its last outcomes.
    auto now = clock_.now();
    if (queue_.empty() || now - answers_written_ >= 1s || now < answers_written_) {
        group.answers = std::exchange(answers_, {});
        answers_written_ = now;
    }
    for (auto& lane : lanes_) {
        if (lane.settings.warm_up && lane.warm_up.day > 0)
            group.days.push_back({lane.settings.relay.name, lane.warm_up});
        if (lane.noted) continue;
        group.relays.push_back({lane.settings.relay.name, lane.held_until, lane.reason});
        lane.noted = true;
    }
}

void Dispatcher::distribute(Group& group) {
    recorded_ += std::int64_t(group.records.size() + group.letters.size());
    if (group.wanted > 0 && !group.more) hungry_ = false;
    if (group.more) hungry_ = must_ask_ = true;
    next_due_ = group.next_due;
    halted_ = {group.halted.begin(), group.halted.end()};
    for (auto& mailing : group.broken)
        if (std::ranges::find(broken_, mailing) == broken_.end()) log::error(mailing);
    broken_ = std::move(group.broken);
    for (auto& parcel : group.parcels) {
        if (stop_at_)
            give_back(std::move(parcel), clock_.now()); // asked for before stop(), come after it
        else
            queue_.push_back(std::move(parcel));
    }
    auto now_durable = std::exchange(waiting_for_this_, {});
    for (auto* connection : now_durable) connection->durable.set();
    staff();
    consider();
}

boost::asio::awaitable<void> Dispatcher::durable(Connection& connection) {
    waiting_.push_back(&connection);
    consider();
    co_await connection.durable.wait();
}

bool Dispatcher::worth_a_group() const {
    auto enough = std::min<std::size_t>(full_group, std::size_t(std::max(active_, 1)));
    return waiting_.size() >= enough || wanted() > 0 || must_ask_;
}

// Hands over now, or within the window; nothing while a group is under way: run() looks again when it is done.
void Dispatcher::consider() {
    if (!ready_.awaited()) return;
    if (worth_a_group()) return ready_.set();
    if ((gathered_.empty() && waiting_.empty()) || std::exchange(window_open_, true)) return;
    window_.expires_after(window);
    window_.async_wait([this](boost::system::error_code error) {
        window_open_ = false;
        if (!error && ready_.awaited()) ready_.set();
    });
}

// ---- the queue

std::unique_ptr<Parcel> Dispatcher::take(Lane& lane) {
    auto now = clock_.now();
    if (!lane.open(now)) return nullptr;
    if (next_turn(lane) > now || !has_turn(lane, now)) return nullptr;
    for (retire_stale(now); !queue_.empty(); retire_stale(now)) {
        auto parcel = std::move(queue_.front());
        queue_.pop_front();
        auto held = domains_.empty() ? domains_.end() : domains_.find(domain_of(*parcel));
        if (held != domains_.end() && held->second.until > now) {
            give_back(std::move(parcel), held->second.until);
            continue;
        }
        if (auto later = reserved_place(*parcel, now)) {
            give_back(std::move(parcel), *later);
            continue;
        }
        if (held != domains_.end()) { // the hold is over: this one tries, the others wait for what becomes of it
            held->second.until = now + domain_probe;
            held->second.probed = true;
        }
        spend_turn(lane, now);
        if (int(queue_.size()) < 64) consider();
        return parcel;
    }
    consider();
    return nullptr;
}

void Dispatcher::give_back(std::unique_ptr<Parcel> parcel, Time not_before) {
    hungry_ = true;
    if (parcel->letter) {
        gathered_.letters.push_back({parcel->letter->id, Outcome::deferred, parcel->number - 1, not_before, ""});
        return;
    }
    not_before = std::min(not_before, parcel->mailing->due_at + settings_.retry.retry_for);
    if (parcel->slice != 0 && not_before > clock_.now()) {
        // A held domain: put off as a row of its own, so that the slice can be finished. No try is counted.
        gathered_.records.push_back({parcel->mailing->id, parcel->reader.subscription, parcel->slice, Outcome::deferred,
                                     0, not_before, false, reason_to_wait(*parcel)});
        return;
    }
    gathered_.given_back.push_back({parcel->mailing->id, parcel->reader.subscription, parcel->slice, not_before});
}

// A reader whose own message met with a policy: after the hold, and after a wait that grows with each such answer.
void Dispatcher::put_off(const Parcel& parcel, const Try& attempt, Time not_before, const std::string& reason) {
    auto now = clock_.now();
    auto end = attempt.first_began + settings_.retry.retry_for;
    if (now >= end) return record(parcel, Expired{reason});
    auto wait = wait_after(attempt.number, attempt.jitter, settings_.retry);
    record(parcel, TryAgain{std::min(std::max(not_before, now + wait), end), reason});
}

std::string Dispatcher::reason_to_wait(const Parcel& parcel) const {
    auto domain = domain_of(parcel);
    return fmt::format("not asked: {} {}", domain, domains_.contains(domain) ? "was held" : "has a rate");
}

void Dispatcher::record(const Parcel& parcel, const Verdict& verdict) {
    struct Fate {
        Outcome outcome;
        std::optional<Time> next_try_at;
        std::string reason;
        bool unknown = false;
    };
    struct Read {
        Fate operator()(const Accepted&) const { return {Outcome::accepted, {}, ""}; }
        Fate operator()(const TryAgain& v) const { return {Outcome::deferred, v.at, v.reason}; }
        Fate operator()(const Refused& v) const { return {Outcome::refused, {}, v.reason}; }
        Fate operator()(const Expired& v) const { return {Outcome::expired, {}, v.reason}; }
        Fate operator()(const Unknown& v) const {
            return {v.again ? Outcome::deferred : Outcome::unknown, v.again, v.reason, true};
        }
        Fate operator()(const Hold&) const { throw std::logic_error("a hold is no outcome of a reader"); }
    };
    auto fate = std::visit(Read{}, verdict);
    if (parcel.letter) {
        if (fate.next_try_at && *fate.next_try_at >= parcel.letter->expires_at)
            fate = {Outcome::expired, {}, fate.reason};
        gathered_.letters.push_back({parcel.letter->id, fate.outcome, parcel.number, fate.next_try_at, fate.reason});
        return;
    }
    bool was_unknown = parcel.was_unknown || fate.unknown;
    if (fate.outcome == Outcome::expired && was_unknown) fate.outcome = Outcome::unknown;
    gathered_.records.push_back({parcel.mailing->id, parcel.reader.subscription, parcel.slice, fate.outcome,
                                 parcel.number, fate.next_try_at, was_unknown, std::move(fate.reason)});
    if (fate.next_try_at && (!next_due_ || *fate.next_try_at < *next_due_)) next_due_ = fate.next_try_at;
}

// ---- connections

void Dispatcher::staff() {
    auto now = clock_.now();
    std::vector<Connection*> wake; // a woken connection may come to its end at once, so the map is not walked meanwhile
    for (auto& [key, connection] : connections_)
        if (wake.size() < queue_.size() && connection->idle && connection->work.awaited() &&
            connection->lane.open(now) && has_turn(connection->lane, now))
            wake.push_back(key);
    for (auto* connection : wake)
        if (connections_.contains(connection) && connection->work.awaited()) connection->work.set();
    for (auto& lane : lanes_) {
        if (lane.unanswered && lane.connections > 0) continue;
        rest_until_tomorrow(lane, now);
        while (lane.open(now) && has_turn(lane, now) && lane.connections < lane.allowed() &&
               queue_.size() > std::size_t(starting_) && !stop_at_)
            spawn(lane);
    }
}

void Dispatcher::spawn(Lane& lane) {
    auto owned = std::make_unique<Connection>(lane);
    auto& connection = *owned;
    connections_.emplace(&connection, std::move(owned));
    connection.opening_since = clock_.now();
    connection.starting = true;
    ++lane.connections;
    ++starting_;
    auto ended = [this, &connection](std::exception_ptr error) { end(connection, error); };
    boost::asio::co_spawn(executor_, converse(connection),
                          boost::asio::bind_cancellation_slot(connection.opening.slot(), ended));
}

void Dispatcher::started(Connection& connection) {
    if (std::exchange(connection.starting, false)) --starting_;
}

void Dispatcher::end(Connection& connection, std::exception_ptr error) {
    bool called_off = stop_at_ && !connection.session; // by stop()
    if (error && !called_off) {
        try {
            std::rethrow_exception(error);
        } catch (const std::exception& problem) {
            log::error("connection failed",
                       {{"relay", connection.lane.settings.relay.name}, {"reason", problem.what()}});
            // What the database has to say of a reader is no news about the relay.
            if (!dynamic_cast<const storage::Error*>(&problem))
                hold(connection.lane, unreachable_for(connection.lane.troubles + 1), problem.what());
        }
    }
    started(connection);
    auto now = clock_.now();
    if (connection.now) give_back(std::move(connection.now), now);
    if (connection.next) give_back(std::move(connection.next), now);
    --connection.lane.connections;
    connections_.erase(&connection);
    if (!queue_.empty() && !stop_at_) boost::asio::post(executor_, [this] { staff(); }); // another one goes on
    consider();
    if (stop_at_ && connections_.empty() && ready_.awaited()) ready_.set();
}

void Dispatcher::tick(bool database_changed) {
    auto now = clock_.now();
    if (now - rate_since_ >= 500ms) {
        per_second_ = double(recorded_ - rate_from_) * 1000 / double((now - rate_since_).count());
        rate_from_ = recorded_;
        rate_since_ = now;
    } else if (now < rate_since_)
        rate_since_ = now; // the clock was set back

    if (database_changed || (next_due_ && *next_due_ <= now)) hungry_ = must_ask_ = true;
    std::erase_if(domains_, [&](auto& held) { return held.second.until + 1h < now; });
    std::vector<Connection*> leaving;
    for (auto& [key, connection] : connections_) {
        if (connection->session) connection->session->expire(now);
        bool leave = stop_at_ || now - connection->idle_since > keep_idle_for;
        if (connection->idle && leave && connection->work.awaited()) {
            connection->idle = false; // it says goodbye
            leaving.push_back(key);
        }
    }
    for (auto* connection : leaving)
        if (connections_.contains(connection)) connection->work.set();
    if (stop_at_ && now >= *stop_at_) give_up();
    watch_openings(now);
    retire_stale(now);
    staff();
    consider();
}

// What waited in the queue for longer than a reader's state is good for goes back; it is read again when somebody can
// take it.
void Dispatcher::retire_stale(Time now) {
    auto stale = [&](const Parcel& parcel) {
        return parcel.mailing && (now - parcel.read_at > fresh_for || halted_.contains(parcel.mailing->id));
    };
    for (; !queue_.empty() && stale(*queue_.front()); queue_.pop_front()) give_back(std::move(queue_.front()), now);
}

void Dispatcher::give_up() {
    auto on_their_way = std::ranges::count_if(connections_, [](auto& entry) { return entry.second->now != nullptr; });
    if (on_their_way > 0 && !std::exchange(gave_up_, true))
        log::warn("messages on their way were given up", {{"messages", on_their_way}});
    for (auto& [key, connection] : connections_)
        if (connection->session) connection->session->expire(Time::max());
}

void Dispatcher::stop(Duration limit) {
    auto now = clock_.now();
    stop_at_ = now + limit;
    for (; !queue_.empty(); queue_.pop_front()) give_back(std::move(queue_.front()), now);
    // A greeting may take five minutes (RFC 5321 section 4.5.3.2.1), and nothing is on its way before it has come.
    std::vector<Connection*> opening; // one may come to its end at once, so the map is not walked meanwhile
    for (auto& [key, connection] : connections_)
        if (!connection->session) opening.push_back(key);
    for (auto* connection : opening)
        if (connections_.contains(connection)) connection->opening.emit(boost::asio::cancellation_type::terminal);
    tick(true);
}

bool Dispatcher::idle() const {
    return queue_.empty() && connections_busy() == 0 && !hungry_ && gathered_.empty() && !busy_ && stalled_.empty();
}

bool Dispatcher::all_held() const {
    auto now = clock_.now();
    return connections_.empty() && gathered_.empty() && !busy_ &&
           std::ranges::none_of(lanes_, [&](auto& lane) { return lane.open(now); });
}

int Dispatcher::connections_busy() const {
    return int(std::ranges::count_if(connections_, [](auto& entry) { return !entry.second->idle; }));
}

std::vector<LaneStatus> Dispatcher::lanes() const {
    std::vector<LaneStatus> statuses;
    for (auto& lane : lanes_)
        statuses.push_back({lane.settings.relay.name, lane.connections, lane.held_until, lane.reason});
    return statuses;
}

}
