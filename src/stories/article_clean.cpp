#include "stories/article_clean.hpp"

#include "stories/article_words.hpp"
#include "stories/characters.hpp"

#include <algorithm>
#include <ranges>

namespace postrider::stories {

namespace {

using std::string_view;

constexpr std::size_t longest_caption = 400; // characters
constexpr std::size_t longest_consent = 700;
constexpr std::size_t longest_pager = 300;
constexpr std::size_t whole_article = 2000;
constexpr std::size_t most_end_matter = 20; // blocks

bool is_section(const Node& node) {
    return node.is("form") || node.is("fieldset") || node.is("table") || node.is("ul") || node.is("div") ||
           node.is("section");
}

bool is_article(const Node& node) { return node.is("article") || node.attribute("role") == "article"; }

bool is_blank(const Node& node) { return node.is_text() && trim(node.text).empty(); }

}

double class_weight(const Node& node, const Strictness& strictness) {
    if (!strictness.classes_weighed) return 0;
    double weight = 0;
    for (const auto* key : {"class", "id"}) {
        const auto label = lower(node.attribute(key));
        if (label.empty()) continue;
        if (sounds_bad(label)) weight -= 25;
        if (sounds_good(label)) weight += 25;
    }
    return weight;
}

void Cleaner::clean(const std::vector<const Node*>& parts) {
    teasers_are_rest_ = is_more_than_teasers(parts);
    for (const auto* part : parts) clean(*part);
    for (std::size_t i = 0; i < most_end_matter; ++i) {
        const Node* last = nullptr;
        for (auto part = parts.rbegin(); part != parts.rend() && !last; ++part)
            if (!tree_.is_out(**part)) last = last_block(**part);
        if (!last || std::ranges::find(parts, last) != parts.end() || !is_end_matter(*last)) return;
        tree_.leave_out(*last);
    }
}

void Cleaner::clean(const Node& node) {
    if (node.is_text() || tree_.is_out(node)) return;
    if (is_rest(node))
        tree_.leave_out(node);
    else
        clean_children(node);
}

// A heading that announces what others have written takes with it what stands below it, if that is short or linked.
void Cleaner::clean_children(const Node& node) {
    const Node* announced = nullptr;
    for (const auto& child : node.children) {
        if (is_blank(child) || tree_.is_out(child)) continue;
        if (is_heading(child)) announced = strict_.cleaned && names_rest(text_of(child)) ? &child : nullptr;
        const auto& here = tree_.of(child);
        const bool remark = here.length < 300 || here.link_density() > 0.3;
        if (announced && !child.is_text() && (&child == announced || (remark && !child.is("p"))))
            tree_.leave_out(child);
        else
            clean(child);
    }
}

bool Cleaner::is_rest(const Node& node) {
    if (node.is("footer")) return true;
    const auto label = label_of(node);
    if (tree_.of(node).length < short_text && is_share_bar(label)) return true;
    if (node.is("h1") || node.is("h2")) {
        if (!heading_met_ && says_the_same(title_, text_of(node))) return heading_met_ = true;
        return class_weight(node, strict_) < 0;
    }
    if (!strict_.cleaned) return false;
    if (teasers_are_rest_ && is_teaser(node)) return true;
    if (is_jump(node) || is_pager(node)) return true;
    return is_section(node) && (is_consent(node) || is_clutter(node));
}

bool Cleaner::is_clutter(const Node& node) {
    const auto& here = tree_.of(node);
    if (node.is("table") && is_data_table(node)) return false;
    for (const Node* up = node.parent; up; up = up->parent)
        if (up->is("code") || (up->is("table") && is_data_table(*up))) return false;
    const double weight = class_weight(node, strict_);
    if (weight < 0) return true;
    const double density = here.link_density();
    if (here.commas >= 10) return density > 0.6;
    const bool is_list = node.is("ul") || node.is("ol") || list_share(node) > 0.9;
    const double heading_share =
        here.length == 0 ? 0 : static_cast<double>(here.heading) / static_cast<double>(here.length);
    const bool in_figure = node.parent && node.parent->is("figure");
    if (is_list && here.images == here.items && here.images > 0) return false; // a gallery
    if (here.images > 1 && here.paragraphs * 2 < here.images && !in_figure) return true;
    if (!is_list && here.items > here.paragraphs + 100) return true;
    if (here.inputs > here.paragraphs / 3) return true;
    if (!is_list && heading_share < 0.9 && here.length < 25 && (here.images == 0 || here.images > 2) && density > 0)
        return true;
    if (!is_list && weight < 25 && density > 0.2) return true;
    return weight >= 25 && density > 0.5;
}

// No more than links into this page: "Jump to recipe".
bool Cleaner::is_jump(const Node& node) const {
    const auto& here = tree_.of(node);
    return is_block(node) && here.length > 0 && here.length < 80 && here.inner > 0 && here.images == 0 &&
           here.inner + here.linked == here.length;
}

// Another article, announced inside this one: its headline leads to it.
bool Cleaner::is_teaser(const Node& node) const {
    if (!is_article(node)) return false;
    const auto& here = tree_.of(node);
    for (int i = node.number + 1; i < here.end; ++i) {
        const auto& below = *tree_.nodes()[static_cast<std::size_t>(i)];
        if (!is_heading(below)) continue;
        const auto& heading = tree_.of(below);
        return heading.length > 0 && heading.linked == heading.length && !says_the_same(title_, text_of(below));
    }
    return false;
}

// Of a front page they are the story.
bool Cleaner::is_more_than_teasers(const std::vector<const Node*>& parts) const {
    std::size_t all = 0;
    std::size_t teasers = 0;
    for (const auto* part : parts) {
        all += tree_.of(*part).length;
        for (int i = part->number; i < tree_.of(*part).end; ++i) {
            const auto& node = *tree_.nodes()[static_cast<std::size_t>(i)];
            if (node.is_text() || tree_.is_out(node) || !is_teaser(node)) continue;
            teasers += tree_.of(node).length;
            i = tree_.of(node).end - 1;
        }
    }
    return teasers * 2 < all || all - teasers > whole_article;
}

// The way to the article before and the one after.
bool Cleaner::is_pager(const Node& node) const {
    const auto& here = tree_.of(node);
    if (!is_block(node) || here.length == 0 || here.length > longest_pager || here.link_density() < 0.3) return false;
    for (int i = node.number + 1; i < here.end; ++i) {
        const auto relation = tree_.nodes()[static_cast<std::size_t>(i)]->attribute("rel");
        if (relation == "prev" || relation == "next") return true;
    }
    return false;
}

bool Cleaner::is_consent(const Node& node) const {
    const auto& here = tree_.of(node);
    if (here.length == 0 || here.length > longest_consent || here.images > 1) return false;
    const bool named = contains_any(label_of(node), {"consent", "cookie", "privacy", "placeholder", "third-party",
                                                     "thirdparty", "embed", "gdpr", "opt-in", "optin", "external"});
    return named && asks_for_consent(text_of(node));
}

double Cleaner::list_share(const Node& node) const {
    const auto& here = tree_.of(node);
    if (here.length == 0) return 0;
    std::size_t listed = 0;
    for (int i = node.number + 1; i < here.end; ++i) {
        const auto& below = *tree_.nodes()[static_cast<std::size_t>(i)];
        if (!below.is("ul") && !below.is("ol")) continue;
        listed += tree_.of(below).length;
        i = tree_.of(below).end - 1;
    }
    return static_cast<double>(listed) / static_cast<double>(here.length);
}

bool Cleaner::is_data_table(const Node& table) {
    const auto [known, fresh] = data_tables_.try_emplace(table.number, false);
    if (!fresh) return known->second;
    if (table.attribute("role") == "presentation") return false;
    std::size_t rows = 0;
    std::size_t cells = 0;
    for (int i = table.number + 1; i < tree_.of(table).end; ++i) {
        const auto& name = tree_.nodes()[static_cast<std::size_t>(i)]->name;
        if (name == "table") return false;
        if (name == "caption" || name == "thead" || name == "tfoot" || name == "th" || name == "col")
            return known->second = true;
        rows += name == "tr";
        cells += name == "td";
    }
    const std::size_t columns = rows == 0 ? 0 : cells / rows;
    return known->second = rows > 1 && columns > 1 && (rows >= 10 || columns > 4 || cells > 10);
}

// The block that holds the last words; null if there are none, or if blocks and words are mixed there.
const Node* Cleaner::last_block(const Node& node) const {
    for (const auto& child : std::views::reverse(node.children)) {
        if (tree_.is_out(child) || is_blank(child)) continue;
        if (child.is_text()) return &node;
        if (const auto* found = last_block(child)) return is_block(*found) ? found : &node;
    }
    return nullptr;
}

bool Cleaner::is_end_matter(const Node& block) const {
    if (!strict_.cleaned || tree_.of(block).has_blocks) return false;
    if (is_heading(block)) return true;
    if (!block.is("p") && !block.is("div")) return false;
    const auto text = text_of(block);
    const auto words = count_words(text);
    return (words <= 16 && calls_to_act(text)) || names_rest(text);
}

bool Cleaner::is_caption(const Node& node) const {
    if (node.is("figcaption")) return true;
    const auto& here = tree_.of(node);
    if (here.length == 0 || here.length > longest_caption || node.is("caption")) return false;
    if (here.paragraphs <= 1 && sounds_like_caption(label_of(node))) return true;
    return is_block(node) && !here.has_blocks && !is_heading(node) && !node.is("li") &&
           is_picture_credit(text_of(node));
}

void Cleaner::mark_captions(const Node& node, std::vector<bool>& marked) const {
    if (node.is_text() || tree_.is_out(node)) return;
    if (is_caption(node)) {
        marked[static_cast<std::size_t>(node.number)] = true;
        return;
    }
    for (const auto& child : node.children) mark_captions(child, marked);
}

std::vector<bool> Cleaner::no_running_text(const std::vector<const Node*>& parts) const {
    auto marked = tree_.left_out();
    for (const auto* part : parts)
        for (const auto& child : part->children) mark_captions(child, marked);
    return marked;
}

}
