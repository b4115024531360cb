#include "cli/demo.hpp"

#include "daemon/daemon.hpp"
#include "digest/publishing.hpp"
#include "http/server.hpp"
#include "storage/migrations.hpp"
#include "stories/poller.hpp"
#include "subscribers/lists.hpp"
#include "subscribers/subscriptions.hpp"
#include "system/embedded.hpp"
#include "system/log.hpp"

#include <boost/asio/co_spawn.hpp>
#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <ostream>
#include <sstream>
#include <unistd.h>
#include <vector>

namespace postrider::cli {
namespace {

namespace fs = std::filesystem;

struct Failed : std::runtime_error {
    using std::runtime_error::runtime_error;
};

std::string read_file(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
}

// A port of 127.0.0.1 that is free now: site.url must name it before the server has it.
std::uint16_t free_port(boost::asio::io_context& loop) {
    http::Server probe(loop.get_executor(), {.listen = "127.0.0.1:0"}, {});
    probe.listen();
    return probe.port();
}

// The value of a header field, unfolded; empty when the mail has none.
std::string field(const std::string& mail, const std::string& name) {
    auto at = mail.find("\r\n" + name + ": ");
    if (at == mail.npos) return "";
    auto begin = at + name.size() + 4;
    auto end = mail.find("\r\n", begin);
    while (end != mail.npos && end + 2 < mail.size() && (mail[end + 2] == ' ' || mail[end + 2] == '\t'))
        end = mail.find("\r\n", end + 2);
    return mail.substr(begin, end - begin);
}

std::string without_soft_breaks(std::string text) {
    for (auto at = text.find("=\r\n"); at != text.npos; at = text.find("=\r\n", at)) text.erase(at, 3);
    return text;
}

// "http...": the first address in the text that begins so.
std::string link(const std::string& text, const std::string& begin) {
    auto at = text.find(begin);
    if (at == text.npos) throw Failed("there is no link " + begin + " in the mail");
    return text.substr(at, text.find_first_of(" \r\n\"<>", at) - at);
}

class Demo {
public:
    Demo(const DemoOptions& options, std::ostream& out)
        : options_(options), out_(out), folder_(options.site ? *options.site : temporary_folder()), site_(make_site()),
          daemon_(site_, daemon::Mode::forever, clock_), connection_(site_.database_url) {}

    int run() {
        log::configure(log::Level::error, log::Format::text); // the steps are the story; the log would interrupt it
        boost::asio::co_spawn(daemon_.loop(), story(), [this](std::exception_ptr error) {
            try {
                if (error) std::rethrow_exception(error);
            } catch (const std::exception& problem) {
                out_ << "  FAILED: " << problem.what() << "\n";
                failed_ = true;
            }
            if (failed_ || !options_.keep_serving) daemon_.stop();
        });
        int status = daemon_.run();
        return failed_ ? 1 : status;
    }

private:
    using Step = boost::asio::awaitable<void>;

    static fs::path temporary_folder() {
        auto pattern = (fs::temp_directory_path() / "postrider-demo-XXXXXX").string();
        if (!mkdtemp(pattern.data())) throw Failed("no temporary folder can be made");
        return pattern;
    }

    daemon::Site make_site() {
        boost::asio::io_context loop;
        auto port = free_port(loop);
        fs::create_directories(folder_);
        if (fs::exists(folder_ / "postrider.toml"))
            throw Failed(folder_.string() + " holds a site already; name an empty folder");
        std::ofstream(folder_ / "postrider.toml") << fmt::format(R"toml([site]
name = "The Harbour Courier"
from = "The Harbour Courier <news@courier.example>"
url = "http://127.0.0.1:{0}"
postal_address = "1 Pier Street, Harbourtown"
privacy_url = "https://courier.example/privacy"

[http]
listen = "127.0.0.1:{0}"

[[relay]]
name = "outbox"
url = "outbox:"

[feeds]
allow_private_addresses = true    # the sample feed is served by this machine
)toml",
                                                                 port);
        return daemon::Site::load(folder_);
    }

    void tell(std::string_view sentence, std::string_view detail = "") {
        out_ << fmt::format("  {:>2}. {}", ++step_, sentence);
        if (!detail.empty()) out_ << "\n      " << detail;
        out_ << std::endl;
    }
    static void must(bool condition, std::string_view otherwise) {
        if (!condition) throw Failed(std::string(otherwise));
    }

