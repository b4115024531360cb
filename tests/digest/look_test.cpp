#include "digest/look.hpp"
#include "storage/migrations.hpp"
#include "subscribers/lists.hpp"
#include "system/embedded.hpp"

#include <boost/json.hpp>
#include <gtest/gtest.h>

namespace postrider::digest {
namespace {

using templates::contrast;
using templates::parse_colour;

TEST(Look, AnAccentThatCannotBeReadIsRefusedWithTheNearestThatCan) {
    EXPECT_EQ(to_text(parse_accent("#932").value()), "#993322");
    auto refused = parse_accent("#fc0");
    ASSERT_FALSE(refused);
    EXPECT_TRUE(refused.error().starts_with("is too pale to be read on white: its contrast is 1.5, 4.5 is needed; the "
                                            "nearest that will do is #"))
        << refused.error();
    auto offered = refused.error().substr(refused.error().rfind('#'));
    EXPECT_TRUE(parse_accent(offered)) << offered;
    EXPECT_FALSE(parse_accent("red"));
}

TEST(Look, FontsAreNamesThatStandInCssWithoutQuotes) {
    EXPECT_EQ(parse_fonts("Georgia,serif"), "Georgia, serif");
    EXPECT_EQ(parse_fonts(" 'Times New Roman' ,\"Helvetica Neue\", sans-serif "),
              "Times New Roman, Helvetica Neue, sans-serif");
    for (auto* text : {"", ",", "Georgia", "Georgia,,serif", "serif;color:red", "x}body{y:z, serif",
                       "Source Sans 3, serif", "url(x), serif", "a\\62, serif", "\"Georgia, serif", "</style>, serif",
                       "Gé, serif", "inherit, serif", "Arial, Initial, serif", "A, B, C, D, E, F, G, H, serif"})
        EXPECT_FALSE(parse_fonts(text)) << text;
    EXPECT_FALSE(parse_fonts(std::string(41, 'x') + ", serif"));
}

TEST(Look, ALogoComesByHttps) {
    EXPECT_TRUE(parse_logo("https://courier.example/logo.png"));
    for (auto* text : {"", "http://courier.example/logo.png", "data:image/png;base64,AA", "/logo.png", "https://",
                       "javascript:1", "https://courier.example/a b.png", "https://courier.example/\"onerror=alert(1)"})
        EXPECT_FALSE(parse_logo(text)) << text;
    EXPECT_FALSE(parse_logo("https://courier.example/" + std::string(1000, 'x')));
}

TEST(Look, InTheDarkEveryAccentCanStillBeRead) {
    const auto sheet = *parse_colour("#1c1d20");
    for (int red = 0; red < 256; red += 17)
        for (int green = 0; green < 256; green += 17)
            for (int blue = 0; blue < 256; blue += 51) {
                Look look;
                look.accent = {std::uint8_t(red), std::uint8_t(green), std::uint8_t(blue)};
                auto content = look_content(look);
                auto dark = parse_colour(content.at("accent_dark").as_string()).value();
                EXPECT_GE(contrast(dark, sheet), 4.5) << content.at("accent").as_string();
            }
}

TEST(Look, TheTemplatesOwnColoursCanBeReadByDayAndByNight) {
    for (auto* text : {"#111", "#332", "#665"}) EXPECT_GE(contrast(*parse_colour(text), templates::white), 4.5) << text;
    for (auto* text : {"#d8d4cb", "#f4f1ea", "#b0aaa0"})
        for (auto* ground : {"#1c1d20", "#2a2b2f"})
            EXPECT_GE(contrast(*parse_colour(text), *parse_colour(ground)), 4.5);
    EXPECT_GE(contrast(*parse_colour("#332"), *parse_colour("#f4f2ec")), 4.5);
}

TEST(Look, OfAListIsKeptAndWithoutOneIsTheUsual) {
    storage::Connection connection("sqlite::memory:");
    storage::migrate(connection, embedded::schema(), {});
    subscribers::List fresh;
    fresh.slug = "daily";
    fresh.sender = "a@b.example";
    auto list = subscribers::Lists(connection).add(fresh, {}).value().id;
    ListLooks looks(connection);
    EXPECT_EQ(looks.of(list).fonts, "Georgia, serif");
    for (int width : {0, 240}) {
        Look look{
            *parse_colour("#123"), *parse_colour("#fff"), "Arial, sans-serif", "https://c.example/l.png", width, 48,
            "Good morning."};
        looks.keep(list, look);
        auto kept = looks.of(list);
        EXPECT_EQ(to_text(kept.accent), "#112233");
        EXPECT_EQ(to_text(kept.background), "#ffffff");
        EXPECT_EQ(kept.fonts, look.fonts);
        EXPECT_EQ(kept.logo_url, look.logo_url);
        EXPECT_EQ(kept.logo_width, width);
        EXPECT_EQ(kept.logo_height, 48);
        EXPECT_EQ(kept.intro, "Good morning.");
    }
}

}
}
