#include "web/colours.hpp"

#include <gtest/gtest.h>

using namespace postrider::web;

namespace {

constexpr std::string_view dark_end = "<style>:root{color-scheme:only dark!important}</style>";
constexpr std::string_view light_end = "<style>:root{color-scheme:only light!important}</style>";

std::string in_the_dark(std::string_view html) {
    auto out = in_colours(html, Colours::dark);
    EXPECT_TRUE(out.ends_with(dark_end));
    return out.substr(0, out.size() - dark_end.size());
}

std::string in_the_light(std::string_view html) {
    auto out = in_colours(html, Colours::light);
    EXPECT_TRUE(out.ends_with(light_end));
    return out.substr(0, out.size() - light_end.size());
}

}

TEST(MailColours, WhatAMailAsksAboutColoursIsAnsweredForIt) {
    constexpr std::string_view mail = "<style>@media (prefers-color-scheme:dark){p{color:#fff}}</style><p>x</p>";
    EXPECT_EQ(in_the_dark(mail), "<style>@media (min-width:0){p{color:#fff}}</style><p>x</p>");
    EXPECT_EQ(in_the_light(mail), "<style>@media (max-width:0){p{color:#fff}}</style><p>x</p>");
}

TEST(MailColours, CaseBlanksAndOtherQuestionsBesideItDoNotMatter) {
    EXPECT_EQ(in_the_dark("<STYLE>@media screen and ( Prefers-Color-Scheme :\n DARK ) and (max-width:480px){}</STYLE>"),
              "<STYLE>@media screen and (min-width:0) and (max-width:480px){}</STYLE>");
    EXPECT_EQ(in_the_dark("<style>@media not ((prefers-color-scheme:light)){}</style>"),
              "<style>@media not ((max-width:0)){}</style>");
    EXPECT_EQ(in_the_light("<style media=\"(prefers-color-scheme:light)\">p{}</style>"),
              "<style media=\"(min-width:0)\">p{}</style>");
}

TEST(MailColours, NothingElseOfAMailChanges) {
    for (std::string_view html : {"", "<p>(prefers-color-scheme:dark)</p>", "<style>a{b:url(x)}", "<style>(((", "<style",
                                  "<style>)(</style>(", "<style>(prefers-color-scheme:dark"})
        EXPECT_EQ(in_the_dark(html), html);
}
