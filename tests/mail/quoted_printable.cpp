#include "mail/quoted_printable.hpp"

#include "support/mail_linter.hpp"

#include <gtest/gtest.h>

#include <random>

namespace qp = postrider::mail::quoted_printable;
using postrider::mail_linter::decode_quoted_printable;

namespace {

std::string literal(std::string_view text) {
    std::string out;
    qp::append_literal(out, text);
    return out;
}

std::string text(std::string_view text) {
    std::string out;
    qp::append_text(out, text);
    return out;
}

// What decoding should give: the text with CRLF for line ends.
std::string with_crlf(std::string_view text) {
    std::string out;
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (text[at] == '\n' && !(at > 0 && text[at - 1] == '\r')) out += '\r';
        out += text[at];
    }
    return out;
}

bool needs_no_stuffing(std::string_view encoded) {
    std::string lines = "\n" + std::string(encoded);
    return lines.find("\n.") == lines.npos && lines.find("\nFrom ") == lines.npos;
}

}

TEST(QuotedPrintable, PlainTextStaysReadable) {
    EXPECT_EQ(text("Hello, world.\nTwo = 1 + 1\r\n"), "Hello, world.\r\nTwo =3D 1 + 1\r\n");
    EXPECT_EQ(text("caf\u00e9"), "caf=C3=A9");
}

TEST(QuotedPrintable, APieceLeavesTheOutputAtTheStartOfALine) {
    EXPECT_EQ(literal("Dear "), "Dear=20=\r\n");
    EXPECT_EQ(literal("Dear\n"), "Dear\r\n");
    EXPECT_EQ(literal(""), "");
    std::string out = "before\r\n";
    qp::append_slot(out, "Ada");
    EXPECT_EQ(out, "before\r\nAda=\r\n");
}

TEST(QuotedPrintable, BlanksBeforeALineEndAreEncodedAndOthersNot) {
    EXPECT_EQ(text("a \nb\t\r\n c d "), "a=20\r\nb=09\r\n c d=20");
}

TEST(QuotedPrintable, NoLineBeginsWithADotOrFrom) {
    EXPECT_EQ(text(".\n..x\nFrom me\nFromage\n"), "=2E\r\n=2E.x\r\n=46rom me\r\nFromage\r\n");
    EXPECT_TRUE(needs_no_stuffing(text(std::string(3000, '.'))));
    for (std::size_t before = 60; before < 80; ++before)
        EXPECT_TRUE(needs_no_stuffing(text(std::string(before, 'a') + "From From From here")));
}

TEST(QuotedPrintable, ALoneCarriageReturnAndNulAreEncoded) {
    using namespace std::string_view_literals;
    EXPECT_EQ(text("a\rb\0c"sv), "a=0Db=00c");
    EXPECT_EQ(text("a\r"), "a=0D");
    EXPECT_EQ(text("\n.\r\n"), "\r\n=2E\r\n");
    EXPECT_EQ(text("\r.\r\n"), "=0D.\r\n");
    EXPECT_EQ(text("a\r\r\nb"), "a=0D\r\nb");
}

TEST(QuotedPrintable, AnyOctetsInAnyPiecesDecodeToThemselves) {
    std::mt19937 random(1);
    constexpr std::string_view seasoning[] = {"\r\n",  "\n", "\r",     " ",     "\t",   ".",
                                              "From ", "=",  "\u00e9", "=\r\n", "--=_", "word "};
    for (int round = 0; round < 20'000; ++round) {
        std::string out, expected;
        for (auto pieces = 1 + random() % 5; pieces > 0; --pieces) {
            std::string piece;
            for (auto length = random() % 40; length > 0; --length) {
                if (random() % 3 == 0)
                    piece += seasoning[random() % std::size(seasoning)];
                else if (random() % 3 == 0)
                    piece += char(random());
                else
                    piece += std::string(random() % 30, char('a' + random() % 26));
            }
            random() % 2 ? qp::append_literal(out, piece) : qp::append_slot(out, piece);
            expected += with_crlf(piece);
        }
        auto decoded = decode_quoted_printable(out);
        ASSERT_TRUE(decoded) << out;
        ASSERT_EQ(*decoded, expected) << out;
        ASSERT_TRUE(needs_no_stuffing(out)) << out;
        ASSERT_EQ(out.find("=_"), out.npos);
        ASSERT_TRUE(out.empty() || out.ends_with("\r\n"));
    }
}
