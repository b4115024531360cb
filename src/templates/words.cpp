#include "templates/words.hpp"

#include "system/embedded.hpp"
#include "templates/escape.hpp"
#include "templates/locale.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>
#include <unicode/brkiter.h>
#include <unicode/decimfmt.h>
#include <unicode/locdspnm.h>
#include <unicode/msgfmt.h>

#include <stdexcept>

namespace postrider::templates {
namespace {

constexpr std::string_view isolate = "\u2068", isolated = "\u2069"; // FSI, PDI

std::string lower(std::string_view tag) {
    std::string out;
    for (char c : tag) out += c >= 'A' && c <= 'Z' ? char(c + ('a' - 'A')) : c == '_' ? '-' : c;
    return out;
}

std::map<std::string, Catalogue, std::less<>> read_built_in() {
    std::map<std::string, Catalogue, std::less<>> all;
    for (auto& file : embedded::templates()) {
        if (!language_in(file.name)) continue;
        auto read = read_catalogue({std::string(file.name), std::string(file.name), std::string(file.text)});
        if (!read) throw TemplateError(read.error());
        all.emplace(lower(read->language), std::move(*read));
    }
    return all;
}

const std::map<std::string, Catalogue, std::less<>>& built_in_catalogues() {
    static const auto all = read_built_in();
    return all;
}

}

struct Words::Texts {
    std::map<std::string, std::string, std::less<>> patterns;
    boost::json::object fixed;
    std::string tag, name;
    std::string_view direction;
    std::optional<Fault> broken;

    // The later ones cover the earlier ones.
    Texts(std::string_view language, std::initializer_list<const Catalogue*> layers)
        : tag(language), name(name_of_language(language)), direction(direction_of(language)) {
        for (auto* layer : layers) {
            if (!layer) continue;
            for (auto& [key, entry] : layer->entries) patterns[key] = entry.text;
        }
        for (auto& [key, pattern] : patterns)
            if (is_fixed(pattern)) fixed[key] = formatted(pattern, {}, language);
    }

