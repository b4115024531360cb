#pragma once

#include "digest/content.hpp"
#include "digest/troubles.hpp"
#include "mail/address.hpp"
#include "storage/connection.hpp"
#include "templates/words.hpp"

#include <optional>
#include <span>
#include <string>
#include <vector>

// The letters that tell the operator of troubles, and what he was told.
//
// In:     the database, the site's words, the operator's address.
// Out:    rows of notice, and letters with purpose 'notice', plain text, in the site's language.
// Always: a letter is written in the transaction that records its notices, so that a restart neither loses nor repeats
//         one. It goes to the operator and to nobody else; without an address nothing is written. This room alone
//         writes notice.

namespace postrider::digest {

struct Told {
    std::vector<Trouble> begun, cured; // by this look; for the log
    bool mailed = false;
};

class Notices {
public:
    // References must outlive it. `relays`: those that are configured.
    Notices(storage::Connection& connection, const SiteWords& site, std::optional<mail::Address> to,
            std::span<const std::string> relays)
        : connection_(connection), site_(site), to_(std::move(to)), relays_(relays) {}

    [[nodiscard]] std::vector<Trouble> troubles(Time now);
    // Reads only: whether take_note() would write anything.
    [[nodiscard]] bool anything_new(const std::vector<Trouble>& troubles, Time now);
    Told take_note(const templates::Words& words, Time now);

private:
    [[nodiscard]] Facts facts(Time now);
    [[nodiscard]] std::vector<Notice> known();
    [[nodiscard]] std::optional<int> mails(Time now);

    storage::Connection& connection_;
    const SiteWords& site_;
    std::optional<mail::Address> to_;
    std::span<const std::string> relays_;
};

// "The feed The Courier cannot be read since 24 November 2026, 07:00 UTC: 404 Not Found"
[[nodiscard]] std::string sentence_of(const Trouble&, const templates::Words&);

}
