#include "mail/header.hpp"

#include "mail/message.hpp"
#include "support/mail_linter.hpp"

#include <gtest/gtest.h>

#include <clocale>
#include <cstdlib>
#include <fstream>
#include <random>

using namespace postrider;
using namespace postrider::mail;
using namespace std::string_literals;

namespace {

const Address reader = parse_address("ada@example.org").value();

std::string subject(std::string_view value) {
    std::string out;
    append_text(out, field::subject, value);
    return out;
}

std::string to(std::string_view name) {
    std::string out;
    append_mailbox(out, field::to, name, reader);
    return out;
}

// The one field in `text`, unfolded; the linter's complaints about it go to the test.
std::string unfolded(const std::string& text) {
    std::vector<mail_linter::Field> fields;
    std::vector<std::string> complaints;
    mail_linter::split_header(text, fields, complaints);
    for (const auto& complaint : complaints) ADD_FAILURE() << complaint;
    EXPECT_EQ(fields.size(), 1u) << text;
    return fields.empty() ? "" : fields.front().value;
}

// The name in front of <address>: encoded words decoded, quotes taken off.
std::string name_of(const std::string& field) {
    auto value = unfolded(field);
    auto angle = value.rfind(" <");
    if (angle == value.npos) return "";
    value.resize(angle);
    if (!value.starts_with('"')) return mail_linter::decode_value(value).value_or("(not decodable)");
    EXPECT_EQ(value.find("=?"), value.npos) << value;
    std::string name;
    for (std::size_t at = 1; at + 1 < value.size(); ++at) {
        if (value[at] == '\\') ++at;
        name += value[at];
    }
    return name;
}

std::string subject_of(const std::string& field) {
    return mail_linter::decode_value(unfolded(field)).value_or("(not decodable)");
}

std::string times(std::size_t count, std::string_view text) {
    std::string out;
    while (count-- > 0) out += text;
    return out;
}

std::vector<std::string> torture() {
    return {"Ada",
            "Ada Lovelace",
            "Doe, J.",
            "J. \"Joe\" \\ Doe",
            "J\u00fcrgen (x)",
            "a@b.example",
            "<a@b.example>",
            "x\r\nBcc: a@b.example",
            "x\nBcc: a@b.example\n\n<h1>",
            "\r\n\r\n",
            "\0a\0"s,
            "a\u2028b\u2029c\u0085d\u009fe\x7f",
            "=?utf-8?q?=0D=0ABcc:_a@b?=",
            "=?utf-8?",
            "=?",
            "?=",
            "=?utf-8?Q?a?= =?utf-8?Q?b?=",
            " leading and trailing ",
            "   ",
            "two  spaces   three",
            "\u05e9\u05dc\u05d5\u05dd \u05e2\u05d5\u05dc\u05dd",
            "\U0001f469\u200d\U0001f469\u200d\U0001f467\U0001f44d\U0001f3fd \U0001f1e9\U0001f1ea",
            times(300, "n"),
            times(300, "\u00e9"),
            times(150, "a "),
            times(100, "\U0001f469\u200d\U0001f467"),
            "e" + times(300, "\u0301"),
            times(60, "word, "),
            "\xff\xfe half \xe2\x82",
            "tab\there",
            times(90, " ") + "x",
            times(77, "y"),
            times(3000, "z") + " " + times(3000, "\u4e2d")};
}

}

TEST(Header, PlainTextIsWrittenPlainly) {
    EXPECT_EQ(subject("The Courier, issue 12"), "Subject: The Courier, issue 12\r\n");
    EXPECT_EQ(subject(""), "Subject: \r\n");
    EXPECT_EQ(to("Ada Lovelace"), "To: Ada Lovelace <ada@example.org>\r\n");
    EXPECT_EQ(to(""), "To: ada@example.org\r\n");
}

TEST(Header, ANameIsQuotedOrEncodedButNeverBoth) {
    EXPECT_EQ(to("Doe, J."), "To: \"Doe, J.\" <ada@example.org>\r\n");
    EXPECT_EQ(to("J\u00fcrgen Mustermann Beispiel (x)"),
              "To: =?utf-8?Q?J=C3=BCrgen_Mustermann_Beispiel_=28x=29?= <ada@example.org>\r\n");
    EXPECT_EQ(to("J\u00fcrgen (x)"), "To: =?utf-8?B?SsO8cmdlbiAoeCk=?= <ada@example.org>\r\n");
    EXPECT_EQ(to("a@b.example"), "To: \"a@b.example\" <ada@example.org>\r\n");
    EXPECT_EQ(to("\"\\"), "To: \"\\\"\\\\\" <ada@example.org>\r\n");
}

