#include "smtp/connect.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <curl/curl.h>
#include <fmt/format.h>

#include <array>
#include <memory>
#include <string_view>
#include <sys/socket.h>
#include <utility>
#include <variant>

namespace postrider::smtp {

namespace asio = boost::asio;
using asio::awaitable;

namespace {

// What libcurl lets us overhear: it shows every command and every reply line, in order.
struct Overheard {
    Stage stage = Stage::connect; // of the last command
    ReplyReader reader;
    std::optional<Reply> last; // to the last command; none yet
    Capabilities offered;
    bool encrypted = false, logged_in = false;
    std::array<char, CURL_ERROR_SIZE> error{};

    void said(std::string_view command) {
        last.reset();
        auto word = command.substr(0, command.find_first_of(" \r\n"));
        if (word == "EHLO" || word == "HELO")
            stage = Stage::ehlo;
        else if (word == "STARTTLS")
            stage = Stage::starttls;
        else
            stage = Stage::auth; // AUTH, and the lines of its exchange
    }

    // False: what comes is no SMTP. libcurl itself would read on until somebody's time runs out.
    [[nodiscard]] bool heard(std::string_view bytes) {
        if (stage == Stage::connect) stage = Stage::greeting;
        reader.feed(bytes);
        for (Reply reply;;) {
            auto found = reader.take(reply);
            if (found != ReplyReader::Found::reply) return found != ReplyReader::Found::garbage;
            // Capabilities said before TLS may come from anybody (RFC 3207 section 4.2): each EHLO begins anew.
            if (stage == Stage::ehlo) offered = reply.done() ? capabilities(reply.text) : Capabilities{};
            if (stage == Stage::starttls && reply.done()) encrypted = true;
            if (stage == Stage::auth && reply.done()) logged_in = true;
            last = std::move(reply);
        }
    }
};

int overhear(CURL*, curl_infotype type, char* bytes, size_t size, void* overheard) noexcept {
    if (type == CURLINFO_HEADER_OUT) static_cast<Overheard*>(overheard)->said({bytes, size});
    return 0;
}

size_t overhear_reply(char* bytes, size_t size, size_t count, void* overheard) noexcept {
    return static_cast<Overheard*>(overheard)->heard({bytes, size * count}) ? size * count : 0;
}

ConnectError misconfigured(std::string text) { return {Stage::connect, std::nullopt, std::move(text)}; }

// libcurl says EHLO with the path of the URL.
std::expected<std::string, std::string> address(const RelaySettings& relay) {
    std::unique_ptr<CURLU, decltype(&curl_url_cleanup)> url(curl_url(), &curl_url_cleanup);
    char* text = nullptr;
    if (!relay.url.starts_with("smtp://") && !relay.url.starts_with("smtps://"))
        return std::unexpected(fmt::format("url of [[relay]] \"{}\" must begin with smtp:// or smtps://: {}",
                                           relay.name, fit_to_show(relay.url, 100)));
    if (curl_url_set(url.get(), CURLUPART_URL, relay.url.c_str(), 0) != CURLUE_OK)
        return std::unexpected(
            fmt::format("url of [[relay]] \"{}\" is no address: {}", relay.name, fit_to_show(relay.url, 100)));
    for (auto part : {CURLUPART_USER, CURLUPART_PASSWORD}) {
        if (curl_url_get(url.get(), part, &text, 0) != CURLUE_OK) continue;
        curl_free(text);
        return std::unexpected(
            fmt::format("url of [[relay]] \"{}\" holds a login; write it as user and password_file", relay.name));
    }
    if (relay.hello_name.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_[]:") !=
        std::string::npos)
        return std::unexpected(fmt::format("hello of [[relay]] \"{}\" is no host name: {}", relay.name,
                                           fit_to_show(relay.hello_name, 100)));
    if (!relay.hello_name.empty()) curl_url_set(url.get(), CURLUPART_PATH, ("/" + relay.hello_name).c_str(), 0);
    if (curl_url_get(url.get(), CURLUPART_URL, &text, 0) != CURLUE_OK)
        return std::unexpected(fmt::format("url of [[relay]] \"{}\" is no address", relay.name));
    std::string out = text;
    curl_free(text);
    return out;
}

void configure(CURL* easy, const RelaySettings& relay, const std::string& url, Overheard& overheard) {
    auto set = [&](CURLoption option, auto value) {
        if (auto code = curl_easy_setopt(easy, option, value); code != CURLE_OK)
            throw std::runtime_error(fmt::format("libcurl lacks something we need: {}", curl_easy_strerror(code)));
    };
    set(CURLOPT_URL, url.c_str());
    set(CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    set(CURLOPT_CONNECT_ONLY, 1L);
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_QUICK_EXIT,
        1L); // or giving up while a name is looked up waits for the resolver's thread, blocking the loop
    // A connection made for other settings, perhaps in the clear, must never be taken over. (CURLOPT_FORBID_REUSE would
    // close this one as soon as it is open.)
    set(CURLOPT_FRESH_CONNECT, 1L);
    set(CURLOPT_ERRORBUFFER, overheard.error.data());
    set(CURLOPT_HEADERFUNCTION, &overhear_reply);
    set(CURLOPT_HEADERDATA, &overheard);
    set(CURLOPT_DEBUGFUNCTION, &overhear);
    set(CURLOPT_DEBUGDATA, &overheard);
    set(CURLOPT_VERBOSE, 1L);
    // The limits are the clock's (see below); libcurl's own only have to be longer.
    auto limit = static_cast<long>(relay.timeouts.opening / 1s + 60);
    set(CURLOPT_CONNECTTIMEOUT, limit);
    set(CURLOPT_SERVER_RESPONSE_TIMEOUT, limit);
    if (is_loopback(relay.url)) set(CURLOPT_PROXY, "");

    bool must_encrypt = relay.tls == Tls::required || (relay.tls == Tls::offered && !relay.user.empty());
    auto encryption = must_encrypt ? CURLUSESSL_ALL : relay.tls == Tls::offered ? CURLUSESSL_TRY : CURLUSESSL_NONE;
    set(CURLOPT_USE_SSL, static_cast<long>(encryption));
    set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    set(CURLOPT_SSL_VERIFYPEER, 1L);
    set(CURLOPT_SSL_VERIFYHOST, 2L);
    if (!relay.ca_file.empty()) set(CURLOPT_CAINFO, relay.ca_file.c_str());
    if (!relay.user.empty()) {
        set(CURLOPT_USERNAME, relay.user.c_str());
        set(CURLOPT_PASSWORD, relay.password.c_str());
        set(CURLOPT_SASL_IR, 1L); // saves a round trip; libcurl's default waits for an empty challenge first
    }
}

// Refinement of Overheard::stage for the time before the relay has spoken.
Stage reached(CURL* easy, const RelaySettings& relay, const Overheard& overheard) {
    if (overheard.stage != Stage::connect) return overheard.stage;
    curl_off_t connected = 0, encrypted = 0;
    curl_easy_getinfo(easy, CURLINFO_CONNECT_TIME_T, &connected);
    curl_easy_getinfo(easy, CURLINFO_APPCONNECT_TIME_T, &encrypted);
    if (connected == 0) return Stage::connect;
    if (relay.url.starts_with("smtps://") && encrypted == 0) return Stage::starttls;
    return Stage::greeting;
}

awaitable<void> time_runs_out(system::Clock& clock, const RelaySettings& relay, CURL* easy,
                              const Overheard& overheard) {
    auto began = clock.now();
    co_await clock.sleep_until(began + std::min(relay.timeouts.connect, relay.timeouts.opening));
    if (reached(easy, relay, overheard) == Stage::connect) co_return;
    co_await clock.sleep_until(began + relay.timeouts.opening);
}

std::string advice(CURLcode code, const RelaySettings& relay, const Overheard& overheard, Stage stage) {
    auto key = [&](std::string_view name) { return fmt::format("{} of [[relay]] \"{}\"", name, relay.name); };
    std::string why = fit_to_show(overheard.error.data(), 300);
    if (why.empty()) why = curl_easy_strerror(code);
    auto said = overheard.last ? to_text(*overheard.last) : std::string();
    switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST: return fmt::format("{}: check {}", why, key("url"));
    case CURLE_SSL_CACERT_BADFILE: return fmt::format("{}: check {}", why, key("ca_file"));
    case CURLE_PEER_FAILED_VERIFICATION:
        return fmt::format(
            "the relay's certificate is not trusted ({}): the host in {} must be the one in the certificate, and "
            "its issuer one of the system's authorities or in {}",
            why, key("url"), key("ca_file"));
    case CURLE_SSL_CONNECT_ERROR:
        return fmt::format("no encrypted connection ({}): check scheme and port in {}", why, key("url"));
    case CURLE_USE_SSL_FAILED:
        if (stage == Stage::starttls) return fmt::format("the relay refused STARTTLS: {}", said);
        return relay.tls == Tls::required
                   ? fmt::format(
                         "the relay does not offer STARTTLS although tls = \"required\": check port and {}, or {}",
                         key("url"), key("tls"))
                   : fmt::format(
                         "the relay does not offer STARTTLS, and a login is not sent in the clear: check {} and {}",
                         key("tls"), key("user"));
    case CURLE_LOGIN_DENIED:
        if (stage != Stage::auth)
            return fmt::format("the relay offers no way to log in that we know: check port in {}, or {}", key("url"),
                               key("user"));
        // RFC 4954 section 6: 454 and its like are about the relay, and pass.
        if (overheard.last && overheard.last->kind() == 4)
            return fmt::format("the relay cannot check our login for the moment ({})", said);
        return fmt::format("the relay refused the login ({}): check {} and password_file", said, key("user"));
    default: break;
    }
    if (!said.empty() && overheard.last->kind() >= 4)
        return fmt::format("the relay refused at {}: {}", to_text(stage), said);
    if (auto& garbage = overheard.reader.garbage(); !garbage.empty())
        return fmt::format("what answers is no SMTP server (\"{}\"): check {}", garbage, key("url"));
    return why;
}

ConnectError failure(CURLcode code, CURL* easy, const RelaySettings& relay, const Overheard& overheard) {
    auto stage = reached(easy, relay, overheard);
    auto text = advice(code, relay, overheard, stage);
    // Refused before it was asked: the stage is the one that could not begin.
    if (code == CURLE_USE_SSL_FAILED || code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CONNECT_ERROR)
        stage = Stage::starttls;
    if (code == CURLE_LOGIN_DENIED) stage = Stage::auth;
    std::optional<Reply> reply;
    if (overheard.last && overheard.last->kind() >= 4) reply = overheard.last;
    return {stage, std::move(reply), std::move(text)};
}

}

