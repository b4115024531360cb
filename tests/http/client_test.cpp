#include "http/client.hpp"
#include "http/form.hpp"
#include "http/url.hpp"
#include "support/scripted_server.hpp"

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <regex>
#include <sstream>

using namespace postrider;
using namespace postrider::test;
using http::Client;
using http::ClientSettings;
using http::Fetched;
using http::FetchFailure;
using http::FetchRequest;
using http::FetchResult;
using http::Url;

namespace {

ClientSettings on_loopback() {
    ClientSettings settings;
    settings.allow_private_addresses = true;
    return settings;
}

// A client and a server that answers from a list of paths.
struct Net {
    explicit Net(ClientSettings settings = on_loopback())
        : server(context, [this](const std::string& request) { return answer(request); }), loop(context.get_executor()),
          client(loop, std::move(settings)) {}

    std::string answer(const std::string& request) {
        auto path = request.substr(4, request.find(' ', 4) - 4);
        auto found = answers.find(path);
        return found == answers.end() ? "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n" : found->second;
    }

    FetchResult get(const std::string& url) { return get(FetchRequest{.url = url}); }
    FetchResult get(FetchRequest request) { return run(context, client.get(std::move(request))); }
    FetchResult get_path(const std::string& path) { return get(server.url(path)); }

