#include "visitor.hpp"

#include <gtest/gtest.h>

using namespace postrider;
using namespace postrider::test;
using http::Request;
using http::Response;
using http::ServerSettings;

namespace {

const std::string get = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
const std::string last_get = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

http::Handler answering(Response response) {
    return [response](Request) -> asio::awaitable<Response> { co_return response; };
}

http::Handler echoing_the_body() {
    return [](Request request) -> asio::awaitable<Response> {
        Response response;
        response.body = std::move(request.body);
        co_return response;
    };
}

// Sends, and hears the answers without closing.
std::vector<std::string> hears(House& house, std::string bytes, int answers) {
    auto story = [](Visitor& v, std::string text, int count) -> asio::awaitable<std::vector<std::string>> {
        std::vector<std::string> all;
        co_await v.send(std::move(text));
        while (count-- > 0) {
            std::string one = co_await v.answer();
            all.push_back(std::move(one));
        }
        co_return all;
    };
    Visitor visitor(house.context, house.server->port());
    return run(house.context, story(visitor, std::move(bytes), answers));
}

}

TEST(Server, AnAnswerCarriesDateAndLengthAndKeepsTheConnection) {
    House house;
    auto answers = hears(house, get + get, 2);
    EXPECT_TRUE(begins(answers[0], "HTTP/1.1 200 OK\r\nDate: "));
    EXPECT_TRUE(contains(answers[0], "\r\nContent-Length: 5\r\n"));
    EXPECT_FALSE(contains(answers[0], "Connection:"));
    EXPECT_TRUE(answers[1].ends_with("\r\n\r\nhello"));
}

TEST(Server, TheHandlerGetsTheRequestTakenApart) {
    House house;
    house.says("POST /join/the%20courier?lang=de HTTP/1.1\r\nhost: x\r\nX-One: a\r\nContent-Length: 3\r\nConnection: "
               "close\r\n\r\nabc");
    ASSERT_EQ(house.requests.size(), 1u);
    const Request& request = house.requests[0];
    EXPECT_EQ(request.method, "POST");
    EXPECT_EQ(request.target, "/join/the%20courier?lang=de");
    EXPECT_EQ(request.path, "/join/the courier");
    EXPECT_EQ(request.query, "lang=de");
    EXPECT_EQ(request.headers.value("HOST"), "x");
    EXPECT_EQ(request.headers.value("x-one"), "a");
    EXPECT_EQ(request.body, "abc");
    EXPECT_EQ(request.client, "127.0.0.1");
}

TEST(Server, PipelinedRequestsAreAnsweredInTheirOrder) {
    House house({}, [](Request request) -> asio::awaitable<Response> {
        Response response;
        response.body = request.path;
        co_return response;
    });
    std::string bytes;
    for (int i = 0; i < 200; ++i) bytes += "GET /" + std::to_string(i) + " HTTP/1.1\r\nHost: x\r\n\r\n";
    auto answers = hears(house, bytes, 200);
    for (int i = 0; i < 200; ++i) EXPECT_TRUE(answers[i].ends_with("\r\n\r\n/" + std::to_string(i)));
}

