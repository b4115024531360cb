#pragma once

#include "daemon/daemon.hpp"
#include "digest/publishing.hpp"
#include "http/server.hpp"
#include "storage/connection.hpp"
#include "subscribers/lists.hpp"
#include "subscribers/subscriptions.hpp"
#include "support/scripted_relay.hpp"
#include "support/simulated_clock.hpp"

#include <boost/asio/co_spawn.hpp>
#include <curl/curl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <memory>

namespace postrider {

// A whole site in simulated time: the real daemon on a real database with the real templates; the clock stands still, the relay does
// what it is told, the publisher's feed is a string. Its words are those of a newsroom.
class Newsroom {
public:
    explicit Newsroom(std::string_view starts_at = "2026-11-23T12:00:00Z", std::string more_configuration = "",
                      std::string more_of_the_site = "")
        : clock_(loop_of_peers_.get_executor(), parse_rfc3339(starts_at).value()),
          relay_(loop_of_peers_.get_executor()), more_configuration_(std::move(more_configuration)),
          more_of_the_site_(std::move(more_of_the_site)) {
        auto pattern = (std::filesystem::temp_directory_path() / "postrider-newsroom-XXXXXX").string();
        folder_ = mkdtemp(pattern.data());
        log::configure(log::Level::error, log::Format::text);
        publisher_.emplace(loop_of_peers_.get_executor(), http::ServerSettings{.listen = "127.0.0.1:0"},
                           [this](http::Request request) { return publish(std::move(request)); });
        publisher_->listen();
        boost::asio::co_spawn(loop_of_peers_, publisher_->run(), [](std::exception_ptr) {});
        configure();
        opens();
        connection_.emplace(site_->database_url);
        subscribers::List list;
        list.slug = "daily";
        list.title = "The Daily";
        list.sender = "The Courier <news@courier.example>";
        list_ = subscribers::Lists(*connection_).add(list, clock_.now()).value();
    }
    ~Newsroom() {
        closes();
        connection_.reset();
        std::filesystem::remove_all(folder_);
    }

    // ---- the operator

    void opens() {
        daemon_.emplace(*site_, daemon::Mode::forever, clock_);
        daemon_->start();
        settles();
    }
    void closes() {
        if (!daemon_) return;
        daemon_->stop();
        for (int i = 0; i < 200 && !daemon_->finished(); ++i) beats();
        EXPECT_TRUE(daemon_->finished()) << "the daemon does not stop";
        daemon_.reset();
    }
    subscribers::List& list() { return list_; }
    void changes_the_list() { list_ = subscribers::Lists(*connection_).update(list_, clock_.now()).value(); }
    void sets_the_schedule(const std::string& expression, const std::string& zone) {
        list_.schedule = expression;
        list_.timezone = zone;
        changes_the_list();
    }
    std::optional<IssueId> sends_an_issue() {
        templates::Library library(site_->templates);
        subscribers::LinkTokens tokens(site_->key_file());
        auto outcome = digest::Publishing(*connection_, library, tokens, site_->words).publish(list_, {}, clock_.now());
        settles();
        return outcome.issue;
    }
    std::vector<digest::Issue> issues() { return digest::Issues(*connection_).of_list(list_.id); }
    delivery::Balance balance(IssueId issue) {
        return delivery::Mailings(*connection_).balance(digest::Issues(*connection_).find(issue)->mailing.value());
    }
    storage::Connection& database() { return *connection_; }

    // ---- the publisher

    void publishes(const std::string& title, const std::string& url) {
        items_ = fmt::format("<item><title>{}</title><link>{}</link><guid>{}</guid></item>", title, url, url) + items_;
    }
    void is_down(bool down) { publisher_is_down_ = down; } // the publisher's server
    FeedId adds_the_feed() {
        auto report = in_daemon<stories::PollReport>([this]() -> boost::asio::awaitable<stories::PollReport> {
            stories::NewFeed fresh{fmt::format("http://127.0.0.1:{}/feed", publisher_->port()), list_.id, {}, 0};
            co_return co_await daemon_->feeds().add(fresh);
        });
        EXPECT_EQ(report.error, "");
        return report.feed.id;
    }

    // ---- readers

    class Reader {
    public:
        Reader(Newsroom& room, std::string address) : room_(room), address_(std::move(address)) {}
        Reader& joins() {
            EXPECT_EQ(room_.post("/join/daily", "email=" + address_), 200);
            room_.settles();
            return *this;
        }
        Reader& confirms() {
            EXPECT_EQ(room_.post(room_.path_in(room_.newest_mail_to(address_), "/confirm/"), ""), 200);
            return *this;
        }
        Reader& leaves() {
            EXPECT_EQ(
                room_.post(room_.path_in(room_.newest_mail_to(address_), "/leave/"), "List-Unsubscribe=One-Click"),
                200);
            return *this;
        }
        Reader& is_active() {
            subscribers::LinkTokens tokens(room_.site_->key_file());
            subscribers::Subscriptions(*room_.connection_, tokens)
                .add(room_.list_.id, mail::parse_address(address_).value(), {}, "in person", "test",
                     room_.clock_.now());
            return *this;
        }
        [[nodiscard]] int mails() const { return room_.relay_.messages_for(address_); }

    private:
        Newsroom& room_;
        std::string address_;
    };
    Reader reader(const std::string& address) { return Reader(*this, address); }

