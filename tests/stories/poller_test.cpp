#include "http/client.hpp"
#include "storage/database.hpp"
#include "storage/migrations.hpp"
#include "stories/pictures.hpp"
#include "stories/poller.hpp"
#include "stories/stories.hpp"
#include "support/scripted_server.hpp"
#include "support/simulated_clock.hpp"
#include "system/curl_loop.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <sstream>
#include <thread>

using namespace postrider;
using namespace postrider::stories;
using postrider::test::run;
using postrider::test::ScriptedHttp;
using postrider::test::SimulatedClock;

namespace {

std::string answer(int status, const std::string& body, const std::string& fields = "") {
    return fmt::format("HTTP/1.1 {} So\r\n{}Content-Length: {}\r\n\r\n{}", status, fields, body.size(), body);
}

struct Item {
    std::string id, title;
    std::string url; // empty: https://news.example/ID
    std::string date = "Tue, 05 Jan 2027 10:00:00 GMT";
    std::string text = "Something happened.";
};

std::string rss(const std::vector<Item>& items, const std::string& title = "The Courier") {
    std::string text = "<rss version='2.0'><channel><title>" + title + "</title>";
    for (const auto& item : items)
        text += fmt::format("<item><guid>{}</guid><title>{}</title><link>{}</link><pubDate>{}</pubDate><description>{}"
                            "</description></item>",
                            item.id, item.title, item.url.empty() ? "https://news.example/" + item.id : item.url,
                            item.date, item.text);
    return text + "</channel></rss>";
}

http::ClientSettings on_loopback() {
    http::ClientSettings settings;
    settings.allow_private_addresses = true;
    return settings;
}

// A site with lists, a publisher who says what he is told, and a clock that stands still.
class PollerTest : public testing::Test {
protected:
    PollerTest() {
        auto pattern = (std::filesystem::temp_directory_path() / "postrider-poller-XXXXXX").string();
        folder = mkdtemp(pattern.data());
        database_url = "sqlite:" + (folder / "test.db").string();
        connection.emplace(database_url);
        storage::migrate(*connection, embedded::schema(), clock.now());
        daily = add_list("daily");
        weekly = add_list("weekly");
        starts();
    }
    ~PollerTest() override {
        poller.reset();
        database.reset();
        connection.reset();
        std::filesystem::remove_all(folder);
    }

    void starts() {
        poller.reset();
        database.emplace(database_url);
        poller.emplace(context.get_executor(), *database, client, clock, PollSettings{});
    }

    // The room of lists lies above this one.
    ListId add_list(std::string_view slug) {
        return connection
            ->value<ListId>(
                "INSERT INTO list (slug, title, sender, created_at) VALUES ($1, $1, 'a@b.example', $2) RETURNING id",
                slug, clock.now())
            .value();
    }

    std::string says(const std::string& request) {
        auto path = request.substr(4, request.find(' ', 4) - 4);
        if (asked) asked(path);
        auto found = answers.find(path);
        return found == answers.end() ? answer(404, "") : found->second;
    }
    void publishes(const std::vector<Item>& items, const std::string& fields = "", const std::string& path = "/feed") {
        answers[path] = answer(200, rss(items), fields);
    }

    PollReport adds(int catch_up = 0, const std::string& path = "/feed", ListId list = {}) {
        NewFeed feed{server.url(path), list.number ? list : daily, std::nullopt, catch_up};
        return run(context, poller->add(feed));
    }
    PollReport polls(FeedId id = {1}, Force force = Force::no) { return run(context, poller->poll(id, force)); }

    std::vector<std::string> titles(ListId list, Standing standing) {
        std::vector<std::string> found;
        for (const auto& candidate : Stories(*connection).of_list(list))
            if (candidate.standing == standing) found.push_back(candidate.story.title);
        return found;
    }
    std::vector<std::string> candidates(ListId list = {1}) { return titles(list, Standing::candidate); }
    std::vector<std::string> remembered(ListId list = {1}) { return titles(list, Standing::remembered); }
    FeedRecord feed(FeedId id = {1}) { return Feeds(*connection).find(id).value(); }

    // Turns the loop until it is so; the loop does real work (sockets, threads), the clock stands still.
    template <class Condition>
    void turn_until(Condition condition) {
        context.restart();
        while (!condition()) {
            poller->tick();
            context.run_for(1ms);
            context.restart();
        }
    }

