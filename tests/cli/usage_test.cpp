#include "cli/command.hpp"
#include "cli/command_line.hpp"
#include "cli/output.hpp"
#include "cli/parse.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace postrider::cli {

TEST(Usage, EveryCommandShowsAnExampleOfItselfInItsHelp) {
    for (auto& command : commands()) {
        std::vector<std::string> words{std::string(command.noun)};
        if (!command.verb.empty()) words.emplace_back(command.verb);
        words.emplace_back("--help");
        auto done = type(words);
        EXPECT_EQ(done.status, 0);
        auto name = command.verb.empty() ? std::string(command.noun) : fmt::format("{} {}", command.noun, command.verb);
        EXPECT_TRUE(done.says("Example:\n  postrider ")) << name;
        EXPECT_TRUE(command.example.find(name) != std::string_view::npos) << name;
    }
}

TEST(Usage, TheHelpOfImportNamesEveryMeaningOfAColumn) {
    auto done = type({"subscriber", "import", "--help"});
    for (auto meaning :
         {"email", "first_name", "last_name", "language", "timezone", "topics (", "status", "- to leave"})
        EXPECT_TRUE(done.says(meaning)) << meaning;
    EXPECT_TRUE(done.says("timezone, topics, or attributes")) << "titles that need no --map";
}

// Words of an example, with double quotes as a shell reads them.
std::vector<std::string> words_of(std::string_view example) {
    std::vector<std::string> words(1);
    bool quoted = false;
    for (char c : example) {
        if (c == '"')
            quoted = !quoted;
        else if (c == ' ' && !quoted)
            words.emplace_back();
        else
            words.back() += c;
    }
    return words;
}

TEST(Usage, EveryExampleIsRightUsage) {
    for (auto& command : commands()) {
        auto words = words_of(command.example);
        EXPECT_NO_THROW({
            auto parsed = parse(words, commands());
            EXPECT_EQ(parsed.command, &command) << command.example;
        }) << command.example;
    }
}

TEST(Usage, AnUnknownWordSuggestsTheNearestOne) {
    expect_refused(type({"lsit"}), 2, "did you mean \"list\"?");
    expect_refused(type({"list", "ad"}), 2, "did you mean \"add\"?");
    expect_refused(type({"list", "show", "daily", "--jsn"}), 2, "did you mean \"--json\"?");
    expect_refused(type({"--versoin"}), 2, "did you mean \"--version\"?");
}

TEST(Usage, WhatIsMissingOrTooMuchIsNamed) {
    expect_refused(type({}), 2, "a command is missing");
    expect_refused(type({"list"}), 2, "add, ls, show, edit, archive");
    expect_refused(type({"list", "show"}), 2, "needs SLUG");
    expect_refused(type({"list", "show", "a", "b"}), 2, "\"b\" is too much");
    expect_refused(type({"list", "add", "daily"}), 2, "needs --title TITLE");
    expect_refused(type({"list", "add", "daily", "--title"}), 2, "--title wants a value");
    expect_refused(type({"list", "add", "daily", "--title", "a", "--title", "b"}), 2, "given twice");
    expect_refused(type({"list", "ls", "-C", "here"}), 2, "stands before the command");
    expect_refused(type({"-C"}), 2, "-C needs");
}

TEST(Usage, AnOptionMayBeWrittenWithAnEqualsSignAndAnywhereBehindTheVerb) {
    auto parsed = parse(std::vector<std::string>{"list", "add", "--title=A=B", "daily"}, commands());
    EXPECT_EQ(parsed.options.at("--title"), std::vector<std::string>{"A=B"});
    EXPECT_EQ(parsed.arguments, std::vector<std::string>{"daily"});
}

TEST(Usage, AnOptionThatCountsOnceIsRefusedASecondTime) {
    expect_refused(type({"-C", "a", "-C", "b", "list", "ls"}), 2, "-C is given twice");
    expect_refused(type({"-Ca", "-C", "b", "list", "ls"}), 2, "-C is given twice");
    expect_refused(type({"list", "ls", "--json", "--json"}), 2, "--json is given twice");
    auto parsed =
        parse(std::vector<std::string>{"template", "render", "a", "--partials", "b", "--partials", "c"}, commands());
    EXPECT_EQ(parsed.options.at("--partials"), (std::vector<std::string>{"b", "c"}));
}

TEST(Usage, AnOptionIsNotTakenForTheValueOfTheOneBeforeIt) {
    expect_refused(type({"list", "add", "daily", "--title", "--min", "3"}), 2, "--title wants a value");
    auto parsed =
        parse(std::vector<std::string>{"list", "add", "daily", "--title=--min", "--description", "-30 %"}, commands());
    EXPECT_EQ(parsed.options.at("--title"), std::vector<std::string>{"--min"});
    EXPECT_EQ(parsed.options.at("--description"), std::vector<std::string>{"-30 %"});
}

TEST(Usage, BehindTwoDashesNothingIsAnOption) {
    auto parsed = parse(std::vector<std::string>{"subscriber", "check", "--", "--json"}, commands());
    EXPECT_EQ(parsed.arguments, std::vector<std::string>{"--json"});
}

TEST(Usage, TheVersionIsOneLine) { EXPECT_EQ(type({"--version"}).out, "postrider " POSTRIDER_VERSION "\n"); }

TEST(Usage, AFolderWithoutASiteIsNamedWithTheNextThingToDo) {
    expect_refused(type({"-C", "/nonexistent", "list", "ls"}), 1, "`postrider -C /nonexistent init`");
}

TEST(Output, ATableIsAlignedByWhatATerminalShows) {
    std::ostringstream out;
    Table table({"A", "B"});
    table.row({"日本", "x"});
    table.row({"ü", "y"});
    table.print(out, {});
    EXPECT_EQ(out.str(), "A     B\n日本  x\nü     y\n");
}

TEST(Output, ColourIsForTerminalsOnly) {
    std::ostringstream plain, coloured;
    Table table({"A"});
    table.print(plain, {});
    table.print(coloured, {.out = true, .colour = true});
    EXPECT_EQ(plain.str(), "A\n");
    EXPECT_NE(coloured.str().find("\x1b["), std::string::npos);
}

TEST(Output, WhatIsTooLongIsCutBetweenCharacters) {
    EXPECT_EQ(shortened("Grüße", 5), "Grüße");
    EXPECT_EQ(shortened("Grüße aus", 5), "Grüß…");
}

}
