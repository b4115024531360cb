#include "mail/address.hpp"

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>
#include <string>

using namespace postrider::mail;

namespace {

boost::json::value corpus(const std::string& file) {
    const char* folder = std::getenv("POSTRIDER_CORPORA");
    if (!folder) return nullptr;
    std::ifstream in(std::string(folder) + "/" + file);
    std::stringstream text;
    text << in.rdbuf();
    boost::json::error_code error;
    auto value = boost::json::parse(text.str(), error);
    return error ? nullptr : value;
}

}

#define CORPUS(name, file)                                                                                             \
    auto name = corpus(file);                                                                                          \
    if (name.is_null()) GTEST_SKIP() << "POSTRIDER_CORPORA is not set, or holds no " << file;

TEST(AddressCorpus, IsemailsDeliverableAddressesAreTakenAndAllOthersRefused) {
    CORPUS(cases, "email-address/isemail.json")
    // Deliverable by isemail, refused by our policy: domains without a dot, and address literals.
    const std::set<std::int64_t> refused_by_policy{5, 166, 61, 68, 72, 75, 77, 79, 81};
    int taken = 0, refused = 0;
    for (const auto& entry : cases.as_array()) {
        auto id = entry.at("id").as_int64();
        std::string category(entry.at("category").as_string()), text(entry.at("address").as_string());
        bool deliverable =
            category == "ISEMAIL_VALID_CATEGORY" || category == "ISEMAIL_DNSWARN" || category == "ISEMAIL_RFC5321";
        auto address = parse_address(text);
        EXPECT_EQ(address.has_value(), deliverable && !refused_by_policy.contains(id))
            << id << " " << category << " " << text << ": " << (address ? "taken" : address.error().reason);
        ++(address ? taken : refused);
    }
    RecordProperty("taken", taken);
    RecordProperty("refused", refused);
    EXPECT_EQ(taken, 29);
    EXPECT_EQ(refused, 135);
}

TEST(AddressCorpus, WhatUts46RefusesIsRefusedAndWhatWeTakeHasItsAsciiForm) {
    CORPUS(cases, "url-idna/toascii.json")
    for (const auto& entry : cases.as_array()) {
        if (!entry.is_object()) continue;
        std::string input(entry.at("input").as_string());
        auto address = parse_address("a@" + input + ".example");
        if (!address) continue;
        ASSERT_FALSE(entry.at("output").is_null()) << input << " taken as " << address->ascii();
        EXPECT_EQ(address->ascii(), "a@" + std::string(entry.at("output").as_string()) + ".example") << input;
    }
}
