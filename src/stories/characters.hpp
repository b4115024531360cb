#pragma once

#include <cstddef>
#include <string>
#include <string_view>

// Small questions about text that reading HTML asks all the time. ASCII rules for letters and white space; UTF-8 is
// looked at only where the name says so.

namespace postrider::stories {

// Invalid sequences become U+FFFD; control characters other than tab, LF and CR, and noncharacters, vanish.
[[nodiscard]] std::string clean_utf8(std::string_view);
[[nodiscard]] std::size_t count_characters(std::string_view utf8); // code points

// How many bytes of printable ASCII and line ends (LF) it begins with: most of a text, and quickly found.
[[nodiscard]] std::size_t plain_length(std::string_view);

[[nodiscard]] bool is_space(char);
[[nodiscard]] std::string lower(std::string_view);
[[nodiscard]] std::string_view trim(std::string_view);
// Runs of white space (U+00A0 and zero-width characters too) become one space; none at either end.
[[nodiscard]] std::string collapse(std::string_view);
[[nodiscard]] bool same_letters(std::string_view, std::string_view); // but for case
[[nodiscard]] bool contains_any(std::string_view text, std::initializer_list<std::string_view> words);

// & < > " ' as entities: safe in text and in quoted attributes.
void append_escaped(std::string& out, std::string_view text);

}
