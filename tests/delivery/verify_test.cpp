#include "post_office.hpp"

#include <algorithm>

namespace postrider::delivery {
namespace {

// A sent issue, sound in every way: two slices, one reader refused, one who had left before, one who joined later, one of another list.
class SentIssue : public PostOffice {
protected:
    SentIssue() {
        join(2100);
        gone = joins("gone@example.org");
        leaves(gone);
        last = joins("last@example.org");
        stranger = joins("stranger@example.org", add_list("weekly"));
        relay.answers_for("reader7@example.org", test::Stage::rcpt, "550 5.1.1 no such user");
        clock.advance(1min);
        id = issue();
        settles();
        late = joins("late@example.org");
        connection->script("PRAGMA foreign_keys=OFF"); // what is planted here, no command could write
    }

    std::vector<std::string> all_contradictions() {
        auto found = Mailings(*connection).contradictions(id);
        std::ranges::move(subscribers::counter_contradictions(*connection, list), std::back_inserter(found));
        return found;
    }
    // Plants, looks, and takes it out again.
    void finds(const std::string& words, const std::string& planted) {
        storage::Transaction transaction(*connection);
        connection->script(planted);
        auto found = all_contradictions();
        EXPECT_TRUE(std::ranges::find(found, words) != found.end())
            << planted << "\nis not said to be \"" << words << "\", but: " << testing::PrintToString(found);
    }
    void finds_an_outcome_of(const std::string& whom, SubscriptionId reader) {
        finds(
            "outcomes of " + whom + ": 1",
            fmt::format("INSERT INTO delivery (mailing_id, subscription_id, state, at) VALUES ({}, {}, 'accepted', 0)",
                        id.number, reader.number));
    }

