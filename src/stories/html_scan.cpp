#include "stories/html_scan.hpp"

#include "stories/characters.hpp"
#include "stories/html_kinds.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <optional>

namespace postrider::stories {

namespace {

using std::string_view;

constexpr std::size_t largest_markup = 1 << 20;
constexpr std::size_t largest_attribute = 4096;
// Each paragraph may reopen the formatting elements left open before it, so their number multiplies the tree.
constexpr std::size_t most_formatting = 32;

constexpr std::array<string_view, 46> attributes_kept{
    "align",     "alt",      "aria-hidden",   "aria-modal",    "border",     "charset",     "cite",     "class",
    "colspan",   "content",  "data-lazy-src", "data-original", "data-src",   "data-srcset", "datetime", "dir",
    "height",    "hidden",   "href",          "hreflang",      "http-equiv", "id",          "itemid",   "itemprop",
    "itemscope", "itemtype", "lang",          "media",         "name",       "property",    "pubdate",  "rel",
    "reversed",  "role",     "rowspan",       "scope",         "span",       "src",         "srcset",   "start",
    "style",     "title",    "type",          "value",         "width",      "xml:lang"};
static_assert(std::ranges::is_sorted(attributes_kept));

struct Tag {
    bool end = false;
    bool closes_itself = false;
    std::string name;
    Kind kind;
    std::vector<KeptWords::Attribute> attributes; // values as written, entities and all

    [[nodiscard]] string_view attribute(string_view wanted) const {
        for (const auto& [name, value] : attributes)
            if (name == wanted) return value;
        return {};
    }
};

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

class Scanner {
public:
    explicit Scanner(std::string html) : kept_(std::move(html)), in_(kept_.source()), lower_(lower(in_)) {}

    ScannedHtml run() {
        // Without a doctype the parser falls into quirks mode, where a table does not close a paragraph.
        out_ = "<!DOCTYPE html>";
        while (at_ < in_.size() && size() < largest_markup) {
            const auto open = std::min(in_.find('<', at_), in_.size());
            text(in_.substr(at_, open - at_));
            at_ = open;
            if (at_ < in_.size()) markup();
        }
        while (!open_.empty()) close_top();
        scripts_of_the_rest();
        return {std::move(out_), std::move(kept_), std::move(json_ld_)};
    }

private:
    // A long page describes itself at its end as often as in its head.
    void scripts_of_the_rest() {
        skipping_.clear();
        while ((at_ = lower_.find("<script", at_)) != std::string::npos) tag(false);
    }

    void text(string_view piece) {
        if (!skipping_.empty()) return;
        auto room = largest_markup - std::min(size(), largest_markup);
        if (piece.size() > room)
            while (room > 0 && (static_cast<unsigned char>(piece[room]) & 0xC0) == 0x80) --room;
        kept_.write_text(piece.substr(0, room), out_);
    }

    [[nodiscard]] std::size_t size() const { return out_.size() + kept_.saved(); }

    void markup() {
        const char next = at_ + 1 < in_.size() ? in_[at_ + 1] : ' ';
        if (is_letter(next)) return tag(false);
        if (next == '/' && at_ + 2 < in_.size() && is_letter(in_[at_ + 2])) return tag(true);
        if (in_.substr(at_).starts_with("<!--")) return comment();
        if (next == '!' || next == '?' || next == '/') {
            at_ = std::min(in_.find('>', at_), in_.size() - 1) + 1;
            return;
        }
        if (skipping_.empty()) out_ += "&lt;";
        ++at_;
    }

    void comment() {
        auto rest = in_.substr(at_ + 4);
        if (rest.starts_with(">") || rest.starts_with("->")) {
            at_ += rest.starts_with(">") ? 5 : 6;
            return;
        }
        for (at_ += 4; at_ < in_.size(); at_ += 2) {
            at_ = in_.find("--", at_);
            if (at_ == std::string::npos) break;
            while (in_.substr(at_).starts_with("---")) ++at_;
            rest = in_.substr(at_ + 2);
            if (!rest.starts_with(">") && !rest.starts_with("!>")) continue;
            at_ += rest.starts_with(">") ? 3 : 4;
            return;
        }
        at_ = in_.size();
    }

