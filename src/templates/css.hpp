#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// A style sheet cut into rules, declarations and selectors, as far as mails need them.
//
// In:     the text of a style block or a style attribute; any text, broken CSS too.
// Out:    views into it, with their places. What is no declaration is left out, as browsers do. A selector that cannot
//         be decided from the tags alone (:hover, ::before, :not(...), what is unknown) is none.
// Always: pure, linear time, no recursion.
// Source: CSS Syntax Module Level 3, Selectors Level 3.

namespace postrider::templates::css {

struct Declaration {
    std::string property;   // in lower case; custom ones (--x) as written
    std::string_view value; // without !important
    bool important = false;
    std::size_t begin = 0; // in the text given
};
[[nodiscard]] std::vector<Declaration> declarations_in(std::string_view);

struct Rule {
    std::string_view prelude;       // "h1, .lead a", "@media (max-width:480px)"
    std::string_view block;         // between its braces; empty: "@import ...;"
    std::size_t begin = 0, end = 0; // of the whole, in the text given
    std::size_t block_begin = 0;

    [[nodiscard]] bool is_at_rule() const { return prelude.starts_with('@'); }
    [[nodiscard]] std::string at_word() const; // "media", in lower case
};
[[nodiscard]] std::vector<Rule> rules_in(std::string_view);

// "h1, .lead a" -> its selectors, cut at the commas that stand outside of brackets and strings.
[[nodiscard]] std::vector<std::string_view> selectors_in(std::string_view prelude);

struct AttributeTest {
    enum class Kind : std::uint8_t { there, is, word, language, begins, ends, contains };
    std::string name;
    Kind kind = Kind::there;
    std::string value;
};
struct PlaceTest { // matches where number == step * n + offset for an n >= 0
    int step = 0, offset = 1;
    bool from_end = false;
};
// What one element must be, and how it stands to the one that the compound before it means.
struct Compound {
    enum class Stands : std::uint8_t { first, within, child, next, after };
    Stands stands = Stands::first;
    std::string type;                      // empty: any
    std::vector<AttributeTest> attributes; // classes and ids too
    std::vector<PlaceTest> places;
};
struct Selector {
    std::vector<Compound> compounds;
    std::uint32_t specificity = 0; // ids * 1,000,000 + classes and attributes * 1,000 + types
};
[[nodiscard]] std::optional<Selector> parse_selector(std::string_view);

}
