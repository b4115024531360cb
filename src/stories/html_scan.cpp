#include "stories/html_scan.hpp"

#include "stories/characters.hpp"

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

template <std::size_t N>
constexpr bool among(const std::array<string_view, N>& sorted, string_view name) {
    return std::ranges::binary_search(sorted, name);
}

constexpr std::array<string_view, 17> voids{"area",  "base",   "br",     "col",    "embed", "hr",
                                            "image", "img",    "input",  "keygen", "link",  "meta",
                                            "param", "source", "spacer", "track",  "wbr"};
constexpr std::array<string_view, 14> formatting{"a",    "b", "big",   "code",   "em",     "font", "i",
                                                 "nobr", "s", "small", "strike", "strong", "tt",   "u"};
constexpr std::array<string_view, 36> closes_p{
    "address", "article", "aside", "blockquote", "center",     "dd",     "details", "dialog", "dir",
    "div",     "dl",      "dt",    "fieldset",   "figcaption", "figure", "footer",  "form",   "h1",
    "h2",      "h3",      "h4",    "h5",         "h6",         "header", "hgroup",  "hr",     "li",
    "main",    "menu",    "nav",   "ol",         "p",          "pre",    "section", "table",  "ul"};
constexpr std::array<string_view, 8> table_parts{"caption", "colgroup", "tbody", "td", "tfoot", "th", "thead", "tr"};
// Their content is text up to the end tag, and none of it is for readers.
constexpr std::array<string_view, 7> raw_texts{"iframe", "noembed", "noframes", "script", "style", "textarea", "xmp"};
// Dropped with everything in them.
constexpr std::array<string_view, 10> skipped{"applet", "audio",  "button", "canvas",   "math",
                                              "object", "select", "svg",    "template", "video"};
// Dropped, their content kept.
constexpr std::array<string_view, 9> ignored{"datalist", "frame",    "frameset", "isindex",  "marquee",
                                             "nextid",   "optgroup", "option",   "plaintext"};
constexpr std::array<string_view, 46> attributes_kept{
    "align",     "alt",      "aria-hidden",   "aria-modal",    "border",   "charset",     "cite",     "class",
    "colspan",   "content",  "data-lazy-src", "data-original", "data-src", "data-srcset", "datetime", "dir",
    "height",    "hidden",   "href",          "http-equiv",    "hreflang", "id",          "itemid",   "itemprop",
    "itemscope", "itemtype", "lang",          "media",         "name",     "property",    "pubdate",  "rel",
    "reversed",  "role",     "rowspan",       "scope",         "span",     "src",         "srcset",   "start",
    "style",     "title",    "type",          "value",         "width",    "xml:lang"};
static_assert(std::ranges::is_sorted(voids) && std::ranges::is_sorted(formatting) && std::ranges::is_sorted(closes_p));
static_assert(std::ranges::is_sorted(table_parts) && std::ranges::is_sorted(raw_texts));
static_assert(std::ranges::is_sorted(skipped) && std::ranges::is_sorted(ignored));

struct Tag {
    bool end = false;
    bool closes_itself = false;
    std::string name;
    std::vector<std::pair<std::string, std::string>> attributes; // values as written, entities and all

    [[nodiscard]] string_view attribute(string_view wanted) const {
        for (const auto& [name, value] : attributes)
            if (name == wanted) return value;
        return {};
    }
};

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_heading(string_view name) { return name.size() == 2 && name[0] == 'h' && name[1] >= '1' && name[1] <= '6'; }

class Scanner {
public:
    explicit Scanner(std::string html) : owned_(std::move(html)), in_(owned_), lower_(lower(in_)) {}

    ScannedHtml run() {
        // Without a doctype the parser falls into quirks mode, where a table does not close a paragraph.
        out_ = "<!DOCTYPE html>";
        while (at_ < in_.size() && out_.size() < largest_markup) {
            const auto open = std::min(in_.find('<', at_), in_.size());
            text(in_.substr(at_, open - at_));
            at_ = open;
            if (at_ < in_.size()) markup();
        }
        while (!open_.empty()) close_top();
        scripts_of_the_rest();
        return {std::move(out_), std::move(json_ld_)};
    }

private:
    // A long page describes itself at its end as often as in its head.
    void scripts_of_the_rest() {
        skipping_.clear();
        while ((at_ = lower_.find("<script", at_)) != std::string::npos) tag(false);
    }

