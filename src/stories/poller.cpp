#include "stories/poller.hpp"

#include "http/url.hpp"
#include "storage/database.hpp"
#include "stories/article_pages.hpp"
#include "stories/beside.hpp"
#include "stories/fetches.hpp"
#include "stories/hosts.hpp"
#include "stories/news.hpp"
#include "stories/picture_reading.hpp"
#include "stories/pictures.hpp"
#include "stories/poll_body.hpp"
#include "system/log.hpp"
#include "system/random.hpp"
#include "system/signal.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/thread_pool.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <stop_token>
#include <tuple>

namespace postrider::stories {
namespace asio = boost::asio;
namespace {

constexpr int polls_at_once = 8;
constexpr int looked_at = 1000; // due feeds, so that the many of one host do not hide the others
// As long as a poll may hold a feed: when we die in its middle, the feed is asked again after this, not at each start.
constexpr Duration claimed_for = 5min;
constexpr Duration piece = 30ms;             // of a transaction
constexpr Duration pictures_since = 3 * 24h; // how long ago a story may have come whose pictures are still measured

double chance() { return double(system::random_below(1000)) / 1000; }

void log_change(const FeedRecord& before, const FeedRecord& after) {
    auto url = http::without_login(after.url);
    if (before.url != after.url)
        log::info("feed has moved",
                  {{"feed", after.id.number}, {"from", http::without_login(before.url)}, {"url", url}});
    if (before.state == after.state) return;
    if (after.state == FeedState::failing)
        log::warn("feed is failing", {{"feed", after.id.number}, {"url", url}, {"reason", after.last_error}});
    if (after.state == FeedState::gone)
        log::warn("feed is gone", {{"feed", after.id.number}, {"url", url}, {"reason", after.last_error}});
    if (after.state == FeedState::active) log::info("feed is well again", {{"feed", after.id.number}, {"url", url}});
}

}

struct Poller::State {
    State(asio::any_io_executor e, storage::Database& d, http::Client& c, system::Clock& t, PollSettings s)
        : executor(e), database(d), clock(t), settings(s), fetches(std::move(e), c) {}

    // ---- one poll

    struct Task {
        FeedRecord feed;
        std::vector<FeedPlace> places;
    };

    // The body is read and made safe on the reading thread, and handed back by value.
    asio::awaitable<Reading> read(http::Fetched answer, FindFeeds find) {
        auto work = [fetched = std::move(answer), find, now = clock.now(), stop = stop_reading.get_token()]() mutable {
            return read_body(std::move(fetched), find, now, stop);
        };
        auto reading = co_await beside_the_loop(reading_thread.get_executor(), std::move(work));
        if (stopping) throw boost::system::system_error(asio::error::operation_aborted); // it may be half of the feed
        co_return reading;
    }

    struct Answer {
        http::FetchResult fetched;
        std::optional<BodyResult> body;
        News news;
        FoundFeeds found;
        std::size_t pages = 0;
        bool pages_left = false; // some entries wait until their pages can be read
    };

    asio::awaitable<Answer> ask(http::FetchRequest request, FindFeeds find = FindFeeds::no) {
        const bool asked_for_changes = !(request.etag.empty() && request.last_modified.empty());
        request.accept = accepted_types;
        Answer answer;
        answer.fetched = co_await fetches.get(std::move(request));
        if (not_modified(answer.fetched) && !asked_for_changes)
            answer.fetched = std::unexpected(http::FetchError{
                http::FetchFailure::bad_answer, "304 Not Modified, though it was not asked what has changed"});
        if (!has_body(answer.fetched)) co_return answer;
        auto reading = co_await read(std::move(*answer.fetched), find);
        answer.fetched = std::move(reading.answer);
        answer.body = std::move(reading.result);
        answer.news = std::move(reading.news);
        answer.found = std::move(reading.found);
        co_return answer;
    }

