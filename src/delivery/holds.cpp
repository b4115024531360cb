#include "delivery/holds.hpp"

namespace postrider::delivery {

Holds read_holds(storage::Connection& connection, Time now) {
    Holds holds;
    auto read = [](const storage::Row& row) {
        return HoldRecord{row.get<std::string>(0), row.get<Time>(1), row.get<std::string>(2)};
    };
    holds.relays = connection.all(
        "SELECT name, held_until, coalesce(reason, '') FROM relay_state WHERE held_until IS NOT NULL ORDER BY name",
        read);
    holds.domains = connection.all(
        "SELECT name, held_until, reason FROM domain_state WHERE held_until > $1 ORDER BY held_until DESC, name", read,
        now);
    return holds;
}

void note_relay(storage::Connection& connection, const HoldNote& relay, Time now) {
    connection.run(R"sql(
        INSERT INTO relay_state (name, held_until, reason, at) VALUES ($1, $2, $3, $4)
        ON CONFLICT (name) DO UPDATE SET held_until = excluded.held_until, reason = excluded.reason, at = excluded.at)sql",
                   relay.name, relay.held_until, relay.reason, now);
}

void note_domain(storage::Connection& connection, const HoldNote& domain, Time now) {
    if (!domain.held_until) {
        connection.run("DELETE FROM domain_state WHERE name = $1", domain.name);
        return;
    }
    connection.run(R"sql(
        INSERT INTO domain_state (name, held_until, reason, at) VALUES ($1, $2, $3, $4)
        ON CONFLICT (name) DO UPDATE SET held_until = excluded.held_until, reason = excluded.reason, at = excluded.at)sql",
                   domain.name, domain.held_until, domain.reason, now);
}

void forget_domain_holds(storage::Connection& connection) { connection.run("DELETE FROM domain_state"); }

}
