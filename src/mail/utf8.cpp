#include "mail/utf8.hpp"

#include "system/ascii.hpp"

#include <fmt/format.h>
#include <unicode/bytestream.h>
#include <unicode/casemap.h>
#include <unicode/normalizer2.h>
#include <unicode/stringpiece.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <cstdint>
#include <stdexcept>

namespace postrider::mail {
namespace {

void require(UErrorCode status) {
    if (U_FAILURE(status)) throw std::runtime_error(std::string("ICU: ") + u_errorName(status));
}

}

bool is_ascii(std::string_view text) {
    return std::ranges::none_of(text, [](unsigned char c) { return c >= 0x80; });
}

bool is_utf8(std::string_view text) {
    for (std::int32_t at = 0, size = std::int32_t(text.size()); at < size;) {
        UChar32 c;
        U8_NEXT(text.data(), at, size, c);
        if (c < 0) return false;
    }
    return true;
}

char32_t next_code_point(std::string_view text, std::size_t& at) {
    auto rest = text.substr(at, 4); // no sequence is longer; keeps the index within 32 bits
    std::int32_t used = 0;
    UChar32 c;
    U8_NEXT_OR_FFFD(rest.data(), used, std::int32_t(rest.size()), c);
    at += std::size_t(used);
    return char32_t(c);
}

void append_utf8(std::string& out, char32_t c) {
    char bytes[4];
    std::int32_t used = 0;
    UBool error = false;
    U8_APPEND(bytes, used, 4, UChar32(c), error);
    if (!error) out.append(bytes, std::size_t(used));
}

std::string valid_utf8(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t at = 0; at < text.size();) append_utf8(out, next_code_point(text, at));
    return out;
}

std::optional<std::string> control_character(std::string_view text) {
    for (std::size_t at = 0; at < text.size();) {
        auto c = next_code_point(text, at);
        if (c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x2028 || c == 0x2029)
            return fmt::format("U+{:04X}", std::uint32_t(c));
    }
    return std::nullopt;
}

std::string nfc(std::string_view text) {
    if (is_ascii(text)) return std::string(text);
    UErrorCode status = U_ZERO_ERROR;
    const auto* normalizer = icu::Normalizer2::getNFCInstance(status);
    require(status);
    std::string out;
    icu::StringByteSink<std::string> sink(&out);
    normalizer->normalizeUTF8(0, icu::StringPiece(text.data(), std::int32_t(text.size())), sink, nullptr, status);
    require(status);
    return out;
}

std::string case_folded(std::string_view text) {
    if (is_ascii(text)) return system::lower(text);
    std::string out;
    UErrorCode status = U_ZERO_ERROR;
    icu::StringByteSink<std::string> sink(&out);
    icu::CaseMap::utf8Fold(0, icu::StringPiece(text.data(), std::int32_t(text.size())), sink, nullptr, status);
    require(status);
    return nfc(out);
}

}
