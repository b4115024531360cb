#pragma once

#include "storage/connection.hpp"
#include "storage/ids.hpp"
#include "system/time.hpp"

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

// The rows of `slice`: up to where the audience of one mailing is cut, what of it is being sent, and what rests until its
// wave. Private to intake.cpp.

namespace postrider::delivery {

struct Slice {
    std::int64_t first, last; // ids of subscriptions
    int wave = 0;
};

class Slices {
public:
    Slices(storage::Connection& connection, MailingId mailing) : connection_(connection), mailing_(mailing) {}

    [[nodiscard]] std::int64_t cut_to();          // the last id in any; 0: there is none
    [[nodiscard]] std::vector<Slice> under_way(); // neither finished nor at rest, in order
    [[nodiscard]] bool any_at_rest();

    void add(const Slice&, std::string_view worker, Time lease_until);
    void rest(const Slice&, int wave, Time not_before);
    // The next one that rested until one of the first `waves_due` waves; none: there is none.
    std::optional<Slice> wake(std::int64_t waves_due, std::string_view worker, Time lease_until);
    void finish(const Slice&, Time now);

private:
    storage::Connection& connection_;
    MailingId mailing_;
};

}
