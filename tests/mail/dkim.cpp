#include "mail/dkim.hpp"

#include "system/random.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <algorithm>
#include <chrono>
#include <random>
#include <regex>
#include <set>
#include <sstream>
#include <thread>

using namespace postrider;
using namespace postrider::mail::dkim;

namespace {

// RFC 8463 appendix A.1; the Ed25519 key wrapped as RFC 8410 section 7 says.
constexpr std::string_view ed25519_key = R"(-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g
-----END PRIVATE KEY-----
)";
constexpr std::string_view rsa_key = R"(-----BEGIN RSA PRIVATE KEY-----
MIICXQIBAAKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQi
Y/J16JYi0Qvx/byYzCNb3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqM
KrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB
AoGAH0cxOhFZDgzXWhDhnAJDw5s4roOXN4OhjiXa8W7Y3rhX3FJqmJSPuC8N9vQm
6SVbaLAE4SG5mLMueHlh4KXffEpuLEiNp9Ss3O4YfLiQpbRqE7Tm5SxKjvvQoZZe
zHorimOaChRL2it47iuWxzxSiRMv4c+j70GiWdxXnxe4UoECQQDzJB/0U58W7RZy
6enGVj2kWF732CoWFZWzi1FicudrBFoy63QwcowpoCazKtvZGMNlPWnC7x/6o8Gc
uSe0ga2xAkEA8C7PipPm1/1fTRQvj1o/dDmZp243044ZNyxjg+/OPN0oWCbXIGxy
WvmZbXriOWoSALJTjExEgraHEgnXssuk7QJBALl5ICsYMu6hMxO73gnfNayNgPxd
WFV6Z7ULnKyV7HSVYF0hgYOHjeYe9gaMtiJYoo0zGN+L3AAtNP9huqkWlzECQE1a
licIeVlo1e+qJ6Mgqr0Q7Aa7falZ448ccbSFYEPD6oFxiOl9Y9se9iYHZKKfIcst
o7DUw1/hz2Ck4N5JrgUCQQCyKveNvjzkkd8HjYs0SwM0fPjK16//5qDZ2UiDGnOe
uEzxBDAr518Z8VFbR41in3W4Y3yCDgQlLlcETrS+zYcL
-----END RSA PRIVATE KEY-----
)";

// Appendix A.3.
constexpr std::string_view header = "From: Joe SixPack <joe@football.example.com>\r\n"
                                    "To: Suzie Q <suzie@shopping.example.net>\r\n"
                                    "Subject: Is dinner ready?\r\n"
                                    "Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)\r\n"
                                    "Message-ID: <20030712040037.46341.5F8J@football.example.com>\r\n";
constexpr std::string_view body = "Hi.\r\n\r\nWe lost the game.  Are you hungry yet?\r\n\r\nJoe.\r\n\r\n";

const Time then{1528637909s};

std::string hash_of(std::initializer_list<std::string_view> pieces) {
    RelaxedBody relaxed;
    for (auto piece : pieces) relaxed.add(piece);
    return system::base64(relaxed.finish());
}

std::vector<Key> both_keys() { return parse_keys(std::string(rsa_key) + std::string(ed25519_key), "s").value(); }

Signer signer(std::string domain = "football.example.com") { return Signer(std::move(domain), both_keys()); }

std::string sign(std::string_view header, std::string_view body) { return signer().sign(header, {&body, 1}, then); }

// Section 3.4.4 word by word, a step at a time.
std::string relaxed_by_the_book(std::string text) {
    std::string lines;
    bool ended = text.ends_with("\r\n");
    if (!text.empty() && !ended) text += "\r\n";
    for (std::size_t at = 0; at < text.size();) {
        auto end = text.find("\r\n", at);
        std::string line;
        for (char c : text.substr(at, end - at)) {
            bool space = c == ' ' || c == '\t';
            if (!space) line += c;
            if (space && !line.ends_with(' ')) line += ' ';
        }
        if (line.ends_with(' ')) line.pop_back();
        lines += line + "\r\n";
        at = end + 2;
    }
    while (lines.ends_with("\r\n\r\n")) lines.resize(lines.size() - 2);
    return lines == "\r\n" ? "" : lines;
}

std::string hash_by_the_book(const std::string& text) {
    auto relaxed = relaxed_by_the_book(text);
    std::string digest(32, '\0');
    EVP_Digest(relaxed.data(), relaxed.size(), (unsigned char*)digest.data(), nullptr, EVP_sha256(), nullptr);
    return system::base64(digest);
}

// The value of a tag in one DKIM-Signature field, without the spaces of folding.
std::string tag(const std::string& field, const std::string& name) {
    auto unfolded = std::regex_replace(field, std::regex("\\s+"), "");
    std::smatch match;
    return std::regex_search(unfolded, match, std::regex("[:;]" + name + "=([^;]*)")) ? match[1].str() : "(none)";
}

