#pragma once

#include "templates/css.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

// What Gmail, Outlook, Apple Mail and Yahoo do not know, and what a mail that leans on it should do instead.
//
// In:     pieces of a mail: declarations, a selector, an at-rule, an element with its attributes.
// Out:    the entries that they touch. Only what a layout can lean on: things that merely look plainer where they are
//         not known (rounded corners, shadows, @media, :hover) are not in the table.
// Always: pure. Meant are Gmail on the web, Outlook on Windows, Apple Mail on macOS and Yahoo on the web.
// Source: caniemail.com (github.com/hteumeuleu/caniemail, 2026-06); a test holds the table against its data.

namespace postrider::templates {

struct Unsupported {
    enum class Kind : std::uint8_t { property, value, function, unit, at_rule, pseudo, element, attribute };
    Kind kind;
    std::string_view name;    // "position", "display:flex", "calc", "rem", "import", ":has", "svg", "srcset"
    std::string_view lacking; // "Gmail, Outlook"
    std::string_view instead; // what to do
    std::string_view feature; // its name at caniemail
};

[[nodiscard]] std::span<const Unsupported> unsupported_things();

struct Touched {
    const Unsupported* what;
    std::size_t at; // of the declaration that touches it
};
// A declaration that has an earlier one of its property to fall back on is left out.
[[nodiscard]] std::vector<Touched> unsupported_in(std::span<const css::Declaration>);
[[nodiscard]] const Unsupported* unsupported(Unsupported::Kind, std::string_view name);
[[nodiscard]] const Unsupported* unsupported_in_selector(std::string_view);
// "display:flex is not known to Outlook: lay it out with a table"
[[nodiscard]] std::string in_words(const Unsupported&);

}
