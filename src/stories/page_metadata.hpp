#pragma once

#include "stories/html_tree.hpp"
#include "system/time.hpp"

#include <optional>
#include <string>
#include <string_view>

// What an HTML page says of itself outside its text: JSON-LD (schema.org), Open Graph, Dublin Core, plain meta, <time>.

namespace postrider::stories {

struct PageMetadata {
    std::string title;
    std::string byline;
    std::string section;
    std::string summary;
    std::string image;
    std::string canonical_url;
    std::string site;
    std::string language;
    std::string base_url; // of relative URLs: <base href>, else the page's own
    std::optional<Time> published;
    std::optional<Time> updated;
};

[[nodiscard]] PageMetadata read_metadata(const HtmlTree&, std::string_view url);

}
