#pragma once

#include <string_view>

// What a site's robots.txt says of reading its article pages (RFC 9309). Feeds are not asked about: those an operator
// names himself.
//
// In:   the text of the file, our product's name, the path of a page with its query.
// Out:  whether it may be read. Pure; the longest rule decides, of two equal ones the one that allows; * and $ count.
// Always: at most the first 500 KB are looked at, as the RFC has it (section 2.5), and 2,000 rules.

namespace postrider::stories {

[[nodiscard]] bool robots_allow(std::string_view robots, std::string_view product, std::string_view path);

}
