#pragma once

#include "delivery/mailings.hpp"
#include "digest/selection.hpp"
#include "storage/ids.hpp"

#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// Issues and the ledger: which story went out to a list in which issue.
//
// Always: a story is part of at most one issue of a list, a slot is used once, a number is given once: the database's
// keys say so.
//         Once frozen, an issue has a mailing, and its state is the mailing's. This room alone writes issue and
//         issue_story.

namespace postrider::digest {

enum class IssueState { draft, held, scheduled, sending, paused, sent, cancelled, skipped };
[[nodiscard]] std::string_view to_text(IssueState);
// Frozen, and its mailing is not over.
[[nodiscard]] bool under_way(IssueState);
// It went out, or began to: the world may read it, where the list is open.
[[nodiscard]] bool is_published(const struct Issue&);

struct Issue {
    IssueId id;
    ListId list;
    std::string list_slug;
    std::optional<int> number; // counted per list; none before it is frozen, and for a skipped one
    IssueState state;
    std::optional<Time> slot;
    std::string reason; // why it was skipped
    std::string subject;
    Time created_at;
    std::optional<Time> frozen_at;
    std::optional<MailingId> mailing;
};

class Issues {
public:
    explicit Issues(storage::Connection& connection) : connection_(connection) {}

    [[nodiscard]] std::optional<Issue> find(IssueId id);
    [[nodiscard]] std::optional<Issue> find(ListId list, int number);
    [[nodiscard]] std::optional<Issue> of_mailing(MailingId mailing);
    [[nodiscard]] std::vector<Issue> of_list(ListId list); // newest first
    [[nodiscard]] std::vector<Issue> all();
    [[nodiscard]] std::vector<Issue> newest_slots(ListId list, std::size_t most); // with a slot, newest first
    // Drafts and held ones of lists that are not archived, with a slot; by slot.
    [[nodiscard]] std::vector<Issue> awaiting();
    [[nodiscard]] std::vector<Issue> held(); // waiting for a person
    // What went out, or began to, before the issue of that number; the newest first.
    [[nodiscard]] std::vector<Issue> published(ListId list, std::size_t limit,
                                               int before = std::numeric_limits<int>::max());
    [[nodiscard]] std::optional<Issue> published_after(ListId list, int number); // the first

    // Every story of the list, with the issue it is part of.
    [[nodiscard]] std::vector<Considered> considered(ListId list);
    [[nodiscard]] std::vector<StoryId> stories(IssueId id); // in order

    [[nodiscard]] std::optional<Time> last_slot(ListId list, Time until);
    // Slots that are recorded as skipped and have not come yet: the clock was wrong then.
    [[nodiscard]] bool skipped_after(ListId list, Time until);
    void forget_skipped_after(ListId list, Time until);
    // False when the slot was used already.
    bool skip(ListId list, Time slot, std::string_view reason, Time now);
    IssueId draft(ListId list, std::optional<Time> slot, IssueState state, std::span<const StoryId> stories, Time now);
    void freeze(IssueId id, int number, std::string_view subject, std::string_view content, std::string_view page,
                std::string_view plain, MailingId mailing, Time now);
    [[nodiscard]] std::string content(IssueId id); // JSON; throws when it is not frozen
    [[nodiscard]] std::string page(IssueId id);    // templates::Program, stored
    [[nodiscard]] std::string plain(IssueId id);
    enum class Again { done, never_sent, in_draft };
    // The story may be part of one more issue of the list. That it was part of an earlier one stays on record.
    Again send_again(ListId list, StoryId story);
    // A draft that is not to be; its stories are free again.
    bool discard(IssueId id);
    // A held issue is a draft again, which goes out at its slot.
    void approve(IssueId id);
    void skip_draft(IssueId id, std::string_view reason); // that was to be sent and cannot; its stories are free again
    void free_stories(IssueId id);
    void free_story(IssueId id, StoryId story);

    // Every way in which the rows of an issue contradict each other, one sentence each; its mailing's are not among
    // them.
    [[nodiscard]] std::vector<std::string> contradictions(IssueId id);

private:
    storage::Connection& connection_;
};

}
