#include "templates/css.hpp"

#include "system/ascii.hpp"
#include "system/trimmed.hpp"

#include <algorithm>
#include <charconv>

namespace postrider::templates::css {
namespace {

using system::lower;
using Test = AttributeTest::Kind;

constexpr std::string_view white = " \t\r\n\f";
constexpr std::uint32_t most_of_a_kind = 999; // in a specificity

bool is_white(char c) { return white.find(c) != white.npos; }

std::string_view trimmed(std::string_view text) { return system::trimmed(text, white); }

bool is_name(char c) {
    return (lower(c) >= 'a' && lower(c) <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
           static_cast<unsigned char>(c) >= 0x80;
}

// Behind the comment, string or escape that begins at `at`; `at` itself where there is none.
std::size_t behind_opaque(std::string_view text, std::size_t at) {
    char c = text[at];
    if (c == '\\') return std::min(at + 2, text.size());
    if (c == '/' && text.substr(at).starts_with("/*")) {
        auto end = text.find("*/", at + 2);
        return end == text.npos ? text.size() : end + 2;
    }
    if (c != '"' && c != '\'') return at;
    for (++at; at < text.size() && text[at] != c && text[at] != '\n'; ++at)
        if (text[at] == '\\') ++at;
    return std::min(at + 1, text.size());
}

// The first of `ends` outside of comments, strings, parentheses, brackets and nested braces.
std::size_t find_outside(std::string_view text, std::size_t from, std::string_view ends) {
    int depth = 0;
    while (from < text.size()) {
        auto behind = behind_opaque(text, from);
        if (behind > from) {
            from = behind;
            continue;
        }
        char c = text[from];
        if (depth == 0 && ends.find(c) != ends.npos) return from;
        if (c == '(' || c == '[' || c == '{') ++depth;
        if ((c == ')' || c == ']' || c == '}') && depth > 0) --depth;
        ++from;
    }
    return text.npos;
}

// Behind white space, comments and what old browsers were given to hide a sheet: <!-- and -->.
std::size_t skip_nothing(std::string_view text, std::size_t at) {
    for (;;) {
        auto rest = text.substr(at);
        if (rest.empty()) return at;
        if (is_white(rest.front()) || rest.front() == ';')
            ++at;
        else if (rest.starts_with("/*"))
            at = behind_opaque(text, at);
        else if (rest.starts_with("<!--"))
            at += 4;
        else if (rest.starts_with("-->"))
            at += 3;
        else
            return at;
    }
}

class SelectorReader {
public:
    explicit SelectorReader(std::string_view text) : rest_(trimmed(text)) {}

    std::optional<Selector> run() {
        if (rest_.empty()) return std::nullopt;
        auto stands = Compound::Stands::first;
        for (;;) {
            Compound compound;
            compound.stands = stands;
            if (!read(compound)) return std::nullopt;
            selector_.compounds.push_back(std::move(compound));
            if (rest_.empty()) break;
            auto next = combinator();
            if (!next) return std::nullopt;
            stands = *next;
        }
        selector_.specificity = std::min(ids_, most_of_a_kind) * 1'000'000 +
                                std::min(classes_, most_of_a_kind) * 1'000 + std::min(types_, most_of_a_kind);
        return std::move(selector_);
    }

private:
    std::optional<Compound::Stands> combinator() {
        bool space = is_white(rest_.front());
        rest_ = trimmed(rest_);
        constexpr std::pair<char, Compound::Stands> signs[] = {
            {'>', Compound::Stands::child}, {'+', Compound::Stands::next}, {'~', Compound::Stands::after}};
        for (auto& [sign, stands] : signs) {
            if (!rest_.starts_with(sign)) continue;
            rest_ = trimmed(rest_.substr(1));
            return rest_.empty() ? std::nullopt : std::optional(stands);
        }
        if (!space || rest_.empty()) return std::nullopt;
        return Compound::Stands::within;
    }

    std::string_view name() {
        auto end = std::ranges::find_if_not(rest_, is_name);
        auto word = rest_.substr(0, std::size_t(end - rest_.begin()));
        rest_.remove_prefix(word.size());
        return word;
    }

    bool skip(char c) {
        if (!rest_.starts_with(c)) return false;
        rest_.remove_prefix(1);
        return true;
    }

    bool read(Compound& compound) {
        auto before = rest_.size();
        if (!skip('*') && !rest_.empty() && is_name(rest_.front())) {
            compound.type = lower(name());
            ++types_;
        }
        while (!rest_.empty()) {
            if (skip('#')) {
                ++ids_;
                if (!value_of("id", Test::is, compound)) return false;
            } else if (skip('.')) {
                ++classes_;
                if (!value_of("class", Test::word, compound)) return false;
            } else if (skip('[')) {
                ++classes_;
                if (!attribute(compound)) return false;
            } else if (skip(':')) {
                ++classes_;
                if (!place(compound)) return false;
            } else {
                break;
            }
        }
        return rest_.size() < before;
    }

    bool value_of(const char* attribute, Test kind, Compound& compound) {
        auto value = name();
        compound.attributes.push_back({attribute, kind, std::string(value)});
        return !value.empty();
    }

    bool attribute(Compound& compound) {
        auto end = find_outside(rest_, 0, "]");
        if (end == rest_.npos) return false;
        auto inside = trimmed(rest_.substr(0, end));
        rest_.remove_prefix(end + 1);
        auto sign = inside.find('=');
        if (sign == inside.npos) {
            compound.attributes.push_back({lower(inside), Test::there, {}});
            return std::ranges::all_of(inside, is_name) && !inside.empty();
        }
        auto value = trimmed(inside.substr(sign + 1));
        auto named = inside.substr(0, sign);
        constexpr std::string_view marks = "~|^$*";
        constexpr Test kinds[] = {Test::word, Test::language, Test::begins, Test::ends, Test::contains};
        auto mark = named.empty() ? marks.npos : marks.find(named.back());
        if (mark != marks.npos) named.remove_suffix(1);
        named = trimmed(named);
        if (value.size() >= 2 && (value.front() == '"' || value.front() == '\'') && value.back() == value.front())
            value = value.substr(1, value.size() - 2);
        else if (!std::ranges::all_of(value, is_name)) // "x i": letter case; an escape
            return false;
        if (value.find('\\') != value.npos || named.empty() || !std::ranges::all_of(named, is_name)) return false;
        compound.attributes.push_back({lower(named), mark == marks.npos ? Test::is : kinds[mark], std::string(value)});
        return true;
    }

    bool place(Compound& compound) {
        auto word = lower(name());
        if (word == "first-child" || word == "last-child") {
            compound.places.push_back({0, 1, word == "last-child"});
            return true;
        }
        if (word != "nth-child" && word != "nth-last-child") return false;
        auto end = rest_.find(')');
        if (!skip('(') || end == rest_.npos) return false;
        auto formula = lower(rest_.substr(0, end - 1));
        rest_.remove_prefix(end);
        std::erase_if(formula, is_white);
        auto test = step_and_offset(formula);
        if (!test) return false;
        test->from_end = word == "nth-last-child";
        compound.places.push_back(*test);
        return true;
    }

    static std::optional<int> number(std::string_view text) {
        if (text.starts_with('+')) text.remove_prefix(1);
        int value = 0;
        auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
        bool good = error == std::errc() && end == text.data() + text.size() && value > -1'000'000 && value < 1'000'000;
        return good ? std::optional(value) : std::nullopt;
    }

    static std::optional<PlaceTest> step_and_offset(std::string_view formula) {
        if (formula == "odd") return PlaceTest{2, 1};
        if (formula == "even") return PlaceTest{2, 0};
        auto n = formula.find('n');
        if (n == formula.npos) {
            auto offset = number(formula);
            return offset ? std::optional(PlaceTest{0, *offset}) : std::nullopt;
        }
        auto before = formula.substr(0, n), behind = formula.substr(n + 1);
        auto step = before.empty() || before == "+" ? 1 : before == "-" ? -1 : number(before);
        auto offset = behind.empty() ? 0 : number(behind);
        if (!step || !offset) return std::nullopt;
        return PlaceTest{*step, *offset};
    }

    std::string_view rest_;
    Selector selector_;
    std::uint32_t ids_ = 0, classes_ = 0, types_ = 0;
};

}

std::vector<Declaration> declarations_in(std::string_view text) {
    std::vector<Declaration> all;
    for (std::size_t at = skip_nothing(text, 0); at < text.size();) {
        auto end = std::min(find_outside(text, at, ";"), text.size());
        auto whole = text.substr(at, end - at);
        auto colon = whole.find(':');
        auto property = trimmed(whole.substr(0, colon));
        bool named = !property.empty() && std::ranges::all_of(property, [](char c) { return is_name(c) || c == '*'; });
        auto value = colon == whole.npos ? std::string_view() : trimmed(whole.substr(colon + 1));
        auto mark = value.rfind('!');
        bool important = mark != value.npos && lower(trimmed(value.substr(mark + 1))) == "important";
        if (important) value = trimmed(value.substr(0, mark));
        if (named && !value.empty())
            all.push_back({property.starts_with("--") ? std::string(property) : lower(property), value, important, at});
        at = end == text.size() ? end : skip_nothing(text, end + 1);
    }
    return all;
}

std::string Rule::at_word() const {
    auto word = prelude.substr(std::min<std::size_t>(1, prelude.size()));
    return lower(word.substr(0, std::size_t(std::ranges::find_if_not(word, is_name) - word.begin())));
}

std::vector<Rule> rules_in(std::string_view text) {
    std::vector<Rule> rules;
    for (std::size_t at = skip_nothing(text, 0); at < text.size(); at = skip_nothing(text, at)) {
        if (text[at] == '}') { // one too many
            ++at;
            continue;
        }
        auto open = find_outside(text, at, text[at] == '@' ? "{;" : "{");
        if (open == text.npos) break;
        Rule rule{trimmed(text.substr(at, open - at)), {}, at, open + 1, open + 1};
        if (text[open] == '{') {
            auto close = std::min(find_outside(text, open + 1, "}"), text.size());
            rule.block = text.substr(open + 1, close - open - 1);
            rule.end = std::min(close + 1, text.size());
        }
        at = rule.end;
        rules.push_back(rule);
    }
    return rules;
}

std::vector<std::string_view> selectors_in(std::string_view prelude) {
    std::vector<std::string_view> selectors;
    for (std::size_t at = 0;;) {
        auto end = find_outside(prelude, at, ",");
        selectors.push_back(trimmed(prelude.substr(at, end == prelude.npos ? end : end - at)));
        if (end == prelude.npos) return selectors;
        at = end + 1;
    }
}

std::optional<Selector> parse_selector(std::string_view text) { return SelectorReader(text).run(); }

}
