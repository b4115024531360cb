#include "digest/prose.hpp"

#include <gtest/gtest.h>

namespace postrider::digest {
namespace {

TEST(Prose, IsWrappedBetweenWordsAndKeepsItsLines) {
    EXPECT_EQ(wrapped("one two three", 7), "one two\nthree");
    EXPECT_EQ(wrapped("one\n\ntwo", 72), "one\n\ntwo");
    EXPECT_EQ(wrapped("", 72), "");
    EXPECT_EQ(wrapped("a  b", 72), "a b");
    EXPECT_EQ(wrapped(std::string(100, 'x') + " y", 72), std::string(100, 'x') + "\ny");
}

TEST(Prose, WhatFollowsABulletStandsUnderItsText) {
    EXPECT_EQ(wrapped("- one two three\n- four", 9), "- one two\n  three\n- four");
    EXPECT_EQ(wrapped("12. one two three", 11), "12. one two\n    three");
    EXPECT_EQ(wrapped("  - one two three", 11), "  - one two\n    three");
}

TEST(Prose, JapaneseIsWrappedWithoutSpacesAndNoLineBeginsWithAFullStop) {
    EXPECT_EQ(wrapped("橋の建設を可決した。着工は三月。", 20), "橋の建設を可決した。\n着工は三月。");
    EXPECT_EQ(wrapped("橋の建設を可決した。", 18), "橋の建設を可決し\nた。");
}

TEST(Prose, AnAddressIsNeverBroken) {
    auto address = "https://例え.example/" + std::string(80, 'a') + "/橋の建設";
    EXPECT_EQ(wrapped("Here (" + address + ") and there", 72), "Here\n(" + address + ")\nand there");
}

TEST(Prose, TheFirstSentenceEndsWhereTheLanguageSaysSo) {
    EXPECT_EQ(first_sentence("The council voted for the bridge. It opens on Sunday.", "en", 200),
              "The council voted for the bridge.");
    EXPECT_EQ(first_sentence("They were told by Dr. Stern of the new bridge. It opens.", "en", 200),
              "They were told by Dr. Stern of the new bridge.");
    EXPECT_EQ(first_sentence("九年にわたる公聴会の末、可決した。着工は三月。", "ja", 200),
              "九年にわたる公聴会の末、可決した。");
    EXPECT_EQ(first_sentence("No. It is not. The council wants to think once more.  Then it votes.", "en", 200),
              "No. It is not. The council wants to think once more.");
    EXPECT_EQ(first_sentence("", "en", 200), "");
    EXPECT_EQ(first_sentence("Without an end", "no such language!", 200), "Without an end");
}

TEST(Prose, ALongSentenceIsCut) {
    auto cut = first_sentence(std::string("word ") + std::string(100'000, 'x') + " word word", "en", 20);
    EXPECT_TRUE(cut.ends_with("…")) << cut;
    EXPECT_LT(cut.size(), 30u);
}

}
}
