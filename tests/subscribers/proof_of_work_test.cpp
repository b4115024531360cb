#include "subscribers/address_rules.hpp"
#include "subscribers/proof_of_work.hpp"
#include "subscribers/site.hpp"

#include <boost/json.hpp>

namespace postrider::subscribers {
namespace {

namespace json = boost::json;

// As a browser does it: from the protocol's own description, not by our code.
std::string solution_of(const std::string& challenge) {
    auto parsed = json::parse(challenge);
    auto& parameters = parsed.at("parameters");
    auto nonce = system::from_hex(std::string_view(parameters.at("nonce").as_string()));
    auto salt = system::from_hex(std::string_view(parameters.at("salt").as_string()));
    for (std::uint32_t counter = 0;; ++counter) {
        std::string end{char(counter >> 24), char(counter >> 16), char(counter >> 8), char(counter)};
        auto key = system::hex(system::pbkdf2_sha256(nonce + end, salt, int(parameters.at("cost").as_int64()),
                                                     std::size_t(parameters.at("keyLength").as_int64())));
        if (!key.starts_with(std::string_view(parameters.at("keyPrefix").as_string()))) continue;
        return json::serialize(json::object{{"challenge", parsed},
                                            {"solution", {{"counter", counter}, {"derivedKey", key}, {"time", 5}}}});
    }
}

TEST(ProofOfWork, ASolvedChallengeGivesItsNonceUntilItExpires) {
    Site site;
    auto given = challenge(site.tokens, noon);
    auto payload = system::base64(solution_of(given));
    auto nonce = solved_nonce(site.tokens, payload, noon + 1min);
    ASSERT_TRUE(nonce);
    EXPECT_NE(given.find(*nonce), given.npos);
    EXPECT_FALSE(solved_nonce(site.tokens, payload, noon + challenge_lives_for));
    Site other;
    EXPECT_FALSE(solved_nonce(other.tokens, payload, noon + 1min));
}

TEST(ProofOfWork, TheDerivationIsThatOfTheStandard) {
    // RFC 7914 section 11.
    EXPECT_EQ(system::hex(system::pbkdf2_sha256("passwd", "salt", 1, 64)),
              "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc"
              "49ca9cccf179b645991664b39d77ef317c71b845b1e30bd509112041d3a19783");
}

TEST(ProofOfWork, WhatIsForgedChangedOrUnsolvedGivesNothing) {
    Site site;
    auto solved = json::parse(solution_of(challenge(site.tokens, noon)));
    auto taken = [&](const json::value& payload) {
        return solved_nonce(site.tokens, system::base64(json::serialize(payload)), noon).has_value();
    };
    ASSERT_TRUE(taken(solved));
    using Change = std::pair<std::string_view, json::value>;
    const Change changes[] = {Change("expiresAt", 4'000'000'000), Change("nonce", std::string(32, 'a')),
                              Change("salt", std::string(32, 'a')), Change("salt", 7)};
    for (auto& [name, value] : changes) {
        auto forged = solved;
        forged.at("challenge").at("parameters").as_object()[name] = value;
        EXPECT_FALSE(taken(forged)) << name;
    }
    // What we did not sign is not looked at: easier work does not count.
    auto easier = solved;
    easier.at("challenge").at("parameters").as_object()["cost"] = 1;
    easier.at("challenge").at("parameters").as_object()["keyPrefix"] = "";
    EXPECT_TRUE(taken(easier));
    easier.at("solution").as_object()["derivedKey"] = std::string(64, '0');
    EXPECT_FALSE(taken(easier));
    auto other = solved;
    other.at("solution").as_object()["counter"] = -1;
    EXPECT_FALSE(taken(other));
    for (auto text : {"", "=", "%%%", "bnVsbA==", "e30=", "W10=", "eyJjaGFsbGVuZ2UiOnt9fQ=="})
        EXPECT_FALSE(solved_nonce(site.tokens, text, noon)) << text;
    EXPECT_FALSE(solved_nonce(site.tokens, std::string(1'000'000, 'A'), noon));
}

TEST(ProofOfWork, ASolutionPassesOnce) {
    Site site;
    Budgets budgets(site.database, site.tokens, site.settings);
    EXPECT_TRUE(budgets.spend("abc", noon));
    EXPECT_FALSE(budgets.spend("abc", noon + 1min));
    (void)budgets.purge(noon + challenge_lives_for, 500);
    EXPECT_FALSE(budgets.spend("abc", noon + challenge_lives_for));
    EXPECT_TRUE(budgets.spend("abd", noon + 1min));
}

TEST(AddressRules, ASlipInAGreatProvidersNameIsSuggestedAndNothingElse) {
    struct {
        std::string_view given, suggested;
    } const cases[] = {{"Ada@gmial.com", "Ada@gmail.com"},
                       {"ada@gmail.co", "ada@gmail.com"},
                       {"ada@hotmial.com", "ada@hotmail.com"},
                       {"ada@outlok.com", "ada@outlook.com"},
                       {"ada@gmail.com", ""},
                       {"ada@mail.com", ""},
                       {"ada@ymail.com", ""},
                       {"ada@hotmail.fr", ""},
                       {"ada@courier.example", ""},
                       {"ada@gmx.de", ""},
                       {"ada@t-onlin.de", "ada@t-online.de"}};
    for (auto& [given, expected] : cases) EXPECT_EQ(suggested(address(given)).value_or(""), expected) << given;
}

TEST(AddressRules, AddressesOfFunctionsAreKnown) {
    for (auto role : {"info@a.example", "INFO@a.example", "no-reply+x@a.example", "postmaster@a.example"})
        EXPECT_TRUE(is_role(address(role))) << role;
    for (auto person : {"ada@a.example", "informant@a.example", "infos@a.example"})
        EXPECT_FALSE(is_role(address(person))) << person;
}

TEST(AddressRules, ThrowAwayDomainsComeFromTheOperatorsFile) {
    Folder folder;
    auto file = folder.file("disposable", "# ours\n\nmailinator.example # well known\r\nB\xc3\xbc"
                                          "cher.example\n");
    DisposableDomains domains(file);
    EXPECT_EQ(domains.size(), 2u);
    EXPECT_TRUE(domains.contains(address("x@mailinator.example")));
    EXPECT_TRUE(domains.contains(address("x@a.b.Mailinator.example")));
    EXPECT_TRUE(domains.contains(address("x@xn--bcher-kva.example")));
    EXPECT_FALSE(domains.contains(address("x@notmailinator.example")));
    EXPECT_FALSE(domains.contains(address("x@example.org")));
    try {
        DisposableDomains bad(folder.file("bad", "ok.example\nno domain\n"));
        FAIL();
    } catch (const std::runtime_error& error) {
        EXPECT_NE(std::string(error.what()).find("bad:2:"), std::string::npos) << error.what();
    }
    EXPECT_THROW(DisposableDomains(folder.path / "missing"), std::runtime_error);
}

TEST(AddressRules, TheCorpusOfThrowAwayDomainsIsTakenWhole) {
    auto* corpora = std::getenv("POSTRIDER_CORPORA");
    if (!corpora) GTEST_SKIP() << "POSTRIDER_CORPORA is not set";
    auto file = std::filesystem::path(corpora) / "disposable-domains" / "disposable_email_blocklist.conf";
    if (!std::filesystem::exists(file)) GTEST_SKIP() << file << " is not there";
    DisposableDomains domains(file);
    EXPECT_GT(domains.size(), 5000u);
    std::ifstream lines(file);
    for (std::string domain; std::getline(lines, domain);) {
        auto throwaway = mail::parse_address("ada@" + domain);
        EXPECT_TRUE(!throwaway || domains.contains(*throwaway)) << domain;
    }
    for (auto provider : {"gmail.com", "outlook.com", "gmx.net", "proton.me", "t-online.de"})
        EXPECT_FALSE(domains.contains(address(std::string("ada@") + provider))) << provider;
}

}
}
