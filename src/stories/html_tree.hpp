#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// The tree of an HTML document, as a browser would build it from what scan_html leaves. The only door to Gumbo.
//
// In:   any bytes; in time linear in their number, at most 1 MB of markup is read.
// Out:  html > head, body; never null. Depth below 600, so walking it may recurse.

namespace postrider::stories {

struct Node {
    std::string name; // lower case; empty: a piece of text
    std::string text; // entities decoded, valid UTF-8
    std::vector<std::pair<std::string, std::string>> attributes;
    std::vector<Node> children;
    const Node* parent = nullptr; // valid while the HtmlTree lives and nobody moves the children
    int number = 0;               // in document order, from 0

    [[nodiscard]] bool is_text() const { return name.empty(); }
    [[nodiscard]] bool is(std::string_view wanted) const { return name == wanted; }
    [[nodiscard]] std::string_view attribute(std::string_view wanted) const; // empty when absent
    [[nodiscard]] bool has(std::string_view wanted) const;
};

struct HtmlTree {
    std::unique_ptr<Node> root;
    int size = 0;
    std::vector<std::string> json_ld;
};

[[nodiscard]] HtmlTree parse_html(std::string_view html);

// display:none, visibility:hidden, the attribute hidden: a browser would not show it.
[[nodiscard]] bool is_hidden(const Node&);
// Not running text of a page: a new one begins a new line.
[[nodiscard]] bool is_block(const Node&);
// All text below, white space collapsed.
[[nodiscard]] std::string text_of(const Node&);

// The absolute URL of a link or an image, or nothing if it is none that may be followed: http, https, and for links
// mailto. Lazily loaded images are found where scripts would take them from.
[[nodiscard]] std::string link_of(const Node& anchor, std::string_view base_url);
[[nodiscard]] std::string image_of(const Node& image, std::string_view base_url);
[[nodiscard]] std::string safe_url(std::string_view written, std::string_view base_url, bool mail_too);

// As the functions of the same name in html.hpp, of one element of a tree. `skip` names elements, by their number, that
// are left out with all they contain.
[[nodiscard]] std::string safe_html(const Node&, std::string_view base_url, const std::vector<bool>& skip = {});
[[nodiscard]] std::string plain_text(const Node&, const std::vector<bool>& skip = {});

}
