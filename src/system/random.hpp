#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

// Randomness from OpenSSL's generator, and the text forms of bytes. Throws std::runtime_error when the system has none
// to give.

struct evp_md_ctx_st;

namespace postrider::system {

[[nodiscard]] std::string random_bytes(std::size_t count);
[[nodiscard]] std::uint64_t random_below(std::uint64_t limit); // 0 <= result < limit

[[nodiscard]] std::string base64(std::string_view bytes);    // RFC 4648 section 4, with padding
[[nodiscard]] std::string base64url(std::string_view bytes); // RFC 4648 section 5, without padding
[[nodiscard]] std::string base32(std::string_view bytes);    // RFC 4648 section 6, lower case, without padding
[[nodiscard]] std::string hex(std::string_view bytes);       // lower case
// Empty when the text is not of that alphabet or has impossible length. base32 takes either letter case.
[[nodiscard]] std::string from_base64url(std::string_view text);
[[nodiscard]] std::string from_base32(std::string_view text);
[[nodiscard]] std::string from_hex(std::string_view text);

[[nodiscard]] std::string sha256(std::string_view bytes);                            // 32 bytes
[[nodiscard]] std::string hmac_sha256(std::string_view key, std::string_view bytes); // 32 bytes, RFC 2104

// RFC 8018 section 5.2, with HMAC-SHA256.
[[nodiscard]] std::string pbkdf2_sha256(std::string_view password, std::string_view salt, int rounds, std::size_t size);

// SHA-256 of what comes in pieces.
class Sha256 {
public:
    Sha256();
    ~Sha256();
    Sha256(const Sha256&) = delete;
    Sha256& operator=(const Sha256&) = delete;
    void add(std::string_view bytes);
    [[nodiscard]] std::string finish(); // 32 bytes; once

private:
    evp_md_ctx_st* context_;
};

}
