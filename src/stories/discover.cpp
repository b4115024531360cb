#include "stories/discover.hpp"

#include "stories/characters.hpp"
#include "stories/encoding.hpp"
#include "stories/feed_item.hpp"
#include "stories/html_tree.hpp"
#include "stories/url.hpp"

#include <algorithm>
#include <array>

namespace postrider::stories {
namespace {

constexpr std::size_t most_declared = 50, most_linked = 5;
constexpr std::size_t longest_page = 10 << 20, longest_title = 200;

bool has_word(std::string_view list, std::string_view wanted) {
    while (!list.empty()) {
        const auto end = std::min(list.find_first_of(" \t\r\n\f"), list.size());
        if (same_letters(list.substr(0, end), wanted)) return true;
        list.remove_prefix(std::min(end + 1, list.size()));
    }
    return false;
}

// "application/rss+xml; charset=utf-8"
bool is_feed_type(std::string_view type) {
    constexpr std::array<std::string_view, 5> types = {"application/rss+xml", "application/atom+xml",
                                                       "application/feed+json", "application/rdf+xml", "text/rss+xml"};
    const auto plain = lower(trim(type.substr(0, type.find(';'))));
    return std::ranges::find(types, plain) != types.end();
}

// "application/json" and plain XML are declared for many things; only a title that says so makes a feed of them.
bool declares_feed(const Node& link) {
    if (has_word(link.attribute("rel"), "feed")) return true;
    if (!has_word(link.attribute("rel"), "alternate")) return false;
    if (is_feed_type(link.attribute("type"))) return true;
    const auto type = lower(trim(link.attribute("type")));
    return (type == "application/json" || type == "application/xml" || type == "text/xml") &&
           contains_any(lower(link.attribute("title")), {"feed", "rss", "atom"});
}

bool looks_like_feed(std::string_view address) {
    const auto path = lower(address.substr(0, address.find_first_of("?#")));
    constexpr std::array<std::string_view, 11> ends = {"/feed",      "/feed/",   "/rss",      "/rss/",
                                                       ".rss",       ".atom",    "/atom.xml", "/feed.xml",
                                                       "/feed.json", "/rss.xml", "/index.rdf"};
    return std::ranges::any_of(ends, [&](auto end) { return path.ends_with(end); });
}

void add(std::vector<FoundFeed>& found, std::string url, std::string title, std::size_t most) {
    if (!is_web_address(url) || found.size() >= most) return;
    if (std::ranges::any_of(found, [&](auto& known) { return known.url == url; })) return;
    found.push_back({std::move(url), std::move(title)});
}

class Finder {
public:
    explicit Finder(std::string_view url) : base_(url) {}

    // A <base> counts for what follows it, and only the first does (HTML section 4.2.3).
    void look(const Node& node) {
        if (node.is("base") && !based_ && node.has("href")) {
            base_ = resolve(base_, node.attribute("href"));
            based_ = true;
        }
        if (node.is("link") && declares_feed(node))
            add(declared, safe_url(node.attribute("href"), base_, false), line(node.attribute("title"), longest_title),
                most_declared);
        if (node.is("a") && (is_feed_type(node.attribute("type")) || looks_like_feed(node.attribute("href"))))
            add(linked, safe_url(node.attribute("href"), base_, false), line(text_of(node), longest_title),
                most_linked);
        for (const auto& child : node.children) look(child);
    }

    std::vector<FoundFeed> declared, linked;

private:
    std::string base_;
    bool based_ = false;
};

}

FoundFeeds find_feeds(std::string_view bytes, std::string_view content_type, std::string_view url) {
    const auto decoded = to_utf8(bytes.substr(0, longest_page), content_type);
    const auto tree = parse_html(clean_utf8(decoded.text));
    Finder finder(url);
    finder.look(*tree.root);
    if (!finder.declared.empty()) return {std::move(finder.declared), {}};
    auto guessed = std::move(finder.linked);
    for (const auto* usual : {"/feed", "/rss.xml", "/atom.xml", "/feed.xml", "/feed.json", "/index.xml"})
        add(guessed, resolve(url, usual), "", most_linked + 6);
    std::erase_if(guessed, [&](auto& one) { return one.url == url; });
    return {{}, std::move(guessed)};
}

}
