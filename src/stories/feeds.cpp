#include "stories/feeds.hpp"

#include <array>

namespace postrider::stories {
namespace {

constexpr std::array<std::string_view, 4> state_names = {"active", "failing", "paused", "gone"};

const std::string selected = "SELECT id, url, title, state, every, next_poll_at, retry_after_until, etag, "
                             "last_modified, moved_url, moved_times, failures, last_error, last_polled_at, "
                             "last_success_at, created_at, weight, read_pages, items, new_ids, new_ids_at, "
                             "flooded, flooded_at, news_at, habit, arrivals FROM feed ";

FeedRecord feed_in(const storage::Row& row) {
    FeedRecord feed;
    feed.id = row.get<FeedId>(0);
    feed.url = row.text(1);
    feed.title = row.text(2);
    for (std::size_t i = 0; i < state_names.size(); ++i)
        if (row.text(3) == state_names[i]) feed.state = FeedState(i);
    feed.every = row.get<Duration>(4);
    feed.next_poll_at = row.get<Time>(5);
    feed.retry_after_until = row.get<std::optional<Time>>(6);
    feed.etag = row.get<std::optional<std::string>>(7).value_or("");
    feed.last_modified = row.get<std::optional<std::string>>(8).value_or("");
    feed.moved_url = row.get<std::optional<std::string>>(9);
    feed.moved_times = row.get<int>(10);
    feed.failures = row.get<int>(11);
    feed.last_error = row.get<std::optional<std::string>>(12).value_or("");
    feed.last_polled_at = row.get<std::optional<Time>>(13);
    feed.last_success_at = row.get<std::optional<Time>>(14);
    feed.created_at = row.get<Time>(15);
    feed.weight = row.get<int>(16);
    feed.read_pages = row.get<bool>(17);
    feed.items = row.get<std::optional<int>>(18);
    feed.new_ids = row.get<int>(19);
    feed.new_ids_at = row.get<std::optional<Time>>(20);
    feed.flooded = row.get<int>(21);
    feed.flooded_at = row.get<std::optional<Time>>(22);
    feed.news_at = row.get<std::optional<Time>>(23);
    feed.habit = row.get<Duration>(24);
    feed.arrivals = row.get<int>(25);
    return feed;
}

std::optional<std::string_view> unless_empty(const std::string& text) {
    if (text.empty()) return std::nullopt;
    return text;
}

}

std::string_view to_text(FeedState state) { return state_names[std::size_t(state)]; }

Feeds::Added Feeds::add(std::string_view url, ListId list, Duration every, int catch_up, Time now) {
    storage::Transaction transaction(connection_);
    Added added;
    added.new_feed = connection_.run(R"sql(
        INSERT INTO feed (url, every, next_poll_at, created_at) VALUES ($1, $2, $3, $3) ON CONFLICT (url) DO NOTHING)sql",
                                     url, every, now) == 1;
    auto id = find(url).value().id;
    added.new_for_list = give_to_list(id, list, catch_up, now);
    added.feed = find(id).value();
    transaction.commit();
    return added;
}

bool Feeds::give_to_list(FeedId feed, ListId list, int catch_up, Time now) {
    storage::Transaction transaction(connection_);
    bool given = connection_.run(R"sql(
        INSERT INTO feed_list (feed_id, list_id, catch_up) VALUES ($1, $2, $3) ON CONFLICT (feed_id, list_id) DO NOTHING)sql",
                                 feed, list, catch_up) == 1;
    if (given) connection_.run("UPDATE feed SET next_poll_at = $2 WHERE id = $1 AND next_poll_at > $2", feed, now);
    transaction.commit();
    return given;
}

std::optional<FeedRecord> Feeds::find(FeedId id) { return connection_.first(selected + "WHERE id = $1", feed_in, id); }

std::optional<FeedRecord> Feeds::find(std::string_view url) {
    return connection_.first(selected + "WHERE url = $1", feed_in, url);
}

std::vector<FeedRecord> Feeds::all() { return connection_.all(selected + "ORDER BY id", feed_in); }

std::vector<FeedRecord> Feeds::unwell(Time quiet_since) {
    return connection_.all(selected + R"sql(
        WHERE state IN ('failing', 'gone') OR (state = 'active' AND news_at < $1) ORDER BY id)sql",
                           feed_in, quiet_since);
}

std::vector<FeedRecord> Feeds::of_list(ListId list) {
    return connection_.all(selected + "JOIN feed_list ON feed_list.feed_id = feed.id WHERE list_id = $1 ORDER BY id",
                           feed_in, list);
}

std::vector<ListId> Feeds::lists_of(FeedId id) {
    std::vector<ListId> lists;
    for (const auto& place : places_of(id)) lists.push_back(place.list);
    return lists;
}

