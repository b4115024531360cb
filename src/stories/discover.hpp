#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

// The feeds of a site, found from one of its pages.
//
// In:   the bytes of a page, with their Content-Type and the address they came from.
// Out:  what its head declares (<link rel="alternate" type="application/rss+xml">), in the page's order, each address
//       once, at most 50. Only where it declares none: links that look like feeds, then addresses where feeds often are.
// Always: pure, within the limits of html_tree.hpp; nothing is fetched, so what is found need not be a feed.

namespace postrider::stories {

struct FoundFeed {
    std::string url;
    std::string title; // as the page calls it; may be empty
};

struct FoundFeeds {
    std::vector<FoundFeed> declared;
    std::vector<FoundFeed> guessed; // empty unless `declared` is
};

[[nodiscard]] FoundFeeds find_feeds(std::string_view bytes, std::string_view content_type, std::string_view url);

}
