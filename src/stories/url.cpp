#include "stories/url.hpp"

#include "stories/characters.hpp"

#include <algorithm>
#include <array>
#include <optional>

namespace postrider::stories {

namespace {

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

int hex_value(char c) {
    if (is_digit(c)) return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

// The five components of RFC 3986 section 3; absent is not the same as empty.
struct Parts {
    std::optional<std::string_view> scheme, authority, query, fragment;
    std::string_view path;
};

std::size_t scheme_length(std::string_view url) {
    if (url.empty() || !is_letter(url[0])) return 0;
    const auto end = std::ranges::find_if_not(
        url, [](char c) { return is_letter(c) || is_digit(c) || c == '+' || c == '-' || c == '.'; });
    return end != url.end() && *end == ':' ? static_cast<std::size_t>(end - url.begin()) : 0;
}

Parts split(std::string_view url) {
    Parts parts;
    if (const auto length = scheme_length(url)) {
        parts.scheme = url.substr(0, length);
        url.remove_prefix(length + 1);
    }
    if (const auto hash = url.find('#'); hash != url.npos) {
        parts.fragment = url.substr(hash + 1);
        url = url.substr(0, hash);
    }
    if (const auto mark = url.find('?'); mark != url.npos) {
        parts.query = url.substr(mark + 1);
        url = url.substr(0, mark);
    }
    if (url.starts_with("//")) {
        const auto slash = std::min(url.find('/', 2), url.size());
        parts.authority = url.substr(2, slash - 2);
        url.remove_prefix(slash);
    }
    parts.path = url;
    return parts;
}

std::string join(const Parts& parts, std::string_view path) {
    std::string url;
    if (parts.scheme) url.append(*parts.scheme).append(":");
    if (parts.authority) url.append("//").append(*parts.authority);
    url += path;
    if (parts.query) url.append("?").append(*parts.query);
    if (parts.fragment) url.append("#").append(*parts.fragment);
    return url;
}

// RFC 3986 section 5.2.4, in one pass.
std::string without_dot_segments(std::string_view path) {
    std::string out;
    out.reserve(path.size());
    while (!path.empty()) {
        const auto end = std::min(path.find('/', 1), path.size());
        const auto segment = path.substr(0, end);
        const auto name = segment.starts_with('/') ? segment.substr(1) : segment;
        const bool last = end == path.size();
        if (name == "..") {
            const auto slash = out.rfind('/');
            out.resize(slash == out.npos ? 0 : slash);
            if (last) out += '/';
        } else if (name == ".") {
            if (last && segment.starts_with('/')) out += '/';
        } else {
            out += segment;
        }
        path.remove_prefix(end);
    }
    return out;
}

std::string cleaned(std::string_view url) {
    std::string out;
    url = trim(url);
    out.reserve(url.size());
    for (const char c : url) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x20 || byte == 0x7F) continue;
        constexpr std::string_view escaped = " \"<>";
        if (escaped.contains(c)) {
            constexpr std::array<std::string_view, 4> written = {"%20", "%22", "%3C", "%3E"};
            out += written[escaped.find(c)];
        } else {
            out += c;
        }
    }
    return out;
}

bool is_unreserved(int c) {
    const char letter = static_cast<char>(c);
    return c < 0x80 && (is_letter(letter) || is_digit(letter) || std::string_view("-._~").contains(letter));
}

// RFC 3986 section 6.2.2: escapes of unreserved characters say nothing; the others are spelled in one way.
std::string with_plain_escapes(std::string_view text) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto byte = static_cast<unsigned char>(text[i]);
        int code = -1;
        if (byte == '%' && i + 2 < text.size() && hex_value(text[i + 1]) >= 0 && hex_value(text[i + 2]) >= 0) {
            code = hex_value(text[i + 1]) * 16 + hex_value(text[i + 2]);
            i += 2;
        } else if (byte >= 0x80) {
            code = byte; // an IRI and its URI are one address
        }
        if (code < 0)
            out += text[i];
        else if (is_unreserved(code))
            out += static_cast<char>(code);
        else
            out.append("%").append(1, digits[static_cast<std::size_t>(code) >> 4]).append(1, digits[code & 15]);
    }
    return out;
}

