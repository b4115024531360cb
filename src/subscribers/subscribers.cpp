#include "subscribers/subscribers.hpp"

#include "mail/utf8.hpp"

#include <algorithm>

namespace postrider::subscribers {
namespace {

constexpr std::size_t longest_name = 500;    // characters
constexpr std::size_t longest_language = 35; // RFC 5646 section 4.4.1

Subscriber subscriber_of(const storage::Row& row) {
    return {row.get<SubscriberId>(0),
            row.get<std::string>(1),
            row.get<std::string>(2),
            {row.get<std::string>(3), row.get<std::string>(4), row.get<std::string>(5), row.get<std::string>(6)},
            row.get<Time>(7),
            row.get<std::optional<Time>>(8)};
}

// Line breaks of every kind, controls, and the marks that turn the direction of what follows them.
bool unfit_in_name(char32_t c) {
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x2028 || c == 0x2029 || (c >= 0x202a && c <= 0x202e) ||
           (c >= 0x2066 && c <= 0x2069) || c == 0xfeff;
}

}

std::optional<Subscriber> Subscribers::find(SubscriberId id) {
    return connection_.first(R"sql(SELECT id, address, address_key, name, language, timezone, attributes, created_at,
                                          paused_until
                                   FROM subscriber WHERE id = $1)sql",
                             subscriber_of, id);
}

std::optional<Subscriber> Subscribers::find(const mail::Address& address) {
    return connection_.first(R"sql(SELECT id, address, address_key, name, language, timezone, attributes, created_at,
                                          paused_until
                                   FROM subscriber WHERE address_key = $1)sql",
                             subscriber_of, address.key());
}

SubscriberId Subscribers::keep(const mail::Address& address, const Profile& profile, Time now) {
    storage::Transaction transaction(connection_);
    auto id = connection_.value<SubscriberId>(
        R"sql(INSERT INTO subscriber (address, address_key, name, language, timezone, attributes, created_at)
              VALUES ($1, $2, $3, $4, $5, $6, $7)
              ON CONFLICT (address_key) DO UPDATE SET
                address = excluded.address,
                name = CASE WHEN excluded.name = '' THEN subscriber.name ELSE excluded.name END,
                language = CASE WHEN excluded.language = '' THEN subscriber.language ELSE excluded.language END,
                timezone = CASE WHEN excluded.timezone = '' THEN subscriber.timezone ELSE excluded.timezone END,
                attributes = CASE WHEN excluded.attributes = '{}' THEN subscriber.attributes ELSE excluded.attributes END
              RETURNING id)sql",
        address.text(), address.key(), profile.name, profile.language, profile.timezone, profile.attributes, now);
    transaction.commit();
    return id.value();
}

void Subscribers::update(SubscriberId id, const Profile& profile) {
    storage::Transaction transaction(connection_);
    connection_.run("UPDATE subscriber SET name = $1, language = $2, timezone = $3, attributes = $4 WHERE id = $5",
                    profile.name, profile.language, profile.timezone, profile.attributes, id);
    transaction.commit();
}

void Subscribers::pause(SubscriberId id, std::optional<Time> until) {
    connection_.run("UPDATE subscriber SET paused_until = $2 WHERE id = $1", id, until);
}

std::string clean_name(std::string_view name) {
    std::string clean;
    std::size_t characters = 0;
    bool space = false;
    for (std::size_t at = 0; at < name.size() && characters < longest_name;) {
        auto c = mail::next_code_point(name, at);
        if (c == ' ' || unfit_in_name(c)) {
            space = !clean.empty();
            continue;
        }
        if (space) clean += ' ';
        mail::append_utf8(clean, c);
        characters += space ? 2 : 1;
        space = false;
    }
    return clean;
}

std::string clean_language(std::string_view tag) {
    auto fits = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
    };
    if (tag.size() < 2 || tag.size() > longest_language || !std::ranges::all_of(tag, fits)) return {};
    if (tag.front() == '-' || tag.back() == '-' || tag.find("--") != tag.npos) return {};
    return std::string(tag);
}

}
