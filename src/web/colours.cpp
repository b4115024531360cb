#include "web/colours.hpp"

#include "system/ascii.hpp"

#include <algorithm>

namespace postrider::web {
namespace {

using std::string_view;

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

// Of CSS without blanks and in lower case: "prefers-color-scheme:dark".
string_view asked_of(string_view feature) {
    constexpr string_view name = "prefers-color-scheme:";
    return feature.starts_with(name) ? feature.substr(name.size()) : string_view();
}

// Every "(prefers-color-scheme: ...)" becomes a question that every screen answers alike, so that "and", "not" and commas
// around it mean what they did.
std::string answered(string_view css, string_view colours) {
    constexpr string_view yes = "(min-width:0)", no = "(max-width:0)";
    std::string out;
    while (!css.empty()) {
        auto open = std::min(css.find('('), css.size());
        out += css.substr(0, open);
        css.remove_prefix(open);
        // Whatever else a bracket holds ends at the next one.
        auto end = css.find_first_of("()", 1);
        if (css.empty() || end == css.npos || css[end] == '(') {
            out += css.substr(0, 1);
            css.remove_prefix(std::min<std::size_t>(1, css.size()));
            continue;
        }
        auto feature = system::lower(css.substr(1, end - 1));
        std::erase_if(feature, is_blank);
        auto asked = asked_of(feature);
        out += asked.empty() ? css.substr(0, end + 1) : asked == colours ? yes : no;
        css.remove_prefix(end + 1);
    }
    return out;
}

}

std::string in_colours(string_view html, Colours colours) {
    const string_view name = colours == Colours::dark ? "dark" : "light";
    const auto lower = system::lower(html);
    std::string out;
    std::size_t at = 0;
    while (at < html.size()) {
        auto open = std::min(lower.find("<style", at), html.size());
        auto end = std::min(lower.find("</style", open), html.size());
        out += html.substr(at, open - at);
        out += answered(html.substr(open, end - open), name);
        at = end;
    }
    // Behind all that the mail says of it; the element need not stand in the head to count.
    out += "<style>:root{color-scheme:only ";
    out += name;
    out += "!important}</style>";
    return out;
}

}
