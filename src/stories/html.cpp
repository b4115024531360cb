#include "stories/html.hpp"

#include "stories/characters.hpp"
#include "stories/html_tree.hpp"

#include <algorithm>
#include <array>
#include <optional>

namespace postrider::stories {

namespace {

using std::string_view;

// What stays, under which name. Elements whose meaning mail clients do not know become the nearest they do.
constexpr std::array<std::pair<string_view, string_view>, 76> allowed{{
    {"a", "a"},
    {"abbr", "abbr"},
    {"acronym", "abbr"},
    {"address", "div"},
    {"article", "div"},
    {"aside", "div"},
    {"b", "b"},
    {"bdi", "bdi"},
    {"bdo", "bdo"},
    {"big", "span"},
    {"blockquote", "blockquote"},
    {"br", "br"},
    {"caption", "caption"},
    {"center", "div"},
    {"cite", "cite"},
    {"code", "code"},
    {"col", "col"},
    {"colgroup", "colgroup"},
    {"dd", "dd"},
    {"del", "del"},
    {"details", "div"},
    {"dfn", "dfn"},
    {"dir", "ul"},
    {"div", "div"},
    {"dl", "dl"},
    {"dt", "dt"},
    {"em", "em"},
    {"figcaption", "figcaption"},
    {"figure", "figure"},
    {"footer", "div"},
    {"h1", "h1"},
    {"h2", "h2"},
    {"h3", "h3"},
    {"h4", "h4"},
    {"h5", "h5"},
    {"h6", "h6"},
    {"header", "div"},
    {"hr", "hr"},
    {"i", "i"},
    {"img", "img"},
    {"ins", "ins"},
    {"kbd", "kbd"},
    {"li", "li"},
    {"main", "div"},
    {"mark", "mark"},
    {"menu", "ul"},
    {"ol", "ol"},
    {"p", "p"},
    {"pre", "pre"},
    {"q", "q"},
    {"rp", "rp"},
    {"rt", "rt"},
    {"ruby", "ruby"},
    {"s", "s"},
    {"samp", "samp"},
    {"section", "div"},
    {"small", "small"},
    {"strike", "s"},
    {"strong", "strong"},
    {"sub", "sub"},
    {"summary", "p"},
    {"sup", "sup"},
    {"table", "table"},
    {"tbody", "tbody"},
    {"td", "td"},
    {"tfoot", "tfoot"},
    {"th", "th"},
    {"thead", "thead"},
    {"time", "time"},
    {"tr", "tr"},
    {"tt", "code"},
    {"u", "u"},
    {"ul", "ul"},
    {"var", "var"},
    {"wbr", "wbr"},
    {"xmp", "pre"},
}};
static_assert(std::ranges::is_sorted(allowed, {}, &std::pair<string_view, string_view>::first));

// Nothing in them is for readers; of every other unknown element the content stays.
bool is_dropped(string_view name) {
    constexpr std::array<string_view, 18> dropped{"button", "embed",  "head",  "iframe", "input",    "keygen",
                                                  "link",   "math",   "meta",  "object", "optgroup", "option",
                                                  "script", "select", "style", "svg",    "textarea", "title"};
    static_assert(std::ranges::is_sorted(dropped));
    return std::ranges::binary_search(dropped, name);
}

string_view allowed_name(string_view name) {
    const auto found = std::ranges::lower_bound(allowed, name, {}, &std::pair<string_view, string_view>::first);
    return found != allowed.end() && found->first == name ? found->second : string_view{};
}

std::optional<int> small_number(string_view text) {
    text = trim(text);
    if (text.ends_with("px")) text.remove_suffix(2);
    if (text.empty() || text.size() > 5 || !std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; }))
        return std::nullopt;
    return std::stoi(std::string(text));
}