    SubscriptionId gone, last, stranger, late;
    MailingId id;
};

TEST_F(SentIssue, IsSoundAndItsRowsAddUpToItsReport) {
    EXPECT_EQ(all_contradictions(), std::vector<std::string>());
    auto counted = Mailings(*connection).recount(id);
    EXPECT_EQ(counted.planned, 2101);
    EXPECT_EQ(counted.accepted, 2100);
    EXPECT_EQ(counted.refused, 1);
    EXPECT_EQ(connection->value<int>("SELECT count(*) FROM slice"), 2);
}

TEST_F(SentIssue, WithAnOutcomeOfSomebodyOutsideItsAudienceIsFound) {
    finds_an_outcome_of("nobody", SubscriptionId{99999});
    finds_an_outcome_of("another list's readers", stranger);
    finds_an_outcome_of("readers who joined after it began", late);
    finds_an_outcome_of("readers who had left before it began", gone);
    finds("planned for 2101, and there are 2102 outcomes",
          "INSERT INTO delivery (mailing_id, subscription_id, state, at) VALUES (1, 99999, 'expired', 0)");
    finds("outcomes outside every slice: 1",
          "INSERT INTO delivery (mailing_id, subscription_id, state, at) VALUES (1, 99999, 'expired', 0)");
}

TEST_F(SentIssue, WithoutSomebodysOutcomeIsFound) {
    auto planted = "DELETE FROM delivery WHERE subscription_id = 5";
    finds("it is sent, and readers have no outcome: 1", planted);
    finds("readers of finished slices who have no outcome: 1", planted);
    finds("sent, and of 2101 planned readers 2100 have a final outcome", planted);
    finds("readers of finished slices who have no outcome: 1",
          "DELETE FROM delivery WHERE subscription_id = 5; UPDATE mailing SET state = 'sending', finished_at = NULL");
}

TEST_F(SentIssue, WithAnOutcomeThatContradictsItselfIsFound) {
    auto time = "outcomes that are deferred without a time, or final with one: 1";
    finds(time, "UPDATE delivery SET next_try_at = 1 WHERE subscription_id = 5");
    finds(time, "UPDATE delivery SET state = 'deferred' WHERE subscription_id = 5");
    finds("it is sent, and readers wait for another try: 1",
          "UPDATE delivery SET state = 'deferred', next_try_at = 1 WHERE subscription_id = 5");
    finds("mails accepted without a try: 1", "UPDATE delivery SET tries = 0 WHERE subscription_id = 5");
    auto unknown = "outcomes expired though a try may have arrived, or unknown though none may: 1";
    finds(unknown, "UPDATE delivery SET state = 'unknown' WHERE subscription_id = 5");
    finds(unknown, "UPDATE delivery SET state = 'expired', was_unknown = 1 WHERE subscription_id = 5");
}

TEST_F(SentIssue, WithSlicesThatDoNotCoverItOnceIsFound) {
    finds("slices that overlap the one before: 1", "UPDATE slice SET last_id = last_id + 1 WHERE first_id = 1");
    finds("gaps between slices: 1", "UPDATE slice SET last_id = last_id - 1 WHERE first_id = 1");
    finds("gaps between slices: 1", "DELETE FROM slice WHERE first_id = 1");
    finds("gaps between slices: 1", "UPDATE slice SET first_id = 2 WHERE first_id = 1");
    finds("slices that end before they begin: 1", "UPDATE slice SET last_id = first_id - 1 WHERE first_id > 1");
    finds("slices that go beyond its highest reader: 1", "UPDATE slice SET last_id = last_id + 1 WHERE first_id > 1");
    finds("it is sent, and slices are unfinished: 1", "UPDATE slice SET finished_at = NULL WHERE first_id = 1");
    finds("finished slices that somebody still holds: 1", "UPDATE slice SET worker = 'me' WHERE first_id = 1");
}

TEST_F(SentIssue, WhoseStateContradictsTheRestIsFound) {
    auto times = "its state and the times of its beginning and end do not fit together";
    finds(times, "UPDATE mailing SET finished_at = NULL");
    finds(times, "UPDATE mailing SET state = 'sending'");
    finds(times, "UPDATE mailing SET state = 'scheduled'");
    finds(times, "UPDATE mailing SET started_at = NULL");
    auto missing = "of the beginning, the highest reader and the planned number one is missing, or there too early";
    finds(missing, "UPDATE mailing SET ceiling = NULL");
    finds(missing, "UPDATE mailing SET planned = NULL");
    auto anew =
        "UPDATE mailing SET state = 'scheduled', started_at = NULL, finished_at = NULL, ceiling = NULL, planned = NULL";
    finds("slices although it never began: 2", anew);
    finds("outcomes although it never began: 2101", anew);
    finds("its message is missing", "DELETE FROM mailing_message");
    finds("another mailing of its list is under way too",
          "UPDATE mailing SET state = 'sending', finished_at = NULL;"
          "INSERT INTO mailing (list_id, state, created_at, started_at, ceiling, planned) VALUES (1, 'paused', 0, 0, "
          "0, 0)");
}

TEST_F(SentIssue, WhoseNumbersWereChangedIsFound) {
    finds("planned for 2100, and its audience has 2101", "UPDATE mailing SET planned = 2100");
    finds("planned for 2100, and there are 2101 outcomes", "UPDATE mailing SET planned = 2100");
    finds("sent, and of 2102 planned readers 2101 have a final outcome", "UPDATE mailing SET planned = 2102");
    finds("planned for 2101, and its audience has 2100",
          "UPDATE subscription SET left_at = 1 WHERE id = 5; UPDATE list_counter SET active = active - 1");
}

TEST_F(SentIssue, OfAListWhoseCounterDiffersFromItsReadersIsFound) {
    finds("the list counts 2103 active readers, and there are 2102", "UPDATE list_counter SET active = 2103");
    finds("the list counts 2102 active readers, and there are 2101", "DELETE FROM subscription WHERE id = 5");
    finds("the list has no counter", "DELETE FROM list_counter");
    finds("readers of the list left later than the last one it knows of", "UPDATE list_counter SET last_left_at = 0");
    finds("a mailing of the list began later than the last one it knows of",
          "UPDATE list_counter SET last_fixed_at = 0");
}

TEST_F(PostOffice, AnIssueIsSoundAtEveryMomentOfItsLife) {
    join(30);
    auto id = issue();
    auto sound = [&] { EXPECT_EQ(Mailings(*connection).contradictions(id), std::vector<std::string>()); };
    sound();
    relay.answers_for("reader3@example.org", test::Stage::rcpt, "451 4.7.1 later");
    relay.falls_silent(test::Stage::body, 1);
    settles();
    sound();
    EXPECT_TRUE(Mailings(*connection).pause(id));
    sound();
    leaves(SubscriptionId{9});
    EXPECT_TRUE(Mailings(*connection).resume(id));
    relay.accepts_everything();
    relay.hangs_up_on_everyone();
    passes(1h);
    sound();
    balances(id, 30);
}

}
}
