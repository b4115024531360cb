#include "subscribers/audience.hpp"
#include "subscribers/consent.hpp"
#include "subscribers/erase.hpp"
#include "subscribers/site.hpp"

#include <tuple>

namespace postrider::subscribers {
namespace {

std::vector<std::string> audience(Site& site, const Audience& fixed, std::int64_t ceiling) {
    std::vector<Reader> readers;
    read_audience(site.database, site.courier, fixed.fixed_at, 0, ceiling, 1000,
                  [&]() -> Reader& { return readers.emplace_back(); });
    std::vector<std::string> out;
    for (auto& reader : readers) out.push_back(reader.address + (reader.left ? " left" : ""));
    return out;
}

TEST(Subscriptions, LeavingClosesTheStretchOnceAndSaysSoTheSecondTime) {
    Site site;
    auto ada = site.reader("ada@example.org", site.courier);
    auto first = site.subscriptions.leave(ada, LeftHow::one_click, "192.0.2.1", noon + 1h);
    EXPECT_EQ(first.what, LeaveResult::What::left);
    EXPECT_EQ(first.list, site.courier);
    EXPECT_EQ(site.subscriptions.leave(ada, LeftHow::page, "", noon + 2h).what, LeaveResult::What::already);
    EXPECT_EQ(site.subscriptions.leave({4711}, LeftHow::page, "", noon).what, LeaveResult::What::unknown);
    EXPECT_EQ(site.lists.active_count(site.courier), 0);
    EXPECT_EQ(consent_of(site.database, "ada@example.org").back().event, "left");
    EXPECT_TRUE(site.counters_are_right());
}

TEST(Subscriptions, TheLinkOfAnOldMailAlsoEndsAStretchThatBeganLater) {
    Site site;
    auto old = site.reader("ada@example.org", site.courier);
    site.subscriptions.leave(old, LeftHow::page, "", noon + 1h);
    site.reader("ada@example.org", site.courier, noon + 2h);
    EXPECT_EQ(site.subscriptions.leave(old, LeftHow::one_click, "", noon + 3h).what, LeaveResult::What::left);
    EXPECT_EQ(site.lists.active_count(site.courier), 0);
}

TEST(Subscriptions, LeavingOneListIsLeavingOneList) {
    Site site;
    auto ada = site.reader("ada@example.org", site.courier);
    site.reader("ada@example.org", site.gazette);
    site.subscriptions.leave(ada, LeftHow::page, "", noon);
    EXPECT_TRUE(site.subscriptions.active(site.gazette, address("ada@example.org")));
}

TEST(Subscriptions, AReaderCanTakeLeavingBackWithinAnHour) {
    Site site;
    auto ada = site.reader("ada@example.org", site.courier);
    site.subscriptions.leave(ada, LeftHow::page, "", noon);
    EXPECT_FALSE(site.subscriptions.come_back(ada, "", noon + 61min));
    EXPECT_TRUE(site.subscriptions.come_back(ada, "", noon + 59min));
    EXPECT_FALSE(site.subscriptions.come_back(ada, "", noon + 59min)); // is there already
    EXPECT_TRUE(site.counters_are_right());
    auto bob = site.reader("bob@example.org", site.courier);
    site.suppressions.add(address("bob@example.org"), SuppressionKind::complaint, "", noon);
    EXPECT_FALSE(site.subscriptions.come_back(bob, "", noon + 1min));
}

std::string topics_of(Site& site, std::string_view who) {
    auto lists = site.subscriptions.of(address(who), noon);
    return lists.empty() ? "" : lists.front().topics;
}

TEST(Subscriptions, TopicsSurviveLeavingAndReturningUnlessTheSignUpSaysOthers) {
    Site site;
    auto first = site.reader("ada@example.org", site.courier);
    site.subscriptions.choose_topics(first, "World\nSport");
    site.subscriptions.leave(first, LeftHow::page, "", noon);
    ASSERT_TRUE(site.subscriptions.come_back(first, "", noon));
    EXPECT_EQ(topics_of(site, "ada@example.org"), "World\nSport") << "taken back";
    for (auto [said, expected] : std::vector<std::pair<std::optional<std::string>, std::string>>{
             {std::nullopt, "World\nSport"}, {"Culture", "Culture"}, {"", ""}}) {
        site.subscriptions.remove(site.courier, address("ada@example.org"), noon);
        auto parsed = address("ada@example.org");
        auto outcome = site.sign_ups.ask(
            {site.courier, parsed, "", "", "192.0.2.1", "join page", "Yes.", std::nullopt, "en", said}, noon);
        site.database.run("DELETE FROM budget");
        ASSERT_TRUE(site.sign_ups.confirm(std::get<MailConfirmation>(outcome).id, "", noon).subscription);
        EXPECT_EQ(topics_of(site, "ada@example.org"), expected);
    }
}

TEST(Subscriptions, AnAudienceIsWhoeverWasActiveAtItsMoment) {
    Site site;
    auto ada = site.reader("ada@example.org", site.courier);
    auto bob = site.reader("bob@example.org", site.courier);
    site.reader("cyd@example.org", site.courier);
    site.reader("elsewhere@example.org", site.gazette);
    site.subscriptions.leave(ada, LeftHow::page, "", noon);
    auto fixed = fix_audience(site.database, site.courier, noon); // the same millisecond
    site.subscriptions.leave(bob, LeftHow::page, "", noon);       // the same millisecond, afterwards
    site.reader("dan@example.org", site.courier, noon);
    EXPECT_EQ(fixed.planned, 2);
    EXPECT_EQ(audience(site, fixed, fixed.ceiling),
              (std::vector<std::string>{"bob@example.org left", "cyd@example.org"}));
}

TEST(Subscriptions, PlannedIsTheSizeOfTheAudienceWhateverHappensAndHoweverTheClockJumps) {
    Site site;
    std::vector<SubscriptionId> ever;
    for (int step = 0; step < 400; ++step) {
        auto now = noon + Duration(std::int64_t(system::random_below(10)) - 5);
        auto who = "r" + std::to_string(system::random_below(12)) + "@example.org";
        switch (system::random_below(5)) {
        case 0:
        case 1: ever.push_back(site.reader(who, site.courier, now)); break;
        case 2:
            if (!ever.empty())
                site.subscriptions.leave(ever[system::random_below(ever.size())], LeftHow::page, "", now);
            break;
        case 3: site.subscriptions.remove(site.courier, address(who), now); break;
        default: {
            auto fixed = fix_audience(site.database, site.courier, now);
            if (!ever.empty())
                site.subscriptions.leave(ever[system::random_below(ever.size())], LeftHow::mail, "", now);
            site.reader(who, site.courier, now);
            EXPECT_EQ(std::int64_t(audience(site, fixed, fixed.ceiling).size()), fixed.planned);
        }
        }
        ASSERT_TRUE(site.counters_are_right());
    }
}

TEST(Subscriptions, AnOperatorAddsWithABasisAndNeverPastTheSuppressionList) {
    Site site;
    site.suppressions.add(address("ada@example.org"), SuppressionKind::bounce, "550", noon);
    auto refused = site.subscriptions.add(site.courier, address("ada@example.org"), {}, "on paper", "cli", noon);
    EXPECT_EQ(refused.what, AddResult::What::suppressed);
    EXPECT_EQ(site.subscriptions.add(site.courier, address("bob@example.org"), {}, "on paper", "cli", noon).what,
              AddResult::What::added);
    EXPECT_EQ(site.subscriptions.add(site.courier, address("Bob@example.org"), {}, "on paper", "cli", noon).what,
              AddResult::What::already);
    auto record = consent_of(site.database, "bob@example.org");
    ASSERT_EQ(record.size(), 1u);
    EXPECT_EQ(record[0].words, "on paper");
}

TEST(Subscriptions, ShowAndListTellPendingActiveAndUnsubscribed) {
    Site site;
    site.reader("ada@example.org", site.courier);
    site.subscriptions.remove(site.courier, address("ada@example.org"), noon + 1h);
    site.reader("ada@example.org", site.gazette);
    site.reader("bob@example.org", site.courier);
    site.asked("cyd@example.org", site.courier);
    auto ada = site.subscriptions.of(address("ada@example.org"), noon + 2h);
    ASSERT_EQ(ada.size(), 2u);
    EXPECT_EQ(ada[0].list_slug, "courier");
    EXPECT_EQ(ada[0].state, SubscriptionState::unsubscribed);
    EXPECT_EQ(ada[0].left_how, "operator");
    EXPECT_EQ(ada[0].since, noon + 1h);
    EXPECT_EQ(ada[1].state, SubscriptionState::active);
    auto cyd = site.subscriptions.of(address("cyd@example.org"), noon);
    ASSERT_EQ(cyd.size(), 1u);
    EXPECT_EQ(cyd[0].state, SubscriptionState::pending);

    std::vector<std::string> members;
    site.subscriptions.each_member(site.courier, noon, [&](const Member& member) {
        members.push_back(member.address + " " + std::string(to_text(member.state)));
    });
    EXPECT_EQ(members, (std::vector<std::string>{"bob@example.org active", "cyd@example.org pending",
                                                 "ada@example.org unsubscribed"}));
    auto counts = site.subscriptions.counts(site.courier, noon);
    EXPECT_EQ(counts.active, 1);
    EXPECT_EQ(counts.pending, 1);
    EXPECT_EQ(counts.unsubscribed, 1);

    site.asked("ada@example.org", site.courier, noon + 2h);
    EXPECT_EQ(site.subscriptions.of(address("ada@example.org"), noon + 2h)[0].state, SubscriptionState::pending);
}

TEST(Suppressions, SuppressingAnAddressTakesItOffEveryListAndKeepsOnlyAHash) {
    Site site;
    site.reader("ada@example.org", site.courier);
    site.reader("ada@example.org", site.gazette);
    EXPECT_EQ(site.suppressions.add(address("ADA@example.org"), SuppressionKind::complaint, "abuse report", noon), 2);
    EXPECT_TRUE(site.suppressions.contains(address("ada@example.org")));
    EXPECT_FALSE(site.subscriptions.active(site.courier, address("ada@example.org")));
    EXPECT_EQ(site.count("SELECT count(*) FROM suppression WHERE CAST(hash AS TEXT) LIKE '%ada%'"), 0);
    EXPECT_TRUE(site.counters_are_right());
    int listed = 0;
    site.suppressions.each([&](const Suppression& one) {
        ++listed;
        EXPECT_EQ(one.kind, SuppressionKind::complaint);
        EXPECT_EQ(one.reason, "abuse report");
    });
    EXPECT_EQ(listed, 1);
    EXPECT_TRUE(site.suppressions.remove(address("ada@example.org")));
    EXPECT_FALSE(site.suppressions.remove(address("ada@example.org")));
}

TEST(Suppressions, TheOperatorsWordStandsWhateverComesAfterIt) {
    Site site;
    site.suppressions.add(address("ada@example.org"), SuppressionKind::operator_, "by letter", noon);
    site.suppressions.add(address("ada@example.org"), SuppressionKind::bounce, "550", noon);
    EXPECT_EQ(site.suppressions.find(address("ada@example.org"))->kind, SuppressionKind::operator_);
    erase(site.database, site.tokens, address("ada@example.org"), noon);
    EXPECT_EQ(site.suppressions.find(address("ada@example.org"))->reason, "by letter");
}

TEST(Subscriptions, AReaderIsTheSameHoweverTheyAreRead) {
    Site site;
    auto ada = site.reader("ada@example.org", site.courier);
    site.database.run(
        "UPDATE subscriber SET name = 'Ada', language = 'de', timezone = 'Asia/Tokyo', attributes = '{\"a\":\"b\"}', "
        "paused_until = 7");
    site.database.run("UPDATE subscription SET topics = 'News'");
    auto fixed = fix_audience(site.database, site.courier, noon);
    auto one = read_one(site.database, ada);
    EXPECT_EQ(one.timezone, "Asia/Tokyo");
    std::vector<Reader> readers;
    auto place = [&]() -> Reader& { return readers.emplace_back(); };
    ASSERT_EQ(read_audience(site.database, site.courier, fixed.fixed_at, 0, fixed.ceiling, 10, place), 1);
    ASSERT_EQ(read_audience_in(site.database, site.courier, fixed.fixed_at, 0, fixed.ceiling, 10,
                               {"\nAsia/Tokyo\n", true}, place),
              1);
    auto all_of = [](const Reader& reader) {
        return std::tuple(reader.subscription, reader.subscriber, reader.address, reader.name, reader.language,
                          reader.attributes, reader.activated_at, reader.left, reader.topics, reader.paused_until,
                          reader.timezone);
    };
    for (auto& reader : readers) EXPECT_TRUE(all_of(reader) == all_of(one));
}

TEST(Erase, NoRowHoldsThePersonAnyMoreAndTheCountsStillFit) {
    Site site;
    auto id =
        site.sign_ups.confirm(site.asked("ada@example.org", site.courier), "192.0.2.77", noon).subscription.value();
    site.asked("ada@example.org", site.gazette);
    site.reader("bob@example.org", site.courier);
    auto fixed = fix_audience(site.database, site.courier, noon);

    auto erased = erase(site.database, site.tokens, address("Ada@Example.org"), noon + 1h);
    EXPECT_TRUE(erased.subscriber);
    EXPECT_EQ(erased.subscriptions, 1);
    EXPECT_EQ(erased.sign_ups, 2);
    EXPECT_EQ(erased.consents, 3);
    for (auto sql : {"SELECT count(*) FROM subscriber WHERE address LIKE 'ada%'", "SELECT count(*) FROM sign_up",
                     "SELECT count(*) FROM consent WHERE address_key LIKE 'ada%' OR client IS NOT NULL"})
        EXPECT_EQ(site.count(sql), 0) << sql;
    EXPECT_EQ(site.count("SELECT count(*) FROM consent WHERE event = 'erased'"), 2);
    EXPECT_EQ(site.lists.active_count(site.courier), 1);
    EXPECT_TRUE(site.counters_are_right());
    // The audience that was fixed before keeps its size; the erased reader has no address in it.
    EXPECT_EQ(audience(site, fixed, fixed.ceiling), (std::vector<std::string>{" left", "bob@example.org"}));
    EXPECT_EQ(site.subscriptions.leave(id, LeftHow::one_click, "", noon + 2h).what, LeaveResult::What::already);
    EXPECT_TRUE(read_one(site.database, id).left);
}

TEST(Erase, APersonIsToldEverythingThatIsKnown) {
    Site site;
    (void)site.sign_ups.confirm(site.asked("ada@example.org", site.courier), "192.0.2.77", noon);
    auto known = known_about(site.database, site.tokens, address("ada@example.org"), noon);
    for (auto part : {"ada@example.org", "\"courier\"", "\"active\"", "192.0.2.77", "Yes, mail me the Courier."})
        EXPECT_NE(known.find(part), known.npos) << part << known;
}

}
}
