#pragma once

#include "stories/feed.hpp"
#include "stories/feeds.hpp"
#include "stories/stories.hpp"

#include <cstddef>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

// What a feed brings: its items as stories, and which of them are news to which list.
//
// In:     a parsed feed; the lists it serves.
// Out:    stories that stand as candidates or remembered.
// Always: an item is one story by its id in this feed, else by its canonical address, http or https alike; one whose id
//         changed but whose address is known is no news, nor is one whose address changed but whose id is known. Of two
//         feeds of one list, an item with the headline and the moment of the other's, and its site or its words, is the
//         same story. A list's first poll remembers everything but the newest it asked for. Storing in pieces,
//         interrupted and begun again, ends the same.

namespace postrider::stories {

struct NewsItem {
    std::vector<std::string> keys; // the item's id, and those of items with the same address
    Story story;                   // safe, bounded; not in the future
    std::size_t place = 0;         // in the feed, 0 for the top
    bool bare = false;             // no more than a title
    bool waits = false;            // until its page can be read: it has its place, and is not taken
};

struct News {
    std::vector<NewsItem> items; // oldest first
    std::size_t left_out = 0;    // beyond the limits, or with neither words nor pictures
};

// Pure, and as much work as the feed is long: for a thread of its own. `url` is where the feed came from.
// When asked to stop it gives what it has so far, which is then worth nothing.
[[nodiscard]] News news_of(Feed feed, std::string_view url, Time now, const std::stop_token& stop = {});

struct Taken {
    std::size_t candidates = 0; // new for a list at least
    std::size_t remembered = 0; // by a first poll
    std::size_t new_ids = 0;    // known to the feed, but under other ids
    std::size_t flooded = 0;    // would be news, but are too many: remembered
};

// The bare items, by their number in `news`, that are going to be candidates and are not known yet: those whose pages
// are worth reading. Oldest first. `most` as in take_news().
[[nodiscard]] std::vector<std::size_t> bare_news(storage::Connection&, FeedId, std::span<const FeedPlace> places,
                                                 const News&, std::size_t most);

// Stores items from number `from` on for about `at_most` within one transaction, and gives the number of the next one
// to store; at the end (or when the feed was removed meanwhile) their count. `places` stay the same over all pieces.
// Only the newest `most` items can be candidates, those that wait among them.
[[nodiscard]] std::size_t take_news(storage::Connection&, FeedId, std::span<const FeedPlace> places, const News&,
                                    std::size_t from, std::size_t most, Duration at_most, Time now, Taken& taken);

}
