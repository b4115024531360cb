#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <string>
#include <vector>

// Holds the tree to what the README says of it. The order of the rooms is read from CMakeLists.txt, its only source.

namespace {

namespace fs = std::filesystem;
using Lines = std::vector<std::string>;

const fs::path root = POSTRIDER_SOURCE;

std::string bytes_of(const fs::path& file) {
    std::ifstream stream(root / file);
    return {std::istreambuf_iterator(stream), {}};
}

Lines matches(const std::string& text, const std::regex& pattern) {
    Lines found;
    for (std::sregex_iterator match(text.begin(), text.end(), pattern), end; match != end; ++match)
        found.push_back((*match)[1]);
    return found;
}

// Bottom first.
Lines rooms() { return matches(bytes_of("CMakeLists.txt"), std::regex(R"(\nroom\((\w+))")); }

// Paths from the root; what git does not keep is no part of the tree.
std::vector<fs::path> files_of(const fs::path& folder) {
    std::vector<fs::path> files;
    if (!fs::is_directory(root / folder)) return {folder};
    for (auto& entry : fs::recursive_directory_iterator(root / folder))
        if (entry.is_regular_file() && entry.path().string().find("__pycache__") == std::string::npos)
            files.push_back(fs::relative(entry.path(), root));
    std::ranges::sort(files);
    return files;
}

bool is_source(const fs::path& file) { return file.extension() == ".hpp" || file.extension() == ".cpp"; }

std::string joined(const std::set<std::string>& names) {
    std::string text;
    for (auto& name : names) text += " " + name;
    return text;
}

}

TEST(Structure, ARoomIncludesOnlyRoomsBelowIt) {
    auto order = rooms();
    ASSERT_FALSE(order.empty());
    auto height = [&](const std::string& room) { return std::ranges::find(order, room) - order.begin(); };
    static const std::regex include(R"(#\s*include\s+"(\w+)/)");
    for (auto& file : files_of("src")) {
        if (!is_source(file)) continue;
        auto room = std::next(file.begin())->string(); // src/ROOM/...; main.cpp is above all
        for (auto& used : matches(bytes_of(file), include))
            EXPECT_TRUE(height(used) <= height(room)) << file.string() << " includes upwards, from " << used << "/";
    }
}

TEST(Structure, TheReadmeMapsTheRoomsFromTheTop) {
    auto order = rooms();
    std::ranges::reverse(order);
    EXPECT_EQ(matches(bytes_of("README.md"), std::regex(R"(\n\| `(\w+)/` \|)")), order);
}

TEST(Structure, EverySourceFileStandsInARoom) {
    auto order = rooms();
    for (auto& file : files_of("src")) {
        auto depth = std::distance(file.begin(), file.end());
        EXPECT_TRUE(file == "src/main.cpp" ||
                    (depth == 3 && std::ranges::count(order, std::next(file.begin())->string())))
            << file.string() << " is in no room that CMakeLists.txt names";
        EXPECT_TRUE(is_source(file)) << file.string() << " is no source";
    }
}

TEST(Structure, EveryHeaderIsGuardedAndNoHeaderOpensANamespaceToItsReaders) {
    static const std::regex opened(R"(\n(using namespace (?!std::chrono_literals|std::literals)[\w:]+))");
    for (auto& file : files_of("src")) {
        if (file.extension() != ".hpp") continue;
        auto text = bytes_of(file);
        EXPECT_TRUE(text.starts_with("#pragma once\n")) << file.string();
        EXPECT_TRUE(matches(text, opened).empty()) << file.string() << ": using namespace in a header";
    }
}

TEST(Structure, SchemaFilesAreNumberedOneAfterTheOther) {
    std::vector<std::string> names;
    for (auto& file : files_of("schema")) names.push_back(file.filename().string());
    std::ranges::sort(names);
    ASSERT_FALSE(names.empty());
    for (std::size_t i = 0; i < names.size(); ++i) {
        auto number = std::to_string(1001 + i).substr(1); // three digits
        EXPECT_TRUE(names[i].starts_with(number + "_")) << names[i] << " is not number " << number;
    }
}