    // Entries whose pages are still to be read are left for the next poll.
    asio::awaitable<void> read_pages(Task& task, Answer& answer, std::size_t most) {
        auto bare = [&](storage::Connection& connection) {
            return bare_news(connection, task.feed.id, task.places, answer.news, most);
        };
        auto wanted = co_await database.read(bare);
        ArticlePages pages(task.feed.id, host_of(task.feed.url), fetches, hosts, reading_thread.get_executor(), clock,
                           settings.between_pages, stop_reading.get_token());
        auto left = co_await pages.read(answer.news, wanted);
        answer.pages = pages.asked();
        const bool first = std::ranges::any_of(task.places, [](auto& place) { return !place.started; });
        if (first) co_return; // what is there already is taken note of as it is
        for (auto i : left) answer.news.items[i].waits = true;
        answer.pages_left = !left.empty();
    }

    asio::awaitable<void> store(Task& task, Answer& answer, PollReport& report) {
        const auto most = most_news(task.feed, clock.now());
        if (task.feed.read_pages && answer.body && *answer.body) co_await read_pages(task, answer, most);
        auto now = clock.now();
        auto after = after_poll(task.feed, answer.fetched, answer.body, now, chance(), settings);
        if (answer.pages_left) { // ask for the whole feed again
            after.etag.clear();
            after.last_modified.clear();
        }
        Taken taken;
        std::size_t next = 0;
        bool done = false;
        while (!done) {
            auto work = [&](storage::Connection& connection) {
                storage::Transaction transaction(connection);
                Feeds feeds(connection);
                next = take_news(connection, task.feed.id, task.places, answer.news, next, most, piece, now, taken);
                done = next >= answer.news.items.size();
                if (done) note(after, taken, answer.news.items.size(), now);
                if (done) finish(feeds, task, answer, after, now);
                transaction.commit();
                return true;
            };
            co_await database.write(work);
        }
        log_change(task.feed, after);
        report.feed = std::move(after);
        report.new_stories = taken.candidates;
        report.remembered = taken.remembered;
        report.items = std::size_t(std::ranges::count(answer.news.items, false, &NewsItem::waits));
        report.flooded = taken.flooded;
        report.new_ids = report.feed.new_ids_at == now ? taken.new_ids : 0;
        report.pages = answer.pages;
        if (report.flooded)
            log::warn("feed brought too much at once; only the newest are news",
                      {{"feed", task.feed.id.number}, {"remembered", report.flooded}});
        if (report.new_ids)
            log::warn("feed has given its stories new ids; they are not sent again",
                      {{"feed", task.feed.id.number}, {"stories", report.new_ids}});
        report.left_out = answer.news.left_out;
        report.not_modified = not_modified(answer.fetched);
        report.error = report.feed.last_error;
        if (answer.body && *answer.body) co_await measure_pictures(task.feed.id, host_of(task.feed.url));
    }

    // The stories are stored already: whatever happens here, they are sent.
    asio::awaitable<void> measure_pictures(FeedId feed, std::string host) {
        auto now = clock.now();
        auto find = [feed, now](storage::Connection& connection) {
            return Pictures(connection).newest(feed, now - pictures_since);
        };
        auto stories = co_await database.read(find);
        if (stories.empty() || stopping) co_return;
        // Bodies are taken apart where those of feeds are: pages wait for the database's thread.
        auto take_apart = [stories = std::move(stories)] { return unsized_pictures(stories); };
        auto shown = co_await beside_the_loop(reading_thread.get_executor(), std::move(take_apart));
        if (shown.empty() || stopping) co_return;
        auto choose = [&](storage::Connection& connection) {
            return Pictures(connection).unread(shown, pictures_at_once);
        };
        auto urls = co_await database.read(choose);
        if (urls.empty() || stopping) co_return;
        auto read =
            co_await read_pictures(std::move(urls), std::move(host), fetches, hosts, clock, stop_reading.get_token());
        if (read.empty()) co_return;
        auto keep = [&](storage::Connection& connection) {
            storage::Transaction transaction(connection);
            for (auto& picture : read) Pictures(connection).keep(picture.url, picture.size, now);
            transaction.commit();
            return true;
        };
        co_await database.write(keep);
    }

    // What the operator is told of the feed's identity and of floods. One story under a new id happens; many at once
    // mean that the publisher's software has changed.
    static void note(FeedRecord& after, const Taken& taken, std::size_t items, Time now) {
        if (taken.new_ids >= 3 && taken.new_ids * 2 >= items) {
            after.new_ids = int(taken.new_ids);
            after.new_ids_at = now;
        }
        if (taken.candidates > 0) note_news(after, now);
        if (taken.flooded == 0) return;
        after.flooded = int(taken.flooded);
        after.flooded_at = now;
    }

