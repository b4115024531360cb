#include "smtp/reply.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <random>

namespace postrider::smtp {

namespace {

Reply read(std::string_view bytes) {
    ReplyReader reader;
    Reply reply;
    reader.feed(bytes);
    EXPECT_EQ(reader.take(reply), ReplyReader::Found::reply) << bytes;
    EXPECT_TRUE(reader.idle());
    return reply;
}

std::string garbage(std::string_view bytes) {
    ReplyReader reader;
    Reply reply;
    reader.feed(bytes);
    EXPECT_EQ(reader.take(reply), ReplyReader::Found::garbage);
    EXPECT_EQ(reader.take(reply), ReplyReader::Found::garbage) << "garbage is final";
    return reader.garbage();
}

}

TEST(Reply, HasCodeEnhancedCodeAndText) {
    auto reply = read("451 4.7.1 Greylisted, try again later\r\n");
    EXPECT_EQ(reply.code, 451);
    EXPECT_EQ(reply.enhanced, "4.7.1");
    EXPECT_EQ(reply.text, "Greylisted, try again later");
    EXPECT_EQ(to_text(reply), "451 4.7.1 Greylisted, try again later");
}

TEST(Reply, NeedsNoTextAndNoSpace) {
    EXPECT_EQ(read("250\r\n"), (Reply{250, "", ""}));
    EXPECT_EQ(read("250 \r\n"), (Reply{250, "", ""}));
    EXPECT_EQ(read("250 2.1.5\r\n"), (Reply{250, "2.1.5", ""}));
}

TEST(Reply, OfSeveralLinesIsOneWithTheEnhancedCodeTakenOutOfEach) {
    auto reply = read("550-5.1.1 No such user.\r\n550-5.1.1 Look at\r\n550 5.1.1 https://support.example\r\n");
    EXPECT_EQ(reply, (Reply{550, "5.1.1", "No such user.\nLook at\nhttps://support.example"}));
    EXPECT_EQ(to_text(reply), "550 5.1.1 No such user. Look at https://support.example");
}

TEST(Reply, FindsTheEnhancedCodeOnALaterLine) {
    EXPECT_EQ(read("550-Sorry\r\n550 5.7.1 blocked\r\n").enhanced, "5.7.1");
}

TEST(Reply, DropsAnEnhancedCodeOfAnotherClassAndKeepsItReadable) {
    EXPECT_EQ(read("550 4.7.1 no\r\n"), (Reply{550, "", "4.7.1 no"}));
    EXPECT_EQ(read("250 5.0.0 yes\r\n"), (Reply{250, "", "5.0.0 yes"}));
}

TEST(Reply, TakesNoAddressOrVersionForAnEnhancedCode) {
    EXPECT_EQ(read("550 5.6.7.8 is listed\r\n").enhanced, "");
    EXPECT_EQ(read("554 5.1 no\r\n").enhanced, "");
    EXPECT_EQ(read("554 5.1.1234 no\r\n").enhanced, "");
    EXPECT_EQ(read("554 5.1.1: no\r\n").enhanced, "5.1.1");
    EXPECT_EQ(read("552 5.2.2_full\r\n").enhanced, "5.2.2");
}

TEST(Reply, ComesInPiecesOfAnySize) {
    ReplyReader reader;
    Reply reply;
    for (char c : std::string_view("250-one\r\n250 two\r\n354 go")) {
        reader.feed({&c, 1});
        if (c == '\n' && reader.take(reply) == ReplyReader::Found::reply) {
            EXPECT_EQ(reply.text, "one\ntwo");
        }
    }
    EXPECT_EQ(reader.take(reply), ReplyReader::Found::nothing);
    EXPECT_FALSE(reader.idle()) << "half a reply waits";
    reader.feed("\n");
    EXPECT_EQ(reader.take(reply), ReplyReader::Found::reply);
    EXPECT_EQ(reply.code, 354);
    EXPECT_TRUE(reader.idle());
}

TEST(Reply, SeveralInOneReadAreTakenOneByOne) {
    ReplyReader reader;
    Reply reply;
    reader.feed("250 a\r\n550 b\r\n354 c\r\n");
    for (int code : {250, 550, 354}) {
        ASSERT_EQ(reader.take(reply), ReplyReader::Found::reply);
        EXPECT_EQ(reply.code, code);
    }
    EXPECT_EQ(reader.take(reply), ReplyReader::Found::nothing);
}

TEST(Reply, ToleratesBareLineFeeds) { EXPECT_EQ(read("250-a\n250 b\n").text, "a\nb"); }

TEST(Reply, OfFiveHundredLinesKeepsABoundedText) {
    std::string bytes;
    for (int i = 0; i < 499; ++i) bytes += "550-" + std::string(70, 'x') + "\r\n";
    auto reply = read(bytes + "550 end\r\n");
    EXPECT_EQ(reply.code, 550);
    EXPECT_LE(reply.text.size(), Reply::longest);
}

TEST(Reply, WithoutEndIsGarbageAfterBoundedWork) {
    std::string bytes;
    for (int i = 0; i < 20000; ++i) bytes += "250-more\r\n";
    EXPECT_EQ(garbage(bytes), "a reply without end");
    EXPECT_LE(garbage("250 " + std::string(100000, 'x')).size(), 200u);
}

TEST(Reply, OfAnotherProtocolIsGarbage) {
    EXPECT_EQ(garbage("HTTP/1.1 400 Bad Request\r\n"), "HTTP/1.1 400 Bad Request");
    EXPECT_EQ(garbage("\r\n"), "an empty line");
    garbage("2500 ok\r\n");
    garbage("150 ok\r\n");
    garbage("+OK\r\n");
    garbage("SSH-2.0-OpenSSH\r\n");
}

TEST(Reply, TextIsAlwaysUtf8WithoutControlCharacters) {
    EXPECT_EQ(read("550 \xC3\xA9\x74\xC3\xA9\r\n").text, "\xC3\xA9t\xC3\xA9");
    EXPECT_EQ(read("550 caf\xE9!\r\n").text, "caf\xEF\xBF\xBD!");
    EXPECT_EQ(read("550 a\x1B[31mb\tc\r\n").text, "a [31mb c");
    EXPECT_EQ(read("550 \xED\xA0\x80\r\n").text, "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD") << "a surrogate";
    EXPECT_EQ(fit_to_show("\xC3\xA9\xC3\xA9", 3), "\xC3\xA9") << "never cut inside a character";
}

TEST(Reply, IsReadAsAPersonWritesIt) {
    EXPECT_EQ(reply_from_text("451 4.7.1 Greylisted"), (Reply{451, "4.7.1", "Greylisted"}));
    EXPECT_EQ(reply_from_text("  550\n"), (Reply{550, "", ""}));
    EXPECT_EQ(reply_from_text("550-5.1.1 a\n550 5.1.1 b"), (Reply{550, "5.1.1", "a\nb"}));
    EXPECT_FALSE(reply_from_text("Greylisted"));
    EXPECT_FALSE(reply_from_text(""));
    EXPECT_FALSE(reply_from_text("99 bottles"));
}

TEST(Reply, IsTheSameHoweverTheBytesAreCut) {
    std::mt19937 random(1);
    const std::string alphabet = "2450- .1\r\n\n\xC3\xA9x";
    auto read_all = [](const std::string& bytes, std::size_t piece) {
        ReplyReader reader;
        Reply reply;
        std::string seen;
        for (std::size_t at = 0; at < bytes.size(); at += piece) {
            reader.feed(std::string_view(bytes).substr(at, piece));
            ReplyReader::Found found;
            while ((found = reader.take(reply)) == ReplyReader::Found::reply) seen += to_text(reply) + "|";
            if (found == ReplyReader::Found::garbage) return seen + "garbage " + reader.garbage();
        }
        return seen;
    };
    for (int round = 0; round < 2000; ++round) {
        std::string bytes;
        for (int line = 0; line < 4; ++line) {
            bytes += std::to_string(200 + random() % 400) + (random() % 2 ? "-" : " ");
            for (auto n = random() % 20; n > 0; --n) bytes += alphabet[random() % alphabet.size()];
            bytes += "\r\n";
        }
        auto whole = read_all(bytes, bytes.size());
        for (std::size_t piece : {1, 2, 5}) ASSERT_EQ(read_all(bytes, piece), whole) << testing::PrintToString(bytes);
    }
}

TEST(Stage, NamesAreReadBack) {
    for (auto stage : {Stage::connect, Stage::greeting, Stage::ehlo, Stage::starttls, Stage::auth, Stage::mail,
                       Stage::rcpt, Stage::data, Stage::body, Stage::quit})
        EXPECT_EQ(stage_from_text(to_text(stage)), stage);
    EXPECT_FALSE(stage_from_text("Rcpt"));
    EXPECT_FALSE(stage_from_text(""));
}

TEST(Reply, AgreesWithTheCodesOfRealReplies) {
    const char* corpora = std::getenv("POSTRIDER_CORPORA");
    if (!corpora) GTEST_SKIP() << "POSTRIDER_CORPORA does not name the folder of corpora";
    std::ifstream file(std::string(corpora) + "/smtp-replies/replies.json");
    ASSERT_TRUE(file);
    auto cases = boost::json::parse(std::string(std::istreambuf_iterator<char>(file), {})).as_array();
    int with_code = 0, agreed = 0;
    for (const auto& entry : cases) {
        auto text = std::string(entry.at("text").as_string());
        auto code = std::string(entry.at("replycode").as_string());
        // Many texts of the corpus are mails' prose; those that begin with their code are replies as they came from the
        // wire.
        if (code.size() != 3 || !text.starts_with(code) || (text.size() > 3 && text[3] != ' ' && text[3] != '-'))
            continue;
        ++with_code;
        auto reply = reply_from_text(text);
        auto status = std::string(entry.at("status").as_string());
        bool shown = text.substr(4).starts_with(status + " ");
        bool same = reply && std::to_string(reply->code) == code && (!shown || reply->enhanced == status);
        agreed += same;
        EXPECT_TRUE(same) << text;
    }
    RecordProperty("with_code", with_code);
    RecordProperty("agreed", agreed);
    EXPECT_GT(with_code, 30);
}

}
