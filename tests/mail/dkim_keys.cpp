#include "mail/dkim_keys.hpp"

#include "mail/dkim.hpp"
#include "system/random.hpp"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <filesystem>
#include <fstream>
#include <iterator>

using namespace postrider;
using namespace postrider::mail::dkim;
namespace fs = std::filesystem;

namespace {

class DkimKeys : public testing::Test {
protected:
    DkimKeys() { fs::create_directories(folder); }
    ~DkimKeys() override { fs::remove_all(folder); }

    [[nodiscard]] static std::string pem(EVP_PKEY* key, const char* password = nullptr) {
        auto* bio = BIO_new(BIO_s_mem());
        PEM_write_bio_PKCS8PrivateKey(bio, key, password ? EVP_aes_128_cbc() : nullptr, nullptr, 0, nullptr,
                                      const_cast<char*>(password));
        EVP_PKEY_free(key);
        char* bytes = nullptr;
        std::string text;
        auto size = BIO_get_mem_data(bio, &bytes);
        text.assign(bytes, std::size_t(size));
        BIO_free(bio);
        return text;
    }
    [[nodiscard]] static std::string fault(const std::string& text) {
        auto keys = parse_keys(text, "s");
        return keys ? "(none)" : keys.error();
    }
    [[nodiscard]] KeyFile write(const std::string& text) const {
        auto file = key_file(keys, "courier.example", "s");
        fs::create_directories(keys);
        fs::permissions(keys, fs::perms::owner_all);
        std::ofstream(file.path) << text;
        fs::permissions(file.path, fs::perms::owner_read | fs::perms::owner_write);
        return file;
    }
    [[nodiscard]] static std::string bytes_of(const fs::path& path) {
        std::ifstream stream(path, std::ios::binary);
        return {std::istreambuf_iterator(stream), {}};
    }

    const fs::path folder = fs::temp_directory_path() / ("postrider-dkim-" + system::hex(system::random_bytes(8)));
    const fs::path keys = folder / "keys";
};

void expect_holds(const std::string& text, std::string_view words) {
    EXPECT_NE(text.find(words), text.npos) << text << "\n  lacks: " << words;
}

fs::perms mode_of(const fs::path& path) { return fs::status(path).permissions(); }

}

TEST_F(DkimKeys, BothKeysAreMadeForTheirOwnerOnly) {
    auto made = create_keys(keys, "courier.example", "n2026");
    ASSERT_TRUE(made) << made.error();
    EXPECT_EQ(made->path, keys / "n2026._domainkey.courier.example");
    EXPECT_EQ(mode_of(made->path), fs::perms::owner_read | fs::perms::owner_write);
    EXPECT_EQ(mode_of(keys), fs::perms::owner_all);

    auto read = read_keys(*made);
    ASSERT_TRUE(read) << read.error();
    ASSERT_EQ(read->size(), 2u);
    EXPECT_EQ(read->at(0).algorithm(), Algorithm::rsa_sha256);
    EXPECT_EQ(read->at(0).bits(), 2048);
    EXPECT_EQ(read->at(0).selector(), "n2026");
    EXPECT_EQ(read->at(1).algorithm(), Algorithm::ed25519_sha256);
    EXPECT_EQ(read->at(1).selector(), "n2026-ed");
    EXPECT_TRUE(weaknesses(*read).empty());

    auto strings = txt_strings(read->at(0).record());
    ASSERT_EQ(strings.size(), 2u);
    EXPECT_EQ(strings[0].size(), 255u);
    EXPECT_EQ(strings[0] + strings[1], read->at(0).record());
}

TEST_F(DkimKeys, AKeyIsNeverOverwritten) {
    auto made = create_keys(keys, "courier.example", "n2026");
    ASSERT_TRUE(made);
    auto before = bytes_of(made->path);
    auto again = create_keys(keys, "courier.example", "n2026");
    ASSERT_FALSE(again);
    expect_holds(again.error(), made->path.string());
    expect_holds(again.error(), "another selector");
    EXPECT_EQ(bytes_of(made->path), before);
    EXPECT_EQ(std::distance(fs::directory_iterator(keys), {}), 1);
}

TEST_F(DkimKeys, NoKeyIsMadeInAFolderThatIsOpenToOthers) {
    fs::create_directories(keys);
    fs::permissions(keys, fs::perms::owner_all | fs::perms::group_read);
    auto made = create_keys(keys, "courier.example", "n2026");
    ASSERT_FALSE(made);
    expect_holds(made.error(), "chmod 700");
    EXPECT_TRUE(fs::is_empty(keys));
}

TEST_F(DkimKeys, TheFilesOfAFolderAreFoundByTheirNames) {
    EXPECT_TRUE(key_files(keys).empty());
    for (auto [domain, selector] :
         {std::pair("courier.example", "n2026"), {"courier.example", "n2027"}, {"a.example", "x.y"}})
        (void)write("").path, std::ofstream(key_file(keys, domain, selector).path);
    fs::remove(key_file(keys, "courier.example", "s").path);
    std::ofstream(keys / "links") << "another";
    std::vector<std::string> found;
    for (auto& file : key_files(keys)) found.push_back(file.selector + " " + file.domain);
    EXPECT_EQ(found, (std::vector<std::string>{"x.y a.example", "n2026 courier.example", "n2027 courier.example"}));
}

TEST_F(DkimKeys, AFileThatOthersMayReadIsNotUsed) {
    auto file = write(pem(EVP_RSA_gen(2048)));
    EXPECT_TRUE(read_keys(file));
    fs::permissions(file.path, fs::perms::owner_read | fs::perms::group_read);
    auto read = read_keys(file);
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error(), file.path.string() + ": others can read this key; chmod 600 " + file.path.string());
}

