#pragma once

#include "delivery/intake.hpp"

#include <span>
#include <string_view>

// The rows of `delivery`: what became of each reader. Private to intake.cpp, which keeps them in step with the slices.

namespace postrider::delivery {

// The common case: accepted at the first try. In order of (mailing, subscription), which is the order of the table.
void insert_accepted(storage::Connection& connection, std::span<const Record* const> records, Time now);
// Readers of one mailing who get nothing and have no outcome yet, in order of their ids.
struct Suppressed {
    SubscriptionId reader;
    std::string_view reason;
};
void insert_suppressed(storage::Connection& connection, MailingId mailing, std::span<const Suppressed> readers,
                       Time now);
void upsert(storage::Connection& connection, const Record& record, Time now);
// Whoever gets nothing, because of the reader: has left, or was never to be written to. Keeps was_unknown.
void suppress(storage::Connection& connection, MailingId mailing, SubscriptionId reader, std::string_view reason,
              Time now);
[[nodiscard]] bool has_outcome(storage::Connection& connection, MailingId mailing, SubscriptionId reader);

}
