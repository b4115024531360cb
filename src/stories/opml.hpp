#pragma once

#include "stories/feed.hpp"

#include <cstddef>
#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <vector>

// Lists of feeds as programs exchange them: OPML 1.0 to 2.0 (http://opml.org/spec2.opml).
//
// In:   any bytes; or the feeds of a site.
// Out:  every outline that names a feed, once each, in the document's order; or what the bytes are instead.
// Always: pure; never throws on content; time linear in the size. Nothing a list names is opened: neither other lists
//         (type="include", type="link") nor entities. At most 20,000 feeds are taken, the others are counted.

namespace postrider::stories {

struct OpmlFeed {
    std::string title; // plain text, one line; may be empty
    std::string url;   // xmlUrl; http or https
    std::string site;  // htmlUrl; may be empty
};

struct OpmlRefusal {
    std::string url;    // as written
    std::string reason; // "is a program of another reader, not an address"
};

struct Opml {
    std::string title;
    std::vector<OpmlFeed> feeds;
    std::vector<OpmlRefusal> refused; // the first 1,000
    std::size_t repeated = 0;         // named more than once
    std::size_t left_out = 0;         // beyond the limits
    std::size_t too_deep = 0;         // elements that are nested deeper than 200, feeds or folders
    bool cut_off = false;             // the text ends within the list: what follows is not known
};

[[nodiscard]] std::expected<Opml, FeedError> parse_opml(std::string_view bytes);

// OPML 2.0 that every reader takes.
[[nodiscard]] std::string write_opml(std::string_view title, std::span<const OpmlFeed>, Time created);

}
