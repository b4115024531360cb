#include "delivery/answer_times.hpp"
#include "delivery/holds.hpp"
#include "post_office.hpp"

// What commands read while an issue is sent.

namespace postrider::delivery {
namespace {

using test::Stage;

// The account as a look at every reader gives it.
std::map<std::string, std::int64_t> recount(storage::Connection& connection, MailingId id) {
    std::map<std::string, std::int64_t> counts;
    connection.each(
        "SELECT state, count(*), sum(tries) FROM delivery WHERE mailing_id = $1 GROUP BY state",
        [&](const storage::Row& row) {
            counts[row.get<std::string>(0)] = row.integer(1);
            counts["attempts"] += row.integer(2);
        },
        id);
    return counts;
}

void expect_exact(storage::Connection& connection, MailingId id) {
    auto account = Mailings(connection).balance(id);
    auto exact = recount(connection, id);
    EXPECT_EQ(account.accepted, exact["accepted"]);
    EXPECT_EQ(account.refused, exact["refused"]);
    EXPECT_EQ(account.suppressed, exact["suppressed"]);
    EXPECT_EQ(account.expired, exact["expired"]);
    EXPECT_EQ(account.unknown, exact["unknown"]);
    EXPECT_EQ(account.deferred, exact["deferred"]);
    EXPECT_EQ(account.attempts, exact["attempts"]);
    auto moment = [&](std::string_view which) {
        return connection
            .value<std::optional<Time>>(
                fmt::format("SELECT {}(at) FROM delivery WHERE mailing_id = $1 AND state = 'accepted'", which), id)
            .value();
    };
    EXPECT_EQ(account.first_sent_at, moment("min"));
    EXPECT_EQ(account.last_sent_at, moment("max"));
}

}

TEST(AnswerTimes, EachIsCountedInTheFirstBucketThatHoldsIt) {
    AnswerHistogram histogram;
    EXPECT_EQ(histogram.half_within(), Duration(10ms)) << "of no answers, half came at once";
    histogram.counts = {1, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2};
    EXPECT_EQ(histogram.total(), 6);
    EXPECT_EQ(histogram.half_within(), Duration(50ms));
    histogram.counts.back() = 5;
    EXPECT_EQ(histogram.half_within(), std::nullopt);
}

TEST_F(PostOffice, AnswerTimesAddUpOverGroupsForEachRelayAndMailing) {
    auto first = issue(), second = issue();
    for (int group = 0; group < 2; ++group) {
        AnswerTimes times;
        EXPECT_TRUE(times.empty());
        times.count(first, "main", 0ms);
        times.count(first, "main", 10ms);
        times.count(first, "main", 11ms);
        times.count(first, "second", 60s);
        times.count(second, "main", 61s);
        EXPECT_FALSE(times.empty());
        storage::Transaction transaction(*connection);
        times.write(*connection);
        transaction.commit();
    }
    auto of_first = AnswerTimes::of(*connection, first);
    ASSERT_EQ(of_first.size(), 2u);
    EXPECT_EQ(of_first[0].relay, "main");
    EXPECT_EQ(of_first[0].counts[0], 4);
    EXPECT_EQ(of_first[0].counts[1], 2);
    EXPECT_EQ(of_first[1].counts[11], 2);
    EXPECT_EQ(AnswerTimes::of(*connection, second).at(0).counts[12], 2);
}

TEST_F(PostOffice, ADomainIsShownAsHeldUntilItIsNot) {
    auto now = clock.now();
    note_domain(*connection, {"example.org", now + 1min, "421 4.7.0 slower"}, now);
    note_domain(*connection, {"example.net", now + 2min, "450 4.7.1 later"}, now);
    auto holds = read_holds(*connection, now).domains;
    ASSERT_EQ(holds.size(), 2u);
    EXPECT_EQ(holds[0].name, "example.net");
    EXPECT_EQ(holds[1].reason, "421 4.7.0 slower");
    EXPECT_EQ(read_holds(*connection, now + 90s).domains.size(), 1u);
    note_domain(*connection, {"example.net", std::nullopt}, now);
    EXPECT_EQ(read_holds(*connection, now).domains.size(), 1u);
    opens();
    settles();
    EXPECT_TRUE(read_holds(*connection, now).domains.empty()) << "a daemon that starts holds no domain";
}

TEST_F(PostOffice, AnAccountBySlicesIsTheOneByReaders) {
    join(2500); // two slices
    relay.answers_for("reader7@example.org", Stage::rcpt, "550 5.1.1 nobody here");
    relay.answers_for("reader2400@example.org", Stage::rcpt, "450 4.2.1 later", 1);
    relay.answers_for("reader2401@example.org", Stage::rcpt, "450 4.2.1 later", 1);
    auto id = issue();
    settles();
    expect_exact(*connection, id);
    auto account = balance(id);
    EXPECT_EQ(account.deferred, 2);
    EXPECT_EQ(account.next_try_at, clock.now() + 5min);
    ASSERT_EQ(account.deferrals.size(), 1u);
    EXPECT_EQ(account.deferrals[0].count, 2);
    EXPECT_EQ(account.refusals.at(0).reason, "550 5.1.1 nobody here");

    passes(6min, 6min);
    balances(id, 2499);
    expect_exact(*connection, id);
    EXPECT_GT(balance(id).last_sent_at, balance(id).first_sent_at);
}

TEST_F(PostOffice, SlicesThatNobodyCountedAreCountedReaderByReader) {
    join(2500);
    auto id = issue();
    settles();
    connection->run("UPDATE slice SET readers = NULL, first_at = NULL, last_at = NULL WHERE first_id = 1");
    balances(id, 2500);
    expect_exact(*connection, id);
}

TEST_F(PostOffice, VerifyFindsAnOutcomeThatIsGone) {
    join(3);
    auto id = issue();
    settles();
    connection->run("DELETE FROM delivery WHERE subscription_id = 2");
    EXPECT_FALSE(Mailings(*connection).contradictions(id).empty());
}

}
