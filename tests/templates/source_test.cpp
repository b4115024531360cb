#include "support.hpp"
#include "system/embedded.hpp"
#include "templates/source.hpp"

#include <filesystem>
#include <fstream>
#include <unistd.h>

namespace postrider::templates {
namespace {

class LibraryTest : public testing::Test {
protected:
    void SetUp() override { std::filesystem::create_directories(folder); }
    void TearDown() override { std::filesystem::remove_all(folder); }
    void write(const std::string& file, const std::string& text) { std::ofstream(folder / file) << text; }

    std::filesystem::path folder =
        std::filesystem::temp_directory_path() / ("postrider-templates-" + std::to_string(::getpid()) + "-" +
                                                  testing::UnitTest::GetInstance()->current_test_info()->name());
    Library library{folder};
};

TEST_F(LibraryTest, FindsTheOperatorsFileBeforeTheBuiltInOne) {
    for (const embedded::File& file : embedded::templates()) {
        if (!file.name.ends_with(".mustache")) continue;
        std::string name = name_of(file.name);
        EXPECT_EQ(library.get(name).text, file.text);
        write(std::string(file.name), "mine");
        EXPECT_EQ(library.get(name).text, "mine");
        EXPECT_EQ(library.get(name).file, file.name);
        EXPECT_EQ(Library::built_in(name)->text, file.text);
    }
}

TEST_F(LibraryTest, ListsWhatTheOperatorAdded) {
    write("extra.html.mustache", "x");
    write("notes.txt", "no template");
    int added = 0;
    for (const Library::Entry& entry : library.names()) added += entry.origin == Library::Origin::added;
    EXPECT_EQ(added, 1);
    EXPECT_EQ(library.get("extra.html").text, "x");
}

TEST_F(LibraryTest, NamesTheNearestTemplateWhereThereIsNone) {
    write("extra.html.mustache", "x");
    try {
        (void)library.get("extar.html");
        FAIL() << "found";
    } catch (const TemplateError& error) {
        EXPECT_STREQ(error.what(), "there is no template \"extar.html\"; did you mean \"extra.html\"?");
    }
}

TEST_F(LibraryTest, NeverLeavesItsFolder) {
    write("a.mustache", "x");
    for (const char* name : {"../a", "sub/a", "/etc/passwd", "", ".", "..", ".hidden", "a\0b", "a\\b"}) {
        if (std::string_view(name) != "a") EXPECT_FALSE(library.find(name)) << name;
    }
}

TEST_F(LibraryTest, WorksWithoutAFolder) {
    Library none(folder / "missing");
    EXPECT_FALSE(none.find("nothing.html"));
    EXPECT_EQ(none.names().size(), Library(folder).names().size());
}

TEST(Source, ThrowsWithThePathWhereAFileCannotBeRead) {
    EXPECT_THROW((void)read_source("/nonexistent/x.mustache"), TemplateError);
}

}
}
