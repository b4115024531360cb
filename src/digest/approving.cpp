#include "delivery/letters.hpp"
#include "digest/approval.hpp"
#include "digest/publishing.hpp"
#include "schedule/schedule.hpp"
#include "templates/words.hpp"

#include <fmt/format.h>

#include <algorithm>

// The part of Publishing that waits for an editor.

namespace postrider::digest {
namespace {

constexpr Duration asked_for = 72h;       // the letter is tried so long
constexpr std::size_t most_at_once = 100; // slots within the time ahead: a schedule may say "every minute"

}

// A held draft with its stories, and the letter that asks; or the slot is skipped.
Outcome Publishing::ask(const subscribers::List& list, const Approval& approval, Time slot, Time now) {
    storage::Transaction transaction(connection_);
    auto outcome = draft(list, slot, IssueState::held, now);
    if (outcome.issue)
        outcome.warnings = ask_editor(list, approval, *outcome.issue, now);
    else
        issues_.skip(list.id, slot, outcome.why_not, now);
    transaction.commit();
    return outcome;
}

// Where nobody can be asked, `status` says that the issue waits.
std::vector<templates::Fault> Publishing::ask_editor(const subscribers::List& list, const Approval& approval,
                                                     IssueId id, Time now) {
    auto editor = mail::parse_address(approval.editor.empty() ? site_.editor : approval.editor);
    if (!editor) return {};
    auto issue = issues_.find(id).value();
    auto words = templates::Languages(library_).words({list.language});
    subscribers::Reader reader{{}, {}, editor->text(), "", list.language, "{}", now, false};
    auto preview = sample(list, id, reader, "", now);
    Question question{preview.subject,
                      std::move(preview.html),
                      std::move(preview.text),
                      answer_until(issue, approval),
                      approval.unanswered,
                      fmt::format("{}/approve/{}", site_.url, tokens_.approve(id)),
                      fmt::format("{}/stop/{}", site_.url, tokens_.stop(id))};
    delivery::Letters(connection_)
        .add(delivery::Purpose::notice, letter_sender(site_), editor->text(), editor->key(),
             question_letter(site_, list, *editor, question, words, now), now, asked_for);
    return std::move(preview.warnings);
}

void Publishing::ask_ahead(const subscribers::List& list, const Approval& approval, const schedule::Schedule& schedule,
                           const schedule::Zone& zone, Time now, std::vector<Fired>& fired) {
    auto slot = schedule::next(schedule, zone, std::max(now, slots_since(issues_, list, now + approval.ahead)));
    for (std::size_t i = 0; slot && *slot <= now + approval.ahead && i < most_at_once; ++i) {
        fired.push_back({list, *slot, ask(list, approval, *slot, now)});
        slot = schedule::next(schedule, zone, *slot);
    }
}

// Approved ones at their slot, and those that nobody answered where silence means yes.
void Publishing::settle(const Issue& issue, Time now, std::vector<Fired>& fired) {
    auto list = lists_.find(issue.list).value();
    storage::Transaction transaction(connection_);
    Outcome outcome;
    if (has_stories(issue.id)) {
        outcome.warnings = freeze(issue.id, now);
        outcome.issue = issue.id;
    } else {
        outcome.why_not = "every story of the draft was hidden or held";
        issues_.skip_draft(issue.id, outcome.why_not);
    }
    transaction.commit();
    fired.push_back({std::move(list), *issue.slot, std::move(outcome)});
}

bool Publishing::has_stories(IssueId id) {
    return std::ranges::any_of(stories_of(issues_.stories(id)),
                               [](auto& story) { return story.state == stories::StoryState::new_; });
}

Publishing::Answered Publishing::approve(IssueId id, Time now) {
    storage::Transaction transaction(connection_);
    auto issue = issues_.find(id).value();
    Answered given{Answer::stopped};
    if (issue.state == IssueState::held) {
        if (issue.slot && *issue.slot > now)
            issues_.approve(id);
        else
            given.warnings = freeze(id, now);
        given.answer = Answer::approved;
    } else if (is_approved(issue))
        given.answer = Answer::approved_before;
    transaction.commit();
    return given;
}

Publishing::Answer Publishing::stop(IssueId id) {
    storage::Transaction transaction(connection_);
    auto issue = issues_.find(id).value();
    auto answer = Answer::too_late;
    if (issue.state == IssueState::cancelled || issue.state == IssueState::skipped || issues_.discard(id))
        answer = Answer::stopped;
    transaction.commit();
    return answer;
}

bool is_approved(const Issue& issue) {
    if (issue.state == IssueState::draft) return issue.slot.has_value();
    return under_way(issue.state) || issue.state == IssueState::sent;
}

}
