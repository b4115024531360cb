#include "digest/story_body.hpp"
#include "stories/html.hpp"

#include <gtest/gtest.h>

namespace postrider::digest {
namespace {

std::string dressed(std::string_view html, std::string_view shown = "", std::string_view direction = "ltr") {
    return story_body(stories::safe_html(html, "https://courier.example/"), shown, {}, {}, direction);
}

TEST(StoryBody, EveryElementCarriesItsStyles) {
    EXPECT_EQ(dressed("<p>One <a href='/x?a=1&b=2'>two</a></p>"),
              "<p style=\"margin:0 0 18px\">One <a href=\"https://courier.example/x?a=1&amp;b=2\" class=\"k\" "
              "style=\"color:#993322\">two</a></p>");
    EXPECT_TRUE(dressed("<blockquote>x</blockquote>", "", "rtl").contains("border-right:3px"));
    EXPECT_EQ(dressed("1 < 2 & 3"), "1 &lt; 2 &amp; 3");
}

TEST(StoryBody, HeadingsFollowOneAnotherBelowTheTitle) {
    auto levels = [](std::string_view html) {
        std::string found;
        auto body = dressed(html);
        for (auto at = body.find("<h"); at != body.npos; at = body.find("<h", at + 1)) found += body[at + 2];
        return found;
    };
    EXPECT_EQ(levels("<h1>a</h1><h2>b</h2><h2>c</h2>"), "344");
    EXPECT_EQ(levels("<h2>a</h2><h5>b</h5><h6>c</h6><h2>d</h2>"), "3453");
    EXPECT_EQ(levels("<h4>a</h4><h2>b</h2><h3>c</h3>"), "334");
    EXPECT_EQ(levels("<h1>a</h1><h2>b</h2><h3>c</h3><h4>d</h4><h5>e</h5><h6>f</h6>"), "345666");
    auto body = dressed("<h4>a</h4>");
    EXPECT_TRUE(body.ends_with("</h3>")) << body;
}

TEST(StoryBody, PicturesComeByHttpsFitTheSheetAndSayTheirSize) {
    EXPECT_TRUE(dressed("<img src=https://a.example/x.png width=1104 height=800 alt=ship>")
                    .starts_with("<img src=\"https://a.example/x.png\" alt=\"ship\" width=\"552\" height=\"400\""));
    EXPECT_EQ(dressed("<img src=https://a.example/x.png>"),
              "<img src=\"https://a.example/x.png\" alt=\"\" width=\"552\" "
              "style=\"display:block;width:auto;max-width:100%;height:auto;border:0\">");
    EXPECT_EQ(dressed("<img src=http://a.example/x.png>"), "");
    EXPECT_EQ(dressed("<img src=https://a.example/x.png width=2 height=2>"), "");
    EXPECT_EQ(dressed("<img src='https://a.example/x.png?a=1&amp;b=2'>", "https://a.example/x.png?a=1&b=2"), "");
    EXPECT_FALSE(dressed("<img src=https://a.example/smile.png width=16 height=16>").contains("display:block"));
}

TEST(StoryBody, WhatIsNoSafeHtmlIsEscapedAndNotTrusted) {
    EXPECT_EQ(story_body("a < b", "", {}, {}, "ltr"), "a &lt; b");
    EXPECT_EQ(story_body("<<p>", "", {}, {}, "ltr"), "&lt;<p style=\"margin:0 0 18px\">");
    EXPECT_EQ(story_body("<!-- x", "", {}, {}, "ltr"), "&lt;!-- x");
    EXPECT_EQ(story_body("<p", "", {}, {}, "ltr"), "&lt;p");
}

TEST(StoryBody, ASizeIsScaledInItsProportion) {
    EXPECT_EQ(shown_size({1200, 675}, 552).height, 311);
    EXPECT_EQ(shown_size({300, 200}, 552).width, 300);
    EXPECT_EQ(shown_size({99999, 1}, 552).height, 1);
    EXPECT_EQ(shown_size({0, 0}, 552).width, 0);
    EXPECT_EQ(shown_size({1000, 0}, 552).height, 0);
}

}
}
