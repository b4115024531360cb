#include "http/client.hpp"
#include "storage/database.hpp"
#include "stories/poller.hpp"
#include "system/clock.hpp"
#include "system/curl_loop.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <exception>
#include <string>
#include <vector>

// How long a poll holds the loop's thread.
//
// In:   the URL of a database that is migrated and has feeds, and the numbers of feeds to poll, one after the other.
// Out:  one line of JSON for each: the longest that a single step of the loop took, in processor time, and how long all
//       of them took. A connection that waits meanwhile waits that long.

using namespace postrider;

namespace {

double processor_ms() {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return double(now.tv_sec) * 1e3 + double(now.tv_nsec) / 1e6;
}

struct Steps {
    double longest = 0, all = 0;
    std::size_t count = 0;

    void take(double ms) {
        longest = std::max(longest, ms);
        all += ms;
        ++count;
    }
};

}

int main(int count, char** arguments) {
    if (count < 3) {
        fmt::print(stderr, "bench_holding DATABASE_URL FEED...\n");
        return 2;
    }
    boost::asio::io_context context{1};
    system::SystemClock clock;
    system::CurlLoop curl{context.get_executor()};
    storage::Database database(arguments[1]);
    http::ClientSettings settings;
    settings.allow_private_addresses = true;
    http::Client client(curl, settings);
    stories::Poller poller(context.get_executor(), database, client, clock, stories::poll_settings(settings, 30min));
    for (int i = 2; i < count; ++i) {
        stories::PollReport report;
        std::exception_ptr failure;
        bool done = false;
        boost::asio::co_spawn(context, poller.poll(FeedId{std::stoll(arguments[i])}, stories::Force::yes),
                              [&](std::exception_ptr failed, stories::PollReport given) {
                                  failure = failed;
                                  report = std::move(given);
                                  done = true;
                              });
        Steps steps;
        context.restart();
        while (!done) {
            const auto began = processor_ms();
            if (context.run_one() == 0) break;
            steps.take(processor_ms() - began);
        }
        if (failure) std::rethrow_exception(failure);
        fmt::print(R"({{"feed": {}, "longest_ms": {:.2f}, "all_ms": {:.1f}, "steps": {}, "items": {}, "error": "{}"}})"
                   "\n",
                   arguments[i], steps.longest, steps.all, steps.count, report.items,
                   report.error.substr(0, report.error.find('"')));
    }
    return 0;
}
