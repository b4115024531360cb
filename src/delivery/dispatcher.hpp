#pragma once

#include "delivery/intake.hpp"
#include "delivery/lane.hpp"
#include "delivery/pace.hpp"
#include "delivery/signing.hpp"
#include "smtp/session.hpp"
#include "storage/database.hpp"
#include "subscribers/link_tokens.hpp"
#include "system/clock.hpp"
#include "system/rate.hpp"
#include "system/signal.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

// Issue x audience -> sent, later or never: the loop's side of sending.
//
// In:     what Intake says is due; the relays.
// Out:    one outcome for each reader, committed; letters before issues.
// Always: a connection's outcome is on disk before its next body leaves (promise 1: a kill -9 loses nobody, and can
// double at most
//         the one message in flight on each connection). Power cut: commits are synchronous=FULL, so "committed" is "on
//         disk". Outcomes share a transaction for at most a millisecond. When the database cannot take them, sending
//         stops within one group and goes on by itself when it can. A reader's state was read at most a second before
//         the body leaves.
// Threads: everything here runs on one executor; only exchange() visits the writing thread.

namespace postrider::delivery {

struct Settings {
    RetrySettings retry;
    std::string site_url; // without a slash at its end
    std::map<std::string, Rate> domain_rates;
    std::optional<Rate> rate{};                                       // of all mail together
    std::shared_ptr<const std::vector<mail::dkim::Signer>> signers{}; // null: the relay signs
};

struct LaneStatus {
    std::string name;
    int connections;
    std::optional<Time> held_until;
    std::string reason;
};

class Dispatcher {
public:
    // All references must outlive the dispatcher.
    Dispatcher(boost::asio::any_io_executor executor, storage::Database& database, system::Clock& clock,
               const subscribers::LinkTokens& tokens, Settings settings, std::vector<LaneSettings> relays);
    ~Dispatcher();

    // The exchange with the database, until stop() has done its work. Spawn it once.
    boost::asio::awaitable<void> run();

    // Some five times a second: notices what became due, ends waits past their deadline. `database_changed`: another
    // process committed.
    void tick(bool database_changed);

    // Nothing more is taken; messages on their way may finish until `limit` has passed. Then run() returns.
    void stop(Duration limit);

    // Many connections send, and the relay is slower than we are: a short pause between two turns of the loop lets replies collect,
    // which saves a wake-up for each (measured: a fifth more messages, and per CPU-second too; on a quicker relay it costs).
    [[nodiscard]] bool lets_replies_collect() const {
        return active_ >= 8 && per_second_ > 500 && per_second_ < 30'000;
    }

    [[nodiscard]] bool idle() const;     // nothing is on its way or due now
    [[nodiscard]] bool all_held() const; // nobody takes mail for the moment, and nothing is on its way
    [[nodiscard]] std::vector<LaneStatus> lanes() const;
    [[nodiscard]] const std::string& stalled() const {
        return stalled_;
    } // why nothing can be recorded; empty: all is well
    [[nodiscard]] const std::vector<std::string>& broken() const { return broken_; } // mailings that cannot be sent
    [[nodiscard]] std::int64_t recorded() const { return recorded_; }

private:
    struct Connection;

    // The conversation of one connection: conversation.cpp.
    boost::asio::awaitable<void> converse(Connection& connection);
    boost::asio::awaitable<void> make_good(Connection& connection, const smtp::SessionLost& lost);
    enum class Ending { farewell, hang_up };
    boost::asio::awaitable<Ending> transmit(Connection& connection);
    boost::asio::awaitable<bool> next_parcel(Connection& connection);
    boost::asio::awaitable<bool> still_wanted(Connection& connection);
    [[nodiscard]] bool compose(const Parcel& parcel, Connection& connection);
    smtp::Envelope envelope(const Parcel& parcel, Connection& connection);
    std::optional<smtp::Envelope> following_envelope(Connection& connection);
    boost::asio::awaitable<void> settle(Connection& connection, Parcel& parcel, smtp::Stage stage,
                                        const smtp::Reply* reply, bool after_dot);

