#pragma once

#include "mail/address.hpp"
#include "storage/ids.hpp"
#include "system/time.hpp"

#include <optional>
#include <string>
#include <string_view>

// One person: an address and what we call them.

namespace postrider::subscribers {

struct Profile {
    std::string name;
    std::string language;          // BCP 47; empty: the list's
    std::string timezone;          // IANA name; empty: the list's
    std::string attributes = "{}"; // a JSON object of strings
};

struct Subscriber {
    SubscriberId id;
    std::string address; // as given
    std::string address_key;
    Profile profile;
    Time created_at;
    std::optional<Time> paused_until; // gets no issue before; a moment that has passed: is not paused
};

class Subscribers {
public:
    explicit Subscribers(storage::Connection& connection) : connection_(connection) {}

    [[nodiscard]] std::optional<Subscriber> find(SubscriberId);
    [[nodiscard]] std::optional<Subscriber> find(const mail::Address&);
    // The row of this address, made if there is none. Of an old one only what `profile` has a value for is changed.
    SubscriberId keep(const mail::Address&, const Profile&, Time now);
    void update(SubscriberId, const Profile&);
    // No issue before then; nothing: from now on again.
    void pause(SubscriberId, std::optional<Time> until);

private:
    storage::Connection& connection_;
};

// A name as it may stand in a To field and a greeting: valid UTF-8 on one line, without control characters or spaces
// at its ends, at most 501 characters. Never refuses.
[[nodiscard]] std::string clean_name(std::string_view);
// The tag when it has the form of one (RFC 5646), else empty.
[[nodiscard]] std::string clean_language(std::string_view);

}