    std::string word(string_view stops) {
        const auto end = std::min(in_.find_first_of(stops, at_), in_.size());
        auto found = lower_.substr(at_, end - at_);
        at_ = end;
        return found;
    }

    void skip_space() {
        while (at_ < in_.size() && is_space(in_[at_])) ++at_;
    }

    void tag(bool end) {
        Tag tag;
        tag.end = end;
        at_ += end ? 2 : 1;
        tag.name = word(" \t\n\r\f/>");
        tag.kind = kind_of(tag.name);
        while (true) {
            while (at_ < in_.size() && (is_space(in_[at_]) || in_[at_] == '/')) {
                tag.closes_itself = in_[at_] == '/';
                ++at_;
            }
            if (at_ >= in_.size()) return; // an unfinished tag at the end is no tag
            if (in_[at_] == '>') break;
            attribute(tag);
        }
        ++at_;
        if (end)
            end_tag(tag);
        else
            start_tag(tag);
    }

    void attribute(Tag& tag) {
        const auto begin = at_;
        ++at_; // a leading = belongs to the name
        word(" \t\n\r\f/>=");
        const auto name = lower_.substr(begin, at_ - begin);
        skip_space();
        string_view value;
        if (at_ < in_.size() && in_[at_] == '=') {
            ++at_;
            skip_space();
            value = attribute_value();
        }
        tag.closes_itself = false;
        const auto known = std::ranges::lower_bound(attributes_kept, name);
        if (known == attributes_kept.end() || *known != name || value.size() > largest_attribute) return;
        if (std::ranges::find(tag.attributes, *known, &KeptWords::Attribute::first) != tag.attributes.end()) return;
        tag.attributes.emplace_back(*known, value);
    }

    string_view attribute_value() {
        if (at_ >= in_.size()) return {};
        const auto begin = at_;
        if (const char quote = in_[at_]; quote == '"' || quote == '\'') {
            const auto end = std::min(in_.find(quote, at_ + 1), in_.size());
            at_ = std::min(end + 1, in_.size());
            return in_.substr(begin + 1, end - begin - 1);
        }
        at_ = std::min(in_.find_first_of(" \t\n\r\f>", at_), in_.size());
        return in_.substr(begin, at_ - begin);
    }

    void start_tag(const Tag& tag) {
        if (tag.name == "title") return title();
        if (tag.kind.has(is_raw_text)) return raw_text(tag);
        if (!skipping_.empty()) {
            if (tag.name == skipping_ && !tag.closes_itself) ++skipped_depth_;
            return;
        }
        if (tag.kind.has(is_skipped)) {
            if (tag.closes_itself && (tag.name == "svg" || tag.name == "math")) return;
            // One that never ends must not swallow the rest of the story.
            if (!ends_later(tag.name)) return;
            skipping_ = tag.name;
            skipped_depth_ = 1;
            return;
        }
        if (tag.kind.has(is_ignored) || tag.name.size() > 40) return;
        if (tag.name == "html" || tag.name == "head" || tag.name == "body") return write(tag, tag.name);
        open(tag);
    }

    void end_tag(const Tag& tag) {
        if (!skipping_.empty()) {
            if (tag.name == skipping_ && --skipped_depth_ == 0) skipping_.clear();
            return;
        }
        if (tag.name == "br") return void(out_ += "<br>");
        if (tag.name == "head") return void(out_ += "</head>");
        if (overflow_ > 0 && !tag.kind.has(is_void) && tag.name != "body" && tag.name != "html") {
            --overflow_;
            return;
        }
        if (tag.kind.has(is_formatting)) return end_formatting(tag.name, tag.kind);
        end_element(tag.name, tag.kind);
    }

