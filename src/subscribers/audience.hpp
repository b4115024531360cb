#pragma once

#include "storage/ids.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

// Who an issue goes to: everybody active on its list at one moment, never copied.
//
// Always: a subscription belongs to the audience fixed at T with ceiling C when its id <= C and it had not been left
//         at T. Ids rise in the order of activation, and the moments of leaving and fixing only ever rise per list
//         (list_counter), so planned and the number of readers in the audience agree even when the clock is set back.

namespace postrider::subscribers {

struct Audience {
    Time fixed_at;
    std::int64_t ceiling; // highest subscription id
    std::int64_t planned; // copied from list_counter.active
};

// Takes the list's counter row first; call it inside the transaction that uses the result.
[[nodiscard]] Audience fix_audience(storage::Connection& connection, ListId list, Time now);

// The moment to record for a reader who leaves; later than every audience fixed before. Inside the leaving transaction.
[[nodiscard]] Time moment_of_leaving(storage::Connection& connection, ListId list, Time now);

struct Reader {
    SubscriptionId subscription;
    SubscriberId subscriber;
    std::string address, name, language;
    std::string attributes; // JSON object
    Time activated_at;
    bool left = false;  // since the audience was fixed, or erased: gets no mail
    std::string topics; // chosen ones: topics.hpp
    std::optional<Time> paused_until = {};
    std::string timezone = {};
};

// The ids of the `count`-th reader of the list after `after`: where a slice ends; 0 when there is none left up to the
// ceiling.
[[nodiscard]] std::int64_t end_of_slice(storage::Connection& connection, ListId list, std::int64_t after,
                                        std::int64_t ceiling, int count);

// Readers of the audience with after < id <= last, in order of id, at most `limit`; each is written where `place` says,
// over what stands there. Gives how many there were.
int read_audience(storage::Connection& connection, ListId list, Time fixed_at, std::int64_t after, std::int64_t last,
                  int limit, const std::function<Reader&()>& place);

// Of these readers only those in the zones, or only those in none of them.
struct ZoneFilter {
    std::string_view zones; // each between line feeds: "\nAsia/Tokyo\nAsia/Seoul\n"
    bool inside;
};
int read_audience_in(storage::Connection& connection, ListId list, Time fixed_at, std::int64_t after, std::int64_t last,
                     int limit, const ZoneFilter& filter, const std::function<Reader&()>& place);

// Where the readers of the audience with after < id <= last live.
struct ZoneReaders {
    std::string name; // empty: it is not known
    std::int64_t readers;
};
[[nodiscard]] std::vector<ZoneReaders> zones_of_audience(storage::Connection& connection, ListId list, Time fixed_at,
                                                         std::int64_t after, std::int64_t last);

// Every time zone that some subscriber has; quick, however many subscribers there are.
[[nodiscard]] std::vector<std::string> zones_in_use(storage::Connection& connection);

// Every way in which the list's counter row contradicts the subscriptions and mailings it counts, one sentence each.
[[nodiscard]] std::vector<std::string> counter_contradictions(storage::Connection& connection, ListId list);

// The same reader as things stand now; `left` when the subscription is closed or gone.
[[nodiscard]] Reader read_one(storage::Connection& connection, SubscriptionId subscription);

}
