#pragma once

#include <unicode/locid.h>

#include <string>
#include <string_view>

// Language tags, and what ICU knows of them. Only for the sources of this room: ICU's headers are heavy.

namespace postrider::templates {

// The root locale for what is no tag. Plain "en" is international English, which writes 24 November 2026.
[[nodiscard]] icu::Locale locale_of(std::string_view tag);

// In its canonical spelling: "pt-BR".
[[nodiscard]] std::string tag_of(const icu::Locale&);

// Throws std::runtime_error where ICU failed: its data are broken, as the texts were checked.
void require(UErrorCode);

[[nodiscard]] std::string utf8(const icu::UnicodeString&);

}