std::vector<std::string> fields_of(const std::string& signatures) {
    std::vector<std::string> fields;
    for (std::size_t at = 0; at < signatures.size();) {
        auto end = signatures.find("\r\nDKIM-Signature:", at);
        end = end == signatures.npos ? signatures.size() : end + 2;
        fields.push_back(signatures.substr(at, end - at));
        at = end;
    }
    return fields;
}

std::vector<std::string> names_of(const std::string& field) {
    std::vector<std::string> names;
    std::istringstream list(tag(field, "h"));
    for (std::string name; std::getline(list, name, ':');) names.push_back(name);
    return names;
}

bool verifies(const Key& key, std::string_view octets, const std::string& signature) {
    auto record = key.record();
    auto written = record.substr(record.find("p=") + 2);
    auto decode = [](const std::string& text) {
        std::vector<unsigned char> bytes(text.size());
        bytes.resize(std::size_t(EVP_DecodeBlock(bytes.data(), (const unsigned char*)text.data(), int(text.size()))));
        bytes.resize(bytes.size() - std::size_t(std::ranges::count(text, '=')));
        return bytes;
    };
    auto bytes = decode(written), signed_ = decode(signature);
    unsigned char digest[32];
    EVP_Digest(octets.data(), octets.size(), digest, nullptr, EVP_sha256(), nullptr);
    bool rsa = key.algorithm() == Algorithm::rsa_sha256;
    const unsigned char* at = bytes.data();
    auto* open = rsa ? d2i_PUBKEY(nullptr, &at, long(bytes.size()))
                     : EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, bytes.data(), bytes.size());
    auto* context = EVP_MD_CTX_new();
    EVP_DigestVerifyInit(context, nullptr, rsa ? EVP_sha256() : nullptr, nullptr, open);
    bool good = (rsa ? EVP_DigestVerify(context, signed_.data(), signed_.size(), (const unsigned char*)octets.data(),
                                        octets.size())
                     : EVP_DigestVerify(context, signed_.data(), signed_.size(), digest, sizeof digest)) == 1;
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(open);
    return good;
}

}

TEST(Dkim, TheExampleOfRfc8463ComesOutToTheOctet) {
    EXPECT_EQ(hash_of({body}), "2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=");

    auto canonical = [](std::string_view signature) {
        std::string text;
        for (auto* name :
             {"from", "to", "subject", "date", "message-id"}) { // then from, subject, date: not there twice
            std::istringstream lines{std::string(header)};
            for (std::string line; std::getline(lines, line);)
                if (auto field = relaxed_field(line.substr(0, line.size() - 1));
                    field.starts_with(fmt::format("{}:", name)))
                    text += field + "\r\n";
        }
        return text + relaxed_field(signature);
    };
    auto keys = both_keys();
    EXPECT_EQ(keys[1].signature(canonical("DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;\r\n"
                                          " d=football.example.com; i=@football.example.com;\r\n"
                                          " q=dns/txt; s=brisbane; t=1528637909; h=from : to :\r\n"
                                          " subject : date : message-id : from : subject : date;\r\n"
                                          " bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n"
                                          " b=")),
              "/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11BusFa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==");
    EXPECT_EQ(keys[0].signature(canonical("DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;\r\n"
                                          " d=football.example.com; i=@football.example.com;\r\n"
                                          " q=dns/txt; s=test; t=1528637909; h=from : to : subject :\r\n"
                                          " date : message-id : from : subject : date;\r\n"
                                          " bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n"
                                          " b=")),
              "F45dVWDfMbQDGHJFlXUNB2HKfbCeLRyhDXgFpEL8GwpsRe0IeIixNTe3DhCVlUrSjV4BwcVcOF6+FF3Zo9Rpo1tFOeS9mPYQTnGdaSGs"
              "geefOsk2JzdA+L10TeYt9BgDfQNZtKdN1WO//KgIqXP7OdEFE4LjFYNcUxZQ4FADY+8=");
}

TEST(Dkim, TheRecordsAreThoseOfRfc8463) {
    auto keys = both_keys();
    EXPECT_EQ(
        keys[0].record(),
        "v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQi"
        "Y/J16JYi0Qvx/byYzCNb3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2"
        "kryOTIKT+l/K4w3QIDAQAB");
    EXPECT_EQ(keys[1].record(), "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=");
}

TEST(Dkim, AFieldIsCanonicalAsSection342Says) {
    EXPECT_EQ(relaxed_field("A: X"), "a:X");
    EXPECT_EQ(relaxed_field("B : Y\t\r\n\tZ  "), "b:Y Z");
    EXPECT_EQ(relaxed_field("Subject:"), "subject:");
    EXPECT_EQ(relaxed_field("SUBJECT \t :\r\n  \r\n \t"), "subject:");
    EXPECT_EQ(relaxed_field("X-Caf\xc3\xa9: \xc3\x89 A"), "x-caf\xc3\xa9:\xc3\x89 A");
}

