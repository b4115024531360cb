#include "stories/feed_json.hpp"

#include "stories/characters.hpp"
#include "stories/dates.hpp"
#include "stories/feed_item.hpp"
#include "stories/url.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>

namespace postrider::stories {

namespace {

namespace json = boost::json;

constexpr std::size_t deepest = 64;

std::string_view text(const json::object& object, std::string_view key) {
    const auto* value = object.if_contains(key);
    const auto* string = value ? value->if_string() : nullptr;
    return string ? std::string_view(string->data(), string->size()) : std::string_view();
}

const json::array* list(const json::object& object, std::string_view key) {
    const auto* value = object.if_contains(key);
    return value ? value->if_array() : nullptr;
}

// The specification wants a string and asks readers to bear with numbers.
std::string id_of(const json::object& item) {
    const auto* value = item.if_contains("id");
    if (!value) return {};
    if (value->is_string()) return std::string(text(item, "id"));
    return value->is_number() ? json::serialize(*value) : std::string();
}

std::string escaped_paragraphs(std::string_view plain) {
    std::string html;
    for (std::string_view rest = trim(plain); !rest.empty();) {
        const auto end = std::min(rest.find('\n'), rest.size());
        if (!html.empty()) html += "<br>\n";
        append_escaped(html, rest.substr(0, end));
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    return html;
}

std::string byline_of(const json::object& object) {
    std::string byline;
    if (const auto* authors = list(object, "authors"))
        for (const auto& author : *authors)
            if (const auto* person = author.if_object()) add_name(byline, text(*person, "name"));
    const auto* author = object.if_contains("author");
    if (const auto* person = author && byline.empty() ? author->if_object() : nullptr)
        add_name(byline, text(*person, "name"));
    return byline;
}

Image image_of(const json::object& item, std::string_view base) {
    for (const auto* key : {"image", "banner_image"})
        if (auto url = web_address(base, text(item, key)); !url.empty()) return {.url = std::move(url), .alt = {}};
    if (const auto* attachments = list(item, "attachments"))
        for (const auto& attachment : *attachments) {
            const auto* object = attachment.if_object();
            if (!object || !text(*object, "mime_type").starts_with("image/")) continue;
            if (auto url = web_address(base, text(*object, "url")); !url.empty())
                return {.url = std::move(url), .alt = std::string(text(*object, "title"))};
        }
    return {};
}

FeedItem read_item(const json::object& object, const Feed& feed, std::string_view feed_byline, std::string_view base) {
    FeedItem item;
    item.id = id_of(object);
    item.title = text(object, "title");
    item.url = web_address(base, text(object, "url"));
    if (item.url.empty()) item.url = web_address(base, text(object, "external_url"));
    if (item.url.empty() && is_web_address(item.id)) item.url = web_address(base, item.id);
    item.byline = byline_of(object);
    if (item.byline.empty()) item.byline = feed_byline;
    item.published = parse_date(text(object, "date_published"));
    if (!item.published) item.published = parse_date(text(object, "date_modified"));
    item.summary = text(object, "summary");
    item.html = text(object, "content_html");
    const auto plain = text(object, "content_text");
    if (item.html.empty()) {
        item.html = escaped_paragraphs(plain);
        if (trim(item.summary).empty()) item.summary = plain;
    }
    item.image = image_of(object, base);
    if (const auto* tags = list(object, "tags"))
        for (const auto& tag : *tags)
            if (const auto* name = tag.if_string()) add_category(item, {name->data(), name->size()});
    item.language = language_tag(text(object, "language"));
    if (item.language.empty()) item.language = feed.language;
    return item;
}

// Raw control characters are forbidden in strings and between tokens mean a space; a feed is not lost for one.
std::string without_controls(std::string_view text) {
    std::string clean(text);
    std::ranges::replace_if(clean, [](char c) { return static_cast<unsigned char>(c) < 0x20; }, ' ');
    return clean;
}

}

std::expected<Feed, FeedError> parse_json_feed(std::string_view body, std::string_view base_url) {
    json::parse_options options;
    options.max_depth = deepest;
    options.allow_trailing_commas = true;
    boost::system::error_code problem;
    const auto document = json::parse(without_controls(body), problem, {}, options);
    if (problem) return std::unexpected(FeedError{fmt::format("broken JSON ({})", problem.message())});
    const auto* root = document.if_object();
    if (!root) return std::unexpected(FeedError{"JSON, but no feed: it is not an object"});
    const auto* items = list(*root, "items");
    const auto version = text(*root, "version");
    if (!items && !version.contains("jsonfeed.org"))
        return std::unexpected(FeedError{"JSON, but no feed: it has no \"items\""});

    Feed feed;
    feed.title = line(text(*root, "title"), 2'000);
    feed.url = web_address(base_url, text(*root, "home_page_url"));
    feed.description = line(text(*root, "description"), 20'000);
    feed.language = language_tag(text(*root, "language"));
    const auto byline = byline_of(*root);
    if (!items) return feed;
    for (const auto& entry : *items) {
        const auto* object = entry.if_object();
        if (!object || feed.items.size() >= most_items) {
            ++feed.items_left_out;
            continue;
        }
        auto item = read_item(*object, feed, byline, base_url);
        const auto html_base = item.url.empty() ? std::string(base_url) : item.url;
        if (complete(item, html_base))
            feed.items.push_back(std::move(item));
        else
            ++feed.items_left_out;
    }
    return feed;
}

}
