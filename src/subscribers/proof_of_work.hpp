#pragma once

#include "subscribers/link_tokens.hpp"
#include "system/time.hpp"

#include <optional>
#include <string>
#include <string_view>

// A piece of work that a visitor's browser does before a form is taken at the ordinary rate: nothing for one reader, much
// for who sends a million forms. The ALTCHA protocol, version 2, with PBKDF2/SHA-256 (https://altcha.org/docs/v2): find the
// counter for which PBKDF2(nonce and counter, salt) begins with the prefix. Any ALTCHA widget can solve it.
//
// In:     nothing is kept of a challenge: it carries its own signature.
// Out:    a challenge as JSON; and of a solution its nonce, which the caller lets pass once (Budgets::spend).
// Always: constant-time comparison; one derivation a solution, and none for one that we did not sign or that is too old.

namespace postrider::subscribers {

inline constexpr Duration challenge_lives_for = 20min;

[[nodiscard]] std::string challenge(const LinkTokens&, Time now);

// `payload`: base64 of {"challenge": {"parameters", "signature"}, "solution": {"counter", "derivedKey"}}, any bytes.
// Nothing: forged, expired, or not solved.
[[nodiscard]] std::optional<std::string> solved_nonce(const LinkTokens&, std::string_view payload, Time now);

}
