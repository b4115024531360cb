#include "delivery/pace.hpp"

#include <algorithm>
#include <cmath>

namespace postrider::delivery {

void Pace::spend(Time now) {
    if (between_ <= 0) return;
    next_ = std::max(next_, double(now.time_since_epoch().count()) - 100) + between_;
}

std::optional<std::int64_t> allowance(const WarmUp& warm_up, int day) {
    if (day > warm_up.days) return std::nullopt;
    auto part = double(day - 1) / double(warm_up.days - 1);
    return std::llround(double(warm_up.from) * std::pow(double(warm_up.to) / double(warm_up.from), part));
}

DayCount as_of(Time now, DayCount count) {
    auto today = std::chrono::floor<std::chrono::days>(now).time_since_epoch().count();
    if (count.day > 0 && today <= count.date) return count;
    return {today, count.day + 1, 0};
}

Time tomorrow(Time now) { return Time(std::chrono::floor<std::chrono::days>(now) + std::chrono::days(1)); }

}
