#pragma once

#include "mail/dkim_keys.hpp"
#include "system/random.hpp"
#include "system/time.hpp"

#include <array>
#include <cstddef>
#include <expected>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

// DKIM signatures (RFC 6376): proof that a message left here as it is.
//
// In:     a message as it goes over the wire: CRLF, before dot-stuffing, and nothing added to it afterwards.
// Out:    the DKIM-Signature fields to put in front of it, one for each key: relaxed/relaxed, no l=, folded at 78 columns
//         where the domain is not too long for that.
// Always: every field that says who wrote what to whom, and how to leave, is signed; those of which a second copy could
//         mislead a reader are signed once more than they are there, so that an added one breaks the signature (RFC 6376
//         section 8.15).
// Threads: a Signer never changes; any number of threads may sign with one at once.
//
//   auto signers = load_signers(settings, site.keys);      // once
//   if (auto* signer = signer_for(*signers, domain))       // once a mailing: the domain of From
//       prefix = signer->sign(header, body, now);          // once a message

namespace postrider::mail::dkim {

class Signer {
public:
    // The domain in lower case and A-labels, as domain_from() gives it. Throws std::invalid_argument without a key.
    Signer(std::string domain, std::vector<Key> keys);

    [[nodiscard]] const std::string& domain() const { return domain_; }
    [[nodiscard]] std::span<const Key> keys() const { return keys_; }
    // Whether d= is aligned with a sender of that domain (DMARC, relaxed): it is ours, or one below ours.
    [[nodiscard]] bool covers(std::string_view from_domain) const;

    // The fields, each with its CRLF. `header` holds the message's fields, with the empty line behind them or without it;
    // `body` is what follows that line, in pieces that are cut anywhere. Throws std::invalid_argument for a header
    // without From, and std::runtime_error when OpenSSL cannot sign.
    [[nodiscard]] std::string sign(std::string_view header, std::span<const std::string_view> body, Time now) const;
    // The same for a message in one piece.
    [[nodiscard]] std::string sign(std::string_view message, Time now) const;

private:
    std::string domain_;
    std::vector<Key> keys_;
};

// Of the signers that cover the domain, the one nearest to it; null: there is none, and the message goes unsigned.
[[nodiscard]] const Signer* signer_for(std::span<const Signer> signers, std::string_view from_domain);

// Which keys sign: [dkim] of the configuration.
struct Settings {
    std::string selector; // of the keys that sign now; others stay in keys/ for as long as their mail is on its way
    std::string domain;   // empty: every domain that has a key of this selector
    std::filesystem::path key_file; // empty: the one in keys/; with it, `domain` must be given
    std::optional<Algorithm> only;  // none: one signature for each key of the file
};

// At least one. The error names the file, or the folder, and what to do.
[[nodiscard]] std::expected<std::vector<Signer>, std::string> load_signers(const Settings&,
                                                                           const std::filesystem::path& keys_folder);

// The pieces of section 3.4, for whoever wants to check them.

// Section 3.4.2, without the final CRLF.
[[nodiscard]] std::string relaxed_field(std::string_view field);

// The SHA-256 of a body in the form of section 3.4.4. Octets that are in that form already are hashed where they are.
class RelaxedBody {
public:
    void add(std::string_view piece);
    [[nodiscard]] std::string finish(); // 32 bytes; once, nothing can be added afterwards

private:
    void step(char octet);
    void content(std::string_view octets);
    void hash(std::string_view octets);
    void flush();

    system::Sha256 sha256_;
    std::size_t line_ends_ = 0; // waiting: those at the end of a body do not count
    bool space_ = false;        // waiting: that at the end of a line does not count
    bool cr_ = false;           // waiting for its LF
    bool empty_ = true;
    std::size_t held_ = 0;
    std::array<char, 4096> buffer_;
};

}
