#include "http/fetch_now.hpp"
#include "storage/database.hpp"
#include "stories/poll_body.hpp"
#include "stories/poller.hpp"
#include "system/curl_loop.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <fmt/format.h>

namespace postrider::stories {
namespace asio = boost::asio;
namespace {

// A loop of one command, with what a poll needs.
struct Errand {
    Errand(const std::string& database_url, const http::ClientSettings& settings)
        : database(database_url), client(curl, settings),
          poller(context.get_executor(), database, client, clock, poll_settings(settings)) {}

    void spawn(asio::awaitable<PollReport> polling, PollReport& report) {
        asio::co_spawn(context, std::move(polling), [this, &report](std::exception_ptr failed, PollReport done) {
            if (failed && !failure) failure = failed;
            report = std::move(done);
        });
    }
    void run() {
        context.run();
        if (failure) std::rethrow_exception(failure);
    }

    asio::io_context context{1};
    system::SystemClock clock;
    system::CurlLoop curl{context.get_executor()};
    storage::Database database;
    http::Client client;
    Poller poller;
    std::exception_ptr failure;
};

}

std::vector<PollReport> poll_now(const std::string& database_url, std::span<const FeedId> feeds, Force force,
                                 const http::ClientSettings& settings) {
    Errand errand(database_url, settings);
    std::vector<PollReport> reports(feeds.size());
    std::size_t next = 0;
    auto some = [&]() -> asio::awaitable<PollReport> {
        PollReport last;
        while (next < feeds.size()) {
            auto place = next++;
            reports[place] = co_await errand.poller.poll(feeds[place], force);
        }
        co_return last;
    };
    constexpr std::size_t at_once = 8;
    std::vector<PollReport> unused(std::min(at_once, feeds.size()));
    for (auto& report : unused) errand.spawn(some(), report);
    errand.run();
    return reports;
}

PollReport poll_now(const std::string& database_url, FeedId feed, Force force, const http::ClientSettings& settings) {
    return std::move(poll_now(database_url, std::span(&feed, 1), force, settings).front());
}

PollReport add_feed(const std::string& database_url, const NewFeed& feed, const http::ClientSettings& settings) {
    Errand errand(database_url, settings);
    PollReport report;
    errand.spawn(errand.poller.add(feed), report);
    errand.run();
    return report;
}

std::expected<FetchedFeed, std::string> fetch_feed(const std::string& url, const http::ClientSettings& settings) {
    auto fetched = http::fetch_now({url, "", "", std::string(accepted_types)}, settings);
    if (!has_body(fetched)) {
        auto trouble = trouble_of(fetched, std::nullopt);
        return std::unexpected(trouble.empty() ? fmt::format("{} without a body", fetched->status) : trouble);
    }
    auto feed = parse_feed(fetched->body, fetched->content_type, fetched->final_url);
    if (!feed) return std::unexpected(not_a_feed(feed.error()));
    return FetchedFeed{std::move(*feed), std::move(*fetched)};
}

}