    using Names = std::vector<std::string>;
    boost::asio::io_context context;
    SimulatedClock clock{context.get_executor()};
    std::filesystem::path folder;
    std::string database_url;
    std::optional<storage::Connection> connection;
    std::map<std::string, std::string> answers;
    std::function<void(const std::string& path)> asked;
    ScriptedHttp server{context, [this](const std::string& request) { return says(request); }};
    system::CurlLoop curl{context.get_executor()};
    http::Client client{curl, on_loopback()};
    std::optional<storage::Database> database;
    std::optional<Poller> poller;
    ListId daily, weekly;
};

TEST_F(PollerTest, TheFirstPollRemembersAllAndSendsNone) {
    publishes({{"2", "Second"}, {"1", "First"}});
    auto report = adds();
    EXPECT_EQ(report.error, "");
    EXPECT_EQ(report.remembered, 2u);
    EXPECT_EQ(report.new_stories, 0u);
    EXPECT_EQ(report.feed.title, "The Courier");
    EXPECT_EQ(candidates(), Names{});
    EXPECT_EQ(remembered().size(), 2u);
    EXPECT_EQ(server.connections(), 1);
}

TEST_F(PollerTest, CatchingUpTakesTheNewestByTheirDates) {
    publishes({{"1", "Old", "", "Mon, 04 Jan 2027 10:00:00 GMT"},
               {"2", "Newest", "", "Wed, 06 Jan 2027 10:00:00 GMT"},
               {"3", "Newer", "", "Tue, 05 Jan 2027 10:00:00 GMT"}});
    auto report = adds(2);
    EXPECT_EQ(report.new_stories, 2u);
    EXPECT_EQ(report.remembered, 1u);
    EXPECT_EQ(candidates(), (Names{"Newest", "Newer"}));
}

TEST_F(PollerTest, WhatIsNewAfterwardsIsACandidate) {
    publishes({{"1", "First"}});
    adds();
    publishes({{"2", "Second"}, {"1", "First"}});
    auto report = polls();
    EXPECT_EQ(report.new_stories, 1u);
    EXPECT_EQ(candidates(), Names{"Second"});
    EXPECT_EQ(polls().new_stories, 0u);
}

TEST_F(PollerTest, MeasuresThePicturesOfNewsOnceAndRemembersThoseThatAreNone) {
    publishes({});
    adds();
    auto shows = [&](const std::string& path) { return "&lt;img src='" + server.url(path) + "'&gt;"; };
    answers["/ship.png"] = answer(200, "\x89PNG\r\n\x1A\n" + std::string("\0\0\0\rIHDR\0\0\0\x40\0\0\0\x30", 16));
    answers["/page"] = answer(200, "<!DOCTYPE html>");
    answers["/busy.png"] = answer(503, "");
    Item item{"1", "First"};
    item.text = "Words. " + shows("/ship.png") + shows("/page") + shows("/busy.png") + shows("/gone.png") +
                "&lt;img src=https://pictures.example/never-asked.png&gt;";
    publishes({item});
    EXPECT_EQ(polls().new_stories, 1u);
    std::vector<std::string> urls;
    for (auto* path : {"/ship.png", "/page", "/busy.png", "/gone.png"}) urls.push_back(server.url(path));
    auto sizes = Pictures(*connection).sizes_of(urls);
    ASSERT_EQ(sizes.size(), 1u);
    EXPECT_EQ(sizes.begin()->second, (PictureSize{64, 48}));
    auto before = server.connections();
    polls();
    EXPECT_EQ(server.connections(), before + 2) << "the feed, and the server that was in trouble";
}

TEST_F(PollerTest, PicturesAreLookedForInTheNewestCandidatesOfTheFeedAlone) {
    auto shows = [](const std::string& id) {
        Item item{id, "Story " + id};
        item.text = "&lt;img src=https://pictures.example/" + id + ".png&gt;";
        return item;
    };
    publishes({shows("old")});
    publishes({}, "", "/other");
    adds();
    adds(0, "/feed", weekly);
    auto other = adds(0, "/other").feed.id;
    publishes({shows("second"), shows("first"), {"words", "No picture"}, shows("old")});
    publishes({shows("of-another-feed")}, "", "/other");
    EXPECT_EQ(polls(other).new_stories, 1u);
    EXPECT_EQ(polls({1}).new_stories, 3u);
    Pictures pictures(*connection);
    auto stories = pictures.newest({1}, clock.now());
    EXPECT_EQ(stories.size(), 2u) << "each once, though two lists have them";
    auto urls = pictures.unread(unsized_pictures(stories), 10);
    EXPECT_EQ(urls, (Names{"https://pictures.example/second.png", "https://pictures.example/first.png"}));
    EXPECT_EQ(pictures.unread(urls, 1), Names{urls[0]});
    pictures.keep(urls[0], PictureSize{4, 3}, clock.now());
    EXPECT_EQ(pictures.unread(urls, 10), Names{urls[1]});
    EXPECT_TRUE(pictures.newest({1}, clock.now() + 1s).empty());
}

TEST_F(PollerTest, PicturesThatHangOrFailHoldNoStoryBack) {
    publishes({});
    adds();
    Item item{"1", "First"};
    item.text = "Words. &lt;img src='http://127.0.0.1:1/refused.png'&gt;";
    publishes({item});
    asked = [&](const std::string& path) {
        if (path == "/slow.png") EXPECT_EQ(candidates(), Names{"First"});
    };
    item.text += "&lt;img src='" + server.url("/slow.png") + "'&gt;";
    publishes({item});
    auto report = polls();
    EXPECT_EQ(report.error, "");
    EXPECT_EQ(candidates(), Names{"First"});
}

TEST_F(PollerTest, ValidatorsAreEchoedExactlyAndA304KeepsThem) {
    publishes({{"1", "First"}}, "ETag: W/\"a b\\c\"\r\nLast-Modified: yesterday, they say\r\n");
    adds();
    answers["/feed"] = "HTTP/1.1 304 Not Modified\r\n\r\n";
    for (int i = 0; i < 2; ++i) {
        auto report = polls();
        EXPECT_TRUE(report.not_modified);
        EXPECT_EQ(report.error, "");
        EXPECT_NE(server.requests().back().find("If-None-Match: W/\"a b\\c\"\r\n"), std::string::npos);
        EXPECT_NE(server.requests().back().find("If-Modified-Since: yesterday, they say\r\n"), std::string::npos);
    }
    EXPECT_EQ(server.requests().front().find("If-"), std::string::npos);
}

TEST_F(PollerTest, APermanentRedirectRewritesTheAddressAfterTheThirdTime) {
    publishes({{"1", "First"}}, "", "/new");
    answers["/feed"] = "HTTP/1.1 301 Moved\r\nLocation: /new\r\nContent-Length: 0\r\n\r\n";
    adds();
    polls();
    EXPECT_EQ(feed().url, server.url("/feed"));
    polls();
    EXPECT_EQ(feed().url, server.url("/new"));
    EXPECT_EQ(polls().error, "");
    EXPECT_EQ(candidates(), Names{});
}

TEST_F(PollerTest, A410MakesItGoneAndItIsAskedNoMore) {
    publishes({{"1", "First"}});
    adds();
    answers["/feed"] = answer(410, "");
    EXPECT_EQ(polls().error, "410 Gone");
    EXPECT_EQ(feed().state, FeedState::gone);
    EXPECT_EQ(Feeds(*connection).next_due(), std::nullopt);
}

TEST_F(PollerTest, ARetryAfterSurvivesARestartUnlessForced) {
    publishes({{"1", "First"}});
    adds();
    answers["/feed"] = answer(503, "", "Retry-After: 7200\r\n");
    polls();
    starts();
    auto report = polls();
    EXPECT_EQ(report.waits_until, clock.now() + 2h);
    EXPECT_EQ(server.connections(), 2);
    EXPECT_EQ(polls({1}, Force::yes).waits_until, std::nullopt);
    EXPECT_EQ(server.connections(), 3);
    clock.advance(2h);
    publishes({{"1", "First"}});
    EXPECT_EQ(polls().error, "");
    EXPECT_EQ(feed().retry_after_until, std::nullopt);
}

TEST_F(PollerTest, ItFailsBacksOffAndIsWellAgain) {
    publishes({{"1", "First"}});
    adds();
    answers.erase("/feed");
    Duration before{};
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(polls().error, "404 Not Found");
        auto wait = feed().next_poll_at - clock.now();
        EXPECT_GT(wait, before);
        before = wait;
    }
    EXPECT_EQ(feed().state, FeedState::failing);
    publishes({{"2", "Second"}, {"1", "First"}});
    EXPECT_EQ(polls().new_stories, 1u);
    EXPECT_EQ(feed().state, FeedState::active);
}

