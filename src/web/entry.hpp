#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// What a visitor wrote into a sign-up that came as JSON.
//
// In:     a body of any bytes.
// Out:    the texts of its members, those that are not there empty; `topics` as an array of texts, or one; or one sentence for whoever wrote the program that
//         sent it.
// Always: pure, linear time. A member that is there twice is refused, as no two programs agree which of them counts
//         (RFC 8259 section 4).

namespace postrider::web {

struct Entry {
    std::string email, name, language;
    bool trapped = false;                                // the field that people do not see was filled in
    std::optional<std::vector<std::string>> topics = {}; // none: nothing was said of them
    std::string form = {}, altcha = {};                  // the token of our own form, and the solved proof of work
    std::string return_to = {};                          // where the visitor wants to land
};

[[nodiscard]] std::expected<Entry, std::string> entry_in_json(std::string_view body);

}
