#include "subscribers/suppressions.hpp"

#include "subscribers/consent.hpp"
#include "subscribers/subscriptions.hpp"

#include <vector>

namespace postrider::subscribers {
namespace {

SuppressionKind parse_kind(std::string_view text) {
    for (auto kind : {SuppressionKind::bounce, SuppressionKind::complaint, SuppressionKind::erased})
        if (text == to_text(kind)) return kind;
    return SuppressionKind::operator_; // the strictest
}

Suppression suppression_of(const storage::Row& row) {
    return {std::string(row.blob(0)), parse_kind(row.text(1)), row.get<std::string>(2), row.get<Time>(3)};
}

}

std::string_view to_text(SuppressionKind kind) {
    switch (kind) {
    case SuppressionKind::bounce: return "bounce";
    case SuppressionKind::complaint: return "complaint";
    case SuppressionKind::erased: return "erased";
    case SuppressionKind::operator_: return "operator";
    }
    return {};
}

std::int64_t Suppressions::add(const mail::Address& address, SuppressionKind kind, std::string_view reason, Time now) {
    storage::Transaction transaction(connection_);
    auto key = address.key();
    auto hash = tokens_.address_hash(key);
    connection_.run(
        R"sql(INSERT INTO suppression (hash, kind, reason, created_at) VALUES ($1, $2, $3, $4)
              ON CONFLICT (hash) DO UPDATE SET kind = excluded.kind, reason = excluded.reason
              WHERE suppression.kind <> 'operator')sql",
        storage::Blob{hash}, to_text(kind), reason, now);

    std::int64_t closed = 0;
    if (auto subscriber = connection_.value<SubscriberId>("SELECT id FROM subscriber WHERE address_key = $1", key)) {
        auto lists = connection_.all(
            "SELECT list_id FROM subscription WHERE subscriber_id = $1 AND left_at IS NULL ORDER BY list_id",
            [](const storage::Row& row) { return row.get<ListId>(0); }, *subscriber);
        for (auto list : lists) {
            if (!close_stretch(connection_, list, *subscriber, LeftHow::suppressed, now)) continue;
            record_consent(connection_, {list, key, ConsentEvent::left, now, {}, {}, to_text(kind)});
            ++closed;
        }
    }
    connection_.run("DELETE FROM sign_up WHERE address_key = $1 AND confirmed_at IS NULL", key);
    transaction.commit();
    return closed;
}

bool Suppressions::remove(const mail::Address& address) {
    storage::Transaction transaction(connection_);
    auto hash = tokens_.address_hash(address.key());
    auto removed = connection_.run("DELETE FROM suppression WHERE hash = $1", storage::Blob{hash});
    transaction.commit();
    return removed > 0;
}

void Suppressions::lift(const mail::Address& address) {
    storage::Transaction transaction(connection_);
    auto hash = tokens_.address_hash(address.key());
    connection_.run("DELETE FROM suppression WHERE hash = $1 AND kind <> 'operator'", storage::Blob{hash});
    transaction.commit();
}

std::optional<Suppression> Suppressions::find(const mail::Address& address) {
    auto hash = tokens_.address_hash(address.key());
    return connection_.first("SELECT hash, kind, reason, created_at FROM suppression WHERE hash = $1", suppression_of,
                             storage::Blob{hash});
}

bool Suppressions::contains_hash(std::string_view hash) {
    return connection_.value<std::int64_t>("SELECT 1 FROM suppression WHERE hash = $1", storage::Blob{hash})
        .has_value();
}

bool Suppressions::empty() { return !connection_.value<std::int64_t>("SELECT 1 FROM suppression LIMIT 1"); }

void Suppressions::each(const std::function<void(const Suppression&)>& suppression) {
    connection_.each("SELECT hash, kind, reason, created_at FROM suppression ORDER BY created_at, hash",
                     [&](const storage::Row& row) { suppression(suppression_of(row)); });
}

}
