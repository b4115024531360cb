#pragma once

#include "system/curl_loop.hpp"
#include "system/time.hpp"

#include <boost/asio/awaitable.hpp>

#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <vector>

// The client side of HTTP: fetches feeds and pages from strangers' servers without trusting them.
//
// In:     a URL, and what a server gave us last time to ask "has it changed?" with.
// Out:    the answer, whatever its status (304, 404 and 503 are answers), or why there is none.
// Always: http and https only, on every hop; unless private addresses are allowed, only public addresses and ports 80
//         and 443. The check looks at the address that is connected to, so neither a name nor a redirect leads around
//         it. Bounded in time, size after decompression, and redirects. No proxy, cookie, Referer, netrc. Never blocks
//         the loop, name resolution included.

namespace postrider::http {

struct ClientSettings {
    std::string contact;                  // a URL for the User-Agent; empty leaves it out
    bool allow_private_addresses = false; // for tests and intranets; lifts the limit to two ports too
    std::vector<std::string> allowed;     // addresses or ranges that are as good as public, on any port
    Duration total = 20s;                 // all redirects together
    Duration connect = 10s;               // name, TCP and TLS of one hop
    Duration stall = 10s; // below 100 bytes a second for so long, the transfer is given up; whole seconds
    std::size_t body = 10 * 1024 * 1024; // after decompression
    int redirects = 5;
};

struct FetchRequest {
    std::string url;
    std::string etag;          // sent verbatim as If-None-Match; empty leaves it out
    std::string last_modified; // sent verbatim as If-Modified-Since
    std::string accept = "*/*";
    // Not 0: so many bytes from the beginning are enough. They are asked for as a range (the status is then 206), and a
    // server that sends more is not listened to.
    std::size_t first_bytes = 0;
};

struct Fetched {
    int status = 0;
    std::string body;          // decompressed; empty with 304; of a request for the first bytes no more than those
    std::string content_type;  // verbatim
    std::string etag;          // verbatim, quotes and W/ included; empty when not sent: with a 304 keep what you had
    std::string last_modified; // verbatim
    std::string final_url;
    std::optional<std::string> permanent_url; // the last URL reached by nothing but 301 and 308, when there was one
    std::optional<Duration> retry_after;      // from now; given in seconds or as a date
    std::optional<Duration> max_age;          // of Cache-Control; no-cache and no-store are 0
};

enum class FetchFailure {
    bad_url,    // cannot be fetched by any means
    forbidden,  // leads to an address or port we must not touch
    unresolved, // the name has no address, for now
    unreachable,
    insecure, // TLS failed: certificate, protocol
    too_slow,
    too_large,
    too_many_redirects,
    bad_answer, // not HTTP, a broken coding, a redirect to nowhere
};

struct FetchError {
    FetchFailure kind;
    std::string text; // one sentence for an operator
};

using FetchResult = std::expected<Fetched, FetchError>;

class Client {
public:
    // Throws std::invalid_argument when `allowed` holds what is no range of addresses.
    Client(system::CurlLoop&, ClientSettings);
    ~Client();
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    // Any number at once, but the caller limits how many, and asks a host one thing at a time. Cancelled by Asio's
    // per-operation cancellation. The client must outlive the call.
    boost::asio::awaitable<FetchResult> get(FetchRequest);

    [[nodiscard]] const std::string& user_agent() const;

private:
    struct Rules;
    system::CurlLoop& loop_;
    std::unique_ptr<const Rules> rules_;
};

}
