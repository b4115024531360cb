#pragma once

#include "storage/connection.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

// What the rows of one thing must never say.

namespace postrider::storage {

// In words, and the query that counts it for the thing $1.
struct Never {
    std::string_view words;
    std::string_view count;
};

// One sentence for each that is found: of `facts` the words, of `counts` the words and how many there are. The caller
// holds a Snapshot where somebody else may be writing.
[[nodiscard]] std::vector<std::string> contradictions(Connection&, std::span<const Never> facts,
                                                      std::span<const Never> counts, std::int64_t id);

}
