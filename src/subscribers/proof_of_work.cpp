#include "subscribers/proof_of_work.hpp"

#include "system/random.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>
#include <openssl/crypto.h>

namespace postrider::subscribers {
namespace {

namespace json = boost::json;

// 256 tries on average, each of so many rounds: half a second on a telephone. A check is one try.
constexpr int rounds = 2000;
constexpr std::size_t key_length = 32;
constexpr std::string_view prefix = "00";
constexpr std::size_t nonce_size = 16;
constexpr std::size_t longest_payload = 4096;

// The names in the order of the alphabet, as the protocol signs them.
std::string parameters(std::string_view nonce, std::string_view salt, std::int64_t expires_at) {
    return fmt::format(
        R"({{"algorithm":"PBKDF2/SHA-256","cost":{},"expiresAt":{},"keyLength":{},"keyPrefix":"{}","nonce":"{}","salt":"{}"}})",
        rounds, expires_at, key_length, prefix, nonce, salt);
}

std::string signature(const LinkTokens& tokens, std::string_view parameters) {
    return system::hex(tokens.address_hash(fmt::format("altcha {}", parameters)));
}

bool same(std::string_view a, std::string_view b) {
    return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

json::value decoded(std::string_view payload) {
    if (payload.size() > longest_payload) return nullptr;
    std::string text(payload.substr(0, payload.find_last_not_of('=') + 1));
    for (char& c : text) c = c == '+' ? '-' : c == '/' ? '_' : c;
    json::error_code error;
    auto value = json::parse(system::from_base64url(text), error, {}, {.max_depth = 4});
    return error ? json::value() : value;
}

// What a member says; empty where there is none, or another kind of value.
std::string text_of(const json::object& object, std::string_view name) {
    auto* value = object.if_contains(name);
    return value && value->is_string() ? std::string(value->get_string()) : std::string();
}

std::int64_t number_of(const json::object& object, std::string_view name) {
    auto* value = object.if_contains(name);
    return value && value->is_int64() ? value->get_int64() : -1;
}

const json::object& object_in(const json::value* value, std::string_view name) {
    static const json::object none;
    auto* object = value ? value->if_object() : nullptr;
    auto* member = object ? object->if_contains(name) : nullptr;
    return member && member->is_object() ? member->get_object() : none;
}

std::string password(std::string_view nonce, std::uint32_t counter) {
    std::string bytes(nonce);
    for (int shift = 24; shift >= 0; shift -= 8) bytes += char(counter >> shift & 0xff);
    return bytes;
}

}

std::string challenge(const LinkTokens& tokens, Time now) {
    auto expires_at = std::chrono::floor<std::chrono::seconds>(now + challenge_lives_for).time_since_epoch().count();
    auto nonce = system::hex(system::random_bytes(nonce_size)), salt = system::hex(system::random_bytes(nonce_size));
    auto signed_part = parameters(nonce, salt, expires_at);
    return fmt::format(R"({{"parameters":{},"signature":"{}"}})", signed_part, signature(tokens, signed_part));
}

std::optional<std::string> solved_nonce(const LinkTokens& tokens, std::string_view payload, Time now) {
    auto value = decoded(payload);
    auto& given = object_in(&value, "challenge");
    auto& solution = object_in(&value, "solution");
    json::value challenge = given;
    auto& said = object_in(&challenge, "parameters");
    // Everything but these three is ours to say, so nothing that was signed can be anything else.
    auto nonce = text_of(said, "nonce"), salt = text_of(said, "salt");
    auto expires_at = number_of(said, "expiresAt");
    auto nonce_bytes = system::from_hex(nonce), salt_bytes = system::from_hex(salt);
    if (nonce_bytes.size() != nonce_size || salt_bytes.size() != nonce_size) return std::nullopt;
    if (!same(text_of(given, "signature"), signature(tokens, parameters(nonce, salt, expires_at)))) return std::nullopt;
    if (now >= Time(std::chrono::seconds(expires_at))) return std::nullopt;

    auto counter = number_of(solution, "counter");
    auto claimed = text_of(solution, "derivedKey");
    if (counter < 0 || counter > UINT32_MAX || !claimed.starts_with(prefix)) return std::nullopt;
    auto derived = system::pbkdf2_sha256(password(nonce_bytes, std::uint32_t(counter)), salt_bytes, rounds, key_length);
    if (!same(system::hex(derived), claimed)) return std::nullopt;
    return nonce;
}

}
