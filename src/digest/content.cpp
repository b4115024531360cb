#include "digest/content.hpp"

#include "stories/url.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

namespace postrider::digest {
namespace {

namespace json = boost::json;

json::object story_content(const stories::Story& story, std::size_t place, std::size_t count,
                           const templates::Dates& dates) {
    json::object content{
        {"title", story.title},      {"url", stories::is_web_address(story.url) ? story.url : ""},
        {"summary", story.summary},  {"byline", story.byline},
        {"source", story.source},    {"topic", story.categories.empty() ? "" : story.categories.front()},
        {"number", place + 1},       {"first", place == 0},
        {"last", place + 1 == count}};
    auto published = story.published_at.value_or(story.first_seen_at);
    content["published"] = dates.in_words(published);
    content["published_iso"] = rfc3339(published);
    // Only pictures that every reader's program fetches without a warning, and a browser on a page that came by https.
    if (stories::scheme_of(story.image.url) == "https" && stories::is_web_address(story.image.url)) {
        json::object image{{"url", story.image.url}, {"alt", story.image.alt}};
        if (story.image.width > 0) image["width"] = story.image.width;
        if (story.image.height > 0) image["height"] = story.image.height;
        content["image"] = std::move(image);
    }
    return content;
}

// Stories by topic, in the order in which the topics first occur.
json::array by_topic(const json::array& stories) {
    json::array topics;
    for (auto& story : stories) {
        auto& name = story.at("topic").as_string();
        json::object* found = nullptr;
        for (auto& topic : topics)
            if (topic.at("name").as_string() == name) found = &topic.as_object();
        if (!found) found = &topics.emplace_back(json::object{{"name", name}, {"stories", json::array()}}).as_object();
        found->at("stories").as_array().push_back(story);
    }
    return topics;
}

void wrap_member(json::object& object, std::string_view member) {
    if (auto* value = object.if_contains(member); value && value->is_string()) *value = wrapped(value->as_string(), 72);
}

}

json::object site_content(const SiteWords& site) {
    return {{"name", site.name},
            {"url", site.url},
            {"postal_address", site.postal_address},
            {"privacy_url", site.privacy_url}};
}

json::object list_content(const SiteWords& site, const subscribers::List& list) {
    auto direction = templates::direction_of(list.language);
    return {{"title", list.title},
            {"description", list.description},
            {"language", list.language},
            {"direction", direction},
            {"align_start", templates::align_start_of(direction)},
            {"archive_url", fmt::format("{}/archive/{}", site.url, list.slug)}};
}

json::object issue_content(const SiteWords& site, const subscribers::List& list, const IssueWords& issue,
                           std::span<const stories::Story> stories, const templates::Words& words) {
    auto dates = words.dates(list.timezone, templates::Dates::Style::full);
    json::array shown;
    for (std::size_t i = 0; i < stories.size(); ++i)
        shown.push_back(story_content(stories[i], i, stories.size(), dates));
    json::object about{{"number", issue.number},
                       {"date", dates.in_words(issue.date)},
                       {"date_iso", rfc3339(issue.date)},
                       {"story_count", stories.size()},
                       {"more_count", issue.left_over},
                       {"web_url", fmt::format("{}/archive/{}/{}", site.url, list.slug, issue.number)},
                       {"subject", ""},
                       {"intro", ""}};
    json::object sentences{{"issue_number", words.text("issue_number", {{"number", words.number(issue.number)}})},
                           {"more_stories", words.text("more_stories", {{"count", std::int64_t(issue.left_over)}})}};
    auto topics = by_topic(shown);
    return {{"site", site_content(site)},      {"list", list_content(site, list)}, {"issue", std::move(about)},
            {"stories", std::move(shown)},     {"topics", std::move(topics)},      {"words", words.fixed()},
            {"sentence", std::move(sentences)}};
}

json::object for_plain_text(json::object content) {
    for (auto& story : content.at("stories").as_array()) {
        wrap_member(story.as_object(), "title");
        wrap_member(story.as_object(), "summary");
    }
    for (auto& topic : content.at("topics").as_array())
        for (auto& story : topic.at("stories").as_array()) {
            wrap_member(story.as_object(), "title");
            wrap_member(story.as_object(), "summary");
        }
    wrap_member(content.at("issue").as_object(), "intro");
    wrap_member(content.at("list").as_object(), "description");
    return content;
}

std::string wrapped(std::string_view text, std::size_t columns) {
    std::string out;
    std::size_t column = 0;
    auto width = [](std::string_view word) {
        std::size_t count = 0;
        for (unsigned char c : word) count += (c & 0xc0) != 0x80; // code points
        return count;
    };
    while (!text.empty()) {
        if (text.front() == '\n') {
            out += '\n';
            column = 0;
            text.remove_prefix(1);
            continue;
        }
        auto end = text.find_first_of(" \n");
        auto word = text.substr(0, end);
        text.remove_prefix(word.size());
        if (!text.empty() && text.front() == ' ') text.remove_prefix(1);
        if (word.empty()) continue;
        auto length = width(word);
        if (column > 0 && column + 1 + length > columns) {
            out += '\n';
            column = 0;
        } else if (column > 0) {
            out += ' ';
            ++column;
        }
        out += word;
        column += length;
    }
    return out;
}

}
