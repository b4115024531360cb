#include "templates/catalogue.hpp"

#include "system/nearest.hpp"
#include "templates/locale.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>
#include <unicode/messagepattern.h>
#include <unicode/plurrule.h>

#include <algorithm>
#include <cctype>
#include <set>

namespace postrider::templates {
namespace {

namespace json = boost::json;

constexpr std::string_view file_prefix = "words.", file_suffix = ".json";
constexpr std::string_view plural_mark = ", plural";

// One object of texts, and nothing else of JSON: a parser that builds a tree would have lost the places.
class Reader {
public:
    explicit Reader(const Source& source) : source_(source), rest_(source.text) {}

    std::expected<Catalogue, Fault> run(std::string language) {
        Catalogue catalogue{std::move(language), source_.file, {}};
        if (rest_.starts_with("\xEF\xBB\xBF")) rest_.remove_prefix(3);
        if (!take('{')) return fault("must be one JSON object, as in {\"unsubscribe\": \"...\"}");
        bool first = true;
        while (!take('}')) {
            if (!first && !take(',')) return fault("a comma or the closing brace is missing here");
            first = false;
            blanks();
            Catalogue::Entry entry{{}, line_, column_};
            auto key = text();
            if (!key) return fault("a key in double quotes is missing here");
            if (!take(':')) return fault(fmt::format("a colon is missing after \"{}\"", *key));
            blanks();
            auto value = text();
            if (!value) return fault(fmt::format("\"{}\" must be followed by a text in double quotes", *key));
            entry.text = std::move(*value);
            if (!catalogue.entries.emplace(*key, entry).second)
                return std::unexpected(
                    Fault{source_.file, entry.line, entry.column, fmt::format("\"{}\" is here twice", *key)});
        }
        blanks();
        if (!rest_.empty()) return fault("there is more after the object");
        return catalogue;
    }

private:
    std::unexpected<Fault> fault(std::string message) const {
        return std::unexpected(Fault{source_.file, line_, column_, std::move(message)});
    }

    void step(std::size_t count) {
        for (unsigned char c : rest_.substr(0, count)) {
            if (c == '\n') {
                ++line_;
                column_ = 1;
            } else if ((c & 0xc0) != 0x80) {
                ++column_;
            }
        }
        rest_.remove_prefix(count);
    }

    void blanks() { step(std::min(rest_.find_first_not_of(" \t\r\n"), rest_.size())); }

    bool take(char c) {
        blanks();
        if (!rest_.starts_with(c)) return false;
        step(1);
        return true;
    }

    std::optional<std::string> text() {
        if (!rest_.starts_with('"')) return std::nullopt;
        std::size_t end = 1;
        while (end < rest_.size() && rest_[end] != '"') end += rest_[end] == '\\' ? 2 : 1;
        if (end >= rest_.size()) return std::nullopt;
        json::error_code failed;
        auto value = json::parse(rest_.substr(0, end + 1), failed);
        if (failed) return std::nullopt;
        step(end + 1);
        return std::string(value.as_string());
    }

