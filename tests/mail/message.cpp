#include "mail/message.hpp"

#include "support/mail_linter.hpp"

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>

using namespace postrider;
using namespace postrider::mail;
using namespace std::string_literals;

namespace {

const Time noon = parse_rfc3339("2026-11-24T12:00:00Z").value();
const Address reader = parse_address("ada@example.org").value();

Heading letter() {
    return {.from = parse_mailbox("The Courier <news@courier.example>").value(), .subject = "Please confirm"};
}

Heading newsletter() {
    auto heading = letter();
    heading.subject = "Caf\u00e9 news";
    heading.list = ListFields{.title = "The Weekly",
                              .identifier = "weekly.courier.example",
                              .help_url = "https://mail.courier.example/join/weekly",
                              .archive_url = "https://mail.courier.example/archive/weekly",
                              .feedback_id = "12:weekly:issue:courier"};
    return heading;
}

Recipient ada() {
    return {.address = reader,
            .name = "Ada Lovelace",
            .message_id = "12.34.abcdef",
            .unsubscribe_url = "https://mail.courier.example/leave/tok",
            .unsubscribe_mailto = "mailto:bounce+tok@courier.example?subject=unsubscribe"};
}

std::string names(const mail_linter::Message& message) {
    std::string out;
    for (const auto& field : message.fields) out += field.name + " ";
    return out;
}

// Builds a message the way delivery does it: literals and slots.
std::string merged(std::string_view name) {
    std::string out;
    Frame frame(newsletter(), noon, boundary_from("issue 12"));
    frame.open(out, ada());
    quoted_printable::append_literal(out, "Dear ");
    quoted_printable::append_slot(out, name);
    quoted_printable::append_literal(out, ",\n\n.news\n");
    frame.next(out);
    quoted_printable::append_literal(out, "<p>Dear ");
    quoted_printable::append_slot(out, name);
    frame.close(out);
    return out;
}

}

TEST(Message, ANewsletterHasItsFieldsInOrder) {
    auto bytes = whole_message(newsletter(), ada(), noon, "text\n", "<p>html\n");
    EXPECT_EQ(mail_linter::lint(bytes), "") << bytes;
    auto message = mail_linter::read(bytes);
    EXPECT_EQ(names(message),
              "Date From To Subject Message-ID List-Id List-Unsubscribe List-Unsubscribe-Post List-Help List-Archive "
              "List-Post Feedback-ID Precedence X-Auto-Response-Suppress MIME-Version Content-Type ");
    EXPECT_EQ(message.value("List-Unsubscribe"), "<https://mail.courier.example/leave/tok>, "
                                                 "<mailto:bounce+tok@courier.example?subject=unsubscribe>");
    EXPECT_EQ(message.value("List-Unsubscribe-Post"), "List-Unsubscribe=One-Click");
    EXPECT_EQ(message.value("List-Post"), "NO");
    EXPECT_EQ(message.value("Message-ID"), "<12.34.abcdef@courier.example>");
    EXPECT_EQ(message.decoded("Subject"), "Caf\u00e9 news");
    EXPECT_TRUE(safe_for_data(bytes));
}

TEST(Message, ALetterIsMarkedAutomaticAndHasNoListFields) {
    auto bytes = whole_message(letter(), ada(), noon, "text", "<p>html");
    EXPECT_EQ(mail_linter::lint(bytes), "");
    EXPECT_EQ(names(mail_linter::read(bytes)),
              "Date From To Subject Message-ID Auto-Submitted MIME-Version Content-Type ");
}

TEST(Message, TextComesFirstAndHtmlLast) {
    auto message = mail_linter::read(whole_message(letter(), ada(), noon, "the text", "<p>the html"));
    std::vector<std::string> complaints;
    auto parts = mail_linter::parts(message, complaints);
    ASSERT_EQ(parts.size(), 2u);
    EXPECT_EQ(parts[0].fields.front().value, "text/plain; charset=utf-8");
    EXPECT_EQ(parts[1].fields.front().value, "text/html; charset=utf-8");
    EXPECT_EQ(mail_linter::bodies(message), (std::vector<std::string>{"the text", "<p>the html"}));
}

TEST(Message, ALetterMayBeTextOnly) {
    auto heading = letter();
    heading.body = Body::text;
    for (auto text : {"", "one line", "two\nlines\n"}) {
        auto bytes = whole_message(heading, ada(), noon, text, "");
        EXPECT_EQ(mail_linter::lint(bytes), "") << bytes;
        EXPECT_TRUE(safe_for_data(bytes));
        EXPECT_EQ(mail_linter::read(bytes).value("Content-Type"), "text/plain; charset=utf-8");
    }
}

TEST(Message, AReadersNameIsSplicedIntoBothParts) {
    for (const auto& name : {"Ada"s, ""s, ".Ada"s, "J\u00fcrgen \U0001f600 "s, "a\r\n.\r\nQUIT\r\n"s,
                             std::string(300, '='), "\r\r\n\n"s, "--"s + boundary_from("issue 12") + "--"s}) {
        auto bytes = merged(name);
        EXPECT_EQ(mail_linter::lint(bytes), "") << bytes;
        EXPECT_TRUE(safe_for_data(bytes));
        auto bodies = mail_linter::bodies(mail_linter::read(bytes));
        ASSERT_EQ(bodies.size(), 2u);
        EXPECT_TRUE(bodies[0].starts_with("Dear "));
        EXPECT_TRUE(bodies[0].ends_with(",\r\n\r\n.news\r\n"));
    }
}

