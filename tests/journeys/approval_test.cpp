#include "digest/approval.hpp"
#include "newsroom.hpp"

namespace postrider {
namespace {

using digest::IssueState;

constexpr std::string_view editor = "editor@courier.example";

// 07:00 in Berlin is 06:00 UTC; the editor has two hours.
class AnEditor : public testing::Test {
protected:
    AnEditor() {
        room.adds_the_feed();
        room.sets_the_schedule("every day at 07:00", "Europe/Berlin");
        room.reader("ada@example.org").is_active();
    }
    void is_asked(digest::Unanswered unanswered) {
        digest::Approvals(room.database()).keep(room.list().id, digest::Approval{2h, unanswered, std::string(editor)});
        room.publishes("The ship came in", "https://courier.example/ship");
        room.passes(70min, 10min);
        ASSERT_EQ(questions(), 1);
        ASSERT_EQ(state(), IssueState::held);
    }
    int questions() { return room.reader(std::string(editor)).mails(); }
    int mails() { return room.reader("ada@example.org").mails(); }
    IssueState state() { return room.issues().at(0).state; }
    std::string link(const std::string& begin) { return room.path_in(room.newest_mail_to(std::string(editor)), begin); }
    // Until after the slot.
    void the_slot_comes() { room.passes(2h, 10min); }

    Newsroom room{"2026-11-24T03:00:00Z"};
};

TEST_F(AnEditor, SeesAnIssueAheadOfItsSlotAndItGoesOutAtTheSlotWithHisWord) {
    is_asked(digest::Unanswered::wait);
    auto question = room.newest_mail_to(std::string(editor));
    EXPECT_TRUE(question.contains("Subject: [For approval] ")) << question;
    EXPECT_TRUE(question.contains("Auto-Submitted: auto-generated"));
    EXPECT_TRUE(question.contains("The ship came in"));
    EXPECT_FALSE(question.contains("List-Unsubscribe"));

    EXPECT_EQ(room.get(link("/approve/")), 200);
    EXPECT_TRUE(room.page().contains("The ship came in") && room.page().contains("<button>Approve</button>"));
    EXPECT_EQ(state(), IssueState::held) << "looking changes nothing";
    EXPECT_EQ(room.post(link("/approve/"), ""), 200);
    EXPECT_TRUE(room.page().contains("The issue is approved")) << room.page();
    EXPECT_EQ(room.post(link("/approve/"), ""), 200) << "a second click is harmless";
    EXPECT_EQ(mails(), 0) << "the slot is still to come";
    the_slot_comes();
    EXPECT_EQ(mails(), 1);
    EXPECT_EQ(state(), IssueState::sent);
    EXPECT_EQ(room.post(link("/stop/"), ""), 200);
    EXPECT_TRUE(room.page().contains("Too late")) << room.page();
    EXPECT_EQ(state(), IssueState::sent);
    EXPECT_EQ(questions(), 1);
}

TEST_F(AnEditor, StopsAnIssueAndItsStoriesAreFreeForTheNext) {
    is_asked(digest::Unanswered::send);
    EXPECT_EQ(room.post(link("/stop/"), ""), 200);
    EXPECT_TRUE(room.page().contains("The issue is stopped")) << room.page();
    EXPECT_EQ(room.post(link("/approve/"), ""), 200);
    EXPECT_TRUE(room.page().contains("The issue is stopped")) << "what happened is said";
    the_slot_comes();
    EXPECT_EQ(mails(), 0);
    EXPECT_EQ(state(), IssueState::cancelled);
    room.passes(22h, 60min);
    EXPECT_EQ(questions(), 2) << "the next day asks again, about the same story";
}

TEST_F(AnEditor, WhoDoesNotAnswerLetsItGoWhereTheListSaysSend) {
    is_asked(digest::Unanswered::send);
    EXPECT_EQ(mails(), 0);
    the_slot_comes();
    EXPECT_EQ(mails(), 1);
}

TEST_F(AnEditor, WhoDoesNotAnswerIsWaitedForWhereTheListSaysWait) {
    is_asked(digest::Unanswered::wait);
    the_slot_comes();
    EXPECT_EQ(mails(), 0);
    EXPECT_EQ(state(), IssueState::held);
    EXPECT_EQ(room.post(link("/approve/"), ""), 200);
    room.settles();
    EXPECT_EQ(mails(), 1) << "at once, as its slot is past";
}

TEST_F(AnEditor, ReadersGetTheWordsAsTheyAreAtTheSlotAndNoStoryThatCameAfterTheQuestion) {
    is_asked(digest::Unanswered::send);
    room.publishes("The ship came in, after all", "https://courier.example/ship"); // an edit: the same story
    room.publishes("Too late for this one", "https://courier.example/late");
    the_slot_comes();
    ASSERT_EQ(mails(), 1);
    auto mail = room.newest_mail_to("ada@example.org");
    EXPECT_TRUE(mail.contains("after all")) << mail;
    EXPECT_FALSE(mail.contains("Too late for this one"));
}

TEST_F(AnEditor, AForeignOrChangedLinkIsTheUniformPage) {
    is_asked(digest::Unanswered::wait);
    auto approve = link("/approve/");
    auto token = approve.substr(std::string_view("/approve/").size());
    EXPECT_EQ(room.post("/stop/" + token, ""), 404) << "a token has one purpose";
    EXPECT_EQ(room.get("/approve/" + token + "x"), 404);
    EXPECT_EQ(room.post("/approve/nonsense", ""), 404);
    EXPECT_EQ(state(), IssueState::held);
}

}
}