    // ---- time

    test::SimulatedClock& clock() { return clock_; }
    test::ScriptedRelay& relay() { return relay_; }
    // Lets everything happen that happens now, and in the next second or two.
    void settles() {
        for (int i = 0; i < 8; ++i) beats();
    }
    void passes(Duration length, Duration step = 1min) {
        auto until = clock_.now() + length;
        while (clock_.now() < until) {
            clock_.advance(std::min(step, until - clock_.now()));
            settles();
        }
    }

    // ---- what a browser does

    int get(const std::string& path) { return request(path, std::nullopt); }
    int post(const std::string& path, const std::string& body) { return request(path, body); }
    const std::string& page() const { return page_; }

    std::string newest_mail_to(const std::string& address) const {
        std::string newest;
        for (auto& mail : relay_.messages())
            if (mail.to == address) newest = mail.bytes;
        EXPECT_NE(newest, "") << "no mail to " << address;
        return newest;
    }
    std::string path_in(std::string mail, const std::string& begin) const {
        for (auto at = mail.find("=\r\n"); at != mail.npos; at = mail.find("=\r\n", at)) mail.erase(at, 3);
        auto at = mail.find(site_->words.url + begin);
        if (at == mail.npos) {
            ADD_FAILURE() << "no link " << begin << " in the mail";
            return "/";
        }
        at += site_->words.url.size();
        return mail.substr(at, mail.find_first_of(" \r\n\"<>", at) - at);
    }

private:
    void configure() {
        std::ofstream(folder_ / "postrider.toml") << fmt::format(R"toml([site]
name = "The Courier"
from = "The Courier <news@courier.example>"
url = "http://127.0.0.1:8025"
postal_address = "1 Press Square"
{}
[http]
listen = "127.0.0.1:0"
[[relay]]
name = "test"
url = "{}"
[feeds]
allow_private_addresses = true
[signup]
check_mx = false
{})toml",
                                                                 more_of_the_site_, relay_.url(), more_configuration_);
        site_.emplace(daemon::Site::load(folder_));
    }

    boost::asio::awaitable<http::Response> publish(http::Request) {
        if (publisher_is_down_) co_return http::Response{503, {}, ""};
        http::Response response{200,
                                {{"Content-Type", "application/rss+xml"}},
                                "<rss version=\"2.0\"><channel><title>Publisher</title>" + items_ + "</channel></rss>"};
        co_return response;
    }

    // One beat of the daemon: a fifth of a second passes, and all that is ready runs.
    void beats() {
        clock_.advance(200ms);
        turn();
    }
    void turn() {
        for (int quiet = 0; quiet < 3;) {
            loop_of_peers_.restart();
            std::size_t done = loop_of_peers_.poll();
            if (daemon_) {
                daemon_->loop().restart();
                done += daemon_->loop().run_one_for(std::chrono::milliseconds(2));
            }
            done += loop_of_peers_.poll();
            bool something = done || (daemon_ && !daemon_->waits());
            quiet = something ? 0 : quiet + 1;
        }
    }

    template <class Result>
    Result in_daemon(std::function<boost::asio::awaitable<Result>()> story) {
        std::optional<Result> result;
        std::exception_ptr failure;
        boost::asio::co_spawn(daemon_->loop(), story(), [&](std::exception_ptr error, Result value) {
            failure = error;
            result = std::move(value);
        });
        auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(20);
        while (!result && std::chrono::steady_clock::now() < limit) turn();
        if (failure) std::rethrow_exception(failure);
        if (!result) throw std::runtime_error("it never answers");
        return *result;
    }

    int request(const std::string& path, std::optional<std::string> body) {
        return in_daemon<int>([&]() -> boost::asio::awaitable<int> {
            std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> easy(curl_easy_init(), &curl_easy_cleanup);
            system::CurlLoop browser(daemon_->loop().get_executor());
            page_.clear();
            auto write = +[](char* data, size_t size, size_t count, void* to) {
                static_cast<std::string*>(to)->append(data, size * count);
                return size * count;
            };
            auto url = daemon_->url() + path;
            curl_easy_setopt(easy.get(), CURLOPT_URL, url.c_str());
            curl_easy_setopt(easy.get(), CURLOPT_PROXY, "");
            curl_easy_setopt(easy.get(), CURLOPT_WRITEFUNCTION, write);
            curl_easy_setopt(easy.get(), CURLOPT_WRITEDATA, &page_);
            if (body) {
                curl_easy_setopt(easy.get(), CURLOPT_POSTFIELDSIZE, long(body->size()));
                curl_easy_setopt(easy.get(), CURLOPT_POSTFIELDS, body->data());
            }
            co_await browser.perform(easy.get());
            long status = 0;
            curl_easy_getinfo(easy.get(), CURLINFO_RESPONSE_CODE, &status);
            co_return int(status);
        });
    }

    boost::asio::io_context loop_of_peers_;
    test::SimulatedClock clock_;
    test::ScriptedRelay relay_;
    std::string more_configuration_, more_of_the_site_;
    bool publisher_is_down_ = false;
    std::filesystem::path folder_;
    std::string items_;
    std::string page_;
    std::optional<http::Server> publisher_;
    std::optional<daemon::Site> site_;
    std::optional<daemon::Daemon> daemon_;
    std::optional<storage::Connection> connection_;
    subscribers::List list_;
};

}
