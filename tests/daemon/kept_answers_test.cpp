#include "daemon/newsroom.hpp"

namespace postrider::web {
namespace {

// A newsroom whose daemon keeps answers.
struct KeepingNewsroom : Newsroom {
    daemon::KeptAnswers kept;
    KeepingNewsroom() { handler = daemon::routes(pages, {{"https://courier.example"}, &kept}); }

    void rename(std::string_view title) { connection->run("UPDATE list SET title = $1 WHERE slug = 'courier'", title); }
    bool shows(std::string_view title, http::Headers headers = {}) {
        return get("/join/courier", std::move(headers)).body.find(title) != std::string::npos;
    }
};

TEST(KeptAnswers, AFormIsMadeOnceUntilTheDaemonLooksAgain) {
    KeepingNewsroom site;
    site.rename("First");
    EXPECT_TRUE(site.shows("First"));
    site.rename("Second");
    EXPECT_TRUE(site.shows("First"));
    site.kept.forget();
    EXPECT_TRUE(site.shows("Second"));
}

TEST(KeptAnswers, WhoAsksInAnotherWayGetsAnAnswerOfTheirOwn) {
    KeepingNewsroom site;
    EXPECT_NE(site.get("/", {{"Accept-Language", "de"}}).body, site.get("/", {{"Accept-Language", "ja"}}).body);
    site.rename("First");
    EXPECT_TRUE(site.shows("First"));
    site.rename("Second");
    EXPECT_TRUE(site.shows("Second", {{"Accept-Language", "de"}}));
    auto origin = site.get("/join/courier", {{"Origin", "https://courier.example"}});
    EXPECT_EQ(origin.headers.value("Access-Control-Allow-Origin"), "https://courier.example");
    EXPECT_FALSE(site.get("/join/courier").headers.has("Access-Control-Allow-Origin"));
}

TEST(KeptAnswers, NothingPersonalAndNoFailureIsKept) {
    KeepingNewsroom site;
    auto path = site.leave_path(site.reader("ada@example.org", site.courier));
    EXPECT_TRUE(site.get(path).body.find("<form") != std::string::npos);
    site.post(path, "");
    EXPECT_EQ(site.get(path).body.find("<form method=\"post\" action=\"/leave"), std::string::npos);
    EXPECT_EQ(site.get("/join/inner").status, 404);
    site.connection->run("UPDATE list SET state = 'open' WHERE slug = 'inner'");
    EXPECT_EQ(site.get("/join/inner").status, 200);
    EXPECT_FALSE(site.joins("bob@example.org").headers.has("ETag"));
    site.joins("eve@example.org");
    EXPECT_EQ(site.letters(), 2);
}

TEST(KeptAnswers, WhatHasNoRoomIsMadeAnew) {
    KeepingNewsroom site;
    for (int i = 0; i < 2000; ++i) (void)site.get("/join/courier?" + std::to_string(i));
    site.rename("Second");
    EXPECT_TRUE(site.get("/join/courier?1").body.find("Second") == std::string::npos);
    EXPECT_TRUE(site.get("/join/courier?1999").body.find("Second") != std::string::npos);
}

}
}
