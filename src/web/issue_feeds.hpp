#pragma once

#include "system/time.hpp"

#include <span>
#include <string>
#include <string_view>

// A list's issues as a feed, for whoever would rather read them in a feed reader. Pure.

namespace postrider::web {

struct FeedEntry {
    std::string title, url, html;
    Time at;
};
struct IssueFeed {
    std::string title, description, author, language;
    std::string page_url; // of the archive; the feed's name for ever
    std::string url;      // of this feed
    std::string next_url; // where the issues before these are; empty: there are none
    Time updated;
};

// Atom (RFC 4287, paged by RFC 5005). Whatever the values hold, the result is well-formed XML 1.0.
[[nodiscard]] std::string atom(const IssueFeed&, std::span<const FeedEntry>);
// JSON Feed 1.1 (jsonfeed.org).
[[nodiscard]] std::string json_feed(const IssueFeed&, std::span<const FeedEntry>);

// The stories of a frozen issue's content (JSON) as a plain list of links; empty where it is not what we wrote.
[[nodiscard]] std::string stories_as_html(std::string_view content);

}
