#include "smtp/relay.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>

namespace postrider::smtp {

namespace {

std::string upper(std::string_view text) {
    std::string out(text);
    std::ranges::transform(out, out.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    return out;
}

std::string_view host_of(std::string_view url) {
    if (auto scheme = url.find("://"); scheme != std::string_view::npos) url.remove_prefix(scheme + 3);
    url = url.substr(0, url.find_first_of("/?#"));
    if (auto at = url.rfind('@'); at != std::string_view::npos) url.remove_prefix(at + 1);
    if (url.starts_with('[')) return url.substr(0, url.find(']') + 1);
    return url.substr(0, url.find(':'));
}

}

std::string_view to_text(Tls tls) {
    switch (tls) {
    case Tls::required: return "required";
    case Tls::offered: return "offered";
    case Tls::never: return "never";
    }
    return "required";
}

bool is_loopback(std::string_view url) {
    auto host = upper(host_of(url));
    if (host == "LOCALHOST" || host == "[::1]") return true;
    // "127.evil.example" is a name, not an address.
    return host.starts_with("127.") && host.find_first_not_of("0123456789.") == std::string::npos;
}

Tls default_tls(std::string_view url) { return is_loopback(url) ? Tls::never : Tls::required; }

Capabilities capabilities(std::string_view text) {
    Capabilities offered;
    auto next_line = [&] {
        auto end = text.find('\n');
        auto line = text.substr(0, end);
        text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
        return line;
    };
    next_line();
    while (!text.empty()) {
        auto line = next_line();
        auto space = line.find(' ');
        auto keyword = upper(line.substr(0, space));
        auto argument = space == std::string_view::npos ? std::string_view() : line.substr(space + 1);
        if (keyword == "PIPELINING") offered.pipelining = true;
        if (keyword == "8BITMIME") offered.eight_bit_mime = true;
        if (keyword == "SMTPUTF8") offered.smtputf8 = true;
        if (keyword == "DSN") offered.dsn = true;
        if (keyword == "SIZE") {
            offered.size = true;
            std::from_chars(argument.data(), argument.data() + argument.size(), offered.largest);
        }
    }
    // RFC 6531 section 3.1: who offers SMTPUTF8 must offer 8BITMIME; without it there is no way to send such a mail.
    offered.smtputf8 = offered.smtputf8 && offered.eight_bit_mime;
    return offered;
}

}
