#include "system/log.hpp"

#include "system/time.hpp"

#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>
#include <boost/json/value.hpp>
#include <fmt/format.h>

#include <atomic>
#include <unistd.h>

namespace postrider::log {
namespace {

std::atomic<Level> least = Level::info;
std::atomic<Format> format = Format::text;

constexpr std::string_view names[] = {"debug", "info", "warn", "error"};
constexpr std::string_view colours[] = {"\033[2m", "", "\033[33m", "\033[31m"};

std::string in_quotes(std::string_view text) { return boost::json::serialize(boost::json::value(text)); }

// Plain words stay bare; anything a script or a terminal could stumble over is quoted as JSON does it.
std::string shown(const Field& field, bool json) {
    if (auto* integer = std::get_if<std::int64_t>(&field.value)) return fmt::format("{}", *integer);
    if (auto* real = std::get_if<double>(&field.value)) return fmt::format("{:.3f}", *real);
    auto& text = std::get<std::string>(field.value);
    bool plain = !json && !text.empty();
    for (unsigned char c : text) plain = plain && c > ' ' && c != '"' && c != '\\' && c != '=' && c != 127;
    return plain ? text : in_quotes(text);
}

void write(Level level, std::string_view event, Fields fields) {
    if (level < least.load(std::memory_order_relaxed)) return;
    auto now = std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
    std::string line;
    if (format.load(std::memory_order_relaxed) == Format::json) {
        line =
            fmt::format(R"({{"time":"{}","level":"{}","event":{})", rfc3339(now), names[int(level)], in_quotes(event));
        for (auto& field : fields) line += fmt::format(",\"{}\":{}", field.name, shown(field, true));
        line += "}\n";
    } else {
        static const bool terminal = isatty(STDERR_FILENO) && !getenv("NO_COLOR");
        auto colour = terminal ? colours[int(level)] : std::string_view();
        line = fmt::format("{}{} {:5} {}", colour, rfc3339(now), names[int(level)], event);
        for (auto& field : fields) line += fmt::format("  {}={}", field.name, shown(field, false));
        line += colour.empty() ? "\n" : "\033[0m\n";
    }
    // A log that cannot be written has nobody left to be told; the program goes on.
    [[maybe_unused]] auto written = ::write(STDERR_FILENO, line.data(), line.size());
}

}

void configure(Level level, Format wanted) {
    least = level;
    format = wanted;
}

void debug(std::string_view event, Fields fields) { write(Level::debug, event, fields); }
void info(std::string_view event, Fields fields) { write(Level::info, event, fields); }
void warn(std::string_view event, Fields fields) { write(Level::warn, event, fields); }
void error(std::string_view event, Fields fields) { write(Level::error, event, fields); }

}
