#pragma once

#include <cstddef>
#include <string>
#include <string_view>

// Prose in the narrow: wrapped for the plain part of a mail, and cut to its first sentence.
//
// In:     plain text in UTF-8, and for sentences its language.
// Out:    the same words.
// Always: pure; time linear in the text. Line ends and sentence ends are those of Unicode (UAX 14, UAX 29), so that
//         Japanese and Chinese, which put no space between words, are wrapped and cut too. An address is never broken.

namespace postrider::digest {

// Columns as a terminal counts them: ideographs take two. Lines keep their indentation, and what follows a "- " or
// "1. " stands under its text.
[[nodiscard]] std::string wrapped(std::string_view text, std::size_t columns);

// The first sentence, and those after it while they are very short ones ("No. It is not."); at most `characters` code
// points, else cut between words with an ellipsis.
[[nodiscard]] std::string first_sentence(std::string_view text, std::string_view language, std::size_t characters);

}
