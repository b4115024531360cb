#include "mail/address.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>

using namespace postrider::mail;

namespace {

std::string reason(std::string_view text) {
    auto address = parse_address(text);
    return address ? "taken as " + address->text() : address.error().reason;
}

std::string text_of(std::string_view text) {
    auto address = parse_address(text);
    return address ? address->text() : "refused: " + address.error().reason;
}

std::string key_of(std::string_view text) {
    auto address = parse_address(text);
    return address ? address->key() : "refused: " + address.error().reason;
}

std::string times(std::size_t count, std::string_view text) {
    std::string out;
    while (count-- > 0) out += text;
    return out;
}

}

TEST(Address, AnOrdinaryOneIsKeptAsItIs) {
    auto address = parse_address("Ada.Lovelace+news@Example.ORG").value();
    EXPECT_EQ(address.text(), "Ada.Lovelace+news@example.org");
    EXPECT_EQ(address.ascii(), "Ada.Lovelace+news@example.org");
    EXPECT_EQ(address.key(), "ada.lovelace+news@example.org");
    EXPECT_EQ(address.local(), "Ada.Lovelace+news");
    EXPECT_EQ(address.domain_ascii(), "example.org");
    EXPECT_FALSE(address.needs_smtputf8());
}

TEST(Address, EveryCharacterOfAnAtomIsTaken) {
    EXPECT_EQ(text_of("!#$%&'*+-/=?^_`{|}~@example.org"), "!#$%&'*+-/=?^_`{|}~@example.org");
}

TEST(Address, ReservedEndingsAreTakenBecauseDnsDecides) {
    for (auto text :
         {"a@b.test", "a@b.example", "a@b.invalid", "a@b.local", "a@b.localhost", "a@b.onion", "a@4.3.2.in-addr.arpa"})
        EXPECT_TRUE(parse_address(text)) << text;
}

TEST(Address, AReasonSaysWhatIsWrong) {
    EXPECT_EQ(reason(""), "there is no address");
    EXPECT_EQ(reason("ada"), "there is no @");
    EXPECT_EQ(reason("@example.org"), "there is nothing before the @");
    EXPECT_EQ(reason("ada@"), "there is nothing after the @");
    EXPECT_EQ(reason("ada@b@example.org"), "there is more than one @");
    EXPECT_EQ(reason(".ada@example.org"), "the part before the @ begins with a dot");
    EXPECT_EQ(reason("ada.@example.org"), "the part before the @ ends in a dot");
    EXPECT_EQ(reason("a..b@example.org"), "the part before the @ has two dots in a row");
    EXPECT_EQ(reason("a b@example.org"), "the part before the @ contains a space");
    EXPECT_EQ(reason("a,b@example.org"), "the part before the @ contains \",\"");
    EXPECT_EQ(reason("ada@example.org."), "the domain ends in a dot");
    EXPECT_EQ(reason("ada@.example.org"), "the domain begins with a dot");
    EXPECT_EQ(reason("ada@example..org"), "the domain has two dots in a row");
    EXPECT_EQ(reason("ada@example"), "the domain has no dot: is its ending missing?");
    EXPECT_EQ(reason("ada@exam_ple.org"), "the domain contains \"_\"");
    EXPECT_EQ(reason("ada@-example.org"), "a part of the domain begins with a hyphen");
    EXPECT_EQ(reason("ada@example-.org"), "a part of the domain ends in a hyphen");
    EXPECT_EQ(reason("ada@yy--0.org"), "a part of the domain has hyphens in the third and fourth place");
    EXPECT_EQ(reason("ada@example.tld-2"), "the domain ends in \"tld-2\", which is no top-level domain");
    EXPECT_EQ(reason("ada@[127.0.0.1]"), "an address in brackets is not taken: the domain must be a name");
    EXPECT_EQ(reason("ada@example.org\r\nRCPT TO:<b@c.org>"), "it contains a control character or a line break");
    EXPECT_EQ(reason("\"ada@example.org"), "a quotation mark is not closed");
    EXPECT_EQ(reason("\xff@example.org"), "it is not valid UTF-8");
}

TEST(Address, NothingInvisibleIsTaken) {
    for (auto text : {"a\u00a0b@example.org", "a\u200bb@example.org", "a\u202eb@example.org", "a\u2028b@example.org",
                      "\u2005a@example.org", "a\ufeff@example.org", "a\ue000@example.org", "a\u0085@example.org",
                      "a\ufdd0@example.org", "\"a\u2066\"@example.org", "a@exam\u00adple.\u200borg.", "a@b\u202ec.org",
                      "a\u00adb@example.org", "\"\t\"@example.org", "\u0300a@example.org", "a@\u0300b.org"})
        EXPECT_FALSE(parse_address(text)) << text;
    EXPECT_EQ(reason("a\u200bb@example.org"), "the part before the @ contains the invisible character U+200B");
}

