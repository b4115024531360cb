#pragma once

#include "stories/html_tree.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

// What there is in each element of a page, but for what is left out of the article.

namespace postrider::stories {

// Of an element and all below it.
struct Measure {
    std::size_t length = 0; // characters
    std::size_t linked = 0; // of them in links to elsewhere
    std::size_t inner = 0;  // in links into this page
    std::size_t commas = 0;
    std::size_t own = 0; // characters of running text directly in this block
    std::size_t own_commas = 0;
    std::size_t heading = 0; // characters in headings
    std::size_t paragraphs = 0;
    std::size_t images = 0;
    std::size_t items = 0;
    std::size_t inputs = 0;
    bool has_blocks = false;
    int end = 0; // number after the last node below

    [[nodiscard]] double link_density() const {
        return length == 0 ? 0 : static_cast<double>(linked) / static_cast<double>(length);
    }
};

// In:   a tree, which must outlive this.
// Always: takes time linear in the size of the tree.
class MeasuredTree {
public:
    explicit MeasuredTree(const HtmlTree&);

    // What is left out counts for nothing above it. Measures are those of the last measure().
    void leave_out(const Node& node) { out_[at(node)] = true; }
    [[nodiscard]] bool is_out(const Node& node) const { return out_[at(node)]; }
    [[nodiscard]] const std::vector<bool>& left_out() const { return out_; } // by number
    void measure();

    [[nodiscard]] const Node& root() const { return *nodes_.front(); }
    [[nodiscard]] const std::vector<const Node*>& nodes() const { return nodes_; } // by number
    [[nodiscard]] const Measure& of(const Node& node) const { return measures_[at(node)]; }

private:
    static std::size_t at(const Node& node) { return static_cast<std::size_t>(node.number); }
    void list(const Node&);
    enum class Linked { not_at_all, into_this_page, elsewhere };
    void measure(const Node&, Linked);
    static void add(Measure& own, const Node& child, const Measure& below);

    std::vector<const Node*> nodes_;
    std::vector<bool> out_;
    std::vector<Measure> measures_;
};

// The class and the id of an element in lower case, as article_words.hpp wants them.
[[nodiscard]] std::string label_of(const Node&);
[[nodiscard]] bool is_heading(const Node&);

}
