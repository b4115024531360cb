#include "daemon/daemon.hpp"

#include "daemon/readiness.hpp"
#include "daemon/routes.hpp"
#include "delivery/letters.hpp"
#include "digest/notices.hpp"
#include "subscribers/consent.hpp"
#include "subscribers/sign_up.hpp"
#include "system/log.hpp"

#include <boost/asio/co_spawn.hpp>
#include <fmt/format.h>

#include <csignal>
#include <iostream>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <thread>

namespace postrider::daemon {
namespace {

constexpr Duration beat = 200ms;           // how soon a command of another process is noticed
constexpr Duration messages_may_take = 5s; // of the eight seconds in which a stopping daemon leaves
constexpr Duration connections_may_take = 6500ms;

constexpr int removed_at_once = 500; // rows of a kind in one transaction: it keeps the writing thread for some ms

constexpr std::size_t few_handlers = 8;
constexpr auto breath = std::chrono::microseconds(300);

storage::Database opened(const Site& site, Time now) {
    auto connection = open_database(site, now);
    check_keys(connection, subscribers::LinkTokens(site.key_file()), site);
    return storage::Database(site.database_url);
}

std::shared_ptr<const std::vector<mail::dkim::Signer>> signers(const Site& site) {
    if (!site.dkim) return nullptr;
    auto signers = mail::dkim::load_signers(*site.dkim, site.keys);
    if (!signers) throw std::runtime_error("[dkim]: " + signers.error());
    return std::make_shared<const std::vector<mail::dkim::Signer>>(std::move(*signers));
}

// A thousand readers' browsers and a few hundred relay connections need more files than the usual soft limit.
void allow_many_files() {
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, 65'536);
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0) log::warn("the limit of open files stays low");
}

}

Daemon::Daemon(const Site& site, Mode mode, system::Clock& clock)
    : site_(site), mode_(mode), clock_(clock), database_(opened(site, clock_.now())), tokens_(site.key_file()),
      templates_(site.templates), curl_(loop_.get_executor()), client_(curl_, site.feeds),
      feeds_(loop_.get_executor(), database_, client_, clock_, stories::poll_settings(site.feeds, site.feed_every)),
      delivery_(loop_.get_executor(), database_, clock_, tokens_,
                {site.retry, site.words.url, site.domain_rates, site.rate, signers(site)}, lanes()),
      pages_(database_, clock_, templates_, tokens_, site.words, site.sign_up,
             {outbox_ ? std::optional(site.outbox) : std::nullopt, [this] { return what_is_wrong(); }, &mail_hosts_}),
      server_(loop_.get_executor(), site.http, routes(pages_, {site.cors_origins, &kept_answers_}), refusals(pages_)) {
    for (auto& relay : site.relays) relay_names_.push_back(relay.lane.relay.name);
    if (auto address = mail::parse_address(site.operator_address)) operator_ = *address;
}

std::vector<delivery::LaneSettings> Daemon::lanes() {
    std::vector<delivery::LaneSettings> lanes;
    for (auto& relay : site_.relays) {
        auto lane = relay.lane;
        if (relay.outbox) {
            if (!outbox_) outbox_.emplace(loop_.get_executor(), site_.outbox, clock_);
            lane.relay.url = outbox_->url();
            lane.relay.tls = smtp::Tls::never;
        }
        lanes.push_back(std::move(lane));
    }
    return lanes;
}

std::string Daemon::url() const {
    auto host = site_.http.listen.substr(0, site_.http.listen.rfind(':'));
    return fmt::format("http://{}:{}", host, server_.port());
}

void Daemon::spawn(std::string_view name, boost::asio::awaitable<void> part) {
    parts_.insert(name);
    boost::asio::co_spawn(loop_, std::move(part), [this, name](std::exception_ptr error) {
        parts_.erase(name);
        if (!error) return;
        try {
            std::rethrow_exception(error);
        } catch (const std::exception& problem) {
            log::error("a part of the daemon failed; leaving", {{"part", name}, {"reason", problem.what()}});
        }
        status_ = 1;
        stop();
    });
}

int Daemon::run() {
    start();
    while (!finished()) {
        auto handlers = loop_.run_one() + loop_.poll();
        if (handlers < few_handlers && delivery_.lets_replies_collect()) std::this_thread::sleep_for(breath);
    }
    return status_;
}

