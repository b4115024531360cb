#pragma once

#include "stories/html_kept.hpp"

#include <string>
#include <string_view>
#include <vector>

// HTML made harmless to parse. An HTML5 tree builder can be made to work quadratically (depth, attributes of a tag,
// formatting elements reopened in each paragraph), so it only ever sees what this linear pass has written.
//
// In:   any bytes.
// Out:  markup of at most 1 MB, with the words behind its places (the rest is cut off), its tags nested at most `deepest` (deeper tags vanish, their text
//       stays), closed where HTML closes them implicitly, with known attributes only, each once, double-quoted.
// Always: no comment, script, style, frame, form control, svg or math is left; valid UTF-8.

namespace postrider::stories {

constexpr std::size_t deepest_html = 200;

struct ScannedHtml {
    std::string markup;
    KeptWords kept;                   // behind the places in the markup
    std::vector<std::string> json_ld; // contents of the scripts of type application/ld+json
};

[[nodiscard]] ScannedHtml scan_html(std::string_view html);

}