TEST_F(PollerTest, AChangedIdWithTheSameAddressIsNoNews) {
    publishes({{"http://news.example/1", "First", "https://news.example/1"}});
    adds();
    publishes({{"https://news.example/1", "First", "https://news.example/1?utm_source=rss"}});
    EXPECT_EQ(polls().new_stories, 0u);
    EXPECT_EQ(candidates(), Names{});
}

TEST_F(PollerTest, AChangedAddressWithTheSameIdIsNoNews) {
    publishes({{"1", "First", "http://news.example/1"}});
    adds();
    publishes({{"1", "First", "https://news.example/1"}});
    EXPECT_EQ(polls().new_stories, 0u);
    EXPECT_EQ(Stories(*connection).of_list(daily).front().story.url, "https://news.example/1");
}

TEST_F(PollerTest, OneStoryThroughTwoFeedsIsOne) {
    publishes({});
    publishes({}, "", "/other");
    adds();
    adds(0, "/other");
    publishes({{"1", "In our words", "https://news.example/x"}});
    publishes({{"tag:x", "In theirs", "https://news.example/x#top"}}, "", "/other");
    EXPECT_EQ(polls({1}).new_stories, 1u);
    EXPECT_EQ(polls({2}).new_stories, 0u);
    EXPECT_EQ(candidates(), Names{"In our words"});
}

