#include "system/ascii.hpp"

#include <gtest/gtest.h>

namespace postrider::system {
namespace {

TEST(Ascii, OnlyItsOwnLettersHaveACase) {
    EXPECT_EQ(lower("AZ az @[`{ \xc3\x89"), "az az @[`{ \xc3\x89");
    EXPECT_TRUE(equal_without_case("Content-TYPE", "content-type"));
    EXPECT_FALSE(equal_without_case("content-type", "content-typ"));
    EXPECT_FALSE(equal_without_case("@", "`"));
    EXPECT_TRUE(equal_without_case("", ""));
}

}
}
