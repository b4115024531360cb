#pragma once

#include "templates/program.hpp"

#include <string>
#include <string_view>

// A mail's own style rules, written into the style attributes of what they mean: Gmail for other people's accounts and
// several others drop style blocks.
//
// In:     a finished HTML text, or a compiled program: the data are in it, the reader's are not. Inlining comes
//         after compiling, because only then the elements that rules ask for (:first-child, .lead) are what they will
//         be; and on the program, not on each reader's mail, because then it is done once.
// Out:    the same, but for style attributes and for rules that have gone; a block of which nothing is left goes whole.
//         What must stay in a block stands in cascade.hpp.
// Always: pure, for any thread but the one that loops: a mail of 100 kB takes milliseconds. Comments, those for
//         Outlook too, are not touched. What stands in a reader's condition is there for the rules, whether the reader
//         will have it or not. An attribute's own declarations win, as they did, except against !important; the word
//         !important itself does not travel, so that @media rules that say it still win.
// Limits: a style attribute that is there only under a reader's condition takes the rules with it.

namespace postrider::templates {

[[nodiscard]] std::string with_inlined_styles(std::string_view html);
[[nodiscard]] Program with_inlined_styles(const Program&);

}
