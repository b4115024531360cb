#pragma once

#include "storage/connection.hpp"
#include "storage/ids.hpp"
#include "templates/colour.hpp"

#include <boost/json/fwd.hpp>

#include <expected>
#include <string>
#include <string_view>

// How the mails of a list look, so that nobody has to edit HTML for it: two colours, fonts, a logo, and the words above
// the stories.
//
// In:     what the operator wrote.
// Out:    `look` for the templates of a mail, with the colours that it has in the dark.
// Always: a list without a look of its own has the default one. What gets in is fit to stand in CSS as it is: colours
//         in hexadecimal, names of fonts in letters. The accent can be read on the sheet, by day and by night. This
//         room alone writes list_look.

namespace postrider::digest {

struct Look {
    templates::Colour accent{0x99, 0x33, 0x22};     // topics, links, buttons; on the white sheet
    templates::Colour background{0xef, 0xec, 0xe5}; // around the sheet; nothing is written on it
    std::string fonts = "Georgia, serif";           // a font-family without quotes
    std::string logo_url;                           // https; empty: the list's title stands in its place
    int logo_width = 0, logo_height = 0;            // pixels as shown; 0: not known
    std::string intro;                              // one paragraph above the stories; may be empty
};

// The error completes a sentence that begins with the option and what was written.
[[nodiscard]] std::expected<templates::Colour, std::string> parse_accent(std::string_view);
[[nodiscard]] std::expected<templates::Colour, std::string> parse_background(std::string_view);
// "'Times New Roman', Georgia, serif" -> "Times New Roman, Georgia, serif".
[[nodiscard]] std::expected<std::string, std::string> parse_fonts(std::string_view);
[[nodiscard]] std::expected<std::string, std::string> parse_logo(std::string_view);

constexpr int sheet_width = 552; // pixels, without its margins: no picture and no logo is wider

[[nodiscard]] boost::json::object look_content(const Look&);

class ListLooks {
public:
    explicit ListLooks(storage::Connection& connection) : connection_(connection) {}

    [[nodiscard]] Look of(ListId);
    void keep(ListId, const Look&);

private:
    storage::Connection& connection_;
};

}
