#include "templates/cascade.hpp"

#include "system/ascii.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <set>

namespace postrider::templates {
namespace {

using css::Compound;
using css::Declaration;
using css::Selector;
using Stands = Compound::Stands;

constexpr std::size_t most_tests = 40'000'000;

bool has_word(std::string_view value, std::string_view word) {
    constexpr std::string_view white = " \t\r\n\f";
    for (auto at = value.find(word); at != value.npos; at = value.find(word, at + 1)) {
        bool begins = at == 0 || white.find(value[at - 1]) != white.npos;
        auto end = at + word.size();
        if (begins && (end == value.size() || white.find(value[end]) != white.npos)) return true;
    }
    return false;
}

bool passes(const css::AttributeTest& test, const Tag& tag) {
    using Kind = css::AttributeTest::Kind;
    auto* attribute = tag.attribute(test.name);
    if (!attribute) return false;
    auto value = attribute->value;
    switch (test.kind) {
    case Kind::there: return true;
    case Kind::is: return value == test.value;
    case Kind::word: return !test.value.empty() && has_word(value, test.value);
    case Kind::language:
        return value == test.value ||
               (value.starts_with(test.value) && value.substr(test.value.size()).starts_with('-'));
    case Kind::begins: return !test.value.empty() && value.starts_with(test.value);
    case Kind::ends: return !test.value.empty() && value.ends_with(test.value);
    case Kind::contains: return !test.value.empty() && value.find(test.value) != value.npos;
    }
    return false;
}

bool passes(const css::PlaceTest& test, const Element& element) {
    auto number = int(test.from_end ? element.of - element.number + 1 : element.number) - test.offset;
    if (test.step == 0) return number == 0;
    return number % test.step == 0 && number / test.step >= 0;
}

bool fits(const Compound& compound, const Tag& tag, const Element& element) {
    if (!compound.type.empty() && compound.type != tag.name) return false;
    return std::ranges::all_of(compound.attributes, [&](auto& test) { return passes(test, tag); }) &&
           std::ranges::all_of(compound.places, [&](auto& test) { return passes(test, element); });
}

// Every compound of every selector is one bit. Going through the elements in order, a bit is set where the compound
// fits and the one before it fitted there where it has to: no element is ever looked at twice for the same bit.
class Matcher {
public:
    Matcher(const std::vector<Tag>& tags, const std::vector<Element>& elements, const std::vector<Selector>& selectors)
        : tags_(tags), elements_(elements) {
        for (auto& selector : selectors)
            for (auto& compound : selector.compounds) compounds_.push_back(&compound);
        words_ = (compounds_.size() + 63) / 64;
        for (auto* bits : {&here_, &above_, &earlier_}) bits->resize(elements.size() * words_);
    }

    void look_at(std::size_t number) {
        auto& element = elements_[number];
        if (element.parent != Element::none) join(above_, number, element.parent, above_);
        if (element.before != Element::none) join(earlier_, number, element.before, earlier_);
        for (std::size_t k = 0; k < compounds_.size(); ++k)
            if (stands(*compounds_[k], k, number) && fits(*compounds_[k], tags_[element.tag], element))
                here_[number * words_ + k / 64] |= bit(k);
    }

    // Of the last compound of a selector: whether the whole matches.
    [[nodiscard]] bool matches(std::size_t compound, std::size_t element) const {
        return has(here_, element, compound);
    }

private:
    using Bits = std::vector<std::uint64_t>;

    static std::uint64_t bit(std::size_t k) { return std::uint64_t(1) << (k % 64); }
    bool has(const Bits& bits, std::size_t element, std::size_t k) const {
        return bits[element * words_ + k / 64] & bit(k);
    }
    void join(Bits& into, std::size_t number, std::size_t other, const Bits& more) {
        for (std::size_t w = 0; w < words_; ++w)
            into[number * words_ + w] = here_[other * words_ + w] | more[other * words_ + w];
    }
    bool stands(const Compound& compound, std::size_t k, std::size_t number) const {
        auto& element = elements_[number];
        switch (compound.stands) {
        case Stands::first: return true;
        case Stands::within: return has(above_, number, k - 1);
        case Stands::child: return element.parent != Element::none && has(here_, element.parent, k - 1);
        case Stands::next: return element.before != Element::none && has(here_, element.before, k - 1);
        case Stands::after: return has(earlier_, number, k - 1);
        }
        return false;
    }