TEST(Header, ALongSubjectIsFoldedBeforeSpaces) {
    auto field = subject(times(20, "seven77 ") + "end");
    EXPECT_EQ(field.find(" \r\n"), field.npos);
    EXPECT_NE(field.find("\r\n seven77"), field.npos);
    EXPECT_EQ(subject_of(field), times(20, "seven77 ") + "end");
}

TEST(Header, EveryValueDecodesToItselfAndStaysOneField) {
    for (const auto& value : torture()) {
        EXPECT_EQ(subject_of(subject(value)), clean_value(value));
        EXPECT_EQ(name_of(to(value)), clean_value(value));
    }
}

TEST(Header, RandomValuesDecodeToThemselves) {
    std::mt19937 random(2);
    constexpr std::string_view pieces[] = {
        "a",  " ",    "word ", "\u00e9", "\u4e2d\u6587",     "\U0001f600", "\u0301", "=?", "?=", "\"",
        "\\", "\r\n", "\0",    "<",      "longer-than-most", "_",          "="};
    for (int round = 0; round < 5000; ++round) {
        std::string value;
        for (auto count = random() % 80; count > 0; --count) value += pieces[random() % std::size(pieces)];
        ASSERT_EQ(subject_of(subject(value)), clean_value(value));
        if (!value.empty()) ASSERT_EQ(name_of(to(value)), clean_value(value));
    }
}

TEST(Header, WhatATemplateMadeOfSeveralLinesIsOneLine) {
    auto line = [](std::string text) {
        make_one_line(text);
        return text;
    };
    EXPECT_EQ(line("The Courier:\r\n  a story  of \t ships\n\n"), "The Courier: a story  of \t ships");
    EXPECT_EQ(line("  \n x"), "x");
    EXPECT_EQ(line(" \n "), "");
    EXPECT_EQ(line("as  it is"), "as  it is");
}

TEST(Header, AWordStandsAsItIsHoweverLong) {
    std::string out;
    auto word = "12:" + times(120, "s") + ":digest:thecourier";
    append_word(out, field::feedback_id, word);
    EXPECT_EQ(out, "Feedback-ID: " + word + "\r\n");
    out.clear();
    append_word(out, field::feedback_id, "x\r\nBcc: \u00e9");
    EXPECT_EQ(out, "Feedback-ID: x__Bcc:___\r\n");
    EXPECT_THROW(append_word(out, field::feedback_id, times(990, "x")), std::length_error);
}

TEST(Header, ControlsBecomeSpacesAndBadUtf8IsReplaced) {
    EXPECT_EQ(clean_value("x\r\nBcc: a@b"), "x  Bcc: a@b");
    EXPECT_EQ(clean_value("a\u2028b\u0085c\x7f"s + "d\0e"s), "a b c d e");
    EXPECT_EQ(clean_value("\xff!"), "\ufffd!");
}

TEST(Header, NoEncodedWordHoldsHalfACharacterThatFits) {
    auto text = unfolded(subject(times(60, "e\u0301")));
    for (auto at = text.find("=?"); at != text.npos; at = text.find("=?", at + 2)) {
        auto end = text.find("?=", at + 10) + 2;
        auto word = mail_linter::decode_word(text.substr(at, end - at));
        ASSERT_TRUE(word);
        EXPECT_TRUE(word->starts_with("e")) << *word;
        at = end - 2;
    }
}

// GMime, for one, puts the texts of neighbouring words together before it decodes them.
TEST(Header, EncodedWordsMayBeJoinedBeforeTheyAreDecoded) {
    for (auto text : {times(300, "\u00e9"), times(150, "\U0001f44d\U0001f3fd"), "The Courier: " + times(100, "\u4e2d"),
                      times(100, "e\u0301"), "a" + times(200, "\U0001f600"), times(60, "\u00fc a"), times(99, "x")}) {
        auto value = unfolded(subject(text));
        for (auto end = value.find("=?= "); end != value.npos; end = value.find("=?= ", end + 1))
            EXPECT_EQ(value.compare(value.rfind("=?utf-8?", end), 10, "=?utf-8?Q?"), 0) << value;
        EXPECT_EQ(subject_of(subject(text)), text);
    }
}

