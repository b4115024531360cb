#include "stories/encoding.hpp"

#include <gtest/gtest.h>

#include <string>

using namespace postrider::stories;
using namespace std::string_literals;

namespace {

std::string xml(std::string_view encoding, std::string_view text) {
    return "<?xml version=\"1.0\" encoding=\"" + std::string(encoding) + "\"?><t>" + std::string(text) + "</t>";
}

std::string inside(const DecodedText& decoded) {
    const auto start = decoded.text.find("<t>") + 3;
    return decoded.text.substr(start, decoded.text.find("</t>") - start);
}

std::string wide(std::string_view ascii, int before, int after) {
    std::string out;
    for (const char c : ascii)
        out += std::string(static_cast<std::size_t>(before), '\0') + c +
               std::string(static_cast<std::size_t>(after), '\0');
    return out;
}

}

TEST(Encoding, AByteOrderMarkComesBeforeEverythingElse) {
    EXPECT_EQ(inside(to_utf8("\xEF\xBB\xBF" + xml("iso-8859-1", "caf\xC3\xA9"), "text/xml; charset=windows-1251")),
              "café");
    EXPECT_EQ(to_utf8("\xEF\xBB\xBF<t/>", "").text, "<t/>");
    EXPECT_EQ(inside(to_utf8("\xFF\xFE"s + wide("<t>a</t>", 0, 1), "text/xml; charset=utf-8")), "a");
}

TEST(Encoding, TheHeaderComesBeforeTheDeclaration) {
    const auto decoded = to_utf8(xml("iso-8859-1", "\xCF\xF0\xE8"), "application/rss+xml; charset=\"Windows-1251\"");
    EXPECT_EQ(inside(decoded), "При");
    EXPECT_EQ(decoded.encoding, "windows-1251");
    EXPECT_EQ(inside(to_utf8(xml("utf-8", "caf\xC3\xA9"), "text/xml; charset=iso-8859-1")), "cafÃ©");
}

TEST(Encoding, TheDeclarationComesBeforeUtf8) {
    EXPECT_EQ(inside(to_utf8(xml("windows-1252", "\x93hi\x94"), "text/xml")), "“hi”");
    EXPECT_EQ(inside(to_utf8(xml("Shift_JIS", "\x93\xFA\x96{"), "")), "日本");
    EXPECT_EQ(inside(to_utf8(xml("gb2312", "\xD6\xD0"), "")), "中");
    EXPECT_EQ(inside(to_utf8(xml("koi8-r", "\xCD"), "")), "м");
}

TEST(Encoding, ReadsWideTextWithoutAMarkByItsZeros) {
    EXPECT_EQ(to_utf8(wide("<t/>", 1, 0), "").encoding, "utf-16be");
    EXPECT_EQ(to_utf8(wide("<t/>", 0, 1), "text/xml; charset=utf-8").text, "<t/>");
    EXPECT_EQ(to_utf8(wide("<t/>", 3, 0), "").text, "<t/>");
    EXPECT_EQ(to_utf8(wide("<t/>", 0, 3), "").encoding, "utf-32le");
}

TEST(Encoding, ALabelThatTheBytesContradictGivesWay) {
    EXPECT_EQ(inside(to_utf8(xml("utf-16", "caf\xC3\xA9"), "")), "café");
    EXPECT_EQ(inside(to_utf8(xml("utf-8", "caf\xC3\xA9"), "text/xml; charset=utf-16")), "café");
    EXPECT_EQ(inside(to_utf8(xml("utf-8", "caf\xE9"), "")), "café");
    EXPECT_EQ(inside(to_utf8(xml("windows-1252", "caf\xE9"), "text/xml; charset=utf-8")), "café");
    EXPECT_EQ(inside(to_utf8(xml("iso-8859-1", "caf\xC3\xA9 und mehr"), "")), "café und mehr");
    EXPECT_EQ(inside(to_utf8(xml("no-such-thing", "caf\xC3\xA9"), "")), "café");
    EXPECT_EQ(inside(to_utf8(xml("ISO-2022-CN-EXT", "a"), "text/xml; charset=../../etc")), "a");
}

TEST(Encoding, OneBadByteInUtf8IsReplacedAndTheRestStays) {
    const auto decoded = to_utf8("<t>Über\xFF fünf große Bäume \xED\xA0\x80</t>", "text/xml; charset=utf-8");
    EXPECT_EQ(inside(decoded), "Über\uFFFD fünf große Bäume \uFFFD\uFFFD\uFFFD");
    EXPECT_TRUE(decoded.damaged);
}

TEST(Encoding, WhatGoesInEmptyComesOutEmpty) {
    EXPECT_EQ(to_utf8("", "").text, "");
    EXPECT_EQ(to_utf8("\xEF\xBB\xBF", "").text, "");
    EXPECT_EQ(to_utf8("\xFF\xFE", "").text, "");
}
