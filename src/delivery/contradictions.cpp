#include "storage/contradictions.hpp"

#include "delivery/mailings.hpp"

#include <fmt/format.h>

#include <array>

namespace postrider::delivery {
namespace {

using storage::Never;

// All of them look at the rows alone, and at nothing that was added up before.
constexpr std::array facts = {
    Never{"its message is missing", R"sql(
        SELECT count(*) FROM mailing m
        WHERE m.id = $1 AND NOT EXISTS (SELECT 1 FROM mailing_message WHERE mailing_id = m.id))sql"},
    Never{"its state and the times of its beginning and end do not fit together", R"sql(
        SELECT count(*) FROM mailing WHERE id = $1 AND NOT (
            (state = 'scheduled' AND started_at IS NULL AND finished_at IS NULL) OR
            (state IN ('sending', 'paused') AND started_at IS NOT NULL AND finished_at IS NULL) OR
            (state = 'sent' AND started_at IS NOT NULL AND finished_at IS NOT NULL) OR
            (state = 'cancelled' AND finished_at IS NOT NULL)))sql"},
    Never{"of the beginning, the highest reader and the planned number one is missing, or there too early", R"sql(
        SELECT count(*) FROM mailing WHERE id = $1 AND ((started_at IS NULL) <> (ceiling IS NULL) OR
            (started_at IS NULL) <> (planned IS NULL)))sql"},
    Never{"another mailing of its list is under way too", R"sql(
        SELECT count(*) FROM mailing m JOIN mailing o ON o.list_id = m.list_id AND o.id <> m.id
        WHERE m.id = $1 AND m.state IN ('sending', 'paused') AND o.state IN ('sending', 'paused'))sql"},
};

constexpr std::array counts = {
    Never{"slices although it never began", R"sql(
        SELECT count(*) FROM slice f JOIN mailing m ON m.id = f.mailing_id WHERE m.id = $1 AND m.started_at IS NULL)sql"},
    Never{"outcomes although it never began", R"sql(
        SELECT count(*) FROM delivery d JOIN mailing m ON m.id = d.mailing_id WHERE m.id = $1 AND m.started_at IS NULL)sql"},

    Never{"slices that end before they begin", R"sql(
        SELECT count(*) FROM slice WHERE mailing_id = $1 AND last_id < first_id)sql"},
    Never{"slices that overlap the one before", R"sql(
        SELECT count(*) FROM (SELECT first_id, lag(last_id) OVER (ORDER BY first_id) AS before FROM slice WHERE mailing_id = $1) AS f
        WHERE first_id <= before)sql"},
    Never{"gaps between slices", R"sql(
        SELECT count(*) FROM (
            SELECT first_id, lag(last_id, 1, 0) OVER (ORDER BY first_id) AS before FROM slice WHERE mailing_id = $1) AS f
        WHERE first_id > before + 1)sql"},
    Never{"slices that go beyond its highest reader", R"sql(
        SELECT count(*) FROM slice f JOIN mailing m ON m.id = f.mailing_id WHERE m.id = $1 AND f.last_id > m.ceiling)sql"},
    Never{"finished slices that somebody still holds", R"sql(
        SELECT count(*) FROM slice WHERE mailing_id = $1 AND finished_at IS NOT NULL AND worker IS NOT NULL)sql"},
    Never{"slices that rest though they are finished, or wait for a wave that there is not", R"sql(
        SELECT count(*) FROM slice f WHERE f.mailing_id = $1 AND f.not_before IS NOT NULL AND (f.finished_at IS NOT NULL OR
            NOT EXISTS (SELECT 1 FROM wave w WHERE w.mailing_id = f.mailing_id AND w.number = f.wave)))sql"},
    Never{"slices that rest and that somebody holds", R"sql(
        SELECT count(*) FROM slice WHERE mailing_id = $1 AND not_before IS NOT NULL AND worker IS NOT NULL)sql"},
    Never{"readers of finished slices who have no outcome", R"sql(
        SELECT count(*) FROM slice f JOIN mailing m ON m.id = f.mailing_id
        JOIN subscription s ON s.list_id = m.list_id AND s.id BETWEEN f.first_id AND f.last_id AND s.id <= m.ceiling
            AND (s.left_at IS NULL OR s.left_at > m.started_at)
        WHERE f.mailing_id = $1 AND f.finished_at IS NOT NULL
          AND NOT EXISTS (SELECT 1 FROM delivery d WHERE d.mailing_id = m.id AND d.subscription_id = s.id))sql"},

    Never{"outcomes of nobody", R"sql(
        SELECT count(*) FROM delivery d
        WHERE d.mailing_id = $1 AND NOT EXISTS (SELECT 1 FROM subscription s WHERE s.id = d.subscription_id))sql"},
    Never{"outcomes of another list's readers", R"sql(
        SELECT count(*) FROM delivery d JOIN mailing m ON m.id = d.mailing_id JOIN subscription s ON s.id = d.subscription_id
        WHERE m.id = $1 AND s.list_id <> m.list_id)sql"},
    Never{"outcomes of readers who joined after it began", R"sql(
        SELECT count(*) FROM delivery d JOIN mailing m ON m.id = d.mailing_id
        WHERE m.id = $1 AND d.subscription_id > m.ceiling)sql"},
    Never{"outcomes of readers who had left before it began", R"sql(
        SELECT count(*) FROM delivery d JOIN mailing m ON m.id = d.mailing_id JOIN subscription s ON s.id = d.subscription_id
        WHERE m.id = $1 AND s.left_at <= m.started_at)sql"},
    Never{"outcomes outside every slice", R"sql(
        SELECT count(*) FROM delivery d WHERE d.mailing_id = $1 AND d.subscription_id > coalesce(
            (SELECT last_id FROM slice f WHERE f.mailing_id = d.mailing_id AND f.first_id <= d.subscription_id
             ORDER BY f.first_id DESC LIMIT 1), 0))sql"},
    Never{"outcomes that are deferred without a time, or final with one", R"sql(
        SELECT count(*) FROM delivery WHERE mailing_id = $1 AND (state = 'deferred') <> (next_try_at IS NOT NULL))sql"},
    Never{"mails accepted without a try", R"sql(
        SELECT count(*) FROM delivery WHERE mailing_id = $1 AND state IN ('accepted', 'unknown') AND tries < 1)sql"},
    Never{"outcomes expired though a try may have arrived, or unknown though none may", R"sql(
        SELECT count(*) FROM delivery WHERE mailing_id = $1 AND
            ((state = 'expired' AND was_unknown = 1) OR (state = 'unknown' AND was_unknown = 0)))sql"},

    Never{"it is sent, and slices are unfinished", R"sql(
        SELECT count(*) FROM slice f JOIN mailing m ON m.id = f.mailing_id
        WHERE m.id = $1 AND m.state = 'sent' AND f.finished_at IS NULL)sql"},
    Never{"it is sent, and readers wait for another try", R"sql(
        SELECT count(*) FROM delivery d JOIN mailing m ON m.id = d.mailing_id
        WHERE m.id = $1 AND m.state = 'sent' AND d.state = 'deferred')sql"},
    Never{"it is sent, and readers have no outcome", R"sql(
        SELECT count(*) FROM mailing m JOIN subscription s ON s.list_id = m.list_id AND s.id <= m.ceiling
            AND (s.left_at IS NULL OR s.left_at > m.started_at)
        WHERE m.id = $1 AND m.state = 'sent'
          AND NOT EXISTS (SELECT 1 FROM delivery d WHERE d.mailing_id = m.id AND d.subscription_id = s.id))sql"},
};

struct Number {
    std::string_view name;
    std::int64_t Balance::* value;
};

constexpr std::array numbers = {
    Number{"accepted", &Balance::accepted},     Number{"refused", &Balance::refused},
    Number{"suppressed", &Balance::suppressed}, Number{"expired", &Balance::expired},
    Number{"unknown", &Balance::unknown},       Number{"deferred", &Balance::deferred},
    Number{"attempts", &Balance::attempts},
};

}

Balance Mailings::recount(MailingId id) {
    Balance balance;
    if (auto mailing = find(id)) {
        balance.state = mailing->state;
        balance.planned = mailing->planned.value_or(0);
    }
    auto add = [&](const storage::Row& row) {
        balance.attempts += row.integer(2);
        for (auto& number : numbers)
            if (number.name == row.text(0)) balance.*number.value = row.integer(1);
    };
    connection_.each("SELECT state, count(*), sum(tries) FROM delivery WHERE mailing_id = $1 GROUP BY state", add, id);
    return balance;
}

std::vector<std::string> Mailings::contradictions(MailingId id) {
    storage::Snapshot moment(connection_);
    auto found = storage::contradictions(connection_, facts, counts, id.number);

    auto counted = recount(id), reported = balance(id);
    auto audience = connection_
                        .value<std::int64_t>(R"sql(
        SELECT count(*) FROM mailing m JOIN subscription s ON s.list_id = m.list_id AND s.id <= m.ceiling
            AND (s.left_at IS NULL OR s.left_at > m.started_at)
        WHERE m.id = $1)sql",
                                             id)
                        .value();
    if (audience != counted.planned)
        found.push_back(fmt::format("planned for {}, and its audience has {}", counted.planned, audience));
    if (counted.pending() < 0)
        found.push_back(fmt::format("planned for {}, and there are {} outcomes", counted.planned,
                                    counted.settled() + counted.deferred));
    if (counted.state == MailingState::sent && counted.settled() != counted.planned)
        found.push_back(
            fmt::format("sent, and of {} planned readers {} have a final outcome", counted.planned, counted.settled()));
    for (auto& [name, value] : numbers)
        if (counted.*value != reported.*value)
            found.push_back(
                fmt::format("the report says {}: {}, and there are {}", name, reported.*value, counted.*value));
    return found;
}

}
