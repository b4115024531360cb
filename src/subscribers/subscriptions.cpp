#include "subscribers/subscriptions.hpp"

#include "subscribers/audience.hpp"
#include "subscribers/consent.hpp"
#include "subscribers/suppressions.hpp"

#include <algorithm>
#include <array>

namespace postrider::subscribers {
namespace {

constexpr std::array<std::string_view, 4> left_reasons = {"often", "content", "never", "other"};

struct Stretch {
    ListId list;
    std::optional<SubscriberId> subscriber;
    std::string address_key;
    std::optional<Time> left_at;
    std::string left_how;
    std::optional<SubscriptionId> moved_to;
};

std::optional<Stretch> stretch(storage::Connection& connection, SubscriptionId id) {
    return connection.first(
        R"sql(SELECT s.list_id, s.subscriber_id, coalesce(p.address_key, ''), s.left_at, coalesce(s.left_how, ''),
                     s.moved_to
              FROM subscription s LEFT JOIN subscriber p ON p.id = s.subscriber_id WHERE s.id = $1)sql",
        [](const storage::Row& row) {
            return Stretch{row.get<ListId>(0),      row.get<std::optional<SubscriberId>>(1),
                           row.get<std::string>(2), row.get<std::optional<Time>>(3),
                           row.get<std::string>(4), row.get<std::optional<SubscriptionId>>(5)};
        },
        id);
}

// Where the reader of this stretch is now: under the address that they changed to, and changed to again.
std::optional<Stretch> newest_of(storage::Connection& connection, SubscriptionId id) {
    constexpr int most_moves = 100;
    auto found = stretch(connection, id);
    for (int moves = 0; found && found->moved_to && moves < most_moves; ++moves) {
        auto next = stretch(connection, *found->moved_to);
        if (!next) break;
        found = next;
    }
    return found;
}

bool is_own_leaving(const std::optional<Stretch>& stretch, Time now) {
    return stretch && stretch->subscriber && !stretch->moved_to &&
           (stretch->left_how == "page" || stretch->left_how == "one-click") && now - *stretch->left_at <= undo_within;
}

std::optional<SubscriptionId> open_stretch(storage::Connection& connection, ListId list, SubscriberId subscriber) {
    return connection.value<SubscriptionId>(
        "SELECT id FROM subscription WHERE subscriber_id = $1 AND list_id = $2 AND left_at IS NULL", subscriber, list);
}

}

std::string_view to_text(LeftHow how) {
    switch (how) {
    case LeftHow::page: return "page";
    case LeftHow::one_click: return "one-click";
    case LeftHow::mail: return "mail";
    case LeftHow::operator_: return "operator";
    case LeftHow::suppressed: return "suppressed";
    case LeftHow::erased: return "erased";
    }
    return {};
}

std::string_view to_text(LeftReason reason) { return left_reasons[std::size_t(reason)]; }

std::optional<LeftReason> parse_left_reason(std::string_view text) {
    auto found = std::ranges::find(left_reasons, text);
    if (found == left_reasons.end()) return std::nullopt;
    return LeftReason(found - left_reasons.begin());
}

std::string_view to_text(SubscriptionState state) {
    switch (state) {
    case SubscriptionState::pending: return "pending";
    case SubscriptionState::active: return "active";
    case SubscriptionState::unsubscribed: return "unsubscribed";
    }
    return {};
}

Activated activate(storage::Connection& connection, ListId list, const mail::Address& address, const Profile& profile,
                   const std::optional<std::string>& topics, Time now) {
    // The counter first, so that this waits for an audience that is being fixed, and the next one for this.
    connection.run("UPDATE list_counter SET active = active + 1 WHERE list_id = $1", list);
    auto subscriber = Subscribers(connection).keep(address, profile, now);
    auto made = connection.value<SubscriptionId>(
        R"sql(INSERT INTO subscription (list_id, subscriber_id, activated_at, topics)
              VALUES ($1, $2, $3, coalesce($4, (SELECT topics FROM subscription
                                                WHERE subscriber_id = $2 AND list_id = $1 ORDER BY id DESC LIMIT 1), ''))
              ON CONFLICT (subscriber_id, list_id) WHERE left_at IS NULL DO NOTHING RETURNING id)sql",
        list, subscriber, now, topics);
    if (made) return {*made, subscriber, true};
    connection.run("UPDATE list_counter SET active = active - 1 WHERE list_id = $1", list);
    auto open = open_stretch(connection, list, subscriber).value();
    if (topics) connection.run("UPDATE subscription SET topics = $2 WHERE id = $1", open, *topics);
    return {open, subscriber, false};
}

