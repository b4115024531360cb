#include "daemon/newsroom.hpp"
#include "subscribers/erase.hpp"

#include <fmt/format.h>

namespace postrider::web {
namespace {

TEST(Home, ShowsOpenListsOnlyAndEscapesThem) {
    Newsroom room;
    auto page = room.get("/");
    EXPECT_EQ(page.status, 200);
    EXPECT_NE(page.body.find("The &lt;i&gt;Morning&lt;/i&gt; &amp; Courier"), std::string::npos);
    EXPECT_EQ(page.body.find("<i>Morning"), std::string::npos);
    EXPECT_EQ(page.body.find("<b>Courier"), std::string::npos);
    EXPECT_EQ(page.body.find("inner circle"), std::string::npos);
}

TEST(Pages, CarryThePolicyUnderWhichTheirOwnStyleAndNothingElseIsAllowed) {
    Newsroom room;
    auto page = room.get("/");
    auto begin = page.body.find("<style>") + 7;
    auto style = page.body.substr(begin, page.body.find("</style>") - begin);
    auto hash = system::base64url(system::sha256(style));
    for (char& c : hash) c = c == '-' ? '+' : c == '_' ? '/' : c;
    EXPECT_EQ(page.headers.value("Content-Security-Policy"),
              "default-src 'none'; style-src 'sha256-" + hash +
                  "='; form-action 'self'; frame-ancestors 'none'; base-uri 'none'");
    EXPECT_EQ(page.body.find(" style="), std::string::npos);
    EXPECT_EQ(page.headers.value("X-Content-Type-Options"), "nosniff");
    EXPECT_EQ(page.headers.value("Referrer-Policy"), "no-referrer");
}

TEST(Pages, FollowTheOperatorsTemplateAndSurviveABrokenOne) {
    Newsroom room;
    room.writes_template("page_home.html", "mine: {{site.url}}");
    EXPECT_EQ(room.get("/").body, "mine: https://mail.courier.example");
    room.writes_template("page_home.html", "mine again, longer");
    EXPECT_EQ(room.get("/").body, "mine again, longer");
    room.writes_template("page_home.html", "{{#lists}} never closed");
    EXPECT_NE(room.get("/").body.find("Newsletters"), std::string::npos);
    std::filesystem::remove(room.folder / "templates" / "page_home.html.mustache");
    EXPECT_NE(room.get("/").body.find("Newsletters"), std::string::npos);
}

TEST(Routes, AnotherMethodIs405WithAllowAndAnotherPath404) {
    Newsroom room;
    auto answer = room.post("/archive/courier", "");
    EXPECT_EQ(answer.status, 405);
    EXPECT_EQ(answer.headers.value("Allow"), "GET, HEAD, OPTIONS");
    auto deleted = room.ask({"DELETE", "/join/courier", "", "", {}, "", ""});
    EXPECT_EQ(deleted.status, 405);
    EXPECT_EQ(deleted.headers.value("Allow"), "GET, HEAD, POST, OPTIONS");
    EXPECT_EQ(room.ask({"OPTIONS", "/leave/x", "", "", {}, "", ""}).status, 204);
    for (auto path : {"/nowhere", "/join", "/join/courier/x", "/archive/courier/1/2"})
        EXPECT_EQ(room.get(path).status, 404) << path;
}

TEST(Routes, AnswerBelowThePathOfTheSiteAndWhereAProxyTookItOff) {
    Newsroom room{"https://courier.example/mail"};
    for (auto path : {"/mail/join/courier", "/join/courier", "/mail/", "/"}) {
        auto page = room.get(path);
        EXPECT_EQ(page.status, 200) << path;
        EXPECT_NE(page.body.find("\"/mail/join/courier\""), std::string::npos) << path;
    }
    EXPECT_EQ(room.get("/mailing/join/courier").status, 404);
}

TEST(Health, IsServedWhateverIsWrongAndSaysIt) {
    Newsroom room;
    EXPECT_EQ(boost::json::parse(room.get("/health").body).at("status").as_string(), "ok");
    room.wrong = {"the relay main refuses our login"};
    auto answer = room.get("/health");
    EXPECT_EQ(answer.status, 200);
    auto body = boost::json::parse(answer.body);
    EXPECT_EQ(body.at("status").as_string(), "degraded");
    EXPECT_EQ(body.at("wrong").at(0).as_string(), "the relay main refuses our login");
}

TEST(View, ShowsTheReadersIssueAgainExactly) {
    Newsroom room;
    auto id = room.reader("ada@example.org", room.courier);
    auto mailing = room.publishes(room.courier);
    std::string path = "/view/";
    room.tokens.signer().view(path, mailing, id);
    auto before = room.dump();
    auto page = room.get(path);
    EXPECT_EQ(page.status, 200);
    EXPECT_EQ(room.dump(), before);
    digest::Publishing publishing(*room.connection, room.library, room.tokens, room.site);
    auto list = subscribers::Lists(*room.connection).find(room.courier).value();
    auto issue = digest::Issues(*room.connection).of_mailing(mailing)->id;
    auto reader = subscribers::read_one(*room.connection, id);
    EXPECT_EQ(page.body, publishing.sample(list, issue, reader, "", room.clock.now()).html);
    EXPECT_NE(page.body.find(room.leave_path(id)), std::string::npos);
    EXPECT_EQ(page.body.find("<script"), std::string::npos);
    EXPECT_EQ(page.headers.value("Cache-Control"), "no-store");
    EXPECT_EQ(page.headers.value("Content-Security-Policy").find("script-src"), std::string_view::npos);

    room.clock.advance(1h);
    subscribers::erase(*room.connection, room.tokens, mail::parse_address("ada@example.org").value(), room.clock.now());
    auto erased = room.get(path);
    EXPECT_EQ(erased.status, 200);
    EXPECT_EQ(erased.body.find("/leave/"), std::string::npos);
}

TEST(Archive, ShowsWhatWentOutWithoutAnyReader) {
    Newsroom room;
    room.reader("ada@example.org", room.courier);
    EXPECT_EQ(room.get("/archive/courier").status, 200);
    EXPECT_EQ(room.get("/archive/courier/1").status, 404);
    room.publishes(room.courier);
    auto before = room.dump();
    EXPECT_NE(room.get("/archive/courier").body.find("href=\"/archive/courier/1\""), std::string::npos);
    auto issue = room.get("/archive/courier/1");
    EXPECT_EQ(issue.status, 200);
    EXPECT_NE(issue.body.find("The bridge"), std::string::npos);
    for (auto personal : {"ada@", "/leave/", "/preferences/", "/view/"})
        EXPECT_EQ(issue.body.find(personal), std::string::npos) << personal;
    auto feed = room.get("/archive/courier/feed.xml");
    EXPECT_EQ(feed.headers.value("Content-Type"), "application/atom+xml; charset=utf-8");
    EXPECT_NE(feed.body.find("<id>https://mail.courier.example/archive/courier/1</id>"), std::string::npos);
    EXPECT_EQ(feed.body.find("<i>"), std::string::npos);
    EXPECT_EQ(room.dump(), before);
    for (auto path :
         {"/archive/courier/2", "/archive/courier/0", "/archive/courier/1x", "/archive/courier/99999999999"})
        EXPECT_EQ(room.get(path).status, 404) << path;
}

TEST(Archive, LeadsFromIssueToIssueAndToTheFeeds) {
    Newsroom room;
    for (auto url : {"https://courier.example/1", "https://courier.example/2", "https://courier.example/3"})
        room.publishes(room.courier, url);
    auto issue = room.get("/archive/courier/2");
    for (auto path : {"/archive/courier", "/archive/courier/1", "/archive/courier/3", "/join/courier"})
        EXPECT_NE(issue.body.find(fmt::format("href=\"{}\"", path)), std::string::npos) << path;
    EXPECT_EQ(room.get("/archive/courier/1").body.find("rel=\"prev\""), std::string::npos);
    EXPECT_EQ(room.get("/archive/courier/3").body.find("rel=\"next\""), std::string::npos);
    auto feed = "<link rel=\"alternate\" type=\"application/feed+json\"";
    EXPECT_NE(room.get("/archive/courier").body.find(feed), std::string::npos);
    EXPECT_NE(issue.headers.value("Link").find("</archive/courier/feed.json>; rel=\"alternate\""), std::string::npos);

    auto before = room.get("/archive/courier?before=3").body;
    EXPECT_EQ(before.find("/archive/courier/3\""), std::string::npos);
    EXPECT_NE(before.find("/archive/courier/2\""), std::string::npos);
    auto json = room.get("/archive/courier/feed.json?before=2");
    EXPECT_EQ(json.headers.value("Content-Type"), "application/feed+json");
    auto items = boost::json::parse(json.body).at("items").as_array();
    ASSERT_EQ(items.size(), 1u);
    EXPECT_EQ(items[0].at("url").as_string(), "https://mail.courier.example/archive/courier/1");
    EXPECT_NE(items[0].at("content_html").as_string().find("The bridge"), std::string::npos);
}

TEST(Archive, IsNotSentTwiceToWhoeverHasIt) {
    Newsroom room;
    room.publishes(room.courier);
    for (auto path :
         {"/archive/courier", "/archive/courier/1", "/archive/courier/feed.xml", "/archive/courier/feed.json"}) {
        auto first = room.get(path);
        auto again = room.get(path, {{"If-None-Match", std::string(first.headers.value("ETag"))}});
        EXPECT_EQ(again.status, 304) << path;
        EXPECT_EQ(again.body, "");
    }
    auto feed = room.get("/archive/courier/feed.xml");
    std::string modified(feed.headers.value("Last-Modified"));
    EXPECT_EQ(room.get("/archive/courier/feed.xml", {{"If-Modified-Since", modified}}).status, 304);
    room.clock.advance(1h);
    room.publishes(room.courier, "https://courier.example/2");
    EXPECT_EQ(room.get("/archive/courier/feed.xml", {{"If-Modified-Since", modified}}).status, 200);
}

TEST(Refusals, AreAPageInTheVisitorsLanguageOrJson) {
    Newsroom room;
    auto refuse = daemon::refusals(room.pages);
    http::Request request;
    auto unread = refuse(request, 431, "The header is too large.");
    EXPECT_EQ(unread.headers.value("Content-Type"), "text/html; charset=utf-8");
    EXPECT_EQ(unread.headers.value("Cache-Control"), "no-store");
    request.headers.add("Accept-Language", "de");
    EXPECT_NE(refuse(request, 413, "").body.find("<html lang=\"de\""), std::string::npos);
    request.headers.add("Accept", "application/json");
    auto said = refuse(request, 413, "The request is too large.");
    EXPECT_EQ(boost::json::parse(said.body).at("error").as_string(), "The request is too large.");
}

TEST(Archive, OfAPrivateListIsNotThere) {
    Newsroom room;
    room.publishes(room.inner);
    for (auto path : {"/archive/inner", "/archive/inner/1", "/archive/inner/feed.xml", "/archive/inner/feed.json"})
        EXPECT_EQ(room.get(path).status, 404) << path;
}

TEST(Outbox, ShowsKeptMailsAsHtmlTextAndSource) {
    Newsroom room;
    EXPECT_EQ(room.get("/outbox/").status, 200);
    room.joins("ada@example.org");
    auto message = room.letter("confirmation");
    std::filesystem::create_directories(room.folder / "outbox");
    std::ofstream(room.folder / "outbox" / "20261124T075400-0001-ada@example.org.eml", std::ios::binary) << message;
    auto list = room.get("/outbox/");
    EXPECT_NE(list.body.find("The &lt;i&gt;Morning&lt;/i&gt; &amp; Courier"), std::string::npos);
    EXPECT_NE(list.body.find("ada@example.org"), std::string::npos);
    auto path = std::string("/outbox/20261124T075400-0001-ada@example.org.eml");
    EXPECT_EQ(room.get(path + "/source").body, message);
    EXPECT_NE(room.get(path + "/text").body.find(room.confirm_path()), std::string::npos);
    auto html = room.get(path + "/html");
    EXPECT_NE(html.body.find(room.confirm_path()), std::string::npos);
    EXPECT_TRUE(html.headers.value("Content-Security-Policy").starts_with("sandbox"));
    for (auto file : {"..", ".envelopes", "postrider.db", "x.eml"})
        EXPECT_EQ(room.get(std::string("/outbox/") + file + "/source").status, 404) << file;
}

}
}