TEST(Structure, HeavyLibrariesHaveOneDoor) {
    const std::vector<std::pair<std::regex, std::string>> doors = {
        {std::regex(R"(#include (<boost/beast))"), "http"}, {std::regex(R"(#include (<kainjow))"), "templates"},
        {std::regex(R"(#include (<sqlite3))"), "storage"},  {std::regex(R"(#include (<toml))"), "system"},
        {std::regex(R"(#include (<CLI/))"), "cli"},         {std::regex(R"(#include (<cctz))"), "schedule"},
        {std::regex(R"(#include (<gumbo))"), "stories"},    {std::regex(R"(#include (<libxml))"), "stories"},
    };
    for (auto& file : files_of("src"))
        for (auto& [library, room] : doors)
            EXPECT_TRUE(matches(bytes_of(file), library).empty() || std::next(file.begin())->string() == room)
                << file.string() << " uses a library that only " << room << "/ may touch";
}

TEST(Structure, TheSampleConfigurationShowsEveryKeyThatIsReadAndNoOther) {
    auto site = bytes_of("src/daemon/site.cpp"), sample = bytes_of("config/postrider.toml");
    auto read = matches(
        site,
        std::regex(
            R"re((?:\.(?:text|texts|text_if|required|flag|number|duration|rate|size)\(|choose\(\w+, )"(\w+)")re"));
    auto tables = matches(site, std::regex(R"re(\.tables?\("(\w+)"\))re"));
    auto shown = matches("\n" + sample, std::regex(R"(\n(?:# )?(\w+) = )"));
    auto headings = matches("\n" + sample, std::regex(R"(\n(?:# )?\[\[?(\w+)\])"));
    auto differences = [](const Lines& these, const Lines& those) {
        std::set<std::string> all(these.begin(), these.end());
        for (auto& name : those) all.erase(name);
        return joined(all);
    };
    EXPECT_EQ(differences(read, shown), "") << "read by the program, not in config/postrider.toml";
    EXPECT_EQ(differences(shown, read), "") << "in config/postrider.toml, not read by the program";
    EXPECT_EQ(differences(tables, headings), "");
    EXPECT_EQ(differences(headings, tables), "");
}

// Spelled in two halves, so that this file passes its own test.
TEST(Structure, TheTreeHoldsNoScaffolding) {
    const Lines unwanted = {
        "/wo"
        "rk/main",
        "/wo"
        "rk/shared",
        "../sha"
        "red",
        "/tmp/bu"
        "ild",
        "TO"
        "DO",
        "FIX"
        "ME",
        "XX"
        "X:",
        "<<<<"
        "<<< ",
        ">>>>"
        ">>> ",
        "sub-"
        "agent",
        "sub"
        "agent",
        "language mo"
        "del",
        "chat"
        "bot",
        "AI ass"
        "istant",
        "previous ses"
        "sion",
        "DO NOT SUB"
        "MIT",
    };
    for (auto* place : {"src", "tests", "schema", "templates", "config", ".ci", "dev", "README.md", "CMakeLists.txt",
                        "CMakePresets.json"})
        for (auto& file : files_of(place)) {
            auto text = bytes_of(file);
            for (auto& words : unwanted)
                EXPECT_EQ(text.find(words), std::string::npos) << file.string() << " holds \"" << words << "\"";
        }
}

TEST(Structure, NoFileIsLongerThanAReaderIsPatient) {
    for (auto* folder : {"src", "tests"})
        for (auto& file : files_of(folder)) {
            if (!is_source(file)) continue;
            auto text = bytes_of(file);
            EXPECT_LE(std::ranges::count(text, '\n'), 900) << file.string() << " wants to be two files";
        }
}