    void text(string_view piece) {
        if (!skipping_.empty()) return;
        auto room = largest_markup - std::min(out_.size(), largest_markup);
        if (piece.size() > room)
            while (room > 0 && (static_cast<unsigned char>(piece[room]) & 0xC0) == 0x80) --room;
        out_ += piece.substr(0, room);
    }

    void markup() {
        const char next = at_ + 1 < in_.size() ? in_[at_ + 1] : ' ';
        if (is_letter(next)) return tag(false);
        if (next == '/' && at_ + 2 < in_.size() && is_letter(in_[at_ + 2])) return tag(true);
        if (in_.substr(at_).starts_with("<!--")) return comment();
        if (next == '!' || next == '?' || next == '/') {
            at_ = std::min(in_.find('>', at_), in_.size() - 1) + 1;
            return;
        }
        text("&lt;");
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
        if (!among(attributes_kept, name) || value.size() > largest_attribute) return;
        if (std::ranges::any_of(tag.attributes, [&](const auto& known) { return known.first == name; })) return;
        tag.attributes.emplace_back(name, value);
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
        if (among(raw_texts, tag.name)) return raw_text(tag);
        if (!skipping_.empty()) {
            if (tag.name == skipping_ && !tag.closes_itself) ++skipped_depth_;
            return;
        }
        if (among(skipped, tag.name)) {
            if (tag.closes_itself && (tag.name == "svg" || tag.name == "math")) return;
            // One that never ends must not swallow the rest of the story.
            if (!ends_later(tag.name)) return;
            skipping_ = tag.name;
            skipped_depth_ = 1;
            return;
        }
        if (among(ignored, tag.name) || tag.name.size() > 40) return;
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
        if (overflow_ > 0 && !among(voids, tag.name) && tag.name != "body" && tag.name != "html") {
            --overflow_;
            return;
        }
        if (among(formatting, tag.name)) return end_formatting(tag.name);
        end_element(tag.name);
    }

    bool ends_later(const std::string& name) {
        auto [known, fresh] = last_end_.try_emplace(name, 0);
        if (fresh) known->second = last_of("</" + name);
        return known->second != std::string::npos && known->second >= at_;
    }

    // As rfind(), which compares at every byte: here only where a tag begins.
    [[nodiscard]] std::size_t last_of(const std::string& tag) const {
        for (auto at = lower_.rfind('<'); at != std::string::npos; at = at > 0 ? lower_.rfind('<', at - 1) : at - 1)
            if (string_view(lower_).substr(at).starts_with(tag)) return at;
        return std::string::npos;
    }

    std::size_t end_of_raw_text(const std::string& name) {
        if (!ends_later(name)) return in_.size();
        const auto end = "</" + name;
        for (auto found = lower_.find(end, at_); found != std::string::npos; found = lower_.find(end, found + 1)) {
            const auto after = found + end.size();
            if (after >= in_.size() || is_space(in_[after]) || in_[after] == '>' || in_[after] == '/') return found;
        }
        return in_.size();
    }

    string_view take_raw_text(const std::string& name) {
        const auto end = end_of_raw_text(name);
        const auto content = in_.substr(at_, end - at_);
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
        for (const char c : content)
            if (c == '<')
                out_ += "&lt;";
            else
                out_ += c;
        out_ += "</title>";
    }

    void open(const Tag& tag) {
        const string_view name = tag.name == "listing" ? "pre" : string_view(tag.name);
        close_implied(name);
        if (among(voids, name)) return write(tag, name);
        const bool formats = among(formatting, name);
        if (among(table_parts, name) && count_["table"] == 0) return;
        if (formats && formatting_ >= most_formatting) return;
        if (open_.size() >= deepest_html) return void(++overflow_);
        open_.emplace_back(name);
        ++count_[open_.back()];
        formatting_ += formats;
        write(tag, name);
    }

