#pragma once

#include "system/ascii.hpp"

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// One HTTP request and one answer, as the rooms above see them: values, without sockets.

namespace postrider::http {

// Fields in the order they came; names are compared without letter case (RFC 9110 section 5.1).
class Headers {
public:
    Headers() = default;
    Headers(std::initializer_list<std::pair<std::string, std::string>> fields) : fields_(fields) {}

    // The first field of that name; empty when there is none.
    [[nodiscard]] std::string_view value(std::string_view name) const;
    [[nodiscard]] bool has(std::string_view name) const;
    [[nodiscard]] std::size_t count(std::string_view name) const;

    void add(std::string name, std::string value) { fields_.emplace_back(std::move(name), std::move(value)); }
    void set(std::string_view name, std::string value); // replaces every field of that name
    void remove(std::string_view name);

    [[nodiscard]] auto begin() const { return fields_.begin(); }
    [[nodiscard]] auto end() const { return fields_.end(); }
    [[nodiscard]] std::size_t size() const { return fields_.size(); }
    void reserve(std::size_t count) { fields_.reserve(count); }

private:
    std::vector<std::pair<std::string, std::string>> fields_;
};

struct Request {
    std::string method; // upper case; a HEAD arrives as "GET", the server keeps the body back
    std::string target; // as it was sent
    std::string path;   // decoded, then without dot segments and doubled slashes; always begins with "/"
    std::string query;  // still encoded, without the "?": see http/form.hpp
    Headers headers;
    std::string body;   // whole, within the limit, transfer coding removed
    std::string client; // address, canonical text, no port: the peer, or whom a trusted proxy spoke for
};

// The server adds Date, Content-Length and Connection; those set here are ignored, except "Connection: close".
struct Response {
    int status = 200;
    Headers headers;
    std::string body;
};

using system::equal_without_case;                              // names of fields and codings
[[nodiscard]] std::string_view trimmed(std::string_view text); // without spaces and tabs at both ends
[[nodiscard]] std::string_view reason_phrase(int status);      // "Not Found"; empty when unknown

}