TEST(Address, WhatBecomesPunctuationByNormalisationIsRefused) {
    for (auto text :
         {"me.\u037e@example.com", "me@\u037e.com", "me@\u1fef.com", "me@\u2488wouldbeinvalid.com",
          "my@\uff0eleading.com", "my@two\uff0e\uff0edots.com", "my@trailing.com\uff0e", "me@\uff0dleadingdash.com",
          "me@yy\uff0d\uff0d0.tld", "me@ex\uff3fample.com", "me@\uff41\uff20b.com"})
        EXPECT_FALSE(parse_address(text)) << text;
}

TEST(Address, QuotesAreKeptOnlyWhereTheyAreNeeded) {
    EXPECT_EQ(text_of("\"ada\"@example.org"), "ada@example.org");
    EXPECT_EQ(text_of("\"a\\da\"@example.org"), "ada@example.org");
    EXPECT_EQ(text_of("\"a\\\"b\\\\\"@example.org"), "\"a\\\"b\\\\\"@example.org");
    EXPECT_EQ(text_of("\"a b\"@example.org"), "\"a b\"@example.org");
    EXPECT_EQ(text_of("\"a@b\"@example.org"), "\"a@b\"@example.org");
    EXPECT_EQ(text_of("\"\"@example.org"), "\"\"@example.org");
    EXPECT_EQ(text_of("\".a\"@example.org"), "\".a\"@example.org");
}

TEST(Address, AnInternationalDomainHasTwoSpellingsAndOneKey) {
    auto address = parse_address("a@B\u00dcCHER.example").value();
    EXPECT_EQ(address.text(), "a@b\u00fccher.example");
    EXPECT_EQ(address.ascii(), "a@xn--bcher-kva.example");
    EXPECT_FALSE(address.needs_smtputf8());
    EXPECT_EQ(parse_address("a@XN--BCHER-KVA.example").value(), address);
    EXPECT_EQ(key_of("A@bu\u0308cher.example"), "a@xn--bcher-kva.example");
    EXPECT_EQ(text_of("a@fa\u00df.example"), "a@fa\u00df.example");
    EXPECT_EQ(parse_address("a@\u81fa\u7db2\u4e2d\u5fc3\u3002tw").value().ascii(), "a@xn--fiqq24b10vi0d.tw");
}

TEST(Address, AFalsePunycodeLabelIsRefused) {
    for (auto text : {"me@xn--0.tld", "me@xn--.tld", "me@xn--a.tld", "me@xn--\u00fc.tld", "me@xn--ls8h.la"})
        EXPECT_FALSE(parse_address(text)) << text;
}

TEST(Address, ALocalPartBeyondAsciiNeedsSmtputf8) {
    for (auto text : {"\u4f0a\u662d\u5091@\u90f5\u4ef6.\u5546\u52d9",
                      "\u044e\u0437\u0435\u0440@\u0435\u043a\u0437\u0430\u043c\u043f\u043b.\u043a\u043e\u043c",
                      "\u03b8\u03c3\u03b5\u03c1@\u03b5\u03c7\u03b1\u03bc\u03c0\u03bb\u03b5.\u03c8\u03bf\u03bc",
                      "\u00f1o\u00f1\u00f3@example.tld", "jeff\u8449@\u81fa\u7db2\u4e2d\u5fc3.tw",
                      "\u0930\u093e\u092e@\u092e\u094b\u0939\u0928.\u0908\u0928\u094d\u092b\u094b"}) {
        auto address = parse_address(text);
        ASSERT_TRUE(address) << text << ": " << address.error().reason;
        EXPECT_TRUE(address->needs_smtputf8());
        EXPECT_EQ(address->text(), text);
    }
}

TEST(Address, SpellingsOfOneReaderHaveOneKey) {
    EXPECT_EQ(key_of("Jos\u00e9@example.org"), key_of("JOSE\u0301@EXAMPLE.org"));
    EXPECT_EQ(key_of("STRASSE@example.org"), key_of("stra\u00dfe@example.org"));
    EXPECT_EQ(key_of("\"Ada\"@example.org"), key_of("ada@example.org"));
    EXPECT_NE(key_of("ada+news@example.org"), key_of("ada@example.org"));
}

TEST(Address, LengthsAreCountedInOctets) {
    auto local = [](std::size_t octets) { return std::string(octets, 'a') + "@example.org"; };
    EXPECT_TRUE(parse_address(local(64)));
    EXPECT_EQ(reason(local(65)), "the part before the @ is longer than 64 octets");
    EXPECT_TRUE(parse_address(times(32, "\u00e9") + "@example.org"));
    EXPECT_FALSE(parse_address(times(33, "\u00e9") + "@example.org"));

    EXPECT_TRUE(parse_address("a@" + std::string(63, 'b') + ".org"));
    EXPECT_EQ(reason("a@" + std::string(64, 'b') + ".org"), "a part of the domain is longer than 63 characters");
    EXPECT_EQ(reason("a@\u4e2d" + std::string(60, '1') + ".org"), "a part of the domain is longer than 63 characters");

    auto domain = [](std::size_t octets) {
        return times((octets - 3) / 2, "b.") + std::string(octets % 2 ? 3 : 4, 'c');
    };
    EXPECT_EQ(domain(252).size(), 252u);
    EXPECT_TRUE(parse_address("a@" + domain(252)));
    EXPECT_EQ(reason("a@" + domain(253)), "it is longer than 254 octets");
    EXPECT_FALSE(parse_address("a@" + domain(256)));
    EXPECT_FALSE(parse_address(std::string(2'000'000, 'a') + "@example.org"));
}

