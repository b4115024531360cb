#include "subscribers/site.hpp"

#include <algorithm>
#include <cctype>
#include <functional>
#include <set>
#include <sys/stat.h>

namespace postrider::subscribers {
namespace {

constexpr SubscriptionId ada{1'234'567};
constexpr MailingId mailing{99};

template <class Sign>
std::string made(Sign sign) {
    std::string token;
    sign(token);
    return token;
}

struct Keys {
    Folder folder;
    std::filesystem::path file = folder.path / "keys" / "links";
    LinkTokens tokens{file};
    std::string leave(SubscriptionId id) {
        return made([&](auto& to) { tokens.signer().leave(to, id); });
    }
    std::string bounce(MailingId m, SubscriptionId id) {
        return made([&](auto& to) { tokens.signer().bounce(to, m, id); });
    }
};

TEST(LinkTokens, EveryTokenComesBackAsWhatWentIn) {
    Keys keys;
    auto& tokens = keys.tokens;
    auto signer = tokens.signer();
    for (std::int64_t id :
         {std::int64_t(1), std::int64_t(255), std::int64_t(256), std::int64_t(1'000'000), INT64_MAX}) {
        SubscriptionId subscription{id};
        LinkTokens::DeliveryOf delivery{{id / 2}, subscription};
        EXPECT_EQ(tokens.read_confirm(tokens.confirm({id})), SignUpId{id});
        EXPECT_EQ(tokens.read_ask_again(tokens.ask_again({id})), SignUpId{id});
        EXPECT_EQ(tokens.read_leave(keys.leave(subscription)), subscription);
        EXPECT_EQ(tokens.read_leave_by_mail(made([&](auto& to) { signer.leave_by_mail(to, subscription); })),
                  subscription);
        EXPECT_EQ(tokens.read_preferences(made([&](auto& to) { signer.preferences(to, {id}); })), SubscriberId{id});
        EXPECT_EQ(tokens.read_view(made([&](auto& to) { signer.view(to, {id / 2}, subscription); })), delivery);
        EXPECT_EQ(tokens.read_bounce(keys.bounce({id / 2}, subscription)), delivery);
        EXPECT_EQ(tokens.read_message_id(made([&](auto& to) { signer.message_id(to, {id / 2}, subscription); })),
                  delivery);
    }
}

// Every kind of token, and the names of the readers that take it.
struct Kind {
    std::string_view name;
    std::function<std::string(LinkTokens&)> make;
    std::function<bool(const LinkTokens&, std::string_view)> taken;
};

const std::vector<Kind>& kinds() {
    using Tokens = LinkTokens;
    static const std::vector<Kind> all{
        {"confirm", [](Tokens& t) { return t.confirm({7}); },
         [](const Tokens& t, auto text) { return t.read_confirm(text).has_value(); }},
        {"ask again", [](Tokens& t) { return t.ask_again({7}); },
         [](const Tokens& t, auto text) { return t.read_ask_again(text).has_value(); }},
        {"leave", [](Tokens& t) { return made([&](auto& to) { t.signer().leave(to, {7}); }); },
         [](const Tokens& t, auto text) { return t.read_leave(text).has_value(); }},
        {"leave by mail", [](Tokens& t) { return made([&](auto& to) { t.signer().leave_by_mail(to, {7}); }); },
         [](const Tokens& t, auto text) { return t.read_leave_by_mail(text).has_value(); }},
        {"view", [](Tokens& t) { return made([&](auto& to) { t.signer().view(to, {7}, {7}); }); },
         [](const Tokens& t, auto text) { return t.read_view(text).has_value(); }},
        {"preferences", [](Tokens& t) { return made([&](auto& to) { t.signer().preferences(to, {7}); }); },
         [](const Tokens& t, auto text) { return t.read_preferences(text).has_value(); }},
        {"bounce", [](Tokens& t) { return made([&](auto& to) { t.signer().bounce(to, {7}, {7}); }); },
         [](const Tokens& t, auto text) { return t.read_bounce(text).has_value(); }},
        {"message id", [](Tokens& t) { return made([&](auto& to) { t.signer().message_id(to, {7}, {7}); }); },
         [](const Tokens& t, auto text) { return t.read_message_id(text).has_value(); }},
    };
    return all;
}

TEST(LinkTokens, ATokenServesOnePurposeOnly) {
    Keys keys;
    for (auto& made : kinds())
        for (auto& read : kinds())
            EXPECT_EQ(read.taken(keys.tokens, made.make(keys.tokens)), made.name == read.name)
                << made.name << " read as " << read.name;
}

TEST(LinkTokens, NoKindOfTokenIsTakenFromElsewhereCutShortOrChanged) {
    Keys ours, theirs;
    for (auto& kind : kinds()) {
        auto token = kind.make(ours.tokens);
        EXPECT_FALSE(kind.taken(theirs.tokens, token)) << kind.name;
        for (std::size_t at = 0; at < token.size(); ++at) {
            EXPECT_FALSE(kind.taken(ours.tokens, token.substr(0, at))) << kind.name << at;
            auto changed = token;
            changed[at] = changed[at] == 'b' ? 'c' : 'b';
            EXPECT_FALSE(kind.taken(ours.tokens, changed)) << kind.name << at;
        }
        // Another key of the same site does not make it a token of its own.
        auto bytes = system::from_base64url(token);
        if (bytes.empty()) continue;
        LinkTokens::rotate(ours.file);
        ours.tokens.refresh();
        EXPECT_TRUE(kind.taken(ours.tokens, token)) << kind.name;
        bytes[0] = char(ours.tokens.newest().number);
        EXPECT_FALSE(kind.taken(ours.tokens, system::base64url(bytes))) << kind.name;
    }
}

TEST(LinkTokens, AnyChangedCharacterGivesNothing) {
    Keys keys;
    auto token = keys.leave(ada);
    constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=+/. %\n";
    for (std::size_t i = 0; i < token.size(); ++i)
        for (char c : alphabet) {
            auto changed = token;
            changed[i] = c;
            if (changed != token) EXPECT_FALSE(keys.tokens.read_leave(changed)) << i << c;
        }
}

TEST(LinkTokens, AnyChangedCharacterOfAReturnAddressGivesNothing) {
    Keys keys;
    auto token = keys.bounce(mailing, ada);
    for (std::size_t i = 0; i < token.size(); ++i)
        for (char c : std::string_view("abcdefghijklmnopqrstuvwxyz234567018=+-_")) {
            auto changed = token;
            changed[i] = c;
            if (changed != token) EXPECT_FALSE(keys.tokens.read_bounce(changed)) << i << c;
        }
}

TEST(LinkTokens, CutShortOrGrownGivesNothing) {
    Keys keys;
    auto token = keys.leave(ada);
    for (std::size_t size = 0; size < token.size(); ++size) EXPECT_FALSE(keys.tokens.read_leave(token.substr(0, size)));
    for (std::size_t from = 1; from < token.size(); ++from) EXPECT_FALSE(keys.tokens.read_leave(token.substr(from)));
    for (auto more : {"A", "AA", "=", " ", "\r\n"}) EXPECT_FALSE(keys.tokens.read_leave(token + more));
    EXPECT_FALSE(keys.tokens.read_leave(std::string(1'000'000, 'A')));
}

TEST(LinkTokens, RandomTextIsNeverAToken) {
    Keys keys;
    for (int i = 0; i < 20'000; ++i)
        EXPECT_FALSE(keys.tokens.read_leave(system::base64url(system::random_bytes(std::size_t(i % 40)))));
}

TEST(LinkTokens, ATokenOfAnotherSiteGivesNothing) {
    Keys ours, theirs;
    EXPECT_FALSE(ours.tokens.read_leave(theirs.leave(ada)));
    EXPECT_NE(ours.leave(ada), theirs.leave(ada));
}

TEST(LinkTokens, AReturnAddressSurvivesTheLossOfLetterCaseAndFitsItsLocalPart) {
    Keys keys;
    auto token = keys.bounce({INT64_MAX}, {INT64_MAX});
    EXPECT_LE(std::string("bounce+").size() + token.size(), 64u);
    std::ranges::transform(token, token.begin(), [](unsigned char c) { return char(std::toupper(c)); });
    EXPECT_EQ(keys.tokens.read_bounce(token)->subscription, SubscriptionId{INT64_MAX});
}

TEST(LinkTokens, OldLinksWorkAfterTheKeyWasRotated) {
    Keys keys;
    auto old = keys.leave(ada);
    EXPECT_EQ(LinkTokens::rotate(keys.file), KeyId{2});
    EXPECT_EQ(keys.tokens.newest(), KeyId{1}); // this process has not looked yet
    keys.tokens.refresh();
    EXPECT_EQ(keys.tokens.newest(), KeyId{2});
    EXPECT_NE(keys.leave(ada), old);
    EXPECT_EQ(keys.tokens.read_leave(old), ada);
    EXPECT_EQ(keys.tokens.read_leave(keys.leave(ada)), ada);
    auto frozen = made([&](auto& to) { keys.tokens.signer(KeyId{1})->leave(to, ada); });
    EXPECT_EQ(frozen, old);
    EXPECT_FALSE(keys.tokens.signer(KeyId{3}));
}

TEST(LinkTokens, ASignerOutlivesARefresh) {
    Keys keys;
    auto signer = keys.tokens.signer();
    LinkTokens::rotate(keys.file);
    keys.tokens.refresh();
    EXPECT_EQ(keys.tokens.read_leave(made([&](auto& to) { signer.leave(to, ada); })), ada);
}

TEST(LinkTokens, TheHashOfAnAddressIsTheSameAfterARotation) {
    Keys keys;
    auto before = keys.tokens.address_hash("ada@example.org");
    LinkTokens::rotate(keys.file);
    EXPECT_EQ(LinkTokens(keys.file).address_hash("ada@example.org"), before);
    EXPECT_NE(Keys().tokens.address_hash("ada@example.org"), before);
    EXPECT_EQ(before.size(), 32u);
}

TEST(LinkTokens, TheKeysAreForTheOwnerAloneAndTheSameForEveryProcess) {
    Keys keys;
    struct stat status{};
    ASSERT_EQ(stat(keys.file.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0600u);
    ASSERT_EQ(stat(keys.file.parent_path().c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0700u);
    EXPECT_EQ(LinkTokens(keys.file).read_leave(keys.leave(ada)), ada);
    auto files = std::distance(std::filesystem::directory_iterator(keys.file.parent_path()), {});
    EXPECT_EQ(files, 1);
}

TEST(LinkTokens, AnOpenlyReadableOrDamagedKeyFileIsRefusedByName) {
    Keys keys;
    chmod(keys.file.c_str(), 0644);
    EXPECT_THROW(LinkTokens{keys.file}, std::runtime_error);
    chmod(keys.file.c_str(), 0600);
    EXPECT_NO_THROW(LinkTokens{keys.file});
    for (auto content : {"", "site 00\n", "link 1 zz\n", "hello\n", "link 300 00\n"}) {
        std::ofstream(keys.file) << content;
        try {
            LinkTokens again(keys.file);
            FAIL() << content;
        } catch (const std::runtime_error& error) {
            EXPECT_NE(std::string(error.what()).find(keys.file.string()), std::string::npos);
        }
    }
}

TEST(LinkTokens, TheMacIsHmacSha256OverSiteAndToken) {
    Folder folder;
    std::filesystem::create_directories(folder.path / "keys");
    std::string site(16, 's'), secret(32, 'k');
    auto file = folder.file("keys/links", "site " + system::hex(site) + "\naddresses " + system::hex(secret) +
                                              "\nlink 5 " + system::hex(secret) + "\n");
    chmod(file.c_str(), 0600);
    auto token = system::from_base64url(made([&](auto& to) { LinkTokens(file).signer().leave(to, ada); }));
    auto body = token.substr(0, token.size() - 16);
    EXPECT_EQ(token.substr(token.size() - 16), system::hmac_sha256(secret, site + body).substr(0, 16));
    EXPECT_EQ(body[0], 5);
    EXPECT_EQ(LinkTokens(file).address_hash("a@b.c"), system::hmac_sha256(secret, "a@b.c"));
}

TEST(LinkTokens, AMessageIdIsShortAndDiffersForEachDelivery) {
    Keys keys;
    std::set<std::string> ids;
    auto signer = keys.tokens.signer();
    for (int m = 1; m <= 20; ++m)
        for (int s = 1; s <= 50; ++s) ids.insert(made([&](auto& to) { signer.message_id(to, {m}, {s}); }));
    EXPECT_EQ(ids.size(), 1000u);
    EXPECT_LE(ids.begin()->size(), 40u);
}

}
}