Line::Line(Line&& other) noexcept
    : offered(other.offered), encrypted(other.encrypted), loop_(other.loop_),
      easy_(std::exchange(other.easy_, nullptr)) {}

Line::~Line() {
    if (!easy_) return;
    // So that nothing libcurl might still want to say to the relay can make it wait for an answer.
    if (auto s = socket(); s >= 0) ::shutdown(s, SHUT_RDWR);
    loop_->release(easy_);
    curl_easy_cleanup(easy_);
}

int Line::socket() const {
    curl_socket_t s = CURL_SOCKET_BAD;
    curl_easy_getinfo(easy_, CURLINFO_ACTIVESOCKET, &s);
    return s;
}

awaitable<std::expected<Line, ConnectError>> connect(system::CurlLoop& loop, system::Clock& clock,
                                                     const RelaySettings& relay) {
    using namespace asio::experimental::awaitable_operators;
    auto url = address(relay);
    if (!url) co_return std::unexpected(misconfigured(std::move(url.error())));
    if (relay.tls == Tls::never && !relay.user.empty() && relay.url.starts_with("smtp://") && !is_loopback(relay.url))
        co_return std::unexpected(misconfigured(fmt::format(
            "a login would cross the network in the clear: set tls = \"required\" in [[relay]] \"{}\", or remove user",
            relay.name)));

    Overheard overheard; // outlives the handle's interest in it: the callbacks are taken back below
    Line line(loop, curl_easy_init());
    if (!line.easy()) throw std::bad_alloc();
    configure(line.easy(), relay, *url, overheard);

    std::variant<int, std::monostate> end;
    try {
        end = co_await (loop.perform(line.easy(), system::CurlLoop::Afterwards::keep) ||
                        time_runs_out(clock, relay, line.easy(), overheard));
    } catch (const asio::multiple_exceptions& both) { // we were cancelled, and so were they
        std::rethrow_exception(both.first_exception());
    }
    if (end.index() == 1) {
        auto stage = reached(line.easy(), relay, overheard);
        co_return std::unexpected(
            ConnectError{stage, std::nullopt, fmt::format("no answer at {} in time", to_text(stage))});
    }
    if (auto code = static_cast<CURLcode>(std::get<0>(end)); code != CURLE_OK)
        co_return std::unexpected(failure(code, line.easy(), relay, overheard));
    curl_easy_setopt(line.easy(), CURLOPT_VERBOSE, 0L);
    curl_easy_setopt(line.easy(), CURLOPT_DEBUGDATA, nullptr);
    curl_easy_setopt(line.easy(), CURLOPT_HEADERFUNCTION, nullptr);
    curl_easy_setopt(line.easy(), CURLOPT_HEADERDATA, nullptr);
    curl_easy_setopt(line.easy(), CURLOPT_ERRORBUFFER, nullptr);

    line.offered = overheard.offered;
    line.encrypted = overheard.encrypted || relay.url.starts_with("smtps://");
    if (relay.tls == Tls::required && !line.encrypted)
        co_return std::unexpected(
            ConnectError{Stage::starttls, std::nullopt,
                         fmt::format("the connection is not encrypted although tls = \"required\" in [[relay]] \"{}\"",
                                     relay.name)});
    // libcurl goes on without a login when the relay offers none.
    if (!relay.user.empty() && !overheard.logged_in)
        co_return std::unexpected(
            ConnectError{Stage::auth, std::nullopt,
                         fmt::format("the relay offers no login: check port in url of [[relay]] \"{}\", or remove user",
                                     relay.name)});
    co_return line;
}

std::optional<std::string> fault_of(const RelaySettings& relay) {
    auto usable = address(relay);
    if (usable) return std::nullopt;
    return usable.error();
}

}
