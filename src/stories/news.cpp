#include "stories/news.hpp"

#include "http/url.hpp"
#include "stories/html.hpp"
#include "stories/url.hpp"

#include <algorithm>
#include <unordered_map>

namespace postrider::stories {
namespace {

constexpr std::size_t longest_title = 300, longest_headless_title = 100; // characters
constexpr std::size_t longest_byline = 200, longest_summary = 500, excerpt_size = 300;

// An address whose canonical form names no place does not identify anything.
std::optional<std::string> identity(const std::string& url) {
    if (!is_web_address(url)) return std::nullopt;
    auto canonical = canonical_url(url);
    if (!is_web_address(canonical)) return std::nullopt;
    return canonical;
}

// A few sentences of the publisher's are kept; a whole text is cut to a beginning.
std::string summary_of(const FeedItem& item) {
    auto kept = excerpt(item.summary, longest_summary);
    if (kept.ends_with("…") && !item.summary.ends_with("…")) return excerpt(item.summary, excerpt_size);
    return kept;
}

std::optional<Story> story_of(FeedItem item, const std::string& source, std::string_view base, Time now) {
    Story story;
    story.url = item.original_url.empty() ? item.url : item.original_url;
    story.canonical_url = identity(story.url);
    story.html = safe_html(item.html, story.url.empty() ? base : std::string_view(story.url));
    if (item.summary.empty()) item.summary = plain_text(story.html);
    story.summary = summary_of(item);
    story.title = excerpt(item.title, longest_title);
    if (story.title.empty()) story.title = excerpt(story.summary, longest_headless_title);
    if (story.title.empty()) story.title = excerpt(item.image.alt, longest_headless_title);
    // A picture without a word, as photo blogs post them.
    if (story.title.empty() && !story.html.empty() && story.canonical_url) story.title = excerpt(source, longest_title);
    if (story.title.empty()) return std::nullopt;
    story.byline = excerpt(item.byline, longest_byline);
    story.source = excerpt(source, longest_title);
    if (item.published) story.published_at = std::min(*item.published, now);
    story.image = std::move(item.image);
    story.categories = std::move(item.categories);
    story.language = std::move(item.language);
    return story;
}

// What has no date is taken for new; a feed's own order decides between equals.
void put_oldest_first(std::vector<NewsItem>& items, Time now) {
    std::vector<std::pair<Time, std::size_t>> order;
    for (std::size_t i = items.size(); i-- > 0;)
        order.emplace_back(items[i].story.published_at.value_or(now), items.size() - i);
    std::ranges::sort(order);
    std::vector<NewsItem> sorted;
    sorted.reserve(items.size());
    for (auto [when, from_the_end] : order) sorted.push_back(std::move(items[items.size() - from_the_end]));
    items = std::move(sorted);
}

// Takes the items of one poll; knows what of this feed and these lists is known already.
class Taking {
public:
    Taking(storage::Connection& connection, FeedId feed, std::span<const FeedPlace> places, Time now, Taken& taken)
        : connection_(connection), stories_(connection), feed_(feed), places_(places), now_(now), taken_(taken) {}

    // rank: 0 for the newest.
    void take(const NewsItem& item, std::size_t rank) {
        auto known = known_story(item);
        const bool known_to_feed = known && feed_knows(*known);
        if (!known) known = stories_.put(item.story, now_).first;
        for (const auto& key : item.keys) stories_.know_as(feed_, key, *known);
        if (feed_has_the_word(*known)) put_words(*known, item.story);
        stand(*known, known_to_feed, rank);
    }

private:
    std::optional<StoryId> known_story(const NewsItem& item) {
        for (const auto& key : item.keys)
            if (auto known = stories_.of_feed(feed_, key)) return known;
        if (!item.story.canonical_url) return std::nullopt;
        return connection_.value<StoryId>("SELECT id FROM story WHERE canonical_url = $1", *item.story.canonical_url);
    }

    bool feed_knows(StoryId story) {
        return connection_
            .value<std::int64_t>("SELECT 1 FROM story_key WHERE story_id = $1 AND feed_id = $2 LIMIT 1", story, feed_)
            .has_value();
    }

    // Two feeds with one story word it differently. The one that was added first has its way: otherwise the words would
    // change with every poll.
    bool feed_has_the_word(StoryId story) {
        return connection_.value<FeedId>("SELECT feed_id FROM story_key WHERE story_id = $1 ORDER BY feed_id LIMIT 1",
                                         story) == feed_;
    }

    // Under its number, so that a changed address does not make another story of it.
    void put_words(StoryId id, Story story) {
        story.id = id;
        story.canonical_url.reset();
        stories_.put(story, now_);
    }

    bool stands(ListId list, StoryId story) {
        return connection_
            .value<std::int64_t>("SELECT 1 FROM story_list WHERE list_id = $1 AND story_id = $2", list, story)
            .has_value();
    }

    void stand(StoryId story, bool known_to_feed, std::size_t rank) {
        bool candidate = false, remembered = false;
        for (const auto& place : places_) {
            const bool first = !place.started;
            const bool wanted = first ? rank < std::size_t(place.catch_up) : !known_to_feed;
            if (stands(place.list, story)) continue;
            stories_.stand(place.list, story, wanted ? Standing::candidate : Standing::remembered, now_);
            candidate |= wanted;
            remembered |= !wanted && first;
        }
        taken_.candidates += candidate;
        taken_.remembered += remembered && !candidate;
    }

    storage::Connection& connection_;
    Stories stories_;
    FeedId feed_;
    std::span<const FeedPlace> places_;
    Time now_;
    Taken& taken_;
};

}

News news_of(Feed feed, std::string_view url, Time now, const std::stop_token& stop) {
    News news;
    news.left_out = feed.items_left_out;
    std::string source = feed.title;
    if (auto address = http::Url::parse(url); source.empty() && address) source = address->host();

    std::unordered_map<std::string, std::size_t> by_key, by_address;
    for (auto& item : feed.items) {
        if (stop.stop_requested()) break;
        auto key = item.id;
        // The first of several with one id is the newest in nearly every feed, and its words are kept.
        if (by_key.contains(key)) continue;
        auto story = story_of(std::move(item), source, url, now);
        if (!story) {
            ++news.left_out;
            continue;
        }
        if (story->canonical_url) {
            auto [same, first] = by_address.try_emplace(*story->canonical_url, news.items.size());
            if (!first) {
                by_key.emplace(key, same->second);
                news.items[same->second].keys.push_back(std::move(key));
                continue;
            }
        }
        by_key.emplace(key, news.items.size());
        news.items.push_back({{std::move(key)}, std::move(*story)});
    }
    put_oldest_first(news.items, now);
    return news;
}

std::size_t take_news(storage::Connection& connection, FeedId feed, std::span<const FeedPlace> places, const News& news,
                      std::size_t from, Duration at_most, Time now, Taken& taken) {
    using Steady = std::chrono::steady_clock;
    const auto until = Steady::now() + at_most;
    const auto count = news.items.size();
    storage::Transaction transaction(connection);
    if (!connection.value<std::int64_t>("SELECT 1 FROM feed WHERE id = $1", feed)) return count;
    Taking taking(connection, feed, places, now, taken);
    auto next = from;
    while (next < count && (next == from || Steady::now() < until)) {
        taking.take(news.items[next], count - 1 - next);
        ++next;
    }
    transaction.commit();
    return next;
}

}