TEST_F(PollerTest, IdsAndLinksThatChangeFromHttpToHttpsAreNoNewsAndTheFeedSaysSo) {
    auto items = [](const std::string& scheme) {
        std::vector<Item> made;
        for (auto* id : {"4", "3", "2", "1"})
            made.push_back(
                {scheme + "://news.example/" + id, "Story " + std::string(id), scheme + "://news.example/" + id});
        return made;
    };
    publishes(items("http"));
    adds();
    publishes(items("https"));
    auto report = polls();
    EXPECT_EQ(report.new_stories, 0u);
    EXPECT_EQ(report.new_ids, 4u);
    EXPECT_EQ(feed().new_ids, 4);
    EXPECT_EQ(feed().new_ids_at, clock.now());
    EXPECT_EQ(polls().new_ids, 0u) << "they are known by now";
    EXPECT_EQ(Stories(*connection).find(StoryId{1})->url, "https://news.example/1") << "readers get the newest address";
}

TEST_F(PollerTest, AltogetherNewIdsUnderTheSameLinksAreNoNewsAndTheFeedSaysSo) {
    publishes({{"1", "First"}, {"2", "Second"}, {"3", "Third"}});
    adds();
    publishes({{"a", "First", "https://news.example/1"},
               {"b", "Second", "https://news.example/2"},
               {"c", "Third", "https://news.example/3"},
               {"d", "Fourth"}});
    auto report = polls();
    EXPECT_EQ(report.new_stories, 1u);
    EXPECT_EQ(candidates(), Names{"Fourth"});
    EXPECT_EQ(feed().new_ids, 3);
}

TEST_F(PollerTest, AFeedThatReturnsFromAnOutageWithFiveHundredItemsIsCapped) {
    publishes({{"1", "First"}});
    adds();
    answers["/feed"] = answer(503, "");
    for (int i = 0; i < 3; ++i) polls();
    std::vector<Item> everything;
    for (int i = 500; i >= 1; --i) everything.push_back({std::to_string(i), "Story " + std::to_string(i)});
    publishes(everything);
    auto report = polls();
    EXPECT_EQ(report.new_stories, 50u);
    EXPECT_EQ(report.flooded, 449u);
    EXPECT_EQ(feed().flooded, 449);
    auto news = candidates();
    EXPECT_NE(std::ranges::find(news, "Story 500"), news.end()) << "the newest go in";
    EXPECT_EQ(std::ranges::find(news, "Story 2"), news.end());
    EXPECT_EQ(polls().flooded, 0u);
}

TEST_F(PollerTest, AFeedThatAlwaysHoldsHundredsIsNotCapped) {
    auto items = [](int from, int to) {
        std::vector<Item> made;
        for (int i = to; i > from; --i) made.push_back({std::to_string(i), "Story " + std::to_string(i)});
        return made;
    };
    publishes(items(0, 300));
    adds();
    publishes(items(300, 600));
    EXPECT_EQ(polls().new_stories, 300u);
}

TEST_F(PollerTest, TheSameStoryUnderAnotherAddressOfItsSiteIsOneThroughTwoFeeds) {
    publishes({}, "", "/feed");
    publishes({}, "", "/other");
    adds(0, "/feed");
    adds(0, "/other");
    const std::string title = "The ship has come in at last";
    publishes({{"1", title, "https://www.news.example/a/1"}, {"2", title, "https://www.news.example/a/2"}}, "",
              "/feed");
    publishes({{"x", title, "https://m.news.example/story?id=1"}, {"y", "Short", "https://m.news.example/2"}}, "",
              "/other");
    polls({1});
    EXPECT_EQ(candidates().size(), 2u) << "two items of one feed are two stories";
    EXPECT_EQ(polls({2}).new_stories, 1u);
    EXPECT_EQ(candidates().size(), 3u);
}

