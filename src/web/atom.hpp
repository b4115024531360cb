#pragma once

#include "system/time.hpp"

#include <span>
#include <string>
#include <string_view>

// A list's archive as an Atom feed (RFC 4287). Pure.

namespace postrider::web {

struct AtomEntry {
    std::string title, url;
    Time at;
};
struct AtomFeed {
    std::string title, subtitle, author, language, url, page_url;
    Time updated;
};

// Whatever the values hold, the result is well-formed XML 1.0.
[[nodiscard]] std::string atom(const AtomFeed&, std::span<const AtomEntry>);

}
