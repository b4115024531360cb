#pragma once

#include "delivery/pace.hpp"
#include "storage/connection.hpp"

#include <optional>
#include <string>
#include <string_view>

// How far the warm-up of each relay is, so that a restart does not begin the day, or the warm-up, anew.

namespace postrider::delivery {

struct WarmUpDay {
    std::string relay;
    DayCount count;
};

[[nodiscard]] std::optional<DayCount> read_day(storage::Connection&, std::string_view relay);
void write(storage::Connection&, const WarmUpDay&); // inside the caller's transaction

}
