#pragma once

#include <cstdint>
#include <expected>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

// The private keys that DKIM signs with (RFC 6376, RFC 8301, RFC 8463), their files, and what DNS must say of them.
//
// In:     a folder, keys/ of a site. One file for each domain and selector, named as its DNS record is:
//         keys/n2026._domainkey.courier.example holds an RSA key and an Ed25519 key in PEM, without a password.
// Out:    keys to sign with, and the texts of their TXT records. What is wrong with a file is one line for the operator:
//         the file, the fault, and what to do.
// Always: a file is never overwritten, and never read when others may read it too. No key is in a message of an error.
//
// This is the only place of mail/ that touches a disk.

struct evp_pkey_st; // EVP_PKEY of OpenSSL

namespace postrider::mail::dkim {

enum class Algorithm { rsa_sha256, ed25519_sha256 };
[[nodiscard]] std::string_view to_text(Algorithm); // "rsa-sha256", as in a=

// Never changes once made; any number of threads may sign with one at once.
class Key {
public:
    [[nodiscard]] Algorithm algorithm() const { return algorithm_; }
    [[nodiscard]] int bits() const { return bits_; }
    [[nodiscard]] const std::string& selector() const { return selector_; }

    // What b= holds for these octets, the canonical header: base64. Throws std::runtime_error when OpenSSL cannot.
    [[nodiscard]] std::string signature(std::string_view octets) const;
    // "v=DKIM1; k=rsa; p=...", the text of the TXT record at SELECTOR._domainkey.DOMAIN.
    [[nodiscard]] std::string record() const;

private:
    struct Freed {
        void operator()(evp_pkey_st*) const;
    };
    Key(Algorithm algorithm, std::unique_ptr<evp_pkey_st, Freed> key, std::string selector);
    friend std::expected<std::vector<Key>, std::string> parse_keys(std::string_view, std::string_view);

    Algorithm algorithm_;
    int bits_;
    std::unique_ptr<evp_pkey_st, Freed> key_;
    std::string selector_;
};

// The private keys of a PEM text, RSA first: one, or one of each algorithm. A DNS name has one key, so that of two the
// Ed25519 key has the selector SELECTOR-ed. The error completes "FILE: ...". Refused: RSA below 1024 bits, which verifiers
// must not accept, and above 4096, which they need not (RFC 8301 section 3.2); any other kind of key.
[[nodiscard]] std::expected<std::vector<Key>, std::string> parse_keys(std::string_view pem, std::string_view selector);

// What is allowed but unwise, one line each.
[[nodiscard]] std::vector<std::string> weaknesses(std::span<const Key>);

// The name in lower case and A-labels, or why it is none, completing `"NAME" ...`.
[[nodiscard]] std::expected<std::string, std::string> domain_from(std::string_view);
[[nodiscard]] std::expected<std::string, std::string> selector_from(std::string_view);

[[nodiscard]] std::string record_name(std::string_view selector, std::string_view domain);
// At most 255 octets each (RFC 1035 section 3.3); a verifier joins them without a space (RFC 6376 section 3.6.2.2).
[[nodiscard]] std::vector<std::string> txt_strings(std::string_view record);

struct KeyFile {
    std::filesystem::path path;
    std::string domain, selector;
};

[[nodiscard]] KeyFile key_file(const std::filesystem::path& folder, std::string_view domain, std::string_view selector);
// All of a folder by domain and selector; none where there is no folder. Other files are passed over.
[[nodiscard]] std::vector<KeyFile> key_files(const std::filesystem::path& folder);
// That the folder is open to others.
[[nodiscard]] std::optional<std::string> fault_of_folder(const std::filesystem::path& folder);

// The error is a whole sentence, and begins with the path.
[[nodiscard]] std::expected<std::vector<Key>, std::string> read_keys(const KeyFile&);
// An RSA key of 2048 bits and an Ed25519 key, on the disk when this returns: file 0600, the folder made with 0700.
[[nodiscard]] std::expected<KeyFile, std::string> create_keys(const std::filesystem::path& folder,
                                                              std::string_view domain, std::string_view selector);

}
