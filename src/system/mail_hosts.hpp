#pragma once

#include "system/clock.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/thread_pool.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>

// Whether a domain takes mail, as DNS has it: RFC 5321 section 5.1 (MX; without one, an address) and RFC 7505 (the MX
// that says "none").
//
// In:     a domain in A-labels, in lower case, without the final dot: mail::Address::domain_ascii().
// Out:    takes_none only where a name server said so that knows the root of DNS; unknown for everything that went wrong. Never throws for what the
//         network does.
// Always: answered two and a half seconds after the question at the latest, whatever hangs. Names that are reserved for
//         examples and tests (RFC 2606 section 2) are unknown and never leave the machine. Memory has a bound.
// Threads: one loop asks; the C library's resolver, which blocks, runs on two threads of this object.

namespace postrider::system {

enum class MailHost { takes_mail, takes_none, unknown };

struct NameServer {
    std::string address; // IPv4
    std::uint16_t port = 53;
};

struct MailHostSettings {
    std::optional<NameServer> name_server; // none: those of /etc/resolv.conf; one is given in tests
    std::size_t most_waiting = 64;         // questions at one time; what is asked beyond them is unknown
    std::size_t most_kept = 4096;          // answers
    Duration keep = 10min;
    Duration keep_unknown = 30s; // so that a dead resolver delays one sign-up of a domain, not every one
};

class MailHosts {
public:
    // The clock must outlive it.
    explicit MailHosts(Clock& clock, MailHostSettings settings = {});
    ~MailHosts(); // waits for questions under way

    boost::asio::awaitable<MailHost> ask(std::string domain_ascii);

private:
    struct Known {
        MailHost answer;
        Time until;
    };
    [[nodiscard]] std::optional<MailHost> known(const std::string& domain) const;
    void keep(const std::string& domain, MailHost answer);

    Clock& clock_;
    MailHostSettings settings_;
    std::unordered_map<std::string, Known> kept_;
    // Shared with the questions: a loop that is torn down destroys them after this object.
    std::shared_ptr<std::size_t> waiting_ = std::make_shared<std::size_t>(0);
    boost::asio::thread_pool threads_{2};
};

// .example, .test, .invalid, .localhost and what is under them; in any letter case.
[[nodiscard]] bool is_reserved_name(std::string_view domain);

enum class DnsType { mx, a, aaaa, ns };
enum class DnsAnswer {
    hosts,          // at least one record of the type
    null_mx,        // RFC 7505 section 3: one MX, preference 0, the root as its host
    nothing,        // the name exists (RFC 2308 section 2.2) without a record of the type
    no_such_domain, // NXDOMAIN
    unusable        // malformed, cut short, an error, no answer at all, or a server that does not look up for others
};
// One whole message of a name server, which may hold anything. Pure.
[[nodiscard]] DnsAnswer read_dns_answer(std::span<const unsigned char> message, DnsType asked);

}
