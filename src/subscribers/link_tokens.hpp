#pragma once

#include "subscribers/sign_up_id.hpp"
#include "system/time.hpp"

#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// The unforgeable part of every link and return address we mail, and the site's secret keys behind it.
//
// In:     ids of rows.
// Out:    a short text for one single purpose; and back again, only from the very same text.
// Always: a token is key id, purpose, ids and 128 bits of HMAC-SHA256 over all of them and the site's own id;
//         compared in constant time. A token for another purpose, of another site, cut short or changed in any
//         character gives nothing. Tokens do not expire by themselves (a link to leave must work for years): what
//         they point at decides. The newest key signs, every key verifies, so that rotation breaks no old link.
// Threads: const functions may run anywhere at once; refresh() may not run beside them.
// Errors: a missing, unreadable or openly readable key file throws std::runtime_error that names it.

namespace postrider::subscribers {

struct KeyId {
    std::uint8_t number = 0; // 1..255
    auto operator<=>(const KeyId&) const = default;
};

// Signs with one key, the one a mailing was frozen with. Appends to the caller's text and allocates nothing itself.
// Cheap to copy; keeps its key alive.
class LinkSigner {
public:
    // base64url, for links.
    void leave(std::string& to, SubscriptionId) const;
    void view(std::string& to, MailingId, SubscriptionId) const;
    void preferences(std::string& to, SubscriberId) const;
    // base32 in lower case, for places where letter case is lost: the local part "bounce+TOKEN" has at most 64 octets.
    void bounce(std::string& to, MailingId, SubscriptionId) const;
    void leave_by_mail(std::string& to, SubscriptionId) const;
    // The left side of a Message-ID: the same for every try, and readable again in a report that quotes the header.
    void message_id(std::string& to, MailingId, SubscriptionId) const;

private:
    friend class LinkTokens;
    struct Keys;
    struct Key;
    std::shared_ptr<const Keys> keys_;
    const Key* key_ = nullptr;
};

class LinkTokens {
public:
    struct DeliveryOf {
        MailingId mailing;
        SubscriptionId subscription;
        bool operator==(const DeliveryOf&) const = default;
    };

    // Reads keys/links; makes it (and its folder, mode 0700) when it is absent, mode 0600, atomically: of two
    // processes that start at once both end up with the same keys.
    explicit LinkTokens(std::filesystem::path file);
    // Adds a key that signs from now on. Other processes learn of it by refresh(), the daemon once a second.
    static KeyId rotate(const std::filesystem::path& file);
    // Reads the file again if it was replaced since. Throws std::runtime_error, and keeps the keys it has, where the
    // file cannot be used. Any thread, while others sign.
    void refresh();

    // Of what never changes in the file; the same for a site for ever, and of no use to whoever reads it.
    [[nodiscard]] std::string fingerprint() const;
    [[nodiscard]] KeyId newest() const;
    [[nodiscard]] std::vector<KeyId> all() const; // oldest first
    // Nothing when the key is not (or not yet: refresh) in the file.
    [[nodiscard]] std::optional<LinkSigner> signer(KeyId) const;
    [[nodiscard]] LinkSigner signer() const; // with the newest key

    [[nodiscard]] std::string confirm(SignUpId) const;       // the link of a confirmation mail
    [[nodiscard]] std::string form(ListId, Time made) const; // in the form of a page
    [[nodiscard]] std::string ask_again(SignUpId) const;     // offered when that link has expired

    [[nodiscard]] std::string approve(IssueId) const; // the links of the mail that asks an editor
    [[nodiscard]] std::string stop(IssueId) const;

    [[nodiscard]] std::optional<IssueId> read_approve(std::string_view token) const;
    [[nodiscard]] std::optional<IssueId> read_stop(std::string_view token) const;
    [[nodiscard]] std::optional<SignUpId> read_confirm(std::string_view token) const;
    [[nodiscard]] std::optional<Time> read_form(std::string_view token, ListId) const; // when it was made
    [[nodiscard]] std::optional<SignUpId> read_ask_again(std::string_view token) const;
    [[nodiscard]] std::optional<SubscriptionId> read_leave(std::string_view token) const;
    [[nodiscard]] std::optional<SubscriptionId> read_leave_by_mail(std::string_view token) const;
    [[nodiscard]] std::optional<DeliveryOf> read_view(std::string_view token) const;
    [[nodiscard]] std::optional<SubscriberId> read_preferences(std::string_view token) const;
    [[nodiscard]] std::optional<DeliveryOf> read_bounce(std::string_view token) const;
    [[nodiscard]] std::optional<DeliveryOf> read_message_id(std::string_view token) const;

    // 32 bytes by which the suppression list knows an address (mail::Address::key()). Its key never rotates.
    [[nodiscard]] std::string address_hash(std::string_view address_key) const;

private:
    [[nodiscard]] std::shared_ptr<const LinkSigner::Keys> keys() const;

    std::filesystem::path file_;
    mutable std::mutex mutex_; // of the pointer
    std::shared_ptr<const LinkSigner::Keys> keys_;
};

}
