#include "subscribers/client_network.hpp"
#include "subscribers/consent.hpp"
#include "subscribers/erase.hpp"
#include "subscribers/site.hpp"

#include <fmt/format.h>

namespace postrider::subscribers {
namespace {

using What = ConfirmResult::What;

std::optional<Budget> over(const AskOutcome& outcome) {
    if (auto* over = std::get_if<OverBudget>(&outcome)) return over->which;
    return std::nullopt;
}

TEST(SignUp, NobodyIsActiveBeforeConfirming) {
    Site site;
    auto id = site.asked("ada@example.org", site.courier);
    EXPECT_FALSE(site.subscriptions.active(site.courier, address("ada@example.org")));
    EXPECT_EQ(site.count("SELECT count(*) FROM subscriber"), 0);
    EXPECT_EQ(site.sign_ups.confirm(id, "192.0.2.1", noon + 1h).what, What::confirmed);
    EXPECT_TRUE(site.subscriptions.active(site.courier, address("ADA@Example.ORG")));
    EXPECT_EQ(site.lists.active_count(site.courier), 1);
    EXPECT_EQ(site.lists.active_count(site.gazette), 0);
}

TEST(SignUp, ASecondClickIsNoErrorAndChangesNothing) {
    Site site;
    auto id = site.asked("ada@example.org", site.courier);
    auto first = site.sign_ups.confirm(id, "192.0.2.1", noon);
    auto second = site.sign_ups.confirm(id, "192.0.2.1", noon + 100h);
    EXPECT_EQ(second.what, What::already);
    EXPECT_EQ(second.subscription, first.subscription);
    EXPECT_EQ(site.lists.active_count(site.courier), 1);
}

TEST(SignUp, ALinkExpiresAfterThreeDaysAndANewOneIsOffered) {
    Site site;
    auto id = site.asked("ada@example.org", site.courier);
    EXPECT_EQ(site.sign_ups.confirm(id, "", noon + 72h).what, What::expired);
    auto again = site.sign_ups.ask_again(id, "192.0.2.1", noon + 72h).value();
    auto fresh = std::get<MailConfirmation>(again).id;
    EXPECT_NE(fresh, id);
    EXPECT_EQ(site.sign_ups.find(fresh)->name, "Ada");
    EXPECT_EQ(consent_of(site.database, "ada@example.org").back().words, "Yes, mail me the Courier.");
    EXPECT_EQ(site.sign_ups.confirm(id, "", noon + 73h).what, What::unknown);
    EXPECT_EQ(site.sign_ups.confirm(fresh, "", noon + 73h).what, What::confirmed);
}

TEST(SignUp, AskingTwiceLeavesBothLinksWorking) {
    Site site;
    auto first = site.asked("ada@example.org", site.courier);
    EXPECT_EQ(site.asked("Ada@example.org", site.courier, noon + 1h), first);
    EXPECT_EQ(site.sign_ups.confirm(first, "", noon + 72h).what, What::confirmed);
}

TEST(SignUp, AnActiveReaderWhoAsksGetsNoMail) {
    Site site;
    site.reader("ada@example.org", site.courier);
    EXPECT_TRUE(std::holds_alternative<AlreadyActive>(site.ask("ada@example.org", site.courier)));
    EXPECT_TRUE(std::holds_alternative<MailConfirmation>(site.ask("ada@example.org", site.gazette)));
}

TEST(SignUp, OnlyOpenListsTakeStrangersAndOnlyTheOperatorInvitesToPrivateOnes) {
    Site site;
    auto list = site.lists.find(site.courier).value();
    list.state = ListState::private_;
    site.lists.update(list, noon).value();
    site.lists.archive(site.gazette);
    EXPECT_TRUE(std::holds_alternative<NotOpen>(site.ask("ada@example.org", site.courier)));
    EXPECT_TRUE(std::holds_alternative<NotOpen>(site.ask("ada@example.org", site.gazette)));
    EXPECT_TRUE(std::holds_alternative<NotOpen>(site.ask("ada@example.org", ListId{77})));
    auto ada = address("ada@example.org");
    auto invited = site.sign_ups.invite({site.courier, ada, "", "", "", "cli", "asked on the phone"}, noon);
    EXPECT_TRUE(std::holds_alternative<MailConfirmation>(invited));
    EXPECT_TRUE(std::holds_alternative<StillWaiting>(
        site.sign_ups.invite({site.courier, ada, "", "", "", "cli", "asked on the phone"}, noon)));
}

TEST(SignUp, TheConsentRecordSaysWhatWasAgreedWhenAndFromWhere) {
    Site site;
    (void)site.sign_ups.confirm(site.asked("ada@example.org", site.courier), "192.0.2.9", noon + 1h);
    auto record = consent_of(site.database, "ada@example.org");
    ASSERT_EQ(record.size(), 2u);
    EXPECT_EQ(record[0].event, "asked");
    EXPECT_EQ(record[0].words, "Yes, mail me the Courier.");
    EXPECT_EQ(record[0].form, "join page");
    EXPECT_EQ(record[0].client, "192.0.2.1");
    EXPECT_EQ(record[1].event, "confirmed");
    EXPECT_EQ(record[1].at, noon + 1h);
    EXPECT_EQ(record[1].client, "192.0.2.9");
}

TEST(SignUp, ANameIsNeverAReasonToRefuse) {
    EXPECT_EQ(clean_name("  Ada \r\n Lovelace\t"), "Ada Lovelace");
    EXPECT_EQ(clean_name(std::string_view("A\0B", 3)), "A B");
    EXPECT_EQ(clean_name("\xff"), "\xef\xbf\xbd");
    EXPECT_EQ(clean_name(std::string(100'000, 'x')), std::string(500, 'x'));
    EXPECT_EQ(clean_name("Zo\xc3\xab\xe2\x80\xa8To: x"), "Zo\xc3\xab To: x");
    EXPECT_EQ(clean_language("de-AT"), "de-AT");
    for (auto bad : {"", "x", "de_AT", "-de", "en--us", "<script>"}) EXPECT_EQ(clean_language(bad), "") << bad;
}

TEST(SignUp, WhoComesBackStartsANewStretch) {
    Site site;
    auto first = site.sign_ups.confirm(site.asked("ada@example.org", site.courier), "", noon).subscription.value();
    site.subscriptions.leave(first, LeftHow::page, "", noon + 1h);
    auto second = site.sign_ups.confirm(site.asked("ada@example.org", site.courier, noon + 2h), "", noon + 3h);
    EXPECT_EQ(second.what, What::confirmed);
    EXPECT_GT(second.subscription->number, first.number);
    EXPECT_TRUE(site.counters_are_right());
}

TEST(SignUp, AFreshConfirmationLiftsABounceAComplaintAndAnErasureButNotTheOperatorsWord) {
    for (auto kind : {SuppressionKind::bounce, SuppressionKind::complaint, SuppressionKind::erased}) {
        Site site;
        site.suppressions.add(address("ada@example.org"), kind, "why", noon);
        auto id = site.asked("ada@example.org", site.courier);
        EXPECT_TRUE(site.suppressions.contains(address("ada@example.org"))); // asking alone lifts nothing
        EXPECT_EQ(site.sign_ups.confirm(id, "", noon).what, What::confirmed);
        EXPECT_FALSE(site.suppressions.contains(address("ada@example.org")));
    }
    Site site;
    auto id = site.asked("bob@example.org", site.courier);
    site.suppressions.add(address("ada@example.org"), SuppressionKind::operator_, "lawyer's letter", noon);
    EXPECT_TRUE(std::holds_alternative<Suppressed>(site.ask("ada@example.org", site.courier)));
    site.suppressions.add(address("bob@example.org"), SuppressionKind::operator_, "lawyer's letter", noon);
    EXPECT_EQ(site.sign_ups.confirm(id, "", noon).what, What::unknown);
}

TEST(SignUp, AChangeOfAddressMovesTheReaderWhenTheNewOneIsConfirmedAndNotBefore) {
    Site site;
    auto old = site.subscriptions
                   .add(site.courier, address("old@example.org"), {"Ada", "de", "Europe/Vienna", R"({"city":"Graz"})"},
                        "met", "test", noon)
                   .subscription.value();
    auto fresh = address("new@example.org");
    auto outcome = site.sign_ups.ask({site.courier, fresh, "", "", "", "preferences", "Mail me there.", old}, noon);
    auto id = std::get<MailConfirmation>(outcome).id;
    EXPECT_TRUE(site.subscriptions.active(site.courier, address("old@example.org")));
    EXPECT_EQ(site.sign_ups.confirm(id, "", noon + 1h).what, What::confirmed);
    EXPECT_FALSE(site.subscriptions.active(site.courier, address("old@example.org")));
    auto moved = Subscribers(site.database).find(fresh).value();
    EXPECT_EQ(moved.profile.name, "Ada");
    EXPECT_EQ(moved.profile.timezone, "Europe/Vienna");
    EXPECT_EQ(moved.profile.attributes, R"({"city":"Graz"})");
    EXPECT_EQ(site.lists.active_count(site.courier), 1);
    EXPECT_TRUE(site.counters_are_right());
}

// Ada's change of address to somewhere else waits for its confirmation.
struct Moving : Site {
    SubscriptionId old =
        subscriptions
            .add(courier, address("old@example.org"), {"Mover", "de", "Europe/Vienna", "{}"}, "met", "test", noon)
            .subscription.value();
    SignUpId asks_to_move(std::string_view to, Time at = noon) {
        auto outcome = sign_ups.ask({courier, address(to), "", "", "", "preferences", "Mail me there.", old}, at);
        return std::get<MailConfirmation>(outcome).id;
    }
};

TEST(SignUp, AnOwnSignUpNeverConfirmsSomebodyElsesChangeOfAddress) {
    for (bool move_is_first : {true, false}) {
        Moving site;
        if (move_is_first) (void)site.asks_to_move("bib@example.org");
        auto own = site.asked("bib@example.org", site.courier);
        if (!move_is_first) (void)site.asks_to_move("bib@example.org");
        EXPECT_EQ(site.sign_ups.confirm(own, "", noon + 1h).what, What::confirmed);
        EXPECT_NE(Subscribers(site.database).find(address("bib@example.org"))->profile.name, "Mover");
        EXPECT_TRUE(site.subscriptions.active(site.courier, address("old@example.org"))) << move_is_first;
        EXPECT_TRUE(site.counters_are_right());
    }
}

TEST(SignUp, AfterAChangeOfAddressOldLinksMeanTheReaderUnderTheNewOne) {
    Moving site;
    (void)site.sign_ups.confirm(site.asks_to_move("new@example.org"), "", noon + 1min);
    EXPECT_FALSE(site.subscriptions.may_come_back(site.old, noon + 2min));
    EXPECT_FALSE(site.subscriptions.come_back(site.old, "", noon + 2min));
    EXPECT_EQ(site.subscriptions.leave(site.old, LeftHow::one_click, "", noon + 3min).what, LeaveResult::What::left);
    EXPECT_FALSE(site.subscriptions.active(site.courier, address("new@example.org")));
    EXPECT_TRUE(site.counters_are_right());
}

TEST(SignUp, WhoIsAReaderUnderTheNewAddressStaysWhoTheyAre) {
    Moving site;
    site.subscriptions.add(site.gazette, address("bob@example.org"), {"Bob", "en", "", R"({"plan":"basic"})"}, "met",
                           "test", noon);
    (void)site.sign_ups.confirm(site.asks_to_move("bob@example.org"), "", noon + 1h);
    auto bob = Subscribers(site.database).find(address("bob@example.org")).value();
    EXPECT_EQ(bob.profile.name, "Bob");
    EXPECT_EQ(bob.profile.language, "en");
    EXPECT_EQ(bob.profile.attributes, R"({"plan":"basic"})");
    EXPECT_TRUE(site.subscriptions.active(site.courier, address("bob@example.org")));
}

TEST(SignUp, ErasingAReaderForgetsTheirWaitingChangeOfAddressToo) {
    Moving site;
    auto id = site.asks_to_move("new@example.org");
    EXPECT_EQ(erase(site.database, site.tokens, address("old@example.org"), noon).sign_ups, 1);
    EXPECT_EQ(site.sign_ups.confirm(id, "", noon + 1h).what, What::unknown);
}

TEST(SignUp, AReaderWhoChangesToTheirOwnAddressAfterLeavingIsBack) {
    Site site;
    auto old = site.reader("ada@example.org", site.courier);
    site.subscriptions.leave(old, LeftHow::page, "", noon);
    auto ada = address("ada@example.org");
    auto outcome = site.sign_ups.ask({site.courier, ada, "", "", "", "preferences", "", old}, noon);
    (void)site.sign_ups.confirm(std::get<MailConfirmation>(outcome).id, "", noon + 1h);
    EXPECT_TRUE(site.subscriptions.active(site.courier, ada));
    EXPECT_TRUE(site.counters_are_right());
}

TEST(SignUp, WhatWasNeverConfirmedLeavesNothingBehindAfterTwoWeeks) {
    Site site;
    site.asked("ada@example.org", site.courier);
    auto confirmed = site.asked("bob@example.org", site.courier);
    (void)site.sign_ups.confirm(confirmed, "192.0.2.2", noon);
    EXPECT_EQ(site.sign_ups.purge(noon + 13 * 24h, 500), 0);
    EXPECT_EQ(site.sign_ups.purge(noon + 15 * 24h, 500), 2);
    EXPECT_TRUE(consent_of(site.database, "ada@example.org").empty());
    EXPECT_EQ(consent_of(site.database, "bob@example.org").size(), 2u);
    EXPECT_EQ(site.count("SELECT count(*) FROM sign_up"), 0);
}

TEST(Budgets, AnAddressGetsThreeMailsADayOverAllListsAndSpellings) {
    Site site;
    auto third = site.list("third");
    EXPECT_FALSE(over(site.ask("ada@example.org", site.courier)));
    EXPECT_FALSE(over(site.ask("ADA+x@example.org", site.gazette)));
    EXPECT_FALSE(over(site.ask("ada+y@EXAMPLE.org", third, noon + 1h)));
    EXPECT_EQ(over(site.ask("ada@example.org", third, noon + 2h)), Budget::address);
    EXPECT_EQ(over(site.ask("ada@example.org", third, noon + 23h)), Budget::address);
    EXPECT_FALSE(over(site.ask("ada@example.org", third, noon + 24h)));
    EXPECT_FALSE(over(site.ask("bob@example.org", site.courier, noon + 2h)));
}

TEST(Budgets, InternationalSpellingsOfADomainAreOneAddress) {
    Site site;
    EXPECT_FALSE(over(site.ask("ada@b\xc3\xbc"
                               "cher.example",
                               site.courier)));
    EXPECT_FALSE(over(site.ask("ada@xn--bcher-kva.example", site.courier)));
    EXPECT_FALSE(over(site.ask("ada@B\xc3\x9c"
                               "CHER.example",
                               site.courier)));
    EXPECT_EQ(over(site.ask("ada@xn--bcher-kva.example", site.courier)), Budget::address);
}

TEST(Budgets, OnlyAClientThatAsksTooOftenIsToldSoAndForHowLong) {
    Site site;
    for (int i = 0; i < 30; ++i) EXPECT_FALSE(over(site.ask("a" + std::to_string(i) + "@example.org", site.courier)));
    auto refused = std::get<OverBudget>(site.ask("b@example.org", site.courier, noon + 10min));
    EXPECT_EQ(refused.which, Budget::client);
    EXPECT_EQ(refused.wait, 50min);
    EXPECT_FALSE(over(site.ask("b@example.org", site.courier, noon + 10min, "192.0.2.2")));
    EXPECT_FALSE(over(site.ask("b@example.org", site.courier, noon + 60min)));
}

TEST(Budgets, AClientIsAnIPv4AddressOrASlash64) {
    EXPECT_EQ(client_network("192.0.2.1"), "192.0.2.1");
    EXPECT_EQ(client_network("::ffff:192.0.2.1"), "192.0.2.1");
    EXPECT_EQ(client_network("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
    EXPECT_EQ(client_network("2001:DB8:1:2::ffff"), "2001:db8:1:2::/64");
    EXPECT_NE(client_network("2001:db8:1:3::1"), client_network("2001:db8:1:2::1"));
    EXPECT_EQ(client_network("fe80::1%eth0"), "fe80::/64");
}

TEST(Budgets, NetworksOfOneIPv6CustomerShareABudget) {
    Site site;
    site.settings.per_network = {3, 1h};
    Budgets budgets(site.database, site.tokens, site.settings);
    for (int i = 0; i < 3; ++i)
        EXPECT_FALSE(budgets.take_for_client(fmt::format("2001:db8:1:{}::1", i), Proof::enough, noon)) << i;
    EXPECT_TRUE(budgets.take_for_client("2001:db8:1:99::1", Proof::enough, noon));
    EXPECT_FALSE(budgets.take_for_client("2001:db8:2::1", Proof::enough, noon));
    for (int i = 0; i < 20; ++i)
        EXPECT_FALSE(budgets.take_for_client(fmt::format("192.0.2.{}", i), Proof::enough, noon)) << i;
}

TEST(Budgets, WhoBringsNoProofMaySignUpLessOften) {
    Site site;
    site.settings.per_unproven = {2, 1h};
    Budgets budgets(site.database, site.tokens, site.settings);
    EXPECT_FALSE(budgets.take_for_client("192.0.2.1", Proof::missing, noon));
    EXPECT_FALSE(budgets.take_for_client("192.0.2.1", Proof::missing, noon));
    EXPECT_EQ(budgets.take_for_client("192.0.2.1", Proof::missing, noon), 1h);
    EXPECT_FALSE(budgets.take_for_client("192.0.2.1", Proof::enough, noon));
}

TEST(Budgets, AnAddressThatIsFloodedIsCounted) {
    Site site;
    for (int i = 0; i < 25; ++i) site.ask(fmt::format("ada+{}@example.org", i), site.courier, noon + i * 1s, "");
    for (int i = 0; i < 22; ++i) site.ask("bob@example.org", site.courier, noon + i * 1s, "");
    auto found = flood_in(site.database, noon + 1h);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->addresses, 1);
    EXPECT_EQ(found->refused, 22);
    EXPECT_EQ(found->since, noon + 22s);
    EXPECT_FALSE(flood_in(site.database, noon + 25h));
    EXPECT_EQ(site.count("SELECT count(*) FROM sign_up WHERE address_key LIKE 'ada%'"), 3);
    EXPECT_EQ(site.count("SELECT count(*) FROM consent WHERE address_key LIKE 'ada%'"), 3);
}

TEST(Budgets, AFloodThatAbatesAndRisesAgainIsOneFlood) {
    Site site;
    Budgets budgets(site.database, site.tokens, site.settings);
    auto ada = address("ada@example.org");
    for (int i = 0; i < 10; ++i) (void)budgets.count_refused(ada, noon);
    for (int i = 0; i < 10; ++i) (void)budgets.count_refused(ada, noon + 12h);
    for (int i = 0; i < 15; ++i) (void)budgets.count_refused(ada, noon + 24h + 30min); // the first ten count no more
    auto found = flood_in(site.database, noon + 24h + 30min);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->addresses, 1);
    EXPECT_EQ(found->refused, 25);
    EXPECT_EQ(found->since, noon + 12h);
    for (int i = 0; i < 15; ++i) (void)budgets.count_refused(ada, noon + 37h);
    found = flood_in(site.database, noon + 37h);
    ASSERT_TRUE(found) << "it goes on after a day";
    EXPECT_EQ(found->addresses, 1);
    EXPECT_EQ(found->refused, 30);
}

TEST(Budgets, DomainListAndTotalAreSilentLimitsOfTheirOwn) {
    Site site;
    site.settings.per_domain = {2, 1h};
    EXPECT_FALSE(over(site.ask("a@example.org", site.courier)));
    EXPECT_FALSE(over(site.ask("b@example.org", site.courier)));
    EXPECT_EQ(over(site.ask("c@example.org", site.courier)), Budget::domain);
    EXPECT_FALSE(over(site.ask("c@example.net", site.courier)));
    site.settings.per_list = {3, 1h};
    EXPECT_EQ(over(site.ask("d@example.com", site.courier)), Budget::list);
    EXPECT_FALSE(over(site.ask("d@example.com", site.gazette)));
    site.settings.total = {4, 1h};
    EXPECT_EQ(over(site.ask("e@example.com", site.gazette)), Budget::total);
}

TEST(Budgets, WhatIsRefusedForOneReasonIsTakenFromNoOtherBudget) {
    Site site;
    site.settings.per_domain = {5, 1h};
    for (int i = 0; i < 20; ++i) (void)site.ask("victim@example.org", site.courier);
    EXPECT_FALSE(over(site.ask("a@example.org", site.courier)));
    EXPECT_FALSE(over(site.ask("b@example.org", site.courier)));
    EXPECT_EQ(over(site.ask("c@example.org", site.courier)), Budget::domain);
}

TEST(Budgets, NeverMoreThanTheBudgetInAnyStretchOfItsLengthButATwentyFourth) {
    Site site;
    site.settings.per_client = {1'000'000, 1h};
    std::vector<Time> taken;
    auto now = noon;
    for (int i = 0; i < 400; ++i) {
        now += Duration(system::random_below(std::uint64_t(Duration(3h).count())));
        if (!over(site.ask("ada@example.org", site.courier, now))) taken.push_back(now);
    }
    ASSERT_GT(taken.size(), 20u);
    for (std::size_t i = 3; i < taken.size(); ++i) EXPECT_GT(taken[i] - taken[i - 3], 23h - 1ms);
}

TEST(Budgets, ARestartForgivesNothingAndTimeIsForgotten) {
    Site site;
    for (int i = 0; i < 3; ++i) (void)site.ask("ada@example.org", site.courier);
    storage::Connection again("sqlite:" + (site.folder.path / "postrider.db").string());
    SignUps sign_ups(again, site.tokens, site.settings);
    auto ada = address("ada@example.org");
    EXPECT_EQ(over(sign_ups.ask({site.courier, ada, "", "", "", "", ""}, noon)), Budget::address);
    Budgets budgets(site.database, site.tokens, site.settings);
    auto rows = site.count("SELECT count(*) FROM budget");
    ASSERT_GT(rows, 2);
    EXPECT_EQ(budgets.purge(noon + 24h - 1ms, 500), 0);
    EXPECT_EQ(budgets.purge(noon + 24h, 2), 2) << "a few at a time";
    EXPECT_EQ(budgets.purge(noon + 24h, 500), rows - 2);
    EXPECT_EQ(site.count("SELECT count(*) FROM budget"), 0);
}

TEST(Budgets, TheTableNamesNeitherAddressesNorClients) {
    Site site;
    (void)site.ask("ada@example.org", site.courier);
    EXPECT_EQ(site.count("SELECT count(*) FROM budget WHERE key LIKE '%ada%' OR key LIKE '%192.0%'"), 0);
}

TEST(Budgets, RatesAreSpelledAsCountPerUnit) {
    EXPECT_EQ(parse_rate("3/day"), (Rate{3, 24h}));
    EXPECT_EQ(parse_rate("30/hour"), (Rate{30, 1h}));
    EXPECT_EQ(parse_rate("100/s"), (Rate{100, 1s}));
    EXPECT_EQ(parse_rate("7/m"), (Rate{7, 1min}));
    for (auto bad :
         {"", "3", "/day", "x/day", "0/day", "-1/day", "3/fortnight", "3/", "3 /day", "99999999999999999999/s"})
        EXPECT_FALSE(parse_rate(bad)) << bad;
    EXPECT_EQ(to_text(Rate{3, 24h}), "3/day");
}

}
}
