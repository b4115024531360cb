#include "cli/output.hpp"

#include "mail/utf8.hpp"

#include <boost/json.hpp>
#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <ostream>
#include <sys/ioctl.h>

namespace postrider::cli {
namespace {

// Combining marks take no column, East Asian wide characters and emoji two (Unicode Standard Annex 11, its wide blocks).
std::size_t width_of(char32_t c) {
    if (c < 0x300) return 1;
    if (c <= 0x36f || (c >= 0x200b && c <= 0x200f) || (c >= 0xfe00 && c <= 0xfe0f)) return 0;
    bool wide = (c >= 0x1100 && c <= 0x115f) || (c >= 0x2e80 && c <= 0xa4cf) || (c >= 0xac00 && c <= 0xd7a3) ||
                (c >= 0xf900 && c <= 0xfaff) || (c >= 0xfe30 && c <= 0xfe6f) || (c >= 0xff00 && c <= 0xff60) ||
                (c >= 0xffe0 && c <= 0xffe6) || (c >= 0x1f300 && c <= 0x1faff) || (c >= 0x20000 && c <= 0x3fffd);
    return wide ? 2 : 1;
}

}

std::size_t width_of(std::string_view text) {
    std::size_t width = 0;
    for (std::size_t at = 0; at < text.size();) width += width_of(mail::next_code_point(text, at));
    return width;
}

std::string shortened(std::string_view text, std::size_t columns) {
    if (width_of(text) <= columns) return std::string(text);
    std::size_t width = 0, end = 0;
    for (std::size_t at = 0; at < text.size(); end = at) {
        width += width_of(mail::next_code_point(text, at));
        if (width >= columns) break;
    }
    return std::string(text.substr(0, end)) + "…";
}

std::string wrapped(std::string_view text, std::size_t columns) {
    constexpr std::string_view indent = "    ";
    auto begin = std::min(text.find_first_not_of(' '), text.size());
    std::string lines(text.substr(0, begin));
    std::size_t taken = begin;
    bool first = true;
    for (auto at = begin; at < text.size(); first = false) {
        auto end = std::min(text.find(' ', at), text.size());
        auto word = text.substr(at, end - at);
        auto width = width_of(word);
        if (!first && taken + 1 + width > columns) {
            lines.append("\n").append(indent);
            taken = indent.size();
        } else if (!first) {
            lines += ' ';
            ++taken;
        }
        lines += word;
        taken += width;
        at = std::min(text.find_first_not_of(' ', end), text.size());
    }
    return lines;
}

std::size_t columns_of(int file) {
    winsize size{};
    bool known = ::ioctl(file, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
    return known ? size.ws_col : 80;
}

void Table::print(std::ostream& out, const Terminal& terminal) const {
    std::vector<std::size_t> widths;
    for (auto& heading : headings_) widths.push_back(width_of(heading));
    for (auto& row : rows_)
        for (std::size_t i = 0; i < row.size() && i < widths.size(); ++i)
            widths[i] = std::max(widths[i], width_of(row[i]));
    auto line = [&](const std::vector<std::string>& cells) {
        std::string text;
        for (std::size_t i = 0; i < cells.size(); ++i) {
            text += cells[i];
            if (i + 1 < cells.size()) text.append(widths[i] - width_of(cells[i]) + 2, ' ');
        }
        while (text.ends_with(' ')) text.pop_back();
        return text;
    };
    auto heading = line(headings_);
    out << (terminal.colour ? "\x1b[1m" + heading + "\x1b[0m" : heading) << '\n';
    for (auto& row : rows_) out << line(row) << '\n';
}

std::string shown(std::optional<Time> time) {
    if (!time) return "-";
    return fmt::format("{:%Y-%m-%d %H:%M} UTC", fmt::gmtime(std::chrono::system_clock::to_time_t(*time)));
}

boost::json::value json_time(std::optional<Time> time) {
    if (!time) return nullptr;
    return boost::json::string(rfc3339(*time));
}

boost::json::value json_text(std::string_view text) {
    if (text.empty()) return nullptr;
    return boost::json::string(text);
}

std::string counted(std::int64_t number, std::string_view one, std::string_view several) {
    if (number == 1) return fmt::format("1 {}", one);
    return several.empty() ? fmt::format("{} {}s", number, one) : fmt::format("{} {}", number, several);
}

void print_json(std::ostream& out, const boost::json::value& value) { out << boost::json::serialize(value) << '\n'; }

std::string painted(std::string_view text, Colour colour, bool wanted) {
    if (!wanted) return std::string(text);
    constexpr int codes[] = {31, 32, 33};
    return fmt::format("\x1b[{}m{}\x1b[0m", codes[int(colour)], text);
}

Progress::Progress(std::ostream& err, const Terminal& terminal, std::string what)
    : err_(err), wanted_(terminal.err), what_(std::move(what)) {}

Progress::~Progress() {
    if (visible_) err_ << "\r\x1b[K" << std::flush;
}

void Progress::at(std::uint64_t done, std::uint64_t total) {
    auto now = std::chrono::steady_clock::now();
    if (!wanted_ || now - began_ < std::chrono::seconds(1) || now - shown_ < std::chrono::milliseconds(100)) return;
    shown_ = now;
    visible_ = true;
    constexpr std::size_t cells = 30;
    auto part = total == 0 ? 0 : std::size_t(std::min(done, total) * cells / total);
    err_ << fmt::format("\r{} [{}{}] {}%\x1b[K", what_, std::string(part, '='), std::string(cells - part, ' '),
                        total == 0 ? 0 : std::min(done, total) * 100 / total)
         << std::flush;
}

}
