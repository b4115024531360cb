#include "subscribers/consent.hpp"

#include "subscribers/client_network.hpp"
#include "subscribers/consent_chain.hpp"
#include "system/random.hpp"

#include <algorithm>
#include <limits>

namespace postrider::subscribers {
namespace {

std::optional<std::string_view> if_any(std::string_view text) {
    return text.empty() ? std::nullopt : std::optional(text);
}

std::optional<storage::Blob> bytes_if_any(std::string_view bytes) {
    return bytes.empty() ? std::nullopt : std::optional(storage::Blob{bytes});
}

std::string text_if(const storage::Row& row, int column) {
    return row.null(column) ? std::string() : row.get<std::string>(column);
}

std::string bytes_if(const storage::Row& row, int column) {
    return row.null(column) ? std::string() : std::string(row.blob(column));
}

// Of rows that begin with address_key, form, mail, person_salt, person_seal.
std::string person_seal_in(const storage::Row& row, int at) {
    if (row.null(at + 3)) return bytes_if(row, at + 4);
    return person_seal(row.blob(at + 3), text_if(row, at), text_if(row, at + 1), text_if(row, at + 2));
}

// client, client_salt, client_seal
std::string client_seal_in(const storage::Row& row, int at) {
    if (row.null(at + 1)) return bytes_if(row, at + 2);
    return client_seal(row.blob(at + 1), text_if(row, at));
}

struct Sealed {
    std::int64_t entry;
    std::string seal, client;
};

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

ConsentChain::ConsentChain(storage::Connection& connection)
    : before_(connection
                  .first("SELECT hash FROM consent ORDER BY id DESC LIMIT 1",
                         [](const storage::Row& row) { return std::string(row.blob(0)); })
                  .value_or("")) {}

ConsentChain::Link ConsentChain::link(const ConsentEntry& entry) {
    bool names_one = !entry.address_key.empty() || !entry.form.empty() || !entry.mail.empty();
    auto salts = system::random_bytes(2 * salt_size);
    Link link;
    std::string person, client;
    if (names_one) {
        link.person_salt = salts.substr(0, salt_size);
        person = person_seal(link.person_salt, entry.address_key, entry.form, entry.mail);
    }
    if (!entry.client.empty()) {
        link.client_salt = salts.substr(salt_size);
        client = client_seal(link.client_salt, entry.client);
    }
    link.hash = chained(before_, {entry.list, to_text(entry.event), entry.at, entry.words, entry.language,
                                  entry.sign_up, person, client});
    before_ = link.hash;
    return link;
}

void record_consent(storage::Connection& connection, const ConsentEntry& entry) {
    auto link = ConsentChain(connection).link(entry);
    connection.run(R"sql(INSERT INTO consent (list_id, address_key, event, at, words, client, form, language, sign_up,
                                              mail, person_salt, client_salt, hash)
                         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13))sql",
                   entry.list, if_any(entry.address_key), to_text(entry.event), entry.at, entry.words,
                   if_any(entry.client), if_any(entry.form), entry.language, entry.sign_up, if_any(entry.mail),
                   bytes_if_any(link.person_salt), bytes_if_any(link.client_salt), storage::Blob{link.hash});
}

std::vector<ConsentRecord> consent_of(storage::Connection& connection, std::string_view address_key) {
    return connection.all(
        R"sql(SELECT c.id, l.slug, c.event, c.at, c.words, c.language, c.client, c.form, c.mail, c.sign_up, c.hash
              FROM consent c JOIN list l ON l.id = c.list_id WHERE c.address_key = $1 ORDER BY c.id)sql",
        [](const storage::Row& row) {
            return ConsentRecord{row.integer(0),           row.get<std::string>(1),
                                 row.get<std::string>(2),  row.get<Time>(3),
                                 row.get<std::string>(4),  row.get<std::string>(5),
                                 text_if(row, 6),          text_if(row, 7),
                                 text_if(row, 8),          row.get<std::optional<SignUpId>>(9),
                                 std::string(row.blob(10))};
        },
        address_key);
}

