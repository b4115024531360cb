#include "stories/feed_text.hpp"

#include "stories/characters.hpp"
#include "stories/url.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>

namespace postrider::stories {

namespace {

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_name(char c) { return is_letter(c) || (c >= '0' && c <= '9') || c == '-' || c == ':' || c == '_'; }

constexpr std::array<std::string_view, 60> html_tags = {
    "a",     "abbr",  "acronym", "address", "b",    "bdi",  "bdo",   "big",  "blink",  "blockquote", "br",  "center",
    "cite",  "code",  "del",     "dfn",     "div",  "em",   "font",  "h1",   "h2",     "h3",         "h4",  "h5",
    "h6",    "hr",    "i",       "img",     "ins",  "kbd",  "li",    "mark", "nobr",   "ol",         "p",   "pre",
    "q",     "rp",    "rt",      "ruby",    "s",    "samp", "small", "span", "strike", "strong",     "sub", "sup",
    "table", "tbody", "td",      "th",      "time", "tr",   "tt",    "u",    "ul",     "var",        "wbr", "script"};

bool is_block(std::string_view name) {
    constexpr std::array<std::string_view, 14> blocks = {"br", "div", "p",  "li", "h1", "h2", "h3",
                                                         "h4", "h5",  "h6", "hr", "td", "tr", "blockquote"};
    return std::ranges::find(blocks, name) != blocks.end();
}

// A tag as it stands in a text, from '<' to behind '>'. Whoever finds none may go on behind the '<'.
struct Tag {
    std::string name; // lower case
    bool closing = false;
    std::size_t length = 0;
};

// Quotes may hide a '>'. A tag is at most so long, or every '<' of a hostile text would be searched to its end.
constexpr std::size_t longest_tag = 65536;

// A few bytes of relative link become a whole address: with a long one, a feed could grow a hundredfold.
constexpr std::size_t longest_base = 500;

Tag tag_at(std::string_view text) {
    Tag tag;
    std::size_t at = 1;
    if (at < text.size() && text[at] == '/') {
        tag.closing = true;
        ++at;
    }
    if (at >= text.size() || !is_letter(text[at])) return tag;
    const auto start = at;
    while (at < text.size() && is_name(text[at])) ++at;
    tag.name = lower(text.substr(start, std::min<std::size_t>(at - start, 32)));
    char quote = 0;
    for (const auto end = std::min(text.size(), longest_tag); at < end; ++at) {
        const char c = text[at];
        if (quote) {
            if (c == quote) quote = 0;
        } else if ((c == '"' || c == '\'') && text[at - 1] == '=') {
            quote = c;
        } else if (c == '>') {
            tag.length = at + 1;
            return tag;
        } else if (c == '<') {
            return tag;
        }
    }
    return tag;
}

bool is_html(const Tag& tag) { return tag.length > 0 && std::ranges::find(html_tags, tag.name) != html_tags.end(); }

bool holds_markup(std::string_view text) {
    std::size_t tries = 1000;
    for (auto at = text.find('<'); at != text.npos && tries-- > 0; at = text.find('<', at + 1)) {
        const auto tag = tag_at(text.substr(at));
        if (!is_html(tag)) continue;
        if (tag.closing || tag.name == "br" || tag.name == "img" || tag.name == "wbr" || tag.name == "hr") return true;
    }
    return false;
}

std::string without_tags(std::string_view text) {
    std::string out;
    std::size_t tries = 1000;
    while (!text.empty()) {
        const auto at = tries-- > 0 ? std::min(text.find('<'), text.size()) : text.size();
        out += text.substr(0, at);
        text.remove_prefix(at);
        if (text.empty()) break;
        const auto tag = tag_at(text);
        if (is_html(tag)) {
            if (is_block(tag.name)) out += ' ';
            text.remove_prefix(tag.length);
            if (tag.name == "script" && !tag.closing) text.remove_prefix(std::min(text.find("</"), text.size()));
        } else if (const auto end = text.starts_with("<!--") ? text.find("-->") : text.npos; end != text.npos) {
            text.remove_prefix(end + 3);
        } else {
            out += '<';
            text.remove_prefix(1);
        }
    }
    return out;
}

std::string decoded(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        const auto at = std::min(text.find('&'), text.size());
        out += text.substr(0, at);
        text.remove_prefix(at);
        if (text.empty()) break;
        const auto reference = reference_at(text);
        if (reference.length)
            append_utf8(out, reference.code);
        else
            out += '&';
        text.remove_prefix(std::max<std::size_t>(reference.length, 1));
    }
    return out;
}

// An attribute of a tag: where its value stands in the tag (without quotes) and the value as written.
struct Attribute {
    std::string name;
    std::size_t start = 0, length = 0;
};

// The next attribute at or behind `at`; moves `at` behind it. An empty name ends the tag.
Attribute next_attribute(std::string_view tag, std::size_t& at) {
    Attribute attribute;
    while (at < tag.size() && !is_letter(tag[at])) ++at;
    const auto start = at;
    while (at < tag.size() && is_name(tag[at])) ++at;
    attribute.name = lower(tag.substr(start, std::min<std::size_t>(at - start, 32)));
    auto value = at;
    while (value < tag.size() && is_space(tag[value])) ++value;
    if (value >= tag.size() || tag[value] != '=') return attribute;
    ++value;
    while (value < tag.size() && is_space(tag[value])) ++value;
    std::size_t end = value;
    if (value < tag.size() && (tag[value] == '"' || tag[value] == '\'')) {
        end = std::min(tag.find(tag[value], value + 1), tag.size());
        attribute.start = value + 1;
        at = std::min(end + 1, tag.size());
    } else {
        while (end < tag.size() && !is_space(tag[end]) && tag[end] != '>') ++end;
        attribute.start = value;
        at = end;
    }
    attribute.length = end > attribute.start ? end - attribute.start : 0;
    return attribute;
}

bool is_relative(std::string_view url) { return !url.empty() && scheme_of(url).empty(); }

void append_resolved_tag(std::string& out, std::string_view tag, std::string_view base) {
    if (!tag.contains('=')) return void(out += tag);
    std::size_t at = 1, written = 0;
    while (at < tag.size() && is_name(tag[at])) ++at;
    while (at < tag.size()) {
        const auto attribute = next_attribute(tag, at);
        if (attribute.name.empty()) break;
        constexpr std::array<std::string_view, 12> addresses = {"href",   "src",      "cite",       "poster",
                                                                "action", "longdesc", "background", "data",
                                                                "usemap", "codebase", "classid",    "profile"};
        if (std::ranges::find(addresses, attribute.name) == addresses.end()) continue;
        const auto value = decoded(tag.substr(attribute.start, attribute.length));
        if (!is_relative(value)) continue;
        out += tag.substr(written, attribute.start - written);
        append_escaped(out, resolve(base, value));
        written = attribute.start + attribute.length;
    }
    out += tag.substr(written);
}

}