void Daemon::start() {
    std::signal(SIGPIPE, SIG_IGN); // a peer that hung up is an error of that connection, not of the program
    allow_many_files();
    prctl(PR_SET_TIMERSLACK, 1000UL); // the millisecond in which outcomes gather is to be one
    if (outbox_) outbox_->run();
    if (mode_ == Mode::forever) {
        server_.listen();
        spawn("pages", server_.run());
    }
    spawn("delivery", delivery_.run());
    spawn("feeds", feeds_.run());
    spawn("clock", keep_time());
    signals_.add(SIGTERM);
    signals_.add(SIGINT);
    signals_.async_wait([this](boost::system::error_code error, int signal) {
        if (error) return;
        log::info("stopping", {{"signal", signal}});
        stop();
    });
    if (mode_ == Mode::forever) log::info("ready", {{"url", url()}, {"site", site_.folder.string()}});
    tell_systemd("READY=1");
}

void Daemon::stop() {
    if (std::exchange(stopping_, true)) return;
    tell_systemd("STOPPING=1");
    spawn("leaving", leave());
}

// Stop accepting, stop claiming, let messages on their way finish within a limit, record, leave.
boost::asio::awaitable<void> Daemon::leave() {
    database_.stop_waiting();
    server_.stop();
    feeds_.stop();
    delivery_.stop(messages_may_take);
    auto until = clock_.now() + connections_may_take;
    auto at_work = [this] {
        return parts_.contains("pages") || parts_.contains("delivery") || parts_.contains("feeds");
    };
    while (at_work() && clock_.now() < until) co_await clock_.sleep_for(20ms);
    server_.close();
    if (outbox_) outbox_->stop();
    signals_.cancel();
}

// Five times a second: what did other processes write, what became due?
boost::asio::awaitable<void> Daemon::keep_time() {
    while (!stopping_ || parts_.size() > 1) { // the clock leaves last
        bool changed = co_await somebody_wrote();
        kept_answers_.forget();
        auto now = clock_.now();
        if (now < std::exchange(last_beat_, now)) co_await begin_anew();
        if (!stopping_ && !database_.still_in_place()) {
            log::error("the database was deleted or replaced, or its log cut off, under the daemon; leaving, as all "
                       "that is written now is lost",
                       {{"file", site_.database_file.string()}});
            status_ = 1;
            stop();
        }
        if (!stopping_ && (changed || now >= next_publishing_)) {
            refresh_keys();
            co_await publish_due();
        }
        if (!stopping_ && now >= next_watching_) co_await watch();
        if (!stopping_ && now >= next_tidying_) co_await tidy();
        delivery_.tick(changed);
        feeds_.tick();
        if (mode_ == Mode::once && !stopping_ && feeds_.idle() && (delivery_.idle() || delivery_.all_held())) stop();
        co_await clock_.sleep_for(beat);
    }
}

// At the start, and when the clock was set back: what was put off until a time that may never have been right is done now.
boost::asio::awaitable<void> Daemon::begin_anew() {
    next_publishing_ = next_watching_ = next_tidying_ = {};
    auto now = clock_.now();
    auto mend = [now](storage::Connection& connection) {
        stories::Feeds(connection).mend_times(now);
        return true;
    };
    try {
        co_await database_.write(mend);
    } catch (const storage::Error& error) {
        log::warn("feeds may wait longer than they should", {{"reason", error.what()}});
    }
}

boost::asio::awaitable<bool> Daemon::somebody_wrote() {
    try {
        auto version = co_await database_.data_version();
        co_return std::exchange(data_version_, version) != version;
    } catch (const storage::Error&) {
        co_return false; // the reads that follow say what is wrong
    }
}

// A key that an operator added, or put back, is used within a second.
void Daemon::refresh_keys() {
    std::string trouble;
    try {
        tokens_.refresh();
    } catch (const std::exception& error) {
        trouble = error.what();
    }
    if (trouble != keys_trouble_ && !trouble.empty())
        log::error("the keys cannot be read again; those in memory go on", {{"reason", trouble}});
    keys_trouble_ = std::move(trouble);
}

boost::asio::awaitable<void> Daemon::publish_due() {
    auto now = clock_.now();
    next_publishing_ = now + 1s;
    std::vector<std::string> errors;
    auto due = [&](storage::Connection& connection) {
        return digest::Publishing(connection, templates_, tokens_, site_.words).anything_due(now);
    };
    auto publish = [&](storage::Connection& connection) {
        return digest::Publishing(connection, templates_, tokens_, site_.words)
            .publish_due(now, site_.catch_up, errors);
    };
    try {
        bool anything = co_await database_.read(due);
        std::vector<digest::Publishing::Fired> fired;
        if (anything) fired = co_await database_.write(publish);
        for (auto& [list, slot, outcome] : fired) {
            for (auto& fault : outcome.warnings)
                log::warn("a template has a fault", {{"list", list.slug}, {"fault", fault.text()}});
            if (outcome.issue && slot > now)
                log::info("issue waits for its editor",
                          {{"list", list.slug}, {"issue", outcome.issue->number}, {"slot", rfc3339(slot)}});
            else if (outcome.issue)
                log::info("issue scheduled",
                          {{"list", list.slug}, {"issue", outcome.issue->number}, {"slot", rfc3339(slot)}});
            else
                log::info("slot skipped", {{"list", list.slug}, {"slot", rfc3339(slot)}, {"reason", outcome.why_not}});
        }
    } catch (const storage::Error& error) {
        errors.push_back(error.what());
    }
    auto trouble = errors.empty() ? std::string() : errors.front();
    if (trouble != publishing_trouble_ && !trouble.empty())
        log::error("an issue cannot be made", {{"reason", trouble}});
    publishing_trouble_ = trouble;
}

