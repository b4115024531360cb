#include "subscribers/site.hpp"

namespace postrider::subscribers {
namespace {

TEST(Lists, ASlugIsLowerCaseLettersDigitsAndHyphensAndNeverAnIssueNumber) {
    for (auto good : {"courier", "a", "x-1", "2026-news"}) EXPECT_TRUE(valid_slug(good)) << good;
    for (auto bad : {"", "Courier", "a b", "a/b", "-a", "a-", "12", "\xc3\xa4", "a_b", "a.b"})
        EXPECT_FALSE(valid_slug(bad)) << bad;
    EXPECT_TRUE(valid_slug(std::string(64, 'a')));
    EXPECT_FALSE(valid_slug(std::string(65, 'a')));
}

TEST(Lists, WhatIsAddedIsFoundAgainWithEveryColumn) {
    Site site;
    List list;
    list.slug = "weekly";
    list.title = "Weekly";
    list.description = "Once a week";
    list.state = ListState::private_;
    list.sender = "W <w@courier.example>";
    list.language = "de";
    list.timezone = "Europe/Vienna";
    list.schedule = "every Monday at 07:00";
    list.template_name = "plain";
    list.minimum = 2;
    list.maximum = 9;
    list.look_back = 24h;
    list.approval = list.welcome = true;
    auto added = site.lists.add(list, noon).value();
    auto found = site.lists.find("weekly").value();
    EXPECT_EQ(found.id, added.id);
    EXPECT_EQ(found.title, "Weekly");
    EXPECT_EQ(found.description, "Once a week");
    EXPECT_EQ(found.state, ListState::private_);
    EXPECT_EQ(found.sender, list.sender);
    EXPECT_EQ(found.language, "de");
    EXPECT_EQ(found.timezone, "Europe/Vienna");
    EXPECT_EQ(found.schedule, list.schedule);
    EXPECT_EQ(found.schedule_set_at, noon);
    EXPECT_EQ(found.template_name, "plain");
    EXPECT_EQ(found.minimum, 2);
    EXPECT_EQ(found.maximum, 9);
    EXPECT_EQ(found.look_back, 24h);
    EXPECT_TRUE(found.approval && found.welcome);
    EXPECT_EQ(site.lists.all().size(), 3u);
}

TEST(Lists, ASecondListOfOneSlugIsRefusedAlsoAfterTheFirstWasArchived) {
    Site site;
    site.lists.archive(site.courier);
    List list;
    list.slug = "courier";
    EXPECT_EQ(site.lists.add(list, noon).error(), ListError::duplicate_slug);
    EXPECT_EQ(site.lists.find("courier")->state, ListState::archived);
}

TEST(Lists, OnlyANewRhythmMovesTheMomentFromWhichSlotsAreOwed) {
    Site site;
    auto list = site.lists.find(site.courier).value();
    list.schedule = "daily at 07:00";
    list = site.lists.update(list, noon).value();
    EXPECT_EQ(list.schedule_set_at, noon);
    list.title = "Another title";
    EXPECT_EQ(site.lists.update(list, noon + 1h)->schedule_set_at, noon);
    list.timezone = "Asia/Tokyo";
    EXPECT_EQ(site.lists.update(list, noon + 2h)->schedule_set_at, noon + 2h);
    list.maximum = 0;
    EXPECT_EQ(site.lists.update(list, noon).error(), ListError::bad_limits);
}

TEST(Lists, IssueNumbersAreCountedPerList) {
    Site site;
    EXPECT_EQ(site.lists.take_issue_number(site.courier), 1);
    EXPECT_EQ(site.lists.take_issue_number(site.courier), 2);
    EXPECT_EQ(site.lists.take_issue_number(site.gazette), 1);
}

}
}
