#pragma once

#include "storage/ids.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

// Mailings and their balance: one frozen message, an audience, a state, and one outcome for each reader of it.
//
// In:     a compiled message for a list; the operator's pause, resume and cancel.
// Out:    which mailings are open, and for each the account of interface.md:
//         planned = accepted + refused + suppressed + expired + unknown once it is sent.
// Always: planned is copied from the list's own count when sending starts and never derived from the outcomes, so the
// balance
//         can fail and would be seen to. This room alone writes mailing, slice, delivery, letter and relay_state.

namespace postrider::delivery {

enum class MailingState { scheduled, sending, paused, sent, cancelled };
[[nodiscard]] std::string_view to_text(MailingState);
[[nodiscard]] MailingState mailing_state_from(std::string_view); // throws storage::Error on a word that is none

enum class Outcome { deferred, accepted, refused, suppressed, expired, unknown };
[[nodiscard]] std::string_view to_text(Outcome);

struct Mailing {
    MailingId id;
    ListId list;
    MailingState state;
    Time created_at;
    std::optional<Time> started_at, finished_at;
    std::optional<std::int64_t> ceiling, planned;
    std::optional<Time> local_slot; // leaves in waves (waves.hpp), by what the list's clock shows at this moment
};

struct Refusal {
    std::string reason; // begins with the reply's codes
    std::int64_t count;
};

struct Others { // beyond the hundred most frequent
    std::int64_t reasons = 0, count = 0;
};

struct Balance {
    MailingState state = MailingState::scheduled;
    std::int64_t planned = 0, accepted = 0, refused = 0, suppressed = 0, expired = 0, unknown = 0, deferred = 0;
    std::int64_t attempts = 0;
    std::optional<Time> first_sent_at, last_sent_at;
    std::vector<Refusal> refusals;     // of who was refused or expired; most frequent first, at most a hundred
    std::vector<Refusal> deferrals;    // of who will be tried again, likewise
    std::vector<Refusal> suppressions; // of who was to get nothing, likewise
    Others other_refusals, other_deferrals, other_suppressions;
    std::optional<Time> next_try_at; // the first of the deferred

    [[nodiscard]] std::int64_t settled() const { return accepted + refused + suppressed + expired + unknown; }
    [[nodiscard]] std::int64_t pending() const { return planned - settled() - deferred; }
    // Whether the account can be right: nothing below zero, and nothing left open in a mailing that is sent.
    [[nodiscard]] bool balanced() const;
};

class Mailings {
public:
    explicit Mailings(storage::Connection& connection) : connection_(connection) {}

    MailingId add(ListId list, std::string_view message, Time now, std::optional<Time> local_slot = {});
    [[nodiscard]] std::optional<Mailing> find(MailingId id);
    [[nodiscard]] std::string message(MailingId id);
    [[nodiscard]] std::vector<Mailing> open(); // scheduled, sending, paused; by list, oldest first

    // Fixes the audience: everybody active on the list now; and its waves. One mailing of a list is under way at a time: false, and
    // nothing done, while an earlier one is.
    bool start(MailingId id, Time now);
    // False when its state does not allow it.
    bool pause(MailingId id);
    bool resume(MailingId id);
    bool cancel(MailingId id, Time now);
    void finish(MailingId id, Time now);

    [[nodiscard]] bool anything_sent(MailingId id);
    // Cheap, however long the list: the counts of finished slices, the rows of the open ones, and of the others only
    // who was not accepted at the first try. Without reasons, for whoever looks often.
    [[nodiscard]] Balance progress(MailingId id);
    [[nodiscard]] Balance balance(MailingId id);

    // The same numbers, counted from the rows of every single reader; without reasons and times.
    [[nodiscard]] Balance recount(MailingId id);
    // Every way in which the rows of a mailing contradict each other or its balance, one sentence each; none when all
    // is well, also while it is being sent. It looks at every reader: seconds for a million.
    [[nodiscard]] std::vector<std::string> contradictions(MailingId id);

private:
    void reasons(MailingId id, std::string_view states, std::vector<Refusal>& commonest, Others& others);
    void count(MailingId id, Balance& balance);

    storage::Connection& connection_;
};

}
