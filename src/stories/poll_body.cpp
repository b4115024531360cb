#include "stories/poll_body.hpp"

#include "http/url.hpp"

#include <fmt/format.h>

#include <utility>

namespace postrider::stories {

std::string not_a_feed(const FeedError& error) {
    auto sentence = fmt::format("this is {}", error.what);
    return error.what.contains("no feed") ? sentence : sentence + ", not a feed";
}

Reading read_body(http::Fetched answer, FindFeeds find, Time now, const std::stop_token& stop) {
    auto body = std::exchange(answer.body, {});
    // What readers' links are made from must not give the feed's password away.
    const auto place = http::without_login(answer.final_url);
    auto feed = parse_feed(body, answer.content_type, place);
    if (!feed) {
        auto trouble = not_a_feed(feed.error());
        auto found = find == FindFeeds::yes && feed.error().is_page
                         ? find_feeds(body, answer.content_type, answer.final_url)
                         : FoundFeeds{};
        return {std::move(answer), std::unexpected(std::move(trouble)), {}, std::move(found)};
    }
    FeedFacts facts{feed->title, feed->ttl, feed->skip_hours, feed->skip_days, int(feed->items.size())};
    auto news = news_of(std::move(*feed), place, now, stop);
    return {std::move(answer), std::move(facts), std::move(news), {}};
}

}
