#pragma once

#include <expected>
#include <string>
#include <string_view>

// An address on the web as our own client reads it. The parser is libcurl's, so that what is judged here is what is
// fetched.
//
// Always: http or https, with a host; international names in their ASCII form; numeric spellings of an IPv4 address
//         (0x7f.1) in dotted form; a path, if only "/"; no fragment.

namespace postrider::http {

class Url {
public:
    // The error is a sentence for an operator, without the text itself.
    [[nodiscard]] static std::expected<Url, std::string> parse(std::string_view text);

    // Where a Location leads, relative ones included (RFC 3986 section 5). A user and password do not go along to
    // another server.
    [[nodiscard]] std::expected<Url, std::string> resolve(std::string_view reference) const;

    [[nodiscard]] const std::string& text() const { return text_; }
    [[nodiscard]] const std::string& shown() const { return shown_; } // for people and logs: without user and password
    [[nodiscard]] const std::string& host() const { return host_; }   // IPv6 in brackets
    // What stands before the path, a user and password included, and what a server is asked for: path and query.
    [[nodiscard]] std::string origin() const { return text_.substr(0, text_.find('/', text_.find("://") + 3)); }
    [[nodiscard]] std::string target() const { return text_.substr(origin().size()); }
    [[nodiscard]] int port() const { return port_; }
    [[nodiscard]] bool is_secure() const { return secure_; }

private:
    [[nodiscard]] static std::expected<Url, std::string> read(void* handle);

    std::string text_;
    std::string shown_;
    std::string host_;
    int port_ = 0;
    bool secure_ = false;
};

// As an operator is shown an address, or what he wrote for one: https://user:***@host/path. A login without a password
// is masked whole, for it is a token.
[[nodiscard]] std::string masked(std::string_view address);
// For logs, and for what others read: shown(). What is no address stays as it is.
[[nodiscard]] std::string without_login(std::string_view address);

}
