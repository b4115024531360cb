#pragma once

#include <algorithm>
#include <cctype>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// Reads a message the strict way, independently of src/mail, and says what is wrong with it. For every test that sees
// real message octets: `EXPECT_EQ(lint(bytes), "")`.

namespace postrider::mail_linter {

// RFC 2045 section 6.7, strictly: nothing when a line is too long, ends in a blank, or an escape is malformed.
inline std::optional<std::string> decode_quoted_printable(std::string_view text) {
    std::string out;
    while (!text.empty()) {
        auto end = text.find("\r\n");
        auto line = text.substr(0, end);
        bool hard = end != text.npos;
        if (line.size() > 76 || line.ends_with(' ') || line.ends_with('\t')) return std::nullopt;
        if (line.ends_with('=')) {
            hard = false;
            line.remove_suffix(1);
        }
        for (std::size_t at = 0; at < line.size(); ++at) {
            unsigned char c = (unsigned char)line[at];
            if (c != '=') {
                if (c >= 127 || (c < ' ' && c != '\t')) return std::nullopt;
                out += char(c);
                continue;
            }
            constexpr std::string_view digits = "0123456789ABCDEF";
            if (at + 2 >= line.size()) return std::nullopt;
            auto high = digits.find(line[at + 1]), low = digits.find(line[at + 2]);
            if (high == digits.npos || low == digits.npos) return std::nullopt;
            out += char(high * 16 + low);
            at += 2;
        }
        if (hard) out += "\r\n";
        text.remove_prefix(end == text.npos ? text.size() : end + 2);
    }
    return out;
}

inline std::optional<std::string> decode_base64(std::string_view text) {
    constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    if (text.size() % 4) return std::nullopt;
    while (text.ends_with('=')) text.remove_suffix(1);
    std::string out;
    unsigned bits = 0, count = 0;
    for (char c : text) {
        auto value = digits.find(c);
        if (value == digits.npos) return std::nullopt;
        bits = bits << 6 | unsigned(value);
        if ((count += 6) >= 8) out += char(bits >> (count -= 8) & 255);
    }
    return out;
}

// Whether every sequence is complete, so that no encoded word holds half a character. (No check of overlong forms.)
inline bool is_whole_utf8(std::string_view text) {
    for (std::size_t at = 0; at < text.size();) {
        unsigned char c = (unsigned char)text[at];
        std::size_t length = c < 0x80 ? 1 : c >> 5 == 6 ? 2 : c >> 4 == 14 ? 3 : c >> 3 == 30 ? 4 : 0;
        if (length == 0 || at + length > text.size()) return false;
        for (std::size_t i = 1; i < length; ++i)
            if (((unsigned char)text[at + i] & 0xc0) != 0x80) return false;
        at += length;
    }
    return true;
}

// One =?utf-8?Q?...?= word, or nothing if it is not well-formed, over 75 characters or holds half a character.
inline std::optional<std::string> decode_word(std::string_view word) {
    if (word.size() > 75 || word.size() < 12 || !word.starts_with("=?utf-8?") || !word.ends_with("?="))
        return std::nullopt;
    char encoding = word[8];
    auto text = word.substr(10, word.size() - 12);
    if (word[9] != '?' || text.find_first_of("? ") != text.npos) return std::nullopt;
    std::optional<std::string> out;
    if (encoding == 'B') {
        out = decode_base64(text);
    } else if (encoding == 'Q') {
        std::string spaced(text);
        std::ranges::replace(spaced, '_', ' ');
        out.emplace();
        for (std::size_t at = 0; at < spaced.size(); ++at) {
            if (spaced[at] != '=') {
                *out += spaced[at];
                continue;
            }
            if (at + 2 >= spaced.size()) return std::nullopt;
            *out += char(std::stoi(spaced.substr(at + 1, 2), nullptr, 16));
            at += 2;
        }
    }
    if (!out || !is_whole_utf8(*out)) return std::nullopt;
    return out;
}

// The value of an unfolded field with its encoded words decoded; quoted-strings are left as they are.
inline std::optional<std::string> decode_value(std::string_view value) {
    std::string out;
    bool after_word = false;
    while (!value.empty()) {
        auto spaces = std::min(value.find_first_not_of(' '), value.size());
        auto end = std::min(value.find(' ', spaces), value.size());
        auto word = value.substr(spaces, end - spaces);
        bool encoded = word.starts_with("=?");
        if (!(after_word && encoded)) out += value.substr(0, spaces);
        if (encoded) {
            auto decoded = decode_word(word);
            if (!decoded) return std::nullopt;
            out += *decoded;
        } else {
            out += word;
        }
        after_word = encoded;
        value.remove_prefix(end);
    }
    return out;
}

struct Field {
    std::string name, value; // unfolded, not decoded
};

struct Part {
    std::vector<Field> fields;
    std::string body; // as transferred
};

struct Message {
    std::vector<Field> fields;
    std::string body;
    std::vector<std::string> complaints;

