#pragma once

#include "templates/mustache.hpp"
#include "templates/source.hpp"
#include "templates/words.hpp"

#include <boost/json/fwd.hpp>

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// The templates of pages and letters, parsed once and again when the operator's file changes.
//
// In:     names ("page_join.html"), and the folder that may hold the operator's own.
// Out:    the parsed template; a rendered page with the policy under which a browser may show it; the words of every
//         language.
// Always: an operator's file that cannot be used takes no page off the air: the built-in one stands in, and the log
//         says where the fault is, once for each change of the file. Only style blocks that stand in the templates are
//         allowed by the policy, by their hash: a value that found its way into a page could add none.
// Threads: belongs to one thread; the templates it gives may be rendered anywhere.

namespace postrider::web {

// The KEYs of {{words.KEY}} in a template; none: every word may be in it. Of more than two hundred words a page shows
// ten, and copying all of them takes longer than all the rest of it.
using ShownWords = std::optional<std::set<std::string, std::less<>>>;
[[nodiscard]] boost::json::object words_of(const ShownWords&, const templates::Words&);

struct LetterTemplates {
    templates::Template subject, text, html;
    std::shared_ptr<const templates::Languages> languages;
    ShownWords words;
};

class PageTemplates {
public:
    explicit PageTemplates(const templates::Library& library) : library_(library) {}

    struct Page {
        std::string html;
        std::string style_source; // for style-src of Content-Security-Policy
    };
    // The words that it shows come in from here, in the `language` of the data. Throws templates::TemplateError where
    // the built-in template cannot be used either.
    [[nodiscard]] Page render(std::string_view name, boost::json::object data);
    // NAME_subject, NAME.txt and NAME.html.
    [[nodiscard]] LetterTemplates letter(const std::string& name);
    // Read again when a catalogue of the operator comes, goes or changes; its faults are in the log then.
    [[nodiscard]] std::shared_ptr<const templates::Languages> languages();

private:
    // A file as it was when it was read; none: there was no such file.
    struct Stamp {
        std::int64_t seconds, nanoseconds, size;
        bool operator==(const Stamp&) const = default;
    };
    using Stamps = std::vector<std::pair<std::filesystem::path, std::optional<Stamp>>>;
    struct Loaded {
        templates::Template parsed;
        std::string style_source;
        ShownWords words;
        Stamps stamps; // of every file that was read or missed
    };
    enum class From { library, built_in };

    [[nodiscard]] const Loaded& load(const std::string& name);
    [[nodiscard]] Loaded parse(const std::string& name, From, Stamps&) const;
    [[nodiscard]] static std::optional<Stamp> stamp_of(const std::filesystem::path&);
    [[nodiscard]] static bool is_fresh(const Stamps&);

    const templates::Library& library_;
    std::map<std::string, Loaded, std::less<>> loaded_;
    std::shared_ptr<const templates::Languages> languages_;
    Stamps catalogue_stamps_;
};

}
