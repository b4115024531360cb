#include "stories/discover.hpp"
#include "stories/robots.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

using namespace postrider;
using namespace postrider::stories;

namespace {

std::vector<std::string> declared(const std::string& html, const std::string& url = "https://a.example/news/") {
    std::vector<std::string> found;
    for (auto& feed : find_feeds(html, "text/html", url).declared) found.push_back(feed.url);
    return found;
}

using Urls = std::vector<std::string>;

TEST(Discovery, APageDeclaresItsFeedsInItsHead) {
    auto found = find_feeds("<html><head><link rel='alternate' type='application/rss+xml' title='All &amp; sundry' "
                            "href='feed.xml'><link rel=\"home ALTERNATE\" type='application/atom+xml; charset=utf-8' "
                            "href='/atom'><link rel='alternate' hreflang='de' href='/de'></head></html>",
                            "text/html", "https://a.example/news/")
                     .declared;
    ASSERT_EQ(found.size(), 2U);
    EXPECT_EQ(found[0].url, "https://a.example/news/feed.xml");
    EXPECT_EQ(found[0].title, "All & sundry");
    EXPECT_EQ(found[1].url, "https://a.example/atom");
}

TEST(Discovery, TheBaseOfThePageCounts) {
    EXPECT_EQ(declared("<base href='https://b.example/x/'><link rel=alternate type=application/feed+json href=f.json>"),
              Urls{"https://b.example/x/f.json"});
}

TEST(Discovery, OnlyWebAddressesAreOfferedAndEachOnce) {
    EXPECT_EQ(declared("<link rel=alternate type=application/rss+xml href='javascript:alert(1)'>"
                       "<link rel=alternate type=application/rss+xml href='file:///etc/passwd'>"
                       "<link rel=alternate type=application/rss+xml href='/f'>"
                       "<link rel=alternate type=application/rss+xml href='/f'>"),
              Urls{"https://a.example/f"});
}

TEST(Discovery, PlacesAreGuessedOnlyWhereNoneIsDeclared) {
    auto found = find_feeds("<body><a href='/blog/feed/'>RSS</a></body>", "text/html", "https://a.example/");
    EXPECT_TRUE(found.declared.empty());
    ASSERT_GT(found.guessed.size(), 3U);
    EXPECT_EQ(found.guessed[0].url, "https://a.example/blog/feed/");
    EXPECT_EQ(found.guessed[1].url, "https://a.example/feed");
    auto declares = find_feeds("<link rel=alternate type=application/rss+xml href='/f'>", "", "https://a.example/");
    EXPECT_TRUE(declares.guessed.empty());
}

bool robots_allow(std::string_view robots, std::string_view product, std::string_view path) {
    return RobotsRules(robots, product).allow(path);
}

TEST(Robots, TheLongestRuleDecides) {
    const auto* text = "User-agent: *\nDisallow: /private\nAllow: /private/open # but this\n\nSitemap: /x\n"
                       "User-agent: other\nDisallow: /\n";
    EXPECT_TRUE(robots_allow(text, "postrider", "/news"));
    EXPECT_FALSE(robots_allow(text, "postrider", "/private/x"));
    EXPECT_TRUE(robots_allow(text, "postrider", "/private/open/x"));
}

TEST(Robots, AGroupOfOurOwnCountsInsteadOfEverybodys) {
    const auto* text = "User-agent: *\nDisallow:\nUser-agent: PostRider/1\r\nUser-agent: x\r\nDisallow: /*.html$\n";
    EXPECT_FALSE(robots_allow(text, "postrider", "/a/b.html"));
    EXPECT_TRUE(robots_allow(text, "postrider", "/a/b.html?x"));
    EXPECT_TRUE(robots_allow(text, "nobody", "/a/b.html"));
}

TEST(Robots, TheirPauseIsKeptWithinReason) {
    auto pause = [](std::string_view text) { return RobotsRules(text, "postrider").pause(); };
    EXPECT_EQ(pause("User-agent: *\nCrawl-delay: 10\n"), 10s);
    EXPECT_EQ(pause("User-agent: *\ncrawl-delay: 2.5\nDisallow: /x"), 2500ms);
    EXPECT_EQ(pause("User-agent: other\nCrawl-delay: 10\n"), 0s);
    EXPECT_EQ(pause("User-agent: *\nCrawl-delay: 10\nUser-agent: postrider\nCrawl-delay: 3\n"), 3s);
    EXPECT_EQ(pause("User-agent: *\nCrawl-delay: 10\nUser-agent: postrider\nDisallow:\n"), 0s);
    for (auto* much : {"86400", "99999999999999999999", "1e9", "31"})
        EXPECT_LE(pause(fmt::format("User-agent: *\nCrawl-delay: {}\n", much)), 30s) << much;
    for (auto* nothing : {"", "-5", "soon", "nan", "0"})
        EXPECT_EQ(pause(fmt::format("User-agent: *\nCrawl-delay: {}\n", nothing)), 0s) << nothing;
}

TEST(Robots, EmptyBrokenAndHostileFilesAllowOrForbidButNeverStall) {
    EXPECT_TRUE(robots_allow("", "postrider", "/"));
    EXPECT_TRUE(robots_allow("<html>404</html>", "postrider", "/"));
    std::string stars = "User-agent: *\nDisallow: /";
    for (int i = 0; i < 900; ++i) stars += "*a";
    EXPECT_TRUE(robots_allow(stars + "b$", "postrider", "/" + std::string(2000, 'a')));
}

}
