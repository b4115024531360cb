#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

// Comma-separated values as people's spreadsheets write them, a record at a time.
//
// In:     bytes from a source. UTF-8 with or without BOM, UTF-16 of either order, or Windows-1252; separators , ; or
//         tab, found out from the first line (or said by a first line "sep=;"); lines that end in LF, CRLF or CR;
//         quotes as in RFC 4180. A quote inside a field that does not begin with one is an ordinary character.
// Out:    records of fields in UTF-8, with the number of the line they begin on; or what is wrong with one line.
// Always: pure but for calls of the source. After an error reading goes on with the line behind the one it names, so
//         that one broken quote costs one line. Memory stays within a few megabytes whatever comes in. Empty lines
//         are skipped. A line without an end within 10 MB ends the reading.

namespace postrider::subscribers {

struct CsvError {
    std::int64_t line;
    std::string reason; // "a quote that opens here is never closed"
    bool last = false;  // it goes on without end: nothing behind this line is read
};

struct CsvRecord {
    std::int64_t line;                        // counted from 1
    std::span<const std::string_view> fields; // valid until the next call
};

class CsvReader {
public:
    static constexpr std::size_t longest_record = 1 << 20; // octets
    static constexpr std::size_t longest_line = 10 << 20;  // octets that are looked through for the end of a line

    // Fills the span from its start and gives the number of bytes; 0 only at the end.
    using Source = std::function<std::size_t(std::span<char>)>;
    explicit CsvReader(Source source) : source_(std::move(source)) {}

    // Nothing at the end.
    [[nodiscard]] std::expected<std::optional<CsvRecord>, CsvError> next();

    [[nodiscard]] char separator() const { return separator_; }

private:
    enum class Encoding { utf8, utf16_le, utf16_be, utf8_or_1252, windows_1252 };
    enum class Scan { record, end, more, unclosed, text_after_quote, too_many_fields };
    struct Field {
        std::size_t begin, end;
        bool escaped; // holds doubled quotes
    };

    void begin();
    void find_encoding();
    void find_separator();
    void fill();
    void append_utf16(std::string_view bytes);
    Scan scan();
    Scan scan_quoted(std::size_t& at);
    std::unexpected<CsvError> give_up_line(std::string_view reason);
    std::expected<std::optional<CsvRecord>, CsvError> finish();
    bool decode_fields();

    Source source_;
    Encoding encoding_ = Encoding::utf8_or_1252;
    char separator_ = ',';
    bool begun_ = false, ended_ = false;
    std::string buffer_;     // decoded unless it is an 8-bit encoding; consumed up to at_
    std::size_t at_ = 0;     // where the current record begins
    std::size_t behind_ = 0; // where the next one does, after a complete scan
    std::int64_t line_ = 1;  // of at_
    std::int64_t lines_ = 0; // that the scanned record takes
    std::string odd_bytes_;  // of UTF-16, waiting for the rest of a character
    std::vector<Field> found_;
    std::vector<std::string_view> fields_;
    std::string decoded_;
};

// One record as RFC 4180 has it, with "," and CRLF; quoted only where needed. CsvReader gives the same fields back.
void append_csv(std::string& to, std::span<const std::string_view> fields);

// A spreadsheet takes a field that begins with = + - @ tab or CR for a formula and runs it. With a ' before it, it is
// text; unguarded() takes that ' off again. Every text survives the way there and back.
[[nodiscard]] std::string guarded(std::string_view field);
[[nodiscard]] std::string_view unguarded(std::string_view field);

}
