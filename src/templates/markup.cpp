#include "templates/markup.hpp"

#include "mail/utf8.hpp"
#include "system/ascii.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

namespace postrider::templates {
namespace {

using system::lower;

constexpr std::string_view white = " \t\r\n\f";
constexpr std::size_t deepest = 500;

bool is_white(char c) { return white.find(c) != white.npos; }
bool is_letter(char c) { return lower(c) >= 'a' && lower(c) <= 'z'; }

template <std::size_t count>
bool is_one(std::string_view name, const std::array<std::string_view, count>& names) {
    return std::ranges::find(names, name) != names.end();
}

class Scanner {
public:
    explicit Scanner(std::string_view text) : text_(text) {}

    std::vector<Tag> run() {
        for (;;) {
            position_ = text_.find('<', position_);
            if (position_ == text_.npos || position_ + 1 >= text_.size()) return std::move(tags_);
            char next = text_[position_ + 1];
            bool closes = next == '/' && position_ + 2 < text_.size() && is_letter(text_[position_ + 2]);
            if (is_letter(next) || closes)
                tag(closes ? Tag::Kind::close : Tag::Kind::open);
            else if (next == '!' || next == '?' || next == '/')
                skip_comment();
            else
                ++position_;
        }
    }

private:
    void skip_comment() {
        bool real = text_.substr(position_).starts_with("<!--");
        auto end = real ? text_.find("-->", position_ + 2) : text_.find('>', position_); // <!--> is one too
        position_ = end == text_.npos ? text_.size() : end + (real ? 3 : 1);
    }

    void tag(Tag::Kind kind) {
        Tag tag{kind, {}, {}, position_, 0, false};
        position_ += kind == Tag::Kind::open ? 1 : 2;
        tag.name = lower(word("/>"));
        while (attribute(tag)) {
        }
        if (position_ >= text_.size()) return; // never ended: no tag
        tag.end = ++position_;
        auto name = tag.name;
        tags_.push_back(std::move(tag));
        if (kind == Tag::Kind::open) skip_raw_text(name);
    }

    std::string_view word(std::string_view ends) {
        auto begin = position_;
        while (position_ < text_.size() && !is_white(text_[position_]) && ends.find(text_[position_]) == ends.npos)
            ++position_;
        return text_.substr(begin, position_ - begin);
    }

    void skip_white() {
        while (position_ < text_.size() && is_white(text_[position_])) ++position_;
    }

    // False at the end of the tag.
    bool attribute(Tag& tag) {
        while (position_ < text_.size() && (is_white(text_[position_]) || text_[position_] == '/')) {
            tag.closed = text_[position_] == '/';
            ++position_;
        }
        if (position_ >= text_.size() || text_[position_] == '>') return false;
        tag.closed = false;
        Attribute attribute;
        attribute.begin = position_;
        if (text_[position_] == '=') ++position_; // a name may begin with one
        (void)word("=/>");
        attribute.name = lower(text_.substr(attribute.begin, position_ - attribute.begin));
        attribute.end = position_;
        skip_white();
        if (position_ < text_.size() && text_[position_] == '=') value(attribute);
        tag.attributes.push_back(std::move(attribute));
        return true;
    }

    void value(Attribute& attribute) {
        ++position_;
        skip_white();
        if (position_ >= text_.size()) return;
        char first = text_[position_];
        if (first == '"' || first == '\'') {
            auto end = std::min(text_.find(first, position_ + 1), text_.size());
            attribute.quote = first;
            attribute.value = text_.substr(position_ + 1, end - position_ - 1);
            position_ = std::min(end + 1, text_.size());
        } else {
            attribute.value = word(">");
        }
        attribute.end = position_;
    }

    void skip_raw_text(std::string_view name) {
        constexpr std::array<std::string_view, 4> raw = {"script", "style", "title", "textarea"};
        if (!is_one(name, raw)) return;
        for (;;) {
            position_ = text_.find("</", position_);
            if (position_ == text_.npos) {
                position_ = text_.size();
                return;
            }
            auto after = text_.substr(position_ + 2);
            if (system::equal_without_case(after.substr(0, name.size()), name) &&
                (after.size() == name.size() || !is_letter(after[name.size()])))
                return;
            position_ += 2;
        }
    }

    std::string_view text_;
    std::size_t position_ = 0;
    std::vector<Tag> tags_;
};

// Elements whose end tag may be left out: they end where one of these begins in the same container.
struct EndedBy {
    std::string_view open;
    std::array<std::string_view, 4> next;
};
constexpr EndedBy optional_ends[] = {
    {"li", {"li"}},
    {"dt", {"dt", "dd"}},
    {"dd", {"dt", "dd"}},
    {"td", {"td", "th", "tr", "tbody"}},
    {"th", {"td", "th", "tr", "tbody"}},
    {"tr", {"tr", "tbody", "thead", "tfoot"}},
    {"tbody", {"tbody", "tfoot"}},
    {"thead", {"tbody", "tfoot"}},
    {"option", {"option"}},
    {"head", {"body"}},
};
constexpr std::array<std::string_view, 6> containers = {"table", "ul", "ol", "menu", "dl", "select"};

bool ends(std::string_view next, std::string_view open) {
    for (auto& rule : optional_ends)
        if (rule.open == open && is_one(next, rule.next)) return true;
    return false;
}

bool ends_something(std::string_view next) {
    return std::ranges::any_of(optional_ends, [&](auto& rule) { return is_one(next, rule.next); });
}

constexpr std::array<std::string_view, 25> ends_a_paragraph = {
    "address", "article", "aside", "blockquote", "div",     "dl",    "fieldset", "footer", "form",
    "h1",      "h2",      "h3",    "h4",         "h5",      "h6",    "header",   "hr",     "main",
    "nav",     "ol",      "p",     "pre",        "section", "table", "ul"};

class Nest {
public:
    Nest(const std::vector<Tag>& tags, std::size_t text_size) : tags_(tags), text_size_(text_size) {}

