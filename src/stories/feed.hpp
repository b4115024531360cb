#pragma once

#include "system/time.hpp"

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// A feed, read. RSS 0.9x, 1.0 and 2.0, Atom 0.3 and 1.0, JSON Feed 1 and 1.1, CDF, and what publishers make of them.
//
// In:   a body, the Content-Type it came with, the address it came from (after redirects). Any bytes.
// Out:  the feed with its items in their order, or what the body is instead. Repeated ids and dates in the future are
//       left as they are: what to do about them needs the past.
// Always: pure; never throws on content; time linear in the size; nothing a feed names is opened or fetched, and no
//         entity that holds markup or other entities is expanded. What comes out is valid UTF-8 without control
//         characters. Kept are the first 5,000 items (the others are counted); of an item 1 MB of HTML, 20,000 bytes
//         of summary, 2,000 of title, 4,000 of an address, 1,000 of an id (of a longer one its beginning and its
//         digest, so that it stays one of a kind), 50 categories. An item is read up to 30,000 tags and 16 MB, a body
//         up to 32 MB. Elements deeper than 200 vanish, their text stays.

namespace postrider::stories {

struct Image {
    std::string url;
    int width = 0, height = 0; // pixels as declared; 0: not said
    std::string alt;
};

// Something of it is there, but title, address and text may each be empty: the caller says whether that is a story.
struct FeedItem {
    std::string id;    // guid, atom:id, rdf:about; else the address; else a digest of title and date. Never empty
    std::string title; // plain text, one line
    std::string url;   // http or https; empty: the item has no page
    std::string original_url; // feedburner:origLink: where url leads to by way of a counter; empty: url is the place
    std::string byline;       // names, separated by ", "
    std::optional<Time> published; // else when it was updated, else nothing
    std::string summary;           // plain text; taken from html when the feed has none of its own
    std::string html; // as the feed has it, with absolute links; not yet safe. content:encoded before description
    Image image; // Media RSS, enclosure, iTunes, else the first picture of html that is no counter; url may be empty
    std::vector<std::string> categories;
    std::string language; // as RFC 5646 spells it, the feed's where the item says nothing; may be empty
};

struct Feed {
    std::string title, description; // plain text
    std::string url;                // the site's
    std::string language;
    std::optional<Duration> ttl;  // how long a copy is fresh: ttl, sy:updatePeriod; at least a minute, at most a year
    std::uint32_t skip_hours = 0; // bit 0: not to be asked from 00:00 to 01:00 UTC; never all of them
    std::uint8_t skip_days = 0;   // bit 0: not on Sundays, UTC; never all of them
    std::vector<FeedItem> items;
    std::size_t items_left_out = 0; // beyond the limit, or with nothing in them
    bool cut_off = false;           // the document ends in the middle: what follows the last item is not known
};

struct FeedError {
    // Completes "this is": an empty body; a feed that ends before its first item; an HTML page titled "Login"; XML, but no feed: its root is <opml>.
    std::string what;
    bool is_page = false; // of HTML, which may say where the feed is
};

[[nodiscard]] std::expected<Feed, FeedError> parse_feed(std::string_view bytes, std::string_view content_type,
                                                        std::string_view base_url);

}
