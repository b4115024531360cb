#pragma once

#include "storage/ids.hpp"

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// How long each relay took to answer the messages of a mailing, from the end of the body to the reply: a fixed set of
// buckets, counted.
//
// In:     one time for each answer; a relay that hung up or kept silent gave none.
// Out:    a histogram for each relay of a mailing. It counts answers, not readers: who is tried twice is in it twice.
// Always: counted in memory, written with the group that records the outcomes: one statement for each relay and
//         mailing of it.

namespace postrider::delivery {

inline constexpr std::array<Duration, 12> answer_bounds = {10ms, 20ms, 50ms, 100ms, 200ms, 500ms,
                                                           1s,   2s,   5s,   10s,   30s,   60s};

struct AnswerHistogram {
    std::string relay;
    std::array<std::int64_t, answer_bounds.size() + 1> counts{}; // the last: longer than every bound

    [[nodiscard]] std::int64_t total() const;
    // The bound within which half of the answers came; none when that is longer than every bound.
    [[nodiscard]] std::optional<Duration> half_within() const;
};

class AnswerTimes {
public:
    void count(MailingId mailing, std::string_view relay, Duration time);
    [[nodiscard]] bool empty() const { return gathered_.empty(); }

    // Adds what was gathered to what the database has. Inside the caller's transaction; keeps what it gathered, so that
    // a transaction that failed can be made again.
    void write(storage::Connection&) const;

    [[nodiscard]] static std::vector<AnswerHistogram> of(storage::Connection&, MailingId); // by relay

private:
    struct Gathered {
        MailingId mailing;
        AnswerHistogram histogram;
    };
    std::vector<Gathered> gathered_; // a few at most
};

}
