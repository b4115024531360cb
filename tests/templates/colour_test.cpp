#include "templates/colour.hpp"

#include <gtest/gtest.h>

namespace postrider::templates {
namespace {

Colour colour(std::string_view text) { return parse_colour(text).value(); }

TEST(Colour, IsReadInThreeDigitsOrSixAndWrittenInSix) {
    EXPECT_EQ(to_text(colour("#932")), "#993322");
    EXPECT_EQ(to_text(colour("#EFECE5")), "#efece5");
    for (auto* text : {"", "#", "932", "#93", "#9322", "#99332", "#9933221", "#99332g", "#-12", "#+1 ", "red",
                       "rgb(1,2,3)", "#932;x:y"})
        EXPECT_FALSE(parse_colour(text)) << text;
}

TEST(Colour, ContrastIsThatOfWcag) {
    EXPECT_NEAR(contrast(white, colour("#000")), 21, 0.001);
    EXPECT_NEAR(contrast(white, white), 1, 0.001);
    EXPECT_NEAR(contrast(colour("#777"), white), 4.48, 0.005); // the well-known grey that just fails
    EXPECT_NEAR(contrast(colour("#767676"), white), 4.54, 0.005);
    EXPECT_NEAR(contrast(white, colour("#f00")), 3.998, 0.005);
}

TEST(Colour, TheNearestThatShowsIsItselfWhereItDoesAndElseOfTheSameHue) {
    EXPECT_EQ(nearest_that_shows(colour("#932"), white), colour("#932"));
    EXPECT_EQ(to_text(nearest_that_shows(colour("#777"), white)), "#767676");
    auto orange = nearest_that_shows(colour("#ff8800"), white);
    EXPECT_GE(contrast(orange, white), readable);
    EXPECT_LT(contrast(orange, white), readable + 0.1);
    EXPECT_GT(orange.red, orange.green);
    EXPECT_EQ(orange.blue, 0);
}

TEST(Colour, OneThatShowsIsFoundForEveryColourOnEveryGround) {
    for (int red = 0; red < 256; red += 51)
        for (int green = 0; green < 256; green += 51)
            for (int blue = 0; blue < 256; blue += 51)
                for (Colour ground : {white, Colour{}, colour("#1c1d20"), colour("#777"), colour("#0a0")}) {
                    Colour one{std::uint8_t(red), std::uint8_t(green), std::uint8_t(blue)};
                    EXPECT_GE(contrast(nearest_that_shows(one, ground), ground), readable) << to_text(one);
                }
}

TEST(Colour, OtherLightnessKeepsTheHue) {
    EXPECT_EQ(to_text(of_lightness(colour("#932"), 0.3)), "#7d2a1c");
    EXPECT_EQ(to_text(of_lightness(colour("#00f"), 0.5, 0)), "#808080");
    EXPECT_EQ(to_text(of_lightness(colour("#0a0"), 1)), "#ffffff");
}

}
}