    static void finish(Feeds& feeds, const Task& task, const Answer& answer, FeedRecord& after, Time now) {
        if (answer.body && *answer.body)
            for (const auto& place : task.places) feeds.start(task.feed.id, place.list, now);
        if (!feeds.record(after)) return;
        auto moved_to = after.url;
        after = feeds.find(after.id).value();
        if (after.url != moved_to)
            log::warn("feed has moved to the address of another feed; remove one of them",
                      {{"feed", after.id.number},
                       {"url", http::without_login(after.url)},
                       {"other", http::without_login(moved_to)}});
    }

    // A list that has not started needs the whole feed, not the news since last time.
    asio::awaitable<void> poll(Task& task, PollReport& report) {
        http::FetchRequest request{task.feed.url, "", ""};
        if (std::ranges::all_of(task.places, &FeedPlace::started)) {
            request.etag = task.feed.etag;
            request.last_modified = task.feed.last_modified;
        }
        auto answer = co_await ask(std::move(request));
        co_await store(task, answer, report);
    }

    // ---- what is due

    asio::awaitable<void> poll_due(FeedId id, std::string host) {
        Hosts::Taken taken(hosts, std::move(host));
        auto now = clock.now();
        auto claim = [id, now](storage::Connection& connection) {
            storage::Transaction transaction(connection);
            Feeds feeds(connection);
            std::optional<Task> task;
            if (auto feed = feeds.claim(id, now, now + claimed_for)) task = Task{*feed, feeds.places_of(id)};
            transaction.commit();
            return task;
        };
        auto task = co_await database.write(claim);
        if (!task || stopping) co_return;
        PollReport report;
        co_await poll(*task, report);
        if (report.error.empty())
            log::debug("feed polled", {{"feed", id.number}, {"new", report.new_stories}});
        else
            log::debug("feed could not be polled", {{"feed", id.number}, {"reason", report.error}});
    }

    // Called with the host free.
    void start(const FeedRecord& feed, std::string host) {
        hosts.take(host);
        ++under_way;
        auto id = feed.id;
        asio::co_spawn(executor, poll_due(id, std::move(host)), [this, id](std::exception_ptr failure) {
            --under_way;
            ended(id, failure);
            wake.set();
        });
    }

    void ended(FeedId id, std::exception_ptr failure) const {
        if (!failure || stopping) return;
        try {
            std::rethrow_exception(failure);
        } catch (const std::exception& error) {
            log::error("feed could not be polled", {{"feed", id.number}, {"reason", error.what()}});
        }
    }

    asio::awaitable<void> look() {
        auto now = clock.now();
        auto work = [now](storage::Connection& connection) { return Feeds(connection).due(now, looked_at); };
        std::string trouble;
        try {
            auto due = co_await database.read(work);
            nothing_due = due.empty();
            for (const auto& feed : due) {
                if (under_way >= polls_at_once || stopping) break;
                auto host = host_of(feed.url);
                if (!hosts.busy(host)) start(feed, std::move(host));
            }
        } catch (const storage::Error& error) {
            trouble = error.what();
        }
        if (trouble != stalled && !trouble.empty())
            log::error("feeds are not polled: the database cannot be read", {{"reason", trouble}});
        stalled = trouble;
    }

    asio::any_io_executor executor;
    storage::Database& database;
    system::Clock& clock;
    PollSettings settings;
    Fetches fetches;
    asio::thread_pool reading_thread{1};

