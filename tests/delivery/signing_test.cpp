#include "delivery/letters.hpp"
#include "mail/dkim_keys.hpp"
#include "post_office.hpp"

namespace postrider::delivery {
namespace {

using test::Stage;

class SignedMail : public PostOffice {
protected:
    SignedMail() {
        auto file = mail::dkim::create_keys(folder / "keys", "courier.example", "n2026").value();
        signers = std::make_shared<std::vector<mail::dkim::Signer>>();
        signers->emplace_back("courier.example", mail::dkim::read_keys(file).value());
    }
    // The same octets as signing what follows the signatures gives: each message has its own, whole and unchanged.
    void is_signed(const std::string& bytes, Time at) {
        auto rest = bytes.find("\r\nDate:");
        ASSERT_NE(rest, bytes.npos) << bytes;
        auto message = bytes.substr(rest + 2);
        EXPECT_EQ(bytes, signers->front().sign(message, at) + message);
    }
    void all_are_signed(Time at) {
        for (auto& mail : relay.messages()) is_signed(mail.bytes, at);
    }
};

TEST_F(SignedMail, EveryMessageHasItsOwnSignaturesInFront) {
    join(50);
    auto began = clock.now();
    auto id = issue();
    settles();
    balances(id, 50);
    all_are_signed(began);
}

TEST_F(SignedMail, ARefusedReaderDoesNotMixUpTheSignaturesOfTheOthers) {
    join(60);
    for (int i = 3; i <= 60; i += 3)
        relay.answers_for(fmt::format("reader{}@example.org", i), Stage::rcpt, "550 5.1.1 no such user");
    auto began = clock.now();
    auto id = issue();
    settles();
    balances(id, 40);
    all_are_signed(began);
}

TEST_F(SignedMail, ALaterTryIsTheSameToTheOctet) {
    joins("ada@example.org");
    relay.answers_for("ada@example.org", Stage::body, "451 4.3.0 later", 1);
    auto began = clock.now();
    auto id = issue();
    settles();
    passes(10min, 5min);
    balances(id, 1);
    ASSERT_EQ(relay.messages().size(), 1u);
    is_signed(relay.messages()[0].bytes, began);
}

TEST_F(SignedMail, ALetterIsSignedAndASenderWithoutAKeyIsNot) {
    std::string letter =
        "Date: Tue, 24 Nov 2026 07:54:00 +0000\r\nFrom: news@courier.example\r\nSubject: hi\r\n\r\nhi\r\n";
    auto at = clock.now();
    Letters(*connection)
        .add(Purpose::confirmation, "bounce@courier.example", "ada@example.org", "ada@example.org", letter, at, 24h);
    Letters(*connection)
        .add(Purpose::confirmation, "bounce@other.example", "bob@example.org", "bob@example.org", letter, at, 24h);
    settles();
    ASSERT_EQ(relay.messages().size(), 2u);
    for (auto& mail : relay.messages()) {
        if (mail.to == "ada@example.org")
            is_signed(mail.bytes, at);
        else
            EXPECT_EQ(mail.bytes, letter);
    }
}

TEST_F(SignedMail, AConnectionThatBreaksWhileAMessageIsSignedLosesNobody) {
    join(40);
    relay.answers_for("reader5@example.org", Stage::body, "421 4.3.2 closing", 1);
    auto began = clock.now();
    auto id = issue();
    settles();
    passes(30min, 1min);
    balances(id, 40);
    all_are_signed(began);
}

}
}
