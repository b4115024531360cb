#include "http/conditional.hpp"

#include "http/date.hpp"
#include "http/field_list.hpp"
#include "system/random.hpp"

namespace postrider::http {
namespace {

// A list of tags, or "*". The comparison is weak, as section 13.1.2 asks: W/"x" is "x". Our tags hold no comma.
bool has_tag(std::string_view list, std::string_view tag) {
    while (!list.empty()) {
        auto one = take_item(list);
        if (one == "*") return true;
        if (one.starts_with("W/")) one.remove_prefix(2);
        if (one == tag) return true;
    }
    return false;
}

bool is_known(const Request& request, const Response& response, std::string_view tag, Time now) {
    if (request.headers.has("If-None-Match")) {
        for (auto& [name, value] : request.headers)
            if (equal_without_case(name, "If-None-Match") && has_tag(value, tag)) return true;
        return false;
    }
    auto since = parse_http_date(request.headers.value("If-Modified-Since"), now);
    auto modified = parse_http_date(response.headers.value("Last-Modified"), now);
    return since && modified && *modified <= *since;
}

}

void tag(Response& response) {
    if (response.status != 200) return;
    response.headers.set("ETag", "\"" + system::base64url(system::sha256(response.body).substr(0, 16)) + "\"");
}

void answer_conditionally(const Request& request, Response& response, Time now) {
    if (response.status != 200 || request.method != "GET") return;
    if (!is_known(request, response, response.headers.value("ETag"), now)) return;
    response.status = 304;
    response.body.clear();
    response.headers.remove("Content-Type");
}

}
