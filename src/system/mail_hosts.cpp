#include "system/mail_hosts.hpp"

#include "system/ascii.hpp"
#include "system/log.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <array>
#include <chrono>
#include <netinet/in.h>
#include <resolv.h>

namespace postrider::system {
namespace {

// Not the program's clock: this is the patience of a visitor with a network, on a thread, and real in tests too.
using Moment = std::chrono::steady_clock::time_point;
constexpr auto patience = 2s;

constexpr std::size_t largest_query = 512;
constexpr std::size_t largest_answer = 4096;

ns_type number_of(DnsType type) {
    switch (type) {
    case DnsType::mx: return ns_t_mx;
    case DnsType::a: return ns_t_a;
    case DnsType::aaaa: return ns_t_aaaa;
    case DnsType::ns: return ns_t_ns;
    }
    return ns_t_invalid;
}

struct MailExchanger {
    unsigned preference;
    bool is_root;
};

std::optional<MailExchanger> exchanger_in(const ns_msg& message, const ns_rr& record) {
    if (ns_rr_rdlen(record) < 3) return std::nullopt;
    auto* data = ns_rr_rdata(record);
    char host[NS_MAXDNAME];
    int used = dn_expand(ns_msg_base(message), ns_msg_end(message), data + 2, host, sizeof host);
    if (used != ns_rr_rdlen(record) - 2) return std::nullopt;
    return MailExchanger{ns_get16(data), host[0] == '\0'}; // dn_expand writes the root as ""
}

DnsAnswer read_exchangers(ns_msg& message, bool cut_short) {
    int hosts = 0, roots = 0;
    bool null = false;
    for (int i = 0; i < ns_msg_count(message, ns_s_an); ++i) {
        ns_rr record;
        if (ns_parserr(&message, ns_s_an, i, &record) != 0) return DnsAnswer::unusable;
        if (ns_rr_type(record) != ns_t_mx || ns_rr_class(record) != ns_c_in) continue; // a CNAME on the way
        auto exchanger = exchanger_in(message, record);
        if (!exchanger) return DnsAnswer::unusable;
        ++(exchanger->is_root ? roots : hosts);
        null = exchanger->is_root && exchanger->preference == 0;
    }
    if (hosts > 0) return DnsAnswer::hosts;
    if (cut_short) return DnsAnswer::unusable;
    if (roots == 0) return DnsAnswer::nothing;
    // RFC 7505 section 3 knows a null MX alone and with preference 0; another one is a mistake that a relay may forgive.
    return roots == 1 && null ? DnsAnswer::null_mx : DnsAnswer::unusable;
}

bool has_the_size(const ns_rr& record) {
    int size = ns_rr_rdlen(record);
    if (ns_rr_type(record) == ns_t_a) return size == NS_INADDRSZ;
    if (ns_rr_type(record) == ns_t_aaaa) return size == NS_IN6ADDRSZ;
    return size > 0;
}

DnsAnswer read_records(ns_msg& message, DnsType type, bool cut_short) {
    for (int i = 0; i < ns_msg_count(message, ns_s_an); ++i) {
        ns_rr record;
        if (ns_parserr(&message, ns_s_an, i, &record) != 0) return DnsAnswer::unusable;
        if (ns_rr_type(record) != number_of(type) || ns_rr_class(record) != ns_c_in) continue;
        return has_the_size(record) ? DnsAnswer::hosts : DnsAnswer::unusable;
    }
    return cut_short ? DnsAnswer::unusable : DnsAnswer::nothing;
}

// The C library's resolver with the configuration of this moment. It blocks; each thread has its own.
class Resolver {
public:
    Resolver(const std::optional<NameServer>& server, Moment until) : until_(until), ready_(res_ninit(&state_) == 0) {
        if (!ready_) return;
        state_.retrans = 1; // second, for each name server
        state_.retry = 1;
        // A connection over TCP has no time limit in glibc. An answer that was cut short is enough, or is unknown.
        state_.options |= RES_IGNTC;
        state_.options &= ~static_cast<unsigned long>(RES_USEVC);
        if (server) ready_ = use(*server);
        servers_ = state_.nscount;
    }
    ~Resolver() { res_nclose(&state_); }
    Resolver(const Resolver&) = delete;
    Resolver& operator=(const Resolver&) = delete;

    // Takes one second for each server that is asked, and only as many as there are left.
    DnsAnswer ask(const std::string& domain, DnsType type) {
        // Rounded, so that a question that did not wait has time for a second server.
        auto seconds = std::chrono::round<std::chrono::seconds>(until_ - std::chrono::steady_clock::now()).count();
        if (!ready_ || seconds < 1) return DnsAnswer::unusable;
        state_.nscount = std::min(servers_, static_cast<int>(seconds));
        std::array<unsigned char, largest_query> query;
        std::array<unsigned char, largest_answer> answer;
        // Not res_nquery, which keeps to itself how long the answer is that says there is no such domain.
        int size = res_nmkquery(&state_, ns_o_query, domain.c_str(), ns_c_in, number_of(type), nullptr, 0, nullptr,
                                query.data(), query.size());
        if (size < 0) return DnsAnswer::unusable;
        int length = res_nsend(&state_, query.data(), size, answer.data(), answer.size());
        if (length < 0) return DnsAnswer::unusable;
        return read_dns_answer(std::span(answer).first(std::min<std::size_t>(length, answer.size())), type);
    }

private:
    bool use(const NameServer& server) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(server.port);
        if (inet_pton(AF_INET, server.address.c_str(), &address.sin_addr) != 1) return false;
        state_.nscount = 1;
        state_.nsaddr_list[0] = address;
        return true;
    }

