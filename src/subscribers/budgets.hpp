#pragma once

#include "mail/address.hpp"
#include "storage/ids.hpp"
#include "subscribers/link_tokens.hpp"
#include "system/rate.hpp"

#include <optional>
#include <string_view>

// How many confirmation mails strangers can make us send: the [signup] section, and what was used of it.
//
// Always: kept in the database, so that a restart forgives nothing. A budget of "3/day" gives three at once, and each
//         comes back a day after it was taken, at most a twenty-fourth of a day early. Addresses and clients are
//         stored as keyed hashes only.

namespace postrider::subscribers {

struct Settings {
    Rate per_address{3, 24h};  // over all lists; "ada+news@" and "ada@" are one
    Rate per_client{30, 1h};   // an IPv4 address, or the /64 of an IPv6 one; the only one whose end the visitor is told
    Rate per_domain{2000, 1h}; // of the address
    Rate per_list{20000, 1h};
    Rate total{50000, 1h};
    bool check_mx = true; // ask DNS whether the domain takes mail; no answer counts as yes
    Duration confirm_within = 72h;
    Duration purge_after = 14 * 24h;  // from asking; then nothing of an unconfirmed sign-up is left
    Duration keep_clients = 30 * 24h; // readers' network addresses in the consent record; then only /24 or /48
};

enum class Budget { address, client, domain, list, total };
[[nodiscard]] std::string_view to_text(Budget);

class Budgets {
public:
    Budgets(storage::Connection& connection, const LinkTokens& tokens, const Settings& settings)
        : connection_(connection), tokens_(tokens), settings_(settings) {}

    // Takes one request of this client's; or takes nothing and gives the time until there is one again. A client of
    // unknown address ("") has no budget of its own.
    [[nodiscard]] std::optional<Duration> take_for_client(std::string_view client, Time now);
    // Takes one mail from all the others; or takes nothing and names the one that is used up.
    [[nodiscard]] std::optional<Budget> take_for_mail(const mail::Address&, ListId, Time now);
    // Removes what no longer counts.
    void purge(Time now);

private:
    [[nodiscard]] std::string key_of_address(const mail::Address&) const;
    [[nodiscard]] std::optional<Duration> wait(Budget, std::string_view key, const Rate&, Time now);
    void count(Budget, std::string_view key, const Rate&, Time now);

    storage::Connection& connection_;
    const LinkTokens& tokens_;
    const Settings& settings_;
};

}
