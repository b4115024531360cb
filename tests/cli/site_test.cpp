#include "cli/command_line.hpp"
#include "storage/connection.hpp"

#include <fstream>

// Making a site, keeping it, and looking after it.

namespace postrider::cli {
namespace {

fs::perms mode_of(const fs::path& path) { return fs::status(path).permissions(); }

}

TEST_F(CommandLine, InitMakesTheFolderWithPrivateKeysAndADatabase) {
    auto done = init();
    ASSERT_EQ(done.status, 0) << done.err;
    EXPECT_EQ(mode_of(site() / "keys"), fs::perms::owner_all);
    EXPECT_EQ(mode_of(site() / "postrider.db") & (fs::perms::group_all | fs::perms::others_all), fs::perms::none);
    EXPECT_TRUE(fs::is_directory(site() / "outbox"));
    EXPECT_EQ(data({"status"}).at("site"), "The \"Courier\"");
}

TEST_F(CommandLine, ASecondInitRefusesAndChangesNothing) {
    ASSERT_EQ(init().status, 0);
    auto before = read(site() / "postrider.toml");
    expect_refused(init(), 1, "nothing was changed");
    EXPECT_EQ(read(site() / "postrider.toml"), before);
}

TEST_F(CommandLine, InitTakesAnEmptyFolderAndNoOther) {
    fs::create_directories(site());
    std::ofstream(site() / "mine") << "x";
    expect_refused(init(), 1, "not empty");
    fs::remove(site() / "mine");
    EXPECT_EQ(init().status, 0);
}

TEST_F(CommandLine, InitWithoutItsFactsNamesTheOptionsAndMakesNothing) {
    expect_refused(on_site({"init", "--yes"}), 2, "--name, --from, --postal-address");
    EXPECT_FALSE(fs::exists(site()));
}

TEST_F(ASite, AWarmUpWithoutFiguresNamesTheKeysItNeeds) {
    std::ofstream(site() / "postrider.toml", std::ios::app)
        << "\n[[relay]]\nname = \"other\"\nurl = \"outbox:\"\nwarm_up_days = 7\n";
    expect_refused(on_site({"relay", "ls"}), 1, "warm_up_from and warm_up_to");
}

TEST_F(CommandLine, InitWithAFactThatCannotBeRightLeavesNothingBehind) {
    auto done = on_site({"init", "--name", "x", "--from", "nobody", "--postal-address", "y", "--yes"});
    expect_refused(done, 1, "postrider.toml:");
    EXPECT_FALSE(fs::exists(site()));
}

TEST_F(CommandLine, InitAsksOnATerminal) {
    auto done = on_site({"init"}, "The Courier\n\nnews@courier.example\n1 Press Square\n\n", {.in = true});
    EXPECT_EQ(done.status, 0) << done.err;
    EXPECT_EQ(data({"status"}).at("site"), "The Courier");
}

TEST_F(ASite, StatusHasWhatADashboardNeeds) {
    auto status = data({"status"});
    expect_keys(status,
                {"site", "daemon", "lists", "issues", "relays_held", "feeds", "feeds_failing", "letters_waiting"});
    EXPECT_EQ(status.at("daemon"), false);
    EXPECT_TRUE(must({"status"}).says("not running"));
}

TEST_F(ASite, StatusNamesARelayInTroubleUntilItTakesMailAgain) {
    storage::Connection database("sqlite:" + (site() / "postrider.db").string());
    database.run("INSERT INTO relay_state (name, held_until, reason, at) VALUES ('main', 1, 'wrong password_file', 1)");
    database.run("INSERT INTO relay_state (name, held_until, reason, at) VALUES ('former', 1, 'gone', 1)");
    EXPECT_TRUE(must({"status"}).says("relay main is being tried again: wrong password_file"));
    EXPECT_EQ(data({"status"}).at("relays_held").as_array().size(), 1u);
    database.run("UPDATE relay_state SET held_until = NULL");
    EXPECT_FALSE(must({"status"}).says("password_file"));
}

TEST_F(ASite, StatusNamesADomainThatIsHeldUntilWhenAndWhy) {
    storage::Connection database("sqlite:" + (site() / "postrider.db").string());
    database.run("INSERT INTO domain_state (name, held_until, reason, at) VALUES ('example.org', 4070908800000, '421 "
                 "4.7.28 slower', 1), "
                 "('example.net', 1, 'long ago', 1)");
    EXPECT_TRUE(must({"status"}).says("domain example.org is held until 2099-01-01 00:00 UTC: 421 4.7.28 slower"));
    auto held = data({"status"}).at("domains_held");
    ASSERT_EQ(held.as_array().size(), 1u);
    expect_keys(held.at(0), {"name", "held_until", "reason"});
}

TEST_F(ASite, StatusFitsATerminalAndBreaksLongReasonsBetweenWords) {
    reader("ada@reader.example");
    story("The ship came in", "https://courier.example/ship");
    must({"issue", "send", "daily"});
    storage::Connection database("sqlite:" + (site() / "postrider.db").string());
    database.run("INSERT INTO relay_state (name, held_until, reason, at) VALUES ('main', 4070908800000, $1, 1)",
                 "535 5.7.8 Authentication credentials invalid; check user of [[relay]] \"main\" and password_file");
    auto done = on_site({"status"}, "", {.out = true});
    std::istringstream lines(done.out);
    std::string line;
    std::getline(lines, line); // names the folder
    while (std::getline(lines, line)) EXPECT_LE(line.size(), 80u) << line;
    EXPECT_TRUE(done.says("relay main is held until 2099-01-01 00:00 UTC: 535 5.7.8")) << done.out;
    EXPECT_TRUE(done.says("issue 1 (daily/1) is scheduled\n  waits for the daemon: `postrider serve`")) << done.out;
}

TEST_F(ASite, DoctorSaysWhatItFindsOnStandardErrorAndTheSumOnStandardOutput) {
    auto done = on_site({"doctor"});
    EXPECT_EQ(done.status, 0) << done.err;
    EXPECT_NE(done.err.find("ok    database:"), std::string::npos) << done.err;
    EXPECT_EQ(std::ranges::count(done.out, '\n'), 1);
    expect_keys(data({"doctor"}), {"ok", "findings"});
}

TEST_F(ASite, DoctorFailsForKeysThatOthersCanRead) {
    fs::permissions(site() / "keys" / "links", fs::perms::others_read, fs::perm_options::add);
    auto done = on_site({"doctor"});
    EXPECT_EQ(done.status, 1);
    EXPECT_NE(done.err.find("chmod 600"), std::string::npos) << done.err;
}

TEST_F(ASite, DoctorFailsForATemplateWithAFault) {
    fs::create_directories(site() / "templates");
    std::ofstream(site() / "templates" / "digest.html.mustache") << "{{#stories}}";
    auto done = on_site({"doctor"});
    EXPECT_EQ(done.status, 1);
    EXPECT_TRUE(done.says("digest.html.mustache:1:1:")) << done.err;
}

TEST_F(ASite, ABackupHoldsTheWholeSiteAndIsForItsOwnerOnly) {
    reader("ada@reader.example");
    auto backup = (folder / "backup.db").string();
    must({"backup", backup});
    EXPECT_EQ(mode_of(backup), fs::perms::owner_read | fs::perms::owner_write);
    EXPECT_FALSE(fs::exists(backup + ".part"));
    expect_refused(on_site({"backup", backup}), 1, "there already");

    auto verified = type({"restore", backup, "--verify"});
    EXPECT_EQ(verified.status, 0) << verified.err;
    EXPECT_TRUE(verified.says("1 subscriber")) << verified.out;

    auto copy = (folder / "copy").string();
    ASSERT_EQ(type({"-C", copy, "restore", backup}).status, 0);
    EXPECT_EQ(read(folder / "copy/keys/links"), read(site() / "keys/links"));
    EXPECT_EQ(mode_of(folder / "copy/keys"), fs::perms::owner_all);
    auto readers = type({"-C", copy, "subscriber", "ls", "--list", "daily", "--json"}).data();
    EXPECT_EQ(readers.at(0).at("address"), "ada@reader.example");
    expect_refused(type({"-C", copy, "restore", backup}), 1, "not empty");
}

// As an older Postrider wrote it, or somebody who means harm.
void unseal(const std::string& backup) {
    auto pages = fs::file_size(backup) / 4096;
    fs::resize_file(backup, pages * 4096);
    storage::Connection("sqlite:" + backup).script("PRAGMA journal_mode=DELETE; PRAGMA application_id=0");
}

TEST_F(ASite, ABitThatFlippedInABackupIsNoticedWhereverItIs) {
    reader("ada@reader.example");
    auto backup = (folder / "backup.db").string();
    must({"backup", backup});
    EXPECT_EQ(type({"restore", backup, "--verify"}).err, "");
    auto whole = read(backup);
    std::vector<std::size_t> places = {0,
                                       68,
                                       whole.find("ada@reader.example"),
                                       whole.find("The Daily"),
                                       whole.size() - 1,
                                       whole.size() - 20,
                                       whole.size() - 80};
    for (std::size_t at = 1000; at < whole.size(); at += whole.size() / 20) places.push_back(at);
    for (auto at : places) {
        auto damaged = whole;
        damaged.at(at) ^= 1;
        (void)file("backup.db", damaged);
        expect_refused(type({"restore", backup, "--verify"}), 1, "backup.db");
        expect_refused(type({"-C", (folder / "copy").string(), "restore", backup}), 1, "backup.db");
    }
    (void)file("backup.db", whole.substr(0, whole.size() / 4096 * 4096));
    expect_refused(type({"restore", backup, "--verify"}), 1, "its end is missing");
}

TEST_F(ASite, ABackupWithoutAChecksumSaysSoAndIsRestored) {
    auto backup = (folder / "backup.db").string();
    must({"backup", backup});
    unseal(backup);
    auto verified = type({"restore", backup, "--verify"});
    EXPECT_EQ(verified.status, 0) << verified.err;
    EXPECT_TRUE(verified.err.contains("has no checksum")) << verified.err;
    EXPECT_EQ(type({"-C", (folder / "copy").string(), "restore", backup}).status, 0);
}

TEST_F(ASite, ABackupThatIsNoneOrWouldLeaveTheFolderIsRefused) {
    expect_refused(type({"restore", file("x.db", std::string(5000, 'x')), "--verify"}), 1, "x.db");
    expect_refused(type({"restore", (site() / "postrider.db").string(), "--verify"}), 1, "no backup");
    auto backup = (folder / "backup.db").string();
    must({"backup", backup});
    unseal(backup);
    storage::Connection("sqlite:" + backup).run("UPDATE kept_file SET path = '../outside' WHERE path = 'keys/links'");
    auto copy = folder / "copy";
    expect_refused(type({"-C", copy.string(), "restore", backup}), 1, "leave the site");
    EXPECT_FALSE(fs::exists(copy));
}

TEST_F(ASite, TemplatesAreListedCopiedAndChecked) {
    auto names = data({"template", "ls"}).as_array();
    EXPECT_TRUE(std::ranges::any_of(names, [](auto& row) { return row.at("name") == "digest.html"; }));
    auto shown = must({"template", "show", "digest.html"}).out;
    must({"template", "edit", "digest.html"});
    EXPECT_EQ(read(site() / "templates/digest.html.mustache"), shown);
    EXPECT_EQ(must({"template", "check"}).err, "");

    std::ofstream(site() / "templates" / "digest.html.mustache")
        << "{{issue.titel}} {{unsubscribe_url}} {{site.postal_address}}";
    auto done = on_site({"template", "check", "digest.html"});
    EXPECT_EQ(done.status, 1);
    EXPECT_NE(done.err.find("digest.html.mustache:1:1:"), std::string::npos) << done.err;
    EXPECT_NE(done.out.find("1 fault"), std::string::npos) << done.out;
    expect_refused(on_site({"template", "show", "digest.htm"}), 1, "did you mean \"digest.html\"?");
}

TEST_F(ASite, AFileOfTheTemplatesThatNothingReadsIsReportedWithTheNearestName) {
    auto put = [&](std::string_view name, std::string_view text) {
        fs::create_directories(site() / "templates");
        std::ofstream(site() / "templates" / name) << text;
    };
    auto foot = "{{unsubscribe_url}} {{site.postal_address}}\n";
    put("weekly.html.mustache", std::string("{{>banner}} ") + foot);
    put("weekly.txt.mustache", foot);
    put("banner.mustache", "Hello");
    put(".digest.html.mustache.swp", "");
    put("digest.html.mustache~", "");
    auto fine = must({"template", "check"});
    EXPECT_EQ(fine.err, "");

    put("digset.html.mustache", foot);
    put("subject", "News");
    put("unrelated.mustache", "");
    auto done = on_site({"template", "check"});
    EXPECT_EQ(done.status, 1);
    EXPECT_EQ(done.error_lines(), 3) << done.err;
    EXPECT_TRUE(done.err.contains("digset.html.mustache:1:1: is not used: no list and no template has this name; did "
                                  "you mean \"digest.html\"?"))
        << done.err;
    EXPECT_TRUE(done.err.contains("subject:1:1: is not read: its name does not end in .mustache")) << done.err;
    EXPECT_TRUE(done.err.contains("unrelated.mustache:1:1: is not used")) << done.err;
    EXPECT_EQ(on_site({"template", "check", "subject"}).status, 0);
}

TEST_F(ASite, HalfADesignThatAListUsesIsAFault) {
    fs::create_directories(site() / "templates");
    for (std::string part : {"html", "txt"})
        std::ofstream(site() / "templates" / ("mine." + part + ".mustache"))
            << must({"template", "show", "digest." + part}).out;
    must({"list", "edit", "daily", "--template", "mine"});
    EXPECT_EQ(on_site({"template", "check"}).status, 0);
    fs::remove(site() / "templates" / "mine.txt.mustache");
    auto done = on_site({"template", "check"});
    EXPECT_EQ(done.status, 1);
    EXPECT_NE(done.err.find("mine.txt.mustache:1:1: a list uses the design mine"), std::string::npos) << done.err;
}

TEST_F(ASite, ATemplateThatNeverEndsHidesNoOtherFault) {
    fs::create_directories(site() / "templates");
    std::ofstream(site() / "templates" / "issue_head.html.mustache") << "{{> issue_head.html}}\n";
    std::ofstream(site() / "templates" / "page_join.html.mustache") << "{{#error}}\n";
    auto done = on_site({"template", "check"});
    EXPECT_EQ(done.status, 1);
    EXPECT_NE(done.err.find("includes itself"), std::string::npos) << done.err;
    EXPECT_NE(done.err.find("page_join.html.mustache:1:1: section"), std::string::npos) << done.err;
    EXPECT_TRUE(done.says("checked")) << done.out;
}

TEST_F(ASite, WhatYouChangedOfATemplateAndWhatAnUpgradeDidIsShownApart) {
    must({"template", "edit", "subject"});
    EXPECT_EQ(must({"template", "diff"}).out, "no difference\n");
    auto built_in = read(site() / "templates/subject.mustache");
    std::ofstream(site() / "templates/subject.mustache") << "News\n" << built_in;
    auto yours = must({"template", "diff", "subject"});
    EXPECT_TRUE(yours.out.starts_with("--- subject (built-in)\n+++ subject (yours)\n@@ -1,")) << yours.out;
    EXPECT_TRUE(yours.out.contains("\n+News\n")) << yours.out;
    EXPECT_EQ(yours.err, "");

    std::ofstream(site() / "templates/.built-in/subject.mustache") << "as it was\n"; // the upgrade
    EXPECT_TRUE(must({"template", "diff", "subject"}).err.contains("has changed since you copied it"));
    EXPECT_TRUE(must({"template", "diff", "subject", "--built-in"}).out.contains("\n-as it was\n"));
    EXPECT_TRUE(must({"template", "ls"}).out.contains("changed; the built-in one has changed since"));
    EXPECT_TRUE(on_site({"doctor"}).err.contains("template subject: the built-in one has changed since you copied it"));
    EXPECT_TRUE(must({"template", "edit", "subject", "--merged"}).out.contains("of today"));
    EXPECT_EQ(must({"template", "diff", "subject", "--built-in"}).out, "no difference\n");
    EXPECT_EQ(must({"template", "diff", "page_home.html"}).err, "page_home.html is the built-in one\n");
    expect_refused(on_site({"template", "edit", "page_home.html", "--merged"}), 1, "nothing to merge");
}

TEST_F(ASite, ATemplatesWarningsAreSaidAndAreNoFault) {
    fs::create_directories(site() / "templates");
    std::ofstream(site() / "templates/digest.html.mustache")
        << "<html lang=\"en\"><img src=\"https://a.example/a.png\">{{unsubscribe_url}} {{site.postal_address}}\n";
    auto done = on_site({"template", "check", "digest.html"});
    EXPECT_EQ(done.status, 0);
    EXPECT_EQ(done.out, "1 template checked, no fault, 1 warning\n");
    EXPECT_TRUE(done.err.starts_with("digest.html.mustache:1:17: warning: <img> has no alt")) << done.err;
    auto data = on_site({"template", "check", "digest.html", "--json"}).data().at("faults").as_array();
    EXPECT_EQ(data.at(0).at("severity").as_string(), "warning");
    EXPECT_TRUE(on_site({"doctor"}).err.contains("warn  template digest.html: digest.html.mustache:1:17: warning:"));
}

TEST_F(ASite, ADesignIsShownAndWeighedWithExampleStories) {
    for (auto* name : {"digest.html", "brief.html", "letter.html"}) {
        auto shown = must({"template", "show", name, "--inlined"}).out;
        EXPECT_TRUE(shown.contains("Forty bakers") || shown.contains("The first ferry")) << name;
        EXPECT_TRUE(shown.contains("https://mail.courier.example/unsubscribe/TOKEN")) << name;
        EXPECT_FALSE(shown.contains("{{")) << name;
    }
    expect_refused(on_site({"template", "show", "page_home.html", "--inlined"}), 1, "is no HTML of a design");

    must({"template", "edit", "brief.html"});
    auto text = read(site() / "templates/brief.html.mustache");
    std::ofstream(site() / "templates/brief.html.mustache")
        << text << "<p>{{#stories}}" << std::string(5'000, 'x') << "{{/stories}}";
    EXPECT_TRUE(on_site({"template", "check"}).err.contains("brief.html.mustache:1:1: warning: the mail has 1"));
}

TEST_F(ASite, DoctorNamesAWordThatAPageMisspells) {
    fs::create_directories(site() / "templates");
    std::ofstream(site() / "templates/page_home.html.mustache") << "{{words.newsleters}}\n";
    EXPECT_TRUE(on_site({"doctor"}).err.contains("page_home.html.mustache:1:1: there is no \"words.newsleters\""));
}

TEST_F(ASite, TheBuiltInRelayClaimsNoEncryption) {
    EXPECT_EQ(data({"relay", "ls"}).at(0).at("tls"), "none");
    EXPECT_FALSE(must({"relay", "ls"}).says("required"));
}

TEST_F(ASite, TheBuiltInRelayIsTestedLikeAnyOther) {
    auto done = on_site({"relay", "test", "--to", "ada@reader.example"});
    EXPECT_EQ(done.status, 0) << done.err;
    EXPECT_TRUE(done.says("main"));
    EXPECT_FALSE(fs::is_empty(site() / "outbox"));
    EXPECT_EQ(data({"relay", "ls"}).at(0).at("name"), "main");
    expect_refused(on_site({"relay", "test", "mian"}), 1, "did you mean \"main\"?");
}

}