    struct __res_state state_{};
    Moment until_;
    bool ready_;
    int servers_ = 0;
};

// RFC 5321 section 5.1: the MX records; none, then the domain's own addresses.
MailHost look_up(const std::string& domain, const std::optional<NameServer>& server, Moment until) {
    Resolver resolver(server, until);
    auto answer = DnsAnswer::nothing;
    for (auto type : {DnsType::mx, DnsType::a, DnsType::aaaa})
        if (answer == DnsAnswer::nothing) answer = resolver.ask(domain, type);
    if (answer == DnsAnswer::hosts) return MailHost::takes_mail;
    if (answer == DnsAnswer::null_mx) return MailHost::takes_none;
    if (answer == DnsAnswer::unusable) return MailHost::unknown;
    // A server that is cut off from the world (a container's, an office's) may say of every name that it does not exist,
    // and would close the newsletter to everybody. The root exists for whoever can see DNS at all.
    return resolver.ask(".", DnsType::ns) == DnsAnswer::hosts ? MailHost::takes_none : MailHost::unknown;
}

// One question that waits, from asking to its answer, or until its coroutine is destroyed.
class Place {
public:
    explicit Place(std::shared_ptr<std::size_t> waiting) : waiting_(std::move(waiting)) { ++*waiting_; }
    ~Place() { --*waiting_; }
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;

private:
    std::shared_ptr<std::size_t> waiting_;
};

}

MailHosts::MailHosts(Clock& clock, MailHostSettings settings) : clock_(clock), settings_(std::move(settings)) {}

MailHosts::~MailHosts() { threads_.join(); }

boost::asio::awaitable<MailHost> MailHosts::ask(std::string domain) {
    if (is_reserved_name(domain)) co_return MailHost::unknown;
    if (auto answer = known(domain)) co_return *answer;
    if (*waiting_ >= settings_.most_waiting) {
        log::debug("too many questions wait for DNS; this one is not asked", {{"domain", domain}});
        co_return MailHost::unknown;
    }
    Place place(waiting_);
    // Counted from here: what waited too long for a thread is not asked any more, so that nobody waits longer.
    auto until = std::chrono::steady_clock::now() + patience;
    auto task = [](std::string name, std::optional<NameServer> server, Moment end) -> boost::asio::awaitable<MailHost> {
        co_return look_up(name, server, end);
    };
    auto running = task(domain, settings_.name_server, until);
    auto answer = co_await boost::asio::co_spawn(threads_, std::move(running), boost::asio::use_awaitable);
    if (answer == MailHost::unknown) log::debug("DNS did not say whether a domain takes mail", {{"domain", domain}});
    keep(domain, answer);
    co_return answer;
}

std::optional<MailHost> MailHosts::known(const std::string& domain) const {
    auto found = kept_.find(domain);
    if (found == kept_.end() || found->second.until <= clock_.now()) return std::nullopt;
    return found->second.answer;
}

void MailHosts::keep(const std::string& domain, MailHost answer) {
    auto now = clock_.now();
    auto until = now + (answer == MailHost::unknown ? settings_.keep_unknown : settings_.keep);
    if (kept_.size() >= settings_.most_kept && !kept_.contains(domain)) {
        std::erase_if(kept_, [now](const auto& entry) { return entry.second.until <= now; });
        if (kept_.size() >= settings_.most_kept && !kept_.empty()) kept_.erase(kept_.begin());
    }
    kept_.insert_or_assign(domain, Known{answer, until});
}

bool is_reserved_name(std::string_view domain) {
    auto last = lower(domain.substr(domain.rfind('.') + 1));
    return last == "example" || last == "test" || last == "invalid" || last == "localhost";
}

DnsAnswer read_dns_answer(std::span<const unsigned char> bytes, DnsType asked) {
    ns_msg message;
    if (bytes.size() > NS_MAXMSG || ns_initparse(bytes.data(), static_cast<int>(bytes.size()), &message) != 0)
        return DnsAnswer::unusable;
    if (!ns_msg_getflag(message, ns_f_qr)) return DnsAnswer::unusable;
    // A server that only knows its own zones says "nothing" of every other name. That is nothing about the name.
    if (!ns_msg_getflag(message, ns_f_ra) && !ns_msg_getflag(message, ns_f_aa)) return DnsAnswer::unusable;
    auto code = ns_msg_getflag(message, ns_f_rcode);
    if (code == ns_r_nxdomain) return DnsAnswer::no_such_domain;
    if (code != ns_r_noerror) return DnsAnswer::unusable;
    bool cut_short = ns_msg_getflag(message, ns_f_tc);
    if (asked == DnsType::mx) return read_exchangers(message, cut_short);
    return read_records(message, asked, cut_short);
}

}