// Images nobody can see are there to be counted. Their size may stand in the attributes or in the style.
bool is_tracking_pixel(const Node& image) {
    const auto width = small_number(image.attribute("width")), height = small_number(image.attribute("height"));
    if ((width && *width <= 1) || (height && *height <= 1) || (width && height && *width <= 2 && *height <= 2))
        return true;
    auto style = ';' + lower(image.attribute("style")) + ';';
    std::erase_if(style, is_space);
    return contains_any(style,
                        {";width:1px;", ";height:1px;", ";width:0;", ";height:0;", ";width:0px;", ";height:0px;"});
}

class Writer {
public:
    Writer(string_view base_url, const std::vector<bool>& skip) : base_url_(base_url), skip_(skip) {}

    void write(const Node& node) {
        if (node.is_text()) return append_escaped(out_, node.text);
        if (is_dropped(node.name) || is_hidden(node)) return;
        if (!skip_.empty() && skip_[static_cast<std::size_t>(node.number)]) return;
        const auto name = allowed_name(node.name);
        if (name == "img") return image(node);
        if (name == "a") return link(node);
        if (name.empty()) return content(node);
        open(name, node);
        if (name == "br" || name == "hr" || name == "wbr" || name == "col") return;
        content(node);
        close(name);
    }

    void content(const Node& node) {
        for (const auto& child : node.children) write(child);
    }

    std::string take() { return std::move(out_); }

private:
    void attribute(string_view name, string_view value) {
        out_ += ' ';
        out_ += name;
        out_ += "=\"";
        append_escaped(out_, value);
        out_ += '"';
    }

    void numbers(const Node& node, std::initializer_list<string_view> names) {
        for (const auto name : names)
            if (const auto number = small_number(node.attribute(name))) attribute(name, std::to_string(*number));
    }

    void common_attributes(const Node& node) {
        if (const auto title = node.attribute("title"); !title.empty()) attribute("title", title);
        if (const auto language = node.attribute("lang"); is_language(language)) attribute("lang", language);
        if (const auto direction = lower(node.attribute("dir"));
            direction == "ltr" || direction == "rtl" || direction == "auto")
            attribute("dir", direction);
    }

    static bool is_language(string_view tag) {
        return !tag.empty() && tag.size() <= 35 && std::ranges::all_of(tag, [](char c) {
            return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
        });
    }

    void open(string_view name, const Node& node) {
        out_ += '<';
        out_ += name;
        common_attributes(node);
        if (name == "td" || name == "th") numbers(node, {"colspan", "rowspan"});
        if (name == "ol") numbers(node, {"start"});
        if (name == "li") numbers(node, {"value"});
        if (name == "col" || name == "colgroup") numbers(node, {"span"});
        if (name == "time" && node.has("datetime")) attribute("datetime", node.attribute("datetime"));
        if (name == "blockquote" || name == "q")
            if (const auto url = safe_url(node.attribute("cite"), base_url_, false); !url.empty())
                attribute("cite", url);
        out_ += '>';
    }

    void close(string_view name) {
        out_ += "</";
        out_ += name;
        out_ += '>';
    }

    void link(const Node& node) {
        const auto url = link_of(node, base_url_);
        if (url.empty()) return content(node);
        out_ += "<a";
        attribute("href", url);
        common_attributes(node);
        out_ += '>';
        content(node);
        out_ += "</a>";
    }

    void image(const Node& node) {
        const auto url = image_of(node, base_url_);
        if (url.empty() || is_tracking_pixel(node)) return;
        out_ += "<img";
        attribute("src", url);
        attribute("alt", node.attribute("alt"));
        common_attributes(node);
        numbers(node, {"width", "height"});
        out_ += '>';
    }

    string_view base_url_;
    const std::vector<bool>& skip_;
    std::string out_;
};

}

std::string safe_html(string_view html, string_view base_url) {
    const auto tree = parse_html(html);
    return safe_html(*tree.root, base_url);
}

std::string safe_html(const Node& node, string_view base_url, const std::vector<bool>& skip) {
    Writer writer(base_url, skip);
    writer.write(node);
    const auto out = writer.take();
    return std::string(trim(out));
}

}
