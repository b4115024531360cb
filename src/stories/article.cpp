#include "stories/article.hpp"

#include "stories/article_clean.hpp"
#include "stories/article_measure.hpp"
#include "stories/article_words.hpp"
#include "stories/characters.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

namespace postrider::stories {

namespace {

using std::string_view;

constexpr std::size_t candidates_compared = 5;

class Finder {
public:
    Finder(const HtmlTree& tree, const ArticleHints& hints, Strictness strictness)
        : tree_(tree), hints_(hints), strict_(strictness), scores_(tree_.nodes().size()),
          scored_(tree_.nodes().size()) {}

    Article find() {
        leave_out(tree_.root(), false);
        tree_.measure();
        score();
        const Node& top = climb(best());
        auto parts = with_siblings(top);
        Cleaner cleaner(tree_, hints_.title, strict_);
        cleaner.clean(parts);
        return collect(parts, cleaner.no_running_text(parts));
    }

private:
    static std::size_t at(const Node& node) { return static_cast<std::size_t>(node.number); }
    [[nodiscard]] const Measure& of(const Node& node) const { return tree_.of(node); }

    void leave_out(const Node& node, bool protected_place) {
        if (node.is_text()) return;
        if (is_never_text(node.name) || is_hidden(node) || is_unlikely(node, protected_place) || is_byline(node)) {
            tree_.leave_out(node);
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
        if (is_for_screen_readers(label)) return true;
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

    void score() {
        for (int i = 0; i < static_cast<int>(tree_.nodes().size()); ++i) {
            const auto& node = *tree_.nodes()[static_cast<std::size_t>(i)];
            if (node.is_text()) continue;
            if (tree_.is_out(node)) {
                i = of(node).end - 1;
                continue;
            }
            const auto& here = of(node);
            if (is_scored(node.name) || (node.is("div") && !here.has_blocks))
                credit(node.parent, here.length, here.commas);
            else if (here.has_blocks && is_block(node))
                credit(&node, here.own, here.own_commas);
        }
        for (const auto* node : tree_.nodes())
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
                scores_[at(*node)] = base_score(node->name) + class_weight(*node, strict_);
            }
            scores_[at(*node)] += points / (level == 0 ? 1 : level == 1 ? 2 : level * 3);
        }
    }

    const Node& body() const {
        for (const auto& child : tree_.root().children)
            if (child.is("body")) return child;
        return tree_.root();
    }

    const Node& best() {
        std::vector<const Node*> ranking;
        for (const auto* node : tree_.nodes())
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
            if (&sibling == &top || sibling.is_text() || tree_.is_out(sibling)) continue;
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

    Article collect(const std::vector<const Node*>& parts, const std::vector<bool>& no_running_text) {
        Article article;
        for (const auto* part : parts) {
            if (auto text = plain_text(*part, no_running_text); !text.empty())
                article.text += (article.text.empty() ? "" : "\n\n") + text;
            article.html += safe_html(*part, hints_.base_url, tree_.left_out());
            if (article.image.empty()) article.image = first_image(*part);
        }
        article.byline = byline_;
        if (const auto* lead = lead_above(*parts.front(), article.text)) {
            article.text.insert(0, text_of(*lead) + "\n\n");
            article.html.insert(0, safe_html(*lead, hints_.base_url));
        }
        return article;
    }

    // Many pages set the first paragraph apart, between the headline and the body. It is known by what it is called, or
    // by being what the page says of itself.
    const Node* lead_above(const Node& top, string_view text) const {
        if (text.empty()) return nullptr;
        bool after_headline = false;
        const Node* lead = nullptr;
        for (int i = 0; i < top.number; ++i) {
            const auto& node = *tree_.nodes()[static_cast<std::size_t>(i)];
            const bool shown = !node.is_text() && !is_never_text(node.name) && !is_hidden(node);
            if (!shown || is_surrounding_role(node.attribute("role"))) {
                if (!node.is_text()) i = of(node).end - 1;
                continue;
            }
            if (node.is("h1") && says_the_same(hints_.title, text_of(node))) {
                after_headline = true;
                lead = nullptr;
            } else if (may_be_lead(node, after_headline)) {
                if (!lead) lead = &node;
                i = of(node).end - 1;
            }
        }
        return lead && !contains_beginning(text, text_of(*lead), 160) ? lead : nullptr;
    }

    static constexpr std::size_t shortest_lead = 40, longest_lead = 1200; // bytes

    [[nodiscard]] bool may_be_lead(const Node& node, bool after_headline) const {
        if (!is_block(node) || is_heading(node)) return false;
        std::size_t room = longest_lead;
        if (!fits(node, room) || longest_lead - room < shortest_lead || holds_blocks(node)) return false;
        const auto text = text_of(node);
        if (text.size() < shortest_lead) return false;
        if (contains_beginning(hints_.summary, text, 80)) return !says_the_same(hints_.title, text);
        const bool named = sounds_like_lead(label_of(node)) || sounds_like_lead(label_of(*node.parent));
        return after_headline && named && count_words(text) >= 10 && ends_with_stop(text);
    }

    static bool holds_blocks(const Node& node) {
        return std::ranges::any_of(node.children,
                                   [](const Node& child) { return is_block(child) || holds_blocks(child); });
    }

    static bool contains_beginning(string_view where, string_view text, std::size_t length) {
        return collapse(where).contains(text.substr(0, length));
    }

    static bool ends_with_stop(string_view text) {
        return text.ends_with('.') || text.ends_with('?') || text.ends_with('!');
    }

    std::string first_image(const Node& part) {
        for (int i = part.number; i < of(part).end; ++i) {
            const auto& node = *tree_.nodes()[static_cast<std::size_t>(i)];
            if (!node.is_text() && tree_.is_out(node))
                i = of(node).end - 1;
            else if (node.is("img"))
                if (auto url = image_of(node, hints_.base_url); !url.empty()) return url;
        }
        return {};
    }

    MeasuredTree tree_;
    const ArticleHints& hints_;
    Strictness strict_;
    std::vector<double> scores_;
    std::vector<bool> scored_;
    std::string byline_;
};

}

Article find_article(const HtmlTree& tree, const ArticleHints& hints) {
    constexpr std::array<Strictness, 4> readings{
        {{}, {.unlikely_dropped = false}, {false, false, true}, {false, false, false}}};
    Article longest;
    std::size_t length = 0;
    for (const auto& reading : readings) {
        auto article = Finder(tree, hints, reading).find();
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
