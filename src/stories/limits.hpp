#pragma once

#include <cstddef>

// How many characters of a story's words are kept, whether a feed, a page or the operator gave them.

namespace postrider::stories {

inline constexpr std::size_t longest_title = 300, longest_byline = 200, longest_summary = 500;
inline constexpr std::size_t longest_excerpt = 300; // of a whole text, where nobody wrote a summary

}
