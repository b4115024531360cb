#include "http/client.hpp"

#include "http/address_rules.hpp"
#include "http/date.hpp"
#include "http/field_list.hpp"
#include "http/message.hpp"
#include "http/url.hpp"

#include <boost/asio/ip/address.hpp>
#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstring>
#include <netinet/in.h>
#include <new>
#include <stdexcept>
#include <sys/socket.h>
#include <system_error>
#include <unistd.h>

namespace postrider::http {

namespace asio = boost::asio;
using SteadyClock = std::chrono::steady_clock;

struct Client::Rules {
    ClientSettings settings;
    std::vector<AddressRange> allowed;
    std::string user_agent;

    // Nothing when a connection may be made; else why not.
    [[nodiscard]] std::optional<std::string> objection(const asio::ip::address& address, int port) const {
        if (settings.allow_private_addresses) return std::nullopt;
        for (const auto& range : allowed)
            if (range.holds(address)) return std::nullopt;
        if (auto kind = special_kind(address))
            return fmt::format("the address {} is {}; [feeds] allow_private_addresses would permit it",
                               unmapped(address).to_string(), *kind);
        if (port != 80 && port != 443)
            return fmt::format("port {} is not 80 or 443; [feeds] allow_private_addresses would permit it", port);
        return std::nullopt;
    }
};

namespace {

constexpr std::size_t max_header_bytes = 128 * 1024;
constexpr std::size_t max_validator = 1024;
constexpr Duration longest_wait = std::chrono::hours(24 * 366);

struct Free {
    void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
    void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using Easy = std::unique_ptr<CURL, Free>;
using FieldList = std::unique_ptr<curl_slist, Free>;

// The socket address curl is about to connect to, as Asio's type. Nothing for anything but IP.
std::optional<asio::ip::address> address_of(const sockaddr& raw, int& port) {
    if (raw.sa_family == AF_INET) {
        sockaddr_in in{};
        std::memcpy(&in, &raw, sizeof in);
        port = ntohs(in.sin_port);
        return asio::ip::address_v4(ntohl(in.sin_addr.s_addr));
    }
    if (raw.sa_family == AF_INET6) {
        sockaddr_in6 in{};
        std::memcpy(&in, &raw, sizeof in);
        port = ntohs(in.sin6_port);
        asio::ip::address_v6::bytes_type bytes;
        std::memcpy(bytes.data(), &in.sin6_addr, bytes.size());
        return asio::ip::address_v6(bytes);
    }
    return std::nullopt;
}

std::string place(const asio::ip::address& address, int port) {
    return address.is_v6() ? fmt::format("[{}]:{}", address.to_string(), port)
                           : fmt::format("{}:{}", address.to_string(), port);
}

// One request and its answer; what curl's callbacks fill. Lives as long as its easy handle.
template <class Rules>
struct Hop {
    Hop(const Rules& r, const Url& u) : rules(r), url(u), easy(curl_easy_init()) {
        if (!easy) throw std::bad_alloc();
    }

    void prepare(const FetchRequest& request, Duration time_left) {
        const ClientSettings& settings = rules.settings;
        CURL* handle = easy.get();
        curl_easy_setopt(handle, CURLOPT_URL, url.text().c_str());
        curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
        curl_easy_setopt(handle, CURLOPT_FOLLOWLOCATION, 0L);
        curl_easy_setopt(handle, CURLOPT_PROXY, "");
        curl_easy_setopt(handle, CURLOPT_NOPROXY, "*");
        curl_easy_setopt(handle, CURLOPT_NETRC, long(CURL_NETRC_IGNORED));
        curl_easy_setopt(handle, CURLOPT_USERAGENT, rules.user_agent.c_str());
        if (request.first_bytes == 0) curl_easy_setopt(handle, CURLOPT_ACCEPT_ENCODING, ""); // all that this curl can
        curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, error);

        curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, long(std::max<Duration>(time_left, 1ms).count()));
        curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT_MS, long(settings.connect.count()));
        curl_easy_setopt(handle, CURLOPT_LOW_SPEED_LIMIT, 100L);
        curl_easy_setopt(handle, CURLOPT_LOW_SPEED_TIME, std::max(1L, long(settings.stall / 1s)));
        if (request.first_bytes == 0) curl_easy_setopt(handle, CURLOPT_MAXFILESIZE_LARGE, curl_off_t(settings.body));
        wanted = request.first_bytes;

        // A connection of its own, so that every request passes the check of its address; feeds are asked too seldom to
        // gain by reuse.
        curl_easy_setopt(handle, CURLOPT_FRESH_CONNECT, 1L);
        curl_easy_setopt(handle, CURLOPT_FORBID_REUSE, 1L);
        curl_easy_setopt(handle, CURLOPT_OPENSOCKETFUNCTION, &Hop::open_socket);
        curl_easy_setopt(handle, CURLOPT_OPENSOCKETDATA, this);
        curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, &Hop::take_body);
        curl_easy_setopt(handle, CURLOPT_WRITEDATA, this);
        curl_easy_setopt(handle, CURLOPT_HEADERFUNCTION, &Hop::take_header);
        curl_easy_setopt(handle, CURLOPT_HEADERDATA, this);