    const Source& source_;
    std::string_view rest_;
    int line_ = 1, column_ = 1;
};

icu::UnicodeString unicode(std::string_view text) {
    return icu::UnicodeString::fromUTF8({text.data(), std::int32_t(text.size())});
}

// The words that the rules of a language know for whole numbers: "one", "few", "many", ...
std::set<std::string> plural_forms(std::string_view language) {
    UErrorCode status = U_ZERO_ERROR;
    std::unique_ptr<icu::PluralRules> rules(icu::PluralRules::forLocale(locale_of(language), status));
    require(status);
    std::set<std::string> forms;
    for (int number = 0; number <= 200; ++number) forms.insert(utf8(rules->select(number)));
    forms.insert("other");
    return forms;
}

// The forms of a plural that a language needs and the pattern has not.
std::string missing_forms(std::string_view pattern, const std::set<std::string>& needed) {
    UErrorCode status = U_ZERO_ERROR;
    icu::MessagePattern parsed(unicode(pattern), nullptr, status);
    if (U_FAILURE(status)) return {};
    auto missing = needed;
    bool plural = false;
    for (int i = 0; i < parsed.countParts(); ++i) {
        auto& part = parsed.getPart(i);
        plural |= part.getType() == UMSGPAT_PART_TYPE_ARG_START && part.getArgType() == UMSGPAT_ARG_TYPE_PLURAL;
        if (part.getType() == UMSGPAT_PART_TYPE_ARG_SELECTOR) missing.erase(utf8(parsed.getSubstring(part)));
    }
    return plural ? fmt::format("{}", fmt::join(missing, ", ")) : std::string();
}

std::string listed(const std::vector<std::string>& values) {
    std::string all;
    for (auto& value : values) all += fmt::format("{}{{{}}}", all.empty() ? "" : ", ", value);
    return all.empty() ? "no value" : all;
}

std::string fault_in(std::string_view text, std::string_view english, const std::set<std::string>& forms) {
    if (text.find_first_not_of(" \n\t") == text.npos) return "is empty";
    auto values = values_in(text);
    if (!values) return "is no message pattern: " + values.error();
    auto wanted = values_in(english).value();
    if (*values != wanted) return fmt::format("has {}; in English it has {}", listed(*values), listed(wanted));
    auto missing = missing_forms(text, forms);
    return missing.empty() ? std::string() : fmt::format("lacks the plural for {}", missing);
}

}

std::optional<std::string> language_in(std::string_view file) {
    if (file.size() <= file_prefix.size() + file_suffix.size()) return std::nullopt;
    if (!file.starts_with(file_prefix) || !file.ends_with(file_suffix)) return std::nullopt;
    auto tag = file.substr(file_prefix.size(), file.size() - file_prefix.size() - file_suffix.size());
    auto fits = [](unsigned char c) { return std::isalnum(c) || c == '-'; };
    if (tag.size() < 2 || tag.size() > 35 || !std::ranges::all_of(tag, fits)) return std::nullopt;
    return std::string(tag);
}

std::expected<Catalogue, Fault> read_catalogue(const Source& source) {
    auto language = language_in(source.name);
    if (!language)
        return std::unexpected(
            Fault{source.file, 1, 1, "is no catalogue: its name must be words.LANGUAGE.json, as in words.sv.json"});
    return Reader(source).run(std::move(*language));
}

std::expected<std::vector<std::string>, std::string> values_in(std::string_view pattern) {
    UErrorCode status = U_ZERO_ERROR;
    UParseError place{};
    icu::MessagePattern parsed(unicode(pattern), &place, status);
    if (U_FAILURE(status)) {
        if (place.offset < 0 || status == U_UNMATCHED_BRACES) return std::unexpected("its braces do not match");
        auto near = utf8(icu::UnicodeString(place.preContext)) + utf8(icu::UnicodeString(place.postContext));
        return std::unexpected(fmt::format("not understood near \"{}\"", near));
    }
    std::set<std::string> values;
    for (int i = 0; i < parsed.countParts(); ++i) {
        auto& part = parsed.getPart(i);
        if (part.getType() == UMSGPAT_PART_TYPE_ARG_NUMBER)
            return std::unexpected("values have names here, not numbers");
        if (part.getType() != UMSGPAT_PART_TYPE_ARG_NAME) continue;
        auto type = parsed.getPart(i - 1).getArgType();
        if (type != UMSGPAT_ARG_TYPE_NONE && type != UMSGPAT_ARG_TYPE_PLURAL)
            return std::unexpected("only {name} and {count, plural, ...} are known here");
        auto plural = type == UMSGPAT_ARG_TYPE_PLURAL ? plural_mark : std::string_view();
        values.insert(utf8(parsed.getSubstring(part)).append(plural));
    }
    return std::vector<std::string>(values.begin(), values.end());
}

bool is_fixed(std::string_view pattern) {
    auto values = values_in(pattern);
    return values && values->empty();
}

std::map<std::string, std::string> faulty_entries(const Catalogue& catalogue, const Catalogue& english) {
    std::map<std::string, std::string> faulty;
    std::vector<std::string> known;
    for (auto& [key, entry] : english.entries) known.push_back(key);
    auto forms = plural_forms(catalogue.language);
    for (auto& [key, entry] : catalogue.entries) {
        auto same = english.entries.find(key);
        if (same == english.entries.end()) {
            auto near = system::nearest(key, known);
            faulty[key] = near ? fmt::format("is no word of ours; did you mean \"{}\"?", *near) : "is no word of ours";
        } else if (auto fault = fault_in(entry.text, same->second.text, forms); !fault.empty()) {
            faulty[key] = std::move(fault);
        }
    }
    return faulty;
}

std::vector<Fault> faults_of(const Catalogue& catalogue, const Catalogue& english, const Catalogue* beneath) {
    return faults_of(catalogue, english, beneath, faulty_entries(catalogue, english));
}

std::vector<Fault> faults_of(const Catalogue& catalogue, const Catalogue& english, const Catalogue* beneath,
                             const std::map<std::string, std::string>& faulty) {
    std::vector<Fault> faults;
    for (auto& [key, what] : faulty) {
        auto& entry = catalogue.entries.find(key)->second;
        faults.push_back({catalogue.file, entry.line, entry.column, fmt::format("\"{}\" {}", key, what)});
    }
    for (auto& [key, entry] : english.entries)
        if (!catalogue.entries.contains(key) && (!beneath || !beneath->entries.contains(key)))
            faults.push_back(
                {catalogue.file, 1, 1,
                 fmt::format("\"{}\" is missing: English stands in; there it is \"{}\"", key, entry.text)});
    sort_by_place(faults);
    return faults;
}

}
