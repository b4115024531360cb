#include "stories/encoding.hpp"
#include "stories/feed.hpp"
#include "stories/html.hpp"
#include "stories/reading.hpp"

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <iostream>

using namespace postrider;
using namespace postrider::stories;
namespace json = boost::json;

namespace {

#define NEED_CORPORA()                                                                                                 \
    if (!reading::corpora()) GTEST_SKIP() << "POSTRIDER_CORPORA does not name a folder: no feeds to read"

json::value expectations(std::string_view path) {
    return json::parse(to_utf8(reading::file(*reading::corpora() / path), "application/json").text);
}

std::string text(const json::object& object, std::string_view key) {
    const auto* value = object.if_contains(key);
    return value && value->is_string() ? std::string(value->as_string()) : std::string();
}

// Words only: the oracles leave markup, entities and white space in titles as the feed has them.
bool same_words(std::string_view oracle, std::string_view ours) {
    return reading::words(oracle) == reading::words(ours) ||
           reading::words(plain_text(oracle)) == reading::words(plain_text(ours)) ||
           reading::words(plain_text(oracle)) == reading::words(ours);
}

struct Score {
    int good = 0, all = 0;
    void count(bool agrees, const std::string& where, std::string_view wanted, std::string_view given) {
        ++all;
        good += agrees;
        if (!agrees) std::cout << "  " << where << ": \"" << wanted << "\" but \"" << given << "\"\n";
    }
    [[nodiscard]] double share() const { return all ? static_cast<double>(good) / all : 1; }
};

std::string header(const json::object& expectation, std::string_view name) {
    const auto* headers = expectation.if_contains("headers");
    const auto* object = headers ? headers->if_object() : nullptr;
    if (object)
        for (const auto& [key, value] : *object)
            if (std::ranges::equal(key, name, [](char a, char b) { return std::tolower(a) == std::tolower(b); }))
                return std::string(value.as_string());
    return {};
}

// What of a check of feedparser is about a field that we keep: its value, or nothing.
std::optional<std::string> field(const Feed& feed, const json::array& path) {
    std::string name;
    const bool of_entry = path.size() > 2 && path[0] == "entries" && path[1].is_int64();
    for (std::size_t i = of_entry ? 2 : 1; i < path.size(); ++i)
        name += (name.empty() ? "" : ".") +
                (path[i].is_string() ? std::string(path[i].as_string()) : json::serialize(path[i]));
    if (path[0] == "feed") {
        if (name == "title" || name == "title_detail.value") return feed.title;
        if (name == "link") return feed.url;
        if (name == "language") return feed.language;
        if (name == "description" || name == "tagline" || name == "subtitle") return feed.description;
        return std::nullopt;
    }
    if (!of_entry) return std::nullopt;
    const auto index = static_cast<std::size_t>(path[1].as_int64());
    const auto item = index < feed.items.size() ? feed.items[index] : FeedItem{};
    if (name == "title" || name == "title_detail.value") return item.title;
    if (name == "link") return item.url;
    if (name == "id" || name == "guid") return item.id;
    if (name == "summary" || name == "description" || name == "summary_detail.value") return item.summary;
    if (name == "content.0.value") return item.html;
    if (name == "content.0.language") return item.language;
    if (name == "author_detail.name" || name == "authors.0.name") return item.byline;
    if (name == "tags.0.term") return item.categories.empty() ? "" : item.categories[0];
    return std::nullopt;
}

}

