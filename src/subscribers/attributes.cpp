#include "subscribers/attributes.hpp"

#include "mail/utf8.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <vector>

namespace postrider::subscribers {
namespace {

void append_string(std::string& json, std::string_view text) {
    json += '"';
    for (char c : text) {
        if (c == '"' || c == '\\')
            json += '\\', json += c;
        else if ((unsigned char)c < 0x20)
            fmt::format_to(std::back_inserter(json), "\\u{:04x}", unsigned(c));
        else
            json += c;
    }
    json += '"';
}

// As it may stand in the body of a mail: a table may hold anything.
std::string clean(std::string_view text) {
    if (std::ranges::all_of(text, [](unsigned char c) { return c >= 0x20 && c < 0x7f; })) return std::string(text);
    std::string out;
    out.reserve(text.size());
    for (std::size_t at = 0; at < text.size();) {
        if (text.substr(at).starts_with("\r\n")) ++at;
        auto c = mail::next_code_point(text, at);
        if (c == '\r') c = '\n';
        bool control = c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x2028 || c == 0x2029;
        mail::append_utf8(out, control && c != '\n' ? U' ' : c);
    }
    return out;
}

}

std::string attributes_json(std::span<const std::pair<std::string_view, std::string_view>> pairs) {
    std::string json = "{";
    for (auto& [name, value] : pairs) {
        if (value.empty()) continue;
        if (json.size() > 1) json += ',';
        append_string(json, name);
        json += ':';
        append_string(json, clean(value));
    }
    return json += '}';
}

std::string attributes_json(const Attributes& attributes) {
    std::vector<std::pair<std::string_view, std::string_view>> pairs(attributes.begin(), attributes.end());
    return attributes_json(pairs);
}

Attributes parse_attributes(std::string_view json) {
    boost::system::error_code error;
    auto value = boost::json::parse(boost::json::string_view(json.data(), json.size()), error);
    Attributes attributes;
    if (error || !value.is_object()) return attributes;
    for (auto& [name, member] : value.get_object()) {
        auto text = member.is_string() ? std::string(member.get_string()) : boost::json::serialize(member);
        attributes.emplace(std::string(name), std::move(text));
    }
    return attributes;
}

}
