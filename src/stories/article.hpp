#pragma once

#include "stories/html_tree.hpp"

#include <string>
#include <string_view>

// Which part of a page is the article. Scores paragraphs by length, commas and the share of link text, after Mozilla's
// Readability (https://github.com/mozilla/readability); what surrounds an article (navigation, comments, share buttons,
// lists of links) is left out.

namespace postrider::stories {

struct Article {
    std::string text;
    std::string html;
    std::string byline; // as written at the article's head
    std::string image;  // the first one of some size
};

// The text is empty when the page has none. `title` is left out of the text when repeated at its head.
[[nodiscard]] Article find_article(const HtmlTree&, std::string_view title, std::string_view base_url);

}
