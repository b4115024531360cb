#include "stories/opml.hpp"
#include "stories/reading.hpp"

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include <chrono>
#include <iostream>

using namespace postrider;
using namespace postrider::stories;
namespace json = boost::json;

namespace {

std::string opml(const std::string& body) {
    return "<?xml version='1.0'?><opml version='2.0'><head><title>Mine</title></head><body>" + body + "</body></opml>";
}

std::vector<std::string> urls(std::string_view text) {
    auto list = parse_opml(text);
    std::vector<std::string> found;
    if (list)
        for (auto& feed : list->feeds) found.push_back(feed.url);
    return found;
}

using Urls = std::vector<std::string>;

std::string repeated(std::string_view text, std::size_t times) {
    std::string out;
    for (std::size_t i = 0; i < times; ++i) out += text;
    return out;
}

TEST(Opml, EveryOutlineWithAFeedIsTakenOnceHoweverDeepItsFolder) {
    auto list =
        parse_opml(opml("<outline text='News'><outline text='A &amp; B' xmlUrl='https://a.example/f'/>"
                        "<outline text='C'><outline title='D' text='' XMLURL=' https://d.example/f '/></outline>"
                        "</outline><outline text='again' xmlUrl='https://a.example/f'/>"));
    ASSERT_TRUE(list);
    ASSERT_EQ(list->feeds.size(), 2U);
    EXPECT_EQ(list->title, "Mine");
    EXPECT_EQ(list->feeds[0].title, "A & B");
    EXPECT_EQ(list->feeds[1].title, "D");
    EXPECT_EQ(list->feeds[1].url, "https://d.example/f");
    EXPECT_EQ(list->repeated, 1U);
}

TEST(Opml, WhatIsNoWebAddressIsRefusedByName) {
    auto list = parse_opml(opml("<outline xmlUrl='|~/fetch.py'/><outline xmlUrl='file:///etc/passwd'/>"
                                "<outline xmlUrl='javascript:alert(1)'/><outline xmlUrl='feed://a.example/f'/>"));
    ASSERT_TRUE(list);
    ASSERT_EQ(list->feeds.size(), 1U);
    EXPECT_EQ(list->feeds[0].url, "http://a.example/f");
    ASSERT_EQ(list->refused.size(), 3U);
    EXPECT_EQ(list->refused[0].reason, "is a program of another reader, not an address");
}

TEST(Opml, AListThatEndsInTheMiddleSaysSo) {
    const auto whole = opml("<outline text='A' xmlUrl='https://a.example/f'/><outline xmlUrl='https://b.example/f'/>");
    EXPECT_FALSE(parse_opml(whole)->cut_off);
    EXPECT_FALSE(parse_opml(whole.substr(0, whole.find("</opml>")))->cut_off) << "nothing of the list is missing";
    EXPECT_TRUE(parse_opml(whole.substr(0, whole.find("</body>")))->cut_off);
    auto half = parse_opml(whole.substr(0, whole.find("b.example")));
    EXPECT_TRUE(half->cut_off);
    EXPECT_EQ(half->feeds.size(), 1U);
}

TEST(Opml, FeedsThatAreNestedTooDeepAreCounted) {
    auto nested = [](std::size_t depth) {
        return parse_opml(opml(repeated("<outline text='deep'>", depth) + "<outline xmlUrl='https://a.example/f'/>" +
                               repeated("</outline>", depth)));
    };
    EXPECT_EQ(nested(100)->feeds.size(), 1U);
    EXPECT_EQ(nested(100)->too_deep, 0U);
    EXPECT_EQ(nested(198)->feeds.size(), 0U);
    EXPECT_EQ(nested(198)->too_deep, 1U);
    EXPECT_FALSE(nested(198)->cut_off);
}

TEST(Opml, WhatIsNoListIsNamed) {
    EXPECT_EQ(parse_opml("").error().what, "an empty file");
    EXPECT_EQ(parse_opml("<html><body/></html>").error().what, "no list of feeds: its root is <html>");
    EXPECT_TRUE(parse_opml("<rss version='2.0'><channel><title>T</title><item><title>a</title></item></channel></rss>")
                    .error()
                    .what.starts_with("a feed itself"));
    EXPECT_TRUE(parse_opml("just words").error().what.contains("not a list"));
}

TEST(Opml, AListThatWasWrittenReadsTheSame) {
    const std::vector<OpmlFeed> feeds{{"A <\"&'>", "https://a.example/f?a=1&b=2", "https://a.example/"},
                                      {"", "https://b.example/f", ""}};
    auto list = parse_opml(write_opml("T & U", feeds, Time(1'800'000'000'000ms)));
    ASSERT_TRUE(list);
    EXPECT_EQ(list->title, "T & U");
    ASSERT_EQ(list->feeds.size(), 2U);
    EXPECT_EQ(list->feeds[0].title, feeds[0].title);
    EXPECT_EQ(list->feeds[0].url, feeds[0].url);
    EXPECT_EQ(list->feeds[0].site, feeds[0].site);
    EXPECT_EQ(list->feeds[1].title, "https://b.example/f");
}

TEST(Opml, HostileListsAreReadInLinearTimeWithinTheLimits) {
    const auto began = std::chrono::steady_clock::now();
    std::string bomb = "<!DOCTYPE opml [<!ENTITY a 'aaaaaaaaaa'>";
    for (char c = 'b'; c < 'm'; ++c)
        bomb += "<!ENTITY " + std::string(1, c) + " '" + repeated("&" + std::string(1, char(c - 1)) + ";", 10) + "'>";
    bomb += "<!ENTITY x SYSTEM 'file:///etc/passwd'>]>";
    auto entities = parse_opml(bomb + opml("<outline text='&l;&x;' xmlUrl='https://a.example/f'/>"));
    ASSERT_TRUE(entities);
    EXPECT_LT(entities->feeds.at(0).title.size(), 400U);
    EXPECT_FALSE(entities->feeds.at(0).title.contains("root:"));

    EXPECT_EQ(urls("<opml>" + repeated("<outline text='deep'>", 1'000'000) + "<outline xmlUrl='https://a.example/f'/>"),
              Urls{});
    EXPECT_EQ(urls(opml("<outline text='" + repeated("x", 5'000'000) + "' xmlUrl='https://a.example/f'/>")).size(), 1U);
    EXPECT_EQ(urls(opml(repeated("<outline a='", 300'000))), Urls{});
    EXPECT_EQ(urls(opml("<outline " + repeated("a='1' ", 300'000) + " xmlUrl='https://a.example/f'/>")).size(), 1U);
    const std::string nul(1, '\0');
    EXPECT_EQ(urls(opml(nul + "<outline text='a" + nul + "b' xmlUrl='https://a.example/f'/>" + nul)).size(), 1U);
    std::string many;
    for (int i = 0; i < 25'000; ++i) many += "<outline xmlUrl='https://a.example/" + std::to_string(i) + "'/>";
    auto list = parse_opml(opml(many));
    ASSERT_TRUE(list);
    EXPECT_EQ(list->feeds.size(), 20'000U);
    EXPECT_EQ(list->left_out, 5'000U);
    EXPECT_LT(std::chrono::steady_clock::now() - began, 20s);
}

// `result["feeds"][0]["url"] == "http://domain/feed"`: what of the checks of listparser is about what we keep.
bool holds(const std::string& check, const Opml& list, bool& ours) {
    const auto compared = check.find(" == ");
    if (compared == check.npos) return true;
    auto left = check.substr(0, compared), right = check.substr(compared + 4);
    for (auto* text : {&left, &right}) std::erase_if(*text, [](char c) { return c == '"' || c == '\''; });
    std::optional<std::string> value;
    const auto* first = list.feeds.empty() ? nullptr : &list.feeds[0];
    if (left == "len(result[feeds])") value = std::to_string(list.feeds.size());
    if (left == "result[feeds][0][url]") value = first ? first->url : "";
    if (left == "result[feeds][0][title]") value = first ? first->title : "";
    if (left == "result[meta][title]") value = list.title;
    ours = value && !right.starts_with("result");
    return !ours || *value == right;
}

TEST(Opml, TheListsOfTheCorpusAreReadAsTheirAuthorsSay) {
    if (!reading::corpora()) GTEST_SKIP() << "POSTRIDER_CORPORA does not name a folder: no OPML to read";
    const auto folder = *reading::corpora() / "opml";
    int good = 0, all = 0;
    const auto expected = json::parse(reading::file(folder / "listparser-expected.json"));
    for (auto& [name, wanted] : expected.as_object()) {
        auto list = parse_opml(reading::file(folder / "listparser" / std::string(name)));
        for (auto& check : wanted.at("eval").as_array()) {
            bool ours = false;
            const bool held = holds(std::string(check.as_string()), list.value_or(Opml{}), ours);
            all += ours;
            good += ours && held;
            if (ours && !held) std::cout << "  " << name << ": " << check << '\n';
        }
    }
    std::cout << "OPML checks of listparser: " << good << " of " << all << '\n';
    EXPECT_GE(all, 15);
    EXPECT_EQ(good, all);
    for (auto& entry : std::filesystem::directory_iterator(folder / "newsboat"))
        (void)parse_opml(reading::file(entry.path()));
    EXPECT_EQ(urls(reading::file(folder / "newsboat" / "example2.opml")).size(), 7U);
}

}
