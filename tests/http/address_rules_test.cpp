#include "http/address_rules.hpp"

#include <gtest/gtest.h>

#include <string>

using namespace postrider::http;
using boost::asio::ip::address;
using boost::asio::ip::make_address;

namespace {

std::string kind(const char* text) { return std::string(special_kind(make_address(text)).value_or("public")); }

std::vector<AddressRange> ranges(std::initializer_list<const char*> texts) {
    std::vector<AddressRange> all;
    for (auto text : texts) all.push_back(AddressRange::parse(text).value());
    return all;
}

std::string client(const char* peer, const char* forwarded_for) {
    return client_address(make_address(peer), forwarded_for, ranges({"10.0.0.0/8", "127.0.0.1", "fd00::/8"}))
        .to_string();
}

}

TEST(AddressRules, OrdinaryAddressesArePublic) {
    for (const char* text : {"1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0",
                             "172.15.255.255", "172.32.0.0", "192.167.255.255", "192.169.0.0", "198.17.255.255",
                             "198.20.0.0", "223.255.255.255", "2606:4700::1111", "2a00:1450:4001::1",
                             "2001:4860:4860::8888", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2002:808:808::1"})
        EXPECT_EQ(kind(text), "public") << text;
}

TEST(AddressRules, EveryReservedRangeIsKnownFromItsFirstToItsLastAddress) {
    for (const char* text : {"0.0.0.0",
                             "0.255.255.255",
                             "10.0.0.0",
                             "10.255.255.255",
                             "100.64.0.0",
                             "100.127.255.255",
                             "127.0.0.0",
                             "127.255.255.255",
                             "169.254.0.0",
                             "169.254.169.254",
                             "169.254.255.255",
                             "172.16.0.0",
                             "172.31.255.255",
                             "192.0.0.0",
                             "192.0.0.255",
                             "192.0.2.0",
                             "192.0.2.255",
                             "192.88.99.0",
                             "192.88.99.255",
                             "192.168.0.0",
                             "192.168.255.255",
                             "198.18.0.0",
                             "198.19.255.255",
                             "198.51.100.0",
                             "198.51.100.255",
                             "203.0.113.0",
                             "203.0.113.255",
                             "224.0.0.0",
                             "239.255.255.255",
                             "240.0.0.0",
                             "255.255.255.255",
                             "::",
                             "::1",
                             "100::",
                             "100::1",
                             "2001::1",
                             "2001:1ff:ffff::1",
                             "2001:db8::1",
                             "3fff::1",
                             "fc00::1",
                             "fdff::1",
                             "fe80::1",
                             "febf::1",
                             "fec0::1",
                             "ff00::1",
                             "ff02::1",
                             "::7f00:1",
                             "64:ff9b:1::1",
                             "4000::1"})
        EXPECT_NE(kind(text), "public") << text;
}

TEST(AddressRules, AnAddressInsideAnAddressIsJudgedToo) {
    for (const char* text : {"::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "64:ff9b::127.0.0.1",
                             "64:ff9b::a9fe:a9fe", "2002:7f00:1::", "2002:a9fe:a9fe::1", "2002:c0a8:101::1"})
        EXPECT_NE(kind(text), "public") << text;
    EXPECT_EQ(kind("::ffff:7f00:1"), "loopback");
}

TEST(AddressRules, RangesAreReadStrictly) {
    for (const char* text : {"", "10", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8x", "10.0.0.1/8",
                             "fd00::/129", "fd00::1/8", "localhost", "10.0.0.0/8/8"})
        EXPECT_FALSE(AddressRange::parse(text)) << text;
    EXPECT_TRUE(AddressRange::parse("0.0.0.0/0")->holds(make_address("203.0.113.9")));
    EXPECT_TRUE(AddressRange::parse("10.0.0.0/8")->holds(make_address("::ffff:10.1.2.3")));
    EXPECT_FALSE(AddressRange::parse("10.0.0.0/8")->holds(make_address("11.0.0.0")));
    EXPECT_TRUE(AddressRange::parse("2001:db8::/33")->holds(make_address("2001:db8:7fff::1")));
    EXPECT_FALSE(AddressRange::parse("2001:db8::/33")->holds(make_address("2001:db8:8000::1")));
    EXPECT_TRUE(AddressRange::parse("::1")->holds(make_address("::1")));
}

TEST(AddressRules, TheClientIsTheRightMostHopNobodyVouchesFor) {
    EXPECT_EQ(client("203.0.113.5", "1.2.3.4"), "203.0.113.5"); // a stranger may write what he likes
    EXPECT_EQ(client("127.0.0.1", ""), "127.0.0.1");
    EXPECT_EQ(client("127.0.0.1", "203.0.113.5"), "203.0.113.5");
    EXPECT_EQ(client("127.0.0.1", "1.2.3.4, 203.0.113.5"), "203.0.113.5");
    EXPECT_EQ(client("127.0.0.1", "1.2.3.4, 203.0.113.5, 10.0.0.7"), "203.0.113.5");
    EXPECT_EQ(client("::ffff:127.0.0.1", "203.0.113.5:4711"), "203.0.113.5");
    EXPECT_EQ(client("127.0.0.1", "[2001:db8::5]:4711"), "2001:db8::5");
    EXPECT_EQ(client("127.0.0.1", "2001:db8::5"), "2001:db8::5");
    EXPECT_EQ(client("127.0.0.1", "10.0.0.1, 10.0.0.2"), "10.0.0.1");
    EXPECT_EQ(client("127.0.0.1", "1.2.3.4, unknown"), "127.0.0.1");
    EXPECT_EQ(client("127.0.0.1", "1.2.3.4, unknown, 10.0.0.3"), "10.0.0.3");
    EXPECT_EQ(client("127.0.0.1", "1.2.3.4,"), "127.0.0.1");
    EXPECT_EQ(client("127.0.0.1", ",,,"), "127.0.0.1");
}
