#include "mail/utf8.hpp"
#include "subscribers/csv.hpp"
#include "system/random.hpp"

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace postrider::subscribers {
namespace {

// Gives the text in pieces of `piece` bytes.
CsvReader reader_of(std::string text, std::size_t piece = 1 << 16) {
    return CsvReader([text = std::move(text), piece, at = std::size_t(0)](std::span<char> to) mutable {
        auto size = std::min({piece, to.size(), text.size() - at});
        std::memcpy(to.data(), text.data() + at, size);
        at += size;
        return size;
    });
}

// Records one a line, fields between bars; errors as "!LINE reason".
std::string read(std::string text, std::size_t piece = 1 << 16) {
    auto reader = reader_of(std::move(text), piece);
    std::string out;
    for (;;) {
        auto record = reader.next();
        if (!record) {
            out += "!" + std::to_string(record.error().line) + " " + record.error().reason + "\n";
            continue;
        }
        if (!*record) return out;
        out += std::to_string((*record)->line) + ":";
        for (auto field : (*record)->fields) out += "|" + std::string(field);
        out += "\n";
    }
}

std::string utf16(std::string_view text, bool big, bool mark) {
    std::string out;
    auto unit = [&](char32_t c) { out += big ? char(c >> 8) : char(c), out += big ? char(c) : char(c >> 8); };
    if (mark) unit(0xfeff);
    for (std::size_t at = 0; at < text.size();) {
        auto c = mail::next_code_point(text, at);
        if (c < 0x10000)
            unit(c);
        else
            unit(0xd800 + ((c - 0x10000) >> 10)), unit(0xdc00 + ((c - 0x10000) & 0x3ff));
    }
    return out;
}

TEST(Csv, FieldsMayHoldSeparatorsQuotesAndLineBreaks) {
    EXPECT_EQ(read("a,b\n\"x,y\",\"say \"\"hi\"\"\"\n\"two\nlines\",z\n"),
              "1:|a|b\n2:|x,y|say \"hi\"\n3:|two\nlines|z\n");
    EXPECT_EQ(read("a,b\n1,\n,2\n\"\",\"\"\"\"\n"), "1:|a|b\n2:|1|\n3:||2\n4:||\"\n");
}

TEST(Csv, ALineMayEndInLfCrlfOrCrAndTheLastInNothing) {
    EXPECT_EQ(read("a,b\r\n1,2\r\n3,4"), "1:|a|b\n2:|1|2\n3:|3|4\n");
    EXPECT_EQ(read("a,b\r1,2\r"), "1:|a|b\n2:|1|2\n");
    EXPECT_EQ(read("a,b\n\n\r\n1,2\n\n"), "1:|a|b\n4:|1|2\n");
    EXPECT_EQ(read(""), "");
    EXPECT_EQ(read("\n\n"), "");
}

TEST(Csv, TheSeparatorIsFoundOutFromTheFirstLine) {
    EXPECT_EQ(read("a;b;c\n1,5;2;3\n"), "1:|a|b|c\n2:|1,5|2|3\n");
    EXPECT_EQ(read("a\tb\n1\t2,3;4\n"), "1:|a|b\n2:|1|2,3;4\n");
    EXPECT_EQ(read("\"a;b;c;d\",e\n1,2\n"), "1:|a;b;c;d|e\n2:|1|2\n");
    EXPECT_EQ(read("sep=;\r\na;b\r\n1;2\r\n"), "2:|a|b\n3:|1|2\n");
    EXPECT_EQ(read("email\nx@y.z\n"), "1:|email\n2:|x@y.z\n");
}

TEST(Csv, EveryEncodingOfSpreadsheetsReadsAsUtf8) {
    std::string text = "name,city\nZo\xc3\xab,Stra\xc3\x9f"
                       "e \xe2\x82\xac \xf0\x9f\x98\x80\n";
    auto expected = "1:|name|city\n2:|Zo\xc3\xab|Stra\xc3\x9f"
                    "e \xe2\x82\xac \xf0\x9f\x98\x80\n";
    EXPECT_EQ(read(text), expected);
    EXPECT_EQ(read("\xef\xbb\xbf" + text), expected);
    for (std::size_t piece : {1, 2, 3, 5, 1000})
        for (bool big : {false, true}) {
            EXPECT_EQ(read(utf16(text, big, true), piece), expected) << piece;
            EXPECT_EQ(read(utf16(text, big, false), piece), expected) << piece;
        }
    EXPECT_EQ(read("name\nZo\xeb \x80 \x93\n"), "1:|name\n2:|Zo\xc3\xab \xe2\x82\xac \xe2\x80\x9c\n");
}

TEST(Csv, OneDamagedLineOfAUtf8FileIsReportedAndNotGuessedAt) {
    EXPECT_EQ(read("name\nZo\xc3\xab\nb\xff"
                   "d\nok\n"),
              "1:|name\n2:|Zo\xc3\xab\n!3 the line is not valid text in the file's encoding\n4:|ok\n");
}

TEST(Csv, ABrokenQuoteCostsOneLineAndIsReportedWithItsNumber) {
    EXPECT_EQ(read("a,b\n1,\"x\"y\n2,3\n"), "1:|a|b\n!2 text follows a closing quote\n3:|2|3\n");
    EXPECT_EQ(read("a,b\n1,\"x\n2,3\n4,5"), "1:|a|b\n!2 a quote that opens here is never closed\n3:|2|3\n4:|4|5\n");
    EXPECT_EQ(read("a,b\n1,\"x\n2,3\n4,\"y\"\n"), "1:|a|b\n!2 text follows a closing quote\n3:|2|3\n4:|4|y\n");
}

TEST(Csv, ANulIsRefusedWithItsLine) {
    EXPECT_EQ(read(std::string("a,b\n1,\0\n2,3\n", 12)), "1:|a|b\n!2 the line contains a NUL character\n3:|2|3\n");
}

TEST(Csv, ALineOverAMegabyteIsRefusedAndNotKept) {
    std::string text = "a,b\n1," + std::string(5'000'000, 'x') + "\n2,3\n";
    EXPECT_EQ(read(text), "1:|a|b\n!2 the line is longer than a megabyte\n3:|2|3\n");
    text = "a,b\n1,\"" + std::string(3'000'000, '\n') + "2,3\n";
    EXPECT_EQ(read(text), "1:|a|b\n!2 a quote that opens here is not closed within a megabyte\n3000002:|2|3\n");
    EXPECT_EQ(read("a\n" + std::string(2'000'000, ',') + "\nb\n"),
              "1:|a\n!2 the line has more than a thousand fields\n3:|b\n");
}

TEST(Csv, ALineThatNeverEndsIsGivenUpAfterTenMegabytes) {
    for (std::string_view byte : {std::string_view("x"), std::string_view("\0", 1), std::string_view(",")}) {
        std::size_t given = 0;
        CsvReader reader([&](std::span<char> to) {
            std::ranges::fill(to, given == 0 ? '\n' : byte[0]);
            given += to.size();
            return to.size();
        });
        auto record = reader.next();
        ASSERT_FALSE(record);
        EXPECT_EQ(record.error().reason, "the line does not end within 10 megabytes");
        EXPECT_TRUE(record.error().last);
        EXPECT_LT(given, 16u << 20);
        EXPECT_FALSE(*reader.next());
    }
}

TEST(Csv, NoFieldOfAnExportIsAFormulaAndEachComesBackAsItWas) {
    for (std::string_view field : {"=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "'=1", "''+1"}) {
        EXPECT_EQ(guarded(field), "'" + std::string(field));
        EXPECT_EQ(unguarded(guarded(field)), field);
    }
    for (std::string_view field : {"", "'", "Ada", "a=b", "'quoted'", "'t Hooft", " =1"}) {
        EXPECT_EQ(guarded(field), field);
        EXPECT_EQ(unguarded(field), field);
    }
}

TEST(Csv, HowTheBytesArriveMakesNoDifference) {
    std::string text =
        "\xef\xbb\xbfname,say\r\n\"A \"\"B\"\"\r\nC\",\"\"\r\n\r\nx,\"y\"z\r\nZo\xc3\xab,\"un\r\nlast,line\r\n";
    auto whole = read(text);
    for (std::size_t piece = 1; piece < 20; ++piece) EXPECT_EQ(read(text, piece), whole) << piece;
}

TEST(Csv, WhatIsWrittenIsReadBackExactly) {
    constexpr std::string_view letters = "ab,;\t\"\r\n '=\xc3\xa9";
    for (int round = 0; round < 2000; ++round) {
        std::vector<std::string> fields(1 + system::random_below(4));
        for (auto& field : fields)
            for (auto n = system::random_below(6); n > 0; --n) {
                auto at = system::random_below(letters.size() - 1);
                field += at == letters.size() - 2 ? std::string("\xc3\xa9") : std::string(1, letters[at]);
            }
        std::vector<std::string_view> header(fields.size(), "h"), views(fields.begin(), fields.end());
        std::string text;
        append_csv(text, header);
        append_csv(text, views);
        auto reader = reader_of(text, 1 + system::random_below(8));
        ASSERT_EQ((*reader.next())->fields.size(), fields.size()) << text;
        auto record = reader.next();
        ASSERT_TRUE(record && *record) << text;
        EXPECT_TRUE(std::ranges::equal((*record)->fields, fields)) << text;
        EXPECT_FALSE(*reader.next());
    }
}

TEST(Csv, AnyBytesAtAllEndInTime) {
    constexpr std::string_view letters = "\"\"\"\"\n\n\r,,;x\xff\x00\xc3";
    for (int round = 0; round < 3000; ++round) {
        std::string text;
        for (auto n = system::random_below(60); n > 0; --n) text += letters[system::random_below(letters.size())];
        auto whole = read(text);
        EXPECT_EQ(read(text, 1 + system::random_below(3)), whole);
    }
}

TEST(Csv, TheSpectrumCorpusReadsAsItsAuthorsSay) {
    auto* corpora = std::getenv("POSTRIDER_CORPORA");
    if (!corpora) GTEST_SKIP() << "POSTRIDER_CORPORA is not set";
    int files = 0;
    for (auto& entry : std::filesystem::directory_iterator(std::filesystem::path(corpora) / "csv" / "csv-spectrum")) {
        if (entry.path().extension() != ".csv") continue;
        auto content = [](const std::filesystem::path& path) {
            std::ostringstream text;
            text << std::ifstream(path, std::ios::binary).rdbuf();
            return text.str();
        };
        auto reader = reader_of(content(entry.path()));
        std::vector<std::string> header;
        auto first = reader.next();
        for (auto field : (*first)->fields) header.emplace_back(field);
        boost::json::array rows;
        for (auto record = reader.next(); *record; record = reader.next()) {
            boost::json::object row;
            for (std::size_t i = 0; i < header.size(); ++i) row[header[i]] = (*record)->fields[i];
            rows.push_back(std::move(row));
        }
        auto name = entry.path();
        auto expected = boost::json::parse(content(name.replace_extension(".json")));
        if (expected.is_object()) {
            // location_coordinates: its JSON is the object alone, with a telephone number that its CSV does not have.
            auto& only = rows.at(0).as_object();
            EXPECT_EQ(rows.size(), 1u);
            only["Contact Phone Number"] = expected.at("Contact Phone Number");
            EXPECT_EQ(boost::json::value(only), expected) << name;
        } else {
            EXPECT_EQ(boost::json::value(rows), expected) << name;
        }
        ++files;
    }
    EXPECT_EQ(files, 12);
}

}
}
