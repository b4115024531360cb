#include "post_office.hpp"

#include <map>

namespace postrider::delivery {
namespace {

// Somebody else's transaction: while it lasts, nothing of ours can be committed.
class Lock {
public:
    explicit Lock(const std::string& url) : connection_(url, storage::Access::read_write) {
        connection_.run("BEGIN IMMEDIATE");
    }
    ~Lock() { connection_.run("ROLLBACK"); }

private:
    storage::Connection connection_;
};

class Durable : public PostOffice {
protected:
    // One step after the other, until the relay has read so many mails.
    void sends(std::size_t mails) {
        if (!dispatcher) opens();
        auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(5);
        while (relay.messages().size() < mails) {
            context.restart();
            if (context.run_one_for(std::chrono::milliseconds(1)) == 0) dispatcher->tick(true);
            ASSERT_LT(std::chrono::steady_clock::now(), limit);
        }
    }
    // Whatever can still happen without a commit does.
    void runs_dry() {
        for (int quiet = 0; quiet < 3;) {
            context.restart();
            quiet = context.run_one_for(std::chrono::milliseconds(10)) > 0 ? 0 : quiet + 1;
        }
    }
    bool recorded(const std::string& address) {
        return connection
            ->value<std::int64_t>(R"sql(
            SELECT 1 FROM delivery d JOIN subscription s ON s.id = d.subscription_id JOIN subscriber r ON r.id = s.subscriber_id
            WHERE r.address = $1)sql",
                                  address)
            .has_value();
    }
    // Of the mails that a connection took, only the last may be without a row.
    int connections_with_one_unrecorded() {
        std::map<int, int> last;
        auto& mails = relay.messages();
        for (std::size_t i = 0; i < mails.size(); ++i) last[mails[i].connection] = int(i);
        int without = 0;
        for (std::size_t i = 0; i < mails.size(); ++i) {
            if (recorded(mails[i].to)) continue;
            ++without;
            EXPECT_EQ(last[mails[i].connection], int(i))
                << mails[i].to << " is not recorded, and connection " << mails[i].connection << " sent more";
        }
        return without;
    }
};

TEST_F(Durable, NoBodyLeavesBeforeTheCommitThatRecordsTheOneBeforeIt) {
    join(200);
    auto id = issue();
    int held_back = 0;
    for (std::size_t mails : {1, 5, 6, 7, 20, 50, 90, 91, 150, 190}) {
        sends(mails);
        Lock lock(url);
        runs_dry();
        auto stood = relay.messages().size();
        held_back = std::max(held_back, connections_with_one_unrecorded());
        runs_dry();
        EXPECT_EQ(relay.messages().size(), stood) << "each connection waits for its commit";
    }
    EXPECT_EQ(held_back, 4) << "every connection was seen to wait";
    settles();
    balances(id, 200);
    EXPECT_EQ(relay.messages().size(), 200u);
    bool rode_along = std::ranges::any_of(relay.messages(), &test::TakenMail::next_rode_along);
    EXPECT_TRUE(rode_along) << "this was the form in which the next envelope leaves with a body";
}

TEST_F(Durable, NoBodyLeavesBeforeThatCommitToARelayWithoutPipelining) {
    relay.offers_no_pipelining();
    join(60);
    auto id = issue();
    for (std::size_t mails : {1, 7, 30, 50}) {
        sends(mails);
        Lock lock(url);
        runs_dry();
        connections_with_one_unrecorded();
    }
    settles();
    balances(id, 60);
}

TEST_F(Durable, ARefusalIsRecordedBeforeTheNextBodyToo) {
    for (int i = 1; i <= 60; i += 2)
        relay.answers_for(fmt::format("reader{}@example.org", i), test::Stage::body, "550 5.1.1 no such user");
    join(60);
    auto id = issue();
    sends(10);
    {
        Lock lock(url);
        runs_dry();
        auto bodies = relay.bodies();
        runs_dry();
        EXPECT_EQ(relay.bodies(), bodies);
        EXPECT_LE(bodies - connection->value<int>("SELECT count(*) FROM delivery").value(), 4);
    }
    settles();
    balances(id, 30);
    EXPECT_EQ(relay.bodies(), 60);
}

// As when the system mounts a disk anew, for reading only, because it has errors.
TEST_F(Durable, ADatabaseThatTurnsReadOnlyStopsSendingWithinOneGroupAndItGoesOnByItself) {
    auto said = [](storage::Database& where, std::string pragma) -> boost::asio::awaitable<void> {
        auto run = [pragma](storage::Connection& writer) { writer.script(pragma); };
        co_await where.write(run);
    };
    auto say = [&](std::string pragma) {
        boost::asio::co_spawn(context, said(*database, std::move(pragma)), [](std::exception_ptr error) {
            if (error) std::rethrow_exception(error);
        });
    };
    join(200);
    auto id = issue();
    sends(20);
    say("PRAGMA query_only=ON");
    runs_dry();
    auto bodies = relay.bodies();
    EXPECT_NE(dispatcher->stalled().find("readonly"), std::string::npos) << dispatcher->stalled();
    EXPECT_LE(bodies - connection->value<int>("SELECT count(*) FROM delivery").value(), 4);
    for (int second = 0; second < 5; ++second) {
        clock.advance(1s);
        dispatcher->tick(false);
        runs_dry();
    }
    EXPECT_EQ(relay.bodies(), bodies) << "nothing leaves";

    say("PRAGMA query_only=OFF");
    passes(10s, 1s);
    EXPECT_EQ(dispatcher->stalled(), "");
    balances(id, 200);
    EXPECT_EQ(relay.bodies(), 200) << "what had been answered meanwhile was kept, and recorded";
}

}
}