TEST(Address, ParsingItsOwnFormsGivesTheSameAddress) {
    for (auto text : {"Ada@Example.org", "\"a b\\\"\"@example.org", "Jose\u0301@B\u00dcCHER.example",
                      "a@fa\u00df.example", "\u00f1@x.example", "1@2.123", "a@\u65e5\u672c\u3002jp"}) {
        auto address = parse_address(text).value();
        EXPECT_EQ(parse_address(address.text()).value(), address) << text;
        EXPECT_EQ(parse_address(address.ascii()).value(), address) << text;
    }
}

TEST(Address, WhateverIsTakenIsCleanShortAndStable) {
    std::mt19937 random(3);
    constexpr std::string_view pieces[] = {"a",
                                           "B",
                                           "1",
                                           ".",
                                           "-",
                                           "@",
                                           "\"",
                                           "\\",
                                           " ",
                                           "xn--",
                                           "\u00df",
                                           "\u1e9e",
                                           "\u0301",
                                           "\u3002",
                                           "\uff0e",
                                           "\u00c9",
                                           "\u4e2d",
                                           "\u200d",
                                           "\u0131",
                                           "\u0130",
                                           "\r",
                                           "\n",
                                           "\xff",
                                           "<",
                                           ">",
                                           "[",
                                           "\u03c2",
                                           "\u212b",
                                           "\u1100\u1161",
                                           "\u05d0",
                                           "\u0661"};
    int taken = 0;
    for (int round = 0; round < 100'000; ++round) {
        auto some = [&](int most) {
            std::string out;
            for (auto count = 1 + int(random() % unsigned(most)); count > 0; --count)
                out += pieces[random() % std::size(pieces)];
            return out;
        };
        auto text = random() % 2 ? some(12) : some(3) + "@" + some(3) + ".org";
        if (random() % 8 == 0) text = "\"" + some(4) + "\"@a" + some(2) + ".org";
        auto address = parse_address(text);
        if (!address) {
            ASSERT_FALSE(address.error().reason.empty());
            continue;
        }
        ++taken;
        ASSERT_TRUE(parse_address(address->text()) == *address) << text;
        ASSERT_TRUE(parse_address(address->ascii()) == *address) << text;
        ASSERT_LE(address->ascii().size(), 254u);
        ASSERT_EQ(address->ascii().find_first_of("\r\n\0"), std::string::npos);
        ASSERT_TRUE(address->local().starts_with('"') || address->ascii().find_first_of(" <>") == std::string::npos)
            << text;
        ASSERT_EQ(address->key(), parse_address(address->text())->key());
    }
    EXPECT_GT(taken, 1000);
}

TEST(Mailbox, IsReadAsPeopleWriteIt) {
    auto read = [](std::string_view text) {
        auto mailbox = parse_mailbox(text);
        return mailbox ? mailbox->name + "|" + mailbox->address.text() : "refused: " + mailbox.error().reason;
    };
    EXPECT_EQ(read("The Courier <news@courier.example>"), "The Courier|news@courier.example");
    EXPECT_EQ(read("  \"Doe, \\\"J.\\\"\" <j@x.org> "), "Doe, \"J.\"|j@x.org");
    EXPECT_EQ(read("Doe, J. <j@x.org>"), "Doe, J.|j@x.org");
    EXPECT_EQ(read("J\u00fcrgen<j@x.org>"), "J\u00fcrgen|j@x.org");
    EXPECT_EQ(read("<j@x.org>"), "|j@x.org");
    EXPECT_EQ(read("j@x.org"), "|j@x.org");
    EXPECT_EQ(read("j@x.org>"), "refused: there is a > without a <");
    EXPECT_EQ(read("A <j@x.org"), "refused: the part before the @ contains a space");
    EXPECT_EQ(read("A <b> <j@x.org>"), "refused: there are several angle brackets");
    EXPECT_EQ(read("\"A <j@x.org>"), "refused: a quotation mark is not closed");
    EXPECT_EQ(read("A\r\nBcc: b@c.org <j@x.org>"), "refused: the name contains a control character");
    EXPECT_EQ(read("A <>"), "refused: there is no address");
}

TEST(Address, ASenderIsOneThatEveryServerTakes) {
    EXPECT_EQ(parse_sender("Gr\u00fc\u00dfe <news@m\u00fcller.example>").value().address.ascii(),
              "news@xn--mller-kva.example");
    EXPECT_FALSE(parse_sender("Gr\u00fc\u00dfe <gr\u00fc\u00dfe@courier.example>").has_value());
    EXPECT_TRUE(parse_mailbox("Gr\u00fc\u00dfe <gr\u00fc\u00dfe@courier.example>").has_value());
}
