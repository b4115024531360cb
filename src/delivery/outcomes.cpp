#include "delivery/outcomes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <tuple>
#include <utility>

namespace postrider::delivery {
namespace {

constexpr std::size_t width = 8; // rows to a statement

// Rows that differ in two values. Those that all of them share come first in the places of the statement.
class Insertion {
public:
    Insertion(std::string_view columns, fmt::format_string<std::size_t, std::size_t> row, std::size_t shared) {
        for (auto* sql : {&many_, &one_}) {
            *sql = fmt::format("INSERT INTO delivery ({}) VALUES ", columns);
            for (std::size_t i = 0; i < (sql == &many_ ? width : 1); ++i) {
                if (i > 0) *sql += ", ";
                *sql += fmt::format(row, shared + 2 * i + 1, shared + 2 * i + 2);
            }
        }
    }

    template <std::size_t Shared, class Item, class TwoOf>
    void run(storage::Connection& connection, const std::array<storage::Value, Shared>& shared,
             std::span<const Item> items, const TwoOf& two_of) const {
        std::array<storage::Value, Shared + 2 * width> values;
        std::ranges::copy(shared, values.begin());
        while (!items.empty()) {
            auto rows = items.size() < width ? 1 : width;
            for (std::size_t i = 0; i < rows; ++i)
                std::tie(values[Shared + 2 * i], values[Shared + 2 * i + 1]) = two_of(items[i]);
            connection.execute(rows == 1 ? one_ : many_, std::span(values).first(Shared + 2 * rows),
                               [](const storage::Row&) { return true; });
            items = items.subspan(rows);
        }
    }

private:
    std::string many_, one_;
};

storage::Value value_of(Time time) { return std::int64_t(time.time_since_epoch().count()); }

}

void insert_accepted(storage::Connection& connection, std::span<const Record* const> records, Time now) {
    static const Insertion insertion("at, mailing_id, subscription_id, state", "($1, ${}, ${}, 'accepted')", 1);
    auto two_of = [](const Record* record) -> std::pair<storage::Value, storage::Value> {
        return {record->mailing.number, record->subscription.number};
    };
    insertion.run(connection, std::array{value_of(now)}, records, two_of);
}

void insert_suppressed(storage::Connection& connection, MailingId mailing, std::span<const Suppressed> readers,
                       Time now) {
    static const Insertion insertion("at, mailing_id, subscription_id, reason, state, tries",
                                     "($1, $2, ${}, ${}, 'suppressed', 0)", 2);
    auto two_of = [](const Suppressed& one) -> std::pair<storage::Value, storage::Value> {
        return {one.reader.number, one.reason};
    };
    insertion.run(connection, std::array{value_of(now), storage::Value(mailing.number)}, readers, two_of);
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
