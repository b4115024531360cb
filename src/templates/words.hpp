#pragma once

#include "templates/catalogue.hpp"
#include "templates/dates.hpp"
#include "templates/source.hpp"

#include <boost/json/fwd.hpp>

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

// The words that the program itself puts into mails and pages, in the language of whoever reads them.
//
// In:     the built-in catalogues, those of the operator's folder, and the languages a reader wishes for.
// Out:    a language's words: fixed ones for {{words.KEY}}, sentences with values in them, dates and numbers.
// Always: what a catalogue lacks, or has wrong, comes from the built-in one of its language, else from English, and is
//         a fault that can be asked for. An operator's words.de.json may hold only what it says differently.
//         Right to left, a value in a sentence is isolated (UAX 9), so that an address stays in one piece.
// Threads: immutable and cheap to copy.

namespace postrider::templates {

class Words {
public:
    struct Value {
        Value(std::string_view name, std::string_view text) : name(name), text(text) {}
        Value(std::string_view name, std::int64_t count) : name(name), count(count), is_count(true) {}
        std::string_view name, text;
        std::int64_t count = 0;
        bool is_count = false;
    };
    using Values = std::initializer_list<Value>;

    // "de-AT": the wish that was fulfilled, by the catalogue of de where Austria has none of its own.
    [[nodiscard]] const std::string& language() const { return language_; }
    [[nodiscard]] std::string_view direction() const;   // "ltr", "rtl": for the attribute dir
    [[nodiscard]] std::string_view align_start() const; // "left", "right": where lines begin, for mail programs of old

    // Throws std::logic_error for a key that English has not, std::runtime_error for a value that is missing.
    [[nodiscard]] std::string text(std::string_view key, Values = {}) const;
    // The same for HTML, escaped; texts among the values stand out, as <strong><bdi>...</bdi></strong>.
    [[nodiscard]] std::string html(std::string_view key, Values = {}) const;

    // Every text that needs no value, by key: the data's "words".
    [[nodiscard]] const boost::json::object& fixed() const;

    [[nodiscard]] Dates dates(std::string_view timezone, Dates::Style) const;
    [[nodiscard]] std::string number(std::int64_t) const; // in the digits of the language, not grouped

    // The operator's catalogue of this language, where it could not be read and the built-in one stands in for it.
    [[nodiscard]] const std::optional<Fault>& broken() const;

private:
    friend class Languages;
    struct Texts;
    Words(std::shared_ptr<const Texts> texts, std::string language)
        : texts_(std::move(texts)), language_(std::move(language)) {}
    [[nodiscard]] std::string filled(std::string_view key, std::span<const Value>) const;

    std::shared_ptr<const Texts> texts_;
    std::string language_;
};

class Languages {
public:
    Languages(); // the built-in ones
    // Reads the operator's catalogues too. One that cannot be used is a fault, not an error.
    explicit Languages(const Library&);

    // The first wish that there are words for, else English. "de-AT" and "de_AT" find "de"; "" is no wish.
    [[nodiscard]] Words words(std::span<const std::string> wishes) const;
    [[nodiscard]] Words words(std::initializer_list<std::string_view> wishes) const;
    struct Choice {
        std::string tag, name; // "de", "Deutsch"
    };
    [[nodiscard]] std::vector<Choice> choices() const; // by tag
    [[nodiscard]] const std::vector<Fault>& faults() const { return faults_; }
    // One line a file: its first fault, and how many more there are.
    [[nodiscard]] std::vector<std::string> faults_in_short() const;

    [[nodiscard]] static const Catalogue& english(); // the built-in one
    [[nodiscard]] static const Catalogue* built_in(std::string_view language);

private:
    template <class Wishes>
    [[nodiscard]] Words first_known(const Wishes&) const;
    [[nodiscard]] std::optional<Words> find(std::string_view wish) const;

    std::map<std::string, std::shared_ptr<const Words::Texts>, std::less<>> by_tag_; // in lower case
    std::vector<Fault> faults_;
};

[[nodiscard]] std::string_view align_start_of(std::string_view direction);

// "rtl" for Arabic, Hebrew, Persian, Urdu and their like, "ltr" for everything else.
[[nodiscard]] std::string_view direction_of(std::string_view language);

// A language by its own name: "Deutsch", "Deutsch (Österreich)"; the tag itself where it is not known.
[[nodiscard]] std::string name_of_language(std::string_view tag);

}
