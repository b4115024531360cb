#include "stories/encoding.hpp"

#include "stories/characters.hpp"
#include "stories/feed_text.hpp"

#include <algorithm>
#include <array>
#include <iconv.h>
#include <memory>
#include <vector>

namespace postrider::stories {

namespace {

constexpr std::string_view replacement = "\xEF\xBF\xBD";

struct Label {
    std::string_view label;
    const char* encoding; // as iconv calls it
};

// The Encoding Standard of WHATWG, shortened to what feeds use. A closed list, because iconv would otherwise load
// whatever converter a stranger names. Latin-1 and ASCII are read as windows-1252, as browsers do.
constexpr std::array labels = std::to_array<Label>({
    {"utf-8", "utf-8"},
    {"utf8", "utf-8"},
    {"unicode-1-1-utf-8", "utf-8"},
    {"us-ascii", "windows-1252"},
    {"ascii", "windows-1252"},
    {"iso-8859-1", "windows-1252"},
    {"iso8859-1", "windows-1252"},
    {"iso_8859-1", "windows-1252"},
    {"latin1", "windows-1252"},
    {"latin-1", "windows-1252"},
    {"windows-1252", "windows-1252"},
    {"cp1252", "windows-1252"},
    {"iso-8859-2", "iso-8859-2"},
    {"iso8859-2", "iso-8859-2"},
    {"latin2", "iso-8859-2"},
    {"iso-8859-3", "iso-8859-3"},
    {"iso-8859-4", "iso-8859-4"},
    {"iso-8859-5", "iso-8859-5"},
    {"iso-8859-6", "iso-8859-6"},
    {"iso-8859-7", "iso-8859-7"},
    {"iso-8859-8", "iso-8859-8"},
    {"iso-8859-8-i", "iso-8859-8"},
    {"iso-8859-9", "windows-1254"},
    {"iso-8859-10", "iso-8859-10"},
    {"iso-8859-11", "cp874"},
    {"iso-8859-13", "iso-8859-13"},
    {"iso-8859-14", "iso-8859-14"},
    {"iso-8859-15", "iso-8859-15"},
    {"iso8859-15", "iso-8859-15"},
    {"latin9", "iso-8859-15"},
    {"iso-8859-16", "iso-8859-16"},
    {"windows-1250", "windows-1250"},
    {"cp1250", "windows-1250"},
    {"windows-1251", "windows-1251"},
    {"cp1251", "windows-1251"},
    {"windows-1253", "windows-1253"},
    {"windows-1254", "windows-1254"},
    {"windows-1255", "windows-1255"},
    {"windows-1256", "windows-1256"},
    {"windows-1257", "windows-1257"},
    {"windows-1258", "windows-1258"},
    {"windows-874", "cp874"},
    {"tis-620", "cp874"},
    {"koi8-r", "koi8-r"},
    {"koi8-u", "koi8-u"},
    {"ibm866", "cp866"},
    {"cp866", "cp866"},
    {"cp850", "cp850"},
    {"cp437", "cp437"},
    {"macintosh", "macintosh"},
    {"gb2312", "gb18030"},
    {"gbk", "gb18030"},
    {"gb18030", "gb18030"},
    {"x-gbk", "gb18030"},
    {"euc-cn", "gb18030"},
    {"big5", "big5"},
    {"big5-hkscs", "big5-hkscs"},
    {"euc-tw", "euc-tw"},
    {"euc-jp", "euc-jp"},
    {"x-euc-jp", "euc-jp"},
    {"shift_jis", "cp932"},
    {"shift-jis", "cp932"},
    {"sjis", "cp932"},
    {"x-sjis", "cp932"},
    {"windows-31j", "cp932"},
    {"iso-2022-jp", "iso-2022-jp"},
    {"euc-kr", "uhc"},
    {"ks_c_5601-1987", "uhc"},
    {"ks_c_5601", "uhc"},
    {"windows-949", "uhc"},
    {"cp949", "uhc"},
    {"utf-16", "utf-16le"},
    {"utf-16le", "utf-16le"},
    {"utf-16be", "utf-16be"},
    {"utf-32", "utf-32le"},
    {"utf-32le", "utf-32le"},
    {"utf-32be", "utf-32be"},
});

const char* known_encoding(std::string_view label) {
    const auto name = lower(trim(label));
    const auto found = std::ranges::find(labels, name, &Label::label);
    return found == labels.end() ? nullptr : found->encoding;
}

bool is_wide(std::string_view encoding) { return encoding.starts_with("utf-16") || encoding.starts_with("utf-32"); }

// The length of the character that begins at `at`; 0 when it is no UTF-8 (RFC 3629: no surrogates, no long forms).
std::size_t sequence_length(std::string_view text, std::size_t at) {
    auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned char first = byte(at);
    if (first < 0x80) return 1;
    const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
    if (first < 0xC2 || first > 0xF4 || at + length > text.size()) return 0;
    for (std::size_t i = 1; i < length; ++i)
        if ((byte(at + i) & 0xC0) != 0x80) return 0;
    const unsigned char second = byte(at + 1);
    if (first == 0xE0 && second < 0xA0) return 0;
    if (first == 0xED && second > 0x9F) return 0;
    if (first == 0xF0 && second < 0x90) return 0;
    if (first == 0xF4 && second > 0x8F) return 0;
    return length;
}

struct Attempt {
    std::string text;
    std::size_t bad_bytes = 0;
    std::size_t characters_beyond_ascii = 0;
};

// Bytes 81, 8D, 8F, 90 and 9D mean nothing there; every other byte has a meaning, so this is where all ends.
void append_windows_1252(Attempt& attempt, unsigned char byte) {
    constexpr std::array<char16_t, 32> upper = {0x20AC, 0xFFFD, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021,
                                                0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0xFFFD, 0x017D, 0xFFFD,
                                                0xFFFD, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014,
                                                0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0xFFFD, 0x017E, 0x0178};
    const char16_t code = byte < 0x80 || byte >= 0xA0 ? byte : upper[byte - 0x80];
    attempt.bad_bytes += code == 0xFFFD;
    append_utf8(attempt.text, code);
}

Attempt read_windows_1252(std::string_view bytes) {
    Attempt attempt;
    attempt.text.reserve(bytes.size() + bytes.size() / 8);
    for (const char c : bytes) append_windows_1252(attempt, static_cast<unsigned char>(c));
    return attempt;
}

Attempt read_utf8(std::string_view bytes) {
    Attempt attempt;
    attempt.text.reserve(bytes.size());
    for (std::size_t i = 0; i < bytes.size();) {
        const auto start = i;
        i += plain_length(bytes.substr(i));
        while (i < bytes.size() && static_cast<unsigned char>(bytes[i]) < 0x80) ++i;
        attempt.text.append(bytes, start, i - start);
        if (i == bytes.size()) break;
        if (const auto length = sequence_length(bytes, i)) {
            if (bytes[i] == '\xC2' && static_cast<unsigned char>(bytes[i + 1]) < 0xA0)
                append_windows_1252(attempt, static_cast<unsigned char>(bytes[i + 1])); // converted once too few
            else
                attempt.text.append(bytes, i, length);
            i += length;
            ++attempt.characters_beyond_ascii;
        } else {
            attempt.text += replacement;
            ++attempt.bad_bytes;
            ++i;
        }
    }
    return attempt;
}

Attempt read_with_iconv(std::string_view bytes, const char* encoding) {
    const auto open = iconv_open("utf-8", encoding);
    if (open == reinterpret_cast<iconv_t>(-1)) return {{}, bytes.size() + 1, 0};
    const std::unique_ptr<void, int (*)(iconv_t)> converter(open, iconv_close);
    Attempt attempt;
    std::array<char, 16384> buffer;
    auto* in = const_cast<char*>(bytes.data()); // iconv does not write there
    std::size_t left = bytes.size();
    while (left > 0) {
        char* out = buffer.data();
        std::size_t room = buffer.size();
        const auto result = iconv(open, &in, &left, &out, &room);
        const int problem = result == static_cast<std::size_t>(-1) ? errno : 0;
        attempt.text.append(buffer.data(), buffer.size() - room);
        if (problem == 0 || problem == E2BIG) continue;
        const auto skipped = std::min<std::size_t>(left, std::string_view(encoding).starts_with("utf-32")   ? 4
                                                         : std::string_view(encoding).starts_with("utf-16") ? 2
                                                                                                            : 1);
        in += skipped;
        left -= skipped;
        attempt.text += replacement;
        ++attempt.bad_bytes;
    }
    return attempt;
}

Attempt read_as(std::string_view bytes, std::string_view encoding) {
    if (encoding == "utf-8") return read_utf8(bytes);
    if (encoding == "windows-1252") return read_windows_1252(bytes);
    return read_with_iconv(bytes, encoding.data());
}

const char* from_byte_order_mark(std::string_view& bytes) {
    using namespace std::string_view_literals;
    constexpr std::array<std::pair<std::string_view, const char*>, 5> marks = {{{"\xEF\xBB\xBF"sv, "utf-8"},
                                                                                {"\xFF\xFE\0\0"sv, "utf-32le"},
                                                                                {"\0\0\xFE\xFF"sv, "utf-32be"},
                                                                                {"\xFF\xFE"sv, "utf-16le"},
                                                                                {"\xFE\xFF"sv, "utf-16be"}}};
    for (const auto& [mark, encoding] : marks) {
        if (!bytes.starts_with(mark)) continue;
        bytes.remove_prefix(mark.size());
        return encoding;
    }
    return nullptr;
}

// Where the zeros stand in the first two characters, which are ASCII in every feed (XML 1.0, appendix F).
const char* from_zeros(std::string_view bytes) {
    if (bytes.size() < 4) return nullptr;
    std::string pattern;
    for (std::size_t i = 0; i < 4; ++i) pattern += bytes[i] == '\0' ? '0' : 'x';
    if (pattern == "000x") return "utf-32be";
    if (pattern == "x000") return "utf-32le";
    if (pattern == "0x0x") return "utf-16be";
    if (pattern == "x0x0") return "utf-16le";
    return nullptr;
}

std::string_view unquoted(std::string_view value) {
    value = trim(value);
    if (value.empty() || (value[0] != '"' && value[0] != '\'')) return value.substr(0, value.find_first_of(" \t,"));
    const auto end = value.find(value[0], 1);
    return trim(value.substr(1, end == value.npos ? value.npos : end - 1));
}

const char* from_content_type(std::string_view content_type) {
    while (true) {
        const auto semicolon = content_type.find(';');
        if (semicolon == content_type.npos) return nullptr;
        content_type.remove_prefix(semicolon + 1);
        const auto parameter = content_type.substr(0, content_type.find(';'));
        const auto equals = parameter.find('=');
        if (equals == parameter.npos || !same_letters(trim(parameter.substr(0, equals)), "charset")) continue;
        return known_encoding(unquoted(parameter.substr(equals + 1)));
    }
}

// A declaration that could be read byte by byte is not in a wide encoding, whatever it says.
const char* from_declaration(std::string_view bytes) {
    const auto start = bytes.substr(0, 1024).find("<?xml");
    if (start == bytes.npos) return nullptr;
    const auto declaration = bytes.substr(start, bytes.substr(start, 512).find("?>"));
    const auto word = declaration.find("encoding");
    if (word == declaration.npos) return nullptr;
    auto value = trim(declaration.substr(word + 8));
    if (!value.starts_with('=')) return nullptr;
    const auto* encoding = known_encoding(unquoted(value.substr(1)));
    return encoding && !is_wide(encoding) ? encoding : nullptr;
}

}

DecodedText to_utf8(std::string_view bytes, std::string_view content_type) {
    std::vector<std::string_view> candidates;
    auto consider = [&](const char* encoding) {
        if (encoding && std::ranges::find(candidates, encoding) == candidates.end()) candidates.emplace_back(encoding);
    };
    const auto* marked = from_byte_order_mark(bytes);
    const auto* wide = marked ? nullptr : from_zeros(bytes);
    consider(marked);
    consider(wide);
    const auto* named = marked || wide ? nullptr : from_content_type(content_type);
    if (!marked && !wide) {
        if (named && !is_wide(named)) consider(named); // a wide encoding would have shown its zeros
        consider(from_declaration(bytes));
        consider("utf-8");
    }

    Attempt best;
    std::string_view encoding;
    for (const auto candidate : candidates) {
        auto attempt = read_as(bytes, candidate);
        if (!encoding.empty() && attempt.bad_bytes >= best.bad_bytes) continue;
        best = std::move(attempt);
        encoding = candidate;
        if (best.bad_bytes == 0) break;
    }
    // A declaration of Latin-1 often came with a template; no text in Latin-1 happens to be UTF-8.
    if (encoding == "windows-1252" && !named)
        if (auto attempt = read_utf8(bytes); attempt.characters_beyond_ascii > 20 * attempt.bad_bytes) {
            best = std::move(attempt);
            encoding = "utf-8";
        }
    // One broken sequence in a page of UTF-8 is damage; a page where nothing else is UTF-8 never was any.
    if (encoding == "utf-8" && !marked && best.bad_bytes > best.characters_beyond_ascii) {
        best = read_windows_1252(bytes);
        encoding = "windows-1252";
    }
    return {std::move(best.text), std::string(encoding), best.bad_bytes > 0};
}

}
