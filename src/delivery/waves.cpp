#include "delivery/waves.hpp"

#include "schedule/zone.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace postrider::delivery {
namespace {

constexpr std::size_t most_waves = 24;
constexpr Duration latest = 23h; // of rounded ones

// How long after the slot the clocks of the zone first show what those of the list show at the slot.
Duration wait_in(const schedule::Zone& zone, Time slot, std::chrono::seconds since_midnight) {
    auto today = std::chrono::floor<std::chrono::days>(zone.local(slot));
    for (auto day : {today - std::chrono::days(1), today, today + std::chrono::days(1)})
        if (auto at = zone.at(day + since_midnight).first; at >= slot) return at - slot;
    return Duration::zero(); // a zone that leaves a day out
}

}

bool Wave::has(std::string_view zone) const {
    return !zone.empty() && zones.find(fmt::format("\n{}\n", zone)) != zones.npos;
}

std::vector<std::string> Wave::names() const {
    std::vector<std::string> names;
    for (std::size_t at = 1, end; (end = zones.find('\n', at)) != zones.npos; at = end + 1)
        names.push_back(zones.substr(at, end - at));
    return names;
}

std::vector<Wave> waves_at(Time slot, const schedule::Zone& of_list, std::span<const std::string> zones) {
    auto shown = of_list.local(slot);
    auto since_midnight = shown - std::chrono::floor<std::chrono::days>(shown);
    // Slots have whole minutes, and so have all offsets of today.
    auto exact = std::chrono::floor<std::chrono::minutes>(slot);
    std::map<Duration, std::string> groups{{Duration::zero(), ""}};
    for (auto& name : zones)
        if (auto zone = schedule::Zone::find(name)) groups[wait_in(*zone, exact, since_midnight)] += name + "\n";
    if (groups.size() > most_waves) {
        std::map<Duration, std::string> rounded;
        for (auto& [wait, names] : groups)
            rounded[std::min<Duration>(std::chrono::floor<std::chrono::hours>(wait), latest)] += names;
        groups = std::move(rounded);
    }
    if (groups.size() == 1) return {};
    std::vector<Wave> waves;
    for (auto& [wait, names] : groups)
        waves.push_back({int(waves.size()), slot + wait, waves.empty() ? "" : "\n" + names});
    return waves;
}

void keep_waves(storage::Connection& connection, MailingId mailing, std::span<const Wave> waves) {
    for (auto& wave : waves)
        connection.run("INSERT INTO wave (mailing_id, number, not_before, zones) VALUES ($1, $2, $3, $4)", mailing,
                       wave.number, wave.not_before, wave.zones);
}

std::vector<Wave> waves_of(storage::Connection& connection, MailingId mailing) {
    return connection.all(
        "SELECT number, not_before, zones FROM wave WHERE mailing_id = $1 ORDER BY number",
        [](const storage::Row& row) { return Wave{row.get<int>(0), row.get<Time>(1), row.get<std::string>(2)}; },
        mailing);
}

WavesNow waves_now(storage::Connection& connection, MailingId mailing, Time now) {
    WavesNow state{waves_of(connection, mailing), std::nullopt, false};
    auto next = std::ranges::find_if(state.waves, [&](auto& wave) { return wave.not_before > now; });
    if (next == state.waves.end()) return state;
    state.next = *next;
    state.resting =
        !connection.value<std::int64_t>(
            R"sql(SELECT 1 FROM slice WHERE mailing_id = $1 AND finished_at IS NULL
                                AND (not_before IS NULL OR not_before <= $2) LIMIT 1)sql",
            mailing, now) &&
        connection
            .value<std::int64_t>("SELECT 1 FROM slice WHERE mailing_id = $1 AND finished_at IS NULL LIMIT 1", mailing)
            .has_value();
    return state;
}

}
