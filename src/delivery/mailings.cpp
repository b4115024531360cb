#include "delivery/mailings.hpp"

#include "delivery/waves.hpp"
#include "schedule/zone.hpp"
#include "subscribers/audience.hpp"
#include "subscribers/lists.hpp"
#include "system/fault_point.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace postrider::delivery {
namespace {

constexpr std::array<std::string_view, 5> state_names = {"scheduled", "sending", "paused", "sent", "cancelled"};
constexpr std::array<std::string_view, 6> outcome_names = {"deferred",   "accepted", "refused",
                                                           "suppressed", "expired",  "unknown"};

Mailing mailing_in(const storage::Row& row) {
    return {row.get<MailingId>(0),
            row.get<ListId>(1),
            mailing_state_from(row.text(2)),
            row.get<Time>(3),
            row.get<std::optional<Time>>(4),
            row.get<std::optional<Time>>(5),
            row.get<std::optional<std::int64_t>>(6),
            row.get<std::optional<std::int64_t>>(7),
            row.get<std::optional<Time>>(8)};
}

}

std::string_view to_text(MailingState state) { return state_names[std::size_t(state)]; }
std::string_view to_text(Outcome outcome) { return outcome_names[std::size_t(outcome)]; }

MailingState mailing_state_from(std::string_view word) {
    auto found = std::ranges::find(state_names, word);
    if (found == state_names.end())
        throw storage::Error(storage::Error::Kind::other, fmt::format("\"{}\" is no state of a mailing", word));
    return MailingState(found - state_names.begin());
}

bool Balance::balanced() const {
    if (pending() < 0) return false;
    return state != MailingState::sent || (pending() == 0 && deferred == 0);
}

MailingId Mailings::add(ListId list, std::string_view message, Time now, std::optional<Time> local_slot) {
    storage::Transaction transaction(connection_);
    auto id =
        connection_
            .value<MailingId>("INSERT INTO mailing (list_id, created_at, local_slot) VALUES ($1, $2, $3) RETURNING id",
                              list, now, local_slot)
            .value();
    connection_.run("INSERT INTO mailing_message (mailing_id, message) VALUES ($1, $2)", id, message);
    transaction.commit();
    return id;
}

std::optional<Mailing> Mailings::find(MailingId id) {
    return connection_.first(R"sql(
        SELECT id, list_id, state, created_at, started_at, finished_at, ceiling, planned, local_slot
        FROM mailing WHERE id = $1)sql",
                             mailing_in, id);
}

std::string Mailings::message(MailingId id) {
    return connection_.value<std::string>("SELECT message FROM mailing_message WHERE mailing_id = $1", id).value();
}

std::vector<Mailing> Mailings::open() {
    return connection_.all(R"sql(
        SELECT id, list_id, state, created_at, started_at, finished_at, ceiling, planned, local_slot
        FROM mailing WHERE finished_at IS NULL ORDER BY list_id, id)sql",
                           mailing_in);
}

bool Mailings::start(MailingId id, Time now) {
    storage::Transaction transaction(connection_);
    auto mailing = find(id);
    if (!mailing || mailing->state != MailingState::scheduled) return false;
    auto earlier = connection_.value<MailingId>(
        "SELECT id FROM mailing WHERE list_id = $1 AND finished_at IS NULL AND state <> 'scheduled' LIMIT 1",
        mailing->list);
    if (earlier) return false;

    auto audience = subscribers::fix_audience(connection_, mailing->list, now);
    system::fault_point("audience half fixed");
    connection_.run(R"sql(
        UPDATE mailing SET state = 'sending', started_at = $2, ceiling = $3, planned = $4 WHERE id = $1)sql",
                    id, audience.fixed_at, audience.ceiling, audience.planned);
    if (mailing->local_slot) {
        auto list = subscribers::Lists(connection_).find(mailing->list).value();
        if (auto zone = schedule::Zone::find(list.timezone))
            keep_waves(connection_, id, waves_at(*mailing->local_slot, *zone, subscribers::zones_in_use(connection_)));
    }
    transaction.commit();
    return true;
}

bool Mailings::pause(MailingId id) {
    return connection_.run("UPDATE mailing SET state = 'paused' WHERE id = $1 AND state = 'sending'", id) == 1;
}

bool Mailings::resume(MailingId id) {
    return connection_.run("UPDATE mailing SET state = 'sending' WHERE id = $1 AND state = 'paused'", id) == 1;
}

bool Mailings::cancel(MailingId id, Time now) {
    return connection_.run(R"sql(
        UPDATE mailing SET state = 'cancelled', finished_at = $2
        WHERE id = $1 AND state IN ('scheduled', 'sending', 'paused'))sql",
                           id, now) == 1;
}

