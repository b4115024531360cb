#pragma once

#include "system/time.hpp"

#include <expected>
#include <optional>
#include <string>
#include <string_view>

// One article's page, read for what a newsletter says about it.
//
// In:   the bytes of an answer, HTML or plain text, with their Content-Type (may be empty) and the URL they came from.
// Out:  a Page, or why there is none. A string is empty where the page does not say.
// Always: pure; bounded by the limits of html.hpp; a page without a headline or without text is an error, not half a
// story.

namespace postrider::stories {

struct Page {
    std::string title;
    std::string byline;   // people, without "By"
    std::string agency;   // the wire that wrote it: "Reuters"
    std::string dateline; // the place before the first sentence: "MOSCOW"
    std::string section;
    std::string summary;       // what the page says of itself, else the beginning of the text
    std::string text;          // paragraphs, separated by empty lines; captions of pictures are in html alone
    std::string html;          // as safe_html makes it
    std::string image;         // absolute URL
    std::string canonical_url; // absolute URL
    std::string site;
    std::string language; // "en", "pt-BR"
    std::optional<Time> published;
    std::optional<Time> updated;
};

struct PageError {
    std::string reason; // for a log line: "no text of an article found"
};

[[nodiscard]] std::expected<Page, PageError> read_page(std::string_view bytes, std::string_view content_type,
                                                       std::string_view url);

}
