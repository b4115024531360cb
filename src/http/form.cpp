#include "http/form.hpp"

#include "http/field_list.hpp"
#include "system/ascii.hpp"

#include <fmt/format.h>

#include <charconv>

namespace postrider::http {

namespace {

int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

// The byte behind "%XX" at this place, or -1.
int escaped_byte(std::string_view text, std::size_t at) {
    if (at + 2 >= text.size()) return -1;
    int high = hex_digit(text[at + 1]);
    int low = hex_digit(text[at + 2]);
    return high < 0 || low < 0 ? -1 : high * 16 + low;
}

std::string decode_form_text(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        int byte = text[i] == '%' ? escaped_byte(text, i) : -1;
        if (byte >= 0) {
            out += char(byte);
            i += 2;
        } else {
            out += text[i] == '+' ? ' ' : text[i];
        }
    }
    return out;
}

struct Part {
    Headers headers;
    std::string_view body;
};

std::expected<Part, std::string> read_part(std::string_view text) {
    constexpr std::size_t max_headers = 16;
    Part part;
    while (!text.starts_with("\r\n")) {
        auto end = text.find("\r\n");
        if (end == std::string_view::npos) return std::unexpected("a part of the form has no end of header");
        auto line = text.substr(0, end);
        auto colon = line.find(':');
        if (colon == std::string_view::npos || part.headers.size() >= max_headers)
            return std::unexpected("a part of the form has a broken header");
        part.headers.add(std::string(trimmed(line.substr(0, colon))), std::string(trimmed(line.substr(colon + 1))));
        text.remove_prefix(end + 2);
    }
    part.body = text.substr(2);
    return part;
}

// Browsers escape a quote in a name as %22 (WHATWG HTML, multipart/form-data encoding).
std::string part_name(const Part& part) {
    auto disposition = part.headers.value("Content-Disposition");
    if (media_type(disposition) != "form-data") return {};
    std::string name = parameter(disposition, "name");
    for (auto at = name.find("%22"); at != std::string::npos; at = name.find("%22", at + 1)) name.replace(at, 3, "\"");
    return name;
}

// 0 to 1000. Anything odd counts as not wanted at all, so that a strange client gets HTML.
int quality(std::string_view item) {
    std::string text = parameter(item, "q");
    if (text.empty()) return 1000;
    double value = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size() || !(value >= 0 && value <= 1)) return 0;
    return int(value * 1000 + 0.5);
}

struct Preference {
    int quality = -1;
    int precision = -1; // 2 type/subtype, 1 type/*, 0 */*: the most precise range that matches decides

    void consider(int new_precision, int new_quality) {
        if (new_precision < precision) return;
        quality = new_precision > precision ? new_quality : std::max(quality, new_quality);
        precision = new_precision;
    }
};

}

std::optional<std::string> Form::first(std::string_view name) const {
    for (const auto& [field, value] : fields_)
        if (field == name) return value;
    return std::nullopt;
}

std::vector<std::string> Form::all(std::string_view name) const {
    std::vector<std::string> values;
    for (const auto& [field, value] : fields_)
        if (field == name) values.push_back(value);
    return values;
}

FormResult parse_urlencoded(std::string_view text) {
    Form form;
    while (!text.empty()) {
        auto end = text.find('&');
        auto pair = text.substr(0, end);
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
        if (pair.empty()) continue;
        if (form.size() == max_fields) return std::unexpected(fmt::format("more than {} fields", max_fields));
        auto equals = pair.find('=');
        auto name = pair.substr(0, equals);
        auto value = equals == std::string_view::npos ? std::string_view{} : pair.substr(equals + 1);
        form.add(decode_form_text(name), decode_form_text(value));
    }
    return form;
}

FormResult parse_multipart(std::string_view body, std::string_view boundary) {
    if (boundary.empty() || boundary.size() > 70) return std::unexpected("the form's boundary is missing or too long");
    const std::string line = fmt::format("--{}", boundary);
    const std::string delimiter = "\r\n" + line;

    // The first delimiter may stand at the very beginning; what is before it is preamble.
    std::size_t at = 0;
    if (!body.starts_with(line)) {
        at = body.find(delimiter);
        if (at == std::string_view::npos) return std::unexpected("the form does not contain its boundary");
        at += 2;
    }
    body.remove_prefix(at + line.size());

    Form form;
    while (!body.starts_with("--")) {
        auto padding = body.find_first_not_of(" \t");
        if (padding == std::string_view::npos || !body.substr(padding).starts_with("\r\n"))
            return std::unexpected("a boundary of the form is followed by something else");
        body.remove_prefix(padding + 2);
        auto end = body.find(delimiter);
        // An empty part directly followed by a delimiter shares its CRLF with the end of the header.
        if (end == std::string_view::npos) return std::unexpected("the form is cut off");
        auto part = read_part(body.substr(0, end));
        if (!part) return std::unexpected(part.error());
        auto name = part_name(*part);
        if (name.empty()) return std::unexpected("a part of the form has no name");
        if (form.size() == max_fields) return std::unexpected(fmt::format("more than {} fields", max_fields));
        form.add(std::move(name), std::string(part->body));
        body.remove_prefix(end + delimiter.size());
    }
    return form;
}