TEST(Dkim, ABodyOfNothingOrOfEmptyLinesIsEmpty) {
    constexpr auto empty = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
    EXPECT_EQ(hash_of({}), empty);
    EXPECT_EQ(hash_of({""}), empty);
    EXPECT_EQ(hash_of({"\r\n"}), empty);
    EXPECT_EQ(hash_of({"\r", "\n\r\n", " \t\r\n"}), empty);
}

TEST(Dkim, ABodyHasTheHashOfItsRelaxedFormHoweverItIsCut) {
    std::mt19937 random(6376);
    constexpr std::string_view parts[] = {" ",
                                          "\t",
                                          "\r\n",
                                          "\r\n",
                                          "  ",
                                          " \r\n",
                                          "a",
                                          "word",
                                          "\r",
                                          "\n",
                                          "\xc3\xa9",
                                          "=20=\r\n",
                                          "a line of some length that needs no change at all, as most of them\r\n"};
    for (int round = 0; round < 3000; ++round) {
        std::string text;
        for (auto count = random() % 40; count > 0; --count) text += parts[random() % std::size(parts)];
        if (round % 100 == 0) text += std::string(9000, 'x') + "\r\n\r\n  indented";
        RelaxedBody relaxed;
        for (std::string_view rest = text; !rest.empty();) {
            auto size = std::min<std::size_t>(rest.size(), round % 3 == 0 ? rest.size() : 1 + random() % 30);
            relaxed.add(rest.substr(0, size));
            rest.remove_prefix(size);
        }
        ASSERT_EQ(system::base64(relaxed.finish()), hash_by_the_book(text)) << testing::PrintToString(text);
    }
}

TEST(Dkim, TwoSignaturesAreWrittenRsaFirst) {
    auto fields = fields_of(sign(header, body));
    ASSERT_EQ(fields.size(), 2u);
    EXPECT_EQ(tag(fields[0], "a"), "rsa-sha256");
    EXPECT_EQ(tag(fields[0], "s"), "s");
    EXPECT_EQ(tag(fields[1], "a"), "ed25519-sha256");
    EXPECT_EQ(tag(fields[1], "s"), "s-ed");
    for (auto& field : fields) {
        EXPECT_EQ(tag(field, "v"), "1");
        EXPECT_EQ(tag(field, "c"), "relaxed/relaxed");
        EXPECT_EQ(tag(field, "d"), "football.example.com");
        EXPECT_EQ(tag(field, "t"), "1528637909");
        EXPECT_EQ(tag(field, "bh"), "2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=");
        EXPECT_EQ(tag(field, "l"), "(none)");
    }
}

TEST(Dkim, TheSignatureIsOverTheSignedFieldsAndItselfWithoutB) {
    auto fields = fields_of(sign(header, body));
    auto keys = both_keys();
    for (std::size_t i = 0; i < 2; ++i) {
        std::string octets =
            "from:Joe SixPack <joe@football.example.com>\r\nto:Suzie Q <suzie@shopping.example.net>\r\n"
            "subject:Is dinner ready?\r\ndate:Fri, 11 Jul 2003 21:00:37 -0700 (PDT)\r\n"
            "message-id:<20030712040037.46341.5F8J@football.example.com>\r\n";
        octets += relaxed_field(fields[i].substr(0, fields[i].find(" b=") + 3));
        EXPECT_TRUE(verifies(keys[i], octets, tag(fields[i], "b"))) << fields[i];
        EXPECT_FALSE(verifies(keys[i], octets + " ", tag(fields[i], "b")));
    }
}

TEST(Dkim, WhatASecondCopyCouldFalsifyIsSignedOnceMoreThanItIsThere) {
    std::string newsletter = std::string(header) +
                             "Reply-To: desk@football.example.com\r\nMIME-Version: 1.0\r\n"
                             "Content-Type: text/plain\r\nContent-Transfer-Encoding: 7bit\r\n"
                             "list-id: <n.football.example.com>\r\nList-Help: <mailto:h@football.example.com>\r\n"
                             "List-Unsubscribe: <https://football.example.com/u>\r\n"
                             "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\nFeedback-ID: 1:n:news:courier\r\n"
                             "CFBL-Address: f@football.example.com\r\nCFBL-Feedback-ID: 7\r\n"
                             "Received: from nowhere\r\nReturn-Path: <>\r\nPrecedence: list\r\n";
    auto names = names_of(fields_of(sign(newsletter, body)).at(0));
    std::multiset<std::string> counted(names.begin(), names.end());
    for (auto* name : {"From", "To", "Subject", "Date", "Reply-To", "Message-ID", "Content-Type", "List-Unsubscribe",
                       "List-Unsubscribe-Post"})
        EXPECT_EQ(counted.count(name), 2u) << name;
    for (auto* name : {"Cc", "MIME-Version", "Content-Transfer-Encoding", "List-Id", "List-Help", "Feedback-ID",
                       "CFBL-Address", "CFBL-Feedback-ID"})
        EXPECT_EQ(counted.count(name), 1u) << name;
    for (auto* name : {"Received", "Return-Path", "Precedence"}) EXPECT_EQ(counted.count(name), 0u) << name;
}