void Mailings::finish(MailingId id, Time now) {
    connection_.run("UPDATE mailing SET state = 'sent', finished_at = $2 WHERE id = $1 AND state = 'sending'", id, now);
}

bool Mailings::anything_sent(MailingId id) {
    return connection_.value<std::int64_t>("SELECT 1 FROM delivery WHERE mailing_id = $1 LIMIT 1", id).has_value() ||
           connection_.value<std::int64_t>("SELECT 1 FROM slice WHERE mailing_id = $1 LIMIT 1", id).has_value();
}

Balance Mailings::progress(MailingId id) {
    Balance balance;
    connection_.each(
        "SELECT state, planned FROM mailing WHERE id = $1",
        [&](const storage::Row& row) {
            balance.state = mailing_state_from(row.text(0));
            balance.planned = row.get<std::optional<std::int64_t>>(1).value_or(0);
        },
        id);
    count(id, balance);
    balance.next_try_at = *connection_.value<std::optional<Time>>(
        "SELECT min(next_try_at) FROM delivery WHERE mailing_id = $1 AND state = 'deferred'", id);
    return balance;
}

// One statement, so that all its numbers are of one moment.
void Mailings::count(MailingId id, Balance& balance) {
    std::array<std::int64_t*, 6> counts = {&balance.deferred,   &balance.accepted, &balance.refused,
                                           &balance.suppressed, &balance.expired,  &balance.unknown};
    std::int64_t outcomes = 0, eventful = 0;
    auto span = [&](std::optional<Time> first, std::optional<Time> last) {
        if (first) balance.first_sent_at = std::min(*first, balance.first_sent_at.value_or(*first));
        if (last) balance.last_sent_at = std::max(*last, balance.last_sent_at.value_or(*last));
    };
    auto add = [&](const storage::Row& row) {
        auto what = row.text(0);
        bool of_slices = what == "slices";
        if (of_slices)
            outcomes += row.integer(1);
        else {
            *counts[std::size_t(std::ranges::find(outcome_names, what) - outcome_names.begin())] = row.integer(1);
            eventful += row.integer(1);
            balance.attempts += row.integer(2);
        }
        if (of_slices || what == "accepted") span(row.get<std::optional<Time>>(3), row.get<std::optional<Time>>(4));
    };
    // A slice without a count is unfinished, or was finished by a program that did not count.
    connection_.each(R"sql(
        SELECT 'slices', coalesce(sum(readers), 0), 0, min(first_at), max(last_at) FROM slice
        WHERE mailing_id = $1 AND readers IS NOT NULL
        UNION ALL
        SELECT 'slices', count(*), 0, min(CASE WHEN d.state = 'accepted' AND d.tries = 1 THEN d.at END),
               max(CASE WHEN d.state = 'accepted' AND d.tries = 1 THEN d.at END)
        FROM slice JOIN delivery d
            ON d.mailing_id = slice.mailing_id AND d.subscription_id BETWEEN slice.first_id AND slice.last_id
        WHERE slice.mailing_id = $1 AND slice.readers IS NULL
        UNION ALL
        SELECT state, count(*), sum(tries), min(at), max(at) FROM delivery
        WHERE mailing_id = $1 AND (state <> 'accepted' OR tries <> 1) GROUP BY state)sql",
                     add, id);
    balance.accepted += outcomes - eventful;
    balance.attempts += outcomes - eventful;
}

Balance Mailings::balance(MailingId id) {
    auto balance = progress(id);
    reasons(id, "('refused', 'expired')", balance.refusals, balance.other_refusals);
    reasons(id, "('deferred')", balance.deferrals, balance.other_deferrals);
    reasons(id, "('suppressed')", balance.suppressions, balance.other_suppressions);
    return balance;
}

void Mailings::reasons(MailingId id, std::string_view states, std::vector<Refusal>& commonest, Others& others) {
    constexpr std::size_t most = 100;
    auto add = [&](const storage::Row& row) {
        if (commonest.size() < most) return commonest.push_back({row.get<std::string>(0), row.integer(1)});
        ++others.reasons;
        others.count += row.integer(1);
    };
    auto sql = fmt::format(R"sql(
        SELECT reason, count(*) FROM delivery
        WHERE mailing_id = $1 AND (state <> 'accepted' OR tries <> 1) AND state IN {} AND reason IS NOT NULL
        GROUP BY reason ORDER BY count(*) DESC, reason)sql",
                           states);
    connection_.each(sql, add, id);
}

}
