#include "system/random.hpp"

#include "system/ascii.hpp"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <stdexcept>

namespace postrider::system {
namespace {

constexpr std::string_view base64_alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view url_alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::string_view base32_alphabet = "abcdefghijklmnopqrstuvwxyz234567";

// Writes bytes as digits of `bits` bits, most significant first.
std::string encode(std::string_view bytes, std::string_view alphabet, int bits) {
    std::string text;
    unsigned held = 0;
    int count = 0;
    for (unsigned char byte : bytes) {
        held = (held << 8 | byte) & 0xffff;
        for (count += 8; count >= bits; count -= bits) text += alphabet[held >> (count - bits) & ((1u << bits) - 1)];
    }
    if (count > 0) text += alphabet[held << (bits - count) & ((1u << bits) - 1)];
    return text;
}

// Refuses left-over bits that are not zero, so that one value has one spelling.
std::string decode(std::string_view text, std::string_view alphabet, int bits, bool fold_case) {
    std::string bytes;
    unsigned held = 0;
    int count = 0;
    for (char c : text) {
        if (fold_case) c = lower(c);
        auto digit = alphabet.find(c);
        if (digit == alphabet.npos) return {};
        held = (held << bits | unsigned(digit)) & 0xffff;
        if ((count += bits) >= 8) bytes += char(held >> (count -= 8) & 0xff);
    }
    if (count >= bits || (held & ((1u << count) - 1)) != 0) return {};
    return bytes;
}

// Looked up once and kept to the end: each use of EVP_sha256() looks it up anew.
const EVP_MD* sha256_of_openssl() {
    static const EVP_MD* const sha256 = EVP_MD_fetch(nullptr, "SHA256", nullptr);
    if (!sha256) throw std::runtime_error("OpenSSL has no SHA-256");
    return sha256;
}

}

std::string random_bytes(std::size_t count) {
    std::string bytes(count, '\0');
    if (RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()), int(count)) != 1)
        throw std::runtime_error("the system's random generator gives nothing");
    return bytes;
}

std::uint64_t random_below(std::uint64_t limit) {
    std::uint64_t value = 0;
    for (unsigned char byte : random_bytes(8)) value = value << 8 | byte;
    return value % limit; // the bias is below 2^-32 for every limit this program uses
}

std::string base64(std::string_view bytes) {
    auto text = encode(bytes, base64_alphabet, 6);
    text.resize((text.size() + 3) / 4 * 4, '=');
    return text;
}

std::string base64url(std::string_view bytes) { return encode(bytes, url_alphabet, 6); }
std::string base32(std::string_view bytes) { return encode(bytes, base32_alphabet, 5); }
std::string hex(std::string_view bytes) { return encode(bytes, "0123456789abcdef", 4); }
std::string from_base64url(std::string_view text) { return decode(text, url_alphabet, 6, false); }
std::string from_base32(std::string_view text) { return decode(text, base32_alphabet, 5, true); }
std::string from_hex(std::string_view text) { return decode(text, "0123456789abcdef", 4, true); }

std::string sha256(std::string_view bytes) {
    std::string digest(32, '\0');
    if (EVP_Digest(bytes.data(), bytes.size(), reinterpret_cast<unsigned char*>(digest.data()), nullptr,
                   sha256_of_openssl(), nullptr) != 1)
        throw std::runtime_error("OpenSSL has no SHA-256");
    return digest;
}

Sha256::Sha256() : context_(EVP_MD_CTX_new()) {
    if (context_ && EVP_DigestInit_ex2(context_, sha256_of_openssl(), nullptr) == 1) return;
    EVP_MD_CTX_free(context_);
    throw std::runtime_error("OpenSSL has no SHA-256");
}

Sha256::~Sha256() { EVP_MD_CTX_free(context_); }

void Sha256::add(std::string_view bytes) {
    if (EVP_DigestUpdate(context_, bytes.data(), bytes.size()) != 1) throw std::runtime_error("OpenSSL failed");
}

std::string Sha256::finish() {
    std::string digest(32, '\0');
    if (EVP_DigestFinal_ex(context_, reinterpret_cast<unsigned char*>(digest.data()), nullptr) != 1)
        throw std::runtime_error("OpenSSL failed");
    return digest;
}

std::string hmac_sha256(std::string_view key, std::string_view bytes) {
    std::string digest(32, '\0');
    unsigned length = 32;
    if (!HMAC(EVP_sha256(), key.data(), int(key.size()), reinterpret_cast<const unsigned char*>(bytes.data()),
              bytes.size(), reinterpret_cast<unsigned char*>(digest.data()), &length))
        throw std::runtime_error("OpenSSL has no HMAC-SHA256");
    return digest;
}

std::string pbkdf2_sha256(std::string_view password, std::string_view salt, int rounds, std::size_t size) {
    std::string key(size, '\0');
    if (PKCS5_PBKDF2_HMAC(password.data(), int(password.size()), reinterpret_cast<const unsigned char*>(salt.data()),
                          int(salt.size()), rounds, sha256_of_openssl(), int(size),
                          reinterpret_cast<unsigned char*>(key.data())) != 1)
        throw std::runtime_error("OpenSSL has no PBKDF2");
    return key;
}

}
