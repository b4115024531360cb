#pragma once

#include "stories/feed.hpp"

#include <string_view>

namespace postrider::stories {

// JSON Feed 1 and 1.1 (jsonfeed.org). Unknown keys and members of the wrong type are passed over.
[[nodiscard]] std::expected<Feed, FeedError> parse_json_feed(std::string_view text, std::string_view base_url);

}
