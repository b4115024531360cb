#include "web/issue_feeds.hpp"

#include "mail/utf8.hpp"
#include "templates/escape.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

namespace postrider::web {
namespace {

namespace json = boost::json;

std::string escaped(std::string_view value) {
    std::string fit;
    for (std::size_t at = 0; at < value.size();) {
        auto c = mail::next_code_point(value, at);
        // Char of XML 1.0: escaping does not help these.
        bool char_of_xml = c == '\t' || c == '\n' || c == '\r' || (c >= 0x20 && c != 0xfffe && c != 0xffff);
        if (char_of_xml) mail::append_utf8(fit, c);
    }
    std::string out;
    templates::append_escaped(out, fit);
    return out;
}

std::string link(std::string_view relation, std::string_view type, std::string_view url) {
    return fmt::format("<link rel=\"{}\" type=\"{}\" href=\"{}\"/>\n", relation, type, escaped(url));
}

std::string_view text_of(const json::object& object, std::string_view key) {
    auto* value = object.if_contains(key);
    return value && value->is_string() ? std::string_view(value->as_string()) : std::string_view();
}

}

std::string atom(const IssueFeed& feed, std::span<const FeedEntry> entries) {
    constexpr std::string_view itself = "application/atom+xml";
    std::string out = fmt::format(R"xml(<?xml version="1.0" encoding="utf-8"?>
<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="{}">
<id>{}</id>
<title>{}</title>
<subtitle>{}</subtitle>
<updated>{}</updated>
<author><name>{}</name></author>
)xml",
                                  escaped(feed.language), escaped(feed.page_url), escaped(feed.title),
                                  escaped(feed.description), rfc3339(feed.updated), escaped(feed.author));
    out += link("self", itself, feed.url) + link("alternate", "text/html", feed.page_url);
    if (!feed.next_url.empty()) out += link("next", itself, feed.next_url);
    for (auto& entry : entries)
        out += fmt::format(R"xml(<entry>
<id>{0}</id>
<title>{1}</title>
<updated>{2}</updated>
<published>{2}</published>
<link rel="alternate" type="text/html" href="{0}"/>
<content type="html">{3}</content>
</entry>
)xml",
                           escaped(entry.url), escaped(entry.title), rfc3339(entry.at), escaped(entry.html));
    return out + "</feed>\n";
}

std::string json_feed(const IssueFeed& feed, std::span<const FeedEntry> entries) {
    json::array items;
    for (auto& entry : entries)
        items.push_back(json::object{{"id", entry.url},
                                     {"url", entry.url},
                                     {"title", mail::valid_utf8(entry.title)},
                                     {"content_html", mail::valid_utf8(entry.html)},
                                     {"date_published", rfc3339(entry.at)}});
    json::object all{{"version", "https://jsonfeed.org/version/1.1"},
                     {"title", mail::valid_utf8(feed.title)},
                     {"home_page_url", feed.page_url},
                     {"feed_url", feed.url},
                     {"description", mail::valid_utf8(feed.description)},
                     {"language", feed.language},
                     {"authors", json::array{json::object{{"name", mail::valid_utf8(feed.author)}}}}};
    if (!feed.next_url.empty()) all["next_url"] = feed.next_url;
    all["items"] = std::move(items);
    return json::serialize(all) + "\n";
}

std::string stories_as_html(std::string_view content) {
    json::error_code failed;
    auto all = json::parse(content, failed);
    auto* object = failed ? nullptr : all.if_object();
    auto* stories = object ? object->if_contains("stories") : nullptr;
    if (!stories || !stories->is_array()) return {};
    std::string html;
    for (auto& one : stories->as_array()) {
        auto* story = one.if_object();
        if (!story) continue;
        auto url = text_of(*story, "url"), summary = text_of(*story, "summary");
        html += "<h2>";
        if (!url.empty()) html += fmt::format("<a href=\"{}\">", escaped(url));
        html += escaped(text_of(*story, "title"));
        html += url.empty() ? "</h2>\n" : "</a></h2>\n";
        if (!summary.empty()) html += fmt::format("<p>{}</p>\n", escaped(summary));
    }
    return html;
}

}
