#include "delivery/letters.hpp"
#include "post_office.hpp"

namespace postrider::delivery {
namespace {

TEST_F(PostOffice, AnIssueThatCannotBeSentStopsNoOtherAndGoesOutOnceItIsMended) {
    auto weekly = add_list("weekly");
    joins("ada@example.org");
    joins("bob@example.org", weekly);
    auto broken = issue();
    auto message = connection->value<std::string>("SELECT message FROM mailing_message").value();
    connection->run("UPDATE mailing_message SET message = '{'");
    auto sound = issue(weekly);
    settles();
    balances(sound, 1);
    balances(broken, 0, MailingState::sending);
    ASSERT_EQ(dispatcher->broken().size(), 1u);
    EXPECT_NE(dispatcher->broken()[0].find(fmt::format("mailing {}", broken.number)), std::string::npos);

    connection->run("UPDATE mailing_message SET message = $2 WHERE mailing_id = $1", broken, message);
    passes(11s, 11s);
    balances(broken, 1);
    EXPECT_TRUE(dispatcher->broken().empty());
}

TEST_F(PostOffice, AnIssueWhoseLinkKeyIsGoneWaitsForTheKey) {
    joins("ada@example.org");
    auto id = issue();
    std::filesystem::rename(folder / "keys" / "links", folder / "kept");
    tokens.emplace(folder / "keys" / "links"); // others, and of these the first has the number of the old one
    connection->run("UPDATE mailing_message SET message = replace(message, '\"key\":1', '\"key\":2')");
    settles();
    ASSERT_EQ(dispatcher->broken().size(), 1u);
    EXPECT_NE(dispatcher->broken()[0].find("link key 2"), std::string::npos);
    subscribers::LinkTokens::rotate(folder / "keys" / "links");
    tokens->refresh();
    passes(11s, 11s);
    balances(id, 1);
}

TEST_F(PostOffice, ABrokenIssueThatIsCancelledIsNoTroubleAnyMore) {
    joins("ada@example.org");
    auto id = issue();
    connection->run("UPDATE mailing_message SET message = '{'");
    settles();
    ASSERT_EQ(dispatcher->broken().size(), 1u);
    ASSERT_TRUE(Mailings(*connection).cancel(id, clock.now()));
    passes(11s, 11s);
    EXPECT_TRUE(dispatcher->broken().empty());
}

TEST_F(PostOffice, OldLettersAreForgottenAndWaitingOnesAreNot) {
    Letters letters(*connection);
    auto write = [&](const std::string& address) {
        return letters.add(Purpose::confirmation, "news@courier.example", address, address, "Subject: hi\r\n\r\nhi\r\n",
                           clock.now(), 3 * 24h);
    };
    letters.finish(write("ada@example.org"), Outcome::accepted, 1, "", clock.now());
    write("bob@example.org");
    EXPECT_EQ(letters.purge(clock.now(), 500), 0) << "nothing is old yet";
    EXPECT_EQ(letters.purge(clock.now() + 1ms, 500), 1);
    EXPECT_EQ(connection->value<std::string>("SELECT address FROM letter"), "bob@example.org");
}

}
}
