#include "post_office.hpp"

namespace postrider::delivery {
namespace {

class TopicsOffice : public PostOffice {
protected:
    MailingId issue_by_topics(ListId where = {}) {
        auto message = a_message("{{#stories}}({{title}}){{/stories}}\n{{unsubscribe_url}}\n",
                                 {{"World", "Sport", "Culture"}, {0, 1, 0}});
        return Mailings(*connection).add(where.number ? where : list, message.to_text(), clock.now());
    }
    std::string mail_to(const std::string& address) {
        for (auto& mail : relay.messages())
            if (mail.to == address) {
                auto text = mail.bytes;
                for (std::size_t at; (at = text.find("=\r\n")) != text.npos;) text.erase(at, 3); // soft breaks
                return text;
            }
        return "";
    }
};

TEST_F(TopicsOffice, EachReaderGetsTheStoriesOfTheTopicsChosen) {
    joins("all@example.org");
    chooses(joins("world@example.org"), "World");
    chooses(joins("sport@example.org"), "Sport\nCulture");
    chooses(joins("gone@example.org"), "Gardening");
    auto id = issue_by_topics();
    settles();
    balances(id, 4);
    EXPECT_TRUE(mail_to("all@example.org").contains("(World)(Sport)(World)"));
    EXPECT_TRUE(mail_to("gone@example.org").contains("(World)(Sport)(World)")) << "the topic is no more";
    EXPECT_TRUE(mail_to("world@example.org").contains("(World)(World)"));
    EXPECT_TRUE(mail_to("sport@example.org").contains("\r\n(Sport)\r\n"));
}

TEST_F(TopicsOffice, AReaderLeftWithoutAStoryIsSuppressedWithThatReason) {
    join(3);
    chooses(joins("culture@example.org"), "Culture");
    auto id = issue_by_topics();
    settles();
    balances(id, 3);
    auto account = balance(id);
    EXPECT_EQ(account.suppressed, 1);
    ASSERT_EQ(account.suppressions.size(), 1u);
    EXPECT_EQ(account.suppressions[0].reason, no_story);
    EXPECT_EQ(account.suppressions[0].count, 1);
    EXPECT_EQ(relay.tries_for("culture@example.org"), 0);
}

TEST_F(TopicsOffice, AChoiceMadeBetweenTwoTriesCountsForTheSecond) {
    auto ada = joins("ada@example.org");
    relay.answers(test::Stage::rcpt, "451 4.3.0 later");
    auto id = issue_by_topics();
    settles();
    chooses(ada, "Culture");
    relay.accepts_everything();
    passes(1h, 10min);
    EXPECT_EQ(relay.tries_for("ada@example.org"), 1);
    EXPECT_EQ(balance(id).suppressed, 1);
    balances(id, 0);
}

TEST_F(TopicsOffice, AReaderWhoPausedGetsNothingUntilThePauseEndsByItself) {
    join(2);
    auto ada = joins("ada@example.org");
    connection->run(
        "UPDATE subscriber SET paused_until = $2 WHERE id = (SELECT subscriber_id FROM subscription WHERE id = $1)",
        ada, clock.now() + 7 * 24h);
    auto id = issue();
    settles();
    balances(id, 2);
    ASSERT_EQ(balance(id).suppressions.size(), 1u);
    EXPECT_EQ(balance(id).suppressions[0].reason, paused_by_reader);
    passes(7 * 24h, 24h);
    auto later = issue();
    settles();
    balances(later, 3);
    EXPECT_EQ(relay.messages_for("ada@example.org"), 1);
}

TEST_F(TopicsOffice, AnyNumberOfReadersWithoutAStoryAreEachSuppressedOnce) {
    for (int count : {7, 8, 9, 16, 43}) {
        auto where = add_list(fmt::format("list-{}", count));
        for (int i = 0; i < count; ++i) {
            chooses(joins(fmt::format("culture{}@example.org", i), where), "Culture");
            if (i % 5 == 0) joins(fmt::format("all{}@example.org", i), where);
        }
        auto id = issue_by_topics(where);
        settles();
        balances(id, (count + 4) / 5);
        auto account = balance(id);
        EXPECT_EQ(account.suppressed, count);
        ASSERT_EQ(account.suppressions.size(), 1u);
        EXPECT_EQ(account.suppressions[0].reason, no_story);
        EXPECT_EQ(account.attempts, account.accepted) << "nobody tried to reach the others";
    }
}

TEST_F(TopicsOffice, OneTransactionDoesNotGoThroughAllWhoGetNothing) {
    connection->run(R"sql(
        WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 40000)
        INSERT INTO subscription (list_id, activated_at, topics) SELECT $1, $2, 'Culture' FROM n)sql",
                    list, clock.now());
    connection->run(R"sql(
        INSERT INTO subscriber (id, address, address_key, created_at)
        SELECT id, id || '@example.org', id || '@example.org', $1 FROM subscription)sql",
                    clock.now());
    connection->run("UPDATE subscription SET subscriber_id = id");
    connection->run("UPDATE list_counter SET active = 40000");
    auto id = issue_by_topics();
    Intake intake(settings, *tokens, "test");
    Group group;
    group.wanted = 10;
    intake.exchange(*connection, group, clock.now());
    EXPECT_TRUE(group.more);
    EXPECT_GT(balance(id).suppressed, 0);
    EXPECT_LT(balance(id).suppressed, 40000);
    for (int i = 0; i < 10 && group.more; ++i) intake.exchange(*connection, group, clock.now());
    EXPECT_EQ(balance(id).suppressed, 40000);
    balances(id, 0);
}

TEST_F(TopicsOffice, ReadersNeverReachedExpireAndThoseWithoutAStoryAreSuppressed) {
    joins("ada@example.org");
    chooses(joins("culture@example.org"), "Culture");
    relay.stops_listening();
    auto id = issue_by_topics();
    passes(37h, 30min);
    EXPECT_EQ(balance(id).expired, 1);
    EXPECT_EQ(balance(id).suppressed, 1);
    balances(id, 0);
}

}
}
