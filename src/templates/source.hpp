#pragma once

#include "templates/fault.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// The texts of templates: the operator's own file where there is one, else the one built into the program.
//
// In:     names as operators write them: "digest.html", "subject". The file of a name is NAME.mustache, but that of a
//         catalogue, "words.de.json", is its name.
// Out:    the text with the file name that faults are to show.
// Always: a name cannot lead out of the folder (letters, digits, - _ and inner dots only; anything else is simply not
// found).
//         Nothing is cached: an edit counts from the next find(). Safe from any thread.

namespace postrider::templates {

struct Source {
    std::string name; // "digest.html"
    std::string file; // "digest.html.mustache", or the path given
    std::string text;
};

// The name a file's template goes by: "some/where/digest.html.mustache" is "digest.html".
[[nodiscard]] std::string name_of(const std::filesystem::path&);

// Throws TemplateError where the file cannot be read or is over 16 MB.
[[nodiscard]] Source read_source(const std::filesystem::path&);

class Library {
public:
    enum class Origin { built_in, changed, added }; // changed: the operator's file stands in for a built-in one
    struct Entry {
        std::string name;
        Origin origin;
    };

    explicit Library(std::filesystem::path folder); // need not exist

    // Throws TemplateError where the operator's file is there and cannot be read.
    [[nodiscard]] std::optional<Source> find(std::string_view name) const;
    // As find; throws TemplateError with the nearest known name where there is none.
    [[nodiscard]] Source get(std::string_view name) const;
    [[nodiscard]] std::vector<Entry> names() const; // sorted by name
    [[nodiscard]] static std::optional<Source> built_in(std::string_view name);
    [[nodiscard]] std::vector<Entry> catalogue_names() const; // sorted by name
    // The operator's own. Throws TemplateError where one cannot be read.
    [[nodiscard]] std::vector<Source> catalogues() const;

    [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }

private:
    [[nodiscard]] std::vector<Entry> entries(bool catalogues) const;

    std::filesystem::path folder_;
};

}
