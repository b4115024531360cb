#pragma once

#include "templates/source.hpp"

#include <cstdint>
#include <string_view>
#include <vector>

// One template text cut into tokens: the Mustache grammar with its rules for lines, and the place of everything.
//
// In:     the text of one template or partial.
// Out:    tokens in the order of the text. Comments and delimiter tags are used up; a line that holds nothing but one
// section,
//         comment, delimiter or partial tag is used up with its blanks and its line end, as the specification asks.
// Always: without faults, section and inverted tokens and their ends are balanced. Linear in the text. Tokens view the
// text.

namespace postrider::templates {

struct Token {
    enum class Kind : std::uint8_t { literal, escaped, raw, section, inverted, end, partial };

    Kind kind;
    bool alone = false; // was the only thing on its line
    int line = 1;
    int column = 1;
    std::string_view text;              // the literal, or the name
    std::string_view indent;            // of a partial alone on its line: the blanks before it
    std::uint32_t partial = no_partial; // of a partial: its number among the template's parts

    static constexpr std::uint32_t no_partial =
        UINT32_MAX; // nobody knows a partial of this name: it renders as nothing
};

// At most 50 faults are reported, in no particular order.
[[nodiscard]] std::vector<Token> cut(const Source&, std::vector<Fault>&);

}
