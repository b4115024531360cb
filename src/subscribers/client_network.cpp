#include "subscribers/client_network.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <cstring>
#include <optional>

namespace postrider::subscribers {
namespace {

struct Network {
    int family = AF_INET;
    unsigned char bytes[16] = {};
};

std::optional<Network> parse(std::string_view client) {
    std::string text(client.substr(0, client.find('%'))); // without a zone
    Network network;
    if (inet_pton(AF_INET, text.c_str(), network.bytes) == 1) return network;
    if (inet_pton(AF_INET6, text.c_str(), network.bytes) != 1) return std::nullopt;
    static constexpr unsigned char mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    if (std::memcmp(network.bytes, mapped, sizeof mapped) == 0)
        std::copy(network.bytes + 12, network.bytes + 16, network.bytes);
    else
        network.family = AF_INET6;
    return network;
}

std::string first_octets(Network network, int octets) {
    std::fill(network.bytes + octets, network.bytes + 16, 0);
    char out[INET6_ADDRSTRLEN];
    return inet_ntop(network.family, network.bytes, out, sizeof out);
}

}

std::string client_network(std::string_view client) {
    auto network = parse(client);
    if (!network) return std::string(client);
    if (network->family == AF_INET) return first_octets(*network, 4);
    // One household or one server gets a /64: its addresses within that cost nothing (RFC 6177).
    return first_octets(*network, 8) + "/64";
}

std::string wide_network(std::string_view client) {
    auto network = parse(client);
    if (!network) return "";
    if (network->family == AF_INET) return first_octets(*network, 3) + "/24";
    return first_octets(*network, 6) + "/48";
}

}