TEST_F(PollerTest, ThePasswordOfAFeedStandsInNoLinkOfItsStories) {
    answers["/feed"] = answer(200, "<rss version='2.0'><channel><title>T</title><item><guid>1</guid><title>One</title>"
                                   "<link>/one</link><description>&lt;a href='/two'&gt;two&lt;/a&gt;</description>"
                                   "</item></channel></rss>");
    auto url = server.url("/feed");
    NewFeed feed{url.insert(7, "ada:secret@"), daily, std::nullopt, 1};
    EXPECT_EQ(run(context, poller->add(feed)).error, "");
    EXPECT_TRUE(server.requests().front().contains("Authorization: Basic ")) << server.requests().front();
    auto story = Stories(*connection).of_list(daily).at(0).story;
    EXPECT_EQ(story.url, server.url("/one"));
    EXPECT_FALSE((story.url + story.html).contains("secret")) << story.html;
}

// A page with this paragraph in it.
std::string page(const std::string& words) {
    std::string text;
    for (int i = 0; i < 6; ++i)
        text += "<p>" + words + " This paragraph, number " + std::to_string(i) +
                ", is long enough, with its commas, to be taken for an article's own.</p>";
    return answer(200,
                  "<html><head><title>A page</title></head><body><article><h1>A page</h1>" + text +
                      "</article></body></html>",
                  "Content-Type: text/html\r\n");
}

struct FullPages : PollerTest {
    std::string bare(const std::vector<std::string>& paths) {
        std::string text = "<rss version='2.0'><channel><title>Bare</title>";
        for (auto& path : paths)
            text += "<item><guid>" + path + "</guid><title>Title of " + path + "</title><link>" + server.url(path) +
                    "</link></item>";
        return answer(200, text + "</channel></rss>");
    }
    PollReport begins() {
        answers["/feed"] = bare({"/old"});
        NewFeed wanted{server.url("/feed"), daily, std::nullopt, 0, true};
        return run(context, poller->add(wanted));
    }
    long requests_for(const std::string& path) {
        return std::ranges::count_if(server.requests(),
                                     [&](auto& one) { return one.starts_with("GET " + path + " "); });
    }
    Story newest() { return Stories(*connection).of_list(daily).front().story; }

    // The clock goes on while the loop works.
    PollReport polls_and_time_passes(FeedId id = {1}) {
        std::optional<PollReport> report;
        boost::asio::co_spawn(context, poller->poll(id), [&](std::exception_ptr, PollReport done) { report = done; });
        context.restart();
        while (!report) {
            context.run_for(2ms);
            clock.advance(100ms);
        }
        return *report;
    }
};

TEST_F(FullPages, ThePageOfAnEntryThatIsNoMoreThanATitleIsReadOnce) {
    EXPECT_EQ(begins().error, "");
    EXPECT_EQ(requests_for("/old"), 0) << "what is only remembered need not be read";
    answers["/feed"] = bare({"/new", "/old"});
    answers["/new"] = page("The harbour was full.");
    auto report = polls_and_time_passes();
    EXPECT_EQ(report.pages, 1u);
    EXPECT_EQ(newest().title, "Title of /new");
    EXPECT_TRUE(newest().html.contains("The harbour was full.")) << newest().html;
    EXPECT_TRUE(newest().summary.contains("The harbour was full."));
    polls_and_time_passes();
    EXPECT_EQ(requests_for("/new"), 1);
    EXPECT_TRUE(newest().html.contains("The harbour was full.")) << "a later poll does not take the words away";
}

TEST_F(FullPages, WhatTheSiteKeepsFromProgramsIsNotRead) {
    begins();
    answers["/robots.txt"] = answer(200, "User-agent: *\nDisallow: /new\n");
    answers["/feed"] = bare({"/new", "/old"});
    answers["/new"] = page("Secret.");
    EXPECT_EQ(polls_and_time_passes().new_stories, 1u);
    EXPECT_EQ(requests_for("/new"), 0);
    EXPECT_EQ(newest().html, "");
}

TEST_F(FullPages, MorePagesThanAPollMayReadWaitForTheNextOne) {
    begins();
    std::vector<std::string> paths;
    for (int i = 0; i < 25; ++i) {
        paths.push_back("/p" + std::to_string(i));
        answers[paths.back()] = page("Page " + std::to_string(i) + ".");
    }
    answers["/feed"] = bare(paths);
    EXPECT_EQ(polls_and_time_passes().new_stories, 20u);
    EXPECT_EQ(polls_and_time_passes().new_stories, 5u);
    for (auto& candidate : Stories(*connection).of_list(daily))
        if (candidate.standing == Standing::candidate) EXPECT_NE(candidate.story.html, "") << candidate.story.title;
}

