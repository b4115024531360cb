#pragma once

#include "smtp/relay.hpp"
#include "smtp/reply.hpp"
#include "system/clock.hpp"
#include "system/curl_loop.hpp"

#include <boost/asio/awaitable.hpp>

#include <expected>
#include <optional>
#include <string>

// From a [[relay]] to an open, encrypted, logged-in connection: libcurl does DNS, TCP, TLS, EHLO, STARTTLS and AUTH.
//
// In:     settings, the loop that drives libcurl, the clock that limits the wait.
// Out:    a Line, ready for MAIL; or where it failed, and which key of [[relay]] to change when that is the cause.
// Always: never blocks the loop. With tls = "required" nothing is said in the clear beyond EHLO and STARTTLS; a login
// is never sent
//         in the clear except to this machine. It relies on CURLOPT_CONNECT_ONLY stopping after the SMTP login, which
//         libcurl does and does not promise: tests/smtp would tell.

namespace postrider::smtp {

struct ConnectError {
    Stage stage = Stage::connect;
    std::optional<Reply> reply; // what the relay said, when that is the reason
    std::string text;           // one line
};

// What is wrong with url or hello, as one line that names the key; nothing when they can be used.
[[nodiscard]] std::optional<std::string> fault_of(const RelaySettings&);

// An open connection inside libcurl. Closed by the destructor, without a farewell.
class Line {
public:
    Line(system::CurlLoop& loop, CURL* easy) : loop_(&loop), easy_(easy) {}
    Line(Line&& other) noexcept;
    Line& operator=(Line&&) = delete;
    ~Line();

    [[nodiscard]] CURL* easy() const { return easy_; }
    [[nodiscard]] int socket() const; // libcurl's own; -1 when it is closed

    Capabilities offered;
    bool encrypted = false;

private:
    system::CurlLoop* loop_;
    CURL* easy_;
};

boost::asio::awaitable<std::expected<Line, ConnectError>> connect(system::CurlLoop&, system::Clock&,
                                                                  const RelaySettings&);

}
