#include "web/entry.hpp"

#include <gtest/gtest.h>

namespace postrider::web {
namespace {

std::string fault(std::string_view body) {
    auto entry = entry_in_json(body);
    return entry ? "none" : entry.error();
}

TEST(EntryInJson, TextsAreTakenAndWhatElseIsThereIsLeftAlone) {
    auto entry = entry_in_json(R"({"topics": [{"email": "no"}, 1.5, null], "\u0065mail": "ada\u0040example.org",
                                   "name": "Ada \"A\" Löw", "language": 7, "more": true})");
    ASSERT_TRUE(entry) << entry.error();
    EXPECT_EQ(entry->email, "ada@example.org");
    EXPECT_EQ(entry->name, "Ada \"A\" Löw");
    EXPECT_EQ(entry->language, "");
    EXPECT_FALSE(entry->trapped);
    EXPECT_TRUE(entry_in_json(R"({"website": "x"})")->trapped);
    EXPECT_TRUE(entry_in_json("{}"));
}

TEST(EntryInJson, AMemberThatIsThereTwiceIsRefusedHoweverItIsSpelled) {
    EXPECT_EQ(fault(R"({"email": "a@example.org", "email": "b@example.org"})"), "The JSON has \"email\" twice.");
    EXPECT_EQ(fault(R"({"email": "a@example.org", "\u0065mail": 1})"), "The JSON has \"email\" twice.");
    EXPECT_EQ(fault(R"({"a": {"b": 1, "b": 2}})"), "none") << "nobody reads what is inside";
}

TEST(EntryInJson, WhatIsBrokenIsNamedWithItsPlace) {
    EXPECT_EQ(fault("{\"email\": \"ada@example.org\",\n \"näme\" 1}"),
              "The JSON cannot be read: syntax error at line 2, column 9.");
    EXPECT_TRUE(fault("").starts_with("The JSON cannot be read: ")) << fault("");
    EXPECT_TRUE(fault("{\"email\": \"ada").starts_with("The JSON cannot be read: incomplete JSON at line 1, column "))
        << fault("{\"email\": \"ada");
    EXPECT_TRUE(fault("{} {}").ends_with(" at line 1, column 4.")) << fault("{} {}");
    EXPECT_TRUE(fault("email=ada%40example.org").ends_with(" at line 1, column 1."));
    EXPECT_TRUE(fault("{\"email\": \"\xff\"}").starts_with("The JSON cannot be read: "));
    EXPECT_TRUE(fault(std::string(10'000, '[')).starts_with("The JSON must be an object"));
    EXPECT_TRUE(fault("{\"a\":" + std::string(10'000, '[')).starts_with("The JSON cannot be read: "));
}

TEST(EntryInJson, WhatIsNoObjectSaysSo) {
    for (auto* body : {"[]", "7", "\"ada@example.org\"", "null", "true", "1.5"})
        EXPECT_TRUE(fault(body).starts_with("The JSON must be an object")) << body << fault(body);
}

}
}
