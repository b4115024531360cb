#include "templates/copies.hpp"
#include "templates/line_diff.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace postrider::templates {
namespace {

std::string diff(std::string_view before, std::string_view after) { return unified_diff(before, after, "a", "b"); }

TEST(LineDiff, WritesWhatDiffWrites) {
    EXPECT_EQ(diff("same\n", "same\n"), "");
    EXPECT_EQ(diff("1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\nfive\n6\n7\n8\n9\n"),
              "--- a\n+++ b\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n");
    EXPECT_EQ(diff("", "x\n"), "--- a\n+++ b\n@@ -0,0 +1,1 @@\n+x\n");
    EXPECT_EQ(diff("x\n", ""), "--- a\n+++ b\n@@ -1,1 +0,0 @@\n-x\n");
    EXPECT_EQ(diff("x", "x\n"), "--- a\n+++ b\n@@ -1,1 +1,1 @@\n-x\n\\ No newline at end of file\n+x\n");
}

TEST(LineDiff, PutsFarChangesIntoHunksOfTheirOwnAndFindsTheFewestLines) {
    EXPECT_EQ(diff("a\nb\nc\nd\ne\nf\ng\nh\ni\nj\n", "b\nc\nd\ne\nf\ng\nh\ni\nx\nj\n"),
              "--- a\n+++ b\n@@ -1,4 +1,3 @@\n-a\n b\n c\n d\n@@ -7,4 +6,5 @@\n g\n h\n i\n+x\n j\n");
    EXPECT_EQ(diff("a\nb\nc\na\nb\nb\na\n", "c\nb\na\nb\na\nc\n"),
              "--- a\n+++ b\n@@ -1,7 +1,6 @@\n-a\n-b\n c\n+b\n a\n b\n-b\n a\n+c\n");
}

TEST(LineDiff, TakesBoundedTimeForTextsWithNothingInCommon) {
    std::string before, after;
    for (int i = 0; i < 100'000; ++i) before += "a" + std::to_string(i) + "\n", after += "b" + std::to_string(i) + "\n";
    EXPECT_GT(diff(before, after).size(), before.size() + after.size());
}

TEST(Copies, TellAnUpgradeFromWhatTheOperatorChanged) {
    auto pattern = (std::filesystem::temp_directory_path() / "postrider-copies-XXXXXX").string();
    std::filesystem::path folder = mkdtemp(pattern.data());
    Library library(folder);
    EXPECT_EQ(copied_from(library, "subject"), std::nullopt);
    remember_built_in(library, "subject");
    EXPECT_EQ(copied_from(library, "subject"), Library::built_in("subject")->text);
    EXPECT_FALSE(built_in_has_changed(library, "subject"));
    std::ofstream(folder / ".built-in" / "subject.mustache") << "as it was";
    EXPECT_TRUE(built_in_has_changed(library, "subject"));
    EXPECT_FALSE(built_in_has_changed(library, "digest.html"));
    EXPECT_FALSE(built_in_has_changed(library, "no such"));
    std::filesystem::remove_all(folder);
}

}
}
