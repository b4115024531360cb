#include "stories/feed.hpp"

#include "stories/characters.hpp"
#include "stories/encoding.hpp"
#include "stories/feed_item.hpp"
#include "stories/feed_json.hpp"
#include "stories/feed_repair.hpp"
#include "stories/feed_text.hpp"
#include "stories/feed_xml.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace postrider::stories {

namespace {

constexpr std::size_t longest_body = 32 * 1024 * 1024;

// What is no text at all, by its first bytes.
std::optional<std::string> binary(std::string_view bytes) {
    using namespace std::string_view_literals;
    constexpr auto kinds = std::to_array<std::pair<std::string_view, std::string_view>>({
        {"\x1F\x8B"sv, "gzip-compressed data"},
        {"%PDF-"sv, "a PDF document"},
        {"\x89PNG"sv, "a PNG image"},
        {"\xFF\xD8\xFF"sv, "a JPEG image"},
        {"GIF8"sv, "a GIF image"},
        {"PK\x03\x04"sv, "a ZIP archive"},
    });
    for (const auto& [start, name] : kinds)
        if (bytes.starts_with(start)) return std::string(name);
    return std::nullopt;
}

bool is_html(std::string_view text, std::string_view root) {
    constexpr std::array<std::string_view, 6> roots = {"html", "head", "body", "title", "script", "meta"};
    return lower(text.substr(0, 14)) == "<!doctype html" || std::ranges::find(roots, lower(root)) != roots.end();
}

// Some publishing systems wrap the frame of their pages round their feeds, too.
std::size_t start_within_html(std::string_view text) {
    const auto head = text.substr(0, 65536);
    return std::min(head.find("<feed xmlns=\"http://www.w3.org/2005/Atom\""), head.find("<rss version=\""));
}

std::string html_page(std::string_view text) {
    const auto head = lower(text.substr(0, 262'144));
    const auto tag = head.find("<title");
    const auto start = tag == head.npos ? head.npos : head.find('>', tag);
    if (start == head.npos) return "an HTML page without a title";
    const auto end = std::min(head.find("</title", start), start + 1000);
    const auto title = title_from_html(shortened(text.substr(start + 1), end - start - 1));
    return title.empty() ? "an HTML page without a title" : fmt::format("an HTML page titled \"{}\"", line(title, 200));
}

std::string plain_words(std::string_view text) {
    return fmt::format("text that is neither XML nor JSON; it begins \"{}\"", line(text, 60));
}

bool is_feed_root(std::string_view name) {
    const auto colon = name.find(':');
    const auto local = lower(colon == name.npos ? name : name.substr(colon + 1));
    return local == "rss" || local == "feed" || local == "rdf" || local == "channel";
}

std::unexpected<FeedError> no_feed(std::string what) { return std::unexpected(FeedError{std::move(what)}); }

}

std::expected<Feed, FeedError> parse_feed(std::string_view bytes, std::string_view content_type,
                                          std::string_view base_url) {
    if (bytes.size() > longest_body) bytes = bytes.substr(0, longest_body);
    if (bytes.empty()) return no_feed("an empty body");
    if (auto kind = binary(bytes)) return no_feed(std::move(*kind));
    const auto decoded = to_utf8(bytes, content_type);
    std::string_view text = decoded.text;
    const auto start = text.find_first_not_of(std::string_view(" \t\r\n\f\v\0", 7));
    if (start == text.npos) return no_feed("an empty body");
    text.remove_prefix(start);

    if (text[0] == '{' || text[0] == '[') return parse_json_feed(text, base_url);
    if (!text.contains('<')) return no_feed(plain_words(text));
    auto root = root_name(text);
    if (is_html(text, root)) {
        const auto within = start_within_html(text);
        if (within == text.npos) return std::unexpected(FeedError{html_page(text), true});
        text.remove_prefix(within);
    } else if (!is_feed_root(root)) {
        text.remove_prefix(start_of_feed(text)); // warnings of PHP, say
        root = root_name(text);
        if (root.empty()) return no_feed(plain_words(text));
        if (is_html(text, root)) return std::unexpected(FeedError{html_page(text), true});
    }
    return parse_xml_feed(text, base_url);
}

}
