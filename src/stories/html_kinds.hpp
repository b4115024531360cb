#pragma once

#include <cstddef>
#include <string_view>

// What the scanner has to know of the elements of HTML: one look-up for each tag.

namespace postrider::stories {

enum Trait : unsigned {
    is_void = 1,        // has no content and no end tag
    is_formatting = 2,  // reopened by the tree builder in every paragraph that follows
    ends_paragraph = 4, // its start tag closes an open <p>
    is_table_part = 8,
    is_raw_text = 16, // its content is text up to the end tag, and none of it is for readers
    is_skipped = 32,  // dropped with everything in it
    is_ignored = 64,  // dropped, its content kept
    is_heading = 128
};

// Elements of no trait share the number 0; every other name has its own.
struct Kind {
    unsigned traits = 0;
    std::size_t number = 0;

    [[nodiscard]] bool has(Trait trait) const { return (traits & trait) != 0; }
};

[[nodiscard]] Kind kind_of(std::string_view name); // in lower case
[[nodiscard]] std::size_t kinds_of_elements();     // numbers are below

}