    Step story() {
        out_ << "Postrider " POSTRIDER_VERSION ": from a story to an inbox and back\n";
        make_list();
        co_await read_feed();
        co_await readers_join();
        co_await two_confirm();
        co_await issue_goes_out();
        co_await one_leaves();
        out_ << fmt::format("\nEvery step was verified. The site is {}\n  pages   {}/\n  mails   {}/outbox/   (as "
                            "HTML, text and source)\n",
                            folder_.string(), site_.words.url, site_.words.url);
        if (options_.keep_serving) out_ << "Serving until Ctrl-C.\n";
        out_ << std::flush;
    }

    void make_list() {
        subscribers::List list;
        list.slug = "daily";
        list.title = "The Harbour Daily";
        list.description = "The day's stories, every weekday at seven";
        list.sender = "The Harbour Courier <news@courier.example>";
        list.schedule = "every weekday at 07:00";
        list.timezone = "Europe/Stockholm";
        list.look_back = 60 * 365 * 24h; // the sample's dates, or those of any feed you bring, do not grow younger
        auto added = subscribers::Lists(connection_).add(list, clock_.now());
        must(added.has_value(), "the list could not be made");
        list_ = *added;
        tell("A site and a list: \"The Harbour Daily\", every weekday at 07:00", folder_.string());
    }

    Step read_feed() {
        std::string url = options_.feed.value_or("");
        bool is_web = url.starts_with("http://") || url.starts_with("https://");
        if (!is_web) {
            auto text = url.empty() ? std::string(embedded::sample().front().text) : read_file(url);
            must(!text.empty(), url + " cannot be read");
            http::Handler handler = [text](http::Request) -> boost::asio::awaitable<http::Response> {
                http::Response response{200, {{"Content-Type", "application/xml"}}, text};
                co_return response;
            };
            publisher_.emplace(daemon_.loop().get_executor(), http::ServerSettings{.listen = "127.0.0.1:0"}, handler);
            publisher_->listen();
            boost::asio::co_spawn(daemon_.loop(), publisher_->run(), [](std::exception_ptr) {});
            url = fmt::format("http://127.0.0.1:{}/feed", publisher_->port());
        }
        auto report = co_await daemon_.feeds().add({url, list_.id, {}, 20});
        must(report.error.empty(), "the feed was refused: " + report.error);
        digest::Publishing publishing(connection_, library_, tokens_, site_.words);
        auto chosen = publishing.explain(list_, clock_.now()).chosen.size();
        must(chosen > 0, "the feed has no stories");
        tell(fmt::format("A feed was polled over HTTP: {} stories are new", chosen), url);
    }

    Step readers_join() {
        for (auto& address : readers_) {
            auto status = co_await post(site_.words.url + "/join/daily", "email=" + address + "&name=A+Reader");
            must(status == 200, fmt::format("joining answered {}", status));
        }
        co_await until([this] { return mails().size() >= 3; }, "three confirmation mails");
        for (auto& path : mails())
            must(field(read_file(path), "Auto-Submitted") == "auto-generated", "a confirmation is not marked as one");
        tell("Three readers signed up at /join/daily and got a confirmation mail each", site_.outbox.string());
    }

    Step two_confirm() {
        for (int i = 0; i < 2; ++i) {
            auto url =
                link(without_soft_breaks(read_file(mail_to(readers_[std::size_t(i)]))), site_.words.url + "/confirm/");
            must(co_await post(url, "") == 200, "confirming did not answer 200");
        }
        must(subscribers::Lists(connection_).active_count(list_.id) == 2, "there are not two active readers");
        tell("Two of them confirmed by the link in their mail; the third did not, and stays pending");
    }

    Step issue_goes_out() {
        auto outcome = digest::Publishing(connection_, library_, tokens_, site_.words).publish(list_, {}, clock_.now());
        must(outcome.issue.has_value(), "no issue: " + outcome.why_not);
        auto began = clock_.now();
        auto mailing = digest::Issues(connection_).find(*outcome.issue)->mailing.value();
        auto sent = [&] {
            return delivery::Mailings(connection_).balance(mailing).state == delivery::MailingState::sent;
        };
        co_await until(sent, "the issue to be sent");
        auto balance = delivery::Mailings(connection_).balance(mailing);
        must(balance.planned == 2 && balance.accepted == 2 && balance.balanced(),
             "the balance is not 2 planned, 2 accepted");
        must(delivery::Mailings(connection_).contradictions(mailing).empty(),
             "the rows of the issue contradict each other");
        auto digest = read_file(mail_to(readers_[0]));
        must(!field(digest, "List-Unsubscribe").empty() &&
                 field(digest, "List-Unsubscribe-Post") == "List-Unsubscribe=One-Click",
             "the digest cannot be unsubscribed from by one click");
        must(mails().size() == 5, "there are not three confirmations and two digests");
        tell(fmt::format("An issue was frozen and delivered over SMTP: planned 2 = accepted 2, in {} ms",
                         (clock_.now() - began).count()),
             "Subject: " + field(digest, "Subject"));
    }