bool close_stretch(storage::Connection& connection, ListId list, SubscriberId subscriber, LeftHow how, Time now) {
    auto at = moment_of_leaving(connection, list, now);
    auto closed = connection.run(
        R"sql(UPDATE subscription SET left_at = $1, left_how = $2
              WHERE subscriber_id = $3 AND list_id = $4 AND left_at IS NULL)sql",
        at, to_text(how), subscriber, list);
    if (closed) connection.run("UPDATE list_counter SET active = active - 1 WHERE list_id = $1", list);
    return closed > 0;
}

LeaveResult Subscriptions::leave(SubscriptionId id, LeftHow how, std::string_view client, Time now) {
    storage::Transaction transaction(connection_);
    LeaveResult result{LeaveResult::What::unknown, {}};
    if (auto old = newest_of(connection_, id)) {
        result = {LeaveResult::What::already, old->list};
        if (old->subscriber && close_stretch(connection_, old->list, *old->subscriber, how, now)) {
            result.what = LeaveResult::What::left;
            record_consent(connection_,
                           {old->list, old->address_key, ConsentEvent::left, now, {}, client, to_text(how)});
        }
    }
    transaction.commit();
    return result;
}

bool Subscriptions::come_back(SubscriptionId id, std::string_view client, Time now) {
    storage::Transaction transaction(connection_);
    auto old = stretch(connection_, id);
    bool back = false;
    if (is_own_leaving(old, now)) {
        auto person = Subscribers(connection_).find(*old->subscriber);
        auto address = mail::parse_address(person->address);
        if (address && !Suppressions(connection_, tokens_).contains(*address)) {
            back = activate(connection_, old->list, *address, {}, std::nullopt, now).fresh;
            if (back)
                record_consent(connection_, {old->list, old->address_key, ConsentEvent::confirmed, now,
                                             "the reader took the leaving back", client, "page"});
        }
    }
    transaction.commit();
    return back;
}

void Subscriptions::say_why(SubscriptionId id, LeftReason reason) {
    connection_.run(R"sql(
        UPDATE subscription SET left_reason = $2
        WHERE left_at IS NOT NULL AND id = (SELECT max(n.id) FROM subscription s JOIN subscription n
            ON n.subscriber_id = s.subscriber_id AND n.list_id = s.list_id WHERE s.id = $1))sql",
                    id, to_text(reason));
}

std::vector<Subscriptions::Reasons> Subscriptions::reasons_for_leaving(ListId list) {
    return connection_.all(
        R"sql(SELECT left_reason, count(*) FROM subscription WHERE list_id = $1 AND left_reason IS NOT NULL
              GROUP BY left_reason ORDER BY count(*) DESC, left_reason)sql",
        [](const storage::Row& row) { return Reasons{parse_left_reason(row.text(0)).value(), row.integer(1)}; }, list);
}

bool Subscriptions::may_come_back(SubscriptionId id, Time now) { return is_own_leaving(stretch(connection_, id), now); }

AddResult Subscriptions::add(ListId list, const mail::Address& address, const Profile& profile, std::string_view basis,
                             std::string_view form, Time now, const std::optional<std::string>& topics) {
    storage::Transaction transaction(connection_);
    AddResult result{AddResult::What::suppressed, std::nullopt};
    if (!Suppressions(connection_, tokens_).contains(address)) {
        auto activated = activate(connection_, list, address, profile, topics, now);
        result = {activated.fresh ? AddResult::What::added : AddResult::What::already, activated.subscription};
        if (activated.fresh)
            record_consent(connection_, {list, address.key(), ConsentEvent::added, now, basis, {}, form});
    }
    transaction.commit();
    return result;
}

bool Subscriptions::remove(ListId list, const mail::Address& address, Time now) {
    storage::Transaction transaction(connection_);
    auto key = address.key();
    auto subscriber = connection_.value<SubscriberId>("SELECT id FROM subscriber WHERE address_key = $1", key);
    bool removed = subscriber && close_stretch(connection_, list, *subscriber, LeftHow::operator_, now);
    if (removed) record_consent(connection_, {list, key, ConsentEvent::left, now, {}, {}, "operator"});
    auto waiting = connection_.run(
        "DELETE FROM sign_up WHERE list_id = $1 AND address_key = $2 AND confirmed_at IS NULL", list, key);
    transaction.commit();
    return removed || waiting > 0;
}

void Subscriptions::choose_topics(SubscriptionId id, std::string_view topics) {
    connection_.run("UPDATE subscription SET topics = $2 WHERE id = $1 AND left_at IS NULL", id, topics);
}

std::optional<SubscriptionId> Subscriptions::active(ListId list, const mail::Address& address) {
    return connection_.value<SubscriptionId>(
        R"sql(SELECT s.id FROM subscriber p JOIN subscription s ON s.subscriber_id = p.id
              WHERE p.address_key = $1 AND s.list_id = $2 AND s.left_at IS NULL)sql",
        address.key(), list);
}

