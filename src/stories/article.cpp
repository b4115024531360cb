#include "stories/article.hpp"

#include "stories/article_words.hpp"
#include "stories/characters.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

namespace postrider::stories {

namespace {

using std::string_view;

constexpr std::size_t short_text = 500; // characters; below, the strict reading has probably thrown the article away
constexpr std::size_t candidates_compared = 5;

struct Strictness {
    bool unlikely_dropped = true;
    bool classes_weighed = true;
    bool cleaned = true;
};

// What is known of an element and all below it, but for what is left out.
struct Measure {
    std::size_t length = 0; // characters
    std::size_t linked = 0; // of them in links
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

class Finder {
public:
    Finder(const Node& root, int size, string_view title, string_view base_url, Strictness strictness)
        : root_(root), title_(title), base_url_(base_url), strict_(strictness), nodes_(size), out_(size),
          measures_(size), scores_(size), scored_(size) {
        list(root);
    }

    Article find() {
        leave_out(root_, false);
        measure(root_, false);
        score();
        const Node& top = climb(best());
        auto parts = with_siblings(top);
        for (const auto* part : parts) clean(*part);
        return collect(parts);
    }

private:
    static std::size_t at(const Node& node) { return static_cast<std::size_t>(node.number); }
    Measure& of(const Node& node) { return measures_[at(node)]; }

    void list(const Node& node) {
        nodes_[at(node)] = &node;
        for (const auto& child : node.children) list(child);
    }

    static std::string label_of(const Node& node) {
        return lower(node.attribute("class")) + ' ' + lower(node.attribute("id"));
    }

    void leave_out(const Node& node, bool protected_place) {
        if (node.is_text()) return;
        if (is_never_text(node.name) || is_hidden(node) || is_unlikely(node, protected_place) || is_byline(node)) {
            out_[at(node)] = true;
            return;
        }
        protected_place |= node.is("table") || node.is("code");
        for (const auto& child : node.children) leave_out(child, protected_place);
    }

    bool is_unlikely(const Node& node, bool protected_place) const {
        if (node.attribute("aria-modal") == "true" || is_surrounding_role(node.attribute("role"))) return true;
        if (!strict_.unlikely_dropped || protected_place) return false;
        if (node.is("body") || node.is("html") || node.is("a") || node.is("article")) return false;
        const auto label = label_of(node);
        return sounds_unlikely(label) && !may_be_article(label);
    }

    bool is_byline(const Node& node) {
        const bool marked = node.attribute("rel") == "author" || node.attribute("itemprop").contains("author") ||
                            sounds_like_byline(label_of(node));
        if (!marked || !byline_.empty() || node.is("body") || node.is("html")) return false;
        std::size_t room = 800;
        if (!fits(node, room)) return false;
        auto text = text_of(node);
        if (text.empty() || count_characters(text) >= 100) return false;
        byline_ = std::move(text);
        return true;
    }

    // Looks at no more than `room` bytes and nodes, so that asking at each level of a deep page stays cheap.
    static bool fits(const Node& node, std::size_t& room) {
        const auto cost = node.text.size() + 1;
        if (cost > room) return false;
        room -= cost;
        return std::ranges::all_of(node.children, [&](const Node& child) { return fits(child, room); });
    }

    void measure(const Node& node, bool linked) {
        auto& own = of(node);
        own.end = node.number + 1;
        if (node.is_text()) {
            const auto text = collapse(node.text);
            own.length = count_characters(text);
            own.linked = linked ? own.length : 0;
            own.commas = count_commas(text);
            own.own = own.length;
            own.own_commas = own.commas;
            return;
        }
        const bool counted = !out_[at(node)];
        linked |= node.is("a") && !node.attribute("href").starts_with('#');
        for (const auto& child : node.children) {
            measure(child, linked);
            const auto& below = of(child);
            own.end = below.end;
            if (!counted || out_[at(child)]) continue;
            add(own, child, below);
        }
    }

    static void add(Measure& own, const Node& child, const Measure& below) {
        own.length += below.length;
        own.linked += below.linked;
        own.commas += below.commas;
        const bool heading = child.name.size() == 2 && child.name[0] == 'h' && child.name[1] <= '6';
        own.heading += heading ? below.length : below.heading;
        own.paragraphs += below.paragraphs + child.is("p");
        own.images += below.images + child.is("img");
        own.items += below.items + child.is("li");
        own.inputs += below.inputs + child.is("input");
        own.has_blocks |= below.has_blocks || is_block(child);
        if (is_block(child)) return;
        own.own += below.own;
        own.own_commas += below.own_commas;
    }

