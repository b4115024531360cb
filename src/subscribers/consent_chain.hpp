#pragma once

#include "storage/ids.hpp"
#include "subscribers/sign_up_id.hpp"
#include "system/time.hpp"

#include <optional>
#include <string>
#include <string_view>

// How the entries of the consent record are bound to each other: an entry's hash is SHA-256 over its content and the
// hash of the entry before it.
//
// Always: pure; the same content gives the same hash for ever (the hashes are in databases, and schema/011 makes the
//         same ones in SQL). What names a person enters as a seal: SHA-256 over 16 random bytes and the values. Who has
//         the salt can check the values; without it, as after an erasure, the seal proves nothing about anybody.

namespace postrider::subscribers {

inline constexpr std::size_t salt_size = 16;

[[nodiscard]] std::string person_seal(std::string_view salt, std::string_view address_key, std::string_view form,
                                      std::string_view mail);
[[nodiscard]] std::string client_seal(std::string_view salt, std::string_view client);

struct ChainedContent {
    ListId list;
    std::string_view event;
    Time at;
    std::string_view words, language;
    std::optional<SignUpId> sign_up;
    std::string_view person_seal, client_seal; // empty: there was nothing to seal
};
// 32 bytes. `before`: of the entry before; empty for the first.
[[nodiscard]] std::string chained(std::string_view before, const ChainedContent&);

}
