#include "stories/news.hpp"

#include "http/url.hpp"
#include "stories/html.hpp"
#include "stories/limits.hpp"
#include "stories/url.hpp"

#include <algorithm>
#include <tuple>
#include <unordered_map>

namespace postrider::stories {
namespace {

constexpr std::size_t longest_headless_title = 100; // characters

// An address whose canonical form names no place does not identify anything.
std::optional<std::string> identity(const std::string& url) {
    if (!is_web_address(url)) return std::nullopt;
    auto canonical = canonical_url(url);
    if (!is_web_address(canonical)) return std::nullopt;
    return canonical;
}

// One site under its two schemes.
std::string other_scheme(std::string_view text) {
    if (text.starts_with("https://")) return "http://" + std::string(text.substr(8));
    if (text.starts_with("http://")) return "https://" + std::string(text.substr(7));
    return {};
}

// "courier.example" for www.courier.example, m.courier.example, and the counter at feeds.courier.example.
std::string site_of(const std::string& url) {
    auto parsed = http::Url::parse(url);
    if (!parsed) return {};
    std::string_view host = parsed->host();
    for (std::string_view prefix : {"www.", "m.", "amp.", "feeds.", "rss."})
        if (host.starts_with(prefix) && host.find('.', prefix.size()) != host.npos) host.remove_prefix(prefix.size());
    return std::string(host);
}

// A headline that two different stories of one moment hardly share.
bool is_telling(std::string_view title) { return title.size() >= 20 && std::ranges::count(title, ' ') >= 3; }

// A few sentences of the publisher's are kept; a whole text is cut to a beginning.
std::string summary_of(const FeedItem& item) {
    auto kept = excerpt(item.summary, longest_summary);
    if (kept.ends_with("…") && !item.summary.ends_with("…")) return excerpt(item.summary, longest_excerpt);
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
    Taking(storage::Connection& connection, FeedId feed, std::span<const FeedPlace> places, std::size_t most, Time now,
           Taken& taken)
        : connection_(connection), stories_(connection), feed_(feed), places_(places), most_(most), now_(now),
          taken_(taken) {}

    // rank: 0 for the newest.
    void take(const NewsItem& item, std::size_t rank) {
        auto known = by_key(item);
        const bool under_new_id = !known;
        if (!known) known = by_address(item);
        if (!known) known = of_another_feed(item);
        const bool known_to_feed = known && feed_knows(*known);
        taken_.new_ids += under_new_id && known_to_feed;
        if (!known) known = stories_.put(item.story, now_).first;
        for (const auto& key : item.keys) stories_.know_as(feed_, key, *known, item.place);
        if (feed_has_the_word(*known)) put_words(*known, item);
        stand(*known, known_to_feed, rank);
    }

    // Whether the item would become a candidate that nobody knows yet.
    bool is_news(const NewsItem& item, std::size_t rank) {
        if (by_key(item) || by_address(item) || of_another_feed(item)) return false;
        return std::ranges::any_of(places_, [&](auto& place) { return is_wanted(place, false, rank); });
    }

private:
    std::optional<StoryId> by_key(const NewsItem& item) {
        for (const auto& key : item.keys)
            if (auto known = stories_.of_feed(feed_, key)) return known;
        return std::nullopt;
    }

    std::optional<StoryId> by_address(const NewsItem& item) {
        if (!item.story.canonical_url) return std::nullopt;
        constexpr auto wanted = "SELECT id FROM story WHERE canonical_url = $1";
        if (auto known = connection_.value<StoryId>(wanted, *item.story.canonical_url)) return known;
        return connection_.value<StoryId>(wanted, other_scheme(*item.story.canonical_url));
    }

    // Through another feed of one of our lists: the same headline at the same moment, and from the same site or in the
    // same words. Two items of one feed are two stories, whatever they look like.
    std::optional<StoryId> of_another_feed(const NewsItem& item) {
        auto& story = item.story;
        if (!story.published_at || !is_telling(story.title)) return std::nullopt;
        auto alike = connection_.all(
            R"sql(
            SELECT id, url, summary FROM story
            WHERE published_at = $1 AND title = $2 AND EXISTS
              (SELECT 1 FROM story_list JOIN feed_list ON feed_list.list_id = story_list.list_id
               WHERE story_list.story_id = story.id AND feed_list.feed_id = $3))sql",
            [](const storage::Row& row) {
                return std::tuple(row.get<StoryId>(0), row.get<std::string>(1), row.get<std::string>(2));
            },
            *story.published_at, story.title, feed_);
        for (auto& [id, url, summary] : alike) {
            const bool same = (!summary.empty() && summary == story.summary) || site_of(url) == site_of(story.url);
            if (same && !site_of(story.url).empty() && !feed_knows(id)) return id;
        }
        return std::nullopt;
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
    void put_words(StoryId id, const NewsItem& item) {
        auto story = item.story;
        story.id = id;
        story.canonical_url.reset();
        if (item.bare) keep_words_of_page(id, story);
        stories_.put(story, now_);
    }

    // What was read from the article's page is worth more than the nothing that the feed says.
    void keep_words_of_page(StoryId id, Story& story) {
        auto kept = stories_.find(id);
        if (!kept || kept->html.empty()) return;
        kept->url = story.url;
        kept->title = story.title;
        story = std::move(*kept);
        story.canonical_url.reset();
    }

    bool stands(ListId list, StoryId story) {
        return connection_
            .value<std::int64_t>("SELECT 1 FROM story_list WHERE list_id = $1 AND story_id = $2", list, story)
            .has_value();
    }

    [[nodiscard]] bool is_wanted(const FeedPlace& place, bool known_to_feed, std::size_t rank) const {
        if (!place.started) return rank < std::size_t(place.catch_up);
        return !known_to_feed && rank < most_;
    }

    void stand(StoryId story, bool known_to_feed, std::size_t rank) {
        bool candidate = false, remembered = false, flooded = false;
        for (const auto& place : places_) {
            if (stands(place.list, story)) continue;
            const bool wanted = is_wanted(place, known_to_feed, rank);
            stories_.stand(place.list, story, wanted ? Standing::candidate : Standing::remembered, now_);
            candidate |= wanted;
            remembered |= !wanted && !place.started;
            flooded |= !wanted && place.started && !known_to_feed;
        }
        taken_.candidates += candidate;
        taken_.remembered += remembered && !candidate;
        taken_.flooded += flooded && !candidate;
    }

    storage::Connection& connection_;
    Stories stories_;
    FeedId feed_;
    std::span<const FeedPlace> places_;
    std::size_t most_;
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
    std::size_t place = 0;
    for (auto& item : feed.items) {
        if (stop.stop_requested()) break;
        ++place;
        auto key = item.id;
        // The first of several with one id is the newest in nearly every feed, and its words are kept.
        if (by_key.contains(key)) continue;
        auto story = story_of(std::move(item), source, url, now);
        if (!story) {
            ++news.left_out;
            continue;
        }
        if (story->canonical_url) {
            auto address = *story->canonical_url;
            if (auto plain = other_scheme(address); plain.starts_with("http:")) address = std::move(plain);
            auto [same, first] = by_address.try_emplace(std::move(address), news.items.size());
            if (!first) {
                by_key.emplace(key, same->second);
                news.items[same->second].keys.push_back(std::move(key));
                continue;
            }
        }
        by_key.emplace(key, news.items.size());
        const bool bare = story->html.empty() && (story->summary.empty() || story->summary == story->title);
        news.items.push_back({{std::move(key)}, std::move(*story), place - 1, bare});
    }
    put_oldest_first(news.items, now);
    return news;
}

std::vector<std::size_t> bare_news(storage::Connection& connection, FeedId feed, std::span<const FeedPlace> places,
                                   const News& news, std::size_t most) {
    Taken unused;
    Taking taking(connection, feed, places, most, Time(), unused);
    std::vector<std::size_t> found;
    for (std::size_t i = 0; i < news.items.size(); ++i)
        if (news.items[i].bare && news.items[i].story.canonical_url &&
            taking.is_news(news.items[i], news.items.size() - 1 - i))
            found.push_back(i);
    return found;
}

std::size_t take_news(storage::Connection& connection, FeedId feed, std::span<const FeedPlace> places, const News& news,
                      std::size_t from, std::size_t most, Duration at_most, Time now, Taken& taken) {
    using Steady = std::chrono::steady_clock;
    const auto until = Steady::now() + at_most;
    const auto count = news.items.size();
    storage::Transaction transaction(connection);
    if (!connection.value<std::int64_t>("SELECT 1 FROM feed WHERE id = $1", feed)) return count;
    Taking taking(connection, feed, places, most, now, taken);
    auto next = from;
    while (next < count && (next == from || Steady::now() < until)) {
        if (!news.items[next].waits) taking.take(news.items[next], count - 1 - next);
        ++next;
    }
    transaction.commit();
    return next;
}

}
