#include "stories/html_kinds.hpp"

#include <array>
#include <unordered_map>

namespace postrider::stories {

namespace {

using std::string_view;

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
constexpr std::array<string_view, 7> raw_texts{"iframe", "noembed", "noframes", "script", "style", "textarea", "xmp"};
constexpr std::array<string_view, 10> skipped{"applet", "audio",  "button", "canvas",   "math",
                                              "object", "select", "svg",    "template", "video"};
constexpr std::array<string_view, 9> ignored{"datalist", "frame",    "frameset", "isindex",  "marquee",
                                             "nextid",   "optgroup", "option",   "plaintext"};

class Kinds {
public:
    Kinds() {
        list(voids, is_void);
        list(formatting, is_formatting);
        list(closes_p, ends_paragraph);
        list(table_parts, is_table_part);
        list(raw_texts, is_raw_text);
        list(skipped, is_skipped);
        list(ignored, is_ignored);
        list(std::array<string_view, 6>{"h1", "h2", "h3", "h4", "h5", "h6"}, is_heading);
    }

    [[nodiscard]] Kind of(string_view name) const {
        const auto known = kinds_.find(name);
        return known == kinds_.end() ? Kind{} : known->second;
    }
    [[nodiscard]] std::size_t size() const { return kinds_.size() + 1; }

private:
    void list(const auto& names, Trait trait) {
        for (const auto name : names) kinds_.try_emplace(name, 0u, kinds_.size() + 1).first->second.traits |= trait;
    }

    std::unordered_map<string_view, Kind> kinds_;
};
const Kinds kinds;

}

Kind kind_of(string_view name) { return kinds.of(name); }

std::size_t kinds_of_elements() { return kinds.size(); }

}
