#pragma once

#include <cstddef>
#include <string>
#include <string_view>

// HTML of strangers, made fit to be put into our own mails and pages.
//
// In:   whatever a feed or a page calls HTML: a fragment or a document, of any size, nesting and byte values.
// Out:  HTML of an allow-list (tags, attributes, URL schemes http, https, mailto), or its readable text.
// Always: valid UTF-8 without control characters; never throws on content; time linear in the size. What goes beyond
//         1 MB of markup (scripts and comments do not count) is cut off; tags nested deeper than 200 vanish, their text
//         stays. Pure, so any thread may call it.

namespace postrider::stories {

// Well-formed, balanced, quoted HTML without script, style, form, frame, object, svg, math, on*, tracking pixels
// (images of 1x1 and 2x2). Every URL is absolute, relative to base_url; what has no absolute form loses the attribute. Every
// img has alt.
[[nodiscard]] std::string safe_html(std::string_view html, std::string_view base_url);

enum class Links { text_only, written_out };

// Paragraphs separated by empty lines, one list item a line ("- ", "1. "), entities decoded, white space collapsed.
// written_out puts the absolute URLs of links behind their texts: "the report (https://example.org/report)".
[[nodiscard]] std::string plain_text(std::string_view html, Links links = Links::text_only);

// The beginning of a plain text, at most `characters` code points including the "…" of a cut. Cuts behind a sentence
// when one ends in the last third, else between words, else between code points. White space becomes single spaces.
[[nodiscard]] std::string excerpt(std::string_view text, std::size_t characters);

}
