#pragma once

#include "templates/css.hpp"
#include "templates/markup.hpp"

#include <string>
#include <string_view>
#include <vector>

// What a mail's own style blocks say of each of its elements.
//
// In:     an HTML text with its tags and elements.
// Out:    for each element the declarations that the rules give it, in two texts: those that its own style attribute
//         covers, and those (!important) that cover it. For each block, what cannot be said in attributes: @media and
//         its like, :hover, nested rules, and selectors that nothing here matches, which may be meant for what a mail
//         program puts round the mail ([data-ogsc], .ExternalClass).
// Always: pure. Time and memory grow with elements x selectors; past 40 million of these nothing is matched, and the
//         blocks stay as they are. A block with an open slot in it, or only for some media, is left alone.
//         Shorthands keep their order. Two declarations of one property in the rule that wins both stay: the first is
//         for those who do not know the second.
// Source: CSS Cascading and Inheritance Level 3, section 6; Selectors Level 3.

namespace postrider::templates {

// Stands for a value that only a reader has, in a text that is otherwise finished.
constexpr char open_slot = '\x02';

struct Cascade {
    struct Styles {
        std::string under, over; // "color:red;margin:0"; no !important in them
    };
    struct Block {
        std::size_t begin, end; // of the whole element, in the text
        std::size_t text_begin, text_end;
        std::string left; // what must stay of its text
    };
    std::vector<Styles> elements; // as many as there are
    std::vector<Block> blocks;    // those of which something can go
};

[[nodiscard]] Cascade cascade(std::string_view html, const std::vector<Tag>&, const std::vector<Element>&);

// The element's own style attribute between what lies under and over it: the last of a property counts.
[[nodiscard]] std::string effective_style(const Cascade::Styles&, const Tag&);

}
