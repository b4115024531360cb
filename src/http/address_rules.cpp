#include "http/address_rules.hpp"

#include "system/trimmed.hpp"

#include <array>
#include <charconv>
#include <cstdint>

namespace postrider::http {

namespace ip = boost::asio::ip;

namespace {

template <std::size_t Size>
bool same_prefix(const std::array<unsigned char, Size>& a, const std::array<unsigned char, Size>& b, int prefix) {
    for (std::size_t i = 0; prefix > 0 && i < Size; ++i, prefix -= 8) {
        unsigned mask = prefix >= 8 ? 0xffu : (0xffu << (8 - prefix)) & 0xffu;
        if ((a[i] & mask) != (b[i] & mask)) return false;
    }
    return true;
}

struct Range4 {
    std::array<unsigned char, 4> base;
    int prefix;
    std::string_view kind;
};

// IANA IPv4 Special-Purpose Address Registry, and multicast.
constexpr Range4 special4[] = {
    {{0, 0, 0, 0}, 8, "not an address of a host"},
    {{10, 0, 0, 0}, 8, "private"},
    {{100, 64, 0, 0}, 10, "shared (carrier NAT)"},
    {{127, 0, 0, 0}, 8, "loopback"},
    {{169, 254, 0, 0}, 16, "link-local"},
    {{172, 16, 0, 0}, 12, "private"},
    {{192, 0, 0, 0}, 24, "reserved"},
    {{192, 0, 2, 0}, 24, "for documentation"},
    {{192, 88, 99, 0}, 24, "reserved"},
    {{192, 168, 0, 0}, 16, "private"},
    {{198, 18, 0, 0}, 15, "for benchmarks"},
    {{198, 51, 100, 0}, 24, "for documentation"},
    {{203, 0, 113, 0}, 24, "for documentation"},
    {{224, 0, 0, 0}, 4, "multicast"},
    {{240, 0, 0, 0}, 4, "reserved"},
};

std::optional<std::string_view> kind_of(const ip::address_v4& address) {
    for (const auto& range : special4)
        if (same_prefix(address.to_bytes(), range.base, range.prefix)) return range.kind;
    return std::nullopt;
}

struct Range6 {
    std::array<unsigned char, 16> base;
    int prefix;
    std::string_view kind;
};

// IANA IPv6 Special-Purpose Address Registry. Only 2000::/3 is given out at all.
constexpr Range6 special6[] = {
    {{0x20, 0x01}, 23, "reserved"}, // Teredo, benchmarking, ORCHID and others
    {{0x20, 0x01, 0x0d, 0xb8}, 32, "for documentation"},
    {{0x3f, 0xff}, 20, "for documentation"},
};

ip::address_v4 carried(const ip::address_v6::bytes_type& bytes, std::size_t at) {
    return ip::address_v4({bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]});
}

std::optional<std::string_view> kind_of(const ip::address_v6& address) {
    auto bytes = address.to_bytes();
    if (address.is_loopback()) return "loopback";
    if (address.is_unspecified()) return "not an address of a host";
    if (address.is_v4_mapped()) return kind_of(carried(bytes, 12));
    constexpr ip::address_v6::bytes_type nat64{0x00, 0x64, 0xff, 0x9b};
    if (same_prefix(bytes, nat64, 96)) return kind_of(carried(bytes, 12));
    if (bytes[0] == 0x20 && bytes[1] == 0x02) return kind_of(carried(bytes, 2)); // 6to4
    for (const auto& range : special6)
        if (same_prefix(bytes, range.base, range.prefix)) return range.kind;
    if ((bytes[0] & 0xe0) == 0x20) return std::nullopt;
    if ((bytes[0] & 0xfe) == 0xfc) return "private";
    if (bytes[0] == 0xfe && (bytes[1] & 0xc0) == 0x80) return "link-local";
    if (bytes[0] == 0xff) return "multicast";
    return "reserved";
}

// "192.0.2.1", "192.0.2.1:4711", "2001:db8::1", "[2001:db8::1]:4711", with blanks around.
std::optional<ip::address> hop_address(std::string_view text) {
    text = system::trimmed(text, " \t");
    if (text.starts_with('[')) {
        text = text.substr(1, text.find(']') - 1);
    } else if (auto colon = text.find(':');
               colon != std::string_view::npos && text.find(':', colon + 1) == std::string_view::npos) {
        text = text.substr(0, colon);
    }
    boost::system::error_code failure;
    auto address = ip::make_address(text, failure);
    if (failure) return std::nullopt;
    return unmapped(address);
}

bool is_trusted(const ip::address& address, const std::vector<AddressRange>& trusted) {
    for (const auto& range : trusted)
        if (range.holds(address)) return true;
    return false;
}

}

std::optional<std::string_view> special_kind(const ip::address& address) {
    return address.is_v4() ? kind_of(address.to_v4()) : kind_of(address.to_v6());
}

ip::address unmapped(const ip::address& address) {
    if (!address.is_v6()) return address;
    auto v6 = address.to_v6();
    if (v6.is_v4_mapped()) return carried(v6.to_bytes(), 12);
    v6.scope_id(0);
    return v6;
}

std::optional<AddressRange> AddressRange::parse(std::string_view text) {
    auto slash = text.find('/');
    boost::system::error_code failure;
    AddressRange range;
    range.base_ = ip::make_address(text.substr(0, slash), failure);
    if (failure) return std::nullopt;
    const int bits = range.base_.is_v4() ? 32 : 128;
    range.prefix_ = bits;
    if (slash != std::string_view::npos) {
        auto digits = text.substr(slash + 1);
        auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), range.prefix_);
        if (error != std::errc{} || end != digits.data() + digits.size() || range.prefix_ < 0 || range.prefix_ > bits)
            return std::nullopt;
    }
    auto has_bits_below = [&](auto bytes) {
        for (int bit = range.prefix_; bit < bits; ++bit)
            if (bytes[std::size_t(bit / 8)] & (0x80 >> (bit % 8))) return true;
        return false;
    };
    if (range.base_.is_v4() ? has_bits_below(range.base_.to_v4().to_bytes())
                            : has_bits_below(range.base_.to_v6().to_bytes()))
        return std::nullopt;
    return range;
}

bool AddressRange::holds(const ip::address& address) const {
    auto plain = unmapped(address);
    if (plain.is_v4() != base_.is_v4()) return false;
    if (plain.is_v4()) return same_prefix(plain.to_v4().to_bytes(), base_.to_v4().to_bytes(), prefix_);
    return same_prefix(plain.to_v6().to_bytes(), base_.to_v6().to_bytes(), prefix_);
}

ip::address client_address(const ip::address& peer, std::string_view forwarded_for,
                           const std::vector<AddressRange>& trusted) {
    auto client = unmapped(peer);
    while (is_trusted(client, trusted) && !forwarded_for.empty()) {
        auto comma = forwarded_for.rfind(',');
        auto hop = hop_address(comma == std::string_view::npos ? forwarded_for : forwarded_for.substr(comma + 1));
        if (!hop) break; // "unknown" or nonsense: the proxy that wrote it is the last one we know
        client = *hop;
        forwarded_for = comma == std::string_view::npos ? std::string_view{} : forwarded_for.substr(0, comma);
    }
    return client;
}

}
