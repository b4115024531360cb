#include "subscribers/budgets.hpp"

#include "subscribers/client_network.hpp"
#include "system/random.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

namespace postrider::subscribers {
namespace {

constexpr int parts = 24; // rows that one budget has at most, less one

}

std::string_view to_text(Budget budget) {
    switch (budget) {
    case Budget::address: return "address";
    case Budget::client: return "client";
    case Budget::network: return "network";
    case Budget::unproven: return "unproven";
    case Budget::domain: return "domain";
    case Budget::list: return "list";
    case Budget::total: return "total";
    }
    return {};
}

std::string Budgets::key_of_address(const mail::Address& address) const {
    auto key = address.key();
    auto plus = key.find('+');
    if (plus != 0 && plus < key.rfind('@') && key[0] != '"') key.erase(plus, key.rfind('@') - plus);
    return system::base32(tokens_.address_hash("budget " + key));
}

std::vector<Budgets::OfClient> Budgets::of_client(std::string_view client, Proof proof) const {
    if (client.empty()) return {};
    auto hashed = [&](std::string_view kind, const std::string& network) {
        return system::base32(tokens_.address_hash(fmt::format("{} {}", kind, network)));
    };
    auto one = client_network(client), wide = wide_network(client);
    std::vector<OfClient> budgets{{"client", hashed("client", one), settings_.per_client}};
    if (wide.contains(':')) budgets.push_back({"network", hashed("network", wide), settings_.per_network});
    if (proof == Proof::missing) budgets.push_back({"unproven", hashed("unproven", one), settings_.per_unproven});
    return budgets;
}

std::optional<Duration> Budgets::longest_wait(std::span<const OfClient> budgets, Time now) {
    std::optional<Duration> longest;
    for (auto& [kind, key, rate] : budgets)
        if (auto time = wait(kind, key, rate, now)) longest = std::max(longest.value_or(*time), *time);
    return longest;
}

std::optional<Duration> Budgets::wait_for_client(std::string_view client, Time now) {
    return longest_wait(of_client(client, Proof::enough), now);
}

std::optional<Duration> Budgets::take_for_client(std::string_view client, Proof proof, Time now) {
    auto budgets = of_client(client, proof);
    if (budgets.empty()) return std::nullopt;
    storage::Transaction transaction(connection_);
    auto longest = longest_wait(budgets, now);
    if (!longest)
        for (auto& [kind, key, rate] : budgets) count(kind, key, rate, now);
    transaction.commit();
    return longest;
}

bool Budgets::spend(std::string_view nonce, Time now) {
    // A row that outlives the solution: purge() leaves it alone for a day.
    return connection_.run(R"sql(INSERT INTO budget (kind, key, window_start, used)
                                 SELECT 'solution', $1, $2, 1
                                 WHERE NOT EXISTS (SELECT 1 FROM budget WHERE kind = 'solution' AND key = $1))sql",
                           nonce, now) > 0;
}

std::int64_t Budgets::count_refused(const mail::Address& address, Time now) {
    auto key = key_of_address(address);
    count("refused", key, {1, 24h}, now);
    auto refused = connection_
                       .value<std::int64_t>(
                           "SELECT sum(used) FROM budget WHERE kind = 'refused' AND key = $1 AND window_start > $2",
                           key, now - 24h)
                       .value();
    if (refused < flood) return refused;
    // A row of its own kind, so that looking for floods costs nothing while many are refused once. One for each flood:
    // the sum slides, and may come to the limit more than once.
    auto known = connection_.run(
        R"sql(UPDATE budget SET used = $3
              WHERE kind = 'flood' AND key = $1
                AND window_start = (SELECT max(window_start) FROM budget
                                    WHERE kind = 'flood' AND key = $1 AND window_start > $2))sql",
        key, now - 24h, refused);
    if (!known)
        connection_.run("INSERT INTO budget (kind, key, window_start, used) VALUES ('flood', $1, $2, $3)", key, now,
                        refused);
    return refused;
}

std::optional<Flood> flood_in(storage::Connection& connection, Time now) {
    auto found = connection.first(
        R"sql(SELECT count(*), coalesce(sum(used), 0), coalesce(min(window_start), 0) FROM budget
              WHERE kind = 'flood' AND window_start > $1)sql",
        [](const storage::Row& row) { return Flood{row.integer(0), row.integer(1), row.get<Time>(2)}; }, now - 24h);
    if (found && found->addresses == 0) found.reset();
    return found;
}

std::optional<Budget> Budgets::take_for_mail(const mail::Address& address, ListId list, Time now) {
    struct One {
        Budget budget;
        std::string key;
        const Rate& rate;
    };
    // The widest first: under a flood the reason on record is the flood.
    const One budgets[] = {{Budget::total, "", settings_.total},
                           {Budget::list, std::to_string(list.number), settings_.per_list},
                           {Budget::domain, std::string(address.domain_ascii()), settings_.per_domain},
                           {Budget::address, key_of_address(address), settings_.per_address}};
    storage::Transaction transaction(connection_);
    auto over = std::ranges::find_if(
        budgets, [&](const One& one) { return wait(to_text(one.budget), one.key, one.rate, now).has_value(); });
    if (over == std::end(budgets))
        for (auto& one : budgets) count(to_text(one.budget), one.key, one.rate, now);
    transaction.commit();
    if (over == std::end(budgets)) return std::nullopt;
    return over->budget;
}

std::int64_t Budgets::purge(Time now, int limit) {
    auto longest = std::max({settings_.per_address.per, settings_.per_client.per, settings_.per_domain.per,
                             settings_.per_list.per, settings_.total.per, settings_.per_network.per,
                             settings_.per_unproven.per, Duration(24h)}); // 24h: of refusals
    return connection_.run(
        R"sql(DELETE FROM budget
              WHERE (kind, key, window_start) IN (SELECT kind, key, window_start FROM budget WHERE window_start <= $1
                                                  ORDER BY window_start LIMIT $2))sql",
        now - longest, limit);
}

// Nothing: there is one left.
std::optional<Duration> Budgets::wait(std::string_view kind, std::string_view key, const Rate& rate, Time now) {
    struct Used {
        std::int64_t count;
        Time oldest;
    };
    auto used = connection_.first(
        R"sql(SELECT coalesce(sum(used), 0), coalesce(min(window_start), 0) FROM budget
              WHERE kind = $1 AND key = $2 AND window_start > $3)sql",
        [](const storage::Row& row) { return Used{row.integer(0), row.get<Time>(1)}; }, kind, key, now - rate.per);
    if (used->count < rate.count) return std::nullopt;
    return std::min(used->oldest + rate.per - now, rate.per);
}

void Budgets::count(std::string_view kind, std::string_view key, const Rate& rate, Time now) {
    auto added = connection_.run(
        R"sql(UPDATE budget SET used = used + 1
              WHERE kind = $1 AND key = $2
                AND window_start = (SELECT max(window_start) FROM budget
                                    WHERE kind = $1 AND key = $2 AND window_start > $3))sql",
        kind, key, now - rate.per / parts);
    if (added) return;
    connection_.run("INSERT INTO budget (kind, key, window_start, used) VALUES ($1, $2, $3, 1)", kind, key, now);
}

}
