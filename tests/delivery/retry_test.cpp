#include "delivery/retry.hpp"

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

namespace postrider::delivery {
namespace {

using smtp::Stage;

const Time noon = Time(1'800'000'000'000ms);
const RetrySettings settings;

Try tried(Stage stage, std::string_view reply, int number = 1) {
    Try attempt;
    attempt.stage = stage;
    attempt.reply = smtp::reply_from_text(reply).value();
    attempt.number = number;
    attempt.first_began = noon;
    return attempt;
}

Meaning meaning(Stage stage, std::string_view reply) { return meaning_of(stage, smtp::reply_from_text(reply).value()); }

TEST(Retry, GreylistingWaitsFiveMinutesAndIsNotHeldAgainstTheReader) {
    auto verdict = judge(tried(Stage::rcpt, "451 4.7.1 Greylisted, try again later"), settings, noon);
    EXPECT_EQ(std::get<TryAgain>(verdict).at, noon + 5min);
}

TEST(Retry, WaitsGrowAndEndWithRetryFor) {
    Duration last{};
    for (int tries = 1; tries < 8; ++tries) {
        auto wait = wait_after(tries, 0.5, settings);
        EXPECT_GE(wait, last);
        last = wait;
    }
    EXPECT_LE(last, 5h);
    auto late = judge(tried(Stage::rcpt, "451 4.3.0 later", 30), settings, noon + 35h + 59min);
    EXPECT_EQ(std::get<TryAgain>(late).at, noon + 36h);
    EXPECT_TRUE(
        std::holds_alternative<Expired>(judge(tried(Stage::rcpt, "451 4.3.0 later", 31), settings, noon + 36h)));
}

TEST(Retry, NoSuchUserIsRefusedForGood) {
    for (auto reply : {"550 5.1.1 no such user here", "550 User unknown", "550 5.7.1 550 User Unknown",
                       "551 not our user", "553 5.1.3 bad address"})
        EXPECT_TRUE(std::holds_alternative<Refused>(judge(tried(Stage::rcpt, reply), settings, noon))) << reply;
}

TEST(Retry, AFullMailboxIsTriedAgainWhateverItsCode) {
    for (auto reply : {"552 mailbox full", "452 4.2.2 over quota", "550 5.2.2 over quota", "554 mailbox is full"}) {
        EXPECT_EQ(meaning(Stage::rcpt, reply).answer, Answer::later) << reply;
        EXPECT_EQ(meaning(Stage::rcpt, reply).about, About::reader) << reply;
    }
}

TEST(Retry, WhatIsAboutUsIsNeverHeldAgainstTheReader) {
    for (auto reply : {"550 5.7.26 unauthenticated", "421 4.7.28 rate", "550 5.7.515 access denied",
                       "554 5.7.1 blocked by policy", "550 5.7.25 no PTR", "554 5.7.1 <x>: Relay access denied",
                       "530 5.7.0 authentication required", "550 5.7.606 banned sending IP"})
        EXPECT_EQ(meaning(Stage::rcpt, reply).answer, Answer::hold) << reply;
    for (auto stage : {Stage::greeting, Stage::ehlo, Stage::starttls, Stage::auth, Stage::mail})
        for (auto reply : {"421 4.3.2 shutting down", "450 wait", "535 5.7.8 bad login", "550 5.7.1 no", "554 no"}) {
            EXPECT_EQ(meaning(stage, reply).answer, Answer::hold) << reply;
            EXPECT_EQ(meaning(stage, reply).about, About::relay) << reply;
        }
}

TEST(Retry, APolicyCodeOfAProviderIsAboutUsAtEveryPlaceAndWithEveryCode) {
    for (auto stage : {Stage::rcpt, Stage::data, Stage::body})
        for (auto reply : {"421 4.7.0 unusual rate of mail",
                           "421 4.7.28 rate",
                           "451 4.7.27 SPF",
                           "451 4.7.30 DKIM",
                           "451 4.7.31 DMARC",
                           "451 4.7.32 alignment",
                           "451 4.7.40 no DMARC record",
                           "550 5.7.25 PTR",
                           "550 5.7.26 unauthenticated",
                           "550 5.7.27 SPF",
                           "550 5.7.28 spam",
                           "550 5.7.29 TLS",
                           "550 5.7.30 DKIM",
                           "550 5.7.32 alignment",
                           "550 5.7.40 DMARC",
                           "550 5.7.515 access denied",
                           "451 4.7.500 server busy",
                           "451 4.7.650 limited",
                           "550 5.7.606 banned",
                           "550 5.7.708 this address",
                           "550 5.7.23 SPF"}) {
            EXPECT_EQ(meaning(stage, reply).answer, Answer::hold) << reply;
            EXPECT_EQ(meaning(stage, reply).about, About::domain) << reply;
        }
}

TEST(Retry, ALoginIsAskedForSeldomAndABusyRelayOften) {
    auto reply = [](std::string_view text) { return smtp::reply_from_text(text); };
    EXPECT_EQ(closed_for(Stage::connect, std::nullopt, 1), 1s);
    EXPECT_EQ(closed_for(Stage::greeting, reply("421 4.3.2 busy"), 9), 30s);
    EXPECT_EQ(closed_for(Stage::auth, reply("454 4.7.0 later"), 1), 30s);
    EXPECT_EQ(closed_for(Stage::auth, reply("454 4.7.0 later"), 9), 5min);
    EXPECT_EQ(closed_for(Stage::auth, reply("535 5.7.8 no"), 1), 1min);
    EXPECT_EQ(closed_for(Stage::greeting, reply("554 5.7.1 no"), 9), 30min);
}

TEST(Retry, ALoginThatCannotBeCheckedIsNotTheOperatorsFault) {
    EXPECT_EQ(meaning(Stage::auth, "454 4.7.0 later").why.find("password_file"), std::string_view::npos);
    EXPECT_NE(meaning(Stage::auth, "535 5.7.8 no").why.find("password_file"), std::string_view::npos);
}

TEST(Retry, ABrokenConnectionIsNobodysRefusalAndALostAnswerIsUnknown) {
    Try attempt;
    attempt.stage = Stage::rcpt;
    attempt.first_began = noon;
    EXPECT_TRUE(std::holds_alternative<Hold>(judge(attempt, settings, noon)));
    attempt.stage = Stage::body;
    attempt.after_dot = true;
    EXPECT_EQ(std::get<Unknown>(judge(attempt, settings, noon)).again, noon + 5min);
    EXPECT_EQ(std::get<Unknown>(judge(attempt, settings, noon + 36h)).again, std::nullopt);
}

TEST(Retry, AReasonIsOneShortLineThatBeginsWithTheCodes) {
    auto reply = smtp::reply_from_text("550 5.1.1 " + std::string(500, 'x')).value();
    auto reason = reason_of(Stage::rcpt, reply);
    EXPECT_TRUE(reason.starts_with("550 5.1.1 x"));
    EXPECT_LE(reason.size(), 200u);
    reply.text = "two\nlines \xc3\xa9";
    EXPECT_EQ(reason_of(Stage::rcpt, reply).find('\n'), std::string::npos);
}

// The corpus knows hard (the address is dead) and soft (anything else); ours agrees when exactly the hard ones are
// refused.
TEST(Retry, AReasonNamesNobody) {
    auto attempt =
        tried(Stage::rcpt, "550 5.1.1 <Ada@Example.org>: Recipient address rejected: ada@example.org is unknown");
    attempt.recipient = "ada@example.org";
    EXPECT_EQ(std::get<Refused>(judge(attempt, settings, noon)).reason,
              "550 5.1.1 <...>: Recipient address rejected: ... is unknown");
}

TEST(Retry, JudgesRealRepliesAsTheirCollectorsDo) {
    auto* corpora = std::getenv("POSTRIDER_CORPORA");
    if (!corpora) GTEST_SKIP() << "POSTRIDER_CORPORA is not set";
    std::ifstream file(std::string(corpora) + "/smtp-replies/replies.json");
    if (!file) GTEST_SKIP() << "no smtp-replies in POSTRIDER_CORPORA";
    std::stringstream text;
    text << file.rdbuf();
    int judged = 0, agreed = 0;
    for (auto& entry : boost::json::parse(text.str()).as_array()) {
        auto field = [&](const char* name) { return std::string(entry.at(name).as_string()); };
        auto command = field("command");
        auto stage = command == "MAIL"                        ? Stage::mail
                     : command == "DATA"                      ? Stage::body
                     : command == "HELO" || command == "EHLO" ? Stage::ehlo
                                                              : Stage::rcpt;
        smtp::Reply reply;
        auto code = field("replycode");
        if (code.size() != 3) continue;
        reply.code = std::stoi(code);
        if (reply.code < 400) continue;
        auto status = field("status");
        if (status.size() >= 5 && status[0] == code[0] && status.size() < 7) reply.enhanced = status;
        reply.text = field("text");
        ++judged;
        bool hard = entry.at("hardbounce").as_bool();
        bool ours = meaning_of(stage, reply).answer == Answer::refused;
        // "filtered" and "suspend" are dead addresses too, which the corpus counts as soft because it never suppresses
        // on them.
        auto reason = field("reason");
        if (hard == ours || (ours && (reason == "filtered" || reason == "suspend" || reason == "hasmoved")))
            ++agreed;
        else
            std::cout << (hard ? "hard " : "soft ") << reason << " | " << to_text(meaning_of(stage, reply).answer)
                      << " | " << reply.code << " " << reply.enhanced << " | " << reply.text.substr(0, 100) << "\n";
    }
    std::cout << agreed << " of " << judged << " agree\n";
    EXPECT_GE(agreed * 100, judged * 90);
}

}
}
