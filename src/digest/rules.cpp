#include "digest/rules.hpp"

#include "mail/utf8.hpp"
#include "system/trimmed.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace postrider::digest {
namespace {

namespace json = boost::json;

constexpr std::array<std::string_view, 4> sequence_names = {"newest", "oldest", "feed", "weight"};
constexpr std::size_t longest = 200; // bytes of a filter or topic as written

std::string_view trimmed(std::string_view text) { return system::trimmed(text, " \t"); }

std::string folded(std::string_view text) { return mail::case_folded(mail::valid_utf8(text)); }

// Scripts that put no space between words (from U+2E80 on: Chinese, Japanese, Thai is below) have no whole words to
// look for.
bool joins_word(std::string_view text, std::size_t at) {
    const auto c = static_cast<unsigned char>(text[at]);
    if (c < 0x80) return std::isalnum(c) != 0;
    if (c == 0xC2) return false; // the no-break space, « » and their neighbours
    if (c == 0xE2 && at + 1 < text.size()) return static_cast<unsigned char>(text[at + 1]) > 0x81; // dashes, quotes
    return true;
}

bool is_spaceless(std::string_view text) {
    std::size_t at = 0;
    return !text.empty() && mail::next_code_point(text, at) >= 0x2E80;
}

// The character that ends before `at` begins here.
std::size_t before(std::string_view text, std::size_t at) {
    do --at;
    while (at > 0 && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80);
    return at;
}

bool has_words(std::string_view text, std::string_view wanted, bool prefix) {
    const bool anywhere = is_spaceless(wanted);
    for (auto at = text.find(wanted); at != text.npos; at = text.find(wanted, at + 1)) {
        const auto end = at + wanted.size();
        const bool begins = anywhere || at == 0 || !joins_word(text, before(text, at));
        const bool ends = anywhere || prefix || end >= text.size() || !joins_word(text, end);
        if (begins && ends) return true;
    }
    return false;
}

template <class Thing, class Parse>
std::vector<Thing> stored(std::string_view text, Parse parse) {
    std::vector<Thing> things;
    const auto parsed = json::parse(text);
    for (auto& one : parsed.as_array())
        if (auto thing = parse(std::string_view(one.as_string()))) things.push_back(std::move(*thing));
    return things;
}

template <class Thing>
std::string to_store(const std::vector<Thing>& things) {
    json::array texts;
    for (auto& one : things) texts.push_back(json::string(one.text));
    return json::serialize(texts);
}

std::optional<int> unless_any(int number) { return number > 0 ? std::optional(number) : std::nullopt; }

}

std::string_view to_text(Sequence sequence) { return sequence_names[std::size_t(sequence)]; }

std::optional<Sequence> parse_sequence(std::string_view text) {
    for (std::size_t i = 0; i < sequence_names.size(); ++i)
        if (text == sequence_names[i]) return Sequence(i);
    return std::nullopt;
}

std::expected<Filter, std::string> parse_filter(std::string_view text) {
    Filter filter;
    filter.text = trimmed(text);
    if (filter.text.size() > longest) return std::unexpected(fmt::format("is longer than {} bytes", longest));
    auto wanted = std::string_view(filter.text);
    constexpr std::array<std::pair<std::string_view, Filter::Part>, 3> parts = {
        {{"category:", Filter::Part::category}, {"by:", Filter::Part::byline}, {"source:", Filter::Part::source}}};
    for (auto& [start, part] : parts)
        if (wanted.starts_with(start)) {
            filter.part = part;
            wanted = trimmed(wanted.substr(start.size()));
            break;
        }
    if (wanted.ends_with('*')) {
        filter.prefix = true;
        wanted.remove_suffix(1);
    }
    filter.wanted = folded(wanted);
    if (filter.wanted.empty()) return std::unexpected(std::string("says no word"));
    return filter;
}

