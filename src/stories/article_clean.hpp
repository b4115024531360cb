#pragma once

#include "stories/article_measure.hpp"

#include <cstddef>
#include <map>
#include <string_view>
#include <vector>

// What stands inside an article and is not of it: share bars, related links, forms, advertisements, the repeated headline,
// places of embedded things that ask for consent, and what the page says after the last sentence.

namespace postrider::stories {

struct Strictness {
    bool unlikely_dropped = true;
    bool classes_weighed = true;
    bool cleaned = true;
};

constexpr std::size_t short_text = 500; // characters; an article with fewer has probably been thrown away

// Points for what an element is called; none where classes are not weighed.
[[nodiscard]] double class_weight(const Node&, const Strictness&);

class Cleaner {
public:
    Cleaner(MeasuredTree& tree, std::string_view title, const Strictness& strictness)
        : tree_(tree), title_(title), strict_(strictness) {}

    // Leaves out, of the parts of an article in document order, what is not of it.
    void clean(const std::vector<const Node*>& parts);
    // By number: what is left out, and the captions and credits of pictures, which are no running text.
    [[nodiscard]] std::vector<bool> no_running_text(const std::vector<const Node*>& parts) const;

private:
    void clean(const Node&);
    void clean_children(const Node&);
    bool is_rest(const Node&);
    bool is_clutter(const Node&);
    bool is_jump(const Node&) const;
    bool is_teaser(const Node&) const;
    [[nodiscard]] bool is_more_than_teasers(const std::vector<const Node*>& parts) const;
    bool is_pager(const Node&) const;
    bool is_consent(const Node&) const;
    bool is_data_table(const Node&);
    [[nodiscard]] double list_share(const Node&) const;
    bool is_end_matter(const Node& block) const;
    const Node* last_block(const Node&) const;
    [[nodiscard]] bool is_caption(const Node&) const;
    void mark_captions(const Node&, std::vector<bool>& marked) const;

    MeasuredTree& tree_;
    std::string_view title_;
    Strictness strict_;
    std::map<int, bool> data_tables_;
    bool heading_met_ = false;
    bool teasers_are_rest_ = true;
};

}
