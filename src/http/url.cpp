#include "http/url.hpp"

#include <curl/curl.h>
#include <fmt/format.h>
#include <idn2.h>

#include <algorithm>
#include <charconv>
#include <memory>
#include <new>

namespace postrider::http {

namespace {

constexpr std::size_t longest_url = 8000;

struct Free {
    void operator()(CURLU* handle) const { curl_url_cleanup(handle); }
    void operator()(char* text) const { curl_free(text); }
};
using Handle = std::unique_ptr<CURLU, Free>;

Handle fresh() {
    Handle handle(curl_url());
    if (!handle) throw std::bad_alloc();
    return handle;
}

std::string part(CURLU* handle, CURLUPart which, unsigned flags = 0) {
    char* text = nullptr;
    if (curl_url_get(handle, which, &text, flags) != CURLUE_OK || !text) return {};
    std::unique_ptr<char, Free> owner(text);
    return text;
}

void forget_login(CURLU* handle) {
    curl_url_set(handle, CURLUPART_USER, nullptr, 0);
    curl_url_set(handle, CURLUPART_PASSWORD, nullptr, 0);
}

bool has_control_characters(std::string_view text) {
    return std::any_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

bool is_ascii(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x80; });
}

// Empty when the name has no ASCII form. libcurl would ask the locale, which a daemon does not have.
std::string ascii_host(const std::string& host) {
    if (is_ascii(host)) return host;
    char* ascii = nullptr;
    auto* text = reinterpret_cast<const std::uint8_t*>(host.c_str());
    if (idn2_lookup_u8(text, reinterpret_cast<std::uint8_t**>(&ascii), IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL) !=
        IDN2_OK)
        return {};
    std::string result = ascii;
    idn2_free(ascii);
    return result;
}

std::string set(CURLU* handle, std::string_view text) {
    if (text.size() > longest_url) return fmt::format("is longer than {} bytes", longest_url);
    if (has_control_characters(text)) return "contains control characters";
    std::string owned(text);
    auto code = curl_url_set(handle, CURLUPART_URL, owned.c_str(), CURLU_URLENCODE | CURLU_ALLOW_SPACE);
    if (code == CURLUE_UNSUPPORTED_SCHEME || code == CURLUE_BAD_SCHEME)
        return "does not begin with http:// or https://";
    if (code != CURLUE_OK) return fmt::format("is not a URL: {}", curl_url_strerror(code));
    return {};
}

}

std::expected<Url, std::string> Url::read(void* raw) {
    auto* handle = static_cast<CURLU*>(raw);
    auto scheme = part(handle, CURLUPART_SCHEME);
    if (scheme != "http" && scheme != "https") return std::unexpected("does not begin with http:// or https://");

    auto host = part(handle, CURLUPART_HOST);
    auto ascii = ascii_host(host);
    if (ascii.empty()) return std::unexpected("names a host that cannot exist");
    if (ascii != host && curl_url_set(handle, CURLUPART_HOST, ascii.c_str(), 0) != CURLUE_OK)
        return std::unexpected("names a host that cannot exist");
    curl_url_set(handle, CURLUPART_FRAGMENT, nullptr, 0);

    Url url;
    url.secure_ = scheme == "https";
    url.host_ = part(handle, CURLUPART_HOST);
    auto port = part(handle, CURLUPART_PORT, CURLU_DEFAULT_PORT);
    std::from_chars(port.data(), port.data() + port.size(), url.port_);
    url.text_ = part(handle, CURLUPART_URL);
    Handle without_login(curl_url_dup(handle));
    if (!without_login) throw std::bad_alloc();
    forget_login(without_login.get());
    url.shown_ = part(without_login.get(), CURLUPART_URL);
    if (url.text_.empty() || url.host_.empty() || url.port_ == 0) return std::unexpected("is not a URL");
    return url;
}

std::expected<Url, std::string> Url::parse(std::string_view text) {
    auto handle = fresh();
    if (auto error = set(handle.get(), text); !error.empty()) return std::unexpected(error);
    return read(handle.get());
}

std::expected<Url, std::string> Url::resolve(std::string_view reference) const {
    auto handle = fresh();
    if (auto error = set(handle.get(), text_); !error.empty()) return std::unexpected(error);
    if (auto error = set(handle.get(), reference); !error.empty()) return std::unexpected(error);
    auto target = read(handle.get());
    if (!target) return target;
    if (target->host_ == host_ && target->port_ == port_ && target->secure_ == secure_) return target;
    forget_login(handle.get());
    return read(handle.get());
}

std::string without_login(std::string_view address) {
    auto url = Url::parse(address);
    return url ? url->shown() : std::string(address);
}

std::string masked(std::string_view address) {
    const auto scheme = address.find("//");
    if (scheme == address.npos) return std::string(address);
    const auto begin = scheme + 2;
    const auto authority = address.substr(begin, address.find_first_of("/?#", begin) - begin);
    const auto end = authority.rfind('@');
    if (end == authority.npos) return std::string(address);
    const auto colon = authority.substr(0, end).find(':');
    const auto user = colon == authority.npos ? std::string_view() : authority.substr(0, colon + 1);
    return fmt::format("{}{}***{}", address.substr(0, begin), user, address.substr(begin + end));
}

}
