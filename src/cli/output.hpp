#pragma once

#include "cli/run.hpp"
#include "system/time.hpp"

#include <boost/json/fwd.hpp>

#include <chrono>
#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// How commands speak: tables for people, JSON for programs, a bar for the impatient.

namespace postrider::cli {

// Aligned columns; the widths count what a terminal shows. Headings are bold where there is colour.
class Table {
public:
    explicit Table(std::vector<std::string> headings) : headings_(std::move(headings)) {}
    void row(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
    [[nodiscard]] bool empty() const { return rows_.empty(); }
    void print(std::ostream& out, const Terminal& terminal) const;

private:
    std::vector<std::string> headings_;
    std::vector<std::vector<std::string>> rows_;
};

// Columns on a terminal that the text takes.
[[nodiscard]] std::size_t width_of(std::string_view text);
// At most so many columns, with … where something was cut.
[[nodiscard]] std::string shortened(std::string_view text, std::size_t columns);

// Lines of at most so many columns, broken between words; the second and later ones are indented. A word that is longer
// stays whole.
[[nodiscard]] std::string wrapped(std::string_view text, std::size_t columns);
// Of the terminal behind this file descriptor; 80 where it does not say.
[[nodiscard]] std::size_t columns_of(int file);

// "2026-11-24 07:54 UTC"; "-" for none.
[[nodiscard]] std::string shown(std::optional<Time> time);
[[nodiscard]] boost::json::value json_time(std::optional<Time> time); // RFC 3339 or null
[[nodiscard]] boost::json::value json_text(std::string_view text);    // null where it is empty
[[nodiscard]] std::string counted(std::int64_t number, std::string_view one, std::string_view several = "");

// One line.
void print_json(std::ostream& out, const boost::json::value& value);

enum class Colour { red, green, yellow };
[[nodiscard]] std::string painted(std::string_view text, Colour colour, bool wanted);

// A bar on standard error: only on a terminal, and only for work that takes longer than a second. Cleared at the end.
class Progress {
public:
    Progress(std::ostream& err, const Terminal& terminal, std::string what);
    ~Progress();
    void at(std::uint64_t done, std::uint64_t total);

private:
    std::ostream& err_;
    const bool wanted_;
    const std::string what_;
    const std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
    std::chrono::steady_clock::time_point shown_{};
    bool visible_ = false;
};

}
