#include "delivery/mailings.hpp"
#include "digest/issues.hpp"
#include "storage/migrations.hpp"
#include "stories/stories.hpp"
#include "subscribers/lists.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace postrider::digest {
namespace {

// A frozen issue with two stories, and a draft with a third.
class Ledger : public testing::Test {
protected:
    Ledger() {
        storage::migrate(connection, embedded::schema(), now);
        list = add_list("daily");
        other_list = add_list("weekly");
        frozen = Issues(connection).draft(list, {}, IssueState::draft, std::vector{story(1), story(2)}, now);
        auto mailing = delivery::Mailings(connection).add(list, "{}", now);
        auto number = subscribers::Lists(connection).take_issue_number(list);
        Issues(connection).freeze(frozen, number, "News", "{}", "page", "plain", mailing, now);
        draft = Issues(connection).draft(list, {}, IssueState::draft, std::vector{story(3)}, now);
        connection.script("PRAGMA foreign_keys=OFF"); // what is planted here, no command could write
    }

    ListId add_list(const std::string& slug) {
        subscribers::List fresh;
        fresh.slug = slug;
        fresh.title = slug;
        fresh.sender = "The Courier <news@courier.example>";
        return subscribers::Lists(connection).add(fresh, now).value().id;
    }
    StoryId story(int number) {
        stories::Story fresh;
        fresh.title = fmt::format("Story {}", number);
        fresh.url = fmt::format("https://courier.example/{}", number);
        fresh.canonical_url = fresh.url;
        return stories::Stories(connection).put(fresh, now).first;
    }
    // Plants, looks, and takes it out again.
    void finds(IssueId issue, const std::string& words, const std::string& planted) {
        storage::Transaction transaction(connection);
        connection.script(planted);
        auto found = Issues(connection).contradictions(issue);
        EXPECT_TRUE(std::ranges::find(found, words) != found.end())
            << planted << "\nis not said to be \"" << words << "\", but: " << testing::PrintToString(found);
    }

    Time now = parse_rfc3339("2026-11-24T06:00:00Z").value();
    storage::Connection connection{"sqlite::memory:"};
    ListId list, other_list;
    IssueId frozen, draft;
};

TEST_F(Ledger, IsSoundInEveryStateOfAnIssue) {
    auto sound = [&](IssueId issue) {
        EXPECT_EQ(Issues(connection).contradictions(issue), std::vector<std::string>());
    };
    sound(frozen);
    sound(draft);
    Issues(connection).discard(draft);
    sound(draft);
    Issues(connection).skip(list, now, "nothing new", now);
    sound(Issues(connection).of_list(list).front().id);
    delivery::Mailings(connection).cancel(Issues(connection).find(frozen)->mailing.value(), now);
    sound(frozen);
    Issues(connection).free_stories(frozen);
    sound(frozen);
}

TEST_F(Ledger, WithAnIssueFrozenByHalfIsFound) {
    auto half = "it is frozen without a mailing, or has one without being frozen";
    finds(frozen, half, "UPDATE issue SET mailing_id = NULL WHERE id = 1");
    finds(frozen, half, "UPDATE issue SET state = 'draft' WHERE id = 1");
    finds(draft, half, "UPDATE issue SET state = 'frozen' WHERE id = 2");
    finds(frozen, "its mailing does not exist", "UPDATE issue SET mailing_id = 77 WHERE id = 1");
    finds(frozen, "its mailing is another list's", "UPDATE mailing SET list_id = 2");
    for (auto column : {"number", "frozen_at", "content", "page", "plain"})
        finds(frozen, "it is frozen without a number, words or pages",
              fmt::format("UPDATE issue SET {} = NULL WHERE id = 1", column));
    finds(draft, "it has a number without being frozen", "UPDATE issue SET number = 2 WHERE id = 2");
    finds(frozen, "its number is higher than the list has counted", "UPDATE list_counter SET last_issue_number = 0");
}

TEST_F(Ledger, WithAStoryUsedTwiceOrForNothingIsFound) {
    auto twice = "INSERT INTO issue_story (list_id, story_id, issue_id, position) VALUES (2, 1, 2, 1)";
    finds(draft, "stories entered for another list: 1", twice);
    finds(draft, "stories that another issue of the list has too: 1", twice);
    finds(frozen, "stories that another issue of the list has too: 1", twice);
    finds(frozen, "stories that share a place: 1", "UPDATE issue_story SET position = 0");
    finds(frozen, "it goes to readers without a story", "DELETE FROM issue_story");
    auto unused = "stories used up although it was skipped or cancelled as a draft: 1";
    finds(draft, unused, "UPDATE issue SET state = 'cancelled' WHERE id = 2");
    finds(draft, unused, "UPDATE issue SET state = 'skipped' WHERE id = 2");
}

}
}
