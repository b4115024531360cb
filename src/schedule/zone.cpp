#include "schedule/zone.hpp"

#include "schedule/quote.hpp"
#include "system/nearest.hpp"

#include <cctz/time_zone.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <utility>
#include <vector>

namespace postrider::schedule {

namespace {

using std::chrono::floor;
using std::chrono::seconds;

const cctz::civil_second epoch{1970, 1, 1};

cctz::civil_second civil(std::chrono::local_seconds local) { return epoch + local.time_since_epoch().count(); }
std::chrono::local_seconds local_of(cctz::civil_second civil) {
    return std::chrono::local_seconds{seconds{civil - epoch}};
}

cctz::time_point<cctz::seconds> whole_seconds(Time time) { return floor<seconds>(time); }

std::filesystem::path data_folder() {
    const char* chosen = std::getenv("TZDIR");
    return chosen && *chosen ? chosen : "/usr/share/zoneinfo";
}

// Beside the zones the folder holds tables, and two more copies of everything ("right/" counts leap seconds).
bool is_zone_name(std::string_view name) {
    if (name.starts_with("posix") || name.starts_with("right") || name == "localtime" || name == "Factory")
        return false;
    return name.find('.') == std::string_view::npos && name.front() >= 'A' && name.front() <= 'Z';
}

std::vector<std::string> list_zones() {
    std::vector<std::string> names{"UTC"};
    const auto folder = data_folder();
    std::error_code error;
    for (std::filesystem::recursive_directory_iterator entry{folder, error}, end; !error && entry != end;
         entry.increment(error)) {
        auto name = entry->path().lexically_relative(folder).generic_string();
        if (!is_zone_name(name)) {
            entry.disable_recursion_pending();
            continue;
        }
        std::error_code unreadable;
        if (entry->is_regular_file(unreadable)) names.push_back(std::move(name));
    }
    std::ranges::sort(names);
    const auto [first, last] = std::ranges::unique(names);
    names.erase(first, last);
    return names;
}

const std::vector<std::string>& zones() {
    static const std::vector<std::string> names = list_zones();
    return names;
}

constexpr std::array<std::pair<std::string_view, std::string_view>, 16> abbreviations{{
    {"PST", "America/Los_Angeles"},
    {"PDT", "America/Los_Angeles"},
    {"MDT", "America/Denver"},
    {"CST", "America/Chicago"},
    {"CDT", "America/Chicago"},
    {"EDT", "America/New_York"},
    {"BST", "Europe/London"},
    {"CEST", "Europe/Berlin"},
    {"EEST", "Europe/Helsinki"},
    {"WEST", "Europe/Lisbon"},
    {"MSK", "Europe/Moscow"},
    {"IST", "Asia/Kolkata"},
    {"JST", "Asia/Tokyo"},
    {"KST", "Asia/Seoul"},
    {"AEST", "Australia/Sydney"},
    {"NZST", "Pacific/Auckland"},
}};

std::string_view last_part(std::string_view name) {
    const auto slash = name.rfind('/');
    return slash == std::string_view::npos ? name : name.substr(slash + 1);
}

}

Zone::Zone(std::string name, const cctz::time_zone& zone)
    : name_(std::move(name)), zone_(std::make_shared<const cctz::time_zone>(zone)) {}

Zone Zone::utc() { return {"UTC", cctz::utc_time_zone()}; }

std::optional<Zone> Zone::find(std::string_view name) {
    // cctz remembers every name it was ever asked for, also those it did not find: it must not see a stranger's text.
    if (!std::ranges::binary_search(zones(), name)) return std::nullopt;
    cctz::time_zone zone;
    if (!cctz::load_time_zone(std::string{name}, &zone)) return std::nullopt;
    return Zone{std::string{name}, zone};
}

std::chrono::local_seconds Zone::local(Time time) const { return local_of(zone_->lookup(whole_seconds(time)).cs); }

seconds Zone::offset(Time time) const { return seconds{zone_->lookup(whole_seconds(time)).offset}; }

std::string Zone::abbreviation(Time time) const { return zone_->lookup(whole_seconds(time)).abbr; }

Zone::Instants Zone::at(std::chrono::local_seconds local) const {
    const auto found = zone_->lookup(civil(local));
    using Kind = cctz::time_zone::civil_lookup;
    if (found.kind == Kind::SKIPPED) return {Reading::skipped, found.trans, found.trans};
    if (found.kind == Kind::REPEATED) return {Reading::repeated, found.pre, found.post};
    return {Reading::once, found.pre, found.pre};
}

bool Zone::has_day(std::chrono::local_days day) const {
    // No zone has two gaps in one day, so a day whose first and last second are both missing is missing as a whole.
    return at(day).reading != Reading::skipped ||
           at(day + std::chrono::days{1} - seconds{1}).reading != Reading::skipped;
}

std::optional<Time> Zone::next_change(Time after) const {
    cctz::time_zone::civil_transition change;
    if (!zone_->next_transition(whole_seconds(after), &change)) return std::nullopt;
    return Time{zone_->lookup(change.to).trans};
}

std::vector<std::string_view> zones_of_places() {
    constexpr std::array<std::string_view, 10> regions = {"Africa/", "America/",  "Antarctica/", "Arctic/",
                                                          "Asia/",   "Atlantic/", "Australia/",  "Europe/",
                                                          "Indian/", "Pacific/"};
    std::vector<std::string_view> names;
    for (auto& name : zones())
        if (std::ranges::any_of(regions, [&](auto region) { return name.starts_with(region); })) names.push_back(name);
    return names;
}

std::optional<std::string> nearest_zone(std::string_view name) {
    std::string wanted{name.substr(0, 64)};
    std::ranges::replace(wanted, ' ', '_');
    if (wanted.empty()) return std::nullopt;
    for (const auto& [abbreviation, zone] : abbreviations)
        if (system::spelling_distance(wanted, abbreviation) == 0) return std::string{zone};

    // A bare city is compared with the last part of the names only; "Etc/" names are nobody's home.
    const bool bare = wanted.find('/') == std::string::npos;
    const std::string* best = nullptr;
    std::size_t best_distance = std::max<std::size_t>(1, wanted.size() / 3) + 1;
    for (const auto& zone : zones()) {
        auto distance = system::spelling_distance(wanted, zone);
        if (bare && !zone.starts_with("Etc/"))
            distance = std::min(distance, system::spelling_distance(wanted, last_part(zone)));
        if (distance < best_distance) {
            best_distance = distance;
            best = &zone;
        }
    }
    return best ? std::optional{*best} : std::nullopt;
}

std::string unknown_zone(std::string_view name) {
    if (zones().size() == 1) // only the built-in UTC
        return fmt::format("time zone {} is not known: there is no time zone data in {} (package tzdata)", quoted(name),
                           data_folder().string());
    if (auto meant = nearest_zone(name))
        return fmt::format("time zone {} is not known; did you mean \"{}\"?", quoted(name), *meant);
    return fmt::format("time zone {} is not known; use an IANA name such as \"Europe/Berlin\" or \"UTC\"",
                       quoted(name));
}

}
