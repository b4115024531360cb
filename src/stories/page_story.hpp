#pragma once

#include "stories/page.hpp"
#include "stories/stories.hpp"

#include <string_view>

// A story from an article's page: whole, or what a feed's entry left out. Pure.

namespace postrider::stories {

// `url` is where the page came from; the page's own canonical address goes before it. canonical_url is not set.
[[nodiscard]] Story story_of_page(const Page&, std::string_view url);

// For an entry that is no more than a title: words, picture, byline and section from its page. Title, address and time
// stay the feed's, where it says them.
void fill_from_page(Story&, const Page&);

}
