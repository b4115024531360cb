#include "digest/issues.hpp"

#include <fmt/format.h>

#include <array>
#include <unordered_map>

namespace postrider::digest {
namespace {

constexpr std::array<std::string_view, 8> state_names = {"draft",  "held", "scheduled", "sending",
                                                         "paused", "sent", "cancelled", "skipped"};

// A frozen issue is in the state of its mailing.
const std::string selected = R"sql(
    SELECT issue.id, issue.list_id, list.slug, issue.number, coalesce(mailing.state, issue.state), issue.slot, coalesce(issue.reason, ''),
           issue.subject, issue.created_at, issue.frozen_at, issue.mailing_id
    FROM issue JOIN list ON list.id = issue.list_id LEFT JOIN mailing ON mailing.id = issue.mailing_id )sql";

const std::string published_ones = "WHERE issue.list_id = $1 AND mailing.state IN ('sending', 'paused', 'sent') ";

IssueState state_from(std::string_view word) {
    for (std::size_t i = 0; i < state_names.size(); ++i)
        if (word == state_names[i]) return IssueState(i);
    throw storage::Error(storage::Error::Kind::other, fmt::format("\"{}\" is no state of an issue", word));
}

Issue issue_in(const storage::Row& row) {
    return {row.get<IssueId>(0),
            row.get<ListId>(1),
            row.get<std::string>(2),
            row.get<std::optional<int>>(3),
            state_from(row.text(4)),
            row.get<std::optional<Time>>(5),
            row.get<std::string>(6),
            row.get<std::string>(7),
            row.get<Time>(8),
            row.get<std::optional<Time>>(9),
            row.get<std::optional<MailingId>>(10)};
}

}

std::string_view to_text(IssueState state) { return state_names[std::size_t(state)]; }

bool under_way(IssueState state) {
    return state == IssueState::scheduled || state == IssueState::sending || state == IssueState::paused;
}

bool is_published(const Issue& issue) {
    using enum IssueState;
    return issue.number && issue.mailing && (issue.state == sending || issue.state == paused || issue.state == sent);
}

std::optional<Issue> Issues::find(IssueId id) {
    return connection_.first(selected + "WHERE issue.id = $1", issue_in, id);
}

std::optional<Issue> Issues::find(ListId list, int number) {
    return connection_.first(selected + "WHERE issue.list_id = $1 AND issue.number = $2", issue_in, list, number);
}

std::optional<Issue> Issues::of_mailing(MailingId mailing) {
    return connection_.first(selected + "WHERE issue.mailing_id = $1", issue_in, mailing);
}

std::vector<Issue> Issues::of_list(ListId list) {
    return connection_.all(selected + "WHERE issue.list_id = $1 ORDER BY issue.id DESC", issue_in, list);
}

std::vector<Issue> Issues::published(ListId list, std::size_t limit, int before) {
    return connection_.all(selected + published_ones + "AND issue.number < $2 ORDER BY issue.number DESC LIMIT $3",
                           issue_in, list, before, limit);
}

std::optional<Issue> Issues::published_after(ListId list, int number) {
    return connection_.first(selected + published_ones + "AND issue.number > $2 ORDER BY issue.number LIMIT 1",
                             issue_in, list, number);
}

std::vector<Issue> Issues::all() { return connection_.all(selected + "ORDER BY issue.id DESC", issue_in); }

std::vector<Issue> Issues::newest_slots(ListId list, std::size_t most) {
    return connection_.all(selected +
                               "WHERE issue.list_id = $1 AND issue.slot IS NOT NULL ORDER BY issue.slot DESC LIMIT $2",
                           issue_in, list, std::int64_t(most));
}

std::vector<Issue> Issues::awaiting() {
    return connection_.all(selected + R"sql(
        WHERE issue.state IN ('draft', 'held') AND issue.slot IS NOT NULL AND list.state <> 'archived'
        ORDER BY issue.slot, issue.id)sql",
                           issue_in);
}

std::vector<Issue> Issues::held() {
    // The first condition is the one of the index issue_open; the plus keeps SQLite from walking all issues for their
    // order instead.
    return connection_.all(
        selected + "WHERE issue.state IN ('draft', 'held') AND issue.state = 'held' ORDER BY +issue.id", issue_in);
}

std::vector<Considered> Issues::considered(ListId list) {
    std::unordered_map<StoryId, int> used;
    connection_.each(
        R"sql(
        SELECT story_id, coalesce(issue.number, 0) FROM issue_story JOIN issue ON issue.id = issue_id
        WHERE issue_story.list_id = $1)sql",
        [&](const storage::Row& row) { used[row.get<StoryId>(0)] = row.get<int>(1); }, list);
    std::unordered_map<StoryId, int> before;
    connection_.each(
        R"sql(
        SELECT story_id, max(coalesce(issue.number, 0)) FROM issue_story_before JOIN issue ON issue.id = issue_id
        WHERE issue_story_before.list_id = $1 GROUP BY story_id)sql",
        [&](const storage::Row& row) { before[row.get<StoryId>(0)] = row.get<int>(1); }, list);
    std::vector<Considered> result;
    for (auto& candidate : stories::Stories(connection_).of_list(list)) {
        auto issue = used.find(candidate.story.id);
        auto earlier = before.find(candidate.story.id);
        result.push_back({std::move(candidate), issue == used.end() ? std::nullopt : std::optional(issue->second),
                          earlier == before.end() ? std::nullopt : std::optional(earlier->second)});
    }
    return result;
}