    double class_weight(const Node& node) const {
        if (!strict_.classes_weighed) return 0;
        double weight = 0;
        for (const auto* key : {"class", "id"}) {
            const auto label = lower(node.attribute(key));
            if (label.empty()) continue;
            if (sounds_bad(label)) weight -= 25;
            if (sounds_good(label)) weight += 25;
        }
        return weight;
    }

    void score() {
        for (int i = 0; i < static_cast<int>(nodes_.size()); ++i) {
            const auto& node = *nodes_[static_cast<std::size_t>(i)];
            if (node.is_text()) continue;
            if (out_[at(node)]) {
                i = of(node).end - 1;
                continue;
            }
            const auto& here = of(node);
            if (is_scored(node.name) || (node.is("div") && !here.has_blocks))
                credit(node.parent, here.length, here.commas);
            else if (here.has_blocks && is_block(node))
                credit(&node, here.own, here.own_commas);
        }
        for (const auto* node : nodes_)
            if (scored_[at(*node)]) scores_[at(*node)] *= 1 - of(*node).link_density();
    }

    // A paragraph speaks for its parent, half as much for the grandparent, less and less further up.
    void credit(const Node* parent, std::size_t length, std::size_t commas) {
        if (length < 25) return;
        const double points =
            2 + static_cast<double>(commas) + std::min(std::floor(static_cast<double>(length) / 100), 3.0);
        int level = 0;
        for (const Node* node = parent; node && node->parent && level < 5; node = node->parent, ++level) {
            if (!scored_[at(*node)]) {
                scored_[at(*node)] = true;
                scores_[at(*node)] = base_score(node->name) + class_weight(*node);
            }
            scores_[at(*node)] += points / (level == 0 ? 1 : level == 1 ? 2 : level * 3);
        }
    }

    const Node& body() const {
        for (const auto& child : root_.children)
            if (child.is("body")) return child;
        return root_;
    }

    const Node& best() {
        std::vector<const Node*> ranking;
        for (const auto* node : nodes_)
            if (scored_[at(*node)] && !node->is("html")) ranking.push_back(node);
        std::ranges::sort(ranking, [&](auto* a, auto* b) {
            return std::pair(-scores_[at(*a)], a->number) < std::pair(-scores_[at(*b)], b->number);
        });
        if (ranking.size() > candidates_compared) ranking.resize(candidates_compared);
        if (ranking.empty() || ranking.front()->is("body")) return body();
        return shared_ancestor(ranking);
    }

    // Several candidates that are nearly as good, under one roof: the article is the house.
    const Node& shared_ancestor(const std::vector<const Node*>& ranking) {
        const Node& top = *ranking.front();
        std::vector<const Node*> rivals;
        for (const auto* node : ranking)
            if (node != &top && scores_[at(*node)] >= scores_[at(top)] * 0.75) rivals.push_back(node);
        if (rivals.size() < 3) return top;
        for (const Node* roof = top.parent; roof && !roof->is("body"); roof = roof->parent) {
            const auto below = std::ranges::count_if(
                rivals, [&](auto* node) { return node->number > roof->number && node->number < of(*roof).end; });
            if (below >= 3) return *roof;
        }
        return top;
    }

    const Node& climb(const Node& from) {
        const Node* top = &from;
        double last = scores_[at(*top)];
        const double threshold = last / 3;
        for (const Node* node = top->parent; node && node->parent && !node->is("body"); node = node->parent) {
            if (!scored_[at(*node)]) continue;
            const double score = scores_[at(*node)];
            if (score < threshold) break;
            if (score > last) {
                top = node;
                break;
            }
            last = score;
        }
        while (top->parent && !top->parent->is("body") && !top->parent->is("html") && elements_in(*top->parent) == 1)
            top = top->parent;
        return *top;
    }

    static std::ptrdiff_t elements_in(const Node& node) {
        return std::ranges::count_if(node.children, [](const Node& child) { return !child.is_text(); });
    }

    std::vector<const Node*> with_siblings(const Node& top) {
        if (!top.parent || top.is("body") || top.is("html")) return {&top};
        const double threshold = std::max(10.0, scores_[at(top)] * 0.2);
        const auto label = top.attribute("class");
        std::vector<const Node*> parts;
        for (const auto& sibling : top.parent->children) {
            if (&sibling == &top) parts.push_back(&sibling);
            if (&sibling == &top || sibling.is_text() || out_[at(sibling)]) continue;
            const double bonus = !label.empty() && sibling.attribute("class") == label ? scores_[at(top)] * 0.2 : 0;
            const bool good = scored_[at(sibling)] && scores_[at(sibling)] + bonus >= threshold;
            if (good || is_lone_paragraph(sibling)) parts.push_back(&sibling);
        }
        return parts;
    }