    const std::vector<Tag>& tags_;
    const std::vector<Element>& elements_;
    std::vector<const Compound*> compounds_;
    std::size_t words_ = 0;
    Bits here_, above_, earlier_; // what fits the element, those around it, its siblings before it
};

struct Rule {
    css::Rule text; // places in its block
    std::vector<Declaration> declarations;
};

struct Asked { // a selector of a rule
    std::string_view text;
    std::size_t rule;
    std::size_t last_compound = 0;
    bool matched = false;
};

bool is_never_seen(std::string_view element) {
    constexpr std::array<std::string_view, 9> names = {"head", "title", "meta",     "style",   "script",
                                                       "link", "base",  "noscript", "template"};
    return std::ranges::find(names, element) != names.end();
}

std::string text_of(const Declaration& declaration) {
    return declaration.property + ":" + std::string(declaration.value);
}

void append(std::string& out, const std::string& declaration) {
    out.append(out.empty() ? "" : ";").append(declaration);
}

class Sheet {
public:
    Sheet(std::string_view html, const std::vector<Tag>& tags, const std::vector<Element>& elements)
        : html_(html), tags_(tags), elements_(elements) {
        result_.elements.resize(elements.size());
    }

    Cascade run() {
        for (std::size_t i = 0; i < tags_.size(); ++i)
            if (is_block(i)) read_block(i);
        if (selectors_.empty() || compounds_ * elements_.size() > most_tests) return std::move(result_);
        Matcher matcher(tags_, elements_, selectors_);
        for (std::size_t i = 0; i < elements_.size(); ++i) {
            matcher.look_at(i);
            if (!is_never_seen(tags_[elements_[i].tag].name)) style(i, matcher);
        }
        for (auto& block : blocks_) leave(block);
        return std::move(result_);
    }

private:
    struct Read {
        Cascade::Block block;
        std::size_t first_rule, last_rule;
    };

    bool is_block(std::size_t i) const {
        auto& tag = tags_[i];
        if (tag.kind != Tag::Kind::open || tag.name != "style") return false;
        bool ends = i + 1 < tags_.size() && tags_[i + 1].name == "style" && tags_[i + 1].kind == Tag::Kind::close;
        if (!ends) return false;
        auto* media = tag.attribute("media");
        if (media && !media->value.empty() && media->value != "all") return false;
        return html_.substr(tag.end, tags_[i + 1].begin - tag.end).find(open_slot) == html_.npos;
    }

    void read_block(std::size_t i) {
        auto begin = tags_[i].end, end = tags_[i + 1].begin;
        Read read{{tags_[i].begin, tags_[i + 1].end, begin, end, {}}, rules_.size(), 0};
        for (auto& rule : css::rules_in(html_.substr(begin, end - begin))) {
            rules_.push_back({rule, {}});
            // Nested rules would need their parents' selectors.
            if (rule.is_at_rule() || rule.block.find('{') != rule.block.npos) continue;
            rules_.back().declarations = css::declarations_in(rule.block);
            for (auto text : css::selectors_in(rule.prelude)) {
                auto selector = css::parse_selector(text);
                if (!selector) continue;
                compounds_ += selector->compounds.size();
                selectors_.push_back(std::move(*selector));
                asked_.push_back({text, rules_.size() - 1, compounds_ - 1});
            }
        }
        read.last_rule = rules_.size();
        blocks_.push_back(std::move(read));
    }