    static std::string formatted(std::string_view pattern, std::span<const Value> values, std::string_view language) {
        UErrorCode status = U_ZERO_ERROR;
        // Made for each sentence: ICU's own makes its plural rules when they are first asked for, which no two threads
        // may do at once.
        auto text = icu::UnicodeString::fromUTF8({pattern.data(), std::int32_t(pattern.size())});
        icu::MessageFormat format(text, locale_of(language), status);
        require(status);
        std::vector<icu::UnicodeString> names;
        std::vector<icu::Formattable> given;
        for (auto& value : values) {
            names.push_back(icu::UnicodeString::fromUTF8({value.name.data(), std::int32_t(value.name.size())}));
            if (value.is_count)
                given.emplace_back(value.count);
            else
                given.emplace_back(icu::UnicodeString::fromUTF8({value.text.data(), std::int32_t(value.text.size())}));
        }
        icu::UnicodeString out;
        format.format(names.data(), given.data(), std::int32_t(given.size()), out, status);
        require(status);
        return utf8(out);
    }
};

std::string_view Words::direction() const { return texts_->direction; }

std::string_view Words::align_start() const { return align_start_of(direction()); }

const boost::json::object& Words::fixed() const { return texts_->fixed; }

const std::optional<Fault>& Words::broken() const { return texts_->broken; }

std::string Words::filled(std::string_view key, std::span<const Value> values) const {
    auto pattern = texts_->patterns.find(key);
    if (pattern == texts_->patterns.end()) throw std::logic_error(fmt::format("there is no word \"{}\"", key));
    return Texts::formatted(pattern->second, values, language_);
}

std::string Words::text(std::string_view key, Values values) const {
    if (texts_->direction == "ltr") return filled(key, values);
    std::vector<std::string> texts;
    texts.reserve(values.size()); // the values view them
    std::vector<Value> isolated_values(values);
    for (auto& value : isolated_values)
        if (!value.is_count && !value.text.empty())
            value.text = texts.emplace_back(fmt::format("{}{}{}", isolate, value.text, isolated));
    return filled(key, isolated_values);
}

std::string Words::html(std::string_view key, Values values) const {
    // A private character stands for each text until the sentence around it is escaped.
    constexpr std::string_view places[] = {"\uE000", "\uE001", "\uE002", "\uE003"};
    std::vector<Value> marked(values);
    for (std::size_t i = 0; i < marked.size(); ++i)
        if (!marked[i].is_count) marked[i].text = places[i];
    std::string out;
    append_escaped(out, filled(key, marked));
    for (std::size_t i = marked.size(); i-- > 0;) {
        auto& value = values.begin()[i];
        auto at = value.is_count ? out.npos : out.find(places[i]);
        if (at == out.npos) continue;
        std::string shown = "<strong><bdi>";
        append_escaped(shown, value.text);
        out.replace(at, places[i].size(), shown += "</bdi></strong>");
    }
    return out;
}

Dates Words::dates(std::string_view timezone, Dates::Style style) const { return {language_, timezone, style}; }

std::string Words::number(std::int64_t number) const {
    UErrorCode status = U_ZERO_ERROR;
    std::unique_ptr<icu::NumberFormat> format(icu::NumberFormat::createInstance(locale_of(language_), status));
    require(status);
    format->setGroupingUsed(false);
    icu::UnicodeString out;
    format->format(number, out);
    return utf8(out);
}

Languages::Languages() {
    static const auto own = [] {
        std::map<std::string, std::shared_ptr<const Words::Texts>, std::less<>> all;
        for (auto& [tag, catalogue] : built_in_catalogues())
            all[tag] = std::make_shared<const Words::Texts>(
                catalogue.language, std::initializer_list<const Catalogue*>{&english(), &catalogue});
        return all;
    }();
    by_tag_ = own;
}

Languages::Languages(const Library& library) : Languages() {
    for (auto& source : library.catalogues()) {
        auto read = read_catalogue(source);
        auto tag = lower(language_in(source.name).value());
        if (!read) {
            faults_.push_back(read.error());
            auto stand_in = by_tag_.contains(tag) ? *by_tag_[tag] : *by_tag_["en"];
            stand_in.broken = read.error();
            by_tag_[tag] = std::make_shared<const Words::Texts>(std::move(stand_in));
            continue;
        }
        auto* beneath = built_in(tag);
        auto faulty = faulty_entries(*read, english());
        for (auto& fault : faults_of(*read, english(), beneath, faulty)) faults_.push_back(fault);
        for (auto& [key, what] : faulty) read->entries.erase(key); // what lies beneath shows
        by_tag_[tag] = std::make_shared<const Words::Texts>(
            read->language, std::initializer_list<const Catalogue*>{&english(), beneath, &*read});
    }
}

std::optional<Words> Languages::find(std::string_view wish) const {
    constexpr std::size_t longest_tag = 35; // RFC 5646 section 4.4.1
    if (wish.empty() || wish.size() > longest_tag) return std::nullopt;
    auto tag = lower(wish);
    for (std::string_view part = tag; !part.empty();) {
        if (auto found = by_tag_.find(part); found != by_tag_.end()) {
            auto& texts = found->second;
            // The whole wish, for its dates: January is Jänner in Austria. But not of words that only stand in.
            auto locale = locale_of(tag);
            bool whole = part.size() < tag.size() && !texts->broken && locale.getLanguage()[0] != '\0';
            return Words(texts, whole ? tag_of(locale) : texts->tag);
        }
        auto end = part.rfind('-');
        part = end == part.npos ? std::string_view() : part.substr(0, end);
    }
    return std::nullopt;
}

template <class Wishes>
Words Languages::first_known(const Wishes& wishes) const {
    for (auto& wish : wishes)
        if (auto found = find(wish)) return *std::move(found);
    return find("en").value();
}

Words Languages::words(std::span<const std::string> wishes) const { return first_known(wishes); }

Words Languages::words(std::initializer_list<std::string_view> wishes) const { return first_known(wishes); }

std::vector<Languages::Choice> Languages::choices() const {
    std::vector<Choice> choices;
    for (auto& [tag, texts] : by_tag_)
        if (!texts->broken || tag == lower(texts->tag)) choices.push_back({texts->tag, texts->name});
    return choices;
}

std::vector<std::string> Languages::faults_in_short() const {
    std::vector<std::string> lines;
    for (std::size_t first = 0, end = 0; first < faults_.size(); first = end) {
        while (end < faults_.size() && faults_[end].file == faults_[first].file) ++end;
        auto line = faults_[first].text();
        if (end - first > 1)
            line += fmt::format(" (and {} more; `postrider template check {}`)", end - first - 1, faults_[first].file);
        lines.push_back(std::move(line));
    }
    return lines;
}

const Catalogue& Languages::english() { return built_in_catalogues().find("en")->second; }

const Catalogue* Languages::built_in(std::string_view language) {
    auto found = built_in_catalogues().find(lower(language));
    return found == built_in_catalogues().end() ? nullptr : &found->second;
}

std::string_view align_start_of(std::string_view direction) { return direction == "rtl" ? "right" : "left"; }

std::string_view direction_of(std::string_view language) { return locale_of(language).isRightToLeft() ? "rtl" : "ltr"; }

std::string name_of_language(std::string_view tag) {
    auto locale = locale_of(tag);
    if (std::string_view(locale.getLanguage()).empty()) return std::string(tag);
    UDisplayContext contexts[] = {UDISPCTX_CAPITALIZATION_FOR_UI_LIST_OR_MENU, UDISPCTX_STANDARD_NAMES};
    std::unique_ptr<icu::LocaleDisplayNames> names(icu::LocaleDisplayNames::createInstance(locale, contexts, 2));
    if (!names) return std::string(tag);
    icu::UnicodeString out;
    names->localeDisplayName(tag == "en" ? icu::Locale::getEnglish() : locale, out);
    return out.isEmpty() ? std::string(tag) : utf8(out);
}

}