Reference reference_at(std::string_view text) {
    const auto end = text.substr(0, 34).find(';');
    if (end == text.npos || end < 2) return {};
    auto name = text.substr(1, end - 1);
    if (name[0] != '#') {
        const auto code = entity(name);
        return code ? Reference{end + 1, code} : Reference{};
    }
    name.remove_prefix(1);
    const bool hexadecimal = name.starts_with('x') || name.starts_with('X');
    if (hexadecimal) name.remove_prefix(1);
    std::uint32_t code = 0;
    const auto [rest, problem] = std::from_chars(name.data(), name.data() + name.size(), code, hexadecimal ? 16 : 10);
    if (name.empty() || rest != name.data() + name.size()) return {};
    constexpr std::array<char16_t, 32> c1 = {0x20AC, 0xFFFD, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021,
                                             0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0xFFFD, 0x017D, 0xFFFD,
                                             0xFFFD, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014,
                                             0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0xFFFD, 0x017E, 0x0178};
    if (code >= 0x80 && code < 0xA0) return {end + 1, c1[code - 0x80]};
    const bool control = code < 0x20 && code != '\t' && code != '\n' && code != '\r';
    const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
    if (problem != std::errc() || control || surrogate || code > 0x10FFFF || (code & 0xFFFE) == 0xFFFE) code = 0xFFFD;
    return {end + 1, code};
}

void append_utf8(std::string& out, char32_t code) {
    if (code < 0x80) {
        out += static_cast<char>(code);
        return;
    }
    const int followers = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    constexpr std::array<unsigned, 4> marks = {0, 0xC0, 0xE0, 0xF0};
    out += static_cast<char>(marks[static_cast<std::size_t>(followers)] | code >> (6 * followers));
    for (int i = followers - 1; i >= 0; --i) out += static_cast<char>(0x80 | (code >> (6 * i) & 0x3F));
}

std::string title_from_html(std::string_view text) {
    text = shortened(text, 65536);
    return collapse(decoded(holds_markup(text) ? without_tags(text) : std::string(text)));
}

std::string with_absolute_links(std::string_view html, std::string_view base, std::size_t bytes) {
    if (base.empty() || base.size() > longest_base) return std::string(html);
    std::string out;
    out.reserve(html.size() + html.size() / 8);
    while (!html.empty() && out.size() <= bytes) {
        const auto at = std::min(html.find('<'), html.size());
        out += html.substr(0, at);
        html.remove_prefix(at);
        if (html.empty()) break;
        const auto tag = tag_at(html);
        const auto length = std::max<std::size_t>(tag.length, 1);
        if (tag.length > 0 && !tag.closing)
            append_resolved_tag(out, html.substr(0, length), base);
        else
            out += html.substr(0, length);
        html.remove_prefix(length);
    }
    return out;
}

bool first_image(std::string_view html, FoundImage& found) {
    for (auto start = html.find('<'); start != html.npos; start = html.find('<', start + 1)) {
        const auto rest = html.substr(start);
        if (rest.size() < 5 || !same_letters(rest.substr(1, 3), "img") || is_name(rest[4])) continue;
        const auto parsed = tag_at(rest);
        if (parsed.length == 0) continue;
        const auto tag = rest.substr(0, parsed.length);
        FoundImage image;
        for (std::size_t at = 4; at < tag.size();) {
            const auto attribute = next_attribute(tag, at);
            if (attribute.name.empty()) break;
            const auto value = tag.substr(attribute.start, attribute.length);
            if (attribute.name == "src") image.url = decoded(value);
            if (attribute.name == "alt") image.alt = decoded(value);
            if (attribute.name == "width") image.width = value;
            if (attribute.name == "height") image.height = value;
        }
        auto tiny = [](std::string_view size) {
            int pixels = 1000;
            std::from_chars(size.data(), size.data() + size.size(), pixels);
            return pixels < 32;
        };
        if (tiny(image.width) || tiny(image.height) || !is_web_address(image.url)) continue;
        if (image.url.contains("feedburner.com/~") || image.url.contains("/s.w.org/images/core/emoji")) continue;
        found = std::move(image);
        return true;
    }
    return false;
}

std::string_view shortened(std::string_view text, std::size_t bytes) {
    if (text.size() <= bytes) return text;
    while (bytes > 0 && (static_cast<unsigned char>(text[bytes]) & 0xC0) == 0x80) --bytes;
    return text.substr(0, bytes);
}

}
