#pragma once

#include "smtp/reply.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

// The small server side: a real SMTP server on loopback (RFC 5321 section 4.5.1, with PIPELINING, 8BITMIME, SMTPUTF8,
// SIZE and ENHANCEDSTATUSCODES), so that the built-in relay is used in the same way as any other.
//
// In:     connections to 127.0.0.1.
// Out:    each mail to the handler, whose reply is the answer to its final dot; a handler that throws answers 451.
// Always: a message ends at CRLF . CRLF and nowhere else; lines, recipients, messages and connections are bounded. Runs
// on one
//         single-threaded executor; the handler is called there and must be quick.

namespace postrider::smtp {

struct ReceivedMail {
    std::string from;            // of the envelope, without brackets; empty for a bounce
    std::vector<std::string> to; // at least one
    bool smtputf8 = false;
    std::string bytes; // as the sender meant it: CRLF lines, dots unstuffed
};

class Receiver {
public:
    using Handler = std::function<Reply(const ReceivedMail&)>;
    struct Limits {
        std::size_t message = 32 * 1024 * 1024; // bytes
        std::size_t recipients = 1000;
        std::size_t connections = 300;
    };

    // Has its port at once (0: one that is free); takes connections after run(). Throws boost::system::system_error
    // when the port is taken.
    Receiver(boost::asio::any_io_executor, Handler, std::uint16_t port = 0);
    Receiver(boost::asio::any_io_executor, Handler, std::uint16_t port, Limits);
    ~Receiver(); // stop()
    Receiver(const Receiver&) = delete;

    [[nodiscard]] std::uint16_t port() const { return port_; }
    void run();
    void stop(); // closes every connection; a message not yet answered was not taken

private:
    struct State;
    std::shared_ptr<State> state_;
    std::uint16_t port_ = 0;
};

}
