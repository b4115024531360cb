#include "cli/command_line.hpp"
#include "storage/connection.hpp"

// Lists, readers, and who must not be mailed.

namespace postrider::cli {

TEST_F(ASite, AListIsOpenAndWithoutAScheduleUnlessTold) {
    auto list = data({"list", "show", "daily"});
    EXPECT_EQ(list.at("state"), "open");
    EXPECT_TRUE(list.at("schedule").is_null());
    EXPECT_EQ(list.at("welcome"), false);
    EXPECT_EQ(list.at("from"), "The Courier <news@courier.example>");
    EXPECT_EQ(data({"list", "ls"}).as_array().size(), 1u);
}

TEST_F(ASite, AListThatCannotBeIsRefused) {
    expect_refused(on_site({"list", "add", "daily", "--title", "x"}), 1, "daily");
    expect_refused(on_site({"list", "add", "Da ily", "--title", "x"}), 1, "slug");
    expect_refused(on_site({"list", "add", "b", "--title", "x", "--schedule", "0 25 * * *"}), 1, "column");
    expect_refused(on_site({"list", "add", "b", "--title", "x", "--timezone", "Berlin"}), 1, "Europe/Berlin");
    expect_refused(on_site({"list", "add", "b", "--title", "x", "--from", "nobody"}), 1, "nobody");
    expect_refused(on_site({"list", "add", "b", "--title", "x", "--template", "digset"}), 1,
                   "there is no design \"digset\"; did you mean \"digest\"?");
    expect_refused(on_site({"list", "add", "b", "--title", "x", "--look-back", "7 moons"}), 2, "--look-back");
    expect_refused(on_site({"list", "show", "dialy"}), 1, "did you mean \"daily\"?");
    EXPECT_EQ(data({"list", "ls"}).as_array().size(), 1u);
}

TEST_F(ASite, TheLookOfAListIsSetAndShown) {
    auto usual = data({"list", "show", "daily"}).at("look");
    EXPECT_EQ(usual.at("accent"), "#993322");
    EXPECT_TRUE(usual.at("logo").is_null());
    must({"list", "edit", "daily", "--template", "letter", "--accent", "#123", "--background", "#fff", "--fonts",
          "'Times New Roman', serif", "--logo", "https://courier.example/logo.png", "--logo-width", "220", "--intro",
          "Good morning."});
    auto list = data({"list", "show", "daily"});
    EXPECT_EQ(list.at("template"), "letter");
    auto look = list.at("look");
    EXPECT_EQ(look.at("accent"), "#112233");
    EXPECT_EQ(look.at("background"), "#ffffff");
    EXPECT_EQ(look.at("fonts"), "Times New Roman, serif");
    EXPECT_EQ(look.at("logo").at("url"), "https://courier.example/logo.png");
    EXPECT_EQ(look.at("logo").at("width"), 220);
    EXPECT_EQ(look.at("intro"), "Good morning.");
    EXPECT_TRUE(must({"list", "show", "daily"}).says("https://courier.example/logo.png (220 pixels wide)"));
    must({"list", "edit", "daily", "--accent", "none", "--background", "none", "--fonts", "none", "--logo", "none",
          "--intro", "none"});
    EXPECT_EQ(data({"list", "show", "daily"}).at("look"), usual);
}

TEST_F(ASite, ALookThatCannotStandInAMailIsRefused) {
    expect_refused(on_site({"list", "edit", "daily", "--accent", "#fc0"}), 1, "the nearest that will do is #");
    expect_refused(on_site({"list", "edit", "daily", "--accent", "red"}), 1, "write it as #932");
    expect_refused(on_site({"list", "edit", "daily", "--background", "#12345"}), 1, "--background \"#12345\"");
    expect_refused(on_site({"list", "edit", "daily", "--fonts", "serif;color:red"}), 1, "--fonts");
    expect_refused(on_site({"list", "edit", "daily", "--logo", "http://courier.example/l.png"}), 1, "https://");
    expect_refused(on_site({"list", "edit", "daily", "--logo-width", "100"}), 1, "--logo URL");
    expect_refused(on_site({"list", "edit", "daily", "--logo-width", "9999"}), 2, "--logo-width");
    expect_refused(on_site({"list", "edit", "daily", "--intro", "a\nb"}), 1, "--intro");
    expect_refused(on_site({"list", "add", "other", "--title", "x", "--accent", "#fc0"}), 1, "too pale");
    EXPECT_EQ(data({"list", "ls"}).as_array().size(), 1u);
}

TEST_F(ASite, TheDesignsAreSeenSideBySide) {
    must({"list", "edit", "daily", "--template", "brief"});
    auto shown = must({"template", "ls"}).out;
    for (auto* words : {"DESIGN", "a front page", "headlines, and one sentence each", "one story in full"})
        EXPECT_TRUE(shown.contains(words)) << shown;
    for (auto& row : data({"template", "ls"}).as_array())
        if (row.at("name") == "brief.html") {
            EXPECT_EQ(row.at("design"), "brief");
            EXPECT_EQ(row.at("lists"), json::array({"daily"}));
        }
}

TEST_F(ASite, WhatReadersSeeOfAListIsOneLineOfText) {
    for (auto* option : {"--title", "--from", "--description"})
        for (auto* value : {"The\nDaily", "The\x7f", "\x1b[31mDaily", "The\u0085Daily", "The\u2028Daily"})
            expect_refused(on_site({"list", "edit", "daily", option, value}), 1, option);
    expect_refused(on_site({"list", "add", "other", "--title", "The\nDaily"}), 1, "--title");
    expect_refused(on_site({"list", "edit", "daily", "--title", "The\nDaily"}), 1, "control character (U+000A)");
    expect_refused(on_site({"list", "edit", "daily", "--title", "\xff"}), 1, "UTF-8");
    EXPECT_EQ(data({"list", "show", "daily"}).at("title"), "The Daily");
    must({"list", "edit", "daily", "--title", "Größe, שלום, 日刊"});
}

TEST_F(ASite, AnErrorIsOneLineWhateverItQuotes) {
    auto done = on_site({"list", "add", "b", "--title", "x", "--from", "A <a@a.example>\r\nBcc: x@y.example\x1b[2J"});
    expect_refused(done, 1, "--from");
    EXPECT_EQ(done.err.find_first_of("\r\x1b"), std::string::npos);
}

TEST_F(ASite, EditChangesWhatIsNamedAndNothingElse) {
    must({"list", "edit", "daily", "--max", "7", "--look-back", "36h"});
    auto list = data({"list", "show", "daily"});
    EXPECT_EQ(list.at("max"), 7);
    EXPECT_EQ(list.at("look_back"), "36h");
    EXPECT_EQ(list.at("title"), "The Daily");
    must({"list", "archive", "daily"});
    EXPECT_EQ(data({"list", "show", "daily"}).at("state"), "archived");
    expect_refused(on_site({"issue", "send", "daily"}), 1, "archived");
}

TEST_F(ASite, AScheduleIsSetShownAndRehearsed) {
    must({"schedule", "set", "daily", "every day at 07:00", "--timezone", "Europe/Berlin"});
    EXPECT_EQ(data({"schedule", "next", "daily", "--count", "3"}).at("next").as_array().size(), 3u);
    story("The ship came in", "https://courier.example/ship");
    auto days = data({"schedule", "rehearse", "daily", "--days", "5"}).as_array();
    ASSERT_EQ(days.size(), 5u);
    EXPECT_EQ(days[0].at("stories"), 1);
    EXPECT_EQ(days[1].at("stories"), 0);
    EXPECT_TRUE(days[1].at("why_not").is_string());
    expect_refused(on_site({"schedule", "set", "daily", "every blue moon"}), 1, "blue");
    must({"schedule", "set", "daily", "none"});
    expect_refused(on_site({"schedule", "next", "daily"}), 1, "no schedule");
}

TEST_F(ASite, AnAddedSubscriberIsPendingAndGetsOneConfirmationMail) {
    must({"subscriber", "add", "ada@reader.example", "--list", "daily", "--name", "Ada"});
    must({"subscriber", "add", "ada@reader.example", "--list", "daily"});
    auto reader = data({"subscriber", "show", "ada@reader.example"});
    EXPECT_EQ(reader.at("subscriptions").at(0).at("list"), "daily");
    EXPECT_EQ(reader.at("subscriptions").at(0).at("state"), "pending");
    EXPECT_EQ(data({"status"}).at("letters_waiting"), 1);
}

TEST_F(ASite, AConfirmedSubscriberNeedsABasisAndIsActive) {
    expect_refused(on_site({"subscriber", "add", "ada@reader.example", "--list", "daily", "--confirmed"}), 2,
                   "--basis");
    reader("ada@reader.example");
    auto rows = data({"subscriber", "ls", "--list", "daily"}).as_array();
    ASSERT_EQ(rows.size(), 1u);
    expect_keys(rows[0], {"address", "state"});
    EXPECT_EQ(rows[0].at("state"), "active");
    EXPECT_EQ(data({"status"}).at("letters_waiting"), 0);
}

TEST_F(ASite, RemoveTakesAReaderOffAndSaysWhenThereWasNone) {
    reader("ada@reader.example");
    must({"subscriber", "remove", "ada@reader.example", "--list", "daily"});
    auto subscription = data({"subscriber", "show", "ada@reader.example"}).at("subscriptions").at(0);
    EXPECT_EQ(subscription.at("state"), "unsubscribed");
    expect_refused(on_site({"subscriber", "remove", "eve@reader.example", "--list", "daily"}), 1, "eve@reader.example");
    expect_refused(on_site({"subscriber", "show", "eve@reader.example"}), 1, "not known");
    expect_refused(on_site({"subscriber", "show", "eve"}), 1, "eve");
}

TEST_F(ASite, AnImportCountsTheSameDryOrNot) {
    auto csv = file("readers.csv", "email,name\nada@reader.example,Ada\nnobody,X\nbob@reader.example,Bob\n");
    std::vector<std::string> words{"subscriber", "import", csv,           "--list",    "daily",
                                   "--basis",    "a fair", "--confirmed", "--dry-run", "--json"};
    auto dry = must(words).data();
    expect_keys(dry, {"rows", "new", "unchanged", "suppressed", "rejected", "rejections"});
    EXPECT_EQ(data({"subscriber", "ls", "--list", "daily"}).as_array().size(), 0u);
    std::erase(words, "--dry-run");
    auto real = must(words).data();
    EXPECT_EQ(dry, real);
    EXPECT_EQ(real.at("new"), 2);
    EXPECT_EQ(real.at("rejections").at(0).at("line"), 3);
    EXPECT_EQ(must(words).data().at("unchanged"), 2);
    auto exported = must({"subscriber", "export", "--list", "daily"}).out;
    EXPECT_NE(exported.find("ada@reader.example"), std::string::npos);
    expect_refused(on_site({"subscriber", "import", csv, "--list", "daily"}), 2, "--basis");
    expect_refused(on_site({"subscriber", "import", "/nonexistent.csv", "--list", "daily", "--basis", "x"}), 1,
                   "nonexistent");
}

TEST_F(ASite, AnExportIsForItsOwnerOnlyAndReplacesNothingUnlessTold) {
    reader("ada@example.org");
    auto target = (folder / "readers.csv").string();
    must({"subscriber", "export", "--list", "daily", "--output", target});
    auto csv = read(target);
    EXPECT_TRUE(csv.contains("ada@example.org")) << csv;
    EXPECT_EQ(int(fs::status(target).permissions()), 0600);

    (void)file("readers.csv", "mine");
    expect_refused(on_site({"subscriber", "export", "--list", "daily", "--output", target}), 1, "--force");
    EXPECT_EQ(read(target), "mine");
    fs::permissions(target, fs::perms(0644));
    must({"subscriber", "export", "--list", "daily", "--output", target, "--force"});
    EXPECT_EQ(read(target), csv);
    EXPECT_EQ(int(fs::status(target).permissions()), 0600);
    must({"subscriber", "export", "--list", "daily", "--output", "/dev/null"});
    EXPECT_EQ(std::distance(fs::directory_iterator(folder), {}), 2) << "the site and the file, no remains";
}

TEST_F(ASite, EraseAsksAndThenForgetsThePersonAndTheirLetters) {
    must({"subscriber", "add", "ada@reader.example", "--list", "daily"});
    expect_refused(on_site({"subscriber", "erase", "ada@reader.example"}), 1, "--yes");
    auto no = on_site({"subscriber", "erase", "ada@reader.example"}, "n\n", {.in = true});
    EXPECT_EQ(no.status, 1);
    must({"subscriber", "erase", "ada@reader.example", "--yes"});
    EXPECT_EQ(data({"status"}).at("letters_waiting"), 0);
    EXPECT_EQ(data({"subscriber", "ls", "--list", "daily"}), json::array());
    expect_refused(on_site({"subscriber", "import", file("r.csv", "email\n"), "--list", "none", "--basis", "x"}), 1,
                   "none");
}

TEST_F(ASite, WhoIsOnTheSuppressionListIsNotAdded) {
    reader("ada@reader.example");
    must({"suppression", "add", "ada@reader.example", "--reason", "by letter"});
    EXPECT_EQ(data({"subscriber", "show", "ada@reader.example"}).at("subscriptions").at(0).at("state"), "unsubscribed");
    expect_refused(on_site({"subscriber", "add", "ada@reader.example", "--list", "daily"}), 1, "suppression remove");
    auto rows = data({"suppression", "ls"}).as_array();
    ASSERT_EQ(rows.size(), 1u);
    EXPECT_EQ(rows[0].at("reason"), "by letter");
    must({"suppression", "remove", "ada@reader.example"});
    expect_refused(on_site({"suppression", "remove", "ada@reader.example"}), 1, "not on");
}

}
