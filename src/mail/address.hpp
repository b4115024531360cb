#pragma once

#include <expected>
#include <string>
#include <string_view>

// A mail address that this program is willing to write to.
//
// In:   text from a form, a file, the configuration, a peer: anything at all.
// Out:  an Address, or one reason for a person why there is none.
// Always: only parse_address makes an Address. It then holds no control character, no space outside a quoted local
// part, is NFC
//         and within the lengths of RFC 5321 section 4.5.3.1, counted in octets: it can be written into a command or a
//         header as it stands. Parsing an Address's own text() or ascii() gives the same Address again.
//
// Taken: RFC 5321 Mailbox, RFC 6531 local parts, international domains (IDNA2008 with the mappings of UTS 46,
// non-transitional). Refused, though some standard allows them: comments, folding and obsolete forms of RFC 5322;
// address literals; domains without a dot. Names that are reserved (example, test, localhost as an ending) are taken:
// whether mail arrives is for DNS to say.

namespace postrider::mail {

struct AddressError {
    std::string reason; // "there is no @": completes "ADDRESS: ..."
};

class Address {
public:
    // For display and storage: the local part as given, the domain in lower case with its own letters (U-labels).
    [[nodiscard]] const std::string& text() const { return text_; }
    // For the wire: the domain in A-labels. It is ASCII unless needs_smtputf8().
    [[nodiscard]] const std::string& ascii() const { return ascii_; }
    // For comparison: the same for spellings that mean one reader (letter case, IDN spelling, Unicode composition,
    // needless quotes).
    [[nodiscard]] std::string key() const;

    [[nodiscard]] std::string_view local() const { return std::string_view(ascii_).substr(0, local_size_); }
    [[nodiscard]] std::string_view domain_ascii() const { return std::string_view(ascii_).substr(local_size_ + 1); }
    // The local part is not ASCII: only a relay that offers SMTPUTF8 (RFC 6531) can take it.
    [[nodiscard]] bool needs_smtputf8() const { return needs_smtputf8_; }

    bool operator==(const Address&) const = default;

private:
    Address(std::string_view local, std::string_view domain_text, std::string_view domain_ascii);
    friend std::expected<Address, AddressError> parse_address(std::string_view);

    std::string text_, ascii_;
    std::size_t local_size_;
    bool needs_smtputf8_;
};

[[nodiscard]] std::expected<Address, AddressError> parse_address(std::string_view);

// Whether a text is some spelling of this address.
[[nodiscard]] bool is_same(std::string_view text, const Address&);

// A name and its address, as in a From field. The name is plain text (UTF-8, no control characters), possibly empty.
struct Mailbox {
    std::string name;
    Address address;
};

// `Name <a@b>`, `"Name, quoted" <a@b>`, `<a@b>` or `a@b`, as people write it in a configuration; spaces around it are
// ignored.
[[nodiscard]] std::expected<Mailbox, AddressError> parse_mailbox(std::string_view);
// The same, for what stands in From: its address is ASCII, as it goes to readers whose servers know no other.
[[nodiscard]] std::expected<Mailbox, AddressError> parse_sender(std::string_view);

}