std::vector<FeedPlace> Feeds::places_of(FeedId id) {
    return connection_.all(
        "SELECT list_id, started_at, catch_up FROM feed_list WHERE feed_id = $1 ORDER BY list_id",
        [](const storage::Row& row) { return FeedPlace{row.get<ListId>(0), !row.null(1), row.get<int>(2)}; }, id);
}

bool Feeds::pause(FeedId id) { return connection_.run("UPDATE feed SET state = 'paused' WHERE id = $1", id) == 1; }

bool Feeds::resume(FeedId id, Time now) {
    // A Retry-After outlives it: that is the server's wish, not ours.
    return connection_.run("UPDATE feed SET state = 'active', failures = 0, next_poll_at = $2 WHERE id = $1", id,
                           now) == 1;
}

bool Feeds::remove(FeedId id) { return connection_.run("DELETE FROM feed WHERE id = $1", id) == 1; }

bool Feeds::set_every(FeedId id, Duration every) {
    return connection_.run("UPDATE feed SET every = $2 WHERE id = $1", id, every) == 1;
}

bool Feeds::set_weight(FeedId id, int weight) {
    return connection_.run("UPDATE feed SET weight = $2 WHERE id = $1", id, weight) == 1;
}

bool Feeds::set_read_pages(FeedId id, bool wanted) {
    return connection_.run("UPDATE feed SET read_pages = $2 WHERE id = $1", id, wanted) == 1;
}

std::vector<FeedRecord> Feeds::due(Time now, int limit) {
    return connection_.all(selected + R"sql(
        WHERE state IN ('active', 'failing') AND next_poll_at <= $1 AND coalesce(retry_after_until, 0) <= $1
        ORDER BY next_poll_at, id LIMIT $2)sql",
                           feed_in, now, limit);
}

void Feeds::mend_times(Time now) {
    constexpr Duration longest = 8 * 24h; // a Retry-After, with what chance adds
    connection_.run(
        "UPDATE feed SET next_poll_at = $1, retry_after_until = NULL WHERE next_poll_at > $1 + $2 + 2 * every", now,
        longest);
}

std::optional<Time> Feeds::next_due() {
    return connection_.first(R"sql(
        SELECT CASE WHEN coalesce(retry_after_until, 0) > next_poll_at THEN retry_after_until ELSE next_poll_at END AS due_at
        FROM feed WHERE state IN ('active', 'failing') ORDER BY due_at LIMIT 1)sql",
                             [](const storage::Row& row) { return row.get<Time>(0); });
}

std::optional<FeedRecord> Feeds::claim(FeedId id, Time now, Time until) {
    auto taken = connection_.run(R"sql(
        UPDATE feed SET next_poll_at = $3
        WHERE id = $1 AND state IN ('active', 'failing') AND next_poll_at <= $2 AND coalesce(retry_after_until, 0) <= $2)sql",
                                 id, now, until);
    return taken == 1 ? find(id) : std::nullopt;
}

bool Feeds::record(const FeedRecord& after) {
    storage::Transaction transaction(connection_);
    // A list that was given the feed while this poll was under way has not had its first one yet.
    auto changed = connection_.run(
        R"sql(
        UPDATE feed SET title = $2, state = CASE WHEN state = 'paused' THEN state ELSE $3 END,
                        next_poll_at = CASE WHEN $11 IS NULL AND EXISTS (SELECT 1 FROM feed_list WHERE feed_id = $1 AND started_at IS NULL)
                                            THEN coalesce($12, $4) ELSE $4 END,
                        retry_after_until = $5, etag = $6, last_modified = $7, moved_url = $8, moved_times = $9, failures = $10,
                        last_error = $11, last_polled_at = $12, last_success_at = $13, items = $14, new_ids = $15, new_ids_at = $16,
                        flooded = $17, flooded_at = $18, news_at = $19, habit = $20, arrivals = $21
        WHERE id = $1)sql",
        after.id, after.title, to_text(after.state), after.next_poll_at, after.retry_after_until,
        unless_empty(after.etag), unless_empty(after.last_modified), after.moved_url, after.moved_times, after.failures,
        unless_empty(after.last_error), after.last_polled_at, after.last_success_at, after.items, after.new_ids,
        after.new_ids_at, after.flooded, after.flooded_at, after.news_at, after.habit, after.arrivals);
    connection_.run(
        "UPDATE feed SET url = $2 WHERE id = $1 AND NOT EXISTS (SELECT 1 FROM feed AS other WHERE other.url = $2)",
        after.id, after.url);
    transaction.commit();
    return changed == 1;
}

void Feeds::start(FeedId feed, ListId list, Time now) {
    connection_.run("UPDATE feed_list SET started_at = $3 WHERE feed_id = $1 AND list_id = $2 AND started_at IS NULL",
                    feed, list, now);
}

}