// Once a minute: what should the operator hear of?
boost::asio::awaitable<void> Daemon::watch() {
    auto now = clock_.now();
    next_watching_ = now + 1min;
    auto look = [&](storage::Connection& connection) {
        digest::Notices notices(connection, site_.words, operator_, relay_names_);
        auto found = notices.troubles(now);
        auto anything = notices.anything_new(found, now);
        return std::pair(std::move(found), anything);
    };
    try {
        auto [found, anything] = co_await database_.read(look);
        troubles_ = std::move(found);
        if (!anything) co_return;
        auto languages = templates::Languages(templates_);
        auto words = languages.words({site_.language});
        auto write = [&](storage::Connection& connection) {
            return digest::Notices(connection, site_.words, operator_, relay_names_).take_note(words, now);
        };
        auto told = co_await database_.write(write);
        auto english = languages.words({"en"});
        for (auto& trouble : told.begun)
            log::warn("trouble", {{"what", digest::sentence_of(trouble, english)}, {"told", told.mailed}});
        for (auto& trouble : told.cured)
            log::info("well again", {{"what", digest::sentence_of(trouble, english)}, {"told", told.mailed}});
    } catch (const storage::Error& error) {
        log::warn("troubles could not be looked for; the next try is in a minute", {{"reason", error.what()}});
    }
}

// Once an hour: what must not be kept for ever.
boost::asio::awaitable<void> Daemon::tidy() {
    auto now = clock_.now();
    next_tidying_ = now + 1h;
    struct Removed {
        std::int64_t budgets, clients, letters, sign_ups;
    };
    auto purge = [&](storage::Connection& connection) {
        return Removed{
            subscribers::Budgets(connection, tokens_, site_.sign_up).purge(now, removed_at_once),
            subscribers::truncate_clients(connection, now - site_.sign_up.keep_clients, removed_at_once),
            delivery::Letters(connection).purge(now - site_.sign_up.purge_after, removed_at_once),
            subscribers::SignUps(connection, tokens_, site_.sign_up).purge(now, removed_at_once),
        };
    };
    try {
        auto removed = co_await database_.write(purge);
        if (removed.sign_ups > 0) log::info("sign-ups purged", {{"count", removed.sign_ups}});
        // More is waiting: pages and outcomes first, then the next few.
        auto most = std::max({removed.budgets, removed.clients, removed.letters, removed.sign_ups});
        if (most >= removed_at_once) next_tidying_ = now + 1s;
    } catch (const storage::Error& error) {
        log::warn("tidying failed; the next try is in an hour", {{"reason", error.what()}});
    }
}

std::vector<std::string> Daemon::what_is_wrong() const {
    std::vector<std::string> wrong;
    if (!delivery_.stalled().empty()) wrong.push_back("outcomes cannot be recorded: " + delivery_.stalled());
    if (delivery_.stalled().empty() && !database_.trouble().empty())
        wrong.push_back("the database takes nothing: " + database_.trouble());
    if (!publishing_trouble_.empty()) wrong.push_back("an issue cannot be made: " + publishing_trouble_);
    if (!keys_trouble_.empty()) wrong.push_back("keys: " + keys_trouble_);
    for (auto& mailing : delivery_.broken()) wrong.push_back(mailing);
    for (auto& trouble : troubles_)
        if (trouble.kind != digest::TroubleKind::relay_held) // which the lanes know better
            wrong.push_back(digest::sentence_of(trouble, english_));
    for (auto& lane : delivery_.lanes()) {
        if (!lane.held_until) continue;
        // Between two tries the hold is over and the trouble is not.
        auto state = *lane.held_until > clock_.now() ? "held until " + rfc3339(*lane.held_until)
                                                     : std::string("being tried again");
        wrong.push_back(fmt::format("relay {} is {}: {}", lane.name, state, lane.reason));
    }
    return wrong;
}

int serve(const Site& site, Mode mode) {
    log::configure(site.log_level, site.log_format);
    auto lock = Lock::take(site);
    if (!lock) {
        std::cerr << fmt::format(
            "postrider: another daemon serves {} already; commands reach it through the database\n",
            site.folder.string());
        return 1;
    }
    system::SystemClock clock;
    Daemon daemon(site, mode, clock);
    return daemon.run();
}

}