TEST_F(FullPages, APageThatCannotBeReadLeavesTheTitle) {
    begins();
    answers["/feed"] = bare({"/gone", "/old"});
    EXPECT_EQ(polls_and_time_passes().new_stories, 1u);
    EXPECT_EQ(newest().title, "Title of /gone");
}

TEST_F(FullPages, BetweenTwoRequestsToOneHostPassesASecondAtLeast) {
    begins();
    answers["/feed"] = bare({"/a", "/b", "/c"});
    for (auto* path : {"/a", "/b", "/c"}) answers[path] = page("Words.");
    std::vector<Time> moments;
    asked = [&](const std::string&) { moments.push_back(clock.now()); };
    EXPECT_EQ(polls_and_time_passes().pages, 3u);
    ASSERT_EQ(moments.size(), 5u) << "the feed, robots.txt, three pages";
    for (std::size_t i = 1; i < moments.size(); ++i) EXPECT_GE(moments[i] - moments[i - 1], 1s) << i;
}

TEST_F(FullPages, ASiteThatAsksForALongerPauseGetsIt) {
    begins();
    answers["/robots.txt"] = answer(200, "User-agent: *\nCrawl-delay: 7\n");
    answers["/feed"] = bare({"/a", "/b"});
    for (auto* path : {"/a", "/b"}) answers[path] = page("Words.");
    std::map<std::string, Time> moments;
    asked = [&](const std::string& path) { moments[path] = clock.now(); };
    EXPECT_EQ(polls_and_time_passes().pages, 2u);
    EXPECT_GE(std::chrono::abs(moments["/b"] - moments["/a"]), 7s);
}

TEST_F(FullPages, APauseIsGivenUpWhenThePollerStops) {
    begins();
    answers["/feed"] = bare({"/a", "/b"});
    answers["/a"] = page("Words.");
    bool failed = false;
    boost::asio::co_spawn(context, poller->poll({1}),
                          [&](std::exception_ptr failure, PollReport) { failed = bool(failure); });
    context.restart();
    context.run_for(50ms);
    EXPECT_FALSE(failed);
    poller->stop();
    context.restart();
    for (int i = 0; i < 100 && !failed; ++i) context.run_for(2ms);
    EXPECT_TRUE(failed);
}

TEST_F(FullPages, AFloodOfBareTitlesIsCappedAsAnyOther) {
    begins();
    std::vector<std::string> paths;
    for (int i = 300; i > 0; --i) {
        paths.push_back("/p" + std::to_string(i));
        answers[paths.back()] = page("Page " + std::to_string(i) + ".");
    }
    answers["/feed"] = bare(paths);
    auto first = polls_and_time_passes();
    EXPECT_EQ(first.new_stories, 20u);
    EXPECT_EQ(first.flooded, 200u);
    for (int poll = 0; poll < 6; ++poll) polls_and_time_passes();
    auto news = candidates();
    EXPECT_EQ(news.size(), 100u) << "as many as when they had come with their words";
    EXPECT_NE(std::ranges::find(news, "Title of /p300"), news.end()) << "the newest go in";
    EXPECT_EQ(std::ranges::find(news, "Title of /p200"), news.end());
    EXPECT_EQ(requests_for("/p200"), 0) << "what is only remembered need not be read";
}

TEST_F(PollerTest, APageThatDeclaresFeedsOffersThem) {
    answers["/"] = answer(200,
                          "<html><head><title>Site</title><link rel=alternate type=application/rss+xml title=All "
                          "href=/feed></head></html>",
                          "Content-Type: text/html\r\n");
    auto report = adds(0, "/");
    EXPECT_EQ(report.error, "this is an HTML page titled \"Site\", not a feed");
    ASSERT_EQ(report.found.declared.size(), 1u);
    EXPECT_EQ(report.found.declared[0].url, server.url("/feed"));
    EXPECT_EQ(report.found.declared[0].title, "All");
}

TEST_F(PollerTest, RepeatedItemsOfOneFeedAreOneStory) {
    publishes({});
    adds();
    publishes({{"1", "Once", "https://news.example/a"},
               {"1", "Same id", "https://news.example/b"},
               {"2", "Same address", "https://news.example/a"}});
    EXPECT_EQ(polls().new_stories, 1u);
    EXPECT_EQ(candidates(), Names{"Once"});
    publishes({{"2", "Once", "https://news.example/c"}});
    EXPECT_EQ(polls().new_stories, 0u);
}

