#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

// UTF-8 as this room needs it: hostile bytes in, text that a header or a part may declare as utf-8 out.

namespace postrider::mail {

[[nodiscard]] bool is_ascii(std::string_view);
[[nodiscard]] bool is_utf8(std::string_view);

// The code point at `at`, which must be below text.size(); `at` moves behind it. Each ill-formed sequence is one
// U+FFFD.
[[nodiscard]] char32_t next_code_point(std::string_view text, std::size_t& at);
void append_utf8(std::string& out, char32_t);

// Ill-formed sequences become U+FFFD; everything else is kept, octet by octet.
[[nodiscard]] std::string valid_utf8(std::string_view);

// The first control character (C0, C1, or a line or paragraph separator) as "U+0007".
[[nodiscard]] std::optional<std::string> control_character(std::string_view);

// NFC, Unicode Standard Annex 15. The text must be valid UTF-8.
[[nodiscard]] std::string nfc(std::string_view);
// Full case folding without locale, then NFC again: equal for texts that differ only in letter case.
[[nodiscard]] std::string case_folded(std::string_view);

}
