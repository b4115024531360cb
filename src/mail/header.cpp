#include "mail/header.hpp"

#include "mail/utf8.hpp"

#include <fmt/format.h>
#include <unicode/uchar.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <iterator>
#include <stdexcept>

namespace postrider::mail {
namespace {

constexpr std::size_t fold_at = 78;           // RFC 5322 section 2.1.1
constexpr std::size_t longest_line = 998;     // the same
constexpr std::size_t longest_word = 75;      // RFC 2047 section 2
constexpr std::size_t longest_word_line = 76; // the same, for a line that holds an encoded word
constexpr std::size_t word_overhead = 12;     // =?utf-8?Q? and ?=
constexpr std::size_t smallest_payload =
    16; // holds any one code point in either encoding: four octets are 12 in Q, 8 in B

bool is_printable_ascii(std::string_view text) {
    return std::ranges::all_of(text, [](unsigned char c) { return c >= 0x20 && c < 0x7f; });
}

// Letters, digits and these, looked up rather than searched: a few fields are written for each reader.
class Characters {
public:
    constexpr explicit Characters(std::string_view others) {
        for (char c = '0'; c <= '9'; ++c) member_[std::size_t(c)] = true;
        for (char c = 'A'; c <= 'Z'; ++c) member_[std::size_t(c)] = member_[std::size_t(c | 0x20)] = true;
        for (unsigned char c : others) member_[c] = true;
    }
    constexpr bool contains(char c) const { return member_[(unsigned char)c]; }

private:
    std::array<bool, 256> member_{};
};

constexpr Characters atext("!#$%&'*+-/=?^_`{|}~");              // RFC 5322 section 3.2.3
constexpr Characters url_characters("-._~:/?#[]@!$&'()*+,;=%"); // RFC 3986 sections 2.1 to 2.3
// RFC 2047 section 5 (3): what a Q word inside a phrase may hold. Used everywhere, so that there is one encoding.
constexpr Characters plain_in_q(" !*+-/");

// "=?" is all a lenient decoder looks for, inside quotation marks too.
bool looks_encoded(std::string_view text) { return text.find("=?") != text.npos; }

bool is_dot_atom(std::string_view text) {
    return !text.empty() && std::ranges::all_of(text, [](char c) { return c == '.' || atext.contains(c); }) &&
           text.front() != '.' && text.back() != '.' && text.find("..") == text.npos;
}

void require_dot_atom(std::string_view text, std::string_view what) {
    if (!is_dot_atom(text))
        throw std::logic_error(fmt::format("{} is not a dot-atom: \"{}\"", what, clean_value(text)));
}

void require_length(std::size_t line, std::string_view name) {
    if (line > longest_line)
        throw std::length_error(fmt::format("{}: a line of {} octets; {} are allowed", name, line, longest_line));
}

enum class Encoding { q, b };

std::size_t q_size(std::string_view text) {
    std::size_t size = 0;
    for (char c : text) size += plain_in_q.contains(c) ? 1 : 3;
    return size;
}

std::size_t b_size(std::size_t octets) { return (octets + 2) / 3 * 4; }

void append_q(std::string& out, std::string_view text) {
    constexpr char digits[] = "0123456789ABCDEF";
    for (char c : text) {
        if (c == ' ')
            out += '_';
        else if (plain_in_q.contains(c))
            out += c;
        else
            out += {'=', digits[(unsigned char)c >> 4], digits[(unsigned char)c & 15]};
    }
}

void append_b(std::string& out, std::string_view text) {
    constexpr char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (std::size_t at = 0; at < text.size(); at += 3) {
        auto octet = [&](std::size_t i) { return at + i < text.size() ? (unsigned char)text[at + i] : 0u; };
        unsigned bits = octet(0) << 16 | octet(1) << 8 | octet(2);
        out += digits[bits >> 18];
        out += digits[bits >> 12 & 63];
        out += at + 1 < text.size() ? digits[bits >> 6 & 63] : '=';
        out += at + 2 < text.size() ? digits[bits & 63] : '=';
    }
}

// Whether a reader sees `c` as part of the character before it. Approximates the clusters of UAX 29, at no cost.
bool joins(char32_t before, char32_t c) {
    constexpr char32_t zero_width_joiner = 0x200d;
    bool skin_tone = c >= 0x1f3fb && c <= 0x1f3ff;
    return before == zero_width_joiner || skin_tone || u_hasBinaryProperty(UChar32(c), UCHAR_GRAPHEME_EXTEND);
}

// How much of the text goes into one encoded word: whole code points always (section 5), whole characters if they fit.
// Nothing where the rest does not fit and base64 would have to be padded: programs that join words before they decode
// them, GMime among them, lose what follows the padding.
std::size_t prefix(std::string_view text, std::size_t payload, Encoding encoding) {
    std::size_t fits = 0, border = 0, q = 0;
    char32_t before = 0;
    for (std::size_t at = 0; at < text.size();) {
        auto start = at;
        auto c = next_code_point(text, at);
        bool may_end = encoding == Encoding::q || start % 3 == 0;
        if (may_end) fits = start;
        if (may_end && start > 0 && !joins(before, c)) border = start;
        before = c;
        q += q_size(text.substr(start, at - start));
        if ((encoding == Encoding::q ? q : b_size(at)) > payload) return border ? border : fits;
    }
    return text.size();
}

// The text as encoded words; `column` is where the line stands. Returns where it then stands.
std::size_t append_encoded_words(std::string& out, std::string_view text, std::size_t column) {
    auto shorter = q_size(text) <= b_size(text.size()) ? Encoding::q : Encoding::b;
    while (true) {
        auto room = longest_word_line > column ? longest_word_line - column : 0;
        auto payload = std::min(room, longest_word);
        if (payload < word_overhead + smallest_payload) {
            out += "\r\n ";
            column = 1;
            continue;
        }
        payload -= word_overhead;
        auto in_q = prefix(text, payload, Encoding::q);
        auto in_b = shorter == Encoding::b ? prefix(text, payload, Encoding::b) : 0;
        auto taken = text.substr(0, std::max(in_q, in_b));
        auto before = out.size();
        out += in_b < in_q ? "=?utf-8?Q?" : "=?utf-8?B?";
        if (in_b < in_q)
            append_q(out, taken);
        else
            append_b(out, taken);
        out += "?=";
        column += out.size() - before;
        text.remove_prefix(taken.size());
        if (text.empty()) return column;
        // White space between encoded words is not part of the value (section 6.2).
        out += "\r\n ";
        column = 1;
    }
}

// Printable ASCII as it stands, folded before spaces. False, and nothing appended, if a word is too long for a line.
bool append_folded(std::string& out, std::string_view text, std::size_t column) {
    auto mark = out.size();
    while (!text.empty()) {
        auto word = text.find_first_not_of(' ');
        auto end = std::min(text.find(' ', word), text.size());
        auto chunk = text.substr(0, end); // with the spaces before it, so that no line ends in a space
        if (column + chunk.size() > fold_at) {
            if (word == 0 || chunk.size() > fold_at) {
                out.resize(mark);
                return false;
            }
            out += "\r\n";
            column = 0;
        }
        out += chunk;
        column += chunk.size();
        text.remove_prefix(end);
    }
    return true;
}

bool is_atoms(std::string_view text) {
    char before = ' ';
    for (char c : text) {
        if (c == ' ' ? before == ' ' : !atext.contains(c)) return false;
        before = c;
    }
    return before != ' ';
}

// A phrase (RFC 5322 section 3.2.5): atoms, one quoted-string or encoded words, whichever is the plainest that carries
// the text. `text` is clean and not empty. Returns where the line then stands.
std::size_t append_phrase(std::string& out, std::string_view text, std::size_t column) {
    auto quotes = std::size_t(std::ranges::count_if(text, [](char c) { return c == '"' || c == '\\'; }));
    bool fits = column + text.size() + quotes + 2 <= fold_at;
    if (!fits || looks_encoded(text) || !is_printable_ascii(text)) return append_encoded_words(out, text, column);
    auto before = out.size();
    if (is_atoms(text)) {
        out += text;
    } else {
        out += '"';
        for (char c : text) {
            if (c == '"' || c == '\\') out += '\\';
            out += c;
        }
        out += '"';
    }
    return column + out.size() - before;
}

// `Phrase <what>` after the colon and its space.
void append_phrase_and_angle(std::string& out, std::string_view name, std::string_view phrase, std::string_view what) {
    auto column = name.size() + 2;
    auto limit = fold_at;
    if (!phrase.empty()) {
        auto before = out.size();
        column = append_phrase(out, phrase, column);
        if (out.find("=?", before) != out.npos) limit = longest_word_line;
        if (column + what.size() + 3 > limit) {
            out += "\r\n";
            column = 0;
        }
        out += ' ';
        ++column;
    }
    require_length(column + what.size() + 2, name);
    out += '<';
    out += what;
    out += ">\r\n";
}

void append_url(std::string& out, std::string_view url) {
    constexpr char digits[] = "0123456789ABCDEF";
    if (std::ranges::all_of(url, [](char c) { return url_characters.contains(c); })) {
        out += url;
        return;
    }
    for (char c : url) {
        if (url_characters.contains(c))
            out += c;
        else
            out += {'%', digits[(unsigned char)c >> 4], digits[(unsigned char)c & 15]};
    }
}

// The value without control characters; copied only where it has some.
class Clean {
public:
    explicit Clean(std::string_view value) : text_(value) {
        if (is_printable_ascii(value)) return;
        kept_ = clean_value(value);
        text_ = kept_;
    }
    Clean(const Clean&) = delete;
    [[nodiscard]] std::string_view text() const { return text_; }

private:
    std::string kept_;
    std::string_view text_;
};

void append_name(std::string& out, std::string_view name) {
    out += name;
    out += ": ";
}

}

std::string clean_value(std::string_view value) {
    if (is_printable_ascii(value)) return std::string(value);
    std::string out;
    out.reserve(value.size());
    for (std::size_t at = 0; at < value.size();) {
        auto c = next_code_point(value, at);
        bool control = c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x2028 || c == 0x2029;
        append_utf8(out, control ? U' ' : c);
    }
    return out;
}

void make_one_line(std::string& text) {
    constexpr std::string_view blanks = " \t\r\n", line_ends = "\r\n";
    if (text.find_first_of(line_ends) == text.npos && text.find_first_of(blanks) != 0 &&
        (text.empty() || blanks.find(text.back()) == blanks.npos))
        return;
    std::string line;
    for (std::size_t at = 0; at < text.size();) {
        auto end = std::min(text.find_first_of(blanks, at), text.size());
        line.append(text, at, end - at);
        at = std::min(text.find_first_not_of(blanks, end), text.size());
        if (line.empty() || at == text.size()) continue;
        auto between = std::string_view(text).substr(end, at - end);
        line += between.find_first_of(line_ends) == between.npos ? between : " ";
    }
    text = std::move(line);
}

void append_text(std::string& out, std::string_view name, std::string_view value) {
    Clean clean(value);
    auto text = clean.text();
    append_name(out, name);
    auto column = name.size() + 2;
    // Spaces at either end, and a text of nothing else, survive only inside an encoded word.
    bool plain = is_printable_ascii(text) && !looks_encoded(text) && !text.starts_with(' ') && !text.ends_with(' ');
    if (!text.empty() && !(plain && append_folded(out, text, column))) append_encoded_words(out, text, column);
    out += "\r\n";
}

void append_word(std::string& out, std::string_view name, std::string_view word) {
    require_length(name.size() + 2 + word.size(), name);
    append_name(out, name);
    for (char c : word) out += c > ' ' && c < 0x7f ? c : '_';
    out += "\r\n";
}

void append_mailbox(std::string& out, std::string_view name, std::string_view display_name, const Address& address) {
    append_name(out, name);
    if (!display_name.empty()) return append_phrase_and_angle(out, name, Clean(display_name).text(), address.ascii());
    out += address.ascii();
    out += "\r\n";
}

void append_date(std::string& out, Time time) {
    append_name(out, field::date);
    out += date_text(time);
    out += "\r\n";
}

void append_message_id(std::string& out, std::string_view unique, std::string_view domain) {
    require_dot_atom(unique, "the left side of a Message-ID");
    require_dot_atom(domain, "the right side of a Message-ID");
    require_length(field::message_id.size() + unique.size() + domain.size() + 5, field::message_id);
    append_name(out, field::message_id);
    out += '<';
    out += unique;
    out += '@';
    out += domain;
    out += ">\r\n";
}

void append_urls(std::string& out, std::string_view name, std::initializer_list<std::string_view> urls) {
    auto mark = out.size();
    append_name(out, name);
    auto line = mark;
    auto first = out.size();
    for (auto url : urls) {
        if (url.empty()) continue;
        bool more = out.size() > first;
        auto before = out.size();
        if (more) out += ", ";
        out += '<';
        append_url(out, url);
        out += '>';
        if (more && out.size() - line > fold_at) {
            out.insert(before + 1, "\r\n"); // the space after the comma becomes the folding space
            line = before + 3;
        }
        require_length(out.size() - line, name);
    }
    if (out.size() == first)
        out.resize(mark);
    else
        out += "\r\n";
}

void append_list_id(std::string& out, std::string_view title, std::string_view identifier) {
    require_dot_atom(identifier, "a list identifier");
    append_name(out, field::list_id);
    append_phrase_and_angle(out, field::list_id, Clean(title).text(), identifier);
}

std::string date_text(Time time) {
    // No strftime: the names of days and months are English whatever the locale says.
    constexpr std::string_view weekdays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    constexpr std::string_view months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                           "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    using namespace std::chrono;
    auto day = floor<days>(time);
    year_month_day date(day);
    hh_mm_ss clock(floor<seconds>(time - day));
    return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} +0000", weekdays[weekday(day).c_encoding()],
                       unsigned(date.day()), months[unsigned(date.month()) - 1], int(date.year()),
                       clock.hours().count(), clock.minutes().count(), clock.seconds().count());
}

}
