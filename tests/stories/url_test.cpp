#include "stories/url.hpp"

#include <gtest/gtest.h>

using namespace postrider::stories;

TEST(Url, ResolvesEveryNormalExampleOfRfc3986) {
    const std::string_view base = "http://a/b/c/d;p?q";
    const std::pair<std::string_view, std::string_view> examples[] = {
        {"g:h", "g:h"},
        {"g", "http://a/b/c/g"},
        {"./g", "http://a/b/c/g"},
        {"g/", "http://a/b/c/g/"},
        {"/g", "http://a/g"},
        {"//g", "http://g"},
        {"?y", "http://a/b/c/d;p?y"},
        {"g?y", "http://a/b/c/g?y"},
        {"#s", "http://a/b/c/d;p?q#s"},
        {"g#s", "http://a/b/c/g#s"},
        {"g?y#s", "http://a/b/c/g?y#s"},
        {";x", "http://a/b/c/;x"},
        {"g;x", "http://a/b/c/g;x"},
        {"g;x?y#s", "http://a/b/c/g;x?y#s"},
        {"", "http://a/b/c/d;p?q"},
        {".", "http://a/b/c/"},
        {"./", "http://a/b/c/"},
        {"..", "http://a/b/"},
        {"../", "http://a/b/"},
        {"../g", "http://a/b/g"},
        {"../..", "http://a/"},
        {"../../", "http://a/"},
        {"../../g", "http://a/g"},
        {"../../../g", "http://a/g"},
        {"/./g", "http://a/g"},
        {"/../g", "http://a/g"},
        {"g.", "http://a/b/c/g."},
        {"..g", "http://a/b/c/..g"},
        {"./../g", "http://a/b/g"},
        {"g/./h", "http://a/b/c/g/h"},
        {"g/../h", "http://a/b/c/h"},
        {"g?y/../x", "http://a/b/c/g?y/../x"},
    };
    for (const auto& [reference, result] : examples) EXPECT_EQ(resolve(base, reference), result) << reference;
}

TEST(Url, CleansWhatFeedsPutAroundAndIntoAddresses) {
    EXPECT_EQ(resolve("", " \n https://example.org/a\n b \t"), "https://example.org/a%20b");
    EXPECT_EQ(resolve("https://example.org/feed", "a\"b<c>"), "https://example.org/a%22b%3Cc%3E");
}

TEST(Url, LeavesAReferenceAloneWhereThereIsNothingToResolveItBy) {
    EXPECT_EQ(resolve("", "/a/../b"), "/a/../b");
    EXPECT_EQ(resolve("urn:feed", "b"), "b");
}

TEST(Url, SpellingsOfOneAddressHaveOneCanonicalForm) {
    const std::string_view spellings[] = {
        "https://example.org/a/story?id=7",
        "HTTPS://Example.ORG:443/a/story?id=7",
        "https://example.org/b/../a/./story?id=7#comments",
        "https://example.org/a/%73tory?utm_source=rss&id=7&utm_medium=feed",
        "https://example.org/a/story?id=7&fbclid=x&gclid=y&mc_cid=z&mc_eid=w",
        " https://example.org./a/story?&id=7& ",
    };
    for (const auto spelling : spellings) EXPECT_EQ(canonical_url(spelling), spellings[0]) << spelling;
    EXPECT_EQ(canonical_url("http://example.org"), "http://example.org/");
    EXPECT_EQ(canonical_url("http://example.org/?utm_source=rss"), "http://example.org/");
    EXPECT_EQ(canonical_url("http://example.org/café"), canonical_url("http://example.org/caf%c3%a9"));
}

TEST(Url, WhatMayLeadElsewhereStaysInTheCanonicalForm) {
    for (const auto* url :
         {"http://example.org/", "https://example.org/", "https://example.org:8080/", "https://example.org/A",
          "https://example.org/a", "https://example.org/a?id=1", "https://example.org/a?id=1&x=2",
          "https://example.org/a?x=2&id=1", "https://example.org/#!/a", "https://example.org/a%2Fb"})
        EXPECT_EQ(canonical_url(url), url);
}

TEST(Url, ACanonicalFormIsItsOwn) {
    const auto once = canonical_url("HTTP://Example.org:80/%7Eada/../x%3F?utm_source=a&b=%c3%bc");
    EXPECT_EQ(canonical_url(once), once);
}

TEST(Url, OnlyHttpWithAHostIsAWebAddress) {
    EXPECT_TRUE(is_web_address("HTTPS://example.org"));
    for (const auto* url :
         {"", "example.org", "//example.org", "javascript:alert(1)", "http:/example.org", "http://", "mailto:a@b"})
        EXPECT_FALSE(is_web_address(url)) << url;
}
