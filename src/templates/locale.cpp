#include "templates/locale.hpp"

#include <unicode/unistr.h>

#include <stdexcept>

namespace postrider::templates {

icu::Locale locale_of(std::string_view tag) {
    if (tag == "en") tag = "en-001";
    UErrorCode status = U_ZERO_ERROR;
    auto locale = icu::Locale::forLanguageTag(icu::StringPiece(tag.data(), std::int32_t(tag.size())), status);
    return U_FAILURE(status) || locale.isBogus() ? icu::Locale::getRoot() : locale;
}

std::string tag_of(const icu::Locale& locale) {
    UErrorCode status = U_ZERO_ERROR;
    auto tag = locale.toLanguageTag<std::string>(status);
    require(status);
    return tag;
}

void require(UErrorCode status) {
    if (U_FAILURE(status)) throw std::runtime_error(std::string("ICU: ") + u_errorName(status));
}

std::string utf8(const icu::UnicodeString& text) {
    std::string out;
    text.toUTF8String(out);
    return out;
}

}
