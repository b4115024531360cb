#include "stories/page.hpp"

#include "stories/article.hpp"
#include "stories/characters.hpp"
#include "stories/encoding.hpp"
#include "stories/html.hpp"
#include "stories/html_tree.hpp"
#include "stories/limits.hpp"
#include "stories/page_metadata.hpp"
#include "stories/page_text.hpp"
#include "stories/url.hpp"

#include <algorithm>

namespace postrider::stories {

namespace {

using std::string_view;

constexpr std::size_t largest_page = 10 << 20;

bool looks_like_html(string_view text) {
    const auto start = lower(text.substr(0, 4096));
    return contains_any(start, {"<!doctype html", "<html", "<head", "<body", "<title", "<meta ", "<div", "<article",
                                "<p>", "<h1", "<table"});
}

std::string media_type(string_view content_type) { return lower(trim(content_type.substr(0, content_type.find(';')))); }

bool may_be_page(const std::string& type) {
    return type.empty() || type.starts_with("text/") || type.contains("html") || type.contains("xml") ||
           type == "application/octet-stream";
}

// RFC 7303 knows nothing of HTML: the charset of a page stands in a <meta> near its beginning.
std::string with_declared_charset(string_view bytes, string_view content_type) {
    std::string type(content_type);
    if (lower(type).contains("charset=")) return type;
    const auto start = lower(bytes.substr(0, 4096));
    const auto found = start.find("charset=");
    if (found == std::string::npos) return type;
    auto name = string_view(start).substr(found + 8);
    while (!name.empty() && (name.front() == '"' || name.front() == '\'' || name.front() == ' ')) name.remove_prefix(1);
    name = name.substr(0, name.find_first_of("\"' />;\r\n"));
    if (name.empty() || name.size() > 40) return type;
    return (type.empty() ? "text/html" : type) + "; charset=" + std::string(name);
}

void sort_out_agency(Page& page) {
    const auto paragraph = string_view(page.text).substr(0, page.text.find("\n\n"));
    if (const auto dateline = read_dateline(paragraph)) {
        page.dateline = dateline->place;
        page.agency = dateline->agency;
    }
    if (!is_agency(page.byline)) return;
    if (page.agency.empty()) page.agency = page.byline;
    page.byline.clear();
}

Page read_html_page(string_view html, string_view url) {
    const auto tree = parse_html(html);
    auto said = read_metadata(tree, url);
    auto article = find_article(tree, {said.title, said.summary, said.base_url});
    Page page;
    page.title = std::move(said.title);
    page.byline = said.byline.empty() ? person_in(article.byline) : std::move(said.byline);
    page.section = std::move(said.section);
    page.summary = std::move(said.summary);
    page.text = std::move(article.text);
    page.html = std::move(article.html);
    page.image = said.image.empty() ? std::move(article.image) : std::move(said.image);
    page.canonical_url = std::move(said.canonical_url);
    page.site = std::move(said.site);
    page.language = std::move(said.language);
    page.published = said.published;
    page.updated = said.updated;
    sort_out_agency(page);
    return page;
}

}

std::expected<Page, PageError> read_page(string_view bytes, string_view content_type, string_view url) {
    const auto type = media_type(content_type);
    if (!may_be_page(type))
        return std::unexpected(PageError{"a page was expected, not " + collapse(clean_utf8(type.substr(0, 80)))});
    const auto decoded = to_utf8(bytes, with_declared_charset(bytes, content_type));
    const auto text = clean_utf8(string_view(decoded.text).substr(0, largest_page));
    const bool is_html = type.contains("html") || looks_like_html(text);
    auto page = is_html ? read_html_page(text, url) : read_text_page(text);
    if (page.text.empty()) return std::unexpected(PageError{"no text of an article found"});
    if (page.title.empty()) return std::unexpected(PageError{"no headline found"});
    if (page.canonical_url.empty()) page.canonical_url = canonical_url(url);
    if (page.summary.empty()) page.summary = excerpt(page.text, longest_excerpt);
    return page;
}

}