    Step one_leaves() {
        auto url = link(field(read_file(mail_to(readers_[0])), "List-Unsubscribe"), site_.words.url + "/leave/");
        must(co_await get(url) == 200, "the page to leave did not answer 200");
        must(subscribers::Lists(connection_).active_count(list_.id) == 2, "a GET changed something");
        must(co_await post(url, "List-Unsubscribe=One-Click") == 200, "one-click did not answer 200");
        must(subscribers::Lists(connection_).active_count(list_.id) == 1, "the reader is still active");
        tell("One reader left by one click (RFC 8058); opening the link alone had changed nothing");
    }

    // ---- what a reader's browser and mailbox do

    boost::asio::awaitable<long> get(std::string url) { co_return co_await request(std::move(url), std::nullopt); }
    boost::asio::awaitable<long> post(std::string url, std::string body) {
        co_return co_await request(std::move(url), std::move(body));
    }

    boost::asio::awaitable<long> request(std::string url, std::optional<std::string> body) {
        std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> easy(curl_easy_init(), &curl_easy_cleanup);
        std::string answer;
        auto write = +[](char* data, size_t size, size_t count, void* to) {
            static_cast<std::string*>(to)->append(data, size * count);
            return size * count;
        };
        curl_easy_setopt(easy.get(), CURLOPT_URL, url.c_str());
        curl_easy_setopt(easy.get(), CURLOPT_PROXY, "");
        curl_easy_setopt(easy.get(), CURLOPT_WRITEFUNCTION, write);
        curl_easy_setopt(easy.get(), CURLOPT_WRITEDATA, &answer);
        if (body) {
            curl_easy_setopt(easy.get(), CURLOPT_POSTFIELDSIZE, long(body->size()));
            curl_easy_setopt(easy.get(), CURLOPT_POSTFIELDS, body->data());
        }
        int code = co_await browser_.perform(easy.get());
        must(code == CURLE_OK, url + ": " + curl_easy_strerror(CURLcode(code)));
        long status = 0;
        curl_easy_getinfo(easy.get(), CURLINFO_RESPONSE_CODE, &status);
        co_return status;
    }

    std::vector<fs::path> mails() const {
        std::vector<fs::path> found;
        for (auto& entry : fs::directory_iterator(site_.outbox))
            if (entry.path().extension() == ".eml") found.push_back(entry.path());
        std::ranges::sort(found);
        return found;
    }
    // The newest.
    fs::path mail_to(const std::string& address) const {
        fs::path newest;
        for (auto& path : mails())
            if (field(read_file(path), "To").find(address) != std::string::npos) newest = path;
        if (newest.empty()) throw Failed("there is no mail to " + address);
        return newest;
    }

    Step until(std::function<bool()> condition, std::string_view what) {
        for (auto limit = clock_.now() + 20s; !condition(); co_await clock_.sleep_for(20ms))
            must(clock_.now() < limit, fmt::format("waited twenty seconds for {}", what));
    }

    const DemoOptions& options_;
    std::ostream& out_;
    fs::path folder_;
    daemon::Site site_;
    system::SystemClock clock_;
    daemon::Daemon daemon_;
    storage::Connection connection_; // another process's, so to speak: the database is the control socket
    templates::Library library_{site_.templates};
    subscribers::LinkTokens tokens_{site_.key_file()};
    system::CurlLoop browser_{daemon_.loop().get_executor()};
    std::optional<http::Server> publisher_;
    subscribers::List list_;
    std::vector<std::string> readers_ = {"ada@reader.example", "ben@reader.example", "cleo@reader.example"};
    int step_ = 0;
    bool failed_ = false;
};

}

int demo(const DemoOptions& options, std::ostream& out) { return Demo(options, out).run(); }

}
