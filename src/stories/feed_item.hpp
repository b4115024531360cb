#pragma once

#include "stories/feed.hpp"

#include <string_view>

// What holds for the items of every kind of feed: how long a field may be, and what stands in where it is missing.

namespace postrider::stories {

constexpr std::size_t most_items = 5'000;

// Cleans and shortens every field; links of html become absolute by html_base; fills in id, summary and image.
// False: there is nothing in this item. Call once.
[[nodiscard]] bool complete(FeedItem&, std::string_view html_base);

void add_category(FeedItem&, std::string_view);
void add_name(std::string& byline, std::string_view name);

// "ada@example.org (Ada)", "Ada <ada@example.org>" -> "Ada". A bare address stays.
[[nodiscard]] std::string name_of_person(std::string_view);

// An address that a browser can open, resolved; relative only where there is nothing to resolve by. Else empty.
[[nodiscard]] std::string web_address(std::string_view base, std::string_view reference);

// One line of clean text, within a limit.
[[nodiscard]] std::string line(std::string_view text, std::size_t bytes);

// As RFC 5646 spells it, as far as that can be seen: "en_US" -> "en-US". Empty: that is no language.
[[nodiscard]] std::string language_tag(std::string_view);

}