TEST_F(PollerTest, ASecondListStartsAsAfterAFirstPoll) {
    publishes({{"1", "First"}}, "ETag: \"1\"\r\n");
    adds();
    publishes({{"2", "Second"}, {"1", "First"}}, "ETag: \"2\"\r\n");
    auto report = adds(0, "/feed", weekly);
    EXPECT_EQ(report.feed.id, FeedId{1});
    EXPECT_EQ(candidates(daily), Names{"Second"});
    EXPECT_EQ(candidates(weekly), Names{});
    EXPECT_EQ(remembered(weekly).size(), 2u);
    publishes({{"3", "Third"}, {"2", "Second"}, {"1", "First"}});
    polls();
    EXPECT_EQ(candidates(daily), (Names{"Third", "Second"}));
    EXPECT_EQ(candidates(weekly), Names{"Third"});
    EXPECT_NE(adds(0, "/feed", weekly).error, "");
}

TEST_F(PollerTest, AnOldItemThatComesBackIsNoNewsToAListThatCameLater) {
    publishes({{"1", "First"}});
    adds();
    publishes({});
    adds(0, "/feed", weekly);
    publishes({{"1", "First"}});
    EXPECT_EQ(polls().new_stories, 0u);
    EXPECT_EQ(candidates(weekly), Names{});
}

TEST_F(PollerTest, AnEditedStoryGetsItsNewWordsAndIsNoSecondCandidate) {
    publishes({});
    adds();
    publishes({{"1", "Frist"}});
    polls();
    publishes({{"1", "First", "", "Tue, 05 Jan 2027 10:00:00 GMT", "Corrected."}});
    EXPECT_EQ(polls().new_stories, 0u);
    EXPECT_EQ(candidates(), Names{"First"});
    EXPECT_EQ(Stories(*connection).of_list(daily).front().story.summary, "Corrected.");
}

TEST_F(PollerTest, StoriesAreSafeBoundedAndNotOfTomorrow) {
    publishes({});
    adds();
    publishes({{"1", std::string(5000, 'a'), "", "Tue, 05 Jan 2049 10:00:00 GMT",
                "&lt;p onclick='x()'&gt;Hello&lt;script&gt;x()&lt;/script&gt;&lt;/p&gt;"},
               {"2", "", "", "Tue, 05 Jan 2027 10:00:00 GMT", "No headline here."},
               {"3", "", "https://news.example/3", "", ""}});
    auto report = polls();
    EXPECT_EQ(report.left_out, 1u);
    auto stories = Stories(*connection).of_list(daily);
    ASSERT_EQ(stories.size(), 2u);
    auto& story = stories[0].story;
    EXPECT_EQ(story.published_at, clock.now());
    EXPECT_LE(story.title.size(), 303u);
    EXPECT_EQ(story.html, "<p>Hello</p>");
    EXPECT_EQ(story.source, "The Courier");
    EXPECT_EQ(stories[1].story.title, "No headline here.");
}

TEST_F(PollerTest, WhatIsNoFeedIsRefusedWithWhatItIs) {
    answers["/feed"] = answer(200, "<!DOCTYPE html><html><head><title>Login</title></head><body>Please</body></html>",
                              "Content-Type: text/html\r\n");
    EXPECT_EQ(adds().error, "this is an HTML page titled \"Login\", not a feed");
    answers["/feed"] = answer(200, "");
    EXPECT_EQ(adds().error, "this is an empty body, not a feed");
    EXPECT_EQ(adds(0, "/nowhere").error, "404 Not Found");
    EXPECT_TRUE(Feeds(*connection).all().empty());
}

TEST_F(PollerTest, ALoginPageInsteadOfTheFeedIsAFailureAndNotTheEndOfItsStories) {
    publishes({{"1", "First"}}, "ETag: \"1\"\r\n");
    adds();
    answers["/feed"] = answer(200, "<html><head><title>Login</title></head></html>", "ETag: \"login\"\r\n");
    EXPECT_EQ(polls().error, "this is an HTML page titled \"Login\", not a feed");
    EXPECT_EQ(feed().failures, 1);
    EXPECT_EQ(feed().etag, "\"1\"");
}

TEST_F(PollerTest, AGzipBombIsGivenUp) {
    http::ClientSettings settings = on_loopback();
    settings.body = 500'000;
    http::Client small(curl, settings);
    Poller careful(context.get_executor(), *database, small, clock);
    std::ifstream file(std::string(POSTRIDER_SOURCE) + "/tests/http/zeros.gz", std::ios::binary);
    std::ostringstream bytes;
    bytes << file.rdbuf();
    answers["/feed"] = answer(200, bytes.str(), "Content-Encoding: gzip\r\n");
    NewFeed feed{server.url("/feed"), daily, std::nullopt, 0};
    auto report = run(context, careful.add(feed));
    EXPECT_NE(report.error.find("larger than 500000 bytes"), std::string::npos) << report.error;
}