FormResult parse_form(const Request& request) {
    auto type = request.headers.value("Content-Type");
    auto media = media_type(type);
    if (media == "application/x-www-form-urlencoded") return parse_urlencoded(request.body);
    if (media == "multipart/form-data") return parse_multipart(request.body, parameter(type, "boundary"));
    if (media.empty() && request.body.empty()) return Form{};
    return std::unexpected(fmt::format("a form cannot be of type \"{}\"", media));
}

std::string media_type(std::string_view content_type) {
    return system::lower(trimmed(content_type.substr(0, content_type.find(';'))));
}

std::string parameter(std::string_view value, std::string_view name) {
    auto next = value.find(';');
    while (next != std::string_view::npos) {
        value = value.substr(next + 1);
        auto equals = value.find_first_of("=;");
        if (equals == std::string_view::npos) return {};
        if (value[equals] == ';') {
            next = equals;
            continue;
        }
        bool wanted = equal_without_case(trimmed(value.substr(0, equals)), name);
        value = trimmed(value.substr(equals + 1));
        std::string text;
        if (value.starts_with('"')) {
            std::size_t i = 1;
            for (; i < value.size() && value[i] != '"'; ++i) {
                if (value[i] == '\\' && i + 1 < value.size()) ++i;
                text += value[i];
            }
            next = value.find(';', std::min(i, value.size()));
        } else {
            next = value.find(';');
            text = trimmed(value.substr(0, next));
        }
        if (wanted) return text;
    }
    return {};
}

Format preferred_format(std::string_view accept) {
    Preference html;
    Preference json;
    while (!accept.empty()) {
        auto item = take_item(accept);
        auto type = media_type(item);
        int q = quality(item);
        if (type == "text/html") html.consider(2, q);
        if (type == "application/xhtml+xml") html.consider(2, q);
        if (type == "application/json") json.consider(2, q);
        if (type == "text/*") html.consider(1, q);
        if (type == "application/*") json.consider(1, q);
        if (type == "*/*") {
            html.consider(0, q);
            json.consider(0, q);
        }
    }
    if (json.quality <= 0) return Format::html;
    return json.quality > html.quality ? Format::json : Format::html;
}

std::optional<std::string> percent_decode(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            out += text[i];
            continue;
        }
        int byte = escaped_byte(text, i);
        if (byte < 0) return std::nullopt;
        out += char(byte);
        i += 2;
    }
    return out;
}

std::string percent_encode(std::string_view text) {
    static constexpr char digits[] = "0123456789ABCDEF";
    std::string out;
    out.reserve(text.size());
    for (char c : text) {
        bool unreserved = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                          c == '.' || c == '_' || c == '~';
        if (unreserved) {
            out += c;
        } else {
            out += '%';
            out += digits[(unsigned char)c >> 4];
            out += digits[(unsigned char)c & 15];
        }
    }
    return out;
}

std::optional<std::string> normal_path(std::string_view raw) {
    if (!raw.starts_with('/')) return std::nullopt;
    auto decoded = percent_decode(raw);
    if (!decoded) return std::nullopt;
    for (unsigned char c : *decoded)
        if (c < 0x20 || c == 0x7f) return std::nullopt;
    if (decoded->find("//") == std::string::npos && decoded->find("/.") == std::string::npos) return decoded;

    std::vector<std::string_view> segments;
    std::string_view rest = *decoded;
    bool ends_in_slash = false;
    while (!rest.empty()) {
        rest.remove_prefix(1); // the slash
        auto end = std::min(rest.find('/'), rest.size());
        auto segment = rest.substr(0, end);
        rest.remove_prefix(end);
        ends_in_slash = segment.empty() || segment == "." || segment == "..";
        if (segment == ".." && !segments.empty()) segments.pop_back();
        if (!ends_in_slash) segments.push_back(segment);
    }
    std::string path;
    for (auto segment : segments) path.append("/").append(segment);
    if (ends_in_slash || path.empty()) path += '/';
    return path;
}

}
