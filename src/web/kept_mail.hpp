#pragma once

#include <string>
#include <string_view>

// A mail of our own, read back for a person to look at: header fields decoded, the two bodies. Pure.
//
// In:     the octets of a message, or the beginning of one. Anything: what cannot be read is shown as it stands.
// Out:    texts in UTF-8. A part that is not there is empty.

namespace postrider::web {

struct KeptMail {
    std::string to, subject, date;
    std::string text, html;
};

[[nodiscard]] KeptMail read_mail(std::string_view message);

}
