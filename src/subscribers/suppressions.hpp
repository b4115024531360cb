#pragma once

#include "mail/address.hpp"
#include "storage/ids.hpp"
#include "subscribers/link_tokens.hpp"

#include <functional>
#include <optional>
#include <string>
#include <string_view>

// Addresses that must not be mailed, over all lists. The table knows them by a keyed hash: it names nobody, and
// recognises everybody.
//
// Always: adding an address closes its open subscriptions in the same transaction. What the program or the reader
//         brought about (bounce, complaint, erased) is lifted when the reader joins again and confirms: only who owns
//         the mailbox and wants our mail can do that. What the operator entered, only the operator removes; such an
//         address gets no confirmation mail either.

namespace postrider::subscribers {

enum class SuppressionKind { bounce, complaint, erased, operator_ };
[[nodiscard]] std::string_view to_text(SuppressionKind);

struct Suppression {
    std::string hash; // 32 bytes
    SuppressionKind kind;
    std::string reason;
    Time since;
};

class Suppressions {
public:
    Suppressions(storage::Connection& connection, const LinkTokens& tokens)
        : connection_(connection), tokens_(tokens) {}

    // Gives the number of subscriptions it closed. An operator's entry stays one, whatever comes after it.
    std::int64_t add(const mail::Address&, SuppressionKind, std::string_view reason, Time now);
    bool remove(const mail::Address&); // false: was not on it
    void lift(const mail::Address&);   // by a confirmation; leaves an operator's entry

    [[nodiscard]] bool contains(const mail::Address& address) { return find(address).has_value(); }
    [[nodiscard]] std::optional<Suppression> find(const mail::Address&);
    [[nodiscard]] bool contains_hash(std::string_view hash);
    [[nodiscard]] bool empty();
    void each(const std::function<void(const Suppression&)>&); // oldest first

private:
    storage::Connection& connection_;
    const LinkTokens& tokens_;
};

}
