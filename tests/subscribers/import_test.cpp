#include "subscribers/attributes.hpp"
#include "subscribers/consent.hpp"
#include "subscribers/erase.hpp"
#include "subscribers/export.hpp"
#include "subscribers/import.hpp"
#include "subscribers/site.hpp"

#include <chrono>
#include <thread>

namespace postrider::subscribers {
namespace {

struct Importing : Site {
    ImportOptions options{courier, "joined at the fair, on paper", Standing::confirmed, false};
    ImportHooks hooks;
    ImportReport from(std::string_view csv) {
        return import_readers(database, tokens, settings, folder.file("readers.csv", csv), options, hooks, noon)
            .value();
    }
    std::string fault(std::string_view csv) {
        return import_readers(database, tokens, settings, folder.file("readers.csv", csv), options, hooks, noon)
            .error();
    }
    std::string exported(ListId list, Exported which = Exported::active) {
        std::string text;
        export_readers(database, list, which, [&](std::string_view piece) { text += piece; });
        return text;
    }
};

void adds_up(const ImportReport& report) {
    EXPECT_EQ(report.rows, report.added + report.unchanged + report.suppressed + report.rejected);
}

TEST(Import, ConfirmedReadersAreActiveWithTheBasisAsTheirConsent) {
    Importing site;
    auto report = site.from("email,name,language,timezone,City\n"
                            "ada@example.org,Ada Lovelace,en-GB,Europe/London,\"London, UK\"\n"
                            "bob@example.org,,,,\n");
    EXPECT_EQ(report.rows, 2);
    EXPECT_EQ(report.added, 2);
    auto ada = Subscribers(site.database).find(address("ada@example.org")).value();
    EXPECT_EQ(ada.profile.name, "Ada Lovelace");
    EXPECT_EQ(ada.profile.language, "en-GB");
    EXPECT_EQ(ada.profile.timezone, "Europe/London");
    EXPECT_EQ(parse_attributes(ada.profile.attributes), (Attributes{{"City", "London, UK"}}));
    EXPECT_EQ(Subscribers(site.database).find(address("bob@example.org"))->profile.attributes, "{}");
    auto record = consent_of(site.database, "ada@example.org");
    ASSERT_EQ(record.size(), 1u);
    EXPECT_EQ(record[0].event, "imported");
    EXPECT_EQ(record[0].words, "joined at the fair, on paper");
    EXPECT_EQ(record[0].form, "import readers.csv");
    EXPECT_EQ(record[0].at, noon);
    EXPECT_EQ(site.lists.active_count(site.courier), 2);
    EXPECT_TRUE(site.counters_are_right());
}

TEST(Import, ASecondTimeChangesNothing) {
    Importing site;
    auto csv = "email,name\nada@example.org,Ada\nADA@example.org,Other\nbob@example.org,Bob\n";
    auto first = site.from(csv);
    EXPECT_EQ(first.added, 2);
    EXPECT_EQ(first.unchanged, 1);
    auto second = site.from("email,name\nada@example.org,Changed\nbob@example.org,Bob\n");
    EXPECT_EQ(second.added, 0);
    EXPECT_EQ(second.unchanged, 2);
    EXPECT_EQ(Subscribers(site.database).find(address("ada@example.org"))->profile.name, "Ada");
    EXPECT_TRUE(site.counters_are_right());
}

TEST(Import, NobodyIsBroughtBack) {
    Importing site;
    site.subscriptions.leave(site.reader("left@example.org", site.courier), LeftHow::page, "", noon);
    site.subscriptions.leave(site.reader("other@example.org", site.gazette), LeftHow::page, "", noon);
    site.suppressions.add(address("bounced@example.org"), SuppressionKind::bounce, "550", noon);
    site.reader("erased@example.org", site.courier);
    erase(site.database, site.tokens, address("erased@example.org"), noon);
    std::string csv =
        "email\nleft@example.org\nBounced@example.org\nerased@example.org\nother@example.org\nnew@example.org\n"
        "left@example.org\n";
    site.options.dry_run = true;
    auto dry = site.from(csv);
    site.options.dry_run = false;
    auto real = site.from(csv);
    for (auto& report : {dry, real}) {
        adds_up(report);
        EXPECT_EQ(report.suppressed, 4);
        EXPECT_EQ(report.added, 2);
    }
    EXPECT_FALSE(site.subscriptions.active(site.courier, address("left@example.org")));
    EXPECT_TRUE(
        site.subscriptions.active(site.courier, address("other@example.org"))); // another list is another matter
}

TEST(Import, EveryRejectionHasItsLineAndAReason) {
    Importing site;
    auto report = site.from("email,language,timezone\n"
                            "not an address,,\n"
                            "ada@example.org,en,\n"
                            "bob@example.org,english please,\n"
                            "cyd@example.org,,Europe/Berln\n"
                            "dan@example.org,a,b,c\n"
                            "\"eve@example.org,,\n"
                            "fay@example.org\n");
    adds_up(report);
    EXPECT_EQ(report.rows, 7);
    EXPECT_EQ(report.added, 2);
    ASSERT_EQ(report.rejections.size(), 5u);
    std::vector<std::int64_t> lines;
    for (auto& one : report.rejections) {
        lines.push_back(one.line);
        EXPECT_FALSE(one.reason.empty());
    }
    EXPECT_EQ(lines, (std::vector<std::int64_t>{2, 4, 5, 6, 7}));
    EXPECT_NE(report.rejections[2].reason.find("Europe/Berlin"), std::string::npos);
}

TEST(Import, RejectionsAreCountedAllAndKeptAThousand) {
    Importing site;
    std::string csv = "email\n";
    for (int i = 0; i < 5000; ++i) csv += "nobody\n";
    auto report = site.from(csv);
    EXPECT_EQ(report.rejected, 5000);
    EXPECT_EQ(report.rejections.size(), 1000u);
}

TEST(Import, AnyNumberOfBadLinesHidesNoGoodOneBehindThem) {
    for (bool dry : {true, false}) {
        Importing site;
        site.options.dry_run = dry;
        std::string csv = "email\n";
        for (int i = 0; i < 140'000; ++i) csv += "x\n";
        auto report = site.from(csv + "ada@example.org\n");
        adds_up(report);
        EXPECT_EQ(report.rejected, 140'000);
        EXPECT_EQ(report.added, 1);
    }
}

TEST(Import, AFileThatIsNoListOfReadersIsRefusedWithFileAndLine) {
    Importing site;
    EXPECT_NE(site.fault("name,city\nAda,London\n").find("readers.csv:1: there is no column \"email\""),
              std::string::npos);
    EXPECT_NE(site.fault("").find("is empty"), std::string::npos);
    EXPECT_NE(site.fault("email,Email\n").find("there twice"), std::string::npos);
    auto missing = import_readers(site.database, site.tokens, site.settings, site.folder.path / "nothing.csv",
                                  site.options, {}, noon);
    EXPECT_NE(missing.error().find("nothing.csv"), std::string::npos);
    EXPECT_FALSE(import_readers(site.database, site.tokens, site.settings, site.folder.path, site.options, {}, noon));
}

TEST(Import, TheHeaderIsReadInAnyLetterCaseWithSpacesAndFromSpreadsheets) {
    Importing site;
    EXPECT_EQ(site.from("\xef\xbb\xbf E-Mail ; EMAIL ;Name\r\nx; ada@example.org ;\"A; B\"\r\n").added, 1);
    EXPECT_EQ(Subscribers(site.database).find(address("ada@example.org"))->profile.name, "A; B");
}

TEST(Import, WithoutAConfirmationEachGetsALetterAndIsPending) {
    Importing site;
    site.options.standing = Standing::unasked;
    std::vector<std::string> letters;
    site.hooks.write_letter = [&](const MailConfirmation& mail, const SignUp& sign_up) {
        EXPECT_EQ(mail.id, sign_up.id);
        EXPECT_TRUE(site.database.in_transaction());
        letters.push_back(sign_up.address);
    };
    site.reader("active@example.org", site.courier);
    std::string csv = "email,name\nbob@example.org,Bob\nada@example.org,Ada\nactive@example.org,\nada@example.org,\n";
    site.options.dry_run = true;
    auto dry = site.from(csv);
    EXPECT_TRUE(letters.empty());
    site.options.dry_run = false;
    auto report = site.from(csv);
    for (auto& one : {dry, report}) {
        EXPECT_EQ(one.added, 2);
        EXPECT_EQ(one.unchanged, 2);
    }
    EXPECT_EQ(letters, (std::vector<std::string>{"ada@example.org", "bob@example.org"}));
    EXPECT_EQ(site.subscriptions.of(address("ada@example.org"), noon)[0].state, SubscriptionState::pending);
    EXPECT_EQ(site.from(csv).unchanged, 4); // nobody is asked twice
    EXPECT_EQ(letters.size(), 2u);
}

TEST(Import, ADryRunGivesTheCountsOfTheRealOneAndWritesNothing) {
    Importing site;
    std::string csv = "email,name\n";
    for (int i = 0; i < 3000; ++i) csv += "r" + std::to_string(system::random_below(2500)) + "@example.org,x\n";
    for (int i = 0; i < 300; ++i)
        site.suppressions.add(address("r" + std::to_string(i) + "@example.org"), SuppressionKind::bounce, "", noon);
    csv += "nonsense\n\"\n";
    auto before = site.count("SELECT count(*) FROM subscriber");
    site.options.dry_run = true;
    auto dry = site.from(csv);
    EXPECT_EQ(site.count("SELECT count(*) FROM subscriber"), before);
    site.options.dry_run = false;
    auto real = site.from(csv);
    adds_up(real);
    EXPECT_EQ(dry.rows, real.rows);
    EXPECT_EQ(dry.added, real.added);
    EXPECT_EQ(dry.unchanged, real.unchanged);
    EXPECT_EQ(dry.suppressed, real.suppressed);
    EXPECT_EQ(dry.rejected, real.rejected);
    EXPECT_EQ(site.lists.active_count(site.courier), real.added);
    EXPECT_TRUE(site.counters_are_right());
}

TEST(Import, AnotherWriterGetsItsTurnWhileALongImportRuns) {
    Importing site;
    std::string csv = "email,name\n";
    for (int i = 0; i < 60'000; ++i) csv += "reader" + std::to_string(i * 7919 % 60'000) + "@example.org,Name\n";
    std::int64_t commits = 0;
    site.hooks.progress = [&](const ImportProgress& progress) {
        ++commits;
        // Between two commits nothing is held: a second connection writes at once.
        storage::Connection other("sqlite:" + (site.folder.path / "postrider.db").string());
        storage::Transaction transaction(other);
        transaction.commit();
        EXPECT_LE(progress.bytes_read, progress.bytes_total);
    };
    EXPECT_EQ(site.from(csv).added, 60'000);
    EXPECT_GT(commits, 3);
    EXPECT_TRUE(site.counters_are_right());
}

TEST(Export, WhatWasExportedImportsToTheSameReadersElsewhere) {
    Importing here, there;
    here.from("email,name,language,timezone,city,say\n"
              "ada@example.org,\"Ada \"\"A\"\" L\",en,Europe/London,\"London, UK\",\"two\nlines\"\n"
              "b\xc3\xb6"
              "b@b\xc3\xbc"
              "cher.example,B\xc3\xb6"
              "b,de,,,=1+1\n"
              "cyd@example.org,,,,\"  spaces \",\n");
    here.subscriptions.leave(here.reader("left@example.org", here.courier), LeftHow::page, "", noon);
    auto text = here.exported(here.courier);
    EXPECT_EQ(there.from(text).added, 3);
    EXPECT_EQ(there.exported(there.courier), text);
    EXPECT_EQ(text.find("left@"), text.npos);
    for (auto who : {"ada@example.org", "cyd@example.org"}) {
        auto a = Subscribers(here.database).find(address(who)).value(),
             b = Subscribers(there.database).find(address(who)).value();
        EXPECT_EQ(a.address, b.address);
        EXPECT_EQ(a.profile.name, b.profile.name);
        EXPECT_EQ(a.profile.attributes, b.profile.attributes);
    }
    EXPECT_EQ(here.exported(here.gazette), "email,name,language,timezone\r\n");
}

TEST(Import, TopicsAreTakenFromTheListAndExportedAgain) {
    Importing here, there;
    here.options.topics = there.options.topics = {"World", "Sport, local"};
    auto report = here.from("email,Topics\n"
                            "ada@example.org,\"sport, local; world\"\n"
                            "bob@example.org,\n"
                            "cyd@example.org,World;Gardening\n"
                            "dan@example.org,World\n");
    EXPECT_EQ(report.added, 3);
    ASSERT_EQ(report.rejections.size(), 1u);
    EXPECT_EQ(report.rejections[0].line, 4);
    EXPECT_EQ(report.rejections[0].reason, "the list has no topic \"Gardening\"; it has: World; Sport, local");
    auto text = here.exported(here.courier);
    EXPECT_EQ(text, "email,name,language,timezone,topics\r\n"
                    "ada@example.org,,,,\"World; Sport, local\"\r\n"
                    "bob@example.org,,,,\r\n"
                    "dan@example.org,,,,World\r\n");
    EXPECT_EQ(there.from(text).added, 3);
    EXPECT_EQ(there.exported(there.courier), text);
}

TEST(Import, WhereAListHasNoTopicsAColumnOfThatNameIsAnAttribute) {
    Importing site;
    site.from("email,topics\nada@example.org,World\n");
    EXPECT_EQ(Subscribers(site.database).find(address("ada@example.org"))->profile.attributes, R"({"topics":"World"})");
}

TEST(Export, NoValueIsAFormulaForASpreadsheetAndAllSurviveTheRoundTrip) {
    Importing here, there;
    here.from("email,name,=note\n"
              "+ada@example.org,=HYPERLINK(1),-1\n"
              "bob@example.org,@bob,''=quoted\n");
    auto text = here.exported(here.courier);
    EXPECT_EQ(text, "email,name,language,timezone,'=note\r\n"
                    "'+ada@example.org,'=HYPERLINK(1),,,'-1\r\n"
                    "bob@example.org,'@bob,,,''=quoted\r\n");
    EXPECT_EQ(there.from(text).added, 2);
    EXPECT_EQ(there.exported(there.courier), text);
    auto ada = Subscribers(there.database).find(address("+ada@example.org")).value();
    EXPECT_EQ(ada.profile.name, "=HYPERLINK(1)");
    EXPECT_EQ(parse_attributes(ada.profile.attributes), (Attributes{{"=note", "-1"}}));
}

TEST(Import, ALineWithoutEndEndsTheImportWithItsNumber) {
    Importing site;
    auto fault = site.fault("email\nada@example.org\n" + std::string(12'000'000, 'x'));
    EXPECT_TRUE(fault.ends_with(":3: the line does not end within 10 megabytes; nothing behind it was read")) << fault;
    EXPECT_EQ(site.lists.active_count(site.courier), 1) << "what stood before it is there";
}

// How an address stands on the list now: "active", "unsubscribed", "bounce" on the suppression list, or "absent".
std::string standing(Importing& site, std::string_view text) {
    if (auto found = site.suppressions.find(address(text))) return std::string(to_text(found->kind));
    for (auto& one : site.subscriptions.of(address(text), noon))
        if (one.list == site.courier) return std::string(to_text(one.state));
    return "absent";
}

TEST(Import, AnExportOfMailchimpKeepsWhoLeftAndWhoBounced) {
    Importing site;
    auto subscribed =
        site.from("Email Address,First Name,Last Name,Town,MEMBER_RATING,OPTIN_TIME,CONFIRM_TIME,TIMEZONE,LEID\n"
                  "ada@example.org,Ada,Lovelace,London,2,2024-01-01 10:00:00,2024-01-01 10:01:00,Europe/Nowhere,1\n"
                  "bob@example.org,Bob,,,2,2024-01-01 10:00:00,2024-01-01 10:01:00,Europe/London,2\n");
    EXPECT_EQ(subscribed.written_by, "Mailchimp");
    EXPECT_EQ(subscribed.added, 2);
    auto ada = Subscribers(site.database).find(address("ada@example.org")).value();
    EXPECT_EQ(ada.profile.name, "Ada Lovelace");
    EXPECT_EQ(ada.profile.timezone, "") << "a guess of the other program does not cost a reader";
    EXPECT_EQ(parse_attributes(ada.profile.attributes), (Attributes{{"Town", "London"}}));
    EXPECT_EQ(Subscribers(site.database).find(address("bob@example.org"))->profile.timezone, "Europe/London");

    auto left = site.from("Email Address,First Name,OPTIN_TIME,CONFIRM_TIME,UNSUB_TIME,UNSUB_REASON\n"
                          "gone@example.org,Gone,,,2024-02-01 10:00:00,NORMAL\n"
                          "bob@example.org,Bob,,,2024-02-01 10:00:00,NORMAL\n");
    adds_up(left);
    EXPECT_EQ(left.suppressed, 2);
    EXPECT_EQ(left.unsubscribed, 2);
    auto cleaned = site.from("Email Address,OPTIN_TIME,CONFIRM_TIME,CLEAN_TIME,CLEAN_CAMPAIGN_ID\n"
                             "dead@example.org,,,2024-02-01 10:00:00,abc\n");
    EXPECT_EQ(cleaned.undeliverable, 1);
    EXPECT_EQ(standing(site, "gone@example.org"), "unsubscribed");
    EXPECT_EQ(standing(site, "bob@example.org"), "unsubscribed");
    EXPECT_EQ(standing(site, "dead@example.org"), "bounce");
    EXPECT_EQ(site.from("email\ngone@example.org\ndead@example.org\n").suppressed, 2) << "and they stay out";
    EXPECT_EQ(site.lists.active_count(site.courier), 1);
    EXPECT_TRUE(site.counters_are_right());
}

TEST(Import, AnExportOfListmonkKeepsAttributesAndStates) {
    Importing site;
    auto report = site.from("uuid,email,name,attributes,status,created_at,updated_at\n"
                            "1,ada@example.org,Ada,\"{\"\"city\"\": \"\"London\"\"}\",enabled,2024,2024\n"
                            "2,off@example.org,Off,{},disabled,2024,2024\n"
                            "3,bad@example.org,Bad,{},blocklisted,2024,2024\n"
                            "4,odd@example.org,Odd,{},golden,2024,2024\n");
    adds_up(report);
    EXPECT_EQ(report.written_by, "listmonk");
    EXPECT_EQ(parse_attributes(Subscribers(site.database).find(address("ada@example.org"))->profile.attributes),
              (Attributes{{"city", "London"}}));
    EXPECT_EQ(standing(site, "off@example.org"), "unsubscribed");
    EXPECT_EQ(standing(site, "bad@example.org"), "operator");
    ASSERT_EQ(report.rejections.size(), 1u);
    EXPECT_EQ(report.rejections[0].line, 5);
    EXPECT_TRUE(site.counters_are_right());
}

TEST(Import, AnExportOfMailPoetTakesTheStricterOfItsTwoStates) {
    Importing site;
    auto report =
        site.from("\xef\xbb\xbf\"Email\",\"First name\",\"Last name\",\"List status\",\"Global status\",\"List\"\n"
                  "\"ada@example.org\",\"Ada\",\"L\",\"subscribed\",\"subscribed\",\"News\"\n"
                  "\"idle@example.org\",\"\",\"\",\"subscribed\",\"inactive\",\"News\"\n"
                  "\"left@example.org\",\"\",\"\",\"subscribed\",\"unsubscribed\",\"News\"\n"
                  "\"dead@example.org\",\"\",\"\",\"subscribed\",\"bounced\",\"News\"\n"
                  "\"slow@example.org\",\"\",\"\",\"subscribed\",\"unconfirmed\",\"News\"\n");
    adds_up(report);
    EXPECT_EQ(report.written_by, "MailPoet");
    EXPECT_EQ(report.added, 2);
    EXPECT_EQ(standing(site, "idle@example.org"), "active");
    EXPECT_EQ(standing(site, "left@example.org"), "unsubscribed");
    EXPECT_EQ(standing(site, "dead@example.org"), "bounce");
    EXPECT_EQ(standing(site, "slow@example.org"), "absent");
    ASSERT_EQ(report.rejections.size(), 1u);
    EXPECT_TRUE(report.rejections[0].reason.find("--confirmed") != std::string::npos) << report.rejections[0].reason;
}

TEST(Import, WhatAReaderConfirmedHereWeighsMoreThanAnOldFile) {
    Importing site;
    site.reader("ada@example.org", site.courier);
    record_consent(site.database, {site.courier, "ada@example.org", ConsentEvent::confirmed, noon});
    auto report = site.from("uuid,email,attributes,status\n1,ada@example.org,{},disabled\n");
    EXPECT_EQ(report.unchanged, 1);
    EXPECT_EQ(standing(site, "ada@example.org"), "active");
}

TEST(Import, AColumnThatMaySayWhoLeftIsAskedAboutAndNotTakenForAnAttribute) {
    Importing site;
    auto csv = "email,Kundenstatus\nada@example.org,gold\nbob@example.org,unsubscribed\n";
    auto report = site.from(csv);
    EXPECT_EQ(report.added, 1);
    ASSERT_EQ(report.rejections.size(), 1u);
    EXPECT_NE(report.rejections[0].reason.find("--map \"Kundenstatus=status\""), std::string::npos)
        << report.rejections[0].reason;
    site.options.columns = {{"Kundenstatus", "-"}};
    EXPECT_EQ(site.from(csv).added, 1);
}

TEST(Import, AnAttributeWithTheNameOfAColumnGetsAnotherSoThatTheExportCanBeImported) {
    Importing here, there;
    here.from("uuid,email,attributes,status\n1,ada@example.org,\"{\"\"email\"\": \"\"work\"\", \"\"since\"\": "
              "\"\"2019\"\"}\",enabled\n");
    EXPECT_EQ(there.from(here.exported(here.courier, Exported::all)).added, 1);
    EXPECT_EQ(parse_attributes(Subscribers(there.database).find(address("ada@example.org"))->profile.attributes),
              (Attributes{{"attribute_email", "work"}, {"attribute_since", "2019"}}));
}

TEST(Import, OfAllStatesADryRunGivesTheCountsOfTheRealOne) {
    Importing site;
    auto csv = "uuid,email,attributes,status\n1,a@example.org,{},enabled\n2,b@example.org,{},disabled\n"
               "3,c@example.org,{},blocklisted\n4,d@example.org,{},?\n";
    site.options.dry_run = true;
    auto dry = site.from(csv);
    site.options.dry_run = false;
    auto real = site.from(csv);
    EXPECT_EQ(dry.added, real.added);
    EXPECT_EQ(dry.suppressed, real.suppressed);
    EXPECT_EQ(dry.unsubscribed, real.unsubscribed);
    EXPECT_EQ(dry.undeliverable, real.undeliverable);
    EXPECT_EQ(dry.rejected, real.rejected);
}

TEST(Import, TheOperatorSaysWhatColumnsMean) {
    Importing site;
    site.options.columns = {{"E-Mail", "email"}, {"vorname", "first_name"}, {"Nachname", "last_name"}, {"Ort", "city"},
                            {"Notiz", "-"},      {"Stand", "status"}};
    auto report =
        site.from("E-Mail;Vorname;Nachname;Ort;Notiz;Stand\nada@example.org;Ada;Lovelace;London;geheim;subscribed\n"
                  "bob@example.org;;;;;unsubscribed\n");
    EXPECT_EQ(report.added, 1);
    auto ada = Subscribers(site.database).find(address("ada@example.org")).value();
    EXPECT_EQ(ada.profile.name, "Ada Lovelace");
    EXPECT_EQ(parse_attributes(ada.profile.attributes), (Attributes{{"city", "London"}}));
    EXPECT_EQ(standing(site, "bob@example.org"), "unsubscribed");
    site.options.columns = {{"E-Post", "email"}};
    EXPECT_TRUE(site.fault("E-Mail\nada@example.org\n").find("no column \"E-Post\", only: E-Mail") !=
                std::string::npos);
}

TEST(Import, RejectedRowsAreWrittenSoThatTheyCanBeMendedAndImported) {
    Importing site;
    std::string rejected;
    site.hooks.write_rejected = [&](std::string_view line) { rejected += line; };
    site.from("email,name,town\nada@example.org,Ada,London\nbob@,\"Bob, the\",Graz\n");
    EXPECT_TRUE(rejected.starts_with("rejected_line,rejected_reason,email,name,town\r\n3,")) << rejected;
    auto at = rejected.find("bob@,");
    ASSERT_NE(at, std::string::npos);
    site.hooks.write_rejected = {};
    auto mended = rejected.substr(0, at) + "bob@example.org" + rejected.substr(at + 4);
    EXPECT_EQ(site.from(mended).added, 1);
    auto bob = Subscribers(site.database).find(address("bob@example.org")).value();
    EXPECT_EQ(bob.profile.name, "Bob, the");
    EXPECT_EQ(parse_attributes(bob.profile.attributes), (Attributes{{"town", "Graz"}}));
}

TEST(Export, AllReadersImportElsewhereToTheSameStates) {
    Importing here, there;
    here.from("email,name,town\nada@example.org,Ada,London\nbob@example.org,Bob,\ndead@example.org,,\n");
    here.subscriptions.remove(here.courier, address("bob@example.org"), noon);
    here.suppressions.add(address("dead@example.org"), SuppressionKind::bounce, "550", noon);
    auto report = there.from(here.exported(here.courier, Exported::all));
    EXPECT_EQ(report.written_by, "Postrider");
    EXPECT_EQ(report.added, 1);
    EXPECT_EQ(standing(there, "ada@example.org"), "active");
    EXPECT_EQ(standing(there, "bob@example.org"), "unsubscribed");
    EXPECT_EQ(standing(there, "dead@example.org"), "operator");
    EXPECT_EQ(there.exported(there.courier), here.exported(here.courier));
}

}
}