    bool ends_later(const std::string& name) { return next_end(name) != std::string::npos; }

    // Where "</name" comes next. Remembered, so that no part of the page is searched twice for the same name.
    std::size_t next_end(const std::string& name) {
        auto [known, fresh] = next_end_.try_emplace(name, 0);
        if (fresh || (known->second != std::string::npos && known->second < at_))
            known->second = lower_.find("</" + name, at_);
        return known->second;
    }

    std::size_t end_of_raw_text(const std::string& name) {
        for (auto found = next_end(name); found != std::string::npos;) {
            const auto after = found + 2 + name.size();
            if (after >= in_.size() || is_space(in_[after]) || in_[after] == '>' || in_[after] == '/') return found;
            at_ = after;
            found = next_end(name);
        }
        return in_.size();
    }

    string_view take_raw_text(const std::string& name) {
        const auto begin = at_;
        const auto end = end_of_raw_text(name);
        const auto content = in_.substr(begin, end - begin);
        at_ = std::min(in_.find('>', end), in_.size() - 1) + 1;
        return content;
    }

    void raw_text(const Tag& tag) {
        const auto content = take_raw_text(tag.name);
        if (tag.name == "script" && skipping_.empty() &&
            same_letters(trim(tag.attribute("type")), "application/ld+json"))
            json_ld_.emplace_back(content);
    }

    void title() {
        const auto content = take_raw_text("title");
        if (!skipping_.empty() || content.size() > largest_attribute) return;
        out_ += "<title>";
        for (std::size_t begin = 0; begin <= content.size();) {
            const auto end = std::min(content.find('<', begin), content.size());
            kept_.write_text(content.substr(begin, end - begin), out_);
            if (end < content.size()) out_ += "&lt;";
            begin = end + 1;
        }
        out_ += "</title>";
    }

    void open(const Tag& tag) {
        const bool listing = tag.name == "listing";
        const string_view name = listing ? "pre" : string_view(tag.name);
        const auto kind = listing ? kind_of(name) : tag.kind;
        close_implied(name, kind);
        if (kind.has(is_void)) return write(tag, name);
        if (kind.has(is_table_part) && open_count("table") == 0) return;
        if (kind.has(is_formatting) && formatting_ >= most_formatting) return;
        if (open_.size() >= deepest_html) return void(++overflow_);
        open_.push_back({std::string(name), kind});
        ++count_[kind.number];
        formatting_ += kind.has(is_formatting);
        write(tag, name);
    }

    void close_implied(string_view name, Kind kind) {
        if (kind.has(ends_paragraph)) close_to([](string_view n) { return n == "p"; }, "p", in_cell);
        if (kind.has(is_heading) && !open_.empty() && open_.back().kind.has(is_heading)) close_top();
        if (name == "li") close_to([](string_view n) { return n == "li"; }, "li", ends_item);
        if (name == "dd" || name == "dt") close_to([](string_view n) { return n == "dd" || n == "dt"; }, {}, ends_item);
        if (name == "a") end_formatting("a", kind);
        if (name == "table") {
            const auto table =
                find([](string_view n) { return n == "table" || n == "td" || n == "th" || n == "caption"; });
            if (table && open_[*table].name == "table") close_down_to(*table);
        }
        if (!kind.has(is_table_part)) return;
        if (name == "td" || name == "th") close_to([](string_view n) { return n == "td" || n == "th"; }, {}, is_table);
        if (name == "tr") close_to([](string_view n) { return n == "tr"; }, "tr", is_table);
        if (name == "tbody" || name == "thead" || name == "tfoot")
            close_to([](string_view n) { return n == "tbody" || n == "thead" || n == "tfoot"; }, {}, is_table);
    }

    [[nodiscard]] std::size_t open_count(string_view name) const { return count_[kind_of(name).number]; }

