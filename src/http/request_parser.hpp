#pragma once

#include "http/message.hpp"

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

// Bytes of a connection -> one request after the other. No socket, no clock.
//
// In:     what arrived, in any pieces; several requests may stand behind one another (pipelining).
// Out:    a Request, or the status with which it must be refused; after a refusal the connection is of no more use.
// Always: what could be understood in two ways is refused, never repaired (RFC 9112 sections 5.2, 6.1 and 11.2):
//         Content-Length beside Transfer-Encoding or twice, a coding other than "chunked", folded lines, bare CR or LF,
//         a missing or second Host.

namespace postrider::http {

struct RequestLimits {
    std::size_t header = 16 * 1024; // request line and fields; beyond: 431
    std::size_t body = 64 * 1024;   // beyond: 413
    // For a request that may carry more or less; asked when the header is complete. Absent: `body` for all.
    std::function<std::size_t(const Request&)> body_of;
};

struct Refusal {
    int status;
    std::string reason; // one sentence, fit for the visitor
};

class RequestParser {
public:
    explicit RequestParser(const RequestLimits&); // keeps a reference
    ~RequestParser();
    RequestParser(const RequestParser&) = delete;
    RequestParser& operator=(const RequestParser&) = delete;

    // Takes bytes from the front of what has arrived and not been taken yet; returns how many. The header is taken only
    // when it is complete. Takes nothing once done() or refused.
    std::size_t feed(std::string_view arrived);

    [[nodiscard]] bool header_done() const;
    [[nodiscard]] bool done() const;
    [[nodiscard]] const std::optional<Refusal>& refusal() const;

    // Meaningful once header_done().
    [[nodiscard]] bool keep_alive() const; // what the client asks for
    [[nodiscard]] bool is_http_1_0() const;
    [[nodiscard]] bool is_head() const;
    [[nodiscard]] bool expects_continue() const; // and a body is still to come
    [[nodiscard]] const Request& request() const; // of one that was refused: what was read of it

    [[nodiscard]] Request take(); // once, when done()
    void reset();                 // for the next request of the connection

private:
    class Grammar;
    const RequestLimits& limits_;
    std::unique_ptr<Grammar> grammar_;
    std::size_t searched_ = 0;   // so that a header in small pieces is not searched from its start each time
    std::size_t body_bytes_ = 0; // as sent, chunk framing included
    std::optional<Refusal> refusal_;
};

}
