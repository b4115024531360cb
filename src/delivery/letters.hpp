#pragma once

#include "delivery/mailings.hpp"
#include "storage/ids.hpp"

#include <string>
#include <string_view>
#include <vector>

// Letters: mailings to one (a confirmation, a welcome, a notice, a test), each a row with its whole message, ahead of
// every issue.
//
// Always: the row is written in the transaction that made it necessary, so no confirmation is lost in a crash; it is
// tried until
//         it expires; a try first moves the row's next try past the lease, so a crash in its middle delays it and loses
//         nothing.

namespace postrider::delivery {

enum class Purpose { confirmation, welcome, notice, test };

struct Letter {
    LetterId id;
    std::string sender; // of the envelope
    std::string address;
    std::string message; // CRLF, complete
    int tries;           // so far
    Time created_at, expires_at;
};

class Letters {
public:
    explicit Letters(storage::Connection& connection) : connection_(connection) {}

    LetterId add(Purpose purpose, std::string_view sender, std::string_view address, std::string_view address_key,
                 std::string_view message, Time now, Duration lives_for);
    // Takes up to `limit` letters that are due, leaving each alone until `lease` has passed. Letters whose time ran out
    // are expired.
    [[nodiscard]] std::vector<Letter> claim(int limit, Time now, Duration lease);
    [[nodiscard]] std::optional<Time> next_due();
    void finish(LetterId id, Outcome outcome, int tries, std::string_view reason, Time now);
    void defer(LetterId id, int tries, Time next_try_at, std::string_view reason);
    // Removes at most `limit` finished letters that were written before then; the address goes with them.
    std::int64_t purge(Time written_before, int limit);
    // Before a person is erased: removes every letter to them, and from outcomes what a relay said, as that may name
    // the address.
    void erase(std::string_view address_key);

private:
    storage::Connection& connection_;
};

}