        send("Accept", request.accept);
        if (wanted > 0) send("Range", fmt::format("bytes=0-{}", wanted - 1));
        send("If-None-Match", request.etag);
        send("If-Modified-Since", request.last_modified);
        curl_easy_setopt(handle, CURLOPT_HTTPHEADER, fields.get());
    }

    void send(std::string_view name, const std::string& value) {
        auto is_control = [](unsigned char c) { return c < 0x20 || c == 0x7f; };
        if (value.empty() || std::any_of(value.begin(), value.end(), is_control)) return;
        auto* longer = curl_slist_append(fields.get(), fmt::format("{}: {}", name, value).c_str());
        if (!longer) throw std::bad_alloc();
        static_cast<void>(fields.release());
        fields.reset(longer);
    }

    static curl_socket_t open_socket(void* self, curlsocktype, curl_sockaddr* where) noexcept {
        auto& hop = *static_cast<Hop*>(self);
        int port = 0;
        auto address = address_of(where->addr, port);
        if (!address) return CURL_SOCKET_BAD;
        hop.tried = place(*address, port);
        hop.objection = hop.rules.objection(*address, port);
        if (hop.objection) return CURL_SOCKET_BAD;
        return ::socket(where->family, where->socktype | SOCK_CLOEXEC, where->protocol);
    }

    static std::size_t take_body(char* data, std::size_t one, std::size_t count, void* self) noexcept {
        auto& hop = *static_cast<Hop*>(self);
        const std::size_t size = one * count;
        if (hop.wanted > 0 && size >= hop.wanted - hop.body.size()) {
            hop.body.append(data, hop.wanted - hop.body.size());
            hop.has_enough = true;
            return 0; // ends the transfer
        }
        if (size > hop.rules.settings.body - hop.body.size()) {
            hop.too_large = true;
            return 0;
        }
        hop.body.append(data, size);
        return size;
    }

    static std::size_t take_header(char* data, std::size_t one, std::size_t count, void* self) noexcept {
        auto& hop = *static_cast<Hop*>(self);
        std::string_view line(data, one * count);
        hop.header_bytes += line.size();
        if (hop.header_bytes > max_header_bytes) {
            hop.too_large = true;
            return 0;
        }
        if (line.starts_with("HTTP/")) hop.headers = {}; // what came before was a 1xx
        auto end = line.find_last_not_of("\r\n");
        auto colon = line.find(':');
        if (end != std::string_view::npos && colon != std::string_view::npos)
            hop.headers.add(std::string(line.substr(0, colon)),
                            std::string(trimmed(line.substr(colon + 1, end - colon))));
        return line.size();
    }

    const Rules& rules;
    Url url;
    Easy easy;
    FieldList fields;
    char error[CURL_ERROR_SIZE] = "";
    Headers headers;
    std::size_t header_bytes = 0;
    std::string body;
    std::size_t wanted = 0; // bytes; 0: all
    bool too_large = false, has_enough = false;
    std::string tried; // the address of the last attempt to connect
    std::optional<std::string> objection;
};

template <class Rules>
FetchError why_not(const Hop<Rules>& hop, int code) {
    using enum FetchFailure;
    const ClientSettings& settings = hop.rules.settings;
    if (hop.too_large || code == CURLE_FILESIZE_EXCEEDED)
        return {too_large, fmt::format("the answer of {} is larger than {} bytes", hop.url.host(), settings.body)};
    if (hop.objection) return {forbidden, *hop.objection};

    const std::string detail = hop.error[0] ? hop.error : curl_easy_strerror(CURLcode(code));
    switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST: return {unresolved, fmt::format("the name {} has no address", hop.url.host())};
    case CURLE_COULDNT_CONNECT: {
        long number = 0;
        curl_easy_getinfo(hop.easy.get(), CURLINFO_OS_ERRNO, &number);
        if (number == ECONNREFUSED) return {unreachable, fmt::format("connection refused by {}", hop.tried)};
        auto reason = number ? std::generic_category().message(int(number)) : detail;
        return {unreachable,
                fmt::format("no connection to {}: {}", hop.tried.empty() ? hop.url.host() : hop.tried, reason)};
    }
    case CURLE_OPERATION_TIMEDOUT:
        return {too_slow, fmt::format("{} took too long: {}", hop.tried.empty() ? hop.url.host() : hop.tried, detail)};
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_ISSUER_ERROR:
        return {insecure, fmt::format("no secure connection to {}: {}", hop.url.host(), detail)};
    case CURLE_URL_MALFORMAT: return {bad_url, fmt::format("this cannot be fetched: {}", detail)};
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_GOT_NOTHING: return {unreachable, fmt::format("{} broke the connection: {}", hop.tried, detail)};
    default: return {bad_answer, fmt::format("{} gave an answer that cannot be read: {}", hop.url.host(), detail)};
    }
}

std::optional<Duration> seconds(std::string_view text) {
    if (text.empty() || !std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; }))
        return std::nullopt;
    std::int64_t value = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || value > longest_wait / 1s) return longest_wait;
    return std::chrono::seconds(value);
}

