#include "web/issue_frame.hpp"

#include "templates/markup.hpp"

namespace postrider::web {

std::string framed(std::string_view html, std::string_view top, std::string_view end) {
    auto body = templates::body_of(html);
    if (!body) return std::string(html);
    std::string page;
    page.reserve(html.size() + top.size() + end.size() + 16);
    page.append(html.substr(0, body->begin)).append(top).append("<main>");
    page.append(html.substr(body->begin, body->end - body->begin)).append("</main>").append(end);
    page.append(html.substr(body->end));
    return page;
}

}