    static bool names_heading(string_view name) { return kind_of(name).has(is_heading); }
    static bool is_table(string_view name) { return name == "table"; }
    static bool in_cell(string_view name) {
        return name == "table" || name == "td" || name == "th" || name == "caption";
    }
    static bool ends_item(string_view name) {
        return in_cell(name) || name == "ul" || name == "ol" || name == "dl" || name == "menu" ||
               name == "blockquote" || name == "section" || name == "article" || name == "aside" || name == "figure";
    }

    template <typename Wanted>
    std::optional<std::size_t> find(Wanted wanted) const {
        for (std::size_t i = open_.size(); i-- > 0;)
            if (wanted(open_[i].name)) return i;
        return std::nullopt;
    }

    template <typename Wanted, typename Border>
    bool close_to(Wanted wanted, string_view only, Border border) {
        if (!only.empty() && open_count(only) == 0) return false;
        const auto found = find([&](string_view name) { return wanted(name) || border(name); });
        if (!found || !wanted(open_[*found].name)) return false;
        close_down_to(*found);
        return true;
    }

    void close_down_to(std::size_t index) {
        while (open_.size() > index) close_top();
    }

    void close_top() {
        write_end(open_.back().name);
        forget(open_.size() - 1);
    }

    void forget(std::size_t index) {
        --count_[open_[index].kind.number];
        formatting_ -= open_[index].kind.has(is_formatting);
        open_.erase(open_.begin() + static_cast<std::ptrdiff_t>(index));
    }

    // A misnested end (<b><p></b>) is passed on: repairing that is what the tree builder is good at.
    void end_formatting(string_view name, Kind kind) {
        if (count_[kind.number] == 0) return;
        const auto found = find([&](string_view open) { return open == name || in_cell(open); });
        if (!found || open_[*found].name != name) return;
        write_end(name);
        forget(*found);
    }

    void end_element(string_view name, Kind kind) {
        if (kind.has(is_heading)) return void(close_to(names_heading, {}, in_cell));
        if (count_[kind.number] == 0) return;
        const auto wanted = [&](string_view open) { return open == name; };
        if (is_table(name)) return void(close_to(wanted, {}, [](string_view) { return false; }));
        if (kind.has(is_table_part)) return void(close_to(wanted, {}, is_table));
        if (name == "li") return void(close_to(wanted, {}, ends_item));
        close_to(wanted, {}, in_cell);
    }

    void write_end(string_view name) {
        out_ += "</";
        out_ += name;
        out_ += '>';
    }

    void write(const Tag& tag, string_view name) {
        out_ += '<';
        out_ += name;
        if (is_read_by_builder(name, tag.kind))
            for (const auto& [attribute, value] : tag.attributes) append_attribute(attribute, value, out_);
        else
            kept_.write_attributes(tag.attributes, out_);
        out_ += '>';
    }

    // The types of inputs, and whether two formatting elements are the same, are a matter of the tree; and a second
    // <html> or <body> adds what the first has not.
    static bool is_read_by_builder(string_view name, Kind kind) {
        return name == "input" || name == "html" || name == "body" || (name != "a" && kind.has(is_formatting));
    }

    KeptWords kept_;
    string_view in_;
    std::string lower_;
    std::size_t at_ = 0;
    std::string out_;
    std::vector<std::string> json_ld_;
    struct Open {
        std::string name;
        Kind kind;
    };
    std::vector<Open> open_;
    std::vector<std::size_t> count_ =
        std::vector<std::size_t>(kinds_of_elements()); // of open_, by the number of the kind
    std::map<std::string, std::size_t> next_end_;      // where "</name" occurs next
    std::size_t formatting_ = 0;                       // how many of open_
    std::size_t overflow_ = 0;                         // tags dropped for depth and not yet ended
    std::string skipping_;                             // the element being dropped with its content
    std::size_t skipped_depth_ = 0;
};

}

ScannedHtml scan_html(string_view html) { return Scanner(clean_utf8(html)).run(); }

}
