#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

// "Did you mean?": the known word that a mistyped one probably stands for.
//
// In:     any text, compared without regard to ASCII letter case.
// Out:    one of the known words, or nothing where none is close: at most one slip (a letter too many, too few, wrong,
// or two
//         swapped) for every three letters of the longer word, and one for a shorter one. Of equals, the first.
// Always: words over 64 bytes are close to nothing, so that the time has a bound.

namespace postrider::system {

[[nodiscard]] std::optional<std::string> nearest(std::string_view word, std::span<const std::string> known);
[[nodiscard]] std::optional<std::string_view> nearest(std::string_view word, std::span<const std::string_view> known);

// Slips between two words: insertions, deletions, replacements and swaps of neighbours. Only the first 64 bytes of each are looked
// at, so that a hostile word costs little.
[[nodiscard]] std::size_t spelling_distance(std::string_view a, std::string_view b);

}
