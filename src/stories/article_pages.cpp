#include "stories/article_pages.hpp"

#include "stories/beside.hpp"
#include "stories/page_story.hpp"
#include "stories/poll_body.hpp"
#include "system/log.hpp"

#include <algorithm>

namespace postrider::stories {
namespace asio = boost::asio;
namespace {

constexpr std::size_t pages_at_once = 20; // of a poll; together they take far less than it may hold its feed
constexpr Duration pages_for = 2min;
constexpr std::string_view accepted_pages = "text/html, application/xhtml+xml;q=0.9, */*;q=0.5";
constexpr std::string_view product = "postrider"; // in robots.txt

}

asio::awaitable<http::FetchResult> ArticlePages::get(const std::string& host, http::FetchRequest request,
                                                     Duration pause) {
    if (auto last = answered_at_.find(host); last != answered_at_.end())
        co_await fetches_.wait_until(clock_, last->second + pause);
    auto fetched = co_await fetches_.get(std::move(request));
    answered_at_[host] = clock_.now();
    co_return fetched;
}

asio::awaitable<std::optional<RobotsRules>> ArticlePages::robots_of(const http::Url& page) {
    http::FetchRequest file{page.origin() + "/robots.txt", "", "", std::string(accepted_types)};
    auto fetched = co_await get(page.host(), std::move(file), pause_);
    if (!fetched || fetched->status >= 500) co_return std::nullopt;
    auto work = [text = has_body(fetched) ? std::move(fetched->body) : std::string()] {
        return std::optional(RobotsRules(text, product));
    };
    co_return co_await beside_the_loop(reading_, std::move(work));
}

asio::awaitable<std::optional<Duration>> ArticlePages::pause_before(const http::Url& page) {
    auto origin = page.origin();
    auto robots = robots_.find(origin);
    if (robots == robots_.end()) {
        auto rules = co_await robots_of(page);
        robots = robots_.emplace(std::move(origin), std::move(rules)).first;
    }
    if (!robots->second) co_return std::nullopt;
    auto work = [&rules = *robots->second, target = page.target()] { return rules.allow(target); };
    const bool allowed = co_await beside_the_loop(reading_, std::move(work));
    if (!allowed) co_return std::nullopt;
    co_return std::max(pause_, robots->second->pause());
}

// Nothing: the page is no article, or cannot be had; the log says why.
asio::awaitable<std::optional<Page>> ArticlePages::article(std::string url) {
    auto parsed = http::Url::parse(url);
    if (!parsed) co_return std::nullopt;
    std::string trouble;
    auto pause = co_await pause_before(*parsed);
    if (!pause)
        trouble = "its site does not want to be read by programs (robots.txt)";
    else {
        http::FetchRequest request{parsed->text(), "", "", std::string(accepted_pages)};
        auto fetched = co_await get(parsed->host(), std::move(request), *pause);
        if (has_body(fetched)) {
            auto work = [answer = std::move(*fetched)] {
                return read_page(answer.body, answer.content_type, answer.final_url);
            };
            auto read = co_await beside_the_loop(reading_, std::move(work));
            if (read) co_return std::move(*read);
            trouble = read.error().reason;
        } else
            trouble = trouble_of(fetched, std::nullopt);
    }
    log::info("the page of a story could not be read",
              {{"feed", feed_.number}, {"url", parsed->shown()}, {"reason", trouble}});
    co_return std::nullopt;
}

// Another host than the feed's is asked only while nobody else asks it: whoever waited here for it could wait for us.
asio::awaitable<std::vector<std::size_t>> ArticlePages::read(News& news, std::span<const std::size_t> wanted) {
    const auto until = clock_.now() + pages_for;
    std::vector<std::size_t> left;
    for (auto i : wanted) {
        auto& story = news.items[i].story;
        auto host = host_of(story.url);
        std::optional<Hosts::Taken> taken;
        const bool foreign = host != own_host_;
        if (asked_ >= pages_at_once || clock_.now() >= until || stop_.stop_requested() ||
            (foreign && hosts_.busy(host))) {
            left.push_back(i);
            continue;
        }
        if (foreign) {
            hosts_.take(host);
            taken.emplace(hosts_, std::move(host));
        }
        ++asked_;
        auto page = co_await article(story.url);
        if (!page) continue;
        fill_from_page(story, *page);
        if (story.published_at) story.published_at = std::min(*story.published_at, clock_.now());
        news.items[i].bare = false;
    }
    co_return left;
}

}
