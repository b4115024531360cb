#include "subscribers/audience.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace postrider::subscribers {
namespace {

// What read_into() reads.
const std::string reader_of = R"sql(
        SELECT s.id, r.address, r.name, r.language, r.attributes, s.activated_at, s.left_at, s.subscriber_id, s.topics,
               r.paused_until, r.timezone
        FROM subscription s LEFT JOIN subscriber r ON r.id = s.subscriber_id )sql";
const std::string readers_of_audience =
    reader_of + "WHERE s.list_id = $1 AND s.id > $2 AND s.id <= $3 AND (s.left_at IS NULL OR s.left_at > $4) ";
const std::string in_order = "ORDER BY s.id LIMIT $5";

// Keeps the strings' memory.
void read_into(Reader& reader, const storage::Row& row) {
    auto text = [&](int column, std::string_view otherwise = {}) {
        return row.null(column) ? otherwise : row.text(column);
    };
    reader.subscription = row.get<SubscriptionId>(0);
    reader.subscriber = SubscriberId{row.null(7) ? 0 : row.integer(7)};
    reader.address = text(1);
    reader.name = text(2);
    reader.language = text(3);
    reader.attributes = text(4, "{}");
    reader.activated_at = row.get<Time>(5);
    reader.left = !row.null(6) || row.null(1);
    reader.topics = row.text(8);
    reader.paused_until = row.get<std::optional<Time>>(9);
    reader.timezone = text(10);
}

}

Audience fix_audience(storage::Connection& connection, ListId list, Time now) {
    auto fixed_at = connection
                        .value<Time>(R"sql(
        UPDATE list_counter
        SET last_fixed_at = CASE WHEN $2 > last_left_at AND $2 > last_fixed_at THEN $2
                                 WHEN last_left_at > last_fixed_at THEN last_left_at ELSE last_fixed_at END
        WHERE list_id = $1 RETURNING last_fixed_at)sql",
                                     list, now)
                        .value();
    auto ceiling =
        connection.value<std::optional<std::int64_t>>("SELECT max(id) FROM subscription WHERE list_id = $1", list);
    auto planned = connection.value<std::int64_t>("SELECT active FROM list_counter WHERE list_id = $1", list);
    return {fixed_at, ceiling->value_or(0), planned.value()};
}

Time moment_of_leaving(storage::Connection& connection, ListId list, Time now) {
    return connection
        .value<Time>(R"sql(
        UPDATE list_counter
        SET last_left_at = CASE WHEN $2 > last_fixed_at AND $2 > last_left_at THEN $2
                                WHEN last_fixed_at >= last_left_at THEN last_fixed_at + 1 ELSE last_left_at END
        WHERE list_id = $1 RETURNING last_left_at)sql",
                     list, now)
        .value();
}

std::int64_t end_of_slice(storage::Connection& connection, ListId list, std::int64_t after, std::int64_t ceiling,
                          int count) {
    return connection
        .value<std::optional<std::int64_t>>(R"sql(
        SELECT max(id) FROM (SELECT id FROM subscription WHERE list_id = $1 AND id > $2 AND id <= $3 ORDER BY id LIMIT $4) AS next)sql",
                                            list, after, ceiling, count)
        .value()
        .value_or(0);
}

int read_audience(storage::Connection& connection, ListId list, Time fixed_at, std::int64_t after, std::int64_t last,
                  int limit, const std::function<Reader&()>& place) {
    static const std::string sql = readers_of_audience + in_order;
    int count = 0;
    connection.each(
        sql,
        [&](const storage::Row& row) {
            read_into(place(), row);
            ++count;
        },
        list, after, last, fixed_at, limit);
    return count;
}

int read_audience_in(storage::Connection& connection, ListId list, Time fixed_at, std::int64_t after, std::int64_t last,
                     int limit, const ZoneFilter& filter, const std::function<Reader&()>& place) {
    static const std::string sql =
        readers_of_audience + "AND (instr($6, $8 || coalesce(r.timezone, '') || $8) > 0) = $7 " + in_order;
    int count = 0;
    connection.each(
        sql,
        [&](const storage::Row& row) {
            read_into(place(), row);
            ++count;
        },
        list, after, last, fixed_at, limit, filter.zones, filter.inside, "\n");
    return count;
}

std::vector<ZoneReaders> zones_of_audience(storage::Connection& connection, ListId list, Time fixed_at,
                                           std::int64_t after, std::int64_t last) {
    return connection.all(
        R"sql(
        SELECT coalesce(r.timezone, ''), count(*) FROM subscription s LEFT JOIN subscriber r ON r.id = s.subscriber_id
        WHERE s.list_id = $1 AND s.id > $2 AND s.id <= $3 AND (s.left_at IS NULL OR s.left_at > $4)
        GROUP BY coalesce(r.timezone, ''))sql",
        [](const storage::Row& row) { return ZoneReaders{row.get<std::string>(0), row.integer(1)}; }, list, after, last,
        fixed_at);
}

// From one name to the next, each a step into the index.
std::vector<std::string> zones_in_use(storage::Connection& connection) {
    std::vector<std::string> zones;
    for (std::string last;;) {
        auto next = connection.value<std::optional<std::string>>(
            "SELECT min(timezone) FROM subscriber WHERE timezone <> '' AND timezone > $1", last);
        if (!next || !*next) return zones;
        last = zones.emplace_back(**next);
    }
}

Reader read_one(storage::Connection& connection, SubscriptionId subscription) {
    static const std::string sql = reader_of + "WHERE s.id = $1";
    Reader reader{subscription, {}, "", "", "", "{}", Time(), true, ""};
    connection.each(sql, [&](const storage::Row& row) { read_into(reader, row); }, subscription);
    return reader;
}

std::vector<std::string> counter_contradictions(storage::Connection& connection, ListId list) {
    storage::Snapshot moment(connection);
    struct Counter {
        std::int64_t active;
        Time left, fixed;
    };
    auto counter = connection.first(
        "SELECT active, last_left_at, last_fixed_at FROM list_counter WHERE list_id = $1",
        [](const storage::Row& row) { return Counter{row.integer(0), row.get<Time>(1), row.get<Time>(2)}; }, list);
    if (!counter) return {"the list has no counter"};
    std::vector<std::string> found;
    auto active = connection.value<std::int64_t>(
        "SELECT count(*) FROM subscription WHERE list_id = $1 AND left_at IS NULL", list);
    if (*active != counter->active)
        found.push_back(fmt::format("the list counts {} active readers, and there are {}", counter->active, *active));
    auto left = connection.value<std::optional<Time>>(
        "SELECT max(left_at) FROM subscription WHERE list_id = $1 AND left_at IS NOT NULL", list);
    if (left->value_or(counter->left) > counter->left)
        found.emplace_back("readers of the list left later than the last one it knows of");
    auto fixed = connection.value<std::optional<Time>>("SELECT max(started_at) FROM mailing WHERE list_id = $1", list);
    if (fixed->value_or(counter->fixed) > counter->fixed)
        found.emplace_back("a mailing of the list began later than the last one it knows of");
    return found;
}

}
