#include "subscribers/budgets.hpp"

#include "subscribers/client_network.hpp"
#include "system/random.hpp"

#include <algorithm>
#include <string>

namespace postrider::subscribers {
namespace {

constexpr int parts = 24; // rows that one budget has at most, less one

}

std::string_view to_text(Budget budget) {
    switch (budget) {
    case Budget::address: return "address";
    case Budget::client: return "client";
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

std::optional<Duration> Budgets::take_for_client(std::string_view client, Time now) {
    if (client.empty()) return std::nullopt;
    auto key = system::base32(tokens_.address_hash("client " + client_network(client)));
    storage::Transaction transaction(connection_);
    auto time = wait(Budget::client, key, settings_.per_client, now);
    if (!time) count(Budget::client, key, settings_.per_client, now);
    transaction.commit();
    return time;
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
        budgets, [&](const One& one) { return wait(one.budget, one.key, one.rate, now).has_value(); });
    if (over == std::end(budgets))
        for (auto& one : budgets) count(one.budget, one.key, one.rate, now);
    transaction.commit();
    if (over == std::end(budgets)) return std::nullopt;
    return over->budget;
}

void Budgets::purge(Time now) {
    auto longest = std::max({settings_.per_address.per, settings_.per_client.per, settings_.per_domain.per,
                             settings_.per_list.per, settings_.total.per});
    storage::Transaction transaction(connection_);
    connection_.run("DELETE FROM budget WHERE window_start <= $1", now - longest);
    transaction.commit();
}

// Nothing: there is one left.
std::optional<Duration> Budgets::wait(Budget budget, std::string_view key, const Rate& rate, Time now) {
    struct Used {
        std::int64_t count;
        Time oldest;
    };
    auto used = connection_.first(
        R"sql(SELECT coalesce(sum(used), 0), coalesce(min(window_start), 0) FROM budget
              WHERE kind = $1 AND key = $2 AND window_start > $3)sql",
        [](const storage::Row& row) { return Used{row.integer(0), row.get<Time>(1)}; }, to_text(budget), key,
        now - rate.per);
    if (used->count < rate.count) return std::nullopt;
    return std::min(used->oldest + rate.per - now, rate.per);
}

void Budgets::count(Budget budget, std::string_view key, const Rate& rate, Time now) {
    auto added = connection_.run(
        R"sql(UPDATE budget SET used = used + 1
              WHERE kind = $1 AND key = $2
                AND window_start = (SELECT max(window_start) FROM budget
                                    WHERE kind = $1 AND key = $2 AND window_start > $3))sql",
        to_text(budget), key, now - rate.per / parts);
    if (added) return;
    connection_.run("INSERT INTO budget (kind, key, window_start, used) VALUES ($1, $2, $3, 1)", to_text(budget), key,
                    now);
}

}
