#include "stories/html_tree.hpp"

#include "stories/characters.hpp"
#include "stories/html_scan.hpp"
#include "stories/url.hpp"

#include <gumbo.h>

#include <algorithm>
#include <array>
#include <memory_resource>

namespace postrider::stories {

namespace {

std::string name_of(const GumboElement& element) {
    if (element.tag != GUMBO_TAG_UNKNOWN) return gumbo_normalized_tagname(element.tag);
    GumboStringPiece piece = element.original_tag;
    gumbo_tag_from_original_text(&piece);
    return lower({piece.data, piece.length});
}

void copy_attributes(const GumboElement& from, const KeptWords& kept, Node& node) {
    for (unsigned i = 0; i < from.attributes.length; ++i) {
        const auto& attribute = *static_cast<const GumboAttribute*>(from.attributes.data[i]);
        if (KeptWords::is_place(attribute.name))
            for (const auto& [name, value] : kept.attributes_at(attribute.value))
                node.attributes.emplace_back(name, value);
        else
            node.attributes.emplace_back(attribute.name, clean_utf8(attribute.value));
    }
}

Node copy(const GumboNode& from, KeptWords& kept) {
    Node node;
    if (from.type != GUMBO_NODE_ELEMENT) {
        node.text = kept.filled(from.v.text.text);
        return node;
    }
    const auto& element = from.v.element;
    node.name = name_of(element);
    copy_attributes(element, kept, node);
    node.children.reserve(element.children.length);
    for (unsigned i = 0; i < element.children.length; ++i) {
        const auto& child = *static_cast<const GumboNode*>(element.children.data[i]);
        if (child.type == GUMBO_NODE_COMMENT || child.type == GUMBO_NODE_CDATA) continue;
        node.children.push_back(copy(child, kept));
    }
    return node;
}

int number(Node& node, int next) {
    node.number = next++;
    for (auto& child : node.children) {
        child.parent = &node;
        next = number(child, next);
    }
    return next;
}

constexpr std::array<std::string_view, 44> blocks{
    "address", "article", "aside", "blockquote", "body",  "caption",  "center",     "dd",     "details",
    "dialog",  "dir",     "div",   "dl",         "dt",    "fieldset", "figcaption", "figure", "footer",
    "form",    "h1",      "h2",    "h3",         "h4",    "h5",       "h6",         "header", "hgroup",
    "hr",      "li",      "main",  "menu",       "nav",   "ol",       "p",          "pre",    "section",
    "summary", "table",   "tbody", "td",         "tfoot", "th",       "tr",         "ul"};
static_assert(std::ranges::is_sorted(blocks));

void append_text(const Node& node, std::string& out) {
    if (node.is_text()) out += node.text;
    const bool apart = is_block(node) || node.is("br");
    if (apart) out += ' ';
    for (const auto& child : node.children) append_text(child, out);
    if (apart) out += ' ';
}

std::string first_of_srcset(std::string_view set) {
    set = trim(set);
    auto first = set.substr(0, set.find_first_of(" \t\n\r"));
    while (first.ends_with(',')) first.remove_suffix(1);
    return std::string(first);
}

}

std::string_view Node::attribute(std::string_view wanted) const {
    for (const auto& [key, value] : attributes)
        if (key == wanted) return value;
    return {};
}

bool Node::has(std::string_view wanted) const {
    return std::ranges::any_of(attributes, [&](const auto& known) { return known.first == wanted; });
}

HtmlTree parse_html(std::string_view html) {
    auto scanned = scan_html(html);
    // All of it goes at once, so nothing of it needs to be given back alone.
    std::pmr::monotonic_buffer_resource memory(scanned.markup.size() * 4 + 4096);
    GumboOptions options = kGumboDefaultOptions;
    options.max_errors = 0;
    options.userdata = &memory;
    options.allocator = [](void* from, std::size_t size) {
        return static_cast<std::pmr::memory_resource*>(from)->allocate(size);
    };
    options.deallocator = [](void*, void*) {};
    const auto* output = gumbo_parse_with_options(&options, scanned.markup.data(), scanned.markup.size());
    HtmlTree tree;
    tree.json_ld = std::move(scanned.json_ld);
    tree.root = std::make_unique<Node>(copy(*output->root, scanned.kept));
    tree.size = number(*tree.root, 0);
    return tree;
}

bool is_hidden(const Node& node) {
    if (node.has("hidden")) return true;
    const auto style = node.attribute("style");
    if (style.empty()) return false;
    auto plain = lower(style);
    std::erase_if(plain, is_space);
    return contains_any(plain, {"display:none", "visibility:hidden"});
}

bool is_block(const Node& node) { return std::ranges::binary_search(blocks, std::string_view(node.name)); }

std::string text_of(const Node& node) {
    std::string out;
    append_text(node, out);
    return collapse(out);
}

std::string safe_url(std::string_view written, std::string_view base_url, bool mail_too) {
    // Browsers drop tabs and line ends inside a URL, so "java\nscript:" is one of theirs; ours must see the same.
    std::string plain(trim(written));
    std::erase_if(plain, [](char c) { return c == '\t' || c == '\n' || c == '\r'; });
    if (plain.empty()) return {};
    const auto scheme = lower(plain.substr(0, plain.find_first_of(":/?#")));
    const bool mail = plain.size() > scheme.size() && plain[scheme.size()] == ':' && scheme == "mailto";
    auto url = mail ? plain : resolve(base_url, plain);
    const auto start = lower(std::string_view(url).substr(0, 8));
    if (!start.starts_with("http://") && !start.starts_with("https://") && !(mail && mail_too)) return {};
    const bool broken =
        std::ranges::any_of(url, [](char c) { return static_cast<unsigned char>(c) <= ' ' || c == '\x7F'; });
    if (!broken) return url;
    std::string encoded;
    for (const char c : url)
        if (c == ' ')
            encoded += "%20";
        else if (static_cast<unsigned char>(c) > ' ' && c != '\x7F')
            encoded += c;
    return encoded;
}

std::string link_of(const Node& anchor, std::string_view base_url) {
    return safe_url(anchor.attribute("href"), base_url, true);
}

std::string image_of(const Node& image, std::string_view base_url) {
    for (const auto* lazy : {"data-src", "data-lazy-src", "data-original"})
        if (auto url = safe_url(image.attribute(lazy), base_url, false); !url.empty()) return url;
    if (auto url = safe_url(image.attribute("src"), base_url, false); !url.empty()) return url;
    for (const auto* set : {"data-srcset", "srcset"})
        if (auto url = safe_url(first_of_srcset(image.attribute(set)), base_url, false); !url.empty()) return url;
    return {};
}

}
