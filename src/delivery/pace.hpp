#pragma once

#include "system/rate.hpp"
#include "system/time.hpp"

#include <cstdint>
#include <optional>

// How fast mail leaves: rates that are true, a warm-up that grows day by day, and what part of the mail a relay gets.
//
// In:     rates, counts, and now.
// Out:    when the next message may leave, or how many may leave today.
// Always: pure. A rate is kept evenly, with at most a tenth of a second's worth (or one message) at once: 2000/hour is a
// message
//         every 1.8 s and never two thousand in the first minute. Days are those of UTC.

namespace postrider::delivery {

class Pace {
public:
    Pace() = default; // no limit
    explicit Pace(Rate rate) : between_(double(rate.per.count()) / double(rate.count)) {}

    [[nodiscard]] bool is_limited() const { return between_ > 0; }
    [[nodiscard]] double per_second() const { return 1000 / between_; }             // of one that is limited
    [[nodiscard]] Time next() const { return Time(Duration(std::int64_t(next_))); } // now or past: at once
    void spend(Time now);

private:
    double between_ = 0; // milliseconds
    double next_ = 0;    // since 1970; in fractions, so that rates above a thousand a second are true as well
};

struct WarmUp {
    std::int64_t from = 0, to = 0; // messages on the first day, and on the last; afterwards there is no limit
    int days = 0;                  // >= 2
};
// How many may leave on this day of the warm-up, which is 1 for the first; each is the same factor above the one before.
[[nodiscard]] std::optional<std::int64_t> allowance(const WarmUp&, int day);

// A day counts when a message is sent on it: a relay that rests for a month does not come back at full strength.
struct DayCount {
    std::int64_t date = 0; // days since 1970
    int day = 0;           // of the warm-up; 0: it has not begun
    std::int64_t sent = 0; // on this day
};
// The same as of `now`: a new day begins at nothing. A clock that is set back begins none.
[[nodiscard]] DayCount as_of(Time now, DayCount);
[[nodiscard]] Time tomorrow(Time now);

}
