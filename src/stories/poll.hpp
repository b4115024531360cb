#pragma once

#include "http/client.hpp"
#include "stories/feeds.hpp"

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>

// What a poll's result changes: when to ask again, with what, and what the operator is told. The whole policy of polling
// is here and in poll.cpp.
//
// In:   the feed as it was, what the server answered, what was found in the answer, and now.
// Out:  the feed as it shall be kept. Pure: chance is an argument too.
// Always: a server is never asked before the time it named (RFC 9110 section 10.2.3), nor more often than the operator
// wants.

namespace postrider::stories {

struct PollSettings {
    Duration every = 30min; // of feeds that are added without an interval of their own
    Duration at_least = 1min;
    Duration without_validators = 1h; // when the server gives nothing to ask "has it changed?" with
    Duration at_most = 24h;           // what ttl and max-age can ask for, and where the back-off ends
    int failing_after = 3;            // failures in a row
    int moved_after = 3;              // permanent redirects to one place in a row
    Duration between_pages = 1s;      // at least, of one host; its robots.txt may ask for more
};

// An intranet's own server, or a test's, may be asked more often than a stranger's.
[[nodiscard]] PollSettings poll_settings(const http::ClientSettings&, Duration every = 30min);

struct FeedFacts {
    std::string title;
    std::optional<Duration> ttl;
    std::uint32_t skip_hours = 0; // as in Feed
    std::uint8_t skip_days = 0;
    int items = 0;
};
// The error completes the sentence for the operator: this is an HTML page titled "Login", not a feed.
using BodyResult = std::expected<FeedFacts, std::string>;

// A 2xx answer, whose body says whether the poll went well.
[[nodiscard]] bool has_body(const http::FetchResult&);
[[nodiscard]] bool not_modified(const http::FetchResult&);

// `body` is there exactly when has_body(). `chance` in [0, 1) spreads feeds over time: at most a tenth of the wait is
// added.
[[nodiscard]] FeedRecord after_poll(FeedRecord feed, const http::FetchResult& fetched,
                                    const std::optional<BodyResult>& body, Time now, double chance,
                                    const PollSettings& settings);

// How many of a feed's items, counted from the newest, can be news: a feed that suddenly holds hundreds more, or comes
// back from an outage with all it ever had, does not fill the next issues with them.
[[nodiscard]] std::size_t most_news(const FeedRecord& before, Time now);

// This poll brought news: so long were they awaited.
void note_news(FeedRecord& feed, Time now);

// What went wrong, for the operator; empty when nothing did.
[[nodiscard]] std::string trouble_of(const http::FetchResult&, const std::optional<BodyResult>& body);

}