bool matches(const Filter& filter, const stories::Story& story) {
    switch (filter.part) {
    case Filter::Part::category:
        return std::ranges::any_of(story.categories, [&](auto& category) {
            auto name = folded(category);
            return filter.prefix ? name.starts_with(filter.wanted) : name == filter.wanted;
        });
    case Filter::Part::byline: return has_words(folded(story.byline), filter.wanted, filter.prefix);
    case Filter::Part::source: return has_words(folded(story.source), filter.wanted, filter.prefix);
    case Filter::Part::words: break;
    }
    return has_words(folded(story.title), filter.wanted, filter.prefix) ||
           has_words(folded(story.summary), filter.wanted, filter.prefix);
}

std::expected<Topic, std::string> parse_topic(std::string_view text) {
    Topic topic;
    topic.text = trimmed(text);
    if (topic.text.size() > longest) return std::unexpected(fmt::format("is longer than {} bytes", longest));
    const auto equals = topic.text.find('=');
    auto written = std::string_view(topic.text);
    topic.name = trimmed(written.substr(0, equals));
    if (equals == std::string::npos || topic.name.empty())
        return std::unexpected(std::string("has no name; write it as \"World = politics, foreign affairs\""));
    // Readers' choices are kept as lines, and written as "World; Sport".
    if (std::ranges::any_of(topic.name, [](unsigned char c) { return c < ' ' || c == ';'; }))
        return std::unexpected(std::string("has a name with a semicolon or a control character"));
    for (auto rest = written.substr(equals + 1); !rest.empty();) {
        const auto end = std::min(rest.find(','), rest.size());
        if (auto category = folded(trimmed(rest.substr(0, end))); !category.empty())
            topic.categories.push_back(std::move(category));
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    if (topic.categories.empty())
        return std::unexpected(std::string("names no category; write it as \"World = politics, foreign affairs\""));
    return topic;
}

std::vector<std::string> topic_names(const Rules& rules) {
    std::vector<std::string> names;
    for (auto& topic : rules.topics)
        if (std::ranges::find(names, topic.name) == names.end()) names.push_back(topic.name);
    return names;
}

std::string topic_of(const stories::Story& story, const Rules& rules) {
    if (!rules.topics.empty()) {
        std::vector<std::string> names;
        for (auto& category : story.categories) names.push_back(folded(category));
        for (auto& topic : rules.topics)
            for (auto& wanted : topic.categories)
                if (wanted == "*" || std::ranges::find(names, wanted) != names.end()) return topic.name;
    }
    return story.categories.empty() ? "" : story.categories.front();
}

Rules ListRules::of(const subscribers::List& list) {
    Rules rules;
    rules.minimum = list.minimum;
    rules.maximum = list.maximum;
    rules.look_back = list.look_back;
    connection_.each(
        "SELECT sequence, per_feed, per_topic, expiry, include, exclude, topics FROM list_rules WHERE list_id = $1",
        [&](const storage::Row& row) {
            rules.sequence = parse_sequence(row.text(0)).value_or(Sequence::newest);
            rules.per_feed = row.get<std::optional<int>>(1).value_or(0);
            rules.per_topic = row.get<std::optional<int>>(2).value_or(0);
            rules.expiry = row.get<std::optional<Duration>>(3);
            rules.include = stored<Filter>(row.text(4), parse_filter);
            rules.exclude = stored<Filter>(row.text(5), parse_filter);
            rules.topics = stored<Topic>(row.text(6), parse_topic);
        },
        list.id);
    return rules;
}

void ListRules::keep(ListId list, const Rules& rules) {
    connection_.run(
        R"sql(
        INSERT INTO list_rules (list_id, sequence, per_feed, per_topic, expiry, include, exclude, topics)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
        ON CONFLICT (list_id) DO UPDATE SET sequence = $2, per_feed = $3, per_topic = $4, expiry = $5, include = $6,
                                            exclude = $7, topics = $8)sql",
        list, to_text(rules.sequence), unless_any(rules.per_feed), unless_any(rules.per_topic), rules.expiry,
        to_store(rules.include), to_store(rules.exclude), to_store(rules.topics));
}

}
