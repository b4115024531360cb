#pragma once

#include <algorithm>
#include <string>
#include <string_view>

// Letter case as protocols know it: of the ASCII letters, whatever the locale; every other byte stays what it is.

namespace postrider::system {

[[nodiscard]] constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c; }

[[nodiscard]] inline std::string lower(std::string_view text) {
    std::string result(text);
    for (char& c : result) c = lower(c);
    return result;
}

[[nodiscard]] inline bool equal_without_case(std::string_view a, std::string_view b) {
    return std::ranges::equal(a, b, [](char x, char y) { return lower(x) == lower(y); });
}

}
