#include "subscribers/consent.hpp"

namespace postrider::subscribers {
namespace {

std::optional<std::string_view> if_any(std::string_view text) {
    return text.empty() ? std::nullopt : std::optional(text);
}

}

std::string_view to_text(ConsentEvent event) {
    switch (event) {
    case ConsentEvent::asked: return "asked";
    case ConsentEvent::confirmed: return "confirmed";
    case ConsentEvent::imported: return "imported";
    case ConsentEvent::added: return "added";
    case ConsentEvent::left: return "left";
    case ConsentEvent::erased: return "erased";
    }
    return {};
}

void record_consent(storage::Connection& connection, const ConsentEntry& entry) {
    connection.run(R"sql(INSERT INTO consent (list_id, address_key, event, at, words, client, form)
                         VALUES ($1, $2, $3, $4, $5, $6, $7))sql",
                   entry.list, if_any(entry.address_key), to_text(entry.event), entry.at, entry.words,
                   if_any(entry.client), if_any(entry.form));
}

std::vector<ConsentRecord> consent_of(storage::Connection& connection, std::string_view address_key) {
    return connection.all(
        R"sql(SELECT l.slug, c.event, c.at, c.words, coalesce(c.client, ''), coalesce(c.form, '')
              FROM consent c JOIN list l ON l.id = c.list_id WHERE c.address_key = $1 ORDER BY c.id)sql",
        [](const storage::Row& row) {
            return ConsentRecord{row.get<std::string>(0), row.get<std::string>(1), row.get<Time>(2),
                                 row.get<std::string>(3), row.get<std::string>(4), row.get<std::string>(5)};
        },
        address_key);
}

std::int64_t forget_clients(storage::Connection& connection, Time until, int limit) {
    storage::Transaction transaction(connection);
    auto emptied = connection.run(
        R"sql(UPDATE consent SET client = NULL
              WHERE id IN (SELECT id FROM consent WHERE client IS NOT NULL AND at < $1 ORDER BY at LIMIT $2))sql",
        until, limit);
    transaction.commit();
    return emptied;
}

}
