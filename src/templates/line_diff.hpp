#pragma once

#include <string>
#include <string_view>

// What changed between two texts, as `diff -u` writes it.
//
// In:     two texts and the names that the head of the difference gives them.
// Out:    hunks with three lines around each change; empty where the texts are the same.
// Always: pure. The fewest lines that can be, up to 2,000 that differ; beyond these the middle is one large change. Time
//         and memory stay within that. A last line without its end is marked, as diff does.
// Source: Myers, "An O(ND) Difference Algorithm and Its Variations", 1986.

namespace postrider::templates {

[[nodiscard]] std::string unified_diff(std::string_view before, std::string_view after, std::string_view name_before,
                                       std::string_view name_after);

}
