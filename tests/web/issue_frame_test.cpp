#include "web/issue_frame.hpp"

#include <gtest/gtest.h>

namespace postrider::web {
namespace {

TEST(IssueFrame, TheIssueIsTheMainPartBetweenTopAndEnd) {
    EXPECT_EQ(framed("<html><head></head><body class=\"b\"><p>x</p></body></html>", "T", "E"),
              "<html><head></head><body class=\"b\">T<main><p>x</p></main>E</body></html>");
}

TEST(IssueFrame, AQuotedSignDoesNotEndTheBodyTag) {
    EXPECT_EQ(framed("<BODY title='a>b' class=\"c>d\">x</Body>", "T", "E"),
              "<BODY title='a>b' class=\"c>d\">T<main>x</main>E</Body>");
}

TEST(IssueFrame, ABodyInACommentIsNone) {
    EXPECT_EQ(framed("<!-- <body> --><body>x</body>", "T", "E"), "<!-- <body> --><body>T<main>x</main>E</body>");
}

TEST(IssueFrame, ABodyThatIsNeverClosedEndsWithTheFile) {
    EXPECT_EQ(framed("<body>x", "T", "E"), "<body>T<main>x</main>E");
}

TEST(IssueFrame, WhatHasNoBodyStaysAsItIs) {
    for (auto* html : {"", "<p>x</p>", "<bodysuit>", "</body>", "<body", "<body class='x>y"})
        EXPECT_EQ(framed(html, "T", "E"), html);
}

}
}
