#include "delivery/letters.hpp"

namespace postrider::delivery {

LetterId Letters::add(Purpose purpose, std::string_view sender, std::string_view address, std::string_view address_key,
                      std::string_view message, Time now, Duration lives_for) {
    constexpr std::string_view names[] = {"confirmation", "welcome", "notice", "test"};
    return connection_
        .value<LetterId>(R"sql(
        INSERT INTO letter (purpose, sender, address, address_key, message, created_at, next_try_at, expires_at)
        VALUES ($1, $2, $3, $4, $5, $6, $6, $7) RETURNING id)sql",
                         names[int(purpose)], sender, address, address_key, message, now, now + lives_for)
        .value();
}

std::vector<Letter> Letters::claim(int limit, Time now, Duration lease) {
    auto letters = connection_.all(
        R"sql(
        UPDATE letter SET next_try_at = $1
        WHERE id IN (SELECT id FROM letter WHERE state = 'waiting' AND next_try_at <= $2 ORDER BY next_try_at, id LIMIT $3)
        RETURNING id, sender, address, message, tries, created_at, expires_at)sql",
        [](const storage::Row& row) {
            return Letter{row.get<LetterId>(0),    row.get<std::string>(1), row.get<std::string>(2),
                          row.get<std::string>(3), row.get<int>(4),         row.get<Time>(5),
                          row.get<Time>(6)};
        },
        now + lease, now, limit);
    std::erase_if(letters, [&](auto& letter) {
        if (letter.expires_at > now) return false;
        finish(letter.id, Outcome::expired, letter.tries, "not taken in time", now);
        return true;
    });
    return letters;
}

std::optional<Time> Letters::next_due() {
    return connection_.value<std::optional<Time>>("SELECT min(next_try_at) FROM letter WHERE state = 'waiting'")
        .value();
}

void Letters::finish(LetterId id, Outcome outcome, int tries, std::string_view reason, Time now) {
    // The message of a finished letter is of no use to anybody: what was said to a person is not kept longer than it
    // must be.
    connection_.run(
        "UPDATE letter SET state = $2, tries = $3, reason = $4, finished_at = $5, message = '' WHERE id = $1", id,
        to_text(outcome), tries, reason, now);
}

void Letters::defer(LetterId id, int tries, Time next_try_at, std::string_view reason) {
    connection_.run("UPDATE letter SET tries = $2, next_try_at = $3, reason = $4 WHERE id = $1 AND state = 'waiting'",
                    id, tries, next_try_at, reason);
}

std::int64_t Letters::purge(Time written_before, int limit) {
    return connection_.run(R"sql(
        DELETE FROM letter
        WHERE id IN (SELECT id FROM letter WHERE created_at < $1 AND state <> 'waiting' ORDER BY created_at LIMIT $2))sql",
                           written_before, limit);
}

void Letters::erase(std::string_view address_key) {
    connection_.run("DELETE FROM letter WHERE address_key = $1", address_key);
    struct Stretch {
        SubscriptionId id;
        ListId list;
    };
    auto stretches = connection_.all(
        R"sql(SELECT s.id, s.list_id FROM subscription s JOIN subscriber p ON p.id = s.subscriber_id
              WHERE p.address_key = $1)sql",
        [](const storage::Row& row) { return Stretch{row.get<SubscriptionId>(0), row.get<ListId>(1)}; }, address_key);
    for (auto& [id, list] : stretches)
        connection_.run(R"sql(UPDATE delivery SET reason = 'the reader was erased since'
                              WHERE mailing_id IN (SELECT id FROM mailing WHERE list_id = $1) AND subscription_id = $2
                                AND reason IS NOT NULL AND state <> 'deferred')sql",
                        list, id);
}

}
