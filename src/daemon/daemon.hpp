#pragma once

#include "daemon/kept_answers.hpp"
#include "daemon/lock.hpp"
#include "daemon/site.hpp"
#include "delivery/dispatcher.hpp"
#include "digest/publishing.hpp"
#include "digest/troubles.hpp"
#include "http/client.hpp"
#include "http/server.hpp"
#include "smtp/outbox.hpp"
#include "storage/database.hpp"
#include "stories/poller.hpp"
#include "subscribers/link_tokens.hpp"
#include "system/clock.hpp"
#include "system/curl_loop.hpp"
#include "system/mail_hosts.hpp"
#include "templates/source.hpp"
#include "templates/words.hpp"
#include "web/pages.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

// The program as a service: pages, feeds, schedule and delivery of one site. The members are its table of contents, bottom room first.
//
// In:     a site whose lock is held by us; signals; what other processes write to the database.
// Out:    issues on time, and an exit status.
// Always: SIGTERM and SIGINT take no more work, let messages on their way finish, record, and leave within eight seconds. The
//         database is the control socket: a command takes effect within a second. A broken room (a template, a feed, a relay, a full
//         disk) is logged and shown by /health, and the others go on.
// Threads: one loop thread (this one) owns sockets and timers; storage::Database has the threads that touch the database,
//          system::MailHosts those that wait for DNS.

namespace postrider::daemon {

enum class Mode {
    forever,
    once // do all that is due now, then leave
};

class Daemon {
public:
    // Both must outlive it.
    Daemon(const Site& site, Mode mode, system::Clock& clock);

    // Until a signal, stop(), or (once) until nothing is due. Returns the exit status.
    int run();
    void stop();

    // run() in pieces, for whoever turns loop() with their own hands: a test whose clock stands still, the demo.
    void start();
    [[nodiscard]] bool finished() const { return parts_.empty(); }
    [[nodiscard]] bool waits() const { return database_.idle(); } // for the loop only, and not for the database

    [[nodiscard]] boost::asio::io_context& loop() { return loop_; }
    [[nodiscard]] stories::Poller& feeds() { return feeds_; }
    [[nodiscard]] std::uint16_t port() const { return server_.port(); }
    [[nodiscard]] std::string url() const; // where the pages are, on this machine

private:
    boost::asio::awaitable<void> keep_time();
    boost::asio::awaitable<bool> somebody_wrote();
    void refresh_keys();
    boost::asio::awaitable<void> publish_due();
    boost::asio::awaitable<void> watch();
    boost::asio::awaitable<void> begin_anew();
    boost::asio::awaitable<void> tidy();
    boost::asio::awaitable<void> leave();
    void spawn(std::string_view name, boost::asio::awaitable<void> part);
    [[nodiscard]] std::vector<delivery::LaneSettings> lanes();
    [[nodiscard]] std::vector<std::string> what_is_wrong() const;

    const Site& site_;
    Mode mode_;
    boost::asio::io_context loop_{BOOST_ASIO_CONCURRENCY_HINT_UNSAFE_IO}; // sockets and timers are this thread's alone
    boost::asio::signal_set signals_{loop_};
    system::Clock& clock_;
    storage::Database database_;
    subscribers::LinkTokens tokens_;
    templates::Library templates_;
    system::MailHosts mail_hosts_{clock_};
    system::CurlLoop curl_;
    http::Client client_;
    std::optional<smtp::Outbox> outbox_;
    stories::Poller feeds_;
    delivery::Dispatcher delivery_;
    web::Pages pages_;
    KeptAnswers kept_answers_;
    http::Server server_;

    std::set<std::string_view> parts_; // coroutines that run() waits for
    int status_ = 0;
    bool stopping_ = false;
    std::string publishing_trouble_, keys_trouble_;
    std::int64_t data_version_ = -1;
    std::vector<std::string> relay_names_;
    std::optional<mail::Address> operator_;
    std::vector<digest::Trouble> troubles_;                                 // as of the last look
    const templates::Words english_ = templates::Languages().words({"en"}); // in which /health speaks
    Time last_beat_ = Time::max();
    Time next_publishing_{}, next_tidying_{}, next_watching_{};
};

// What `postrider serve` does; one line on standard error and status 1 when another daemon serves the site.
int serve(const Site& site, Mode mode);

}