TEST_F(DkimKeys, AnErrorNamesTheFileAndWhatToDo) {
    auto absent = key_file(keys, "courier.example", "s");
    EXPECT_EQ(read_keys(absent).error(),
              absent.path.string() + ": there is no such key; `postrider dkim create courier.example s` makes one");
    auto file = write("hello");
    expect_holds(read_keys(file).error(), file.path.string() + ": it holds no private key");
    (void)write(std::string(100'000, 'x'));
    expect_holds(read_keys(file).error(), "too many for a key");
    fs::remove(file.path);
    fs::create_directory(file.path, folder);
    fs::permissions(file.path, fs::perms::owner_all);
    expect_holds(read_keys(file).error(), "is no file");
}

TEST_F(DkimKeys, WhatIsNoKeyForDkimIsRefusedWithItsReason) {
    auto rsa = pem(EVP_RSA_gen(2048));
    expect_holds(fault(""), "holds no private key");
    expect_holds(fault("-----BEGIN PUBLIC KEY-----\nMCow\n-----END PUBLIC KEY-----\n"), "holds no private key");
    expect_holds(fault(rsa.substr(0, 400) + rsa.substr(500)), "damaged");
    expect_holds(fault(rsa.substr(0, 400)), "damaged");
    expect_holds(fault(pem(EVP_RSA_gen(2048), "secret")), "password");
    expect_holds(fault(pem(EVP_EC_gen("P-256"))), "the kind EC");
    expect_holds(fault(pem(EVP_RSA_gen(512))), "512 bits is not accepted");
    expect_holds(fault(rsa + rsa), "two keys for rsa-sha256");
}

TEST_F(DkimKeys, AShortOrMissingRsaKeyIsSaid) {
    auto brief = parse_keys(pem(EVP_RSA_gen(1024)), "s");
    ASSERT_TRUE(brief) << brief.error();
    ASSERT_EQ(weaknesses(*brief).size(), 1u);
    expect_holds(weaknesses(*brief)[0], "1024 bits is short");
    auto alone = parse_keys(pem(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519")), "s");
    ASSERT_TRUE(alone);
    EXPECT_EQ(alone->at(0).selector(), "s") << "a key of its own has the name of the file";
    ASSERT_EQ(weaknesses(*alone).size(), 1u);
    expect_holds(weaknesses(*alone)[0], "no RSA key");
}

TEST_F(DkimKeys, TheSelectorOfTheConfigurationSignsForEveryDomainThatHasIt) {
    for (auto [domain, selector] : {std::pair("a.example", "old"), {"a.example", "new"}, {"b.example", "new"}})
        ASSERT_TRUE(create_keys(keys, domain, selector));
    auto signers = load_signers({.selector = "new"}, keys);
    ASSERT_TRUE(signers) << signers.error();
    ASSERT_EQ(signers->size(), 2u);
    EXPECT_EQ(signer_for(*signers, "news.a.example")->domain(), "a.example");
    EXPECT_EQ(signer_for(*signers, "b.example")->keys()[1].selector(), "new-ed");

    auto older = load_signers({.selector = "old"}, keys);
    ASSERT_TRUE(older);
    EXPECT_EQ(older->size(), 1u);
    auto one = load_signers({.selector = "new", .domain = "b.example", .only = Algorithm::rsa_sha256}, keys);
    ASSERT_TRUE(one);
    EXPECT_EQ(one->at(0).keys().size(), 1u);
    auto elsewhere = load_signers(
        {.selector = "x", .domain = "c.example", .key_file = key_file(keys, "a.example", "old").path}, keys);
    ASSERT_TRUE(elsewhere);
    EXPECT_EQ(elsewhere->at(0).domain(), "c.example");
    EXPECT_EQ(elsewhere->at(0).keys()[0].selector(), "x");
}

TEST_F(DkimKeys, SignersThatCannotBeLoadedSayWhatIsMissing) {
    EXPECT_EQ(load_signers({.selector = "n"}, keys).error().substr(0, keys.string().size()), keys.string());
    expect_holds(load_signers({.selector = "n", .domain = "a.example"}, keys).error(), "dkim create a.example n");
    auto file = write(pem(EVP_RSA_gen(2048)));
    auto none = load_signers({.selector = "s", .only = Algorithm::ed25519_sha256}, keys);
    ASSERT_FALSE(none);
    EXPECT_EQ(none.error(), file.path.string() + ": it holds no key for ed25519-sha256");
}

TEST(DkimNames, ADomainIsTakenInItsAsciiForm) {
    EXPECT_EQ(domain_from("Courier.Example").value(), "courier.example");
    EXPECT_EQ(domain_from("b\u00fccher.example").value(), "xn--bcher-kva.example");
    for (auto* text : {"", "courier", "a@courier.example", "../courier.example", "courier.example/x", "a b.example",
                       "a,b.example", "-.example", ".example", "a..example", "[127.0.0.1]"})
        EXPECT_FALSE(domain_from(text)) << text;
}

TEST(DkimNames, ASelectorIsOneNameOrSeveralWithDots) {
    EXPECT_EQ(selector_from("N2026").value(), "n2026");
    EXPECT_EQ(selector_from("a.b-c").value(), "a.b-c");
    for (auto* text : {"", ".", "a.", ".a", "a..b", "-a", "a-", "a_b", "../a", "a/b", "a b", "n2026-ed", "caf\u00e9"})
        EXPECT_FALSE(selector_from(text)) << text;
    EXPECT_FALSE(selector_from(std::string(64, 'a')));
}
