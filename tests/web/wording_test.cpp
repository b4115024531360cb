#include "mail/address.hpp"
#include "mail/message.hpp"
#include "web/kept_mail.hpp"
#include "web/wording.hpp"

#include <gtest/gtest.h>

#include <array>

namespace postrider::web {
namespace {

TEST(Wording, AMaskedAddressTellsItsOwnerEnoughAndNobodyElse) {
    EXPECT_EQ(masked("robin@reader.example"), "r***n@reader.example");
    EXPECT_EQ(masked("ada@reader.example"), "a***@reader.example");
    EXPECT_EQ(masked("jörgö@reader.example"), "j***ö@reader.example");
    EXPECT_EQ(masked("\"a@b\"@reader.example"), "\"***\"@reader.example");
    EXPECT_EQ(masked(""), "");
    EXPECT_EQ(masked("nobody"), "");
}

TEST(Wording, TimesAreRoundedDownToTheLargestUnitOfWhichThereAreTwo) {
    auto words = templates::Languages().words({"en"});
    EXPECT_EQ(expiry_in_words(words, 72h), "The link expires in 3 days.");
    EXPECT_EQ(expiry_in_words(words, 47h), "The link expires in 47 hours.");
    EXPECT_EQ(expiry_in_words(words, 90min), "The link expires in 90 minutes.");
    EXPECT_EQ(expiry_in_words(words, 5s), "The link expires in 1 minute.");
}

TEST(Wording, WhatABrowserAsksForIsReadDearestFirst) {
    using Tags = std::vector<std::string>;
    EXPECT_EQ(languages_in("de-AT, de;q=0.9, en;q=0.8, *;q=0.5"), (Tags{"de-AT", "de", "en"}));
    EXPECT_EQ(languages_in("en;q=0.5 , ar"), (Tags{"ar", "en"}));
    EXPECT_EQ(languages_in("fr;q=0, ja;q=0.001, nl;q=x, ;q=1,,"), (Tags{"ja"}));
    EXPECT_EQ(languages_in(""), Tags());
    EXPECT_LE(languages_in(std::string(1'000'000, ',') + "de").size(), 10u);
}

TEST(KeptMail, ReadsBackWhatWeWrote) {
    auto address = mail::parse_address("ada@example.org").value();
    mail::Heading heading{
        mail::parse_mailbox("The Courier <news@courier.example>").value(),
        {},
        "Grüße aus Ålesund, wo die Fähre wieder fährt, und zwar bis spät in die Nacht hinein — 日本語",
        {},
        mail::Body::alternative};
    mail::Recipient recipient{address, "Åda", "id", {}, {}};
    auto message =
        mail::whole_message(heading, recipient, Time(1'800'000'000'000ms), "Grüße\n.dot =3D\n", "<p>Grüße</p>");
    auto mail = read_mail(message);
    EXPECT_EQ(mail.subject, heading.subject);
    EXPECT_EQ(mail.to, "Åda <ada@example.org>");
    EXPECT_EQ(mail.text.substr(0, mail.text.find("\r\n")), "Grüße");
    EXPECT_NE(mail.text.find(".dot =3D"), std::string::npos);
    EXPECT_NE(mail.html.find("<p>Grüße</p>"), std::string::npos);
}

TEST(KeptMail, SurvivesWhateverStandsInTheFile) {
    for (std::string_view text :
         {"", "\r\n\r\n", "Subject", "Subject: =?utf-8?q?", "Subject: =?utf-8?x?=?=\r\n\r\nx",
          "Subject: =?utf-8?b?!?=\r\n\r\n", "Content-Type: multipart/mixed; boundary=x\r\n\r\n--x",
          "Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n",
          "Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n--x\r\n\r\n--x--"}) {
        for (std::size_t size = 0; size <= text.size(); ++size) (void)read_mail(text.substr(0, size));
        EXPECT_EQ(read_mail(text).html, "");
    }
}

}
}
