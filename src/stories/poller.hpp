#pragma once

#include "http/client.hpp"
#include "storage/ids.hpp"
#include "stories/discover.hpp"
#include "stories/feed.hpp"
#include "stories/feeds.hpp"
#include "stories/poll.hpp"
#include "system/clock.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

// Asks feeds for news: when they are due, or now.
//
// In:     the feeds of the database; a client that fetches.
// Out:    stories and their standing with the lists; the feed with its next time; one line of log when a feed changes
// its state. Always: at most eight polls at once, one per host at a time. A poll is claimed in the database before it
// leaves, so that neither a
//         crash nor a second daemon asks twice. News are stored in transactions of a few dozen milliseconds. Reading
//         feeds and making their HTML safe has a thread of its own; everything else runs on the executor, which is
//         single-threaded.

namespace postrider::storage {
class Database;
}

namespace postrider::stories {

enum class Force { no, yes }; // yes: even while a Retry-After is running

struct PollReport {
    FeedRecord feed;                 // as it is now
    std::size_t new_stories = 0;     // candidates of at least one list
    std::size_t remembered = 0;      // by a first poll
    std::size_t items = 0;           // read, repeated ones once
    std::size_t left_out = 0;        // beyond the limits, or with neither words nor pictures
    bool not_modified = false;       // 304
    std::size_t flooded = 0;         // too many at once: remembered, not sent
    std::size_t new_ids = 0;         // known stories under new ids
    std::size_t pages = 0;           // read for entries that are no more than a title
    std::string error;               // one sentence; empty: it went well
    FoundFeeds found;                // where a page was found instead of a feed
    std::optional<Time> waits_until; // not asked: a Retry-After is running until then
};

struct NewFeed {
    std::string url;
    ListId list;
    std::optional<Duration> every;       // none: the settings'
    int catch_up = 0;                    // the newest so many are candidates at once
    std::optional<bool> read_pages = {}; // none: as it is, at first no
    std::optional<int> weight = {};      // none: as it is, at first 0
};

class Poller {
public:
    Poller(boost::asio::any_io_executor, storage::Database&, http::Client&, system::Clock&, PollSettings = {});
    ~Poller(); // after run() has returned

    // Due or not, paused or not; the state "paused" stays. Waits while its host is being asked for another feed. Throws
    // operation_aborted when stop() gave it up.
    boost::asio::awaitable<PollReport> poll(FeedId, Force = Force::no);
    // Fetches at once and keeps the feed only when it is one; otherwise the report's error says what was found. A feed
    // that is known is given to the list.
    boost::asio::awaitable<PollReport> add(NewFeed);

    // Polls what is due until stop(); looks at each tick().
    boost::asio::awaitable<void> run();
    void tick();
    void stop();                     // gives up what is being fetched and read
    [[nodiscard]] bool idle() const; // nothing is due, nothing under way

private:
    struct State;
    std::unique_ptr<State> state_;
};

// The same without a daemon, for commands: these block the calling thread and have a loop and a database connection of
// their own. `database_url` is migrated. Reports come in the order of `feeds`.
[[nodiscard]] std::vector<PollReport> poll_now(const std::string& database_url, std::span<const FeedId> feeds, Force,
                                               const http::ClientSettings&);
[[nodiscard]] PollReport poll_now(const std::string& database_url, FeedId, Force, const http::ClientSettings&);
[[nodiscard]] PollReport add_feed(const std::string& database_url, const NewFeed&, const http::ClientSettings&);

struct FetchedFeed {
    Feed feed;
    http::Fetched answer;
};
// As a poll would, storing nothing. The error is a sentence: 404 Not Found; this is an HTML page titled "Login", not a
// feed.
[[nodiscard]] std::expected<FetchedFeed, std::string> fetch_feed(const std::string& url, const http::ClientSettings&);

}
