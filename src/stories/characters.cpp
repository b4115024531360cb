#include "stories/characters.hpp"

#include <algorithm>
#include <cstdint>

namespace postrider::stories {

namespace {

struct Decoded {
    std::uint32_t code;
    std::size_t length; // 0: no valid sequence begins here
};

Decoded decode(std::string_view text, std::size_t at) {
    auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned char first = byte(at);
    if (first < 0x80) return {first, 1};
    const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
    if (first < 0xC2 || first > 0xF4 || at + length > text.size()) return {0, 0};
    std::uint32_t code = first & (0xFFu >> (length + 1));
    for (std::size_t i = 1; i < length; ++i) {
        if ((byte(at + i) & 0xC0) != 0x80) return {0, 0};
        code = code << 6 | (byte(at + i) & 0x3Fu);
    }
    constexpr std::uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
    if (code < smallest[length] || code > 0x10FFFF || surrogate) return {0, 0};
    return {code, length};
}

// XML 1.0 forbids them even as references, so they must not reach the Atom archive either.
bool forbidden(std::uint32_t code) {
    if (code < 0x20) return code != '\t' && code != '\n' && code != '\r';
    return (code >= 0x7F && code <= 0x9F) || (code & 0xFFFE) == 0xFFFE || (code >= 0xFDD0 && code <= 0xFDEF);
}

// The spaces that carry no meaning once text is flowed: no-break, the typographic ones, zero width, soft hyphen.
std::size_t wide_space(std::string_view text, std::size_t at, bool& visible) {
    const auto [code, length] = decode(text, at);
    visible = code == 0xA0 || (code >= 0x2000 && code <= 0x200A) || code == 0x2028 || code == 0x2029 ||
              code == 0x202F || code == 0x205F || code == 0x3000;
    if (visible || code == 0x34F || code == 0x200B || code == 0xAD || code == 0xFEFF || code == 0x2060) return length;
    return 0;
}

}

std::size_t plain_length(std::string_view text) {
    constexpr std::size_t block = 32; // which the compiler takes at once
    const auto foreign = [](char c) { return static_cast<unsigned char>(c - 0x20) >= 0x5F && c != '\n'; };
    std::size_t length = 0;
    for (; length + block <= text.size(); length += block) {
        bool any = false;
        for (std::size_t i = 0; i < block; ++i) any |= foreign(text[length + i]);
        if (any) break;
    }
    while (length < text.size() && !foreign(text[length])) ++length;
    return length;
}

std::string clean_utf8(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    std::size_t kept = 0; // where the run begins that is still to be copied
    std::size_t i = 0;
    const auto copy_run = [&] { out.append(text, kept, i - kept); };
    while (i < text.size()) {
        i += plain_length(text.substr(i));
        if (i == text.size()) break;
        const auto [code, length] = decode(text, i);
        if (length > 0 && !forbidden(code)) {
            i += length;
            continue;
        }
        copy_run();
        if (length == 0) {
            out += "\xEF\xBF\xBD";
            ++i;
            while (i < text.size() && (static_cast<unsigned char>(text[i]) & 0xC0) == 0x80) ++i;
        } else
            i += length;
        kept = i;
    }
    copy_run();
    return out;
}

std::size_t count_characters(std::string_view utf8) {
    return static_cast<std::size_t>(
        std::ranges::count_if(utf8, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

std::string lower(std::string_view text) {
    std::string out(text);
    // Without a branch, so that the compiler takes many letters at once.
    for (char& c : out) c = static_cast<char>(c + ((static_cast<unsigned char>(c - 'A') < 26) << 5));
    return out;
}

std::string_view trim(std::string_view text) {
    while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
    while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
    return text;
}

std::string collapse(std::string_view text) {
    std::string out;
    bool gap = false;
    for (std::size_t i = 0; i < text.size();) {
        bool visible = true;
        const std::size_t skip = is_space(text[i])                              ? 1
                                 : (static_cast<unsigned char>(text[i]) < 0x80) ? 0
                                                                                : wide_space(text, i, visible);
        if (skip > 0) {
            gap |= visible;
            i += skip;
            continue;
        }
        // The non-joiner means something between letters that join; mails use it as filler.
        const bool after_joining = !gap && !out.empty() && static_cast<unsigned char>(out.back()) >= 0x80;
        if (!after_joining && text.substr(i).starts_with("\u200C")) {
            i += 3;
            continue;
        }
        if (gap && !out.empty()) out += ' ';
        gap = false;
        const auto start = i++;
        while (i < text.size() && static_cast<signed char>(text[i]) > 0x20) ++i; // the rest of an ASCII word
        out.append(text, start, i - start);
    }
    return out;
}

bool same_letters(std::string_view a, std::string_view b) {
    const auto letter = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
    return std::ranges::equal(a, b, {}, letter, letter);
}

bool contains_any(std::string_view text, std::initializer_list<std::string_view> words) {
    return std::ranges::any_of(words, [&](std::string_view word) { return text.contains(word); });
}

void append_escaped(std::string& out, std::string_view text) {
    for (const char c : text) {
        switch (c) {
        case '&': out += "&amp;"; break;
        case '<': out += "&lt;"; break;
        case '>': out += "&gt;"; break;
        case '"': out += "&quot;"; break;
        case '\'': out += "&#39;"; break;
        default: out += c;
        }
    }
}

}
