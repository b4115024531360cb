#include "stories/html_kept.hpp"

#include "stories/characters.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>

namespace postrider::stories {

namespace {

using std::string_view;

// U+F8FE and a number and a semicolon. Nobody has given that character a meaning, and no other passes every builder.
constexpr string_view place_begin = "\xEF\xA3\xBE";
constexpr std::uint32_t place_character = 0xF8FE;
constexpr char place_end = ';';
// A form feed, which clean_utf8 has left nowhere, and a number and a form feed: the space or tab before it that many
// times more. To the builder all of it is white space, since the number is written in white space.
constexpr char repetition = '\f';
constexpr string_view digits = " \t\n";
constexpr std::size_t shortest_repeated = 12;
constexpr string_view place_attribute = "-"; // no attribute that is kept has this name
constexpr std::size_t shortest_kept = 16;    // a place is hardly shorter

bool is_reference_character(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '#';
}

// "&#xF8FE;" and its kin, of which a builder would make the beginning of a place.
bool names_place(string_view reference) {
    if (!reference.starts_with("&#")) return false;
    reference.remove_prefix(2);
    const bool hexadecimal = reference.starts_with('x') || reference.starts_with('X');
    if (hexadecimal) reference.remove_prefix(1);
    std::uint32_t code = 0;
    const auto error =
        std::from_chars(reference.data(), reference.data() + reference.size(), code, hexadecimal ? 16 : 10).ec;
    const bool overflows = error == std::errc::result_out_of_range; // a builder may wrap it round
    return overflows || (error == std::errc{} && (code == place_character || code == repetition));
}

std::size_t number_in(string_view decimal) {
    std::size_t number = string_view::npos;
    std::from_chars(decimal.data(), decimal.data() + decimal.size(), number);
    return number;
}

// The first of them stands for itself: a builder drops a line end that follows <pre>.
void write_repeated(char space, std::size_t times, std::string& markup) {
    markup += space;
    markup += repetition;
    for (auto left = times - 1; left > 0; left /= digits.size()) markup += digits[left % digits.size()];
    markup += repetition;
}

std::size_t repetitions_in(string_view written) {
    std::size_t times = 0;
    while (!written.empty()) {
        times = times * digits.size() + digits.find(written.back());
        written.remove_suffix(1);
    }
    return times;
}

}

void append_attribute(string_view name, string_view value, std::string& markup) {
    markup += ' ';
    markup += name;
    markup += "=\"";
    for (const char c : value)
        if (c == '"')
            markup += "&quot;";
        else
            markup += c;
    markup += '"';
}

KeptWords::Piece KeptWords::piece_of(string_view part) const {
    if (part.empty()) return {0, 0};
    return {static_cast<std::size_t>(part.data() - source_.data()), part.size()};
}

void KeptWords::write_space(string_view space, std::string& markup) {
    while (!space.empty()) {
        const auto length = std::min(space.find_first_not_of(space.front()), space.size());
        if (length < shortest_repeated || (space.front() != ' ' && space.front() != '\t'))
            markup += space.substr(0, length);
        else {
            const auto before = markup.size();
            write_repeated(space.front(), length, markup);
            saved_ += length - std::min(length, markup.size() - before);
        }
        space.remove_prefix(length);
    }
}

// White space before words stays where it is: a tree builder treats it differently from text in many places.
void KeptWords::write_run(string_view run, std::string& markup) {
    std::size_t begin = 0;
    while (begin < run.size() && is_space(run[begin])) ++begin;
    write_space(run.substr(0, begin), markup);
    run.remove_prefix(begin);
    if (run.size() < shortest_kept && !run.contains(place_begin)) {
        markup += run;
        return;
    }
    const auto before = markup.size();
    markup += place_begin;
    markup += std::to_string(texts_.size());
    markup += place_end;
    texts_.push_back(piece_of(run));
    saved_ += run.size() - std::min(run.size(), markup.size() - before);
}

void KeptWords::write_text(string_view text, std::string& markup) {
    while (!text.empty()) {
        const auto stop = std::min(text.find_first_of("&\r"), text.size());
        write_run(text.substr(0, stop), markup);
        text.remove_prefix(stop);
        if (text.empty()) return;
        std::size_t end = 1;
        while (text.front() == '&' && end < text.size() && is_reference_character(text[end])) ++end;
        if (text.front() == '&' && end < text.size() && text[end] == ';') ++end;
        if (!names_place(text.substr(0, end))) markup += text.substr(0, end);
        text.remove_prefix(end);
    }
}

void KeptWords::write_attributes(const std::vector<Attribute>& attributes, std::string& markup) {
    std::size_t size = 0;
    const auto first = values_.size();
    for (const auto& [name, value] : attributes) {
        if (value.find_first_of("&\r") == string_view::npos) {
            values_.push_back({name, piece_of(value)});
            size += name.size() + value.size() + 4;
            continue;
        }
        append_attribute(name, value, markup);
    }
    if (values_.size() == first) return;
    const auto before = markup.size();
    markup += ' ';
    markup += place_attribute;
    markup += '=';
    markup += std::to_string(elements_.size());
    elements_.push_back({first, values_.size()});
    saved_ += size - std::min(size, markup.size() - before);
}

std::string KeptWords::filled(string_view text) {
    std::string out;
    while (!text.empty()) {
        const auto plain = std::min(text.find_first_of("\xEF\f"), text.size());
        out += clean_utf8(text.substr(0, plain));
        text.remove_prefix(plain);
        if (text.starts_with(repetition))
            fill_space(text, out);
        else if (text.starts_with(place_begin))
            fill_words(text, out);
        else if (!text.empty()) {
            const auto length = std::min<std::size_t>(3, text.size()); // another character of the same block
            out += clean_utf8(text.substr(0, length));
            text.remove_prefix(length);
        }
    }
    return out;
}

void KeptWords::fill_words(string_view& text, std::string& out) {
    text.remove_prefix(place_begin.size());
    const auto end = std::min(text.find(place_end), text.size());
    if (const auto number = number_in(text.substr(0, end)); number < texts_.size()) {
        out.append(source_, texts_[number].begin, texts_[number].length);
        texts_[number].length = 0;
    }
    text.remove_prefix(std::min(end + 1, text.size()));
}

void KeptWords::fill_space(string_view& text, std::string& out) {
    const auto end = std::min(text.find(repetition, 1), text.size());
    if (!out.empty()) out.append(repetitions_in(text.substr(1, end - 1)), out.back());
    text.remove_prefix(std::min(end + 1, text.size()));
}

bool KeptWords::is_place(string_view attribute_name) { return attribute_name == place_attribute; }

std::vector<KeptWords::Attribute> KeptWords::attributes_at(string_view place) const {
    std::vector<Attribute> attributes;
    const auto number = number_in(place);
    if (number >= elements_.size()) return attributes;
    for (auto i = elements_[number].begin; i < elements_[number].end; ++i)
        attributes.emplace_back(values_[i].name,
                                string_view(source_).substr(values_[i].value.begin, values_[i].value.length));
    return attributes;
}

}