// Set by newsletters, advertisements and social networks to follow a reader; no page differs because of them.
bool is_tracking(std::string_view parameter) {
    const auto name = lower(parameter.substr(0, parameter.find('=')));
    constexpr std::array<std::string_view, 5> families = {"utm_", "pk_", "mtm_", "piwik_", "matomo_"};
    if (std::ranges::any_of(families, [&](auto family) { return name.starts_with(family); })) return true;
    constexpr std::array<std::string_view, 30> names = {
        "fbclid",     "gclid",  "dclid",         "gbraid",  "wbraid",    "gclsrc",       "msclkid",     "yclid",
        "twclid",     "ttclid", "igshid",        "igsh",    "li_fat_id", "mc_cid",       "mc_eid",      "mkt_tok",
        "_hsenc",     "_hsmi",  "hsctatracking", "vero_id", "vero_conv", "oly_enc_id",   "oly_anon_id", "wickedid",
        "rb_clickid", "s_cid",  "_openstat",     "_ga",     "_gl",       "ml_subscriber"};
    return std::ranges::find(names, name) != names.end();
}

std::string without_tracking(std::string_view query) {
    std::string out;
    while (!query.empty()) {
        const auto end = std::min(query.find('&'), query.size());
        const auto parameter = query.substr(0, end);
        if (!parameter.empty() && !is_tracking(parameter)) out.append(out.empty() ? "" : "&").append(parameter);
        query.remove_prefix(std::min(end + 1, query.size()));
    }
    return out;
}

std::string canonical_authority(std::string_view authority, std::string_view scheme) {
    const auto at = authority.rfind('@');
    const auto account = at == authority.npos ? std::string_view() : authority.substr(0, at + 1);
    std::string host = lower(at == authority.npos ? authority : authority.substr(at + 1));
    const auto colon = host.rfind(':');
    if (colon != host.npos && host.find(']', colon) == host.npos) {
        const auto port = std::string_view(host).substr(colon + 1);
        if (port.empty() || (scheme == "http" && port == "80") || (scheme == "https" && port == "443"))
            host.resize(colon);
    }
    while (host.ends_with('.')) host.pop_back();
    return std::string(account) + host;
}

}

std::string scheme_of(std::string_view url) {
    url = trim(url);
    return lower(url.substr(0, scheme_length(url)));
}

bool is_web_address(std::string_view url) {
    const auto parts = split(trim(url));
    if (!parts.scheme || !parts.authority || parts.authority->empty()) return false;
    return same_letters(*parts.scheme, "http") || same_letters(*parts.scheme, "https");
}

std::string resolve(std::string_view base_text, std::string_view reference_text) {
    const auto reference = cleaned(reference_text), base = cleaned(base_text);
    const auto from = split(base);
    auto parts = split(reference);
    if (parts.scheme || !from.scheme || !from.authority) {
        if (parts.scheme && parts.authority) return join(parts, without_dot_segments(parts.path));
        return reference;
    }
    parts.scheme = from.scheme;
    if (parts.authority) return join(parts, without_dot_segments(parts.path));
    parts.authority = from.authority;
    if (parts.path.empty()) {
        if (!parts.query) parts.query = from.query;
        return join(parts, from.path);
    }
    if (parts.path.starts_with('/')) return join(parts, without_dot_segments(parts.path));
    const auto slash = from.path.rfind('/');
    std::string path(slash == from.path.npos ? "/" : from.path.substr(0, slash + 1));
    path += parts.path;
    return join(parts, without_dot_segments(path));
}

std::string canonical_url(std::string_view url) {
    const auto text = cleaned(url);
    auto parts = split(text);
    if (!parts.scheme || !parts.authority) return text;
    const auto scheme = lower(*parts.scheme);
    const auto authority = canonical_authority(*parts.authority, scheme);
    auto path = without_dot_segments(with_plain_escapes(parts.path));
    if (path.empty()) path = "/";
    const auto query = with_plain_escapes(without_tracking(parts.query.value_or("")));
    parts.scheme = scheme;
    parts.authority = authority;
    parts.query.reset();
    if (!query.empty()) parts.query = query;
    if (parts.fragment && !parts.fragment->starts_with('!')) parts.fragment.reset();
    return join(parts, path);
}

}
