#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// The tags of an HTML text with their places, and which tag stands in which.
//
// In:     any text. Comments, with whatever a comment for Outlook holds, and the text of script, style, title and
//         textarea hold no tags.
// Out:    the tags in the order of the text; by a second call, the elements that they open.
// Always: linear time; no recursion; nesting deeper than 500 is taken for siblings. Views look into the text.
// Source: html.spec.whatwg.org, sections 13.1.2.4 (optional tags) and 13.2.5 (tokenization), as far as mails need them.

namespace postrider::templates {

struct Attribute {
    std::string name;               // in lower case
    std::string_view value;         // between its quotes, entities as they stand
    std::size_t begin = 0, end = 0; // of the whole, in the text
    char quote = '\0';              // none: not quoted, or no value at all
};

struct Tag {
    enum class Kind { open, close };
    Kind kind = Kind::open;
    std::string name; // in lower case
    std::vector<Attribute> attributes;
    std::size_t begin = 0, end = 0; // in the text, from < to behind >
    bool closed = false;            // <br/>

    [[nodiscard]] const Attribute* attribute(std::string_view name) const; // the first of its name
};

[[nodiscard]] std::vector<Tag> tags_in(std::string_view html);

// What stands between <body> and </body>; without the latter, up to the end of the text.
struct Body {
    std::size_t begin, end;
};
[[nodiscard]] std::optional<Body> body_of(std::string_view html); // none: it has no <body>

struct Element {
    static constexpr std::size_t none = std::size_t(-1);
    std::size_t tag;                // its index among the tags
    std::size_t parent = none;      // its index among the elements, smaller than its own
    std::size_t before = none;      // the sibling before it
    std::size_t number = 1, of = 1; // among its siblings
    std::size_t end = 0;            // in the text: where what it holds ends
};

// In the order of the text. What is closed by nothing ends with its parent.
[[nodiscard]] std::vector<Element> elements_of(const std::vector<Tag>&, std::size_t text_size);

[[nodiscard]] bool is_void(std::string_view element); // br, img and their like: never closed

// &amp; &lt; &gt; &quot; &#39; &apos; &nbsp; and numbers; others stay as they are.
[[nodiscard]] std::string decoded(std::string_view attribute_value);

}
