#include "subscribers/client_network.hpp"
#include "subscribers/consent.hpp"
#include "subscribers/erase.hpp"
#include "subscribers/import.hpp"
#include "subscribers/site.hpp"

#include <algorithm>

namespace postrider::subscribers {
namespace {

bool whole(Site& site) {
    auto check = check_consent(site.database);
    return !check.broken && !check.cut_off;
}

// What somebody with the file in hand can do.
void behind_the_back(Site& site, const std::string& sql) {
    site.database.script("DROP TRIGGER IF EXISTS consent_is_kept; DROP TRIGGER IF EXISTS consent_is_not_rewritten;" +
                         sql);
}

Site& with_readers(Site& site) {
    (void)site.sign_ups.confirm(site.asked("ada@example.org", site.courier), "192.0.2.9", noon);
    site.reader("bob@example.org", site.courier);
    site.asked("cleo@example.org", site.gazette);
    auto file = site.folder.file("more.csv", "email\ndan@example.org\nemil@example.org\n");
    ImportOptions options{site.gazette, "met at the fair", Standing::confirmed, false};
    (void)import_readers(site.database, site.tokens, site.settings, file, options, {}, noon).value();
    return site;
}

TEST(Consent, AnAskingAndItsConfirmationNameTheWordsTheMailAndEachOther) {
    Site site;
    auto ada = address("ada@example.org");
    Asking asking{site.courier, ada, "Ada", "de-AT", "192.0.2.1", "join page", "Ja, schickt mir den Courier."};
    asking.words_language = "de";
    auto asked = std::get<MailConfirmation>(site.sign_ups.ask(asking, noon));
    (void)site.sign_ups.confirm(asked.id, "192.0.2.9", noon + 1h);
    auto record = consent_of(site.database, "ada@example.org");
    ASSERT_EQ(record.size(), 2u);
    EXPECT_EQ(record[0].language, "de");
    EXPECT_EQ(record[0].mail, asked.mail);
    EXPECT_EQ(record[0].sign_up, asked.id);
    EXPECT_EQ(record[1].sign_up, asked.id);
    EXPECT_EQ(record[1].client, "192.0.2.9");
    EXPECT_EQ(version_of(record[0].words).size(), 8u);
    EXPECT_NE(version_of(record[0].words), version_of("Ja, schickt mir die Gazette."));
}

TEST(Consent, EveryWayIntoTheRecordIsChained) {
    Site site;
    EXPECT_TRUE(whole(site));
    with_readers(site);
    auto check = check_consent(site.database);
    EXPECT_FALSE(check.broken);
    EXPECT_EQ(check.entries, 6);
    EXPECT_EQ(check.head.size(), 32u);
}

TEST(Consent, TheDatabaseRefusesToRewriteTheRecord) {
    Site site;
    with_readers(site);
    for (auto sql :
         {"DELETE FROM consent WHERE id = 2", "UPDATE consent SET words = 'anything'",
          "UPDATE consent SET at = at + 1 WHERE id = 1", "UPDATE consent SET address_key = 'eve@example.org'",
          "UPDATE consent SET client = '192.0.2.10' WHERE client IS NOT NULL",
          "UPDATE consent SET hash = x'00' WHERE id = 3", "UPDATE consent SET form = 'another'"})
        EXPECT_THROW(site.database.run(sql), storage::Error) << sql;
    EXPECT_TRUE(whole(site));
}

TEST(Consent, TheFirstEntryThatWasTamperedWithIsNamed) {
    struct {
        std::string sql;
        std::int64_t broken;
    } const cases[] = {
        {"UPDATE consent SET words = 'All of it, please.' WHERE id = 1", 1},
        {"UPDATE consent SET at = at - 1 WHERE id = 3", 3},
        {"UPDATE consent SET address_key = 'eve@example.org' WHERE id = 3", 3},
        {"UPDATE consent SET client = '192.0.2.77' WHERE id = 2", 2},
        {"UPDATE consent SET mail = 'another' WHERE id = 4", 4},
        {"UPDATE consent SET hash = zeroblob(32) WHERE id = 5", 5},
        {"DELETE FROM consent WHERE id = 3", 4},
        {"INSERT INTO consent (id, list_id, event, at, hash) VALUES (0, 1, 'added', 0, zeroblob(32))", 0},
    };
    for (auto& [sql, broken] : cases) {
        Site site;
        with_readers(site);
        behind_the_back(site, sql);
        for (auto at_once : {50'000, 4, 2, 1})
            EXPECT_EQ(check_consent(site.database, at_once).broken, broken) << sql << " in pieces of " << at_once;
    }
}

TEST(Consent, EntriesMissingAtTheEndAreNoticed) {
    Site site;
    with_readers(site);
    behind_the_back(site, "DELETE FROM consent WHERE id >= 5");
    auto check = check_consent(site.database);
    EXPECT_FALSE(check.broken);
    EXPECT_TRUE(check.cut_off);
    EXPECT_TRUE(check_consent(site.database, 2).cut_off);
    EXPECT_TRUE(check_consent(site.database, 3).cut_off);
}

TEST(Consent, ACheckInPiecesIsThatOfTheWholeRecord) {
    Site site;
    EXPECT_EQ(check_consent(site.database, 1).entries, 0);
    with_readers(site);
    auto all = check_consent(site.database);
    EXPECT_GT(all.entries, 4);
    for (std::int64_t at_once = 1; at_once <= all.entries + 1; ++at_once) {
        auto check = check_consent(site.database, at_once);
        EXPECT_EQ(check.entries, all.entries) << at_once;
        EXPECT_EQ(check.head, all.head) << at_once;
        EXPECT_FALSE(check.broken || check.cut_off) << at_once;
    }
}

TEST(Consent, ForgettingAPersonLeavesTheChainWholeAndASealThatNamesNobody) {
    Site site;
    with_readers(site);
    (void)erase(site.database, site.tokens, address("ada@example.org"), noon + 1h);
    EXPECT_TRUE(whole(site));
    EXPECT_EQ(site.count("SELECT count(*) FROM consent WHERE id <= 2 AND person_salt IS NULL AND client_salt IS NULL"
                         " AND length(person_seal) = 32 AND mail IS NULL AND client IS NULL"),
              2);
    behind_the_back(site, "UPDATE consent SET person_seal = zeroblob(32) WHERE id = 1");
    EXPECT_EQ(check_consent(site.database).broken, 1);
}

TEST(Consent, WhatIsNeverConfirmedIsForgottenAndTheChainStaysWhole) {
    Site site;
    with_readers(site);
    (void)site.sign_ups.purge(noon + 15 * 24h, 500);
    EXPECT_EQ(site.count("SELECT count(*) FROM consent WHERE address_key LIKE 'cleo%'"), 0);
    EXPECT_TRUE(whole(site));
}

TEST(Consent, NetworkAddressesAreCutDownToTheirNetworkOnce) {
    Site site;
    with_readers(site);
    EXPECT_EQ(truncate_clients(site.database, noon, 100), 0);
    EXPECT_EQ(truncate_clients(site.database, noon + 1s, 1), 1);
    EXPECT_EQ(truncate_clients(site.database, noon + 1s, 100), 2);
    EXPECT_EQ(truncate_clients(site.database, noon + 1s, 100), 0);
    EXPECT_EQ(consent_of(site.database, "ada@example.org")[1].client, "192.0.2.0/24");
    EXPECT_TRUE(whole(site));
    (void)erase(site.database, site.tokens, address("ada@example.org"), noon + 1h);
    EXPECT_TRUE(whole(site));
    EXPECT_EQ(wide_network("2001:db8:1:2:3::4"), "2001:db8:1::/48");
    EXPECT_EQ(wide_network("::ffff:192.0.2.1"), "192.0.2.0/24");
    EXPECT_EQ(wide_network("nonsense"), "");
}

TEST(Consent, ARecordFromBeforeTheChainIsChainedAsItIs) {
    Folder folder;
    storage::Connection database("sqlite:" + (folder.path / "old.db").string());
    auto files = embedded::schema();
    auto chain = std::ranges::find_if(files, [](auto& file) { return file.name.contains("consent_chain"); });
    ASSERT_NE(chain, files.end());
    storage::migrate(database, files.first(std::size_t(chain - files.begin())), noon);
    database.script(R"sql(
        INSERT INTO list (slug, title, sender, created_at) VALUES ('courier', 'C', 'n@c.example', 0);
        INSERT INTO consent (list_id, address_key, event, at, words, client, form) VALUES
          (1, 'grüße@müller.example', 'asked', 5, 'Ja: schickt ''mir'' den Courier, täglich.', '192.0.2.1', 'join page'),
          (1, NULL, 'erased', 6, '', NULL, NULL), (1, 'ada@example.org', 'imported', -7, '', NULL, 'import a,b.csv');
        )sql");
    storage::migrate(database, files, noon);
    auto check = check_consent(database);
    EXPECT_EQ(check.entries, 3);
    EXPECT_FALSE(check.broken) << *check.broken;
    record_consent(database, {ListId{1}, "ada@example.org", ConsentEvent::left, noon});
    EXPECT_FALSE(check_consent(database).broken);
}

}
}
