#pragma once

#include "mail/address.hpp"
#include "subscribers/link_tokens.hpp"

#include <cstdint>
#include <string>
#include <string_view>

// Forgetting a person (GDPR article 17), and telling one what is known (article 15).

namespace postrider::subscribers {

struct Erased {
    bool subscriber = false;        // there was a row
    std::int64_t subscriptions = 0; // open ones, now closed
    std::int64_t sign_ups = 0;
    std::int64_t consents = 0; // entries whose address, client and form were emptied
};

// Afterwards no row of this room holds the address, its network addresses or its name. Stretches of membership remain
// without a person, so that issues still balance, and a keyed hash remains, so that no import brings the person back.
// Letters to the address are the caller's to delete, in the same transaction.
Erased erase(storage::Connection&, const LinkTokens&, const mail::Address&, Time now);

// What this room knows as one JSON object, for the person: a part of delivery/whole_record.hpp.
[[nodiscard]] std::string known_about(storage::Connection&, const LinkTokens&, const mail::Address&, Time now);

}