    void close_implied(string_view name) {
        if (among(closes_p, name)) close_to([](string_view n) { return n == "p"; }, "p", in_cell);
        if (is_heading(name) && !open_.empty() && is_heading(open_.back())) close_top();
        if (name == "li") close_to([](string_view n) { return n == "li"; }, "li", ends_item);
        if (name == "dd" || name == "dt") close_to([](string_view n) { return n == "dd" || n == "dt"; }, {}, ends_item);
        if (name == "a") end_formatting("a");
        if (name == "table") {
            const auto table =
                find([](string_view n) { return n == "table" || n == "td" || n == "th" || n == "caption"; });
            if (table && open_[*table] == "table") close_down_to(*table);
        }
        if (name == "td" || name == "th") close_to([](string_view n) { return n == "td" || n == "th"; }, {}, is_table);
        if (name == "tr") close_to([](string_view n) { return n == "tr"; }, "tr", is_table);
        if (name == "tbody" || name == "thead" || name == "tfoot")
            close_to([](string_view n) { return n == "tbody" || n == "thead" || n == "tfoot"; }, {}, is_table);
    }

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
            if (wanted(open_[i])) return i;
        return std::nullopt;
    }

    template <typename Wanted, typename Border>
    bool close_to(Wanted wanted, string_view only, Border border) {
        if (!only.empty() && count_[std::string(only)] == 0) return false;
        const auto found = find([&](string_view name) { return wanted(name) || border(name); });
        if (!found || !wanted(open_[*found])) return false;
        close_down_to(*found);
        return true;
    }

    void close_down_to(std::size_t index) {
        while (open_.size() > index) close_top();
    }

    void close_top() {
        out_ += "</" + open_.back() + ">";
        forget(open_.size() - 1);
    }

    void forget(std::size_t index) {
        --count_[open_[index]];
        formatting_ -= among(formatting, open_[index]);
        open_.erase(open_.begin() + static_cast<std::ptrdiff_t>(index));
    }

    // A misnested end (<b><p></b>) is passed on: repairing that is what the tree builder is good at.
    void end_formatting(const std::string& name) {
        if (count_[name] == 0) return;
        const auto found = find([&](string_view open) { return open == name || in_cell(open); });
        if (!found || open_[*found] != name) return;
        out_ += "</" + name + ">";
        forget(*found);
    }

    void end_element(const std::string& name) {
        if (is_heading(name)) return void(close_to(is_heading, {}, in_cell));
        const auto wanted = [&](string_view open) { return open == name; };
        if (is_table(name)) return void(close_to(wanted, name, [](string_view) { return false; }));
        if (among(table_parts, name)) return void(close_to(wanted, name, is_table));
        if (name == "li") return void(close_to(wanted, name, ends_item));
        close_to(wanted, name, in_cell);
    }

    void write(const Tag& tag, string_view name) {
        out_ += '<';
        out_ += name;
        for (const auto& [attribute, value] : tag.attributes) {
            out_ += ' ' + attribute + "=\"";
            for (const char c : value)
                if (c == '"')
                    out_ += "&quot;";
                else
                    out_ += c;
            out_ += '"';
        }
        out_ += '>';
    }

    std::string owned_;
    string_view in_;
    std::string lower_;
    std::size_t at_ = 0;
    std::string out_;
    std::vector<std::string> json_ld_;
    std::vector<std::string> open_;
    std::map<std::string, std::size_t> count_;    // of names in open_
    std::map<std::string, std::size_t> last_end_; // where "</name" occurs last
    std::size_t formatting_ = 0;                  // how many of open_
    std::size_t overflow_ = 0;                    // tags dropped for depth and not yet ended
    std::string skipping_;                        // the element being dropped with its content
    std::size_t skipped_depth_ = 0;
};

}

ScannedHtml scan_html(string_view html) { return Scanner(clean_utf8(html)).run(); }

}
