#pragma once

#include "digest/look.hpp"
#include "stories/pictures.hpp"

#include <string>
#include <string_view>

// A story's own HTML, dressed for a mail.
//
// In:     HTML that safe_html() made: well-formed, balanced, quoted.
// Out:    the same, each element with its styles, as mail programs want them; fit for {{{ }}}.
// Always: pure, linear time. Headings follow one another without a gap, below a title of level 2. Every picture comes by
//         https, is no wider than the sheet and, where its size is known, says its height; those of up to 2x2 pixels
//         are gone. What is no such HTML is escaped, not trusted.

namespace postrider::digest {

// `shown` is a picture that stands above the story already, and is left out. `sizes` are those that the HTML does not
// say.
[[nodiscard]] std::string story_body(std::string_view safe_html, std::string_view shown,
                                     const stories::PictureSizes& sizes, const Look&, std::string_view direction);

// No wider than `widest`, in the same proportion; what is 0 is not known and stays so.
[[nodiscard]] stories::PictureSize shown_size(stories::PictureSize, int widest);

}