TEST(Server, HeadIsGetWithoutTheBody) {
    House house;
    auto answer = house.says("HEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    EXPECT_EQ(house.requests.at(0).method, "GET");
    EXPECT_TRUE(contains(answer, "Content-Length: 5\r\n"));
    EXPECT_TRUE(answer.ends_with("\r\n\r\n"));
}

TEST(Server, OptionsOfARouteGoToTheHandlerAndThoseOfTheServerDoNot) {
    House house;
    EXPECT_TRUE(contains(house.says("OPTIONS / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"), "hello"));
    auto answer = house.says("OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    EXPECT_TRUE(begins(answer, "HTTP/1.1 204 "));
    EXPECT_FALSE(contains(answer, "Content-Length"));
    EXPECT_EQ(house.requests.size(), 1u);
}

TEST(Server, Http10ClosesUnlessAsked) {
    House house;
    EXPECT_TRUE(contains(house.says("GET / HTTP/1.0\r\n\r\n"), "Connection: close\r\n"));
    auto answers = hears(house, "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET / HTTP/1.0\r\n\r\n", 2);
    EXPECT_TRUE(contains(answers[0], "Connection: keep-alive\r\n"));
}

TEST(Server, AbsoluteTargetsAreUnderstood) {
    House house;
    house.says("GET http://x/a?b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    EXPECT_EQ(house.requests.at(0).path, "/a");
    EXPECT_EQ(house.requests.at(0).query, "b");
}

TEST(Server, WhatCanBeReadInTwoWaysIsRefusedAndTheConnectionClosed) {
    const std::string post = "POST / HTTP/1.1\r\nHost: x\r\n";
    for (const std::string& bytes : {
             post + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
             post + "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n",
             post + "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
             post + "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabc",
             post + "Content-Length: 3, 3\r\n\r\nabc",
             post + "Content-Length: +3\r\n\r\nabc",
             post + "Content-Length: -3\r\n\r\nabc",
             post + "Content-Length: 0x3\r\n\r\nabc",
             post + "Content-Length: 3 \t4\r\n\r\nabc",
             post + "Content-Length:\r\n\r\nabc",
             post + "Content-Length: 18446744073709551619\r\n\r\nabc",
             post + "Content-Length : 3\r\n\r\nabc",
             post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
             post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
             std::string("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
             post + "X: a\r\n b\r\n\r\n",
             post + "X: a\nY: b\r\n\r\n",
             post + "X: a\rY: b\r\n\r\n",
             post + std::string("X: a\0b\r\n\r\n", 10),
             post + " X: a\r\n\r\n",
             post + ": a\r\n\r\n",
             post + "X\r\n\r\n",
             post + "Transfer-Encoding: chunked\r\n\r\n0x1\r\na\r\n0\r\n\r\n",
             post + "Transfer-Encoding: chunked\r\n\r\n-1\r\na\r\n0\r\n\r\n",
             post + "Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n",
             post + "Transfer-Encoding: chunked\r\n\r\n1\na\n0\n\n",
             std::string("GET / HTTP/1.1\r\n\r\n"),
             std::string("GET / HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n"),
             std::string("GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n"),
             std::string("GET  / HTTP/1.1\r\nHost: x\r\n\r\n"),
             std::string("GET /  HTTP/1.1\r\nHost: x\r\n\r\n"),
             std::string("GET / HTTP/1.1 \r\nHost: x\r\n\r\n"),
             std::string("GET /\r\nHost: x\r\n\r\n"),
             std::string("GET / HTTP/11.1\r\nHost: x\r\n\r\n"),
             std::string("GET / http/1.1\r\nHost: x\r\n\r\n"),
             std::string("GET foo HTTP/1.1\r\nHost: x\r\n\r\n"),
             std::string("GET * HTTP/1.1\r\nHost: x\r\n\r\n"),
             std::string("GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n"),
             std::string("GET /%00 HTTP/1.1\r\nHost: x\r\n\r\n"),
             std::string("GET /#a HTTP/1.1\r\nHost: x\r\n\r\n"),
             std::string("GET http:///a HTTP/1.1\r\nHost: x\r\n\r\n"),
             std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
             std::string("hello there"),
         }) {
        House house;
        auto answer = house.says(bytes + last_get);
        EXPECT_TRUE(begins(answer, "HTTP/1.1 400 ")) << bytes << "\n->\n" << answer;
        EXPECT_TRUE(contains(answer, "Connection: close\r\n")) << bytes;
        EXPECT_EQ(answer.find("HTTP/1.1", 1), std::string::npos) << bytes;
        EXPECT_TRUE(house.requests.empty()) << bytes;
    }
}

TEST(Server, WhatIsNotImplementedIsSaidSo) {
    House house;
    EXPECT_TRUE(begins(house.says("BREW / HTTP/1.1\r\nHost: x\r\n\r\n"), "HTTP/1.1 501 "));
    EXPECT_TRUE(begins(house.says("TRACE / HTTP/1.1\r\nHost: x\r\n\r\n"), "HTTP/1.1 501 "));
    EXPECT_TRUE(begins(house.says("CONNECT a:443 HTTP/1.1\r\nHost: x\r\n\r\n"), "HTTP/1.1 501 "));
    for (const char* coding : {"gzip", "gzip, chunked", "chunked, identity", "xchunked", "identity"}) {
        auto answer =
            house.says("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: " + std::string(coding) + "\r\n\r\n");
        EXPECT_TRUE(begins(answer, "HTTP/1.1 501 ")) << coding;
    }
    EXPECT_TRUE(begins(house.says("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), "HTTP/1.1 505 "));
    EXPECT_TRUE(begins(house.says("GET / HTTP/1.2\r\nHost: x\r\n\r\n"), "HTTP/1.1 505 "));
    EXPECT_TRUE(begins(house.says("GET / HTTP/1.1\r\nHost: x\r\nExpect: wonders\r\n\r\n"), "HTTP/1.1 417 "));
}

TEST(Server, HeadersAndBodiesHaveLimits) {
    ServerSettings settings;
    settings.limits.header = 1000;
    settings.limits.body = 10;
    settings.limits.body_of = [](const Request& r) { return std::size_t(r.path == "/import" ? 20 : 10); };
    House house(settings);
    const std::string long_field = "X: " + std::string(2000, 'x');
    EXPECT_TRUE(begins(house.says("GET / HTTP/1.1\r\nHost: x\r\n" + long_field + "\r\n\r\n"), "HTTP/1.1 431 "));
    EXPECT_TRUE(begins(house.says("GET / HTTP/1.1\r\nHost: x\r\n" + long_field), "HTTP/1.1 431 "));

    auto posting = [](const std::string& path, std::size_t size) {
        return "POST " + path + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: " + std::to_string(size) +
               "\r\n\r\n" + std::string(size, 'b');
    };
    EXPECT_TRUE(begins(house.says(posting("/", 10)), "HTTP/1.1 200 "));
    EXPECT_TRUE(begins(house.says(posting("/", 11)), "HTTP/1.1 413 "));
    EXPECT_TRUE(begins(house.says(posting("/import", 20)), "HTTP/1.1 200 "));
    EXPECT_TRUE(begins(house.says(posting("/import", 21)), "HTTP/1.1 413 "));

    const std::string chunked = "POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n";
    EXPECT_TRUE(begins(house.says(chunked + "6\r\nbbbbbb\r\n4\r\nbbbb\r\n0\r\n\r\n"), "HTTP/1.1 200 "));
    EXPECT_TRUE(begins(house.says(chunked + "6\r\nbbbbbb\r\n5\r\nbbbbb\r\n0\r\n\r\n"), "HTTP/1.1 413 "));
    EXPECT_TRUE(begins(house.says(chunked + "ffffffffffffffff\r\n"), "HTTP/1.1 413 "));
    EXPECT_TRUE(begins(house.says(chunked + "1;" + std::string(40000, 'e')), "HTTP/1.1 400 "));
}

TEST(Server, ChunkedBodiesArriveWholeAndTrailersAreDropped) {
    House house;
    house.says("POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: Chunked\r\n\r\n"
               "5\r\nhello\r\n7;a=b\r\n, world\r\n0\r\nX-Late: 1\r\n\r\n");
    ASSERT_EQ(house.requests.size(), 1u);
    EXPECT_EQ(house.requests[0].body, "hello, world");
    EXPECT_FALSE(house.requests[0].headers.has("X-Late"));
}

TEST(Server, AClientThatWaitsFor100GetsItBeforeTheBody) {
    House house({}, echoing_the_body());
    auto story = [](Visitor& v) -> asio::awaitable<std::string> {
        co_await v.send("POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n");
        std::string first = co_await v.answer();
        co_await v.send("body");
        std::string second = co_await v.answer();
        co_return first + second;
    };
    Visitor visitor(house.context, house.server->port());
    auto heard = run(house.context, story(visitor));
    EXPECT_TRUE(begins(heard, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n"));
    EXPECT_TRUE(heard.ends_with("\r\n\r\nbody"));
}

TEST(Server, ABodyTooLargeIsRefusedBeforeItIsSent) {
    House house;
    auto answer = house.says("POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 99999999\r\n\r\n");
    EXPECT_TRUE(begins(answer, "HTTP/1.1 413 "));
}

TEST(Server, NoSpellingOfAPathLeadsAroundARoute) {
    for (auto [raw, path] : {std::pair{"/a/./b", "/a/b"},
                             {"/a/../b", "/b"},
                             {"/../../b", "/b"},
                             {"/a/%2e%2e/b", "/b"},
                             {"/%2e%2e%2fb", "/b"},
                             {"//evil.example/x", "/evil.example/x"},
                             {"/a//b/", "/a/b/"},
                             {"/a/..", "/"},
                             {"/%E2%82%AC", "/€"},
                             {"/a%2fb", "/a/b"},
                             {"/.well-known/x", "/.well-known/x"}}) {
        House house;
        house.says("GET " + std::string(raw) + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        ASSERT_EQ(house.requests.size(), 1u) << raw;
        EXPECT_EQ(house.requests[0].path, path) << raw;
    }
}

TEST(Server, AHeaderThatDripsIsCutOffInTime) {
    ServerSettings settings;
    settings.header_timeout = 60ms;
    House house(settings);
    auto story = [](Visitor& v) -> asio::awaitable<std::string> {
        co_await v.send("GET / HTTP/1.1\r\n");
        asio::steady_timer pace(co_await asio::this_coro::executor);
        boost::system::error_code failure;
        for (int i = 0; i < 1000 && !failure; ++i) { // each byte is well within any time-out between two bytes
            pace.expires_after(5ms);
            co_await pace.async_wait(asio::use_awaitable);
            std::size_t pending = v.socket().available(failure);
            if (pending > 0) break;
            co_await asio::async_write(v.socket(), asio::buffer("x", 1),
                                       asio::redirect_error(asio::use_awaitable, failure));
        }
        std::string all = co_await v.everything();
        co_return all;
    };
    Visitor visitor(house.context, house.server->port());
    EXPECT_TRUE(begins(run(house.context, story(visitor)), "HTTP/1.1 408 "));
}

TEST(Server, ABodyThatNeverComesIsCutOffInTime) {
    ServerSettings settings;
    settings.body_timeout = 30ms;
    House house(settings);
    EXPECT_TRUE(begins(house.says("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc"), "HTTP/1.1 408 "));
}

TEST(Server, SilentConnectionsAreClosedWithoutAWord) {
    ServerSettings settings;
    settings.header_timeout = 200ms;
    settings.idle_timeout = 30ms;
    House house(settings);
    EXPECT_EQ(house.says(""), "");
    auto answer = house.says(get);
    EXPECT_TRUE(begins(answer, "HTTP/1.1 200 "));
    EXPECT_EQ(answer.find("HTTP/1.1", 1), std::string::npos);
    EXPECT_EQ(house.server->connections(), 0u);
}

TEST(Server, AVisitorWhoDoesNotReadIsCutOffInTime) {
    ServerSettings settings;
    settings.write_timeout = 30ms;
    settings.lowest_rate = 1'000'000'000;
    Response large;
    large.body = std::string(30'000'000, 'x');
    House house(settings, answering(large));
    auto story = [](House& h, Visitor& v) -> asio::awaitable<std::size_t> {
        co_await v.send(get);
        asio::steady_timer pace(co_await asio::this_coro::executor);
        while (h.server->connections() == 0) {
            pace.expires_after(1ms);
            co_await pace.async_wait(asio::use_awaitable);
        }
        while (h.server->connections() > 0) {
            pace.expires_after(1ms);
            co_await pace.async_wait(asio::use_awaitable);
        }
        std::string all = co_await v.everything();
        co_return all.size();
    };
    Visitor visitor(house.context, house.server->port());
    EXPECT_LT(run(house.context, story(house, visitor)), large.body.size());
}

TEST(Server, LargeAnswersArriveWhole) {
    Response large;
    for (int i = 0; i < 1'000'000; ++i) large.body += std::to_string(i);
    House house({}, answering(large));
    EXPECT_TRUE(hears(house, get, 1)[0].ends_with(large.body));
}

TEST(Server, OneClientCannotTakeAllConnections) {
    ServerSettings settings;
    settings.connections_per_client = 2;
    House house(settings);
    auto hold = [](Visitor& v) -> asio::awaitable<std::string> {
        co_await v.send(get);
        std::string heard = co_await v.answer();
        co_return heard;
    };
    Visitor one(house.context, house.server->port());
    EXPECT_TRUE(begins(run(house.context, hold(one)), "HTTP/1.1 200 "));
    Visitor two(house.context, house.server->port());
    EXPECT_TRUE(begins(run(house.context, hold(two)), "HTTP/1.1 200 "));
    Visitor three(house.context, house.server->port());
    EXPECT_TRUE(begins(run(house.context, hold(three)), "HTTP/1.1 503 "));
    EXPECT_EQ(house.server->connections(), 2u);
    one.leave();
    house.context.restart();
    while (house.server->connections() > 1) house.context.run_one();
    Visitor four(house.context, house.server->port());
    EXPECT_TRUE(begins(run(house.context, hold(four)), "HTTP/1.1 200 "));
}

TEST(Server, BeyondItsConnectionsTheServerTurnsVisitorsAway) {
    ServerSettings settings;
    settings.connections = 1;
    settings.trusted_proxies = {"127.0.0.1"};
    House house(settings);
    auto hold = [](Visitor& v) -> asio::awaitable<std::string> {
        co_await v.send("POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
        std::string heard = co_await v.answer(false);
        co_return heard;
    };
    Visitor holding(house.context, house.server->port());
    EXPECT_TRUE(begins(run(house.context, hold(holding)), "HTTP/1.1 100 "));
    auto answer = house.says("");
    EXPECT_TRUE(begins(answer, "HTTP/1.1 503 "));
    EXPECT_TRUE(contains(answer, "Retry-After: "));
}

TEST(Server, WhoSaysNothingGivesWayToWhoDoes) {
    ServerSettings settings;
    settings.connections = 1;
    House house(settings);
    Visitor silent(house.context, house.server->port());
    while (house.server->connections() == 0) house.context.run_one();
    EXPECT_TRUE(begins(house.says("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"), "HTTP/1.1 200 "));
}

TEST(Server, ATrustedProxySpeaksForManyClients) {
    ServerSettings settings;
    settings.connections_per_client = 1;
    settings.trusted_proxies = {"127.0.0.0/8"};
    House house(settings);
    Visitor held(house.context, house.server->port());
    house.says("GET / HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 6.6.6.6, 192.0.2.7\r\nX-Forwarded-For: 127.0.0.9\r\n"
               "Connection: close\r\n\r\n");
    EXPECT_EQ(house.requests.at(0).client, "192.0.2.7");
}

TEST(Server, AStrangersForwardedForIsNotBelieved) {
    House house;
    house.says("GET / HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 6.6.6.6\r\nConnection: close\r\n\r\n");
    EXPECT_EQ(house.requests.at(0).client, "127.0.0.1");
}

TEST(Server, AConnectionEndsAfterItsShareOfRequests) {
    ServerSettings settings;
    settings.requests_per_connection = 3;
    House house(settings);
    auto all = house.says(get + get + get + get);
    EXPECT_EQ(house.requests.size(), 3u);
    EXPECT_TRUE(contains(all, "Connection: close\r\n"));
}

TEST(Server, AHandlerThatThrowsDoesNotTellTheVisitorWhy) {
    House house({}, [](Request) -> asio::awaitable<Response> {
        throw std::runtime_error("disk secret");
        co_return Response{};
    });
    auto answers = hears(house, get + get, 2);
    EXPECT_TRUE(begins(answers[0], "HTTP/1.1 500 "));
    EXPECT_FALSE(contains(answers[0], "secret"));
    EXPECT_TRUE(begins(answers[1], "HTTP/1.1 500 "));
}

TEST(Server, NothingAHandlerPutsIntoAFieldBecomesASecondField) {
    Response response;
    response.headers.add("Location", "/a\r\nSet-Cookie: evil=1");
    response.headers.add("X-Fine", "yes");
    response.headers.add("Content-Length", "99");
    House house({}, answering(response));
    auto answer = house.says(last_get);
    EXPECT_FALSE(contains(answer, "evil"));
    EXPECT_FALSE(contains(answer, "99"));
    EXPECT_TRUE(contains(answer, "X-Fine: yes\r\n"));
}

TEST(Server, StoppingAnswersWhatIsUnderWayAndClosesTheIdle) {
    House* the_house = nullptr;
    House house({}, [&](Request) -> asio::awaitable<Response> {
        the_house->server->stop();
        asio::steady_timer work(co_await asio::this_coro::executor, 20ms);
        co_await work.async_wait(asio::use_awaitable);
        Response response;
        response.body = "done";
        co_return response;
    });
    the_house = &house;
    Visitor idle(house.context, house.server->port());
    auto answer = house.says(get);
    EXPECT_TRUE(contains(answer, "Connection: close\r\n"));
    EXPECT_TRUE(answer.ends_with("done"));
    house.context.restart();
    house.context.run();
    EXPECT_TRUE(house.ended);
    EXPECT_EQ(house.server->connections(), 0u);
    EXPECT_THROW(Visitor(house.context, house.server->port()), boost::system::system_error);
}

TEST(Server, AServerThatGoesAwayMidRequestLeaksNothing) {
    House house({}, [](Request) -> asio::awaitable<Response> {
        asio::steady_timer forever(co_await asio::this_coro::executor, 1h);
        co_await forever.async_wait(asio::use_awaitable);
        co_return Response{};
    });
    Visitor visitor(house.context, house.server->port());
    asio::write(visitor.socket(), asio::buffer(get));
    while (house.server->connections() == 0) house.context.run_one();
    house.context.poll();
    house.server.reset();
    house.context.poll();
}

TEST(Server, SettingsThatCannotBeReadAreRefusedByName) {
    asio::io_context context;
    auto make = [&](ServerSettings settings) {
        http::Server server(context.get_executor(), settings, answering({}));
        server.listen();
    };
    for (const char* listen :
         {"", "8025", "localhost", "127.0.0.1:", "127.0.0.1:70000", "example.com:80", "127.0.0.1:80x"})
        EXPECT_THROW(make({.listen = listen}), std::invalid_argument) << listen;
    EXPECT_THROW(make({.trusted_proxies = {"10.0.0.1/8"}}), std::invalid_argument);
    House house;
    EXPECT_THROW(make({.listen = "127.0.0.1:" + std::to_string(house.server->port())}), std::runtime_error);
    make({.listen = "localhost:0"});
    make({.listen = "[::1]:0"});
}
