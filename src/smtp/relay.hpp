#pragma once

#include "system/time.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

// What the operator says about one [[relay]], and what the relay says about itself.

namespace postrider::smtp {

enum class Tls {
    required, // no conversation without it
    offered,  // used when the relay offers it; a login still needs it
    never
};
[[nodiscard]] std::string_view to_text(Tls);

// Waits end after these lengths; the defaults are those of RFC 5321 section 4.5.3.2.
struct Timeouts {
    Duration connect = 30s;  // DNS and TCP
    Duration opening = 5min; // all until the login is done, DNS and TCP among it
    Duration command = 5min; // MAIL and RCPT
    Duration data = 2min;    // DATA
    Duration block = 3min;   // no byte of a message leaves
    Duration dot = 10min;    // after the final dot
    Duration quit = 5s;
};

struct RelaySettings {
    std::string name; // of [[relay]], for messages to the operator
    std::string url;  // "smtp://host:port" or "smtps://host:port"
    std::string user; // empty: no login
    std::string password;
    Tls tls = Tls::required;
    std::string ca_file;    // PEM; empty: the system's authorities
    std::string hello_name; // what EHLO says; empty: the machine's own name
    bool pipelining = true; // false: command by command, whatever it offers
    Timeouts timeouts;
};

// The host is this machine, so that nothing crosses a network: "localhost", 127.0.0.0/8, "[::1]".
[[nodiscard]] bool is_loopback(std::string_view url);
// `required`, but `never` for loopback.
[[nodiscard]] Tls default_tls(std::string_view url);

// What the relay offered in answer to the last EHLO.
struct Capabilities {
    bool pipelining = false;     // RFC 2920
    bool eight_bit_mime = false; // RFC 6152
    bool smtputf8 = false;       // RFC 6531
    bool dsn = false;            // RFC 3461
    bool size = false;           // RFC 1870
    std::size_t largest = 0;     // bytes; 0: no fixed limit
};
// `text` is the text of the reply to EHLO: one keyword a line after the first.
[[nodiscard]] Capabilities capabilities(std::string_view text);

}
