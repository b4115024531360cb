#pragma once

#include <string>
#include <string_view>

// Addresses of stories and pictures as feeds and pages write them (RFC 3986, and what browsers forgive).
//
// In:   any text. Out: text. Never fails: what makes no sense comes back as it was, cleaned.
// Always: no white space, control characters, quotes or angle brackets in a result. Pure, linear time.

namespace postrider::stories {

// RFC 3986 section 5.2. White space around is dropped, inside it is removed (line breaks, tabs) or written %20.
// Without a usable base the reference itself.
[[nodiscard]] std::string resolve(std::string_view base, std::string_view reference);

// What two spellings of one address have in common; the identity of a story. Scheme and host in lower case, no default
// port, no fragment (but #!...), no tracking parameters (utm_*, fbclid, gclid, mc_cid ...), no dot segments, percent
// escapes only where needed and in upper case. Scheme and order of the parameters stay. It still leads there.
[[nodiscard]] std::string canonical_url(std::string_view url);

// "https" for "HTTPS://example.org"; empty for a relative reference.
[[nodiscard]] std::string scheme_of(std::string_view url);
// Begins with http:// or https:// and names a host.
[[nodiscard]] bool is_web_address(std::string_view url);

}