TEST_F(PollerTest, AFeedOfAHundredThousandItemsIsBoundedAndStoredInPieces) {
    std::string text = "<rss version='2.0'><channel><title>Flood</title>";
    for (int i = 0; i < 100'000; ++i)
        text += fmt::format("<item><title>Item {0}</title><link>https://n.example/{0}</link></item>", i);
    text += "</channel></rss>";
    answers["/feed"] = answer(200, text);
    auto report = adds();
    EXPECT_EQ(report.error, "");
    EXPECT_EQ(report.items, 5'000u);
    EXPECT_EQ(report.left_out, 95'000u);
    EXPECT_EQ(report.remembered, 5'000u);
    EXPECT_EQ(report.new_stories, 0u);
}

TEST_F(PollerTest, AFeedThatIsNotThereIsSaidSo) { EXPECT_EQ(polls({7}).error, "there is no feed 7"); }

TEST_F(PollerTest, APausedFeedCanBePolledByHandAndStaysPaused) {
    publishes({});
    adds();
    Feeds(*connection).pause({1});
    publishes({{"1", "First"}});
    EXPECT_EQ(polls().new_stories, 1u);
    EXPECT_EQ(feed().state, FeedState::paused);
}

TEST_F(PollerTest, RunningPollsWhatIsDueOneAtATimePerHostAndThenIsIdle) {
    for (int i = 0; i < 5; ++i) {
        publishes({}, "ETag: \"1\"\r\n", fmt::format("/{}", i));
        Feeds(*connection).add(server.url(fmt::format("/{}", i)), daily, 30min, 0, clock.now());
    }
    bool ended = false;
    boost::asio::co_spawn(context, poller->run(), [&](std::exception_ptr failure) {
        EXPECT_FALSE(failure);
        ended = true;
    });
    turn_until([&] { return poller->idle(); });
    EXPECT_EQ(server.connections(), 5);
    clock.advance(20min);
    turn_until([&] { return poller->idle(); });
    EXPECT_EQ(server.connections(), 5);
    clock.advance(20min);
    turn_until([&] { return server.connections() == 10 && poller->idle(); });
    poller->stop();
    turn_until([&] { return ended; });
}

TEST_F(PollerTest, StoppingGivesUpAFetchAndARestartDoesNotAskAgainAtOnce) {
    bool asked = false;
    test::ScriptedServer silent(context, [&](test::Conversation& peer) -> boost::asio::awaitable<void> {
        co_await peer.read_until("\r\n\r\n");
        asked = true;
        co_await peer.wait_for_the_peer_to_leave();
    });
    Feeds(*connection).add("http://127.0.0.1:" + silent.port() + "/", daily, 30min, 0, clock.now());
    for (int i = 0; i < 3; ++i) {
        bool ended = false;
        boost::asio::co_spawn(context, poller->run(), [&](std::exception_ptr) { ended = true; });
        if (i == 0)
            turn_until([&] { return asked; });
        else
            turn_until([&] { return poller->idle(); });
        poller->stop();
        turn_until([&] { return ended; });
        starts();
    }
    EXPECT_EQ(silent.connections(), 1);
    clock.advance(5min);
    EXPECT_EQ(Feeds(*connection).due(clock.now(), 10).size(), 1u);
}

TEST_F(PollerTest, CommandsPollWithoutADaemon) {
    publishes({{"1", "First"}});
    std::atomic<bool> done = false;
    std::thread publisher([&] {
        while (!done) context.run_for(5ms), context.restart();
    });
    auto added = add_feed(database_url, {server.url("/feed"), daily, std::nullopt, 0}, on_loopback());
    auto polled = poll_now(database_url, added.feed.id, Force::no, on_loopback());
    std::vector<FeedId> several(20, added.feed.id);
    auto reports = poll_now(database_url, several, Force::no, on_loopback());
    auto fetched = fetch_feed(server.url("/feed"), on_loopback());
    auto refused = fetch_feed(server.url("/nowhere"), on_loopback());
    done = true;
    publisher.join();
    EXPECT_EQ(added.remembered, 1u);
    EXPECT_EQ(polled.error, "");
    EXPECT_EQ(reports.size(), 20u);
    EXPECT_EQ(std::ranges::count(reports, "", &PollReport::error), 20);
    ASSERT_TRUE(fetched);
    EXPECT_EQ(fetched->feed.items.size(), 1u);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error(), "404 Not Found");
}

}