    // The queue.
    std::unique_ptr<Parcel> take(Lane& lane);
    [[nodiscard]] static std::string domain_of(const Parcel& parcel);
    [[nodiscard]] std::string reason_to_wait(const Parcel& parcel) const;
    void put_off(const Parcel& parcel, const Try& attempt, Time not_before, const std::string& reason);
    void give_back(std::unique_ptr<Parcel> parcel, Time not_before);
    void staff();
    void give_up();
    void retire_stale(Time now);
    void spawn(Lane& lane);
    void started(Connection& connection);
    void end(Connection& connection, std::exception_ptr error);
    void record(const Parcel& parcel, const Verdict& verdict);

    // Relays and domains that are left alone: patience.cpp.
    void hold(Lane& lane, Duration length, std::string reason);
    Time hold_domain(const std::string& domain, std::string reason, Time now); // until when
    void domain_recovered(const std::string& domain, Time now);
    void recovered(Lane& lane);
    void watch_openings(Time now);

    // Rates, warm-ups and weights: turns.cpp.
    [[nodiscard]] bool has_turn(const Lane& lane, Time now) const;
    [[nodiscard]] Time next_turn(const Lane& lane) const;
    void spend_turn(Lane& lane, Time now);
    void rest_until_tomorrow(Lane& lane, Time now);
    [[nodiscard]] int messages_left(const Connection& connection) const;
    std::optional<Time> reserved_place(const Parcel& parcel, Time now);
    [[nodiscard]] int most_to_take(Time now) const;
    boost::asio::awaitable<bool> remembered_warm_ups();

    // The group under way.
    boost::asio::awaitable<void> durable(Connection& connection);
    void consider();
    [[nodiscard]] bool worth_a_group() const;
    boost::asio::awaitable<bool> exchanged(Group& group);
    void assemble(Group& group);
    void distribute(Group& group);
    [[nodiscard]] int wanted() const;
    [[nodiscard]] int connections_busy() const;

    boost::asio::any_io_executor executor_;
    storage::Database& database_;
    system::Clock& clock_;
    Settings settings_;
    Intake intake_;
    Signing signing_;
    std::deque<Lane> lanes_;
    std::map<Connection*, std::unique_ptr<Connection>> connections_;
    std::unordered_map<std::string, DomainHold> domains_; // held ones
    std::unordered_map<std::string, Time> domain_turns_;  // the next free one
    std::unordered_map<std::string, Pace> domain_paces_;  // what has left: turns that were missed come one by one

    bool weighed_ = false; // some relay has a weight
    Pace pace_;            // of all mail together

    std::deque<std::unique_ptr<Parcel>> queue_;
    std::set<MailingId> halted_; // paused or cancelled
    Group gathered_;
    AnswerTimes answers_; // since answers_written_
    Time answers_written_;
    std::vector<Connection*> waiting_;          // for gathered_ to be durable
    std::vector<Connection*> waiting_for_this_; // for the group under way
    bool busy_ = false;                         // a group is with the database
    bool window_open_ = false;
    bool must_ask_ = true; // states may have changed, or something became due
    bool hungry_ = true;   // there may be something to send that we have not asked for
    int starting_ = 0;     // connections that are being opened
    int active_ = 0;       // connections that will soon bring an outcome
    std::optional<Time> next_due_;
    std::optional<Time> stop_at_;
    boost::asio::steady_timer window_;
    system::Signal ready_;
    bool gave_up_ = false;
    std::string stalled_;
    std::vector<std::string> broken_;
    std::int64_t recorded_ = 0;
    double per_second_ = 0; // recent rate
    Time rate_since_;
    std::int64_t rate_from_ = 0;
    std::uint64_t jitter_ = 0x9e3779b97f4a7c15;
};

}
