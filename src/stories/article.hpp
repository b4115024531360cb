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

// What is known of the page: its title, which is left out of the text when repeated at its head, and its words about
// itself, by which a lead that stands apart is found.
struct ArticleHints {
    std::string_view title;
    std::string_view summary;
    std::string_view base_url;
};

// The text is empty when the page has none. Captions of pictures are in the html alone.
[[nodiscard]] Article find_article(const HtmlTree&, const ArticleHints&);

}
