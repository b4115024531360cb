#pragma once

#include <string>
#include <string_view>

// Which visitors count as one, and how much of a network address may be kept.

namespace postrider::subscribers {

// What one visitor is, for counting: "192.0.2.7", "2001:db8:1:2::/64"; an IPv4 address inside an IPv6 one is the IPv4
// address. What is no address stays as it is.
[[nodiscard]] std::string client_network(std::string_view client);

// What names no household any more: "192.0.2.0/24", "2001:db8:1::/48"; empty for what is no address.
[[nodiscard]] std::string wide_network(std::string_view client);

}