    std::stop_source stop_reading;
    system::Signal wake;
    Hosts hosts{wake};
    int under_way = 0; // of run()
    bool nothing_due = false, stopping = false;
    std::string stalled;
};

Poller::Poller(asio::any_io_executor executor, storage::Database& database, http::Client& client, system::Clock& clock,
               PollSettings settings)
    : state_(std::make_unique<State>(std::move(executor), database, client, clock, settings)) {}

Poller::~Poller() {
    state_->stop_reading.request_stop();
    state_->reading_thread.join();
}

asio::awaitable<PollReport> Poller::poll(FeedId id, Force force) {
    auto& state = *state_;
    PollReport report;
    auto find = [id](storage::Connection& connection) { return Feeds(connection).find(id); };
    auto feed = co_await state.database.read(find);
    if (!feed) {
        report.error = fmt::format("there is no feed {}", id.number);
        co_return report;
    }
    auto host = host_of(feed->url);
    co_await state.hosts.wait_for(host);
    Hosts::Taken taken(state.hosts, std::move(host));

    auto now = state.clock.now();
    auto begin = [id, now, force](storage::Connection& connection) {
        storage::Transaction transaction(connection);
        Feeds feeds(connection);
        std::optional<State::Task> task;
        if (auto known = feeds.find(id)) {
            task = State::Task{*known, feeds.places_of(id)};
            bool waits = force == Force::no && known->retry_after_until && *known->retry_after_until > now;
            if (!waits) std::ignore = feeds.claim(id, now, now + claimed_for);
        }
        transaction.commit();
        return task;
    };
    auto task = co_await state.database.write(begin);
    if (!task) {
        report.error = fmt::format("there is no feed {}", id.number);
        co_return report;
    }
    report.feed = task->feed;
    if (force == Force::no && task->feed.retry_after_until && *task->feed.retry_after_until > now) {
        report.waits_until = task->feed.retry_after_until;
        co_return report;
    }
    co_await state.poll(*task, report);
    co_return report;
}

asio::awaitable<PollReport> Poller::add(NewFeed wanted) {
    auto& state = *state_;
    PollReport report;
    auto url = http::Url::parse(wanted.url);
    if (!url) {
        report.error = fmt::format("{} {}", wanted.url, url.error());
        co_return report;
    }
    auto host = url->host();
    co_await state.hosts.wait_for(host);
    Hosts::Taken taken(state.hosts, std::move(host));

    auto now = state.clock.now();
    auto find = [&](storage::Connection& connection) { return Feeds(connection).find(url->text()); };
    auto known = co_await state.database.read(find);
    auto every = wanted.every.value_or(state.settings.every);
    auto keep = [&](storage::Connection& connection) {
        storage::Transaction transaction(connection);
        Feeds feeds(connection);
        auto added = feeds.add(url->text(), wanted.list, every, wanted.catch_up, now);
        if (wanted.read_pages) std::ignore = feeds.set_read_pages(added.feed.id, *wanted.read_pages);
        if (wanted.weight) std::ignore = feeds.set_weight(added.feed.id, *wanted.weight);
        added.feed = feeds.find(added.feed.id).value();
        std::ignore = feeds.claim(added.feed.id, now, now + claimed_for);
        State::Task task{added.feed, feeds.places_of(added.feed.id)};
        if (!added.new_for_list) report.error = fmt::format("feed {} serves this list already", added.feed.id.number);
        transaction.commit();
        return task;
    };
    if (known && known->retry_after_until && *known->retry_after_until > now) {
        auto task = co_await state.database.write(keep);
        report.feed = std::move(task.feed);
        report.waits_until = known->retry_after_until;
        co_return report;
    }

    http::FetchRequest request{url->text(), "", ""};
    auto answer = co_await state.ask(std::move(request), FindFeeds::yes);
    report.error = trouble_of(answer.fetched, answer.body);
    report.found = std::move(answer.found);
    if (!report.error.empty()) co_return report;
    auto task = co_await state.database.write(keep);
    report.feed = task.feed;
    if (report.error.empty()) co_await state.store(task, answer, report);
    co_return report;
}

asio::awaitable<void> Poller::run() {
    auto& state = *state_;
    while (!state.stopping || state.under_way > 0) {
        if (!state.stopping) co_await state.look();
        if (state.stopping && state.under_way == 0) co_return;
        co_await state.wake.wait();
    }
}

void Poller::tick() { state_->wake.set(); }

void Poller::stop() {
    state_->stopping = true;
    state_->stop_reading.request_stop();
    state_->fetches.give_up();
    state_->wake.set();
}

bool Poller::idle() const { return state_->nothing_due && state_->under_way == 0; }

}
