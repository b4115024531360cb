#include "subscribers/erase.hpp"

#include "subscribers/attributes.hpp"
#include "subscribers/consent.hpp"
#include "subscribers/subscriptions.hpp"
#include "subscribers/suppressions.hpp"
#include "subscribers/topics.hpp"

#include <boost/json.hpp>

namespace postrider::subscribers {

Erased erase(storage::Connection& connection, const LinkTokens& tokens, const mail::Address& address, Time now) {
    storage::Transaction transaction(connection);
    Erased erased;
    auto key = address.key();
    auto list_of = [](const storage::Row& row) { return row.get<ListId>(0); };

    if (auto subscriber = connection.value<SubscriberId>("SELECT id FROM subscriber WHERE address_key = $1", key)) {
        erased.subscriber = true;
        auto open = connection.all(
            "SELECT list_id FROM subscription WHERE subscriber_id = $1 AND left_at IS NULL ORDER BY list_id", list_of,
            *subscriber);
        for (auto list : open)
            erased.subscriptions += close_stretch(connection, list, *subscriber, LeftHow::erased, now);
        // Changes of address that wait hold the name.
        erased.sign_ups += connection.run(
            R"sql(DELETE FROM sign_up WHERE confirmed_at IS NULL
                  AND replaces IN (SELECT id FROM subscription WHERE subscriber_id = $1))sql",
            *subscriber);
        connection.run("UPDATE subscription SET subscriber_id = NULL, topics = '' WHERE subscriber_id = $1",
                       *subscriber);
        connection.run("DELETE FROM subscriber WHERE id = $1", *subscriber);
    }
    erased.sign_ups += connection.run("DELETE FROM sign_up WHERE address_key = $1", key);

    // The entry that says so names nobody either.
    auto lists =
        connection.all("SELECT DISTINCT list_id FROM consent WHERE address_key = $1 ORDER BY list_id", list_of, key);
    erased.consents = forget_person(connection, key);
    for (auto list : lists) record_consent(connection, {list, {}, ConsentEvent::erased, now});

    Suppressions(connection, tokens).add(address, SuppressionKind::erased, "erased", now);
    transaction.commit();
    return erased;
}

std::string known_about(storage::Connection& connection, const LinkTokens& tokens, const mail::Address& address,
                        Time now) {
    boost::json::object known;
    known["address"] = address.text();
    if (auto person = Subscribers(connection).find(address)) {
        known["address"] = person->address;
        known["name"] = person->profile.name;
        known["language"] = person->profile.language;
        known["timezone"] = person->profile.timezone;
        known["since"] = rfc3339(person->created_at);
        if (person->paused_until) known["paused_until"] = rfc3339(*person->paused_until);
        boost::json::object attributes;
        for (auto& [name, value] : parse_attributes(person->profile.attributes)) attributes[name] = value;
        known["attributes"] = std::move(attributes);
    }
    boost::json::array subscriptions, consent;
    for (auto& one : Subscriptions(connection, tokens).of(address, now)) {
        boost::json::array topics;
        each_topic(one.topics, [&](std::string_view name) { topics.emplace_back(name); });
        subscriptions.push_back({{"list", one.list_slug},
                                 {"state", to_text(one.state)},
                                 {"since", rfc3339(one.since)},
                                 {"topics", std::move(topics)}});
    }
    for (auto& one : consent_of(connection, address.key()))
        consent.push_back({{"list", one.list_slug},
                           {"event", one.event},
                           {"at", rfc3339(one.at)},
                           {"words", one.words},
                           {"language", one.language},
                           {"client", one.client},
                           {"form", one.form},
                           {"mail", one.mail}});
    boost::json::array sign_ups;
    connection.each(
        R"sql(SELECT l.slug, s.name, s.language, s.created_at, s.expires_at, s.confirmed_at
              FROM sign_up s JOIN list l ON l.id = s.list_id WHERE s.address_key = $1 ORDER BY s.id)sql",
        [&](const storage::Row& row) {
            auto confirmed_at = row.get<std::optional<Time>>(5);
            boost::json::object one{{"list", row.text(0)},
                                    {"name", row.text(1)},
                                    {"language", row.text(2)},
                                    {"asked_at", rfc3339(row.get<Time>(3))},
                                    {"expires_at", rfc3339(row.get<Time>(4))}};
            one["confirmed_at"] = confirmed_at ? boost::json::value(rfc3339(*confirmed_at)) : boost::json::value();
            sign_ups.push_back(std::move(one));
        },
        address.key());
    known["sign_ups"] = std::move(sign_ups);
    known["subscriptions"] = std::move(subscriptions);
    known["consent"] = std::move(consent);
    if (auto suppression = Suppressions(connection, tokens).find(address))
        known["suppressed"] = {{"kind", to_text(suppression->kind)}, {"since", rfc3339(suppression->since)}};
    return boost::json::serialize(known);
}

}
