#pragma once

#include "system/time.hpp"
#include "templates/words.hpp"

#include <string>
#include <string_view>
#include <vector>

// Small texts that pages and letters share. Pure.

namespace postrider::web {

// "r***n@reader.example": enough for its owner to recognise, too little for anybody else. Empty for an empty address.
[[nodiscard]] std::string masked(std::string_view address);

// "The link expires in 3 days." In days, hours or minutes: the largest unit of which there are at least two, rounded
// down.
[[nodiscard]] std::string expiry_in_words(const templates::Words&, Duration);

// What Accept-Language asks for, the dearest first (RFC 9110 section 12.5.4); at most ten.
[[nodiscard]] std::vector<std::string> languages_in(std::string_view accept_language);

}
