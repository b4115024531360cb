#include "stories/article_measure.hpp"

#include "stories/article_words.hpp"
#include "stories/characters.hpp"

namespace postrider::stories {

MeasuredTree::MeasuredTree(const HtmlTree& tree)
    : nodes_(static_cast<std::size_t>(tree.size)), out_(nodes_.size()), measures_(nodes_.size()) {
    list(*tree.root);
}

void MeasuredTree::list(const Node& node) {
    nodes_[at(node)] = &node;
    for (const auto& child : node.children) list(child);
}

void MeasuredTree::measure() { measure(root(), Linked::not_at_all); }

void MeasuredTree::measure(const Node& node, Linked linked) {
    auto& own = measures_[at(node)];
    own = {};
    own.end = node.number + 1;
    if (node.is_text()) {
        const auto text = collapse(node.text);
        own.length = count_characters(text);
        own.linked = linked == Linked::elsewhere ? own.length : 0;
        own.inner = linked == Linked::into_this_page ? own.length : 0;
        own.commas = count_commas(text);
        own.own = own.length;
        own.own_commas = own.commas;
        return;
    }
    const bool counted = !is_out(node);
    if (node.is("a") && linked != Linked::elsewhere)
        linked = node.attribute("href").starts_with('#') ? Linked::into_this_page : Linked::elsewhere;
    for (const auto& child : node.children) {
        measure(child, linked);
        const auto& below = of(child);
        own.end = below.end;
        if (!counted || is_out(child)) continue;
        add(own, child, below);
    }
}

void MeasuredTree::add(Measure& own, const Node& child, const Measure& below) {
    own.length += below.length;
    own.linked += below.linked;
    own.inner += below.inner;
    own.commas += below.commas;
    own.heading += is_heading(child) ? below.length : below.heading;
    own.paragraphs += below.paragraphs + child.is("p");
    own.images += below.images + child.is("img");
    own.items += below.items + child.is("li");
    own.inputs += below.inputs + child.is("input");
    own.has_blocks |= below.has_blocks || is_block(child);
    if (is_block(child)) return;
    own.own += below.own;
    own.own_commas += below.own_commas;
}

std::string label_of(const Node& node) { return lower(node.attribute("class")) + ' ' + lower(node.attribute("id")); }

bool is_heading(const Node& node) {
    return node.name.size() == 2 && node.name[0] == 'h' && node.name[1] >= '1' && node.name[1] <= '6';
}

}
