#include "schedule/schedule.hpp"

#include <algorithm>

namespace postrider::schedule {

namespace {

using std::chrono::days;
using std::chrono::floor;
using std::chrono::local_days;
using std::chrono::local_seconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr Time first_year = std::chrono::sys_days{std::chrono::year{1} / 1 / 1};
constexpr Time last_year = std::chrono::sys_days{std::chrono::year{9999} / 12 / 31};

std::optional<Time> next_of_fixed_times(const Schedule& schedule, const Zone& zone, Time after) {
    const auto local = zone.local(after);
    const auto today = floor<days>(local);
    for (auto day = first_on_or_after(schedule.days, today); day;
         day = first_on_or_after(schedule.days, *day + days{1})) {
        if (!zone.has_day(*day)) continue;
        // at().first never runs backwards, so no time before the one the clocks show can be due later than `after`.
        auto time = *day == today ? std::ranges::lower_bound(schedule.times, floor<minutes>(local - today))
                                  : schedule.times.begin();
        for (; time != schedule.times.end(); ++time) {
            const auto instant = zone.at(*day + *time).first;
            if (instant > after) return instant;
        }
    }
    return std::nullopt;
}

// The first of the schedule's times that a clock without any change would show, `from` included.
std::optional<local_seconds> first_reading(const Schedule& schedule, local_seconds from) {
    const auto today = floor<days>(from);
    auto day = first_on_or_after(schedule.days, today);
    if (day && *day == today) {
        const auto time = std::ranges::lower_bound(schedule.times, std::chrono::ceil<minutes>(from - today));
        if (time != schedule.times.end()) return today + *time;
        day = first_on_or_after(schedule.days, today + days{1});
    }
    if (!day) return std::nullopt;
    return *day + schedule.times.front();
}

std::optional<Time> next_of_intervals(const Schedule& schedule, const Zone& zone, Time after) {
    // Between two changes of the zone clocks run evenly, so the search goes from change to change.
    Time from = floor<seconds>(after) + seconds{1};
    auto searched_from = zone.local(from);
    auto wanted = first_reading(schedule, searched_from);
    while (wanted) {
        const auto local = zone.local(from);
        if (local < searched_from || local > *wanted) {
            searched_from = local;
            wanted = first_reading(schedule, local);
            continue;
        }
        const Time instant = from + (*wanted - local);
        const auto change = zone.next_change(from);
        if (!change || instant < *change) return instant;
        from = *change;
    }
    return std::nullopt;
}

}

std::optional<Time> next(const Schedule& schedule, const Zone& zone, Time after) {
    if (after >= last_year) return std::nullopt;
    after = std::max(after, first_year);
    const auto slot = schedule.pace == Pace::fixed_times ? next_of_fixed_times(schedule, zone, after)
                                                         : next_of_intervals(schedule, zone, after);
    if (slot && *slot >= last_year) return std::nullopt;
    return slot;
}

}
