#pragma once

#include "mail/address.hpp"
#include "storage/ids.hpp"
#include "subscribers/link_tokens.hpp"
#include "subscribers/subscribers.hpp"

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// Who is on which list. The room's middle: sign_up.hpp and import.hpp lead in, erase.hpp leads out, audience.hpp is
// what an issue sees.
//
// Always: a subscription is one stretch of membership; leaving closes its row, coming back makes a new one.
//         list_counter.active is the number of open stretches, changed in the transaction that opens or closes one,
//         its row taken first. No address on the suppression list has an open stretch. Every change has its line in
//         the consent record.

namespace postrider::subscribers {

enum class LeftHow { page, one_click, mail, operator_, suppressed, erased };
[[nodiscard]] std::string_view to_text(LeftHow);

enum class LeftReason { often, content, never, other };
[[nodiscard]] std::string_view to_text(LeftReason);
[[nodiscard]] std::optional<LeftReason> parse_left_reason(std::string_view);

// A reader's own leaving can be taken back for so long.
constexpr Duration undo_within = 1h;

struct Activated {
    SubscriptionId subscription;
    SubscriberId subscriber;
    bool fresh; // false: was active already, nothing changed but the profile
};
// Puts the address on the list, without asking the suppression list and without a line in the consent record: for
// this room's own rules. Without `topics` (as stored: topics.hpp) those of the reader's last stretch on the list count
// again. Inside a transaction.
Activated activate(storage::Connection&, ListId, const mail::Address&, const Profile&,
                   const std::optional<std::string>& topics, Time now);
// Closes the open stretch; false when there was none. Inside a transaction; the same restriction.
bool close_stretch(storage::Connection&, ListId, SubscriberId, LeftHow, Time now);

enum class SubscriptionState { pending, active, unsubscribed };
[[nodiscard]] std::string_view to_text(SubscriptionState);

struct LeaveResult {
    enum class What { left, already, unknown }; // unknown: there was never such a subscription
    What what;
    ListId list; // not for unknown
};

struct AddResult {
    enum class What { added, already, suppressed };
    What what;
    std::optional<SubscriptionId> subscription; // not for suppressed
};

// One list of one address: its newest stretch, or the sign-up that waits.
struct Membership {
    ListId list;
    std::string list_slug;
    SubscriptionState state;
    Time since;                          // asked, became active, or left
    std::optional<std::string> left_how; // of an unsubscribed one
    std::string topics;                  // chosen ones, as stored: topics.hpp
};

struct Member {
    std::string address, name, language;
    SubscriptionState state;
    Time since;
};

struct Counts {
    std::int64_t pending, active, unsubscribed;
};

class Subscriptions {
public:
    Subscriptions(storage::Connection& connection, const LinkTokens& tokens)
        : connection_(connection), tokens_(tokens) {}

    // Takes the reader of this subscription off its list: also when that stretch is closed and they have come back
    // since, for an old mail's link says who and which list. Again is no error; an erased reader's link neither.
    LeaveResult leave(SubscriptionId, LeftHow, std::string_view client, Time now);
    // Undoes a reader's own leaving within an hour, through the same link. False: too late, not their own doing,
    // erased, suppressed.
    bool come_back(SubscriptionId, std::string_view client, Time now);
    [[nodiscard]] bool may_come_back(SubscriptionId, Time now); // as far as the stretch itself tells

    // Why the reader left, in their own choice of words; counts for the last stretch on that list, once it is closed.
    void say_why(SubscriptionId, LeftReason);
    struct Reasons {
        LeftReason reason;
        std::int64_t count;
    };
    [[nodiscard]] std::vector<Reasons> reasons_for_leaving(ListId);

    // The operator vouches: `basis` says why this person may be mailed. The confirmation is skipped, the suppression
    // list is not.
    AddResult add(ListId, const mail::Address&, const Profile&, std::string_view basis, std::string_view form, Time now,
                  const std::optional<std::string>& topics = std::nullopt);
    // By the operator. False when the address was not active on the list; a waiting sign-up is removed as well.
    bool remove(ListId, const mail::Address&, Time now);

    // The topics of an open stretch, as stored: topics.hpp. Mails that have not left yet follow.
    void choose_topics(SubscriptionId, std::string_view topics);

    [[nodiscard]] std::optional<SubscriptionId> active(ListId, const mail::Address&);
    [[nodiscard]] std::vector<Membership> of(const mail::Address&, Time now); // by slug
    // Each address of the list once, active ones first. The callback must not write.
    void each_member(ListId, Time now, const std::function<void(const Member&)>&);
    [[nodiscard]] Counts counts(ListId, Time now);

private:
    storage::Connection& connection_;
    const LinkTokens& tokens_;
};

}
