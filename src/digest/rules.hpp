#pragma once

#include "stories/stories.hpp"
#include "subscribers/lists.hpp"

#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// How a list picks and orders its stories.
//
// Always: a list without rules of its own has the defaults. What the operator wrote is kept as he wrote it. This room
//         alone writes list_rules.

namespace postrider::digest {

// How the stories of an issue are shown. feed: feed by feed, each as it has them; weight: those of the heaviest feed
// first, which are also the first to be picked.
enum class Sequence { newest, oldest, feed, weight };
[[nodiscard]] std::string_view to_text(Sequence);
[[nodiscard]] std::optional<Sequence> parse_sequence(std::string_view);

// "category:sport": one of the story's categories; "by:ada smith": its byline, or "source:the courier": its source,
// holds the words; anything else: the headline or the summary does. Whole words, whatever their letters' case;
// "foot*" is the beginning of one.
struct Filter {
    enum class Part { words, category, byline, source };
    std::string text; // as written
    Part part = Part::words;
    std::string wanted; // case-folded
    bool prefix = false;
};
[[nodiscard]] std::expected<Filter, std::string> parse_filter(std::string_view text);
[[nodiscard]] bool matches(const Filter&, const stories::Story&);

// "World = politics, foreign affairs": stories of these categories stand under "World"; "Other = *" takes all the rest.
struct Topic {
    std::string text; // as written
    std::string name;
    std::vector<std::string> categories; // case-folded
};
[[nodiscard]] std::expected<Topic, std::string> parse_topic(std::string_view text);

struct Rules {
    int minimum = 1;
    int maximum = 20;
    Duration look_back = 7 * 24h; // how old a story may be when it is first seen
    Sequence sequence = Sequence::newest;
    int per_feed = 0; // stories of one feed in an issue; 0: any number
    int per_topic = 0;
    std::optional<Duration> expiry;       // how long a story may wait
    std::vector<Filter> include, exclude; // include: empty takes everything
    std::vector<Topic> topics;            // the first that fits
};

// What a reader of the list may choose among: each name once, in order.
[[nodiscard]] std::vector<std::string> topic_names(const Rules&);

// By the list's topics, else the story's first category; empty: it has none.
[[nodiscard]] std::string topic_of(const stories::Story&, const Rules&);

class ListRules {
public:
    explicit ListRules(storage::Connection& connection) : connection_(connection) {}

    [[nodiscard]] Rules of(const subscribers::List&);
    // Everything but minimum, maximum and look-back, which are the list's own.
    void keep(ListId, const Rules&);

private:
    storage::Connection& connection_;
};

}
