#include "newsroom.hpp"

namespace postrider {
namespace {

using test::Stage;

TEST(StoryToInbox, ANewStoryOfAFeedIsInTheNextScheduledDigest) {
    Newsroom room("2026-11-24T05:00:00Z");
    room.publishes("An old story", "https://courier.example/old");
    room.adds_the_feed();
    room.sets_the_schedule("every day at 07:00", "Europe/Berlin");
    room.reader("ada@example.org").is_active();
    room.publishes("A new story", "https://courier.example/new");
    room.passes(50min);
    EXPECT_EQ(room.reader("ada@example.org").mails(), 0) << "07:00 in Berlin is 06:00 UTC";
    room.passes(15min);
    ASSERT_EQ(room.reader("ada@example.org").mails(), 1);
    auto mail = room.newest_mail_to("ada@example.org");
    EXPECT_NE(mail.find("A new story"), mail.npos);
    EXPECT_EQ(mail.find("An old story"), mail.npos) << "what was there before the feed is remembered and not sent";
}

TEST(StoryToInbox, ADayWithoutStoriesIsSkippedWithItsReason) {
    Newsroom room("2026-11-24T05:00:00Z");
    room.sets_the_schedule("every day at 07:00", "Europe/Berlin");
    room.reader("ada@example.org").is_active();
    room.passes(90min, 10min);
    ASSERT_EQ(room.issues().size(), 1u);
    EXPECT_EQ(to_text(room.issues()[0].state), "skipped");
    EXPECT_EQ(room.reader("ada@example.org").mails(), 0) << "never empty";
}

TEST(StoryToInbox, AScheduledIssueComesAtEachReadersOwnHour) {
    Newsroom room("2026-11-24T05:00:00Z");
    room.adds_the_feed();
    room.list().local_hour = true;
    room.sets_the_schedule("every day at 07:00", "Europe/Berlin");
    for (auto [name, zone] : {std::pair{"ada", ""}, {"lon", "Europe/London"}, {"nyc", "America/New_York"}}) {
        room.reader(fmt::format("{}@example.org", name)).is_active();
        room.database().run("UPDATE subscriber SET timezone = $1 WHERE address = $2", std::string(zone),
                            fmt::format("{}@example.org", name));
    }
    room.publishes("News", "https://courier.example/1");
    auto mails = [&] {
        return fmt::format("{}{}{}", room.reader("ada@example.org").mails(), room.reader("lon@example.org").mails(),
                           room.reader("nyc@example.org").mails());
    };
    room.passes(65min, 5min);
    EXPECT_EQ(mails(), "100") << "06:05 UTC";
    room.passes(1h, 5min);
    EXPECT_EQ(mails(), "110");
    room.closes();
    room.clock().advance(3h);
    room.opens();
    EXPECT_EQ(mails(), "110") << "10:05 UTC";
    room.passes(2h, 5min);
    EXPECT_EQ(mails(), "111");
    ASSERT_EQ(room.issues().size(), 1u);
    EXPECT_EQ(to_text(room.issues()[0].state), "sent");
}

TEST(StoryToInbox, AStoryIsNeverSentTwiceAndNeverLost) {
    Newsroom room("2026-11-24T03:00:00Z");
    room.adds_the_feed();
    room.sets_the_schedule("every day at 07:00", "Europe/Berlin");
    room.reader("ada@example.org").is_active();
    for (int day = 1; day <= 3; ++day) {
        room.publishes(fmt::format("Story of day {}", day), fmt::format("https://courier.example/{}", day));
        room.passes(24h, 30min);
    }
    EXPECT_EQ(room.reader("ada@example.org").mails(), 3);
    int seen = 0;
    for (auto& mail : room.relay().messages())
        for (int day = 1; day <= 3; ++day)
            if (mail.bytes.find(fmt::format("Story of day {}<", day)) != mail.bytes.npos) ++seen;
    EXPECT_EQ(seen, 3) << "each story in one digest";
}

TEST(Watchdog, TheOperatorHearsOfAFeedThatFailsOnceAndOnceWhenItIsWell) {
    Newsroom room("2026-11-24T05:00:00Z", "", "operator = \"desk@courier.example\"\nlanguage = \"de\"");
    room.publishes("An old story", "https://courier.example/old");
    room.adds_the_feed();
    auto desk = room.reader("desk@courier.example");
    room.is_down(true);
    room.passes(10h, 10min);
    ASSERT_EQ(desk.mails(), 1);
    EXPECT_TRUE(room.newest_mail_to("desk@courier.example").contains("bitte einmal nachsehen"));
    EXPECT_EQ(room.get("/health"), 200);
    EXPECT_TRUE(room.page().contains("cannot be read since")) << room.page();
    room.closes();
    room.opens();
    room.passes(2h, 10min);
    EXPECT_EQ(desk.mails(), 1) << "a restart repeats nothing";
    room.is_down(false);
    room.passes(24h, 10min);
    EXPECT_EQ(desk.mails(), 2);
    EXPECT_TRUE(room.newest_mail_to("desk@courier.example").contains("wieder in Ordnung"));
}

TEST(StoryToInbox, ADaemonThatWasDownOverThreeSlotsMakesOneIssue) {
    Newsroom room("2026-11-24T03:00:00Z");
    room.adds_the_feed();
    room.sets_the_schedule("every day at 07:00", "Europe/Berlin");
    room.reader("ada@example.org").is_active();
    room.publishes("News", "https://courier.example/1");
    room.passes(3h + 5min, 30min);
    EXPECT_EQ(room.reader("ada@example.org").mails(), 1);
    room.publishes("More news", "https://courier.example/2");
    room.passes(90min, 30min);
    room.closes();
    room.clock().advance(72h);
    room.opens();
    EXPECT_EQ(room.reader("ada@example.org").mails(), 2);
    EXPECT_EQ(room.issues().size(), 4u) << "one sent, two skipped, one caught up";
}

TEST(StoryToInbox, AClockSetBackTwoHoursRepeatsNothing) {
    Newsroom room("2026-11-24T03:00:00Z");
    room.adds_the_feed();
    room.sets_the_schedule("every day at 07:00", "Europe/Berlin");
    room.reader("ada@example.org").is_active();
    room.publishes("News", "https://courier.example/1");
    room.passes(3h + 5min, 30min);
    EXPECT_EQ(room.reader("ada@example.org").mails(), 1);
    room.clock().set(room.clock().now() - 2h);
    room.publishes("More news", "https://courier.example/2");
    room.passes(4h, 30min);
    EXPECT_EQ(room.reader("ada@example.org").mails(), 1) << "today's slot was used";
    EXPECT_EQ(room.issues().size(), 1u);
    room.passes(22h, 60min);
    EXPECT_EQ(room.reader("ada@example.org").mails(), 2) << "and nothing is lost: tomorrow's slot has the news";
}

TEST(StoryToInbox, AClockThatWasAMonthAheadAndIsSetBackLosesNoSlot) {
    Newsroom room("2026-11-24T05:00:00Z");
    room.adds_the_feed();
    room.sets_the_schedule("every day at 07:00", "Europe/Berlin");
    auto ada = room.reader("ada@example.org").is_active();
    room.publishes("News", "https://courier.example/1");
    room.passes(70min, 10min);
    EXPECT_EQ(ada.mails(), 1);
    room.clock().advance(30 * 24h);
    room.publishes("More news", "https://courier.example/2");
    room.passes(24h, 60min);
    const auto wrong = ada.mails();
    EXPECT_EQ(wrong, 2);
    room.clock().set(room.clock().now() - 31 * 24h);
    room.publishes("The latest", "https://courier.example/3");
    room.passes(24h, 60min);
    EXPECT_EQ(ada.mails(), wrong + 1) << "tomorrow's slot is used, though it was once recorded as missed";
    room.passes(24h, 60min);
    EXPECT_EQ(ada.mails(), wrong + 1) << "and nothing is repeated";
}

TEST(VisitorToSubscriber, AReaderJoinsConfirmsReadsAndLeaves) {
    Newsroom room;
    auto ada = room.reader("ada@example.org");
    ada.joins();
    EXPECT_EQ(ada.mails(), 1);
    room.adds_the_feed();
    room.publishes("News", "https://courier.example/1");
    room.passes(40min, 10min);
    room.sends_an_issue();
    EXPECT_EQ(ada.mails(), 1) << "nothing but the confirmation is sent to somebody who has not confirmed";
    ada.confirms();
    room.publishes("More news", "https://courier.example/2");
    room.passes(40min, 10min);
    room.sends_an_issue();
    EXPECT_EQ(ada.mails(), 2);
    ada.leaves();
    room.publishes("Even more news", "https://courier.example/3");
    room.passes(40min, 10min);
    room.sends_an_issue();
    EXPECT_EQ(ada.mails(), 2);
}

TEST(VisitorToSubscriber, AReaderWhoLeavesBetweenTwoTriesGetsNoSecondTry) {
    Newsroom room;
    auto ada = room.reader("ada@example.org");
    ada.joins().confirms();
    room.adds_the_feed();
    room.publishes("News", "https://courier.example/1");
    room.passes(40min, 10min);
    auto first = room.sends_an_issue();
    ASSERT_TRUE(first);
    EXPECT_EQ(ada.mails(), 2);
    room.relay().answers(Stage::rcpt, "451 4.3.0 later");
    room.publishes("More", "https://courier.example/2");
    room.passes(40min, 10min);
    auto second = room.sends_an_issue();
    ASSERT_TRUE(second);
    ada.leaves();
    room.relay().accepts_everything();
    room.passes(1h, 5min);
    EXPECT_EQ(ada.mails(), 2);
    EXPECT_EQ(room.balance(*second).suppressed, 1);
    EXPECT_TRUE(room.balance(*second).balanced());
}

TEST(VisitorToSubscriber, OpeningALinkChangesNothing) {
    Newsroom room;
    auto ada = room.reader("ada@example.org");
    ada.joins();
    auto confirm = room.path_in(room.newest_mail_to("ada@example.org"), "/confirm/");
    for (int i = 0; i < 3; ++i) EXPECT_EQ(room.get(confirm), 200);
    EXPECT_EQ(subscribers::Lists(room.database()).active_count(room.list().id), 0);
    EXPECT_EQ(room.post(confirm, ""), 200);
    EXPECT_EQ(room.post(confirm, ""), 200) << "also the second time";
    EXPECT_EQ(subscribers::Lists(room.database()).active_count(room.list().id), 1);
}

TEST(VisitorToSubscriber, AFloodOfUnconfirmedSignUpsIsGoneAfterTwoWeeksWithItsLetters) {
    Newsroom room;
    room.database().run(R"sql(
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)
        INSERT INTO letter (purpose, sender, address, address_key, message, state, created_at, next_try_at, expires_at, finished_at)
        SELECT 'confirmation', 'a@courier.example', 'x' || i || '@example.org', 'x' || i, '', 'accepted', $1, $1, $1, $1 FROM n)sql",
                        room.clock().now());
    auto left = [&] { return room.database().value<int>("SELECT count(*) FROM letter").value(); };
    room.passes(24h, 12h);
    EXPECT_EQ(left(), 2000);
    room.clock().advance(14 * 24h);
    room.passes(10s, 1s);
    EXPECT_EQ(left(), 0);
}

TEST(VisitorToSubscriber, AConfirmationSurvivesARelayThatIsDown) {
    Newsroom room;
    room.relay().answers(Stage::mail, "421 4.3.2 shutting down");
    auto ada = room.reader("ada@example.org");
    ada.joins();
    EXPECT_EQ(ada.mails(), 0);
    room.closes();
    room.relay().accepts_everything();
    room.opens();
    room.passes(30min, 1min);
    EXPECT_EQ(ada.mails(), 1);
}

}
}
