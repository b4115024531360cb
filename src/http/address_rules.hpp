#pragma once

#include <boost/asio/ip/address.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

// Which addresses are the public Internet, and ranges of addresses. Pure.
//
// Always: an IPv6 address that carries an IPv4 address (mapped, 6to4, NAT64) is judged by what it carries too. Unknown
//         means not public: only what IANA's registries of special addresses do not hold is.

namespace postrider::http {

// Nothing when the address belongs to the public Internet; else what it is, in a word or two: "loopback", "private",
// "link-local".
[[nodiscard]] std::optional<std::string_view> special_kind(const boost::asio::ip::address&);

// "10.0.0.0/8", "fd00::/8", or one address. An IPv4 range also holds the mapped form of its addresses.
class AddressRange {
public:
    // Nothing when the text is not a range, or has bits below its prefix.
    [[nodiscard]] static std::optional<AddressRange> parse(std::string_view text);
    [[nodiscard]] bool holds(const boost::asio::ip::address&) const;

private:
    boost::asio::ip::address base_;
    int prefix_ = 0;
};

// ::ffff:192.0.2.1 is 192.0.2.1; any other address is itself. A scope id is dropped.
[[nodiscard]] boost::asio::ip::address unmapped(const boost::asio::ip::address&);

// Whom a request is from: the peer, unless it is a trusted proxy. Then the right-most hop of X-Forwarded-For (every
// such field, in order, joined with commas) that is not trusted itself; what stands left of it anybody could have
// written.
[[nodiscard]] boost::asio::ip::address client_address(const boost::asio::ip::address& peer,
                                                      std::string_view forwarded_for,
                                                      const std::vector<AddressRange>& trusted);

}