    bool is_lone_paragraph(const Node& node) {
        if (!node.is("p")) return false;
        const auto& here = of(node);
        if (here.length > 80) return here.link_density() < 0.25;
        if (here.length == 0 || here.linked > 0) return false;
        const auto text = text_of(node);
        return text.ends_with('.') || text.contains(". ");
    }

    // Inside the article: share bars, related links, forms, the repeated headline.
    void clean(const Node& node) {
        if (node.is_text() || out_[at(node)]) return;
        if (is_rest(node)) {
            out_[at(node)] = true;
            return;
        }
        for (const auto& child : node.children) clean(child);
    }

    bool is_rest(const Node& node) {
        const auto& here = of(node);
        if (node.is("footer")) return true;
        const auto label = label_of(node);
        if (here.length < short_text && is_share_bar(label)) return true;
        if (node.is("h1") || node.is("h2")) {
            if (!heading_met_ && says_the_same(title_, text_of(node))) return heading_met_ = true;
            return class_weight(node) < 0;
        }
        if (!strict_.cleaned) return false;
        if (node.is("form") || node.is("fieldset") || node.is("table") || node.is("ul") || node.is("div") ||
            node.is("section"))
            return is_clutter(node, here);
        return false;
    }

    bool is_clutter(const Node& node, const Measure& here) {
        if (node.is("table") && is_data_table(node)) return false;
        for (const Node* up = node.parent; up; up = up->parent)
            if (up->is("code") || (up->is("table") && is_data_table(*up))) return false;
        const double weight = class_weight(node);
        if (weight < 0) return true;
        if (here.commas >= 10) return false;
        const bool is_list = node.is("ul") || node.is("ol") || list_share(node) > 0.9;
        const double density = here.link_density();
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

    double list_share(const Node& node) {
        const auto& here = of(node);
        if (here.length == 0) return 0;
        std::size_t listed = 0;
        for (int i = node.number + 1; i < here.end; ++i) {
            const auto& below = *nodes_[static_cast<std::size_t>(i)];
            if (!below.is("ul") && !below.is("ol")) continue;
            listed += of(below).length;
            i = of(below).end - 1;
        }
        return static_cast<double>(listed) / static_cast<double>(here.length);
    }

    bool is_data_table(const Node& table) {
        const auto [known, fresh] = data_tables_.try_emplace(table.number, false);
        if (!fresh) return known->second;
        if (table.attribute("role") == "presentation") return false;
        std::size_t rows = 0;
        std::size_t cells = 0;
        for (int i = table.number + 1; i < of(table).end; ++i) {
            const auto& name = nodes_[static_cast<std::size_t>(i)]->name;
            if (name == "table") return false;
            if (name == "caption" || name == "thead" || name == "tfoot" || name == "th" || name == "col")
                return known->second = true;
            rows += name == "tr";
            cells += name == "td";
        }
        const std::size_t columns = rows == 0 ? 0 : cells / rows;
        return known->second = rows > 1 && columns > 1 && (rows >= 10 || columns > 4 || cells > 10);
    }

    Article collect(const std::vector<const Node*>& parts) {
        Article article;
        for (const auto* part : parts) {
            if (auto text = plain_text(*part, out_); !text.empty())
                article.text += (article.text.empty() ? "" : "\n\n") + text;
            article.html += safe_html(*part, base_url_, out_);
            if (article.image.empty()) article.image = first_image(*part);
        }
        article.byline = byline_;
        return article;
    }

    std::string first_image(const Node& part) {
        for (int i = part.number; i < of(part).end; ++i) {
            const auto& node = *nodes_[static_cast<std::size_t>(i)];
            if (!node.is_text() && out_[at(node)])
                i = of(node).end - 1;
            else if (node.is("img"))
                if (auto url = image_of(node, base_url_); !url.empty()) return url;
        }
        return {};
    }

    const Node& root_;
    string_view title_;
    string_view base_url_;
    Strictness strict_;
    std::vector<const Node*> nodes_; // by number
    std::vector<bool> out_;          // left out with all below
    std::vector<Measure> measures_;
    std::vector<double> scores_;
    std::vector<bool> scored_;
    std::map<int, bool> data_tables_;
    std::string byline_;
    bool heading_met_ = false;
};

}

Article find_article(const HtmlTree& tree, string_view title, string_view base_url) {
    constexpr std::array<Strictness, 4> readings{
        {{}, {.unlikely_dropped = false}, {false, false, true}, {false, false, false}}};
    Article longest;
    std::size_t length = 0;
    for (const auto& reading : readings) {
        auto article = Finder(*tree.root, tree.size, title, base_url, reading).find();
        const auto found = count_characters(article.text);
        if (found > length) {
            length = found;
            longest = std::move(article);
        }
        if (length >= short_text) break;
    }
    return longest;
}

}
