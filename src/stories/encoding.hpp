#pragma once

#include <string>
#include <string_view>

// Bytes of a feed to UTF-8.
//
// In:   a body and its Content-Type (may be empty).
// Out:  valid UTF-8 without a byte order mark, and the encoding it was read as.
// Always: the order of RFC 7303 section 3: byte order mark, charset of the header, XML declaration, UTF-8. A label that
//         the bytes contradict gives way to the next that fits them, and a declared Latin-1 to UTF-8 when the text is
//         plainly that. Bytes that fit none are replaced (by U+FFFD, or by what windows-1252 means by them when hardly
//         anything else is UTF-8); nothing aborts. Pure, linear time; only encodings of a closed list are loaded.

namespace postrider::stories {

struct DecodedText {
    std::string text;
    std::string encoding; // "utf-8", "windows-1252", "gb18030" ...
    bool damaged = false; // some bytes were replaced
};

[[nodiscard]] DecodedText to_utf8(std::string_view bytes, std::string_view content_type);

}