// RFC 9110 section 10.2.3. A date is held against the server's own clock where it tells it.
std::optional<Duration> retry_after(const Headers& headers) {
    auto text = headers.value("Retry-After");
    if (auto wait = seconds(text)) return wait;
    auto now = std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
    auto until = parse_http_date(text, now);
    if (!until) return std::nullopt;
    auto their_now = parse_http_date(headers.value("Date"), now);
    return std::clamp<Duration>(*until - their_now.value_or(now), 0ms, longest_wait);
}

// RFC 9111 section 5.2.2, as far as it tells when to ask again.
std::optional<Duration> max_age(const Headers& headers) {
    std::optional<Duration> age;
    for (const auto& [name, value] : headers) {
        if (!equal_without_case(name, "Cache-Control")) continue;
        std::string_view rest = value;
        while (!rest.empty()) {
            auto directive = take_item(rest);
            auto equals = directive.find('=');
            auto word = directive.substr(0, equals);
            if (equal_without_case(word, "no-cache") || equal_without_case(word, "no-store")) return 0ms;
            if (!equal_without_case(word, "max-age") || equals == std::string_view::npos || age) continue;
            auto number = trimmed(directive.substr(equals + 1));
            if (number.size() > 2 && number.starts_with('"') && number.ends_with('"'))
                number = number.substr(1, number.size() - 2);
            age = seconds(number);
        }
    }
    return age;
}

bool is_redirect(int status) {
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

bool is_permanent(int status) { return status == 301 || status == 308; }

// Too long to be worth storing; then the next poll simply asks without it.
std::string validator(std::string_view value) {
    return value.size() <= max_validator ? std::string(value) : std::string();
}

template <class Rules>
Fetched taken_from(Hop<Rules>& hop, int status) {
    Fetched fetched;
    fetched.status = status;
    if (status != 304) fetched.body = std::move(hop.body);
    fetched.content_type = hop.headers.value("Content-Type");
    fetched.etag = validator(hop.headers.value("ETag"));
    fetched.last_modified = validator(hop.headers.value("Last-Modified"));
    fetched.final_url = hop.url.text();
    fetched.retry_after = retry_after(hop.headers);
    fetched.max_age = max_age(hop.headers);
    return fetched;
}

std::unexpected<FetchError> failed(FetchFailure kind, std::string text) {
    return std::unexpected(FetchError{kind, std::move(text)});
}

}

Client::Client(system::CurlLoop& loop, ClientSettings settings) : loop_(loop) {
    auto rules = std::make_unique<Rules>();
    for (const auto& text : settings.allowed) {
        auto range = AddressRange::parse(text);
        if (!range) throw std::invalid_argument(fmt::format("\"{}\" is not an address or a range of addresses", text));
        rules->allowed.push_back(*range);
    }
    rules->user_agent = "Postrider/" POSTRIDER_VERSION;
    if (!settings.contact.empty()) rules->user_agent += fmt::format(" (+{})", settings.contact);
    rules->settings = std::move(settings);
    rules_ = std::move(rules);
}

Client::~Client() = default;

const std::string& Client::user_agent() const { return rules_->user_agent; }

asio::awaitable<FetchResult> Client::get(FetchRequest request) {
    const auto deadline = SteadyClock::now() + rules_->settings.total;
    auto url = Url::parse(request.url);
    if (!url) co_return failed(FetchFailure::bad_url, fmt::format("{} {}", request.url.substr(0, 200), url.error()));
    std::optional<std::string> permanent_url;
    bool all_permanent = true;

    for (int redirects = 0;; ++redirects) {
        Hop<Rules> hop(*rules_, *url);
        hop.prepare(request, std::chrono::duration_cast<Duration>(deadline - SteadyClock::now()));
        int code = co_await loop_.perform(hop.easy.get());
        if (code != CURLE_OK && !hop.has_enough) co_return std::unexpected(why_not(hop, code));

        long status = 0;
        curl_easy_getinfo(hop.easy.get(), CURLINFO_RESPONSE_CODE, &status);
        if (!is_redirect(int(status))) {
            Fetched fetched = taken_from(hop, int(status));
            fetched.permanent_url = std::move(permanent_url);
            co_return fetched;
        }

        auto location = hop.headers.value("Location");
        if (location.empty())
            co_return failed(FetchFailure::bad_answer,
                             fmt::format("{} redirects to nowhere ({})", hop.url.shown(), status));
        if (redirects == rules_->settings.redirects)
            co_return failed(FetchFailure::too_many_redirects,
                             fmt::format("more than {} redirects, the last one from {}", redirects, hop.url.shown()));
        auto next = hop.url.resolve(location);
        if (!next)
            co_return failed(FetchFailure::bad_answer, fmt::format("{} redirects to {}, which {}", hop.url.shown(),
                                                                   location.substr(0, 200), next.error()));
        all_permanent = all_permanent && is_permanent(int(status));
        if (all_permanent) permanent_url = next->text();
        url = std::move(next);
    }
}

}
