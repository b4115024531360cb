#pragma once

#include "http/message.hpp"

#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// What people and programs put into URLs and bodies: percent coding, query strings, forms, and the choice between HTML
// and JSON.
//
// In:     text a stranger sent.
// Out:    names and values, decoded; never an exception.
// Always: bounded: at most max_fields fields; the first of several fields with one name counts. Nothing is interpreted
//         as a file: a multipart part with a filename is a field like another.

namespace postrider::http {

inline constexpr std::size_t max_fields = 200;

class Form {
public:
    // Nothing when the field is absent. first("name") of "name=&name=x" is "".
    [[nodiscard]] std::optional<std::string> first(std::string_view name) const;
    [[nodiscard]] std::string value(std::string_view name) const { return first(name).value_or(""); }
    [[nodiscard]] bool has(std::string_view name) const { return first(name).has_value(); }
    [[nodiscard]] std::vector<std::string> all(std::string_view name) const; // a group of check boxes

    void add(std::string name, std::string value) { fields_.emplace_back(std::move(name), std::move(value)); }
    [[nodiscard]] auto begin() const { return fields_.begin(); }
    [[nodiscard]] auto end() const { return fields_.end(); }
    [[nodiscard]] std::size_t size() const { return fields_.size(); }

private:
    std::vector<std::pair<std::string, std::string>> fields_;
};

// The error is a short sentence for the log.
using FormResult = std::expected<Form, std::string>;

// "a=1&b=x+y%20z". A stray "%" stays as it is, as browsers' own parser has it (WHATWG URL,
// application/x-www-form-urlencoded).
[[nodiscard]] FormResult parse_urlencoded(std::string_view text);

// RFC 7578. Parts without a name are an error; Content-Transfer-Encoding is not supported, as that RFC asks.
[[nodiscard]] FormResult parse_multipart(std::string_view body, std::string_view boundary);

// The body by its Content-Type: one of the two above, or an error for anything else (JSON is for the caller).
[[nodiscard]] FormResult parse_form(const Request&);

// "multipart/form-data; boundary=x" is "multipart/form-data", in lower case.
[[nodiscard]] std::string media_type(std::string_view content_type);
// The parameter of a Content-Type or Content-Disposition value, quotes removed; empty when absent.
[[nodiscard]] std::string parameter(std::string_view field_value, std::string_view name);

enum class Format { html, json };

// RFC 9110 section 12.5.1; a tie, or no preference at all, is HTML.
[[nodiscard]] Format preferred_format(std::string_view accept);

// Nothing when a "%" is not followed by two hexadecimal digits.
[[nodiscard]] std::optional<std::string> percent_decode(std::string_view text);
// All but the unreserved characters of RFC 3986 section 2.3 becomes %XX.
[[nodiscard]] std::string percent_encode(std::string_view text);

// A request path, decoded once, then without "." and ".." segments and doubled slashes, so that no route sees them in
// any spelling. Nothing when the coding is broken, when the path does not begin with "/", or when it holds control
// characters.
[[nodiscard]] std::optional<std::string> normal_path(std::string_view raw);

}
