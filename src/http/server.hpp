#pragma once

#include "http/message.hpp"
#include "http/request_parser.hpp"
#include "system/time.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// The server side of HTTP/1.1 (RFC 9110, RFC 9112), for use behind a proxy that does TLS, or on loopback.
//
// In:     a listening address and one handler for all requests.
// Out:    every request that is well formed and within the limits goes to the handler, one at a time per connection;
//         everything else is answered here: 400, 408, 413, 417, 431, 501, 503, 505.
// Always: everything belongs to one single-threaded executor. No visitor can hold a connection longer than the
//         time-outs allow by sending or reading slowly. A handler that throws gives a 500 without its reason, which is
//         logged. Never logs a whole path: paths carry tokens.

namespace postrider::http {

struct ServerSettings {
    std::string listen = "127.0.0.1:8025";    // address and port; "[::1]:8025"; port 0 asks the system for one
    std::vector<std::string> trusted_proxies; // addresses or ranges ("10.0.0.0/8") whose X-Forwarded-For is believed

    RequestLimits limits;
    Duration header_timeout = 10s;  // from the first byte of a request to the end of its header
    Duration body_timeout = 15s;    // for a body, plus what its size needs at the lowest rate
    Duration idle_timeout = 60s;    // between two requests of a connection
    Duration write_timeout = 15s;   // for an answer, plus what its size needs at the lowest rate
    std::size_t lowest_rate = 4096; // bytes a second

    std::size_t connections = 500;            // beyond, silent ones give way, else 503; mind the limit on open files
    std::size_t connections_per_client = 100; // by address of the peer, IPv6 by /64; trusted proxies are exempt
    std::size_t requests_per_connection = 1000;
};

// What is wrong with a value of the configuration, as a sentence that quotes it; nothing when it can be used.
[[nodiscard]] std::optional<std::string> fault_of_listen(const std::string& listen);
[[nodiscard]] std::optional<std::string> fault_of_proxy(const std::string& range);

using Handler = std::function<boost::asio::awaitable<Response>(Request)>;
// Makes the answer to a request that never reaches the handler, of what was read of it, the status and one sentence.
// Called on the server's thread; must not wait. When it throws, or there is none, the sentence is sent as plain text.
using Refuser = std::function<Response(const Request&, int status, std::string_view reason)>;

class Server {
public:
    // Throws std::invalid_argument when a setting cannot be read.
    Server(boost::asio::any_io_executor, ServerSettings, Handler, Refuser = {});
    ~Server(); // closes all connections at once
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    // From here on connections queue in the kernel. Throws std::runtime_error that names the address.
    void listen();
    [[nodiscard]] std::uint16_t port() const; // after listen()

    // Serves until stop(); returns when the last connection is gone. Calls listen() if nobody did.
    boost::asio::awaitable<void> run();

    // Takes no more connections, closes idle ones; requests under way are answered first. Harmless when repeated.
    void stop();
    // Closes what is still open, answered or not.
    void close();

    [[nodiscard]] std::size_t connections() const;

private:
    struct State;
    std::shared_ptr<State> state_;
};

}