TEST(Message, NothingAReaderOrAFeedSaysAddsAField) {
    auto heading = newsletter();
    heading.subject = "news\r\nBcc: evil@x.example\r\n\r\nbody";
    heading.from.name = "The\nCourier\r\nX: y";
    heading.list->title = "Weekly\r\nX: y";
    heading.list->feedback_id = "a\r\nX: y";
    heading.list->archive_url = "https://x.example/\r\nX:y";
    auto recipient = ada();
    recipient.name = "Ada\r\nBcc: evil@x.example";
    recipient.unsubscribe_url = "https://x.example/\r\nX: y";
    auto bytes = whole_message(heading, recipient, noon, "\r\n.\r\nMAIL FROM:<>", "\n.\r\n\0\r.\r"s);
    EXPECT_EQ(mail_linter::lint(bytes), "") << bytes;
    EXPECT_TRUE(safe_for_data(bytes));
    EXPECT_EQ(mail_linter::read(bytes).fields.size(), 16u);
}

TEST(Message, ASubjectMayDifferFromReaderToReader) {
    auto recipient = ada();
    recipient.subject = "Ada, your news";
    auto message = mail_linter::read(whole_message(newsletter(), recipient, noon, "", ""));
    EXPECT_EQ(message.value("Subject"), "Ada, your news");
}

TEST(Message, AnInternationalAddressIsWrittenAsItGoesOnTheWire) {
    auto idn = parse_address("a@b\u00fccher.example").value(),
         utf8 = parse_address("\u00fc@b\u00fccher.example").value();
    auto to = [](const Address& address) {
        auto bytes = whole_message(letter(), {.address = address, .name = "\u00dc", .message_id = "1"}, noon, "", "");
        EXPECT_EQ(mail_linter::lint(bytes), "");
        return mail_linter::read(bytes).value("To").value_or("");
    };
    EXPECT_EQ(to(idn), "=?utf-8?B?w5w=?= <a@xn--bcher-kva.example>");
    EXPECT_EQ(to(utf8), "=?utf-8?B?w5w=?= <\u00fc@xn--bcher-kva.example>");
}

TEST(Message, SafeForDataKnowsWhatAServerWouldMisread) {
    for (auto safe : {"a\r\n"s, "\r\n"s, "a.\r\n b\r\n"s, std::string(998, 'a') + "\r\n"})
        EXPECT_TRUE(safe_for_data(safe)) << safe;
    for (auto unsafe : {""s, "a"s, "a\n"s, "a\r"s, ".\r\n"s, "a\r\n.b\r\n"s, "a\rb\r\n"s, "\n\r\n"s, "a\r\r\n"s,
                        "\0\r\n"s, std::string(999, 'a') + "\r\n"})
        EXPECT_FALSE(safe_for_data(unsafe)) << unsafe;
}

// The same messages through an implementation that is not ours.
TEST(Message, PythonReadsWhatWeWrote) {
    if (std::system("python3 -c 'import email' 2>/dev/null") != 0) GTEST_SKIP() << "no python3";
    const std::string name = "J\u00fcrgen \"x\" \U0001f600 " + std::string(200, 'n') + " =?utf-8?q?a?=";
    const std::string text = "Gr\u00fc\u00dfe, \n.\nFrom here\rlone " + std::string(5000, 'x') + "\n",
                      html = "<p>\u4e2d = \U0001f600 </p>";
    auto heading = newsletter();
    heading.subject = name;
    heading.from.name = "Caf\u00e9 \"Courier\" =?utf-8?q?a?=";
    auto recipient = ada();
    recipient.name = name;
    auto file = testing::TempDir() + "postrider_mail_test.eml", expected = file + ".expected";
    std::ofstream(file, std::ios::binary) << whole_message(heading, recipient, noon, text, html);
    std::ofstream(expected, std::ios::binary) << name << '\0' << heading.from.name << '\0' << text << '\0' << html;
    constexpr auto script = R"py(
import email, email.policy, sys
from email.header import decode_header, make_header
message = email.message_from_binary_file(open(sys.argv[1], "rb"), policy=email.policy.default)
name, short, text, html = open(sys.argv[1] + ".expected", "rb").read().decode().split("\0")
parts = list(message.iter_parts())
assert not message.defects and not any(p.defects for p in parts), message.defects
assert message["subject"] == name, message["subject"]
# The older decoder, because the newer one keeps the space between two encoded words of a display name, against
# RFC 2047, section 6.2.
raw = email.message_from_binary_file(open(sys.argv[1], "rb"), policy=email.policy.compat32)
assert str(make_header(decode_header(raw["to"]))) == name + " <ada@example.org>", raw["to"]
assert message["from"].addresses[0].display_name == short, message["from"].addresses
assert message["to"].addresses[0].addr_spec == "ada@example.org"
assert message["date"].datetime.isoformat() == "2026-11-24T12:00:00+00:00"
assert [p.get_content_type() for p in parts] == ["text/plain", "text/html"]
assert [p.get_payload(decode=True).replace(b"\r\n", b"\n").decode() for p in parts] == [text, html]
)py";
    auto script_file = file + ".py";
    std::ofstream(script_file) << script;
    EXPECT_EQ(std::system(("python3 '" + script_file + "' '" + file + "'").c_str()), 0);
    for (const auto& path : {file, expected, script_file}) std::remove(path.c_str());
}
