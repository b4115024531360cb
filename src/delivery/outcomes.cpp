#include "delivery/outcomes.hpp"

#include <fmt/format.h>

#include <array>

namespace postrider::delivery {

// Eight to a statement.
void insert_accepted(storage::Connection& connection, std::span<const Record* const> records, Time now) {
    constexpr std::size_t width = 8;
    static const std::string many = [] {
        std::string sql = "INSERT INTO delivery (mailing_id, subscription_id, state, at) VALUES ";
        for (std::size_t i = 0; i < width; ++i)
            sql += fmt::format("{}(${}, ${}, 'accepted', $17)", i ? ", " : "", 2 * i + 1, 2 * i + 2);
        return sql;
    }();
    auto nothing = [](const storage::Row&) { return true; };
    for (; records.size() >= width; records = records.subspan(width)) {
        std::array<storage::Value, 2 * width + 1> values;
        for (std::size_t i = 0; i < width; ++i) {
            values[2 * i] = records[i]->mailing.number;
            values[2 * i + 1] = records[i]->subscription.number;
        }
        values.back() = std::int64_t(now.time_since_epoch().count());
        connection.execute(many, values, nothing);
    }
    for (auto* record : records)
        connection.run("INSERT INTO delivery (mailing_id, subscription_id, state, at) VALUES ($1, $2, 'accepted', $3)",
                       record->mailing, record->subscription, now);
}

void upsert(storage::Connection& connection, const Record& record, Time now) {
    std::optional<std::string_view> reason;
    if (!record.reason.empty()) reason = record.reason;
    connection.run(R"sql(
        INSERT INTO delivery (mailing_id, subscription_id, state, at, tries, next_try_at, was_unknown, reason)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
        ON CONFLICT (mailing_id, subscription_id) DO UPDATE
        SET state = excluded.state, at = excluded.at, tries = excluded.tries, next_try_at = excluded.next_try_at,
            was_unknown = excluded.was_unknown, reason = excluded.reason)sql",
                   record.mailing, record.subscription, to_text(record.outcome), now, record.tries, record.next_try_at,
                   record.was_unknown, reason);
}

void suppress(storage::Connection& connection, MailingId mailing, SubscriptionId reader, std::string_view reason,
              Time now) {
    connection.run(R"sql(
        INSERT INTO delivery (mailing_id, subscription_id, state, at, tries, reason) VALUES ($1, $2, 'suppressed', $4, 0, $3)
        ON CONFLICT (mailing_id, subscription_id) DO UPDATE
        SET state = 'suppressed', at = excluded.at, next_try_at = NULL, reason = excluded.reason)sql",
                   mailing, reader, reason, now);
}

bool has_outcome(storage::Connection& connection, MailingId mailing, SubscriptionId reader) {
    return connection
        .value<std::int64_t>("SELECT 1 FROM delivery WHERE mailing_id = $1 AND subscription_id = $2", mailing, reader)
        .has_value();
}

}
