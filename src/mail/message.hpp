#pragma once

#include "mail/address.hpp"
#include "mail/header.hpp"
#include "mail/quoted_printable.hpp"
#include "system/time.hpp"

#include <optional>
#include <string>
#include <string_view>

// A whole message: which fields, in which order, and the frame of its parts.
//
// In:   a Heading, the same for every reader of a mailing, given once; then for each reader a Recipient and the body in
// pieces. Out:  the message as it goes into DATA, without the final dot: 7-bit (except for UTF-8 addresses, RFC 6532),
// CRLF, no line that
//       needs dot-stuffing, and none over 998 octets.
// Always: a Frame is immutable and may be used from several threads. Pieces between open() and close() come from
//         quoted_printable: literals and slots in any order.
//
//   Frame frame(heading, date, boundary_from(mailing_token));
//   frame.open(out, recipient);                        // header, and the beginning of the text part
//   quoted_printable::append_literal(out, ...);        // pieces of the text
//   frame.next(out);                                   // the HTML part begins
//   quoted_printable::append_literal(out, ...);
//   frame.close(out);

namespace postrider::mail {

// What makes a message one of a list. Addresses that are empty give no field.
struct ListFields {
    std::string title;
    std::string identifier;  // "weekly.courier.example" (RFC 2919): a domain of ours, stable for the life of the list
    std::string help_url;    // https: or mailto:
    std::string archive_url; // only where the archive is public
    std::string feedback_id; // "issue:list:type:sender"
};

enum class Body { alternative, text }; // text: no HTML part, and then no next()

struct Heading {
    Mailbox from;
    std::optional<Mailbox> reply_to;
    std::string subject;
    // With it the message is a newsletter: Precedence and List- fields. Without, it is a letter of the program itself,
    // such as a confirmation: Auto-Submitted (RFC 3834 section 5).
    std::optional<ListFields> list;
    Body body = Body::alternative;
};

struct Recipient {
    const Address& address;
    std::string_view name;
    std::string_view message_id;                  // left of the @, a dot-atom; the same for every try
    std::string_view unsubscribe_url;             // https, RFC 8058; only used with a list
    std::string_view unsubscribe_mailto;          // "mailto:..." or empty
    std::optional<std::string_view> subject = {}; // where it differs from reader to reader
};

// A boundary that no quoted-printable text can contain (RFC 2046 section 5.1.1), always the same for the same unique
// text.
[[nodiscard]] std::string boundary_from(std::string_view unique);

class Frame {
public:
    // The Message-ID's right side is the domain of `from`. Throws std::logic_error for an identifier that is no
    // dot-atom.
    Frame(const Heading&, Time date, std::string_view boundary);

    void open(std::string& out, const Recipient&) const;
    void next(std::string& out) const;
    void close(std::string& out) const;

private:
    Body body_;
    bool list_;
    std::string before_to_, subject_, domain_, before_unsubscribe_, after_unsubscribe_, next_, close_;
};

// A letter to one, complete. Ill-formed UTF-8 in the texts becomes U+FFFD; `html` is not used where the body is text
// only.
[[nodiscard]] std::string whole_message(const Heading&, const Recipient&, Time date, std::string_view text,
                                        std::string_view html);

// Whether the octets may be written after DATA as they are: lines of at most 998 octets that end in CRLF, the last one
// too, no other CR or LF, no NUL, and no line that begins with a dot (RFC 5321 sections 2.3.8, 4.5.2 and 4.5.3.1.6).
[[nodiscard]] bool safe_for_data(std::string_view bytes);

}