    // Unfolded; nothing if the field is missing.
    [[nodiscard]] std::optional<std::string> value(std::string_view name) const {
        for (const auto& field : fields)
            if (field.name == name) return field.value;
        return std::nullopt;
    }
    [[nodiscard]] std::optional<std::string> decoded(std::string_view name) const {
        auto found = value(name);
        return found ? decode_value(*found) : std::nullopt;
    }
};

inline void split_header(std::string_view text, std::vector<Field>& fields, std::vector<std::string>& complaints) {
    while (!text.empty()) {
        auto end = text.find("\r\n");
        auto line = text.substr(0, end);
        text.remove_prefix(end == text.npos ? text.size() : end + 2);
        if (line.find_first_not_of(" \t") == line.npos) complaints.push_back("a header line of blanks only");
        auto start = line.find(": ");
        bool continued = line.starts_with(' ') || line.starts_with('\t');
        if (line.size() > 78) {
            auto content = line.substr(continued ? std::min(line.find_first_not_of(" \t"), line.size())
                                                 : std::min(start + 2, line.size()));
            // A foldable place is white space in the content.
            if (content.find(' ') != content.npos) complaints.push_back("could be folded: " + std::string(line));
        }
        if (line.find("=?") != line.npos && line.size() > 76)
            complaints.push_back("over 76 with an encoded word: " + std::string(line));
        if (continued) {
            if (fields.empty())
                complaints.push_back("the header begins with a continuation");
            else
                fields.back().value += line;
            continue;
        }
        if (start == line.npos || start == 0 || std::ranges::any_of(line.substr(0, start), [](unsigned char c) {
                return c <= ' ' || c >= 127 || c == ':';
            })) {
            complaints.push_back("not a field: " + std::string(line));
            continue;
        }
        fields.push_back({std::string(line.substr(0, start)), std::string(line.substr(start + 2))});
    }
}

inline void check_lines(std::string_view bytes, std::vector<std::string>& complaints) {
    std::size_t length = 0;
    for (std::size_t at = 0; at < bytes.size(); ++at) {
        char c = bytes[at];
        bool line_feed = c == '\n', carriage_return = c == '\r';
        if (c == '\0') complaints.push_back("NUL");
        if (carriage_return && (at + 1 == bytes.size() || bytes[at + 1] != '\n')) complaints.push_back("CR without LF");
        if (line_feed && (at == 0 || bytes[at - 1] != '\r')) complaints.push_back("LF without CR");
        if (length == 0 && c == '.') complaints.push_back("a line begins with a dot");
        length = line_feed ? 0 : carriage_return ? length : length + 1;
        if (length == 999) complaints.push_back("a line over 998 octets");
    }
    if (!bytes.ends_with("\r\n")) complaints.push_back("no CRLF at the end");
}

inline Message read(std::string_view bytes) {
    Message message;
    check_lines(bytes, message.complaints);
    auto blank = bytes.find("\r\n\r\n");
    if (blank == bytes.npos) message.complaints.push_back("no empty line after the header");
    split_header(bytes.substr(0, blank), message.fields, message.complaints);
    if (blank != bytes.npos) message.body = bytes.substr(blank + 4);
    return message;
}

inline std::string boundary(const Message& message) {
    auto type = message.value("Content-Type").value_or("");
    auto start = type.find("boundary=\"");
    if (start == type.npos) return "";
    start += 10;
    return type.substr(start, type.find('"', start) - start);
}

// The parts of a multipart; one part with the message's own fields if it is none.
inline std::vector<Part> parts(const Message& message, std::vector<std::string>& complaints) {
    auto border = boundary(message);
    if (border.empty()) return {{message.fields, message.body}};
    if (border.size() > 70) complaints.push_back("a boundary over 70 characters");
    std::vector<Part> found;
    std::string text = "\r\n" + message.body, mark = "\r\n--" + border;
    auto at = text.find(mark);
    if (at != 0) complaints.push_back("text before the first part");
    while (at != text.npos) {
        auto start = at + mark.size();
        if (text.compare(start, 2, "--") == 0) {
            if (text.substr(start) != "--\r\n") complaints.push_back("text after the last part");
            return found;
        }
        if (text.compare(start, 2, "\r\n") != 0) complaints.push_back("a boundary line with a tail");
        start += 2;
        at = text.find(mark, start);
        auto blank = text.find("\r\n\r\n", start);
        if (at == text.npos || blank == text.npos || blank > at) break;
        Part part;
        split_header(std::string_view(text).substr(start, blank - start), part.fields, complaints);
        if (blank + 4 <= at) part.body = text.substr(blank + 4, at - blank - 4);
        found.push_back(std::move(part));
    }
    complaints.push_back("the last boundary is missing");
    return found;
}

// The decoded body of every part, in order.
inline std::vector<std::string> bodies(const Message& message) {
    std::vector<std::string> out, ignored;
    for (const auto& part : parts(message, ignored))
        out.push_back(decode_quoted_printable(part.body).value_or("(not decodable)"));
    return out;
}

// All complaints, one a line; empty when there are none.
inline std::string lint(std::string_view bytes) {
    auto message = read(bytes);
    auto& complaints = message.complaints;
    std::map<std::string, int> count;
    for (const auto& field : message.fields) {
        std::string lower = field.name;
        std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return char(std::tolower(c)); });
        if (++count[lower] == 2) complaints.push_back("twice: " + field.name);
        if (!decode_value(field.value)) complaints.push_back("a bad encoded word: " + field.value);
        if (!is_whole_utf8(field.value)) complaints.push_back("neither ASCII nor UTF-8: " + field.name);
        if (std::ranges::any_of(field.value, [](unsigned char c) { return c < ' ' || c == 127; }))
            complaints.push_back("a control character: " + field.name);
        auto quote = field.value.find('"'), word = field.value.find("=?");
        if (quote < word && word != field.value.npos)
            complaints.push_back("an encoded word in quotation marks: " + field.value);
    }
    for (auto needed : {"date", "from", "to", "subject", "message-id", "mime-version", "content-type"})
        if (!count.contains(needed)) complaints.push_back(std::string("missing: ") + needed);
    for (auto& part : parts(message, complaints)) {
        auto decoded = decode_quoted_printable(part.body);
        if (!decoded)
            complaints.push_back("a part that is not strict quoted-printable");
        else if (!is_whole_utf8(*decoded))
            complaints.push_back("a part that is not UTF-8");
    }
    std::string all;
    for (const auto& complaint : complaints) all += complaint + "\n";
    return all;
}

}
