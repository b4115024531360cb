#pragma once

#include <string>
#include <string_view>

namespace postrider::schedule {

// A stranger's text between double quotes, fit for one line of a terminal or log: bytes outside printable ASCII as
// \xNN, and never more than 80 of them, then "...".
[[nodiscard]] std::string quoted(std::string_view text);

}
