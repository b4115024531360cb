#include "web/kept_mail.hpp"

#include "http/form.hpp"
#include "http/message.hpp"
#include "mail/utf8.hpp"
#include "system/random.hpp"

#include <algorithm>
#include <optional>

namespace postrider::web {
namespace {

struct Entity {
    std::string_view header, body;
};

Entity split(std::string_view message) {
    auto end = message.find("\r\n\r\n");
    if (end == message.npos) return {message, {}};
    return {message.substr(0, end + 2), message.substr(end + 4)};
}

// The first field of that name, unfolded (RFC 5322 section 2.2.3).
std::string field(std::string_view header, std::string_view name) {
    while (!header.empty()) {
        auto end = std::min(header.find("\r\n"), header.size());
        while (end + 2 < header.size() && (header[end + 2] == ' ' || header[end + 2] == '\t'))
            end = std::min(header.find("\r\n", end + 2), header.size());
        auto line = header.substr(0, end);
        header.remove_prefix(std::min(end + 2, header.size()));
        auto colon = line.find(':');
        if (colon == line.npos || !http::equal_without_case(line.substr(0, colon), name)) continue;
        std::string value(http::trimmed(line.substr(colon + 1)));
        std::erase_if(value, [](char c) { return c == '\r' || c == '\n'; });
        return value;
    }
    return {};
}

int digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return -1;
}

// RFC 2045 section 6.7; with underscores for spaces RFC 2047 section 4.2.
std::string quoted_printable(std::string_view text, bool in_header) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (in_header && text[i] == '_') {
            out += ' ';
        } else if (text[i] != '=') {
            out += text[i];
        } else if (text.substr(i + 1, 2) == "\r\n") {
            i += 2;
        } else if (i + 2 < text.size() && digit(text[i + 1]) >= 0 && digit(text[i + 2]) >= 0) {
            out += char(digit(text[i + 1]) * 16 + digit(text[i + 2]));
            i += 2;
        } else {
            out += '=';
        }
    }
    return out;
}

std::string base64(std::string text) {
    std::erase_if(text, [](char c) { return c == '=' || c == '\r' || c == '\n'; });
    for (char& c : text) {
        if (c == '+') c = '-';
        if (c == '/') c = '_';
    }
    return system::from_base64url(text);
}

struct Word {
    std::string text;
    std::size_t size; // of the encoded form
};

// "=?utf-8?q?...?=" at the beginning of `text`, RFC 2047 section 2.
std::optional<Word> encoded_word(std::string_view text) {
    if (!text.starts_with("=?")) return std::nullopt;
    auto coding = text.find('?', 2);
    if (coding == text.npos || coding + 2 >= text.size() || text[coding + 2] != '?') return std::nullopt;
    auto end = text.find("?=", coding + 3);
    if (end == text.npos || !http::equal_without_case(text.substr(2, coding - 2), "utf-8")) return std::nullopt;
    auto content = text.substr(coding + 3, end - coding - 3);
    bool quoted = text[coding + 1] == 'q' || text[coding + 1] == 'Q';
    return Word{quoted ? quoted_printable(content, true) : base64(std::string(content)), end + 2};
}

std::string decoded(std::string_view value) {
    std::string out;
    std::size_t blanks = 0; // at the end of out, after an encoded word: none between two of them
    bool after_word = false;
    for (std::size_t i = 0; i < value.size();) {
        if (auto word = encoded_word(value.substr(i))) {
            if (after_word) out.resize(out.size() - blanks);
            out += word->text;
            i += word->size;
            after_word = true;
            blanks = 0;
            continue;
        }
        bool blank = value[i] == ' ' || value[i] == '\t';
        if (!blank) after_word = false;
        blanks = blank ? blanks + 1 : 0;
        out += value[i++];
    }
    return mail::valid_utf8(out);
}

void take_part(KeptMail& mail, const Entity& entity) {
    auto type = http::media_type(field(entity.header, "Content-Type"));
    auto& body = type == "text/html" ? mail.html : mail.text;
    if (!body.empty() || (!type.empty() && !type.starts_with("text/"))) return;
    auto coding = field(entity.header, "Content-Transfer-Encoding");
    if (http::equal_without_case(coding, "quoted-printable"))
        body = quoted_printable(entity.body, false);
    else if (http::equal_without_case(coding, "base64"))
        body = base64(std::string(entity.body));
    else
        body = entity.body;
    body = mail::valid_utf8(body);
}

}

KeptMail read_mail(std::string_view message) {
    auto whole = split(message);
    KeptMail mail;
    mail.to = decoded(field(whole.header, "To"));
    mail.subject = decoded(field(whole.header, "Subject"));
    mail.date = field(whole.header, "Date");

    auto type = field(whole.header, "Content-Type");
    auto boundary = http::parameter(type, "boundary");
    if (!http::media_type(type).starts_with("multipart/") || boundary.empty()) {
        take_part(mail, whole);
        return mail;
    }
    auto delimiter = "--" + boundary;
    auto rest = whole.body;
    auto begin = rest.find(delimiter);
    while (begin != rest.npos) {
        rest.remove_prefix(begin + delimiter.size());
        if (rest.starts_with("--")) break;
        auto line_end = rest.find("\r\n");
        if (line_end == rest.npos) break;
        rest.remove_prefix(line_end + 2);
        begin = rest.find("\r\n" + delimiter);
        take_part(mail, split(rest.substr(0, begin)));
        if (begin != rest.npos) begin += 2;
    }
    return mail;
}

}