std::string version_of(std::string_view words) {
    return words.empty() ? std::string() : system::hex(system::sha256(words).substr(0, 4));
}

ConsentCheck check_consent(storage::Connection& connection, std::int64_t at_once) {
    ConsentCheck check;
    // Somebody who has changed the record may have written any id.
    auto last = std::numeric_limits<std::int64_t>::min();
    for (std::int64_t read = at_once; read == at_once;) {
        storage::Snapshot moment(connection); // nothing is ever taken out, so the next one goes on where this one ends
        read = 0;
        connection.each(
            R"sql(SELECT id, list_id, event, at, words, language, sign_up, hash, address_key, form, mail, person_salt,
                         person_seal, client, client_salt, client_seal FROM consent WHERE id > $1 ORDER BY id LIMIT $2)sql",
            [&](const storage::Row& row) {
                ++read;
                last = row.integer(0);
                auto person = person_seal_in(row, 8), client = client_seal_in(row, 13);
                auto hash = chained(check.head, {row.get<ListId>(1), row.text(2), row.get<Time>(3), row.text(4),
                                                 row.text(5), row.get<std::optional<SignUpId>>(6), person, client});
                check.head = bytes_if(row, 7);
                if (hash != check.head && !check.broken) check.broken = last;
            },
            last, at_once);
        check.entries += read;
        if (read == at_once) continue;
        // AUTOINCREMENT remembers the highest id that was ever given, and a transaction that is undone takes it back.
        auto given = connection.value<std::int64_t>("SELECT seq FROM sqlite_sequence WHERE name = 'consent'");
        check.cut_off = given.value_or(0) > std::max<std::int64_t>(last, 0);
    }
    return check;
}

std::int64_t forget_person(storage::Connection& connection, std::string_view address_key, std::optional<ListId> list) {
    auto entries = connection.all(
        R"sql(SELECT id, address_key, form, mail, person_salt, person_seal FROM consent
              WHERE address_key = $1 AND list_id = coalesce($2, list_id))sql",
        [](const storage::Row& row) { return Sealed{row.integer(0), person_seal_in(row, 1), {}}; }, address_key, list);
    auto clients = connection.all(
        R"sql(SELECT id, client, client_salt, client_seal FROM consent
              WHERE address_key = $1 AND list_id = coalesce($2, list_id) AND client IS NOT NULL)sql",
        [](const storage::Row& row) { return Sealed{row.integer(0), client_seal_in(row, 1), {}}; }, address_key, list);
    for (auto& one : clients)
        connection.run("UPDATE consent SET client = NULL, client_salt = NULL, client_seal = $2 WHERE id = $1",
                       one.entry, storage::Blob{one.seal});
    for (auto& one : entries)
        connection.run(R"sql(UPDATE consent SET address_key = NULL, form = NULL, mail = NULL, person_salt = NULL,
                                                person_seal = $2 WHERE id = $1)sql",
                       one.entry, storage::Blob{one.seal});
    return std::int64_t(entries.size());
}

std::int64_t truncate_clients(storage::Connection& connection, Time until, int limit) {
    storage::Transaction transaction(connection);
    auto old = connection.all(
        R"sql(SELECT id, client, client_salt, client_seal FROM consent
              WHERE client_salt IS NOT NULL AND at < $1 ORDER BY at LIMIT $2)sql",
        [](const storage::Row& row) {
            return Sealed{row.integer(0), client_seal_in(row, 1), wide_network(row.text(1))};
        },
        until, limit);
    for (auto& one : old)
        connection.run("UPDATE consent SET client = $2, client_salt = NULL, client_seal = $3 WHERE id = $1", one.entry,
                       if_any(one.client), storage::Blob{one.seal});
    transaction.commit();
    return std::int64_t(old.size());
}

}
