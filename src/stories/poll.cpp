#include "stories/poll.hpp"

#include "http/message.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace postrider::stories {
namespace {

// Some servers say a year where they mean "go away for now"; after a week we look again.
constexpr Duration longest_retry_after = 7 * 24h;
constexpr std::size_t longest_error = 500;

Duration spread(Duration wait, double chance) {
    return wait + Duration(std::int64_t(double(wait.count()) * std::clamp(chance, 0.0, 1.0) / 10));
}

Duration ordinary_wait(const FeedRecord& feed, const PollSettings& settings) {
    return std::max(feed.every, settings.at_least);
}

// 30 minutes, an hour, two, four ... to a day; a feed that is rarely asked is asked sooner than that the first times.
Duration back_off(const FeedRecord& feed, const PollSettings& settings) {
    const auto longest = std::max(settings.at_most, ordinary_wait(feed, settings));
    auto wait = std::max(std::min<Duration>(feed.every, 30min), settings.at_least);
    for (int i = 1; i < feed.failures && wait < longest; ++i) wait *= 2;
    return std::min(wait, longest);
}

// The first moment from `at` on at which the publisher does not mind: hours and days are in UTC (RSS 2.0, skipHours).
Time not_skipped(Time at, const FeedFacts& facts) {
    if (facts.skip_hours == 0 && facts.skip_days == 0) return at;
    constexpr int hours_of_a_week = 7 * 24;
    for (int i = 0; i < hours_of_a_week; ++i) {
        const auto day = std::chrono::floor<std::chrono::days>(at);
        const auto hour = std::chrono::floor<std::chrono::hours>(at - day).count();
        const auto weekday = std::chrono::weekday(day).c_encoding();
        if (!(facts.skip_hours >> hour & 1) && !(facts.skip_days >> weekday & 1)) return at;
        at = std::chrono::floor<std::chrono::hours>(at) + 1h;
    }
    return at;
}

void take_note_of_a_move(FeedRecord& feed, const http::Fetched& answer, const PollSettings& settings) {
    if (!answer.permanent_url || *answer.permanent_url == feed.url) {
        feed.moved_url.reset();
        feed.moved_times = 0;
        return;
    }
    feed.moved_times = feed.moved_url == answer.permanent_url ? feed.moved_times + 1 : 1;
    feed.moved_url = answer.permanent_url;
    if (feed.moved_times < settings.moved_after) return;
    feed.url = *feed.moved_url;
    feed.moved_url.reset();
    feed.moved_times = 0;
}

FeedRecord after_success(FeedRecord feed, const http::Fetched& answer, const FeedFacts* facts, Time now, double chance,
                         const PollSettings& settings) {
    feed.failures = 0;
    feed.last_error.clear();
    feed.last_success_at = now;
    feed.retry_after_until.reset();
    if (feed.state != FeedState::paused) feed.state = FeedState::active;
    auto fresh = answer.max_age.value_or(0ms);
    if (facts) {
        feed.etag = answer.etag;
        feed.last_modified = answer.last_modified;
        if (!facts->title.empty()) feed.title = facts->title;
        feed.items = facts->items;
        fresh = std::max(fresh, facts->ttl.value_or(0ms));
    }
    take_note_of_a_move(feed, answer, settings);

    auto wait = std::max(ordinary_wait(feed, settings), std::min(fresh, settings.at_most));
    if (feed.etag.empty() && feed.last_modified.empty()) wait = std::max(wait, settings.without_validators);
    feed.next_poll_at = now + spread(wait, chance);
    if (!facts) return feed;
    const auto allowed = not_skipped(feed.next_poll_at, *facts);
    if (allowed > feed.next_poll_at) feed.next_poll_at = allowed + spread(30min, chance) - 30min;
    return feed;
}

FeedRecord after_failure(FeedRecord feed, const http::FetchResult& fetched, std::string trouble, Time now,
                         double chance, const PollSettings& settings) {
    feed.failures += 1;
    feed.last_error = std::move(trouble);
    feed.retry_after_until.reset();
    if (feed.state == FeedState::active && feed.failures >= settings.failing_after) feed.state = FeedState::failing;
    if (fetched && fetched->status == 410 && feed.state != FeedState::paused) feed.state = FeedState::gone;
    feed.next_poll_at = now + spread(back_off(feed, settings), chance);
    if (!fetched || fetched->status < 400 || !fetched->retry_after) return feed;

    // The server knows better than our back-off when it will be well again; but it never makes us ask more often.
    auto wait = std::min(*fetched->retry_after, longest_retry_after);
    feed.retry_after_until = now + wait;
    feed.next_poll_at = now + spread(std::max(wait, ordinary_wait(feed, settings)), chance);
    feed.last_error += fmt::format("; it asks not to be asked before {}", rfc3339(*feed.retry_after_until));
    return feed;
}

}

PollSettings poll_settings(const http::ClientSettings& client, Duration every) {
    PollSettings settings;
    settings.every = every;
    if (client.allow_private_addresses) {
        settings.at_least = 1s;
        settings.without_validators = 0s;
        settings.between_pages = 0s;
    }
    return settings;
}

std::size_t most_news(const FeedRecord& before, Time now) {
    constexpr std::size_t few = 50, many = 100;
    const auto usual = std::size_t(std::max(before.items.value_or(0), 0));
    const bool silent =
        before.last_success_at && now - *before.last_success_at > std::max<Duration>(3 * 24h, 10 * before.every);
    if (silent || before.state == FeedState::failing) return std::max(few, usual);
    return std::max(many, 3 * usual);
}

void note_news(FeedRecord& feed, Time now) {
    constexpr Duration fades_within = 60 * 24h, longest = 30 * 24h;
    if (feed.news_at && now > *feed.news_at) {
        const auto gap = std::min<Duration>(now - *feed.news_at, longest);
        const auto faded = feed.habit - std::chrono::duration_cast<Duration>(
                                            feed.habit * (double(gap.count()) / double(fades_within.count())));
        feed.habit = std::max(gap, faded);
    }
    feed.news_at = now;
    ++feed.arrivals;
}

bool has_body(const http::FetchResult& fetched) { return fetched && fetched->status >= 200 && fetched->status < 300; }

bool not_modified(const http::FetchResult& fetched) { return fetched && fetched->status == 304; }

std::string trouble_of(const http::FetchResult& fetched, const std::optional<BodyResult>& body) {
    std::string trouble;
    if (!fetched)
        trouble = fetched.error().text;
    else if (body && !*body)
        trouble = body->error();
    else if (!body && !not_modified(fetched))
        trouble = fmt::format("{} {}", fetched->status, http::reason_phrase(fetched->status));
    while (trouble.ends_with(' ')) trouble.pop_back();
    if (trouble.size() > longest_error) {
        auto end = longest_error;
        while (end > 0 && (static_cast<unsigned char>(trouble[end]) & 0xC0) == 0x80) --end;
        trouble.resize(end);
    }
    return trouble;
}

FeedRecord after_poll(FeedRecord feed, const http::FetchResult& fetched, const std::optional<BodyResult>& body,
                      Time now, double chance, const PollSettings& settings) {
    feed.last_polled_at = now;
    auto trouble = trouble_of(fetched, body);
    if (!trouble.empty()) return after_failure(std::move(feed), fetched, std::move(trouble), now, chance, settings);
    return after_success(std::move(feed), *fetched, body ? &**body : nullptr, now, chance, settings);
}

}
