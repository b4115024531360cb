#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

// How far two words are from each other, for "did you mean".

namespace postrider::schedule {

// Insertions, deletions, replacements and swaps of neighbours, letter case ignored. Only the first 64 bytes of each are
// looked at, so that a hostile word costs little.
[[nodiscard]] std::size_t spelling_distance(std::string_view a, std::string_view b);

// The word nearest to `word`; nothing when even that one is too far off to be what was meant.
[[nodiscard]] std::optional<std::string_view> nearest(std::string_view word, std::span<const std::string_view> known);

}
