#include "http/request_parser.hpp"

#include <gtest/gtest.h>

#include <string>

using namespace postrider::http;

namespace {

const RequestLimits limits;

// Feeds the text in pieces of one size, as a socket would hand it over, and returns what is left over.
std::string feed(RequestParser& parser, const std::string& text, std::size_t piece) {
    std::string arrived;
    for (std::size_t at = 0; at < text.size(); at += piece) {
        arrived += text.substr(at, piece);
        arrived.erase(0, parser.feed(arrived));
    }
    return arrived;
}

}

TEST(RequestParser, TheSizeOfThePiecesDoesNotMatter) {
    const std::string text = "\r\nPOST /a%20b?c=d HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                             "5\r\nhello\r\n6;x=\"y\"\r\n world\r\n0\r\nLate: 1\r\n\r\n";
    for (std::size_t piece = 1; piece <= text.size(); ++piece) {
        RequestParser parser(limits);
        EXPECT_EQ(feed(parser, text, piece), "") << piece;
        ASSERT_TRUE(parser.done()) << piece;
        auto request = parser.take();
        EXPECT_EQ(request.path, "/a b");
        EXPECT_EQ(request.body, "hello world");
        EXPECT_EQ(request.headers.size(), 2u);
    }
}

TEST(RequestParser, WhatFollowsARequestIsLeftForTheNext) {
    RequestParser parser(limits);
    EXPECT_EQ(feed(parser, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nabGET /", 1000), "GET /");
    EXPECT_EQ(parser.take().body, "ab");
    parser.reset();
    EXPECT_EQ(feed(parser, "GET /2 HTTP/1.1\r\nHost: x\r\n\r\n", 1000), "");
    EXPECT_EQ(parser.take().path, "/2");
}

TEST(RequestParser, EveryPrefixOfARequestIsHarmless) {
    const std::string text = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nab";
    for (std::size_t size = 0; size < text.size(); ++size) {
        RequestParser parser(limits);
        feed(parser, text.substr(0, size), 3);
        EXPECT_FALSE(parser.done());
        EXPECT_FALSE(parser.refusal()) << size;
    }
}

TEST(RequestParser, AnyChangedByteGivesARequestARefusalOrAWait) {
    const std::string text = "POST /a?b HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
    for (std::size_t at = 0; at < text.size(); ++at)
        for (int byte = 0; byte < 256; ++byte) {
            auto changed = text;
            changed[at] = char(byte);
            RequestParser parser(limits);
            feed(parser, changed, 7);
            if (parser.done()) {
                EXPECT_EQ(parser.request().path.substr(0, 1), "/");
            }
        }
}