TEST(Dkim, OfSeveralFieldsOfOneNameTheLastIsSignedFirst) {
    auto two = std::string(header) + "List-Help: <mailto:first@a.example>\r\nLIST-HELP: <mailto:last@a.example>\r\n";
    auto field = fields_of(sign(two, body)).at(0);
    auto lines = relaxed_field(field.substr(0, field.find(" b=") + 3));
    std::string octets = "from:Joe SixPack <joe@football.example.com>\r\nto:Suzie Q <suzie@shopping.example.net>\r\n"
                         "subject:Is dinner ready?\r\ndate:Fri, 11 Jul 2003 21:00:37 -0700 (PDT)\r\n"
                         "message-id:<20030712040037.46341.5F8J@football.example.com>\r\n"
                         "list-help:<mailto:last@a.example>\r\nlist-help:<mailto:first@a.example>\r\n";
    EXPECT_TRUE(verifies(both_keys()[0], octets + lines, tag(field, "b")));
}

TEST(Dkim, NoLineIsLongerThan78) {
    for (std::string domain :
         {"a.example", "football.example.com", "a-rather-long-name-for-a-newsroom.of-some-size.example"}) {
        auto text = Signer(domain, both_keys()).sign(fmt::format("{}\r\n{}", header, body), then);
        ASSERT_TRUE(text.ends_with("\r\n"));
        for (std::size_t at = 0; at < text.size();) {
            auto end = text.find("\r\n", at);
            EXPECT_LE(end - at, 78u);
            EXPECT_GT(end - at, 1u);
            EXPECT_FALSE(text.substr(at, end - at).ends_with(' '));
            at = end + 2;
        }
    }
}

TEST(Dkim, ALineOfTheHeaderThatIsNoFieldHarmsNothing) {
    for (std::string_view odd :
         {"no colon\r\n", ":\r\n", "\t\r\n", " \r\n \r\n", "Subject", "Subject:", "\r", "a\r\n b"}) {
        auto fields = fields_of(sign(std::string(header) + std::string(odd), body));
        EXPECT_EQ(fields.size(), 2u) << odd;
    }
    EXPECT_EQ(signer().sign(header, {}, then), sign(std::string(header) + "\r\n", "\r\n"));
    EXPECT_EQ(signer().sign(header, then), sign(header, ""));
    EXPECT_EQ(signer().sign(fmt::format("{}\r\n{}", header, body), then), sign(header, body));
}

TEST(Dkim, AMessageWithoutFromIsNotSigned) {
    EXPECT_THROW((void)sign("To: suzie@shopping.example.net\r\n", body), std::invalid_argument);
    EXPECT_THROW((void)sign("", ""), std::invalid_argument);
    EXPECT_THROW(Signer("a.example", {}), std::invalid_argument);
}

TEST(Dkim, ASignerCoversItsDomainAndThoseBelow) {
    auto one = signer("courier.example");
    EXPECT_TRUE(one.covers("courier.example"));
    EXPECT_TRUE(one.covers("News.Courier.example"));
    EXPECT_FALSE(one.covers("notcourier.example"));
    EXPECT_FALSE(one.covers("example"));
    EXPECT_FALSE(one.covers("courier.example.net"));

    std::vector<Signer> signers;
    signers.push_back(signer("courier.example"));
    signers.push_back(signer("news.courier.example"));
    EXPECT_EQ(signer_for(signers, "a.news.courier.example"), &signers[1]);
    EXPECT_EQ(signer_for(signers, "b.courier.example"), &signers[0]);
    EXPECT_EQ(signer_for(signers, "other.example"), nullptr);
}

TEST(Dkim, ThreadsSignAtOnceWithOneSigner) {
    auto one = signer();
    std::string_view piece = body;
    const auto wanted = one.sign(header, {&piece, 1}, then);
    std::vector<std::jthread> threads;
    std::vector<int> wrong(4);
    for (int& count : wrong)
        threads.emplace_back([&] {
            for (int i = 0; i < 200; ++i) count += one.sign(header, {&piece, 1}, then) != wanted;
        });
    threads.clear();
    EXPECT_EQ(wrong, std::vector<int>(4));
}
