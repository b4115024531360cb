#include "web/issue_frame.hpp"

#include "system/ascii.hpp"

#include <algorithm>

namespace postrider::web {
namespace {

constexpr auto npos = std::string_view::npos;

bool begins_with_tag(std::string_view html, std::string_view tag) {
    return html.size() > tag.size() && system::equal_without_case(html.substr(0, tag.size()), tag) &&
           std::string_view(" \t\r\n>").find(html[tag.size()]) != npos;
}

// Behind the ">" of the tag that begins at `at`; one that stands in a quoted value does not count.
std::size_t end_of_tag(std::string_view html, std::size_t at) {
    char quote = 0;
    for (; at < html.size(); ++at) {
        char c = html[at];
        if (quote) {
            if (c == quote) quote = 0;
        } else if (c == '"' || c == '\'') {
            quote = c;
        } else if (c == '>') {
            return at + 1;
        }
    }
    return npos;
}

std::size_t begin_of_body(std::string_view html) {
    for (auto at = html.find('<'); at != npos; at = html.find('<', at + 1))
        if (begins_with_tag(html.substr(at), "<body")) return end_of_tag(html, at);
    return npos;
}

std::size_t end_of_body(std::string_view html) {
    for (auto at = html.rfind('<'); at != npos; at = at ? html.rfind('<', at - 1) : npos)
        if (begins_with_tag(html.substr(at), "</body")) return at;
    return html.size();
}

}

std::string framed(std::string_view html, std::string_view top, std::string_view end) {
    auto begin = begin_of_body(html);
    if (begin == npos) return std::string(html);
    auto last = std::max(begin, end_of_body(html));
    std::string page;
    page.reserve(html.size() + top.size() + end.size() + 16);
    page.append(html.substr(0, begin)).append(top).append("<main>");
    page.append(html.substr(begin, last - begin)).append("</main>").append(end).append(html.substr(last));
    return page;
}

}
