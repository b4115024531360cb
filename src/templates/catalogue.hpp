#pragma once

#include "templates/fault.hpp"
#include "templates/source.hpp"

#include <expected>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

// One language's words as they stand in a file, words.LANGUAGE.json: one JSON object of names and texts. A text is a
// message pattern of ICU (unicode-org.github.io/icu/userguide/format_parse/messages): {name} is a value,
// {count, plural, one{# story} other{# stories}} chooses by number, '{' is a brace.
//
// In:     the file's text.
// Out:    its entries with their places, or the fault that makes the file unreadable; what is wrong with single entries.
// Always: pure, linear time. Columns and lines are those of an editor.

namespace postrider::templates {

struct Catalogue {
    struct Entry {
        std::string text;
        int line = 1, column = 1; // of the key
    };
    std::string language; // "pt-PT": the tag in the file's name
    std::string file;
    std::map<std::string, Entry, std::less<>> entries;
};

// "words.de.json" -> "de"; nothing for any other name.
[[nodiscard]] std::optional<std::string> language_in(std::string_view file);

[[nodiscard]] std::expected<Catalogue, Fault> read_catalogue(const Source&);

// The values that a pattern asks for: "list", and "count, plural" for one that chooses. The error says what is wrong.
[[nodiscard]] std::expected<std::vector<std::string>, std::string> values_in(std::string_view pattern);

// A pattern without values: {{words.KEY}}. Every other one is a sentence, filled in with values.
[[nodiscard]] bool is_fixed(std::string_view pattern);

// What makes an entry useless, by its key: another stands in for it.
[[nodiscard]] std::map<std::string, std::string> faulty_entries(const Catalogue&, const Catalogue& english);

// All there is to say: faulty entries, and whatever English has that is neither here nor in `beneath` (the built-in
// words of the same language, where there are any).
[[nodiscard]] std::vector<Fault> faults_of(const Catalogue&, const Catalogue& english, const Catalogue* beneath);
// The same, when `faulty` is known already.
[[nodiscard]] std::vector<Fault> faults_of(const Catalogue&, const Catalogue& english, const Catalogue* beneath,
                                           const std::map<std::string, std::string>& faulty);

}
