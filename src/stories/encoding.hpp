#pragma once

#include <string>
#include <string_view>

// Bytes of a feed to UTF-8.
//
// In:   a body and its Content-Type (may be empty).
// Out:  valid UTF-8 without a byte order mark, and the encoding it was read as.
// Always: RFC 7303 section 3: byte order mark before the charset of the header before the XML declaration before UTF-8.
// A
//         label that the bytes contradict gives way to the next that fits them; bytes that fit none are replaced (by
//         U+FFFD, or by what windows-1252 means by them when hardly anything else is UTF-8), and nothing aborts. Pure,
//         linear time.

namespace postrider::stories {

struct DecodedText {
    std::string text;
    std::string encoding; // "utf-8", "windows-1252", "gb18030" ...
    bool damaged = false; // some bytes were replaced
};

[[nodiscard]] DecodedText to_utf8(std::string_view bytes, std::string_view content_type);

}
