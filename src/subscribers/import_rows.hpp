#pragma once

#include "subscribers/attributes.hpp"
#include "subscribers/csv.hpp"
#include "subscribers/import.hpp"
#include "subscribers/import_columns.hpp"

#include <array>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// The reading half of an import: a CSV file becomes rows that are fit to be stored, or rejections with their lines.
//
// Always: a row's address was parsed, its name cleaned, its language and time zone found good, its texts are valid
//         UTF-8.

namespace postrider::subscribers {

// Rows are written in the order of their keys, a window at a time: each page of the indexes by address is then
// changed once a window and not once a row. The next window is read between two transactions, which is when other
// writers get their turn.
inline constexpr std::size_t window_rows = 128 * 1024;
inline constexpr std::size_t window_bytes = 16 << 20;

// A reader as the file gives it, packed: its texts stand one behind the other in a block of the window.
class Row {
public:
    enum Part { key, address, name, language, timezone, attributes, topics, parts };

    std::int64_t line;
    Before before;

    Row(std::int64_t l, Before b, const char* text, const std::array<std::uint32_t, parts>& ends)
        : line(l), before(b), text_(text), ends_(ends) {}
    std::string_view operator[](Part part) const {
        // Nearly every address is its own key.
        if (part == address && ends_[address] == ends_[key]) part = key;
        auto start = part == 0 ? 0 : ends_[part - 1];
        return {text_ + start, ends_[part] - start};
    }
    // In the order of keys; of two lines with one address the first counts.
    bool operator<(const Row& other) const {
        auto order = (*this)[key] <=> other[key];
        return order != 0 ? order < 0 : line < other.line;
    }

private:
    const char* text_;
    std::array<std::uint32_t, parts> ends_;
};

class Window {
public:
    std::vector<Row> rows;

    bool full() const { return rows.size() >= window_rows || bytes_ >= window_bytes; }
    void add(std::int64_t line, Before, const std::array<std::string_view, Row::parts>& texts);
    void clear() {
        rows.clear();
        blocks_.clear();
        bytes_ = 0;
    }

private:
    std::vector<std::unique_ptr<char[]>> blocks_;
    std::size_t used_ = 0, room_ = 0, bytes_ = 0;
};

// The file, line by line.
class Rows {
public:
    // The report gets the rows and rejections; all must outlive this.
    Rows(const std::filesystem::path& file, const ImportOptions& options, const ImportHooks& hooks,
         ImportReport& report);
    Rows(const Rows&) = delete; // the CSV reader reads through it
    Rows& operator=(const Rows&) = delete;

    // Nothing, or what is wrong with the file as a whole.
    std::optional<std::string> read_header();
    // Appends up to `count` rows; fewer when the window is full or the file has ended.
    void read(Window&, std::size_t count);
    bool ended() const { return ended_; }
    const std::optional<std::string>& fault() const { return fault_; } // why the file was not read to its end
    std::uintmax_t bytes_read() const { return bytes_; }

private:
    using Fields = std::span<const std::string_view>;
    void reject(std::int64_t line, std::string reason, Fields fields);
    std::optional<std::string> add(const CsvRecord&, Window&); // what is wrong with the row, or nothing
    // What is wrong with the field, or nothing.
    std::optional<std::string> take(const Column&, std::string_view field);
    std::optional<std::string> take_topics(const Column&, std::string_view field);
    const std::string& fault_of_zone(std::string_view name);

    std::string name_;
    const ImportOptions& options_;
    const ImportHooks& hooks_;
    ImportReport& report_;
    std::ifstream stream_;
    std::uintmax_t bytes_ = 0;
    bool ended_ = false;
    std::optional<std::string> fault_;
    CsvReader csv_;
    std::vector<Column> columns_;
    // Of the row that is being read.
    struct Reader {
        std::string_view email, name, first_name, last_name, language, timezone;
        Before before = Before::subscribed;
        std::vector<std::pair<std::string_view, std::string_view>> attributes;
        Attributes more;    // out of a column that holds an object of them
        std::string topics; // as stored
    } reader_;
    std::map<std::string, std::string, std::less<>> zones_; // what is wrong with each name seen; "" where nothing is
};

}