std::vector<StoryId> Issues::stories(IssueId id) {
    return connection_.all(
        "SELECT story_id FROM issue_story WHERE issue_id = $1 ORDER BY position",
        [](const storage::Row& row) { return row.get<StoryId>(0); }, id);
}

std::optional<Time> Issues::last_slot(ListId list, Time until) {
    return connection_
        .value<std::optional<Time>>("SELECT max(slot) FROM issue WHERE list_id = $1 AND slot <= $2", list, until)
        .value();
}

bool Issues::skipped_after(ListId list, Time until) {
    return connection_
        .value<std::int64_t>("SELECT 1 FROM issue WHERE list_id = $1 AND slot > $2 AND state = 'skipped' LIMIT 1", list,
                             until)
        .has_value();
}

void Issues::forget_skipped_after(ListId list, Time until) {
    connection_.run("DELETE FROM issue WHERE list_id = $1 AND slot > $2 AND state = 'skipped'", list, until);
}

bool Issues::skip(ListId list, Time slot, std::string_view reason, Time now) {
    return connection_.run(R"sql(
        INSERT INTO issue (list_id, state, slot, reason, created_at) VALUES ($1, 'skipped', $2, $3, $4)
        ON CONFLICT (list_id, slot) DO NOTHING)sql",
                           list, slot, reason, now) == 1;
}

IssueId Issues::draft(ListId list, std::optional<Time> slot, IssueState state, std::span<const StoryId> stories,
                      Time now) {
    storage::Transaction transaction(connection_);
    auto id =
        connection_
            .value<IssueId>("INSERT INTO issue (list_id, state, slot, created_at) VALUES ($1, $2, $3, $4) RETURNING id",
                            list, to_text(state), slot, now)
            .value();
    int position = 0;
    for (auto story : stories)
        connection_.run("INSERT INTO issue_story (list_id, story_id, issue_id, position) VALUES ($1, $2, $3, $4)", list,
                        story, id, position++);
    transaction.commit();
    return id;
}

void Issues::freeze(IssueId id, int number, std::string_view subject, std::string_view content, std::string_view page,
                    std::string_view plain, MailingId mailing, Time now) {
    connection_.run(R"sql(
        UPDATE issue SET state = 'frozen', number = $2, subject = $3, content = $4, page = $5, plain = $6, mailing_id = $7, frozen_at = $8
        WHERE id = $1)sql",
                    id, number, subject, content, page, plain, mailing, now);
}

std::string Issues::content(IssueId id) {
    return connection_.value<std::string>("SELECT content FROM issue WHERE id = $1", id).value();
}

std::string Issues::page(IssueId id) {
    return connection_.value<std::string>("SELECT page FROM issue WHERE id = $1", id).value();
}

std::string Issues::plain(IssueId id) {
    return connection_.value<std::string>("SELECT plain FROM issue WHERE id = $1", id).value();
}

Issues::Again Issues::send_again(ListId list, StoryId story) {
    storage::Transaction transaction(connection_);
    auto state = connection_.value<std::string>(
        R"sql(SELECT issue.state FROM issue_story JOIN issue ON issue.id = issue_id
              WHERE issue_story.list_id = $1 AND story_id = $2)sql",
        list, story);
    if (!state) return Again::never_sent;
    if (*state == "draft" || *state == "held") return Again::in_draft;
    connection_.run(R"sql(
        INSERT INTO issue_story_before (list_id, story_id, issue_id, position)
        SELECT list_id, story_id, issue_id, position FROM issue_story WHERE list_id = $1 AND story_id = $2)sql",
                    list, story);
    connection_.run("DELETE FROM issue_story WHERE list_id = $1 AND story_id = $2", list, story);
    transaction.commit();
    return Again::done;
}

bool Issues::discard(IssueId id) {
    storage::Transaction transaction(connection_);
    bool was_open =
        connection_.run("UPDATE issue SET state = 'cancelled' WHERE id = $1 AND state IN ('draft', 'held')", id) == 1;
    if (was_open) free_stories(id);
    transaction.commit();
    return was_open;
}

void Issues::approve(IssueId id) {
    connection_.run("UPDATE issue SET state = 'draft' WHERE id = $1 AND state = 'held'", id);
}

void Issues::skip_draft(IssueId id, std::string_view reason) {
    storage::Transaction transaction(connection_);
    if (connection_.run("UPDATE issue SET state = 'skipped', reason = $2 WHERE id = $1 AND state IN ('draft', 'held')",
                        id, reason) == 1)
        free_stories(id);
    transaction.commit();
}

void Issues::free_stories(IssueId id) { connection_.run("DELETE FROM issue_story WHERE issue_id = $1", id); }

void Issues::free_story(IssueId id, StoryId story) {
    connection_.run("DELETE FROM issue_story WHERE issue_id = $1 AND story_id = $2", id, story);
}

}
