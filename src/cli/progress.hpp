#pragma once

#include "delivery/holds.hpp"
#include "delivery/mailings.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

// How far an issue is, in one line.
//
// In:     what was seen of it at one moment, and how quick it was lately.
// Out:    text without control characters, whatever a relay said: a bar for a terminal, a sentence for a log.
//         Pure: no clock, no database.

namespace postrider::cli {

struct Sight {
    delivery::Balance balance;
    delivery::Holds holds; // of relays that are configured
    std::string waits_for; // what a scheduled issue waits for, or one between two waves; empty: nothing
};

// Readers settled in a second, over the last ten.
class RecentRate {
public:
    using Moment = std::chrono::steady_clock::time_point;
    void add(Moment now, std::int64_t settled);
    [[nodiscard]] std::optional<double> per_second() const; // none before a second has been seen

private:
    struct Mark {
        Moment at;
        std::int64_t settled;
    };
    std::deque<Mark> marks_;
};

// "paused", "relay main held until 12:40 UTC: 454 4.7.0 Temporary authentication failure", or nothing.
[[nodiscard]] std::string standstill(const Sight&, Time now);
// Who or what it is about, without times and words: a log gets a line when this changes.
[[nodiscard]] std::string standstill_subject(const Sight&, Time now);

// 0 to 100; 100 only when everybody has an outcome.
[[nodiscard]] int percent(const delivery::Balance&);
// "43% 430,112 of 1,000,000, 8,120/s, 1m 10s left, 12 refused"
[[nodiscard]] std::string account_text(const delivery::Balance&, std::optional<double> rate);
// And what it stands still for: "...; paused".
[[nodiscard]] std::string progress_text(const Sight&, std::optional<double> rate, Time now);
// The same behind a bar, in at most so many columns; what has no room is left out.
[[nodiscard]] std::string progress_line(std::string_view name, const Sight&, std::optional<double> rate, Time now,
                                        std::size_t columns);

[[nodiscard]] std::string grouped(std::int64_t number); // "1,000,000"
// "12:40 UTC"; with seconds when that is soon, with its date when it is not today's.
[[nodiscard]] std::string moment(Time at, Time now);
// One line, without anything that could move a terminal's cursor, of at most 400 bytes.
[[nodiscard]] std::string harmless(std::string_view text);

}
