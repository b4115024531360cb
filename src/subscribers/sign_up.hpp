#pragma once

#include "mail/address.hpp"
#include "subscribers/budgets.hpp"
#include "subscribers/link_tokens.hpp"
#include "subscribers/sign_up_id.hpp"
#include "subscribers/subscribers.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <variant>

// How a stranger becomes a reader: asks, gets one mail, confirms.
//
// In:     a valid address and the list, from a form, a program, or the operator.
// Out:    one of a closed set of outcomes. Whoever answers the visitor says the same for all of them, except to a
//         client that asks too often, and the database does the same work for each, though it keeps it for one.
// Always: nobody becomes active without confirm(). Each confirmation mail was taken from the budgets in the same
//         transaction. What is never confirmed leaves nothing behind after purge_after.

namespace postrider::subscribers {

struct Asking {
    ListId list;
    const mail::Address& address;
    std::string_view name;     // anything; cleaned, never a reason to refuse
    std::string_view language; // anything; kept when it has the form of a language tag
    std::string_view client;   // network address; "" when unknown
    std::string_view form;     // the page or program it came through
    std::string_view words;    // the sentence the reader agreed to
    // A change of address: this subscription to the same list, whose holder asks, ends when the new address is
    // confirmed, and its values (time zone, attributes, topics) move along. So does the holder on all other lists.
    std::optional<SubscriptionId> replaces = std::nullopt;
    std::string_view words_language = {};
    // Chosen ones, as stored (topics.hpp); none: nothing was said of them.
    std::optional<std::string> topics = std::nullopt;
    Proof proof = Proof::enough;
    std::string_view solution = {}; // nonce of the proof of work that makes it enough; used up by this
};

// The caller writes the confirmation letter in the same transaction. The link of an earlier one that has not expired
// works as well.
struct MailConfirmation {
    SignUpId id;
    Time expires_at;
    std::string mail; // the left side that its Message-ID must have: the consent record names it
};
struct AlreadyActive {
    SubscriptionId subscription;
};
struct Suppressed {}; // by the operator: no mail. Other suppressions do not stop a sign-up (suppressions.hpp).
struct OverBudget {
    Budget which;
    Duration wait;            // for Budget::client: tell it, with Retry-After. All others are silent.
    std::int64_t refused = 0; // for Budget::address: mails to it that were refused within a day, this one included
};
struct NotOpen {}; // there is no such list, or one that takes no readers this way
struct StillWaiting {
    SignUpId id; // only of invite: has been asked, is not mailed again
};
using AskOutcome = std::variant<MailConfirmation, AlreadyActive, Suppressed, OverBudget, NotOpen, StillWaiting>;

struct ConfirmResult {
    enum class What { confirmed, already, expired, unknown };
    What what;
    ListId list;                                   // not for unknown
    std::optional<SubscriptionId> subscription;    // the open one; an `already` who has left since has none
    std::optional<SubscriptionId> moved_from = {}; // the one it replaced, of another address
};

struct SignUp {
    SignUpId id;
    ListId list;
    std::string address, name, language;
    Time created_at, expires_at;
    std::optional<Time> confirmed_at;
    std::optional<SubscriptionId> replaces;
    std::optional<std::string> topics;
};

class SignUps {
public:
    SignUps(storage::Connection& connection, const LinkTokens& tokens, const Settings& settings)
        : connection_(connection), tokens_(tokens), settings_(settings) {}

    [[nodiscard]] AskOutcome ask(const Asking&, Time now);
    // A new mail for a link that has expired, with what was given then. Budgets apply. Nothing: there is no such
    // sign-up any more.
    [[nodiscard]] std::optional<AskOutcome> ask_again(SignUpId, std::string_view client, Time now);
    // On the operator's behalf: without budgets, also for private lists; `words` is the operator's basis.
    [[nodiscard]] AskOutcome invite(const Asking&, Time now);

    // A second time is no error. A confirmed reader is off the suppression list, unless the operator put them there.
    [[nodiscard]] ConfirmResult confirm(SignUpId, std::string_view client, Time now);

    [[nodiscard]] std::optional<SignUp> find(SignUpId);
    // Removes at most `limit` sign-ups older than purge_after, and from the consent record the address and client of
    // those who never confirmed anything. Gives how many it removed.
    std::int64_t purge(Time now, int limit);

private:
    enum class Door { visitor, operator_ };
    AskOutcome ask_at(Door, const Asking&, Time now);
    MailConfirmation keep(const Asking&, Time now);
    void pretend(const Asking&, Time now);
    void goes_on_as(SubscriptionId old, SubscriptionId successor);
    void move_others(SubscriberId from, const mail::Address& to, const Profile&, std::string_view client, Time now);
    ConfirmResult confirm_now(const SignUp&, std::string_view client, Time now);

    storage::Connection& connection_;
    const LinkTokens& tokens_;
    const Settings& settings_;
};

}