    void style(std::size_t number, const Matcher& matcher) {
        std::vector<std::size_t> matched; // selectors, the weakest first
        for (std::size_t s = 0; s < selectors_.size(); ++s)
            if (matcher.matches(asked_[s].last_compound, number)) matched.push_back(s);
        if (matched.empty()) return;
        std::ranges::sort(matched, [&](auto a, auto b) {
            return std::pair(selectors_[a].specificity, a) < std::pair(selectors_[b].specificity, b);
        });
        std::vector<const Rule*> rules; // each once, where it counts most
        for (std::size_t i = matched.size(); i-- > 0;) {
            asked_[matched[i]].matched = true;
            auto* rule = &rules_[asked_[matched[i]].rule];
            if (std::ranges::find(rules, rule) == rules.end()) rules.push_back(rule);
        }
        std::ranges::reverse(rules);
        write(result_.elements[number], rules, own_properties(tags_[elements_[number].tag]));
    }

    // Of the style attribute: property -> whether it is important.
    static std::map<std::string, bool> own_properties(const Tag& tag) {
        std::map<std::string, bool> properties;
        auto* style = tag.attribute("style");
        if (!style) return properties;
        auto text = decoded(style->value);
        for (auto& declaration : css::declarations_in(text)) properties[declaration.property] |= declaration.important;
        return properties;
    }

    static void write(Cascade::Styles& styles, const std::vector<const Rule*>& rules,
                      const std::map<std::string, bool>& own) {
        std::map<std::string_view, const Rule*> plain, important; // who says it last
        for (auto* rule : rules)
            for (auto& one : rule->declarations) (one.important ? important : plain)[one.property] = rule;
        for (auto* rule : rules) {
            for (auto& one : rule->declarations) {
                auto mine = own.find(one.property);
                if (one.important) {
                    bool covered = mine != own.end() && mine->second;
                    if (important[one.property] == rule && !covered) append(styles.over, text_of(one));
                } else if (plain[one.property] == rule && !important.contains(one.property) && mine == own.end())
                    append(styles.under, text_of(one));
            }
        }
    }

    void leave(Read& read) {
        auto text = html_.substr(read.block.text_begin, read.block.text_end - read.block.text_begin);
        std::size_t copied = 0;
        bool changed = false;
        for (auto r = read.first_rule; r < read.last_rule; ++r) {
            auto& rule = rules_[r].text;
            auto kept = kept_of(r);
            if (kept == rule.prelude) continue;
            changed = true;
            read.block.left += text.substr(copied, rule.begin - copied);
            if (!kept.empty()) read.block.left.append(kept).append("{").append(rule.block).append("}");
            copied = rule.end;
            // The line that it stood on goes with it.
            if (kept.empty() && (read.block.left.empty() || read.block.left.ends_with('\n')))
                while (copied < text.size() && (text[copied] == '\n' || text[copied] == '\r')) ++copied;
        }
        read.block.left += text.substr(copied);
        if (changed) result_.blocks.push_back(std::move(read.block));
    }

    // The selectors of a rule that must stay where they are.
    std::string kept_of(std::size_t rule) {
        while (next_asked_ < asked_.size() && asked_[next_asked_].rule < rule) ++next_asked_;
        auto first = next_asked_;
        std::set<std::string_view> said;
        while (next_asked_ < asked_.size() && asked_[next_asked_].rule == rule) {
            if (asked_[next_asked_].matched) said.insert(asked_[next_asked_].text);
            ++next_asked_;
        }
        auto& text = rules_[rule].text;
        if (first == next_asked_ || said.empty()) return std::string(text.prelude);
        std::string kept;
        for (auto selector : css::selectors_in(text.prelude))
            if (!said.contains(selector)) kept.append(kept.empty() ? "" : ",").append(selector);
        return kept;
    }

    std::string_view html_;
    const std::vector<Tag>& tags_;
    const std::vector<Element>& elements_;
    Cascade result_;
    std::vector<Read> blocks_;
    std::vector<Rule> rules_;
    std::vector<Selector> selectors_;
    std::vector<Asked> asked_; // of each selector
    std::size_t compounds_ = 0, next_asked_ = 0;
};

}

Cascade cascade(std::string_view html, const std::vector<Tag>& tags, const std::vector<Element>& elements) {
    return Sheet(html, tags, elements).run();
}

std::string effective_style(const Cascade::Styles& styles, const Tag& tag) {
    std::string all = styles.under;
    if (auto* own = tag.attribute("style")) append(all, decoded(own->value));
    if (!styles.over.empty()) append(all, styles.over);
    return all;
}

}