TEST(Header, DatesAreEnglishAndUtcWhateverTheLocale) {
    std::setlocale(LC_ALL, "de_DE.UTF-8");
    EXPECT_EQ(date_text(parse_rfc3339("2026-11-24T07:54:00Z").value()), "Tue, 24 Nov 2026 07:54:00 +0000");
    EXPECT_EQ(date_text(parse_rfc3339("2028-02-29T23:59:59+05:30").value()), "Tue, 29 Feb 2028 18:29:59 +0000");
    EXPECT_EQ(date_text(parse_rfc3339("2000-01-01T00:00:00Z").value()), "Sat, 01 Jan 2000 00:00:00 +0000");
    std::setlocale(LC_ALL, "C");
}

TEST(Header, UrlListsAreFoldedOnlyAfterCommas) {
    std::string out, token(60, 't');
    append_urls(out, field::list_unsubscribe, {"https://x.example/leave/1", "mailto:u@x.example"});
    EXPECT_EQ(out, "List-Unsubscribe: <https://x.example/leave/1>, <mailto:u@x.example>\r\n");
    out.clear();
    append_urls(out, field::list_unsubscribe,
                {"https://x.example/leave/" + token, "", "mailto:u+" + token + "@x.example"});
    EXPECT_EQ(out,
              "List-Unsubscribe: <https://x.example/leave/" + token + ">,\r\n <mailto:u+" + token + "@x.example>\r\n");
    out.clear();
    append_urls(out, field::list_help, {""});
    EXPECT_EQ(out, "");
}

TEST(Header, AUrlCannotLeaveItsBracketsOrItsLine) {
    std::string out;
    append_urls(out, field::list_help, {"https://x.example/>\r\nBcc: \u00fc"});
    EXPECT_EQ(out, "List-Help: <https://x.example/%3E%0D%0ABcc:%20%C3%BC>\r\n");
    EXPECT_THROW(append_urls(out, field::list_help, {"https://x.example/" + std::string(1000, 'a')}),
                 std::length_error);
}

TEST(Header, IdentifiersMustBeDotAtoms) {
    std::string out;
    append_message_id(out, "12.345.abc", "x.example");
    append_list_id(out, "The W\u00e4chter", "weekly.x.example");
    EXPECT_EQ(out, "Message-ID: <12.345.abc@x.example>\r\n"
                   "List-Id: =?utf-8?Q?The_W=C3=A4chter?= <weekly.x.example>\r\n");
    for (auto bad : {"", "a b", "a>b", ".a", "a..b", "a\r\nb"}) {
        EXPECT_THROW(append_message_id(out, bad, "x.example"), std::logic_error);
        EXPECT_THROW(append_list_id(out, "T", bad), std::logic_error);
    }
}

TEST(Header, TheLongestAddressFitsOnALine) {
    std::string domain = "example.org";
    while (domain.size() + 2 <= 189) domain = "b." + domain;
    auto longest = parse_address(std::string(64, 'a') + "@" + domain).value();
    std::string out;
    append_mailbox(out, field::to, times(100, "name "), longest);
    EXPECT_NE(unfolded(out).find("<" + longest.ascii() + ">"), std::string::npos);
}

// FOLD and BOTH blocks of the table: texts that must come back unchanged when our folding is undone. (Where the table
// folds is its own policy: it leaves long words alone, we encode them.)
TEST(HeaderCorpus, FoldedTextsUnfoldToThemselves) {
    const char* folder = std::getenv("POSTRIDER_CORPORA");
    if (!folder) GTEST_SKIP() << "POSTRIDER_CORPORA is not set";
    std::ifstream in(std::string(folder) + "/header-codecs/jakarta-folddata.txt");
    if (!in) GTEST_SKIP() << "no header-codecs/jakarta-folddata.txt";
    std::string line, text;
    bool reading = false;
    int count = 0;
    while (std::getline(in, line)) {
        if (line == "FOLD" || line == "BOTH" || line == "UNFOLD" || line == "EXPECT") {
            reading = line == "FOLD" || line == "BOTH";
            text.clear();
            continue;
        }
        if (!reading) continue;
        text += line;
        if (!line.ends_with('$')) {
            text += "\n";
            continue;
        }
        text.pop_back();
        EXPECT_EQ(subject_of(subject(text)), clean_value(text));
        ++count;
        reading = false;
    }
    EXPECT_GT(count, 5);
}
