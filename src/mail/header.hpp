#pragma once

#include "mail/address.hpp"
#include "system/time.hpp"

#include <initializer_list>
#include <string>
#include <string_view>

// Header fields as octets. Each append_ function appends one complete field, `Name: value` and CRLF, to `out`.
//
// In:   a field name (one of namespace field, or as safe) and a value in UTF-8 that may come from a reader, a feed or a
// form. Out:  RFC 5322 fields, folded at 78 columns where they can be, with RFC 2047 encoded words where they must be.
// Always: no value can end its field, begin another or pass for something encoded: control characters (C0, DEL, C1,
// U+2028, U+2029)
//         become spaces, ill-formed UTF-8 becomes U+FFFD, and a value that looks like an encoded word is encoded
//         itself. Decoded, a field gives exactly the value so cleaned. Lines never exceed 998 octets: what cannot be
//         folded or encoded, a web address, throws std::length_error beyond that.

namespace postrider::mail {

namespace field {

// Every field this program writes, in the order it writes them.
inline constexpr std::string_view date = "Date";
inline constexpr std::string_view from = "From";
inline constexpr std::string_view reply_to = "Reply-To";
inline constexpr std::string_view to = "To";
inline constexpr std::string_view subject = "Subject";
inline constexpr std::string_view message_id = "Message-ID";
inline constexpr std::string_view list_id = "List-Id";
inline constexpr std::string_view list_unsubscribe = "List-Unsubscribe";
inline constexpr std::string_view list_unsubscribe_post = "List-Unsubscribe-Post";
inline constexpr std::string_view list_help = "List-Help";
inline constexpr std::string_view list_archive = "List-Archive";
inline constexpr std::string_view list_post = "List-Post";
inline constexpr std::string_view feedback_id = "Feedback-ID";
inline constexpr std::string_view precedence = "Precedence";
inline constexpr std::string_view auto_response_suppress = "X-Auto-Response-Suppress";
inline constexpr std::string_view auto_submitted = "Auto-Submitted";
inline constexpr std::string_view mime_version = "MIME-Version";
inline constexpr std::string_view content_type = "Content-Type";
inline constexpr std::string_view content_transfer_encoding = "Content-Transfer-Encoding";

}

// The value as a header will carry it: see Always.
[[nodiscard]] std::string clean_value(std::string_view);

// What a template made into one line: blanks around a line end become one space, and those at either end go.
void make_one_line(std::string&);

// Unstructured text: Subject, and values that are made of our own words.
void append_text(std::string& out, std::string_view name, std::string_view value);
// `Name <address>`; without a name the bare address. With needs_smtputf8() the address is UTF-8 (RFC 6532).
void append_mailbox(std::string& out, std::string_view name, std::string_view display_name, const Address&);
// One word that is neither folded nor encoded, such as a Feedback-ID: what is not printable ASCII, and each space, becomes
// an underscore.
void append_word(std::string& out, std::string_view name, std::string_view word);
// RFC 5322 section 3.3, always in UTC (+0000) and in English.
void append_date(std::string& out, Time);
// `<unique@domain>`. Both must be dot-atoms of ASCII, as our own tokens and domains are; anything else throws
// std::logic_error.
void append_message_id(std::string& out, std::string_view unique, std::string_view domain);
// RFC 2369: `<url>, <url>` in order of preference, empty ones left out, folded only after a comma. Characters that no
// URL may hold are percent-encoded. Without any url there is no field.
void append_urls(std::string& out, std::string_view name, std::initializer_list<std::string_view> urls);
// RFC 2919: `Title <identifier>`, the identifier being a dot-atom such as "weekly.courier.example".
void append_list_id(std::string& out, std::string_view title, std::string_view identifier);

// "Tue, 24 Nov 2026 07:54:00 +0000".
[[nodiscard]] std::string date_text(Time);

}
