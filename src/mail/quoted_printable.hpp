#pragma once

#include <string>
#include <string_view>

// Quoted-printable (RFC 2045 section 6.7) in pieces: an issue's text is encoded once, a reader's values are encoded by
// themselves and spliced in between.
//
// In:   any octets, meant as UTF-8 text. LF and CRLF are line ends; every other octet, a lone CR too, is kept as it is.
// Out:  lines of at most 76 characters that end in CRLF, appended to `out`.
// Always: a piece is encoded as if it began at the start of a line, and no line begins with "." or "From ", so that the
// result needs
//         no dot-stuffing (RFC 5321 section 4.5.2). append_literal and append_slot leave `out` at the start of a line
//         again, if necessary by a soft line break, so any piece may follow any other. Decoded, the pieces are the
//         texts one after the other, with CRLF for line ends. "=_" never occurs in the result, so no boundary that
//         contains it can.

namespace postrider::mail::quoted_printable {

// What a template says between two values.
void append_literal(std::string& out, std::string_view text);
// One reader's value; its line ends are kept as line ends.
void append_slot(std::string& out, std::string_view value);
// A whole text at once: nothing follows, so there is no soft line break after the last line.
void append_text(std::string& out, std::string_view text);

}
