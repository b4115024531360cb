#include "stories/feed_repair.hpp"

#include "stories/characters.hpp"
#include "stories/feed_text.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

namespace postrider::stories {

namespace {

constexpr std::size_t deepest_element = 200; // libxml2 gives up at 256
constexpr std::size_t longest_name = 100;
constexpr std::size_t most_attributes = 64;
constexpr std::size_t most_entities = 200;
constexpr std::size_t longest_entity = 1000;
constexpr std::size_t entity_budget = 1 << 20;

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool starts_name(char c) { return is_letter(c) || c == '_' || static_cast<unsigned char>(c) >= 0x80; }
bool is_name(char c) { return starts_name(c) || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == ':'; }

// A name that libxml2 takes without a murmur. Elements of other names are let through as if they had no tags.
bool is_plain_name(std::string_view name) {
    if (name.empty() || name.size() > longest_name || std::ranges::count(name, ':') > 1 || name.ends_with(':'))
        return false;
    const auto colon = name.find(':');
    if (colon != name.npos && !is_letter(name[colon + 1]) && name[colon + 1] != '_') return false;
    return std::ranges::all_of(name, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

// Of HTML, and never closed there. "link" is missing because in RSS it has a content.
bool is_void(std::string_view name) {
    constexpr std::array<std::string_view, 5> names = {"br", "img", "hr", "wbr", "input"};
    return std::ranges::find(names, name) != names.end();
}

bool holds_items(std::string_view name) {
    const auto colon = name.find(':');
    const auto local = lower(colon == name.npos ? name : name.substr(colon + 1));
    return local == "channel" || local == "feed" || local == "rss" || local == "rdf";
}

// Bytes of text that stay as they are, wherever they stand. Not those that may end U+FFFE or U+FFFF.
using Table = std::array<bool, 256>;
constexpr Table unchanged_apart = [] {
    Table table{};
    for (unsigned byte = 0x20; byte < 0x100; ++byte) table[byte] = byte != 0x7F && byte != 0xBE && byte != 0xBF;
    table['\t'] = table['\n'] = true;
    return table;
}();
constexpr Table unchanged_in_place = [] {
    auto table = unchanged_apart;
    table['\r'] = true;
    table['<'] = table['>'] = table['&'] = table['"'] = false;
    return table;
}();

// How many of them the text begins with.
std::size_t unchanged_at(std::string_view text, const Table& unchanged) {
    auto length = unchanged['<'] ? plain_length(text) : 0;
    while (length < text.size() && unchanged[static_cast<unsigned char>(text[length])]) ++length;
    return length;
}

class Repair {
public:
    Repair(std::string_view text, Words words)
        : in_(text), apart_(words == Words::apart), unchanged_(apart_ ? unchanged_apart : unchanged_in_place),
          sink_(apart_ ? words_.text : out_) {
        sink_.reserve(text.size() + text.size() / 8);
    }

    Repaired run() {
        while (at_ < in_.size() && !finished_) {
            const char c = in_[at_];
            if (c == '<')
                markup();
            else if (open_.empty())
                at_ = std::min(in_.find('<', at_), in_.size());
            else
                text(in_.substr(at_, std::min(in_.find('<', at_), in_.size()) - at_));
        }
        const bool cut_off = !open_.empty();
        while (!open_.empty()) close_innermost();
        return {std::move(out_), std::move(words_), cut_off, too_deep_};
    }

private:
    struct Open {
        std::string_view name;
        bool written;
    };

    // Where `token` stands next. Whatever was not found once will not be found further on: never searched for again.
    std::size_t next(std::string_view token, bool& gone) {
        const auto found = gone ? in_.npos : in_.find(token, at_);
        gone = found == in_.npos;
        return found;
    }

    void markup() {
        const auto rest = in_.substr(at_);
        if (rest.starts_with("<!--")) return skip_past("-->", no_comment_end_, 4);
        if (rest.starts_with("<?")) return skip_past("?>", no_instruction_end_, 2);
        if (rest.starts_with("<![CDATA[")) return character_data();
        if (rest.starts_with("<!")) return declaration();
        if (rest.size() > 2 && rest[1] == '/' && starts_name(rest[2])) return end_tag();
        if (rest.size() > 1 && starts_name(rest[1])) return start_tag();
        if (!open_.empty()) out_ += "&lt;";
        ++at_;
    }

    // What never ends is only its first characters: the rest may still be the feed.
    void skip_past(std::string_view token, bool& gone, std::size_t opening) {
        const auto end = next(token, gone);
        at_ = end == in_.npos ? at_ + opening : end + token.size();
    }

    void character_data() {
        at_ += 9;
        const auto end = next("]]>", no_data_end_);
        const auto data = in_.substr(at_, end == in_.npos ? in_.npos : end - at_);
        if (!open_.empty()) piece([&] { append_characters(data); });
        at_ = end == in_.npos ? in_.size() : end + 3;
    }

    void text(std::string_view run) {
        at_ += run.size();
        piece([&] { append_text(run); });
    }

    // Apart, what is appended leaves its number in its place.
    void piece(auto append) {
        const auto begin = sink_.size();
        append();
        if (!apart_) return;
        out_ += std::to_string(words_.pieces.size());
        out_ += ';';
        words_.pieces.push_back({begin, sink_.size() - begin});
    }

    void append_text(std::string_view run) {
        while (!run.empty()) {
            if (run[0] == '&') {
                run.remove_prefix(append_reference(run));
                continue;
            }
            const auto length = std::min(run.find('&'), run.size());
            append_characters(run.substr(0, length));
            run.remove_prefix(length);
        }
    }

    void append_characters(std::string_view run) {
        while (!run.empty()) {
            const auto length = unchanged_at(run, unchanged_);
            sink_.append(run, 0, length);
            run.remove_prefix(length);
            if (run.empty()) return;
            // Line ends as XML 1.0 section 2.11 has them: a parser does so with what it reads itself.
            if (run.starts_with("\r\n")) run.remove_prefix(1);
            append_character(run[0]);
            run.remove_prefix(1);
        }
    }

    void append_character(char c) {
        const auto byte = static_cast<unsigned char>(c);
        if (!apart_ && c == '<')
            sink_ += "&lt;";
        else if (!apart_ && c == '>')
            sink_ += "&gt;";
        else if (!apart_ && c == '&')
            sink_ += "&amp;";
        else if (!apart_ && c == '"')
            sink_ += "&quot;";
        else if (c == '\r')
            sink_ += '\n';
        else if ((byte < 0x20 && c != '\t' && c != '\n') || byte == 0x7F)
            return;
        else
            sink_ += c;
        // U+FFFE and U+FFFF are no characters of XML.
        if ((byte & 0xFE) == 0xBE && sink_.size() > 2 && sink_[sink_.size() - 2] == '\xBF' &&
            sink_[sink_.size() - 3] == '\xEF')
            sink_.back() = '\xBD';
    }

    // How much of the text it took.
    std::size_t append_reference(std::string_view run) {
        const auto reference = reference_at(run);
        const auto end = run.substr(0, longest_name).find(';');
        if (!entities_.empty() && end != run.npos && (reference.length == 0 || reference.code >= 0x80)) {
            const auto found = entities_.find(run.substr(1, end - 1));
            if (found != entities_.end() && expanded_ + found->second.size() <= entity_budget) {
                expanded_ += found->second.size();
                append_characters(found->second);
                return end + 1;
            }
        }
        if (reference.length == 0) {
            append_character('&');
            return 1;
        }
        std::string character;
        append_utf8(character, reference.code);
        append_characters(character);
        return reference.length;
    }

    // <!DOCTYPE ... [ ... ]> and strays of its kind. Quotes may hide brackets.
    void declaration() {
        const auto begin = at_;
        if (no_declaration_end_) {
            at_ += 2;
            return;
        }
        int brackets = 0;
        for (at_ += 2; at_ < in_.size(); ++at_) {
            const auto rest = in_.substr(at_);
            if (rest[0] == '[') ++brackets;
            if (rest[0] == ']') --brackets;
            if (rest[0] == '>' && brackets <= 0) break;
            if (rest[0] == '<' && brackets <= 0) return; // it was never ended
            if (brackets > 0 && rest.starts_with("<!ENTITY"))
                entity_declaration();
            else if (brackets > 0 && rest.starts_with("<!--"))
                skip_past("-->", no_comment_end_, 4), --at_;
            else if (rest[0] == '"' || rest[0] == '\'')
                skip_quoted();
        }
        no_declaration_end_ = at_ >= in_.size();
        at_ = no_declaration_end_ ? begin + 2 : at_ + 1;
    }

    void skip_quoted() {
        const char quote = in_[at_];
        ++at_;
        const auto end = next(std::string_view(&quote, 1), quote == '"' ? no_double_quote_ : no_single_quote_);
        at_ = end == in_.npos ? at_ - 1 : end;
    }

    // <!ENTITY name "value">. Parameter entities, external ones and values with markup or references are not for us.
    void entity_declaration() {
        const auto end = std::min(in_.substr(at_, longest_entity + longest_name).find('>'), in_.size());
        auto words = trim(in_.substr(std::min(at_ + 8, in_.size()), end < 8 ? 0 : end - 8));
        at_ += 7;
        std::size_t length = 0;
        while (length < words.size() && is_name(words[length])) ++length;
        const auto name = words.substr(0, length);
        auto value = trim(words.substr(length));
        if (name.empty() || value.size() < 2 || (value[0] != '"' && value[0] != '\'')) return;
        const auto close = value.find(value[0], 1);
        if (close == value.npos) return;
        value = value.substr(1, close - 1);
        std::string plain;
        while (!value.empty()) {
            const auto reference = value[0] == '&' ? reference_at(value) : Reference{1, 0};
            if (value[0] == '<' || reference.length == 0) return;
            if (reference.code)
                append_utf8(plain, reference.code);
            else
                plain += value[0];
            value.remove_prefix(reference.length);
        }
        if (entities_.size() < most_entities) entities_.emplace(name, std::move(plain));
    }

    std::string_view name() {
        const auto start = at_;
        while (at_ < in_.size() && is_name(in_[at_])) ++at_;
        return in_.substr(start, at_ - start);
    }

    void end_tag() {
        at_ += 2;
        const auto closed = name();
        const auto end = in_.find_first_of("<>", at_);
        at_ = end == in_.npos ? in_.size() : in_[end] == '>' ? end + 1 : end;
        if (count_[closed] == 0) return;
        while (open_.back().name != closed) close_innermost();
        close_innermost();
        finished_ = open_.empty();
    }

    void start_tag() {
        ++at_;
        const auto opened = name();
        // An item does not stand in another, nor in a part of the channel: the end of that was forgotten.
        if (opened == "item" || opened == "entry")
            while (open_.size() > 1 && !holds_items(open_.back().name)) close_innermost();
        const bool written = is_plain_name(opened) && written_ < deepest_element;
        too_deep_ += written_ >= deepest_element;
        if (written) out_.append("<").append(opened);
        const bool empty = attributes(written);
        if (written) out_ += '>';
        open_.push_back({opened, written});
        ++count_[opened];
        written_ += written;
        if (empty || is_void(opened)) close_innermost();
        finished_ = finished_ || open_.empty();
    }

    void close_innermost() {
        const auto innermost = open_.back();
        open_.pop_back();
        --count_[innermost.name];
        if (!innermost.written) return;
        --written_;
        out_.append("</").append(innermost.name).append(">");
    }

    // Up to and with the '>'. True: the element is empty, "/>".
    bool attributes(bool written) {
        std::vector<std::string_view> names;
        while (at_ < in_.size()) {
            const char c = in_[at_];
            if (c == '<') return false; // the '>' was forgotten
            if (c == '>') return in_[at_++ - 1] == '/';
            if (!is_name(c) || c == ':') {
                ++at_;
                continue;
            }
            const auto attribute = name();
            const auto quoted_value = value();
            if (!written || !quoted_value || !is_plain_name(attribute) ||
                !(is_letter(attribute[0]) || attribute[0] == '_') || names.size() >= most_attributes ||
                std::ranges::find(names, attribute) != names.end())
                continue;
            names.push_back(attribute);
            out_.append(" ").append(attribute).append("=\"");
            append_value(attribute, *quoted_value);
            out_ += '"';
        }
        return false;
    }

    void append_value(std::string_view attribute, std::string_view value) {
        if (!apart_) return append_text(value);
        // What a namespace is called, the parser must know; no address needs more than a reference to its ampersands.
        if (attribute == "xmlns" || attribute.starts_with("xmlns:")) {
            for (const char c : value)
                if (c > ' ' && c != '<' && c != '"' && c != '&') out_ += c;
            return;
        }
        const auto begin = sink_.size();
        piece([&] { append_text(value); });
        std::ranges::replace_if(sink_.begin() + static_cast<std::ptrdiff_t>(begin), sink_.end(), is_space, ' ');
    }

    std::optional<std::string_view> value() {
        auto look = at_;
        while (look < in_.size() && is_space(in_[look])) ++look;
        if (look >= in_.size() || in_[look] != '=') return std::nullopt;
        at_ = look + 1;
        while (at_ < in_.size() && is_space(in_[at_])) ++at_;
        if (at_ >= in_.size()) return std::nullopt;
        const char quote = in_[at_];
        if (quote == '"' || quote == '\'') {
            ++at_;
            const auto start = at_;
            const auto end = next(std::string_view(&quote, 1), quote == '"' ? no_double_quote_ : no_single_quote_);
            if (end != in_.npos) {
                at_ = end + 1;
                return in_.substr(start, end - start);
            }
        }
        const auto start = at_;
        while (at_ < in_.size() && !is_space(in_[at_]) && in_[at_] != '>' && in_[at_] != '<') ++at_;
        auto length = at_ - start;
        if (length > 0 && at_ < in_.size() && in_[at_] == '>' && in_[at_ - 1] == '/') --length;
        return in_.substr(start, length);
    }

    std::string_view in_;
    bool apart_;
    const Table& unchanged_;
    std::size_t at_ = 0;
    std::string out_;
    RepairedWords words_;
    std::string& sink_; // where words are written
    std::vector<Open> open_;
    std::unordered_map<std::string_view, std::size_t> count_; // of the open elements of a name
    std::unordered_map<std::string_view, std::string> entities_;
    std::size_t written_ = 0, too_deep_ = 0, expanded_ = 0;
    bool finished_ = false;
    bool no_comment_end_ = false, no_instruction_end_ = false, no_data_end_ = false, no_declaration_end_ = false;
    bool no_double_quote_ = false, no_single_quote_ = false;
};

}

Repaired repaired_xml(std::string_view text, Words words) { return Repair(text, words).run(); }

std::string_view root_name(std::string_view text) {
    for (auto at = text.find('<'); at != text.npos; at = text.find('<', at + 1)) {
        if (text.substr(at, 4) == "<!--") {
            const auto end = text.find("-->", at);
            if (end == text.npos) return {};
            at = end;
            continue;
        }
        if (at + 1 >= text.size() || !starts_name(text[at + 1])) continue;
        auto end = at + 1;
        while (end < text.size() && is_name(text[end])) ++end;
        return text.substr(at + 1, end - at - 1);
    }
    return {};
}

std::size_t start_of_feed(std::string_view text) {
    constexpr std::size_t reach = 65536;
    constexpr std::array<std::string_view, 5> starts = {"<?xml ", "<rss", "<feed", "<rdf:RDF", "<RDF"};
    const auto head = text.substr(0, reach);
    auto first = head.npos;
    for (const auto start : starts) first = std::min(first, head.find(start));
    return first == head.npos ? 0 : first;
}

}
