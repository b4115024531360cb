#include "system/nearest.hpp"

#include "system/ascii.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

namespace postrider::system {
namespace {

constexpr std::size_t longest = 64;

template <class Word>
std::optional<Word> nearest_of(std::string_view word, std::span<const Word> known) {
    if (word.empty() || word.size() > longest) return std::nullopt;
    std::optional<Word> best;
    std::size_t best_distance = longest;
    for (const Word& candidate : known) {
        if (candidate.empty() || candidate.size() > longest) continue;
        std::size_t slips = spelling_distance(word, candidate);
        std::size_t longer = std::max(word.size(), candidate.size());
        bool close = slips <= std::max<std::size_t>(1, longer / 3) && slips < longer;
        if (close && slips < best_distance) {
            best = candidate;
            best_distance = slips;
        }
    }
    return best;
}

}

// Damerau-Levenshtein in its "optimal string alignment" form: two swapped neighbours are one slip.
std::size_t spelling_distance(std::string_view a, std::string_view b) {
    a = a.substr(0, longest);
    b = b.substr(0, longest);
    using Row = std::array<std::size_t, longest + 1>;
    Row before_last{}, last{}, row{};
    for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            std::size_t differs = lower(a[i - 1]) != lower(b[j - 1]);
            row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + differs});
            bool swapped = i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) && lower(a[i - 2]) == lower(b[j - 1]);
            if (swapped) row[j] = std::min(row[j], before_last[j - 2] + 1);
        }
        before_last = last;
        last = row;
    }
    return last[b.size()];
}

std::optional<std::string> nearest(std::string_view word, std::span<const std::string> known) {
    return nearest_of(word, known);
}

std::optional<std::string_view> nearest(std::string_view word, std::span<const std::string_view> known) {
    return nearest_of(word, known);
}

}