TEST(FeedCorpora, TitlesAndLinksOfRealFeedsAreThoseOfTheOracles) {
    NEED_CORPORA();
    Score score;
    const auto oracle = expectations("feeds-real/expected-oracle.json");
    for (const auto& [path, entry] : oracle.as_object()) {
        const auto& answers = entry.as_object();
        const auto* answer =
            answers.if_contains("jsonfeed") ? answers.if_contains("jsonfeed") : answers.if_contains("feedparser");
        if (!answer || !answer->is_object() || !answer->as_object().if_contains("items")) continue;
        const auto feed = parse_feed(reading::file(*reading::corpora() / "feeds-real" / std::string(path)), "", "");
        std::size_t i = 0;
        for (const auto& each : answer->at("items").as_array()) {
            const auto& wanted = each.as_object();
            const auto item = feed && i < feed->items.size() ? feed->items[i] : FeedItem{};
            const auto link = text(wanted, "link") + text(wanted, "url");
            const bool agrees =
                feed && i < feed->items.size() && same_words(text(wanted, "title"), item.title) && link == item.url;
            score.count(agrees, std::string(path) + " " + std::to_string(i), text(wanted, "title") + " " + link,
                        item.title + " " + item.url);
            ++i;
        }
    }
    std::cout << "feeds-real: " << score.good << " of " << score.all << " items\n";
    EXPECT_GE(score.share(), 0.99);
}

TEST(FeedCorpora, TheChecksOfFeedparserHoldForTheFieldsWeKeep) {
    NEED_CORPORA();
    Score score;
    const auto folder = *reading::corpora() / "feeds-feedparser";
    const auto expected = expectations("feeds-feedparser/expected.json");
    for (const auto& [path, entry] : expected.as_object()) {
        const auto& expectation = entry.as_object();
        const auto location = header(expectation, "content-location");
        const auto feed = parse_feed(reading::file(folder / std::string(path)), header(expectation, "content-type"),
                                     location.empty() ? "http://127.0.0.1:8097/" + std::string(path) : location);
        if (!expectation.at("checks").is_array()) continue;
        for (const auto& check : expectation.at("checks").as_array()) {
            if (!feed || check.at(1) != "==" || !check.at(2).is_string()) continue;
            const auto value = field(*feed, check.at(0).as_array());
            if (!value) continue;
            const std::string wanted(check.at(2).as_string());
            score.count(*value == wanted || same_words(wanted, *value), std::string(path), wanted, *value);
        }
    }
    std::cout << "feeds-feedparser: " << score.good << " of " << score.all << " checks\n";
    EXPECT_GE(score.share(), 0.95);
}

TEST(FeedCorpora, TitlesLinksAndIdsOfRssParserAreOurs) {
    NEED_CORPORA();
    Score score;
    for (const auto& file : std::filesystem::directory_iterator(*reading::corpora() / "feeds-rss-parser/input")) {
        const auto name = file.path().stem().string();
        const auto output = *reading::corpora() / "feeds-rss-parser/output" / (name + ".json");
        const auto feed = parse_feed(reading::file(file.path()), "", "");
        if (!feed || !std::filesystem::exists(output)) continue;
        const auto expected = expectations("feeds-rss-parser/output/" + name + ".json");
        std::size_t i = 0;
        for (const auto& each : expected.at("feed").at("items").as_array()) {
            const auto& wanted = each.as_object();
            const auto item = i < feed->items.size() ? feed->items[i] : FeedItem{};
            const auto id = text(wanted, "guid") + text(wanted, "id");
            score.count(same_words(text(wanted, "title"), item.title) && text(wanted, "link") == item.url &&
                            (id.empty() || id == item.id),
                        name + " " + std::to_string(i), text(wanted, "title"), item.title);
            ++i;
        }
    }
    std::cout << "feeds-rss-parser: " << score.good << " of " << score.all << " items\n";
    EXPECT_GE(score.share(), 0.95);
}

TEST(FeedCorpora, NoFileOfTheXmlConformanceSuiteIsTooMuch) {
    NEED_CORPORA();
    int files = 0;
    for (const auto& file : std::filesystem::recursive_directory_iterator(*reading::corpora() / "xml-conformance"))
        if (file.is_regular_file()) {
            const auto feed = parse_feed(reading::file(file.path()), "text/xml", "https://example.org/");
            EXPECT_TRUE(feed || !feed.error().what.empty()) << file.path();
            ++files;
        }
    EXPECT_GT(files, 700);
}
