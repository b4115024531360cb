#pragma once

#include "storage/ids.hpp"
#include "system/time.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

// The feeds of a site as they are kept: what is asked when, and for which lists.
//
// Always: an address is kept once, however many lists the feed serves. What a poll changes is decided in poll.hpp; here
// it is only
//         written down. A feed that is paused or removed while it is being polled stays so.

namespace postrider::stories {

// active: polled; failing: polled too, but it went wrong several times in a row; paused: by the operator; gone: the
// server said 410.
enum class FeedState { active, failing, paused, gone };
[[nodiscard]] std::string_view to_text(FeedState);

struct FeedRecord {
    FeedId id;
    std::string url;
    std::string title; // the feed's own; empty until it was read
    FeedState state = FeedState::active;
    Duration every{}; // the operator's interval; the next poll may be later
    Time next_poll_at{};
    std::optional<Time> retry_after_until; // the server asked not to be asked before
    std::string etag, last_modified;       // verbatim; empty: none
    std::optional<std::string> moved_url;  // where permanent redirects lead, and how often in a row they did
    int moved_times = 0;
    int failures = 0;       // in a row
    std::string last_error; // of the last poll; empty: it went well
    std::optional<Time> last_polled_at, last_success_at;
    Time created_at{};
    int weight = 0;           // heavier ones first, where a list is ordered so
    bool read_pages = false;  // of entries that are no more than a title
    std::optional<int> items; // in the last answer that was a feed
    int new_ids = 0;          // known stories that came under new ids, and when that happened last
    std::optional<Time> new_ids_at;
    int flooded = 0; // items that were too many at once and only remembered, and when that happened last
    std::optional<Time> flooded_at;
    std::optional<Time> news_at; // when it last brought news
    Duration habit{};            // the longest it was without them, fading within months
    int arrivals = 0;            // polls that brought news
};

// A list that a feed serves. Until it is started, the next poll is the first for this list.
struct FeedPlace {
    ListId list;
    bool started = false;
    int catch_up = 0;
};

class Feeds {
public:
    explicit Feeds(storage::Connection& connection) : connection_(connection) {}

    struct Added {
        FeedRecord feed;
        bool new_feed = false, new_for_list = false;
    };
    // `url` is one that http::Url gave. A known feed keeps its interval and is given to the list; due at once either
    // way.
    Added add(std::string_view url, ListId list, Duration every, int catch_up, Time now);
    // False when it serves the list already. The list starts with the next poll, which is due at once.
    bool give_to_list(FeedId, ListId, int catch_up, Time now);

    [[nodiscard]] std::optional<FeedRecord> find(FeedId);
    [[nodiscard]] std::optional<FeedRecord> find(std::string_view url);
    [[nodiscard]] std::vector<FeedRecord> all();           // by id
    [[nodiscard]] std::vector<FeedRecord> of_list(ListId); // by id
    // Failing, gone, or active and without news since then; by id.
    [[nodiscard]] std::vector<FeedRecord> unwell(Time quiet_since);
    [[nodiscard]] std::vector<ListId> lists_of(FeedId);
    [[nodiscard]] std::vector<FeedPlace> places_of(FeedId);

    // False when there is no such feed.
    bool pause(FeedId);
    bool resume(FeedId, Time now); // out of any state; due at once, with a clean slate
    bool remove(FeedId);           // its stories stay
    bool set_every(FeedId, Duration);
    bool set_weight(FeedId, int);
    bool set_read_pages(FeedId, bool);

    // Longest due first. Neither paused nor gone ones, nor those whose Retry-After is still running.
    [[nodiscard]] std::vector<FeedRecord> due(Time now, int limit);
    [[nodiscard]] std::optional<Time> next_due();
    // Times further ahead than any poll sets them are of a clock that was wrong: such feeds are due.
    void mend_times(Time now);
    // Takes a due feed for this poll: nobody else finds it due before `until`. Nothing when somebody was faster.
    [[nodiscard]] std::optional<FeedRecord> claim(FeedId, Time now, Time until);

    // Writes what a poll changed; `after` is what after_poll() gave. An address that another feed has is not taken.
    // False when the feed was removed meanwhile.
    bool record(const FeedRecord& after);
    void start(FeedId, ListId, Time now);

private:
    storage::Connection& connection_;
};

}
