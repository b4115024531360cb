#include "stories/opml.hpp"

#include "http/date.hpp"
#include "stories/characters.hpp"
#include "stories/encoding.hpp"
#include "stories/feed_item.hpp"
#include "stories/feed_repair.hpp"
#include "stories/feed_text.hpp"
#include "stories/url.hpp"

#include <fmt/format.h>

#include <unordered_set>

namespace postrider::stories {
namespace {

constexpr std::size_t longest_file = 32 * 1024 * 1024;
constexpr std::size_t most_feeds = 20'000, most_refusals = 1'000;
constexpr std::size_t longest_title = 300, longest_url = 2'000;

std::string decoded(std::string_view escaped) {
    std::string text;
    while (!escaped.empty()) {
        if (auto reference = escaped.front() == '&' ? reference_at(escaped) : Reference{}; reference.length > 0) {
            append_utf8(text, reference.code);
            escaped.remove_prefix(reference.length);
            continue;
        }
        text += escaped.front();
        escaped.remove_prefix(1);
    }
    return text;
}

// The value of an attribute of a tag that repaired_xml() wrote: `name="value"`, so nothing else can look like one.
// The case of the name does not matter, for programs write xmlurl and xmlURL.
std::string attribute(std::string_view tag, std::string_view wanted) {
    for (auto at = tag.find(' '); at != tag.npos;) {
        auto equals = tag.find("=\"", at + 1);
        if (equals == tag.npos) return {};
        auto end = tag.find('"', equals + 2);
        if (end == tag.npos) return {};
        if (same_letters(tag.substr(at + 1, equals - at - 1), wanted))
            return decoded(tag.substr(equals + 2, end - equals - 2));
        at = tag.find(' ', end);
    }
    return {};
}

// "feed://host/path" and "feed:https://host/path" are what browsers once handed to readers.
std::string plain_address(std::string_view written) {
    auto url = std::string(trim(written));
    if (auto start = lower(url.substr(0, 7)); start == "feed://") return "http://" + url.substr(7);
    if (auto start = lower(url.substr(0, 9)); start == "feed:http") return url.substr(5);
    return url;
}

std::string why_not(std::string_view url) {
    if (url.size() > longest_url) return fmt::format("is longer than {} characters", longest_url);
    if (url.starts_with('|') || scheme_of(url) == "exec" || scheme_of(url) == "filter")
        return "is a program of another reader, not an address";
    if (!is_web_address(url)) return "is no http:// or https:// address";
    if (url.contains(":***@")) return "has a mask where its password was; write the password";
    return {};
}

class List {
public:
    void outline(std::string_view tag) {
        auto url = plain_address(attribute(tag, "xmlUrl"));
        if (url.empty()) return; // a folder, a link to another list, a note
        if (auto reason = why_not(url); !reason.empty()) {
            if (list_.refused.size() < most_refusals) list_.refused.push_back({line(url, 200), std::move(reason)});
            return;
        }
        url = resolve("", url);
        if (!known_.insert(url).second) {
            ++list_.repeated;
            return;
        }
        if (list_.feeds.size() >= most_feeds) {
            ++list_.left_out;
            return;
        }
        auto title = line(attribute(tag, "text"), longest_title);
        if (title.empty()) title = line(attribute(tag, "title"), longest_title);
        auto site = attribute(tag, "htmlUrl");
        list_.feeds.push_back({std::move(title), std::move(url), is_web_address(site) ? std::move(site) : ""});
    }
    void title(std::string_view text) {
        if (list_.title.empty()) list_.title = line(decoded(text), longest_title);
    }
    Opml take() { return std::move(list_); }

private:
    Opml list_;
    std::unordered_set<std::string> known_;
};

std::string_view name_of(std::string_view tag) { return tag.substr(0, tag.find_first_of(" /")); }

}

std::expected<Opml, FeedError> parse_opml(std::string_view bytes) {
    const auto decoded_bytes = to_utf8(bytes.substr(0, longest_file), "");
    std::string_view text = decoded_bytes.text;
    if (trim(text).empty()) return std::unexpected(FeedError{"an empty file"});
    const auto root = lower(root_name(text));
    if (root != "opml" && root != "oml") {
        if (auto feed = parse_feed(bytes, "", ""); feed)
            return std::unexpected(
                FeedError{"a feed itself, not a list of feeds; `postrider feed add` takes its address"});
        if (root.empty()) return std::unexpected(FeedError{"text without a single XML element, not a list of feeds"});
        return std::unexpected(FeedError{fmt::format("no list of feeds: its root is <{}>", line(root, 100))});
    }

    const auto [xml, words, cut_off, too_deep] = repaired_xml(text);
    List list;
    bool in_head = false;
    for (auto at = xml.find('<'); at != xml.npos; at = xml.find('<', at + 1)) {
        const auto end = xml.find('>', at);
        if (end == xml.npos) break;
        const auto tag = std::string_view(xml).substr(at + 1, end - at - 1);
        const auto name = name_of(tag);
        if (same_letters(name, "head")) in_head = true;
        if (same_letters(name, "body")) in_head = false;
        if (same_letters(name, "title") && in_head)
            list.title(std::string_view(xml).substr(end + 1, xml.find('<', end) - end - 1));
        if (same_letters(name, "outline")) list.outline(tag);
    }
    auto found = list.take();
    found.too_deep = too_deep;
    // Where only the last tag was forgotten, the list is whole.
    const auto tail = lower(text.substr(text.size() - std::min<std::size_t>(text.size(), 200)));
    found.cut_off = cut_off && !tail.contains("</body");
    return found;
}

std::string write_opml(std::string_view title, std::span<const OpmlFeed> feeds, Time created) {
    std::string out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<opml version=\"2.0\">\n  <head>\n    <title>";
    append_escaped(out, title);
    out += fmt::format("</title>\n    <dateCreated>{}</dateCreated>\n  </head>\n  <body>\n", http::http_date(created));
    for (auto& feed : feeds) {
        out += "    <outline type=\"rss\" text=\"";
        append_escaped(out, feed.title.empty() ? feed.url : feed.title);
        out += "\" xmlUrl=\"";
        append_escaped(out, feed.url);
        if (!feed.site.empty()) {
            out += "\" htmlUrl=\"";
            append_escaped(out, feed.site);
        }
        out += "\"/>\n";
    }
    return out + "  </body>\n</opml>\n";
}

}
