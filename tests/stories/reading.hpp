#pragma once

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// What the tests of reading HTML share: files of the corpora, and how alike two texts are.

namespace postrider::stories::reading {

inline std::optional<std::filesystem::path> corpora() {
    const char* folder = std::getenv("POSTRIDER_CORPORA");
    if (!folder || !std::filesystem::is_directory(folder)) return std::nullopt;
    return folder;
}

inline std::string file(const std::filesystem::path& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

// Words in lower case without punctuation; characters of scripts without spaces count one by one.
inline std::vector<std::string> words(std::string_view text) {
    std::vector<std::string> out;
    std::string word;
    const auto end_word = [&] {
        if (!word.empty()) out.push_back(std::move(word));
        word.clear();
    };
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto c = static_cast<unsigned char>(text[i]);
        if (c >= 0xE3 && c < 0xF0 && i + 2 < text.size()) {
            end_word();
            out.emplace_back(text.substr(i, 3));
            i += 2;
        } else if (c >= 0xE2 && c < 0xE3) {
            end_word(); // dashes and quotes
            i += 2;
        } else if (c == 0xC2) {
            end_word(); // the no-break space and its neighbours
            ++i;
        } else if (c >= 0x80 || std::isalnum(c)) {
            word += static_cast<char>(std::tolower(c));
        } else {
            end_word();
        }
    }
    end_word();
    return out;
}

// The harmonic mean of precision and recall over the words, each as often as it occurs.
inline double likeness(const std::vector<std::string>& wanted, const std::vector<std::string>& given) {
    if (wanted.empty() && given.empty()) return 1;
    std::map<std::string_view, int> count;
    for (const auto& word : wanted) ++count[word];
    double shared = 0;
    for (const auto& word : given)
        if (count[word]-- > 0) ++shared;
    return 2 * shared / static_cast<double>(wanted.size() + given.size());
}

inline std::vector<std::string> pairs(const std::vector<std::string>& words) {
    std::vector<std::string> out;
    for (std::size_t i = 0; i + 1 < words.size(); ++i) out.push_back(words[i] + ' ' + words[i + 1]);
    return out;
}

}