    std::vector<Element> run() {
        for (std::size_t i = 0; i < tags_.size(); ++i) {
            if (tags_[i].kind == Tag::Kind::open)
                open(i);
            else
                close(tags_[i]);
        }
        end_down_to(0, text_size_);
        std::vector<std::size_t> counts(elements_.size() + 1);
        for (auto& element : elements_) counts[element.parent + 1] = element.number; // none + 1 is 0
        for (auto& element : elements_) element.of = counts[element.parent + 1];
        return std::move(elements_);
    }

private:
    const std::string& name(std::size_t element) const { return tags_[elements_[element].tag].name; }

    void open(std::size_t index) {
        auto& tag = tags_[index];
        end_what_this_ends(tag);
        auto parent = open_.empty() ? Element::none : open_.back();
        auto& last = last_child_[parent + 1];
        Element element{index, parent, last ? *last : Element::none, last ? elements_[*last].number + 1 : 1,
                        1,     tag.end};
        last = elements_.size();
        elements_.push_back(element);
        last_child_.emplace_back();
        if (!is_void(tag.name) && !tag.closed && open_.size() < deepest) open_.push_back(elements_.size() - 1);
    }

    void end_what_this_ends(const Tag& tag) {
        if (!open_.empty() && name(open_.back()) == "p" && is_one(tag.name, ends_a_paragraph))
            end_down_to(open_.size() - 1, tag.begin);
        if (!ends_something(tag.name)) return;
        for (std::size_t i = open_.size(); i-- > 0 && !is_one(name(open_[i]), containers);)
            if (ends(tag.name, name(open_[i]))) end_down_to(i, tag.begin);
    }

    void close(const Tag& tag) {
        for (std::size_t i = open_.size(); i-- > 0;) {
            if (name(open_[i]) == tag.name) return end_down_to(i, tag.begin);
            if (name(open_[i]) == "table" && tag.name != "body" && tag.name != "html") return; // not across a table
        }
    }

    void end_down_to(std::size_t depth, std::size_t at) {
        while (open_.size() > depth) {
            elements_[open_.back()].end = at;
            open_.pop_back();
        }
    }

    const std::vector<Tag>& tags_;
    std::size_t text_size_;
    std::vector<Element> elements_;
    std::vector<std::size_t> open_;
    std::vector<std::optional<std::size_t>> last_child_{std::nullopt}; // of no element, then of each
};

std::optional<char32_t> entity(std::string_view name) {
    constexpr std::pair<std::string_view, char32_t> known[] = {{"amp", '&'},  {"lt", '<'},    {"gt", '>'},
                                                               {"quot", '"'}, {"apos", '\''}, {"nbsp", 0xA0}};
    for (auto& [word, character] : known)
        if (word == name) return character;
    if (!name.starts_with('#')) return std::nullopt;
    name.remove_prefix(1);
    int base = 10;
    if (name.starts_with('x') || name.starts_with('X')) {
        base = 16;
        name.remove_prefix(1);
    }
    std::uint32_t number = 0;
    auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number, base);
    if (error != std::errc() || end != name.data() + name.size() || number == 0 || number > 0x10FFFF)
        return std::nullopt;
    return number;
}

}

const Attribute* Tag::attribute(std::string_view wanted) const {
    auto found = std::ranges::find(attributes, wanted, &Attribute::name);
    return found == attributes.end() ? nullptr : &*found;
}

std::vector<Tag> tags_in(std::string_view html) { return Scanner(html).run(); }

std::optional<Body> body_of(std::string_view html) {
    std::optional<Body> body;
    for (auto& tag : tags_in(html)) {
        if (tag.name != "body") continue;
        if (tag.kind == Tag::Kind::open && !body)
            body = Body{tag.end, html.size()};
        else if (tag.kind == Tag::Kind::close && body)
            body->end = tag.begin;
    }
    return body;
}

std::vector<Element> elements_of(const std::vector<Tag>& tags, std::size_t text_size) {
    return Nest(tags, text_size).run();
}

bool is_void(std::string_view element) {
    constexpr std::array<std::string_view, 14> names = {"area",  "base", "br",   "col",   "embed",  "hr",    "img",
                                                        "input", "link", "meta", "param", "source", "track", "wbr"};
    return is_one(element, names);
}

std::string decoded(std::string_view value) {
    constexpr std::size_t longest = 10;
    std::string out;
    while (!value.empty()) {
        auto at = value.find('&');
        out += value.substr(0, at);
        if (at == value.npos) break;
        value.remove_prefix(at);
        auto end = value.substr(0, longest).find(';');
        auto character = end == value.npos ? std::nullopt : entity(value.substr(1, end - 1));
        if (character)
            mail::append_utf8(out, *character);
        else
            out += '&';
        value.remove_prefix(character ? end + 1 : 1);
    }
    return out;
}

}
