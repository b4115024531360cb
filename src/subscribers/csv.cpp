#include "subscribers/csv.hpp"

#include "mail/utf8.hpp"

#include <algorithm>
#include <array>

namespace postrider::subscribers {
namespace {

constexpr std::size_t chunk = 64 * 1024;
constexpr std::size_t most_fields = 1000;

// Windows-1252 between 0x80 and 0x9f; what it leaves open becomes U+FFFD. Above that it is Latin-1.
constexpr std::array<char32_t, 32> windows_1252 = {0x20ac, 0xfffd, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021,
                                                   0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0xfffd, 0x017d, 0xfffd,
                                                   0xfffd, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014,
                                                   0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0xfffd, 0x017e, 0x0178};

void append_1252(std::string& to, std::string_view bytes) {
    for (unsigned char byte : bytes) {
        if (byte < 0x80)
            to += char(byte);
        else
            mail::append_utf8(to, byte < 0xa0 ? windows_1252[byte - 0x80] : char32_t(byte));
    }
}

// ' any number of times, and behind it what a spreadsheet would run.
bool is_dangerous(std::string_view field) {
    auto first = field.find_first_not_of('\'');
    return first != field.npos && std::string_view("=+-@\t\r").contains(field[first]);
}

bool line_ends(char c) { return c == '\n' || c == '\r'; }

}

std::expected<std::optional<CsvRecord>, CsvError> CsvReader::next() {
    if (!begun_) begin();
    for (;;) {
        switch (scan()) {
        case Scan::end: return std::nullopt;
        case Scan::more:
            if (buffer_.size() - at_ > longest_record) {
                // Lines inside a quote: only the first of them is given up.
                bool one_line = std::none_of(buffer_.begin() + std::ptrdiff_t(at_), buffer_.end(), line_ends);
                return give_up_line(one_line ? "the line is longer than a megabyte"
                                             : "a quote that opens here is not closed within a megabyte");
            }
            fill();
            break;
        case Scan::unclosed: return give_up_line("a quote that opens here is never closed");
        case Scan::text_after_quote: return give_up_line("text follows a closing quote");
        case Scan::too_many_fields: return give_up_line("the line has more than a thousand fields");
        case Scan::record: {
            bool empty = found_.size() == 1 && found_[0].begin == found_[0].end && found_[0].begin == at_;
            if (!empty) return finish();
            at_ = behind_;
            line_ += lines_;
        }
        }
    }
}

void CsvReader::begin() {
    begun_ = true;
    find_encoding();
    find_separator();
}

void CsvReader::find_encoding() {
    std::string first;
    while (first.size() < 4) {
        std::array<char, 4> few;
        auto got = source_(std::span(few).first(4 - first.size()));
        if (got == 0) break;
        first.append(few.data(), got);
    }
    auto starts = [&](std::string_view mark) { return first.starts_with(mark); };
    if (starts("\xef\xbb\xbf")) {
        encoding_ = Encoding::utf8;
        first.erase(0, 3);
    } else if (starts("\xff\xfe")) {
        encoding_ = Encoding::utf16_le;
        first.erase(0, 2);
    } else if (starts("\xfe\xff")) {
        encoding_ = Encoding::utf16_be;
        first.erase(0, 2);
    } else if (first.size() == 4 && first[0] && !first[1] && first[2] && !first[3]) {
        encoding_ = Encoding::utf16_le; // two ASCII letters without a mark
    } else if (first.size() == 4 && !first[0] && first[1] && !first[2] && first[3]) {
        encoding_ = Encoding::utf16_be;
    }
    if (encoding_ == Encoding::utf16_le || encoding_ == Encoding::utf16_be)
        append_utf16(first);
    else
        buffer_ = std::move(first);
}

void CsvReader::find_separator() {
    std::size_t commas = 0, semicolons = 0, tabs = 0;
    bool quoted = false, content = false, done = false;
    for (std::size_t at = 0; !done;) {
        for (; at < buffer_.size() && !done; ++at) {
            char c = buffer_[at];
            if (c == '"') quoted = !quoted;
            content = content || !line_ends(c);
            if (quoted) continue;
            commas += c == ',';
            semicolons += c == ';';
            tabs += c == '\t';
            done = content && line_ends(c);
        }
        if (done || ended_ || buffer_.size() > longest_record) break;
        fill();
    }
    if (semicolons > commas && semicolons >= tabs)
        separator_ = ';';
    else if (tabs > commas)
        separator_ = '\t';
    // A line by which spreadsheets tell each other.
    if (buffer_.size() >= 6 && buffer_.starts_with("sep=") && line_ends(buffer_[5])) {
        separator_ = buffer_[4];
        at_ = buffer_.compare(5, 2, "\r\n") == 0 ? 7 : 6;
        line_ = 2;
    }
}

void CsvReader::fill() {
    buffer_.erase(0, at_);
    at_ = 0;
    // As much again as is waiting, so that a long record is scanned a few times and not a thousand.
    auto wanted = std::max(chunk, buffer_.size());
    if (encoding_ == Encoding::utf16_le || encoding_ == Encoding::utf16_be) {
        std::string bytes(wanted, '\0');
        bytes.resize(source_(bytes));
        ended_ = bytes.empty();
        append_utf16(bytes);
        return;
    }
    auto before = buffer_.size();
    buffer_.resize(before + wanted);
    auto got = source_(std::span(buffer_).subspan(before));
    buffer_.resize(before + got);
    ended_ = got == 0;
}

// What is no character becomes an octet that no UTF-8 has, so that its record is refused later.
void CsvReader::append_utf16(std::string_view bytes) {
    odd_bytes_ += bytes;
    std::size_t at = 0;
    auto unit = [&](std::size_t i) {
        auto a = (unsigned char)odd_bytes_[i], b = (unsigned char)odd_bytes_[i + 1];
        return char32_t(encoding_ == Encoding::utf16_le ? b << 8 | a : a << 8 | b);
    };
    for (; at + 2 <= odd_bytes_.size(); at += 2) {
        auto c = unit(at);
        if (c < 0xd800 || c > 0xdfff) {
            mail::append_utf8(buffer_, c);
            continue;
        }
        if (c < 0xdc00 && at + 4 > odd_bytes_.size() && !ended_) break;
        bool pair = c < 0xdc00 && at + 4 <= odd_bytes_.size() && unit(at + 2) >= 0xdc00 && unit(at + 2) <= 0xdfff;
        if (pair)
            mail::append_utf8(buffer_, 0x10000 + ((c - 0xd800) << 10) + (unit(at + 2) - 0xdc00)), at += 2;
        else
            buffer_ += '\xff';
    }
    odd_bytes_.erase(0, at);
    if (ended_ && !odd_bytes_.empty()) buffer_ += '\xff', odd_bytes_.clear();
}

// Finds the fields of the record at at_ without touching the text: it may have to be read again from another line.
CsvReader::Scan CsvReader::scan() {
    found_.clear();
    lines_ = 0;
    auto at = at_;
    if (at == buffer_.size()) return ended_ ? Scan::end : Scan::more;
    for (;;) {
        if (found_.size() == most_fields) return Scan::too_many_fields;
        if (at == buffer_.size() && !ended_) return Scan::more;
        if (at < buffer_.size() && buffer_[at] == '"') {
            if (auto result = scan_quoted(at); result != Scan::record) return result;
        } else {
            auto start = at;
            while (at < buffer_.size() && buffer_[at] != separator_ && !line_ends(buffer_[at])) ++at;
            if (at == buffer_.size() && !ended_) return Scan::more;
            found_.push_back({start, at, false});
        }
        if (at < buffer_.size() && buffer_[at] == separator_) {
            ++at;
            continue;
        }
        if (at < buffer_.size()) {
            // A CR at the very end of what has been read may be the first half of a CRLF.
            if (buffer_[at] == '\r' && at + 1 == buffer_.size() && !ended_) return Scan::more;
            at += buffer_.compare(at, 2, "\r\n") == 0 ? 2 : 1;
            ++lines_;
        }
        behind_ = at;
        return Scan::record;
    }
}

CsvReader::Scan CsvReader::scan_quoted(std::size_t& at) {
    auto start = ++at;
    bool escaped = false;
    for (;; ++at) {
        if (at == buffer_.size()) return ended_ ? Scan::unclosed : Scan::more;
        char c = buffer_[at];
        if (c == '\n' || (c == '\r' && buffer_.compare(at, 2, "\r\n") != 0)) ++lines_;
        if (c != '"') continue;
        if (at + 1 == buffer_.size() && !ended_) return Scan::more;
        if (at + 1 == buffer_.size() || buffer_[at + 1] != '"') break;
        escaped = true;
        ++at;
    }
    found_.push_back({start, at, escaped});
    ++at;
    if (at == buffer_.size() || buffer_[at] == separator_ || line_ends(buffer_[at])) return Scan::record;
    return Scan::text_after_quote;
}

std::unexpected<CsvError> CsvReader::give_up_line(std::string_view reason) {
    auto line = line_;
    std::size_t passed = 0;
    for (;;) {
        auto end = buffer_.find_first_of("\r\n", at_);
        if (end != buffer_.npos && (end + 1 < buffer_.size() || buffer_[end] == '\n' || ended_)) {
            at_ = end + (buffer_.compare(end, 2, "\r\n") == 0 ? 2 : 1);
            ++line_;
            break;
        }
        auto rest = end == buffer_.npos ? buffer_.size() : end; // nothing of a line that is too long is kept
        passed += rest - at_;
        at_ = rest;
        if (ended_) break;
        if (passed > longest_line) {
            ended_ = true;
            buffer_.clear();
            at_ = 0;
            return std::unexpected(CsvError{line, "the line does not end within 10 megabytes", true});
        }
        fill();
    }
    return std::unexpected(CsvError{line, std::string(reason)});
}

std::expected<std::optional<CsvRecord>, CsvError> CsvReader::finish() {
    auto line = line_;
    std::string_view record(buffer_.data() + at_, behind_ - at_);
    line_ += lines_;
    at_ = behind_;
    if (record.size() > longest_record) return std::unexpected(CsvError{line, "the record is longer than a megabyte"});
    if (record.find('\0') != record.npos) return std::unexpected(CsvError{line, "the line contains a NUL character"});

    bool ascii = mail::is_ascii(record);
    bool utf8 = ascii || (encoding_ != Encoding::windows_1252 && mail::is_utf8(record));
    // The first octets beyond ASCII show which of the two it is, for the whole file.
    if (!ascii && encoding_ == Encoding::utf8_or_1252) encoding_ = utf8 ? Encoding::utf8 : Encoding::windows_1252;
    if (!utf8 && encoding_ != Encoding::windows_1252)
        return std::unexpected(CsvError{line, "the line is not valid text in the file's encoding"});

    fields_.clear();
    for (auto& field : found_) {
        if (field.escaped) {
            auto to = field.begin;
            for (auto from = field.begin; from < field.end; ++from) {
                buffer_[to++] = buffer_[from];
                if (buffer_[from] == '"') ++from;
            }
            field.end = to;
        }
        fields_.emplace_back(buffer_.data() + field.begin, field.end - field.begin);
    }
    if (!utf8 && !decode_fields()) return std::unexpected(CsvError{line, "the record is longer than a megabyte"});
    return CsvRecord{line, fields_};
}

bool CsvReader::decode_fields() {
    std::vector<std::size_t> ends;
    decoded_.clear();
    for (auto field : fields_) {
        append_1252(decoded_, field);
        ends.push_back(decoded_.size());
    }
    std::size_t start = 0;
    for (std::size_t i = 0; i < fields_.size(); ++i) {
        fields_[i] = std::string_view(decoded_).substr(start, ends[i] - start);
        start = ends[i];
    }
    return decoded_.size() <= longest_record;
}

std::string guarded(std::string_view field) {
    std::string text(is_dangerous(field) ? "'" : "");
    return text.append(field);
}

std::string_view unguarded(std::string_view field) {
    return field.starts_with('\'') && is_dangerous(field) ? field.substr(1) : field;
}

void append_csv(std::string& to, std::span<const std::string_view> fields) {
    for (std::size_t i = 0; i < fields.size(); ++i) {
        if (i > 0) to += ',';
        auto field = fields[i];
        // A lone empty field would be an empty line, which readers skip.
        bool plain = field.find_first_of(",;\t\"\r\n") == field.npos && !(fields.size() == 1 && field.empty());
        if (plain) {
            to += field;
            continue;
        }
        to += '"';
        for (char c : field) {
            if (c == '"') to += '"';
            to += c;
        }
        to += '"';
    }
    to += "\r\n";
}

}
