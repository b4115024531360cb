#pragma once

#include "mail/address.hpp"
#include "storage/ids.hpp"
#include "subscribers/link_tokens.hpp"
#include "system/rate.hpp"

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

// How many confirmation mails strangers can make us send: the [signup] section, and what was used of it.
//
// Always: kept in the database, so that a restart forgives nothing. A budget of "3/day" gives three at once, and each
//         comes back a day after it was taken, at most a twenty-fourth of a day early. Addresses and clients are
//         stored as keyed hashes only.

namespace postrider::subscribers {

enum class ProofOfWork { off, on, automatic }; // automatic: while sign-ups come at more than odd_above
enum class RoleAddresses { accept, refuse };   // info@ and its like

struct Settings {
    Rate per_address{3, 24h};  // over all lists; "ada+news@" and "ada@" are one
    Rate per_client{30, 1h};   // an IPv4 address, or the /64 of an IPv6 one; the only one whose end the visitor is told
    Rate per_network{300, 1h}; // the /48 of an IPv6 address; the visitor is told too
    Rate per_unproven{5, 1h};  // of a client, without the proof of work or the age of the form that was asked for
    Rate per_domain{2000, 1h}; // of the address
    Rate per_list{20000, 1h};
    Rate total{50000, 1h};
    ProofOfWork proof_of_work = ProofOfWork::off;
    Rate odd_above{600, 1h};
    Duration form_age =
        Duration::zero(); // a form that comes back sooner was not filled in by hand; zero: not looked at
    RoleAddresses role_addresses = RoleAddresses::accept;
    std::filesystem::path disposable_domains; // a file; empty: none
    std::vector<std::string> return_to;       // where a form may lead back to
    bool check_mx = true;                     // ask DNS whether the domain takes mail; no answer counts as yes
    Duration confirm_within = 72h;
    Duration purge_after = 14 * 24h;  // from asking; then nothing of an unconfirmed sign-up is left
    Duration keep_clients = 30 * 24h; // readers' network addresses in the consent record; then only /24 or /48
};

enum class Budget { address, client, network, unproven, domain, list, total };
[[nodiscard]] std::string_view to_text(Budget);

// What shows that a person filled in a form: enough when nothing was asked for.
enum class Proof { enough, missing };
// So many refused mails to one address within a day are an attack on it.
inline constexpr std::int64_t flood = 20;
struct Flood {
    std::int64_t addresses, refused;
    Time since;
};
// Within the last day.
[[nodiscard]] std::optional<Flood> flood_in(storage::Connection&, Time now);

class Budgets {
public:
    Budgets(storage::Connection& connection, const LinkTokens& tokens, const Settings& settings)
        : connection_(connection), tokens_(tokens), settings_(settings) {}

    // Takes one request of this client's, of its network's, and without a proof of the few that need none; or takes
    // nothing and gives the time until there is one again. A client of unknown address ("") has no budget of its own.
    [[nodiscard]] std::optional<Duration> take_for_client(std::string_view client, Proof, Time now);
    // The time until take_for_client() has one for whoever brings a proof; nothing: there is one. Takes nothing.
    [[nodiscard]] std::optional<Duration> wait_for_client(std::string_view client, Time now);
    // Lets a solution of the proof of work pass once.
    [[nodiscard]] bool spend(std::string_view nonce, Time now);
    // Counts one mail to this address that was refused; gives how many there were within a day.
    std::int64_t count_refused(const mail::Address&, Time now);
    // Takes one mail from all the others; or takes nothing and names the one that is used up.
    [[nodiscard]] std::optional<Budget> take_for_mail(const mail::Address&, ListId, Time now);
    // Removes at most `limit` rows that no longer count; gives how many.
    std::int64_t purge(Time now, int limit);

private:
    struct OfClient {
        std::string_view kind;
        std::string key;
        const Rate& rate;
    };
    [[nodiscard]] std::vector<OfClient> of_client(std::string_view client, Proof) const;
    [[nodiscard]] std::optional<Duration> longest_wait(std::span<const OfClient>, Time now);
    [[nodiscard]] std::string key_of_address(const mail::Address&) const;
    [[nodiscard]] std::optional<Duration> wait(std::string_view kind, std::string_view key, const Rate&, Time now);
    void count(std::string_view kind, std::string_view key, const Rate&, Time now);

    storage::Connection& connection_;
    const LinkTokens& tokens_;
    const Settings& settings_;
};

}
