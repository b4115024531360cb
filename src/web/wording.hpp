#pragma once

#include "system/time.hpp"

#include <string>
#include <string_view>

// Small texts that pages and letters share. Pure.

namespace postrider::web {

// "r***n@reader.example": enough for its owner to recognise, too little for anybody else. Empty for an empty address.
[[nodiscard]] std::string masked(std::string_view address);

// "3 days", "2 hours", "1 minute": the largest unit of which there are at least two, rounded down.
[[nodiscard]] std::string in_words(Duration);

// "24 November 2026", in the zone.
[[nodiscard]] std::string date_in_words(Time, std::string_view timezone);

// "Deutsch" for "de" and "de-AT (Deutsch)" for "de-AT"; the tag itself where the language is not known here.
[[nodiscard]] std::string language_name(std::string_view tag);

}
