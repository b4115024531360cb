#include "cli/command_line.hpp"
#include "storage/connection.hpp"

// Stories, feeds and issues, without a daemon.

namespace postrider::cli {
namespace {

struct AnIssue : ASite {
    AnIssue() {
        reader("ada@reader.example");
        story("The ship came in", "https://courier.example/ship");
    }
    json::value only_issue() const { return data({"issue", "ls", "--list", "daily"}).at(0); }
};

}

TEST_F(AnIssue, EachStoryHasAReason) {
    must({"story", "add", "--title", "Old", "--url", "https://courier.example/old", "--list", "daily"});
    must({"story", "hold", "2"});
    auto rows = data({"issue", "explain", "daily"}).as_array();
    ASSERT_EQ(rows.size(), 2u);
    for (auto& row : rows) expect_keys(row, {"story", "title", "in", "why"});
    EXPECT_EQ(std::ranges::count_if(rows, [](auto& row) { return row.at("in").as_bool(); }), 1);
    must({"story", "release", "2"});
    EXPECT_EQ(data({"story", "show", "2"}).at("state"), "new");
    must({"story", "hide", "2"});
    auto stories = data({"story", "ls", "--list", "daily"}).as_array();
    for (auto& row : stories) expect_keys(row, {"id", "title", "url", "state"});
    expect_refused(on_site({"story", "show", "99"}), 1, "99");
}

TEST_F(AnIssue, ADraftWithASlotIsShownByStatusUntilItIsMade) {
    must({"issue", "draft", "daily"});
    EXPECT_EQ(must({"status"}).out.find("is draft"), std::string::npos) << "made by hand, it waits for nothing";
    {
        storage::Connection database("sqlite:" + (site() / "postrider.db").string());
        database.run("UPDATE issue SET slot = $1", std::int64_t(4102444800000)); // in 2100
    }
    auto shown = must({"status"}).out;
    EXPECT_NE(shown.find("waits for its slot, 2100-01-01"), shown.npos) << shown;
    {
        storage::Connection database("sqlite:" + (site() / "postrider.db").string());
        database.run("UPDATE issue SET slot = $1", std::int64_t(1));
    }
    shown = must({"status"}).out;
    EXPECT_NE(shown.find("overdue since 1970-01-01"), shown.npos) << shown;
}

TEST_F(AnIssue, SendingTwiceNamesTheOneThatIsUnderWay) {
    must({"issue", "send", "daily"});
    auto again = must({"issue", "send", "daily"});
    EXPECT_NE(again.out.find("nothing to send"), again.out.npos) << again.out;
    EXPECT_NE(again.out.find("issue 1 (daily/1) is scheduled"), again.out.npos) << again.out;
}

TEST_F(AnIssue, APictureOfAStoryIsAnAddressOfTheWeb) {
    std::vector<std::string> words = {"story",  "add",   "--title", "Ship", "--url", "https://courier.example/ship",
                                      "--list", "daily", "--image", ""};
    for (auto* bad : {"javascript:1", "data:image/png;base64,AAAA", "/ship.png", "ship.png"}) {
        words.back() = bad;
        expect_refused(on_site(words), 2, "is no address of a picture");
    }
    words.back() = "https://courier.example/ship.png";
    EXPECT_EQ(must(words).err, "");
    words.back() = "http://courier.example/ship.png";
    EXPECT_TRUE(must(words).err.contains("is not shown in mails"));
}

TEST_F(AnIssue, TheSameAddressIsOneStory) {
    auto again = data({"story", "add", "--title", "It came", "--url", "https://COURIER.example/ship?utm_source=x",
                       "--list", "daily"});
    EXPECT_EQ(again.at("new"), false);
    EXPECT_EQ(again.at("id"), 1);
    expect_refused(on_site({"story", "add", "--title", "X", "--list", "daily"}), 2, "--url");
    expect_refused(on_site({"story", "add", "--list", "daily"}), 2, "--title");
    expect_refused(on_site({"story", "add", "--title", "X", "--url", "ftp://x", "--list", "daily"}), 1, "ftp://x");
}

TEST_F(AnIssue, SendWithoutADaemonSchedulesAndNamesServe) {
    auto done = must({"issue", "send", "daily"});
    EXPECT_NE(done.out.find("`postrider serve`"), std::string::npos) << done.out;
    EXPECT_NE(done.out.find("serve --once"), std::string::npos) << done.out;
    auto issue = only_issue();
    expect_keys(issue, {"issue", "number", "list", "status"});
    EXPECT_EQ(issue.at("status"), "scheduled");
    EXPECT_EQ(issue.at("number"), 1);
}

TEST_F(AnIssue, SendWithWaitAndWithoutADaemonMakesNothing) {
    expect_refused(on_site({"issue", "send", "daily", "--wait"}), 1, "serve");
    EXPECT_EQ(data({"issue", "ls"}), json::array());
}

TEST_F(AnIssue, FollowingWithoutADaemonFailsAtOnceAndNamesServe) {
    must({"issue", "draft", "daily"});
    expect_refused(on_site({"issue", "report", "1", "--follow"}), 1, "is draft; there is nothing to follow");
    must({"issue", "send", "1"});
    expect_refused(on_site({"issue", "report", "1", "--follow"}), 1, "no daemon serves this site");
    must({"issue", "cancel", "1"});
    auto done = on_site({"issue", "report", "1", "--follow"});
    EXPECT_EQ(done.status, 1) << "what is cancelled was not sent";
    EXPECT_EQ(done.err, "") << "what is over needs no daemon";
    EXPECT_TRUE(done.says("issue 1 (daily/1): cancelled")) << done.out;
}

TEST_F(AnIssue, AReportHasReasonsAndAHistogramForEachRelay) {
    must({"issue", "send", "daily"});
    storage::Connection database("sqlite:" + (site() / "postrider.db").string());
    database.run("UPDATE mailing SET state = 'sending', started_at = 1, ceiling = 99, planned = 40");
    database.run("INSERT INTO slice (mailing_id, first_id, last_id) VALUES (1, 1, 99)");
    for (int i = 1; i <= 26; ++i)
        database.run(
            "INSERT INTO delivery (mailing_id, subscription_id, state, at, reason) VALUES (1, $1, 'refused', 1, $2)", i,
            "550 5.1.1 nobody " + std::to_string(i <= 2 ? 1 : (i + 1) / 2));
    database.run("INSERT INTO delivery (mailing_id, subscription_id, state, at, next_try_at, reason) VALUES "
                 "(1, 30, 'deferred', 1, 4070908800000, '451 4.7.1 Greylisted')");
    database.run("INSERT INTO delivery (mailing_id, subscription_id, state, at) VALUES (1, 31, 'accepted', 5)");
    database.run("INSERT INTO answer_times VALUES (1, 'main', 0, 20, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0)");
    auto text = must({"issue", "report", "1"}).out;
    for (auto* words :
         {"12 not tried yet, 1 to be tried again, the first at 2099-01-01 00:00 UTC",
          "         2  550 5.1.1 nobody 1\n", "         6  for 3 other reasons\n", "         1  451 4.7.1 Greylisted\n",
          "answers of the relay main: 21, half of them within 20ms", "within 50ms", "within 100ms  ##  "})
        EXPECT_NE(text.find(words), std::string::npos) << words << " is missing in\n" << text;
    EXPECT_EQ(text.find("within 10ms"), std::string::npos) << "nothing before the first answer";
    EXPECT_EQ(text.find("within 200ms"), std::string::npos) << "nothing after the last";
    auto report = data({"issue", "report", "1"});
    expect_keys(report, {"remaining", "next_try_at", "other_refusals", "deferrals", "other_deferrals", "answer_times"});
    EXPECT_EQ(report.at("refusals").as_array().size(), 13u);
    EXPECT_EQ(report.at("remaining"), 13);
    auto buckets = report.at("answer_times").at(0).at("buckets").as_array();
    EXPECT_EQ(buckets.at(1), (json::object{{"up_to_ms", 20}, {"count", 20}}));
    EXPECT_TRUE(buckets.back().at("up_to_ms").is_null());
}

TEST_F(AnIssue, SendWithNothingToSendSaysWhy) {
    must({"issue", "send", "daily"});
    auto done = must({"issue", "send", "daily"});
    EXPECT_TRUE(done.says("nothing to send: "));
    EXPECT_EQ(data({"issue", "ls"}).as_array().size(), 1u);
}

TEST_F(AnIssue, AReportHasEveryNumberBeforeTheFirstMailToo) {
    must({"issue", "send", "daily"});
    for (auto name : {"1", "daily/1"}) {
        auto report = data({"issue", "report", name});
        expect_keys(report,
                    {"issue", "list", "status", "planned", "accepted", "refused", "suppressed", "expired", "unknown",
                     "deferred", "pending", "balanced", "first_sent_at", "last_sent_at", "attempts", "refusals"});
        EXPECT_EQ(report.at("balanced"), true);
        EXPECT_TRUE(report.at("first_sent_at").is_null());
    }
    auto verified = must({"issue", "verify", "1"});
    EXPECT_EQ(verified.err, "");
    EXPECT_EQ(std::ranges::count(verified.out, '\n'), 1);
    expect_refused(on_site({"issue", "report", "daily/9"}), 1, "daily/9");
    expect_refused(on_site({"issue", "report", "x"}), 2, "LIST/NUMBER");
}

TEST_F(AnIssue, ADraftStopsThereUntilItIsSent) {
    must({"issue", "draft", "daily"});
    EXPECT_EQ(only_issue().at("status"), "draft");
    EXPECT_TRUE(only_issue().at("number").is_null());
    expect_refused(on_site({"issue", "pause", "1"}), 1, "draft");
    expect_refused(on_site({"issue", "approve", "1"}), 1, "issue send 1");
    must({"issue", "send", "1"});
    EXPECT_EQ(only_issue().at("status"), "scheduled");
    expect_refused(on_site({"issue", "send", "1"}), 1, "scheduled");
}

TEST_F(AnIssue, WhereAPersonMustApproveAnIssueIsHeldUntilThen) {
    must({"list", "edit", "daily", "--approval", "yes"});
    EXPECT_TRUE(must({"issue", "send", "daily"}).says("issue approve 1"));
    EXPECT_EQ(only_issue().at("status"), "held");
    must({"issue", "approve", "1"});
    EXPECT_EQ(only_issue().at("status"), "scheduled");
}

TEST_F(AnIssue, CancelledBeforeItsFirstMessageAnIssueFreesItsStories) {
    must({"issue", "send", "daily"});
    must({"issue", "cancel", "1"});
    EXPECT_EQ(only_issue().at("status"), "cancelled");
    EXPECT_EQ(data({"issue", "explain", "daily"}).at(0).at("in"), true);
    expect_refused(on_site({"issue", "cancel", "1"}), 1, "cancelled");
}

TEST_F(AnIssue, APreviewIsTheReadersOwnAndItsEmlTheExactMessage) {
    EXPECT_TRUE(must({"issue", "preview", "daily", "--to", "ada@reader.example"}).says("ada@reader.example"));
    EXPECT_TRUE(must({"issue", "preview", "daily", "--html"}).says("<html"));
    auto path = (folder / "next.eml").string();
    must({"issue", "preview", "daily", "--eml", "--output", path});
    auto eml = read(path);
    EXPECT_NE(eml.find("\r\nList-Unsubscribe-Post: "), std::string::npos);
    EXPECT_EQ(eml.find("\n."), std::string::npos);
    for (std::size_t at = eml.find('\n'); at != eml.npos; at = eml.find('\n', at + 1)) ASSERT_EQ(eml[at - 1], '\r');
    EXPECT_EQ(data({"issue", "ls"}), json::array()) << "a preview makes nothing";
    expect_refused(on_site({"issue", "preview", "daily", "--eml", "--html"}), 2, "one of");
}

TEST_F(AnIssue, WithNoEligibleStoryAPreviewShowsTheNewestAndSaysSo) {
    must({"story", "hold", "1"});
    story("Another", "https://courier.example/another");
    must({"issue", "send", "daily"});
    auto done = on_site({"issue", "preview", "daily"});
    EXPECT_EQ(done.status, 0) << done.err;
    EXPECT_EQ(done.error_lines(), 1);
    EXPECT_NE(done.err.find("example"), std::string::npos) << done.err;
    EXPECT_NE(done.out.find("Another"), std::string::npos) << done.out;
}

TEST_F(AnIssue, ATestMailIsMarkedAndCountsForNothing) {
    must({"issue", "send", "daily", "--test", "editor@courier.example"});
    must({"issue", "send", "daily"});
    must({"issue", "send", "1", "--test", "editor@courier.example"});
    storage::Connection database("sqlite:" + (site() / "postrider.db").string());
    auto letters = database.all("SELECT message FROM letter ORDER BY id",
                                [](const storage::Row& row) { return row.get<std::string>(0); });
    ASSERT_EQ(letters.size(), 2u);
    for (auto& letter : letters) {
        auto at = letter.find("\r\nSubject: [Test] ");
        EXPECT_NE(at, std::string::npos) << letter.substr(0, 600);
        EXPECT_EQ(letter.find("[Test]", at + 20), std::string::npos);
    }
    EXPECT_EQ(data({"issue", "report", "1"}).at("accepted"), 0);
}

TEST_F(AnIssue, FeedsAreKeptAndSteeredByTheirNumber) {
    expect_refused(on_site({"feed", "add", "not a url", "--list", "daily"}), 1, "not a url");
    expect_refused(on_site({"feed", "poll"}), 2, "--all");
    expect_refused(on_site({"feed", "pause", "7"}), 1, "feed ls");
    expect_refused(on_site({"feed", "pause", "x"}), 2, "x");
    EXPECT_EQ(data({"feed", "ls"}), json::array());
    EXPECT_EQ(must({"feed", "poll", "--all"}).status, 0);
}

}