std::vector<Membership> Subscriptions::of(const mail::Address& address, Time now) {
    std::vector<Membership> memberships;
    auto keep = [&](const storage::Row& row) {
        Membership one{row.get<ListId>(0), row.get<std::string>(1), SubscriptionState::pending, row.get<Time>(2),
                       std::nullopt};
        auto left_at = row.get<std::optional<Time>>(3);
        bool waiting = row.get<bool>(5);
        if (!waiting) one.state = left_at ? SubscriptionState::unsubscribed : SubscriptionState::active;
        if (left_at) one.since = *left_at;
        one.left_how = row.get<std::optional<std::string>>(4);
        one.topics = row.get<std::string>(8);
        // Rows of one list come newest first, a sign-up that waits before the stretches it would follow.
        if (memberships.empty() || memberships.back().list != one.list) memberships.push_back(std::move(one));
    };
    connection_.each(
        R"sql(SELECT s.list_id, l.slug, s.activated_at, s.left_at, s.left_how, 0, s.id,
                     CASE WHEN s.left_at IS NULL THEN 0 ELSE 2 END, s.topics
              FROM subscriber p JOIN subscription s ON s.subscriber_id = p.id JOIN list l ON l.id = s.list_id
              WHERE p.address_key = $1
              UNION ALL
              SELECT u.list_id, l.slug, u.created_at, NULL, NULL, 1, u.id, 1, coalesce(u.topics, '')
              FROM sign_up u JOIN list l ON l.id = u.list_id
              WHERE u.address_key = $1 AND u.confirmed_at IS NULL AND u.expires_at > $2
              ORDER BY 2, 8, 7 DESC)sql",
        keep, address.key(), now);
    return memberships;
}

void Subscriptions::each_member(ListId list, Time now, const std::function<void(const Member&)>& member) {
    auto as = [&](SubscriptionState state) {
        return [&member, state](const storage::Row& row) {
            member(
                {row.get<std::string>(0), row.get<std::string>(1), row.get<std::string>(2), state, row.get<Time>(3)});
        };
    };
    connection_.each(
        R"sql(SELECT p.address, p.name, p.language, s.activated_at
              FROM subscription s JOIN subscriber p ON p.id = s.subscriber_id
              WHERE s.list_id = $1 AND s.left_at IS NULL ORDER BY s.id)sql",
        as(SubscriptionState::active), list);
    connection_.each(
        R"sql(SELECT u.address, u.name, u.language, u.created_at FROM sign_up u
              WHERE u.list_id = $1 AND u.confirmed_at IS NULL AND u.expires_at > $2
                AND NOT EXISTS (SELECT 1 FROM subscriber p JOIN subscription s ON s.subscriber_id = p.id
                                WHERE p.address_key = u.address_key AND s.list_id = u.list_id AND s.left_at IS NULL)
              ORDER BY u.id)sql",
        as(SubscriptionState::pending), list, now);
    connection_.each(
        R"sql(SELECT p.address, p.name, p.language, max(s.left_at)
              FROM subscription s JOIN subscriber p ON p.id = s.subscriber_id
              WHERE s.list_id = $1 AND s.left_at IS NOT NULL
                AND NOT EXISTS (SELECT 1 FROM subscription o
                                WHERE o.subscriber_id = p.id AND o.list_id = $1 AND o.left_at IS NULL)
                AND NOT EXISTS (SELECT 1 FROM sign_up u WHERE u.list_id = $1 AND u.address_key = p.address_key
                                                          AND u.confirmed_at IS NULL AND u.expires_at > $2)
              GROUP BY p.id, p.address, p.name, p.language ORDER BY p.id)sql",
        as(SubscriptionState::unsubscribed), list, now);
}

Counts Subscriptions::counts(ListId list, Time now) {
    Counts counts{};
    counts.active =
        connection_.value<std::int64_t>("SELECT active FROM list_counter WHERE list_id = $1", list).value_or(0);
    counts.pending = connection_
                         .value<std::int64_t>(R"sql(SELECT count(*) FROM sign_up
                                                    WHERE list_id = $1 AND confirmed_at IS NULL AND expires_at > $2)sql",
                                              list, now)
                         .value();
    counts.unsubscribed = connection_
                              .value<std::int64_t>(
                                  R"sql(SELECT count(DISTINCT s.subscriber_id) FROM subscription s
                                        WHERE s.list_id = $1 AND s.left_at IS NOT NULL AND s.subscriber_id IS NOT NULL
                                          AND NOT EXISTS (SELECT 1 FROM subscription o
                                                          WHERE o.subscriber_id = s.subscriber_id AND o.list_id = $1
                                                            AND o.left_at IS NULL))sql",
                                  list)
                              .value();
    return counts;
}

}
