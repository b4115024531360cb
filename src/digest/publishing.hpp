#pragma once

#include "digest/approval.hpp"
#include "digest/cadence.hpp"
#include "digest/content.hpp"
#include "digest/issues.hpp"
#include "subscribers/audience.hpp"
#include "subscribers/link_tokens.hpp"
#include "subscribers/lists.hpp"
#include "templates/mustache.hpp"
#include "templates/source.hpp"
#include "templates/words.hpp"

#include <optional>
#include <string>
#include <vector>

// From a slot, or the operator's word, to a frozen issue with its mailing.
//
// In:     a list, its stories, its templates.
// Out:    an issue: a draft, or frozen and handed to delivery/; or the reason why there is none.
// Always: freezing is one transaction: stories, words, number, ledger, slot and mailing, or nothing. What is frozen was
// compiled
//         with the templates of that moment; a later edit of a story or a template changes nothing of it.
// Errors: a template that cannot be used throws templates::TemplateError with file, line and column; nothing was
// written then.

namespace postrider::digest {

struct Outcome {
    std::optional<IssueId> issue; // none: there was nothing to send
    std::string why_not;
    std::vector<templates::Fault> warnings; // of its templates
};

// A message as one reader would get it.
struct Sample {
    std::string subject, html, text;
    std::string eml;                        // the exact message
    std::string sender;                     // of the envelope
    bool example = false;                   // no story was eligible: the newest stand in
    std::vector<templates::Fault> warnings; // of its templates, as they are now
};

class Publishing {
public:
    // References must outlive it.
    Publishing(storage::Connection& connection, const templates::Library& library,
               const subscribers::LinkTokens& tokens, const SiteWords& site)
        : connection_(connection), library_(library), tokens_(tokens), site_(site), issues_(connection),
          lists_(connection) {}

    [[nodiscard]] Selection explain(const subscribers::List& list, Time now);
    // An issue from what is eligible, and stop there.
    Outcome draft(const subscribers::List& list, std::optional<Time> slot, IssueState state, Time now);
    // A draft or held issue: number, words and mailing. Throws std::runtime_error for any other. Gives back the warnings
    // of its templates.
    std::vector<templates::Fault> freeze(IssueId id, Time now);
    // draft and freeze in one transaction; with the list's approval only a held draft.
    Outcome publish(const subscribers::List& list, std::optional<Time> slot, Time now);

    struct Fired {
        subscribers::List list;
        Time slot;
        Outcome outcome;
    };
    // Every slot that is due: filled, held for its editor, or recorded as skipped; and what its editor has let go. An
    // error of one list leaves the others alone; it comes back in `errors`.
    std::vector<Fired> publish_due(Time now, Duration catch_up, std::vector<std::string>& errors);
    // Cheap, for asking several times a second: whether publish_due would do anything.
    [[nodiscard]] bool anything_due(Time now);
    // The next slot of a list after `now`; nothing without a schedule.
    [[nodiscard]] static std::optional<Time> next_slot(const subscribers::List& list, Time after);
    // The last slot that was dealt with, or when the schedule began to count. `until`: now, and the time an editor has.
    // What lies behind that was written while the clock was ahead, and counts no longer.
    [[nodiscard]] static Time slots_since(Issues& issues, const subscribers::List& list, Time until);

    // The same way as real sending, but to one reader, recorded nowhere. Of a frozen issue: its own message.
    [[nodiscard]] Sample sample(const subscribers::List& list, std::optional<IssueId> issue,
                                const subscribers::Reader& reader, std::string_view subject_prefix, Time now);

    // The operator's word; false when the issue's state does not allow it.
    bool cancel(IssueId id, Time now);

    // The editor's word, of an issue that is held: it goes out at its slot, at once where that is past. Any other stays
    // as it is. Throws as freeze() does.
    enum class Answer { approved, approved_before, stopped, too_late };
    struct Answered {
        Answer answer;
        std::vector<templates::Fault> warnings = {}; // of freeze()
    };
    Answered approve(IssueId id, Time now);
    // Its stories are free again.
    Answer stop(IssueId id);

private:
    struct Selected;
    [[nodiscard]] Selected select_from(const subscribers::List& list, Time now);
    struct Compiled;
    [[nodiscard]] Compiled compile(const subscribers::List& list, const IssueWords& words,
                                   std::span<const stories::Story> stories) const;
    [[nodiscard]] templates::Template load(const std::string& name, const std::string& design,
                                           std::vector<templates::Fault>& warnings) const;
    [[nodiscard]] templates::Words words_for(std::string_view language, std::vector<templates::Fault>& warnings) const;
    [[nodiscard]] std::vector<stories::Story> stories_of(std::span<const StoryId> ids);
    void fill_slots(const subscribers::List& list, const Approval* approval, Time now, Duration catch_up,
                    std::vector<Fired>& fired);
    // approving.cpp
    Outcome ask(const subscribers::List& list, const Approval& approval, Time slot, Time now);
    [[nodiscard]] std::vector<templates::Fault> ask_editor(const subscribers::List& list, const Approval& approval,
                                                           IssueId id, Time now);
    void ask_ahead(const subscribers::List& list, const Approval& approval, const schedule::Schedule& schedule,
                   const schedule::Zone& zone, Time now, std::vector<Fired>& fired);
    void settle(const Issue& issue, Time now, std::vector<Fired>& fired);
    [[nodiscard]] bool has_stories(IssueId id);

    storage::Connection& connection_;
    const templates::Library& library_;
    const subscribers::LinkTokens& tokens_;
    const SiteWords& site_;
    Issues issues_;
    subscribers::Lists lists_;
};

// By its editor or the operator, or it went out without.
[[nodiscard]] bool is_approved(const Issue&);

}