    asio::io_context context;
    std::map<std::string, std::string> answers;
    ScriptedHttp server;
    system::CurlLoop loop;
    Client client;
};

std::string page(const std::string& body, const std::string& fields = "") {
    return "HTTP/1.1 200 OK\r\n" + fields + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

std::string redirect(int status, const std::string& location) {
    return "HTTP/1.1 " + std::to_string(status) + " Moved\r\nLocation: " + location + "\r\nContent-Length: 0\r\n\r\n";
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

std::string error_of(const FetchResult& result) {
    return result ? "no error, status " + std::to_string(result->status) : result.error().text;
}

FetchFailure failure_of(const FetchResult& result) {
    EXPECT_FALSE(result);
    return result ? FetchFailure{} : result.error().kind;
}

// One megabyte of zeros as a kilobyte of gzip.
std::string bomb() {
    std::ifstream file(std::string(POSTRIDER_SOURCE) + "/tests/http/zeros.gz", std::ios::binary);
    std::ostringstream bytes;
    bytes << file.rdbuf();
    return bytes.str();
}

}

TEST(Client, APageComesWithWhatTheServerSaidAboutIt) {
    Net net;
    net.answers["/feed"] =
        page("<rss/>", "Content-Type: application/rss+xml; charset=utf-8\r\nETag:  W/\"a b\" \r\n"
                       "Last-Modified: Tue, 24 Nov 2026 07:00:00 GMT\r\nCache-Control: public, max-age=1800\r\n");
    auto fetched = net.get_path("/feed#part");
    ASSERT_TRUE(fetched) << error_of(fetched);
    EXPECT_EQ(fetched->status, 200);
    EXPECT_EQ(fetched->body, "<rss/>");
    EXPECT_EQ(fetched->content_type, "application/rss+xml; charset=utf-8");
    EXPECT_EQ(fetched->etag, "W/\"a b\"");
    EXPECT_EQ(fetched->last_modified, "Tue, 24 Nov 2026 07:00:00 GMT");
    EXPECT_EQ(fetched->max_age, 30min);
    EXPECT_EQ(fetched->final_url, net.server.url("/feed"));
    EXPECT_EQ(fetched->permanent_url, std::nullopt);
}

TEST(Client, ValidatorsGoBackExactlyAsTheyCame) {
    Net net;
    net.answers["/feed"] = "HTTP/1.1 304 Not Modified\r\n\r\n";
    FetchRequest request;
    request.url = net.server.url("/feed");
    request.etag = "W/\"a, b;  c\"";
    request.last_modified = "yesterday, more or less";
    request.accept = "application/atom+xml, */*;q=0.1";
    auto fetched = net.get(request);
    ASSERT_TRUE(fetched) << error_of(fetched);
    EXPECT_EQ(fetched->status, 304);
    const std::string& sent = net.server.requests().at(0);
    EXPECT_TRUE(contains(sent, "\r\nIf-None-Match: W/\"a, b;  c\"\r\n")) << sent;
    EXPECT_TRUE(contains(sent, "\r\nIf-Modified-Since: yesterday, more or less\r\n")) << sent;
    EXPECT_TRUE(contains(sent, "\r\nAccept: application/atom+xml, */*;q=0.1\r\n")) << sent;
}

TEST(Client, NothingIsSentThatWouldTellAStrangerMoreThanWhoWeAre) {
    ClientSettings settings = on_loopback();
    settings.contact = "https://courier.example/about";
    Net net(settings);
    net.answers["/a"] = "HTTP/1.1 302 Found\r\nLocation: /b\r\nSet-Cookie: id=7\r\nContent-Length: 0\r\n\r\n";
    net.answers["/b"] = page("x");
    ASSERT_TRUE(net.get_path("/a"));
    const std::string& sent = net.server.requests().at(1);
    EXPECT_TRUE(contains(sent, "User-Agent: Postrider/" POSTRIDER_VERSION " (+https://courier.example/about)\r\n"))
        << sent;
    EXPECT_TRUE(contains(sent, "gzip")) << sent;
    for (const char* field : {"Cookie:", "Referer:", "Authorization:", "If-None-Match:"})
        EXPECT_FALSE(contains(sent, field)) << sent;
}

TEST(Client, AValidatorWithALineBreakIsNotSent) {
    Net net;
    net.answers["/"] = page("x");
    ASSERT_TRUE(net.get({.url = net.server.url("/"), .etag = "\"a\"\r\nX-Evil: 1"}));
    EXPECT_FALSE(contains(net.server.requests().at(0), "Evil"));
}

TEST(Client, ErrorsOfTheServerAreAnswers) {
    Net net;
    net.answers["/gone"] = "HTTP/1.1 410 Gone\r\nContent-Length: 3\r\n\r\nbye";
    auto fetched = net.get_path("/gone");
    ASSERT_TRUE(fetched);
    EXPECT_EQ(fetched->status, 410);
    EXPECT_EQ(net.get_path("/nowhere")->status, 404);
}

TEST(Client, RetryAfterIsReadInSecondsAndAsADate) {
    Net net;
    auto busy = [](const std::string& fields) {
        return "HTTP/1.1 503 Busy\r\n" + fields + "\r\nContent-Length: 0\r\n\r\n";
    };
    net.answers["/s"] = busy("Retry-After: 120");
    net.answers["/d"] = busy("Date: Tue, 24 Nov 2026 08:00:00 GMT\r\nRetry-After: Tue, 24 Nov 2026 08:10:00 GMT");
    net.answers["/past"] = busy("Date: Tue, 24 Nov 2026 08:00:00 GMT\r\nRetry-After: Mon, 23 Nov 2026 08:10:00 GMT");
    net.answers["/huge"] = busy("Retry-After: 99999999999999999999");
    net.answers["/odd"] = busy("Retry-After: soon");
    EXPECT_EQ(net.get_path("/s")->retry_after, 120s);
    EXPECT_EQ(net.get_path("/d")->retry_after, 10min);
    EXPECT_EQ(net.get_path("/past")->retry_after, 0s);
    EXPECT_EQ(net.get_path("/huge")->retry_after, std::chrono::hours(24 * 366));
    EXPECT_EQ(net.get_path("/odd")->retry_after, std::nullopt);
}

TEST(Client, MaxAgeIsTakenFromAnyOfTheFields) {
    Net net;
    net.answers["/1"] = page("", "Cache-Control: public\r\nCache-Control: Max-Age=\"60\", s-maxage=5\r\n");
    net.answers["/2"] = page("", "Cache-Control: max-age=60, no-cache\r\n");
    net.answers["/3"] = page("", "Cache-Control: max-age=, max-age=-1\r\n");
    EXPECT_EQ(net.get_path("/1")->max_age, 60s);
    EXPECT_EQ(net.get_path("/2")->max_age, 0s);
    EXPECT_EQ(net.get_path("/3")->max_age, std::nullopt);
}

TEST(Client, OnlyPermanentRedirectsFromTheStartChangeTheAddress) {
    Net net;
    net.answers["/p1"] = redirect(301, "/p2");
    net.answers["/p2"] = redirect(308, net.server.url("/end"));
    net.answers["/mixed"] = redirect(301, "t");
    net.answers["/t"] = redirect(302, "/end");
    net.answers["/late"] = redirect(307, "/p1");
    net.answers["/end"] = page("end");
    auto permanent = net.get_path("/p1");
    ASSERT_TRUE(permanent) << error_of(permanent);
    EXPECT_EQ(permanent->body, "end");
    EXPECT_EQ(permanent->final_url, net.server.url("/end"));
    EXPECT_EQ(permanent->permanent_url, net.server.url("/end"));
    EXPECT_EQ(net.get_path("/mixed")->permanent_url, net.server.url("/t"));
    EXPECT_EQ(net.get_path("/mixed")->final_url, net.server.url("/end"));
    EXPECT_EQ(net.get_path("/t")->permanent_url, std::nullopt);
    EXPECT_EQ(net.get_path("/late")->permanent_url, std::nullopt);
}

TEST(Client, RedirectsAreFollowedFiveTimesAndNoMore) {
    Net net;
    for (int i = 0; i < 6; ++i) net.answers["/" + std::to_string(i)] = redirect(302, "/" + std::to_string(i + 1));
    net.answers["/6"] = page("end");
    net.answers["/loop"] = redirect(301, "/loop");
    EXPECT_EQ(net.get_path("/1")->body, "end");
    EXPECT_EQ(failure_of(net.get_path("/0")), FetchFailure::too_many_redirects);
    auto before = net.server.requests().size();
    EXPECT_EQ(failure_of(net.get_path("/loop")), FetchFailure::too_many_redirects);
    EXPECT_EQ(net.server.requests().size() - before, 6u);
}

TEST(Client, ARedirectLeadsOnlyToTheWeb) {
    Net net;
    for (const char* target : {"file:///etc/passwd", "gopher://x/", "dict://x/", "ftp://x/", "javascript:alert(1)",
                               "http://", "data:text/xml,x", "smtp://x/"}) {
        net.answers["/"] = redirect(302, target);
        EXPECT_EQ(failure_of(net.get_path("/")), FetchFailure::bad_answer) << target;
    }
    net.answers["/"] = "HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n";
    EXPECT_EQ(failure_of(net.get_path("/")), FetchFailure::bad_answer);
}

TEST(Client, OnlyWebAddressesAreTaken) {
    Net net;
    for (const char* url : {"", "x", "example.org/feed", "file:///etc/passwd", "ftp://127.0.0.1/", "http://",
                            "http://127.0.0.1:99999/", "http://127.0.0.1:0/", "http://a\r\nb/", "feed://127.0.0.1/"})
        EXPECT_EQ(failure_of(net.get(url)), FetchFailure::bad_url) << url;
    EXPECT_EQ(failure_of(net.get("http://127.0.0.1/" + std::string(9000, 'x'))), FetchFailure::bad_url);
    EXPECT_EQ(net.server.connections(), 0);
}

TEST(Client, CompressedBodiesAreDecoded) {
    Net net;
    net.answers["/"] = page(bomb(), "Content-Encoding: gzip\r\n");
    auto fetched = net.get_path("/");
    ASSERT_TRUE(fetched) << error_of(fetched);
    EXPECT_EQ(fetched->body, std::string(1024 * 1024, '\0'));
    net.answers["/"] = page("this is not gzip", "Content-Encoding: gzip\r\n");
    EXPECT_EQ(failure_of(net.get_path("/")), FetchFailure::bad_answer);
}

TEST(Client, ABodyIsMeasuredAfterDecompression) {
    ClientSettings settings = on_loopback();
    settings.body = 1024 * 1024 - 1;
    Net net(settings);
    net.answers["/bomb"] = page(bomb(), "Content-Encoding: gzip\r\n");
    EXPECT_EQ(failure_of(net.get_path("/bomb")), FetchFailure::too_large);
    net.answers["/twice"] = page(bomb(), "Content-Encoding: gzip, gzip\r\n");
    EXPECT_FALSE(net.get_path("/twice"));
    net.answers["/announced"] = "HTTP/1.1 200 OK\r\nContent-Length: 1048576\r\n\r\n";
    EXPECT_EQ(failure_of(net.get_path("/announced")), FetchFailure::too_large);
    net.answers["/endless"] = "HTTP/1.1 200 OK\r\n\r\n" + std::string(1024 * 1024, 'x');
    EXPECT_EQ(failure_of(net.get_path("/endless")), FetchFailure::too_large);
    net.answers["/fits"] = page(std::string(1024 * 1024 - 1, 'x'));
    EXPECT_TRUE(net.get_path("/fits"));
}

TEST(Client, OfTheFirstBytesNoMoreIsTakenWhateverTheServerSends) {
    Net net;
    net.answers["/whole"] = page(std::string(300'000, 'x'));
    net.answers["/endless"] = "HTTP/1.1 200 OK\r\n\r\n" + std::string(300'000, 'x');
    net.answers["/range"] = "HTTP/1.1 206 Partial Content\r\nContent-Length: 100\r\n\r\n" + std::string(100, 'x');
    net.answers["/short"] = page("all there is");
    net.answers["/moved"] =
        "HTTP/1.1 302 Moved\r\nLocation: /short\r\nContent-Length: 500\r\n\r\n" + std::string(500, 'x');
    auto beginning_of = [&](const std::string& path) {
        FetchRequest request{.url = net.server.url(path)};
        request.first_bytes = 100;
        return net.get(request).value().body;
    };
    EXPECT_EQ(beginning_of("/whole"), std::string(100, 'x'));
    EXPECT_EQ(beginning_of("/endless"), std::string(100, 'x'));
    EXPECT_EQ(beginning_of("/range"), std::string(100, 'x'));
    EXPECT_EQ(beginning_of("/short"), "all there is");
    EXPECT_EQ(beginning_of("/moved"), "all there is");
    EXPECT_TRUE(contains(net.server.requests().front(), "Range: bytes=0-99\r\n"));
    EXPECT_FALSE(contains(net.server.requests().front(), "Accept-Encoding"));
}

TEST(Client, HeadersAreBoundedToo) {
    Net net;
    std::string fields;
    for (int i = 0; i < 3000; ++i) fields += "X-" + std::to_string(i) + ": " + std::string(60, 'x') + "\r\n";
    net.answers["/"] = page("x", fields);
    EXPECT_EQ(failure_of(net.get_path("/")), FetchFailure::too_large);
}

TEST(Client, AServerThatDripsIsGivenUpInTime) {
    ClientSettings settings = on_loopback();
    settings.total = 150ms;
    asio::io_context context;
    ScriptedServer slow(context, [](Conversation& c) -> asio::awaitable<void> {
        co_await c.read_until("\r\n\r\n");
        co_await c.say("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n");
        asio::steady_timer pace(co_await asio::this_coro::executor);
        while (true) {
            pace.expires_after(5ms);
            co_await pace.async_wait(asio::use_awaitable);
            co_await c.say("x");
        }
    });
    system::CurlLoop loop(context.get_executor());
    Client client(loop, settings);
    EXPECT_EQ(failure_of(run(context, client.get({.url = "http://127.0.0.1:" + slow.port()}))), FetchFailure::too_slow);
}

TEST(Client, RedirectsShareOneBudgetOfTime) {
    ClientSettings settings = on_loopback();
    settings.total = 100ms;
    settings.redirects = 1000;
    asio::io_context context;
    ScriptedServer slow(context, [](Conversation& c) -> asio::awaitable<void> {
        co_await c.read_until("\r\n\r\n");
        asio::steady_timer pace(co_await asio::this_coro::executor, 20ms);
        co_await pace.async_wait(asio::use_awaitable);
        co_await c.say(redirect(302, "/again"));
    });
    system::CurlLoop loop(context.get_executor());
    Client client(loop, settings);
    EXPECT_EQ(failure_of(run(context, client.get({.url = "http://127.0.0.1:" + slow.port()}))), FetchFailure::too_slow);
    EXPECT_LE(slow.connections(), 6);
}

TEST(Client, AnErrorNamesTheAddress) {
    Net net;
    std::string port;
    {
        ScriptedServer nobody(net.context, [](Conversation&) -> asio::awaitable<void> { co_return; });
        port = nobody.port();
    }
    auto refused = net.get("http://127.0.0.1:" + port);
    EXPECT_EQ(failure_of(refused), FetchFailure::unreachable);
    EXPECT_EQ(error_of(refused), "connection refused by 127.0.0.1:" + port);

    ScriptedServer rude(net.context,
                        [](Conversation& c) -> asio::awaitable<void> { co_await c.read_until("\r\n\r\n"); });
    auto broken = net.get("http://127.0.0.1:" + rude.port());
    EXPECT_EQ(failure_of(broken), FetchFailure::unreachable);
    EXPECT_TRUE(contains(error_of(broken), "127.0.0.1:" + rude.port())) << error_of(broken);

    ScriptedServer other(net.context, [](Conversation& c) -> asio::awaitable<void> {
        co_await c.say("220 mail.example ESMTP\r\n");
        co_await c.wait_for_the_peer_to_leave();
    });
    EXPECT_EQ(failure_of(net.get("http://127.0.0.1:" + other.port())), FetchFailure::bad_answer);
    EXPECT_EQ(failure_of(net.get("https://127.0.0.1:" + other.port())), FetchFailure::insecure);
}

TEST(Client, PrivateAddressesAreRefusedUnlessAllowed) {
    Net net({});
    auto error = net.get("http://127.0.0.1/");
    EXPECT_EQ(failure_of(error), FetchFailure::forbidden);
    EXPECT_EQ(error_of(error), "the address 127.0.0.1 is loopback; [feeds] allow_private_addresses would permit it");
    EXPECT_EQ(error_of(net.get("http://10.0.0.1/")),
              "the address 10.0.0.1 is private; [feeds] allow_private_addresses would permit it");
    EXPECT_EQ(failure_of(net.get_path("/")), FetchFailure::forbidden);
    EXPECT_EQ(failure_of(net.get("http://localhost/")), FetchFailure::forbidden); // a name that leads there
    EXPECT_EQ(error_of(net.get("http://8.8.8.8:8080/")),
              "port 8080 is not 80 or 443; [feeds] allow_private_addresses would permit it");
    EXPECT_EQ(net.server.connections(), 0);
}

TEST(Client, EveryHopIsChecked) {
    ClientSettings settings;
    settings.allowed = {"127.0.0.1"};
    Net net(settings);
    net.answers["/fine"] = page("fine");
    EXPECT_TRUE(net.get_path("/fine"));
    for (const char* target :
         {"http://127.0.0.2/", "http://169.254.169.254/latest/", "http://[::1]/", "http://[::ffff:7f00:2]/",
          "http://[::ffff:169.254.169.254]/", "http://0x7f.2/", "http://2852039166/", "//10.1.2.3/x",
          "http://[64:ff9b::a9fe:a9fe]/", "http://[fe80::1%25lo]/", "https://192.168.0.1/", "http://0/"}) {
        net.answers["/"] = redirect(301, target);
        EXPECT_EQ(failure_of(net.get_path("/")), FetchFailure::forbidden) << target;
    }
}

TEST(Client, NoSpellingOfAnAddressHidesIt) {
    Net net({});
    for (const char* host : {"127.0.0.1",
                             "127.1",
                             "127.0.1",
                             "0x7f.1",
                             "0x7f000001",
                             "2130706433",
                             "0177.0.0.1",
                             "017700000001",
                             "127.0.0.1.",
                             "0x7F.0x0.0x0.0x1",
                             "[::1]",
                             "[::ffff:127.0.0.1]",
                             "[::ffff:7f00:1]",
                             "[0:0:0:0:0:ffff:7f00:1]",
                             "%31%32%37.0.0.1",
                             "169.254.169.254",
                             "0xa9fea9fe",
                             "2852039166",
                             "0251.0376.0251.0376",
                             "0xa9.254.169.254",
                             "[::ffff:a9fe:a9fe]",
                             "[::169.254.169.254]",
                             "[64:ff9b::169.254.169.254]",
                             "[2002:a9fe:a9fe::1]",
                             "①②⑦.⓪.⓪.①",
                             "127。0。0。1",
                             "１６９.２５４.１６９.２５４",
                             "０ｘ７ｆ.１",
                             "0",
                             "0.0.0.0",
                             "[::]"}) {
        auto result = net.get("http://" + std::string(host) + "/");
        ASSERT_FALSE(result) << host;
        EXPECT_TRUE(result.error().kind == FetchFailure::forbidden || result.error().kind == FetchFailure::bad_url ||
                    result.error().kind == FetchFailure::unresolved)
            << host << ": " << result.error().text;
    }
}

TEST(Client, NoSpellingOfTheCorpusReachesASpecialAddress) {
    const char* corpora = std::getenv("POSTRIDER_CORPORA");
    if (!corpora) GTEST_SKIP() << "POSTRIDER_CORPORA is not set";
    std::ifstream file(std::string(corpora) + "/url-idna/urltestdata.json");
    std::ostringstream text;
    text << file.rdbuf();
    // Only literals, so that no name is asked for outside.
    const std::regex literal(
        R"((127\.[\d.]+|10\.[\d.]+|0\.[\d.]+|192\.168\.[\d.]+|255\.[\d.]+|169\.254\.[\d.]+|\[.*\]))");
    int tried = 0;
    Net net({});
    for (const auto& entry : boost::json::parse(text.str()).as_array()) {
        if (!entry.is_object() || !entry.as_object().contains("hostname")) continue;
        std::string host = entry.at("hostname").as_string().c_str();
        std::string input = entry.at("input").as_string().c_str();
        if (!std::regex_match(host, literal)) continue;
        ++tried;
        auto result = net.get(input);
        ASSERT_FALSE(result) << input;
        EXPECT_TRUE(result.error().kind == FetchFailure::forbidden || result.error().kind == FetchFailure::bad_url ||
                    result.error().kind == FetchFailure::unresolved)
            << input << ": " << result.error().text;
    }
    EXPECT_GE(tried, 20);
    EXPECT_EQ(net.server.connections(), 0);
}

TEST(Client, ManyFetchesAtOnceEachGetTheirOwnAnswer) {
    Net net;
    constexpr int count = 100;
    int ended = 0;
    for (int i = 0; i < count; ++i) {
        std::string path = "/" + std::to_string(i);
        net.answers[path] = page(path);
        asio::co_spawn(net.context, net.client.get({.url = net.server.url(path)}),
                       [&, path](std::exception_ptr, FetchResult r) {
                           EXPECT_EQ(r->body, path);
                           if (++ended == count) net.context.stop();
                       });
    }
    net.context.run();
    EXPECT_EQ(ended, count);
}

TEST(Url, APasswordIsMaskedForTheOperator) {
    EXPECT_EQ(http::masked("https://ada:se@cr:et@a.example/f?x=1@2"), "https://ada:***@a.example/f?x=1@2");
    EXPECT_EQ(http::masked("https://token@a.example"), "https://***@a.example");
    EXPECT_EQ(http::masked("https://a.example/@ada"), "https://a.example/@ada");
    EXPECT_EQ(http::masked("ftp://ada:secret@a.example/"), "ftp://ada:***@a.example/");
    EXPECT_EQ(http::masked("feed.xml"), "feed.xml");
    EXPECT_EQ(http::without_login("https://ada:secret@a.example/f"), "https://a.example/f");
}

TEST(Url, RelativeReferencesAreResolvedAndPasswordsStayWhereTheyBelong) {
    auto base = Url::parse("https://user:secret@Example.org/a/b?c#d");
    ASSERT_TRUE(base);
    EXPECT_EQ(base->text(), "https://user:secret@Example.org/a/b?c");
    EXPECT_EQ(base->shown(), "https://Example.org/a/b?c");
    EXPECT_EQ(base->port(), 443);
    EXPECT_EQ(base->resolve("../x y")->text(), "https://user:secret@Example.org/x%20y");
    EXPECT_EQ(base->resolve("//other.example/")->text(), "https://other.example/");
    EXPECT_EQ(base->resolve("http://u:p@other.example:8080/")->text(), "http://other.example:8080/");
    EXPECT_EQ(base->resolve("?q=1")->text(), "https://user:secret@Example.org/a/b?q=1");
    EXPECT_EQ(base->resolve("mailto:a@b").error(), "does not begin with http:// or https://");
}

TEST(Url, IsAnOriginAndWhatAServerIsAskedFor) {
    auto parts = [](const char* text) {
        auto url = Url::parse(text).value();
        return url.origin() + " " + url.target();
    };
    EXPECT_EQ(parts("https://a.example"), "https://a.example /");
    EXPECT_EQ(parts("http://a.example:8080?x=/1#f"), "http://a.example:8080 /?x=/1");
    EXPECT_EQ(parts("https://u%2f:p@[::1]/b//c?d"), "https://u%2f:p@[::1] /b//c?d");
}

TEST(Url, InternationalNamesBecomeAscii) {
    auto url = Url::parse("http://bücher.example/ü");
    ASSERT_TRUE(url);
    EXPECT_EQ(url->host(), "xn--bcher-kva.example");
    EXPECT_EQ(http::percent_decode(url->text()), "http://xn--bcher-kva.example/ü");
    EXPECT_EQ(Url::parse("http://faß.example/")->host(), "xn--fa-hia.example");
    EXPECT_FALSE(Url::parse("http://\xff.example/"));
}
