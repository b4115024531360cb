#pragma once

#include "http/client.hpp"
#include "stories/discover.hpp"
#include "stories/news.hpp"
#include "stories/poll.hpp"

#include <string_view>

// From a server's answer to news. Pure, and as much work as the feed is long.

namespace postrider::stories {

constexpr std::string_view accepted_types = "application/atom+xml, application/rss+xml, application/feed+json, "
                                            "application/xml;q=0.9, text/xml;q=0.9, application/json;q=0.8, "
                                            "*/*;q=0.5";

// "this is an HTML page titled "Login", not a feed"
[[nodiscard]] std::string not_a_feed(const FeedError&);

struct Reading {
    http::Fetched answer; // without its body
    BodyResult result;
    News news;
    FoundFeeds found; // where the answer is a page and no feed, when they are looked for
};

enum class FindFeeds { no, yes }; // in a page; as much work again as the page is long

[[nodiscard]] Reading read_body(http::Fetched answer, FindFeeds, Time now, const std::stop_token& stop = {});

}
