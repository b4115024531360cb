#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <variant>

// One line an event, to standard error: for a person on a terminal, as JSON with format json. The event is a short
// sentence in the words of interface.md; what varies is in the fields. Never a full token, never a password; an address
// only at level debug.
//
//   log::info("issue sent", {{"issue", 12}, {"accepted", 1034}});
//
// Safe from any thread; a line is one write.

namespace postrider::log {

enum class Level { debug, info, warn, error };
enum class Format { text, json };

struct Field {
    std::string_view name;
    std::variant<std::int64_t, double, std::string> value;

    Field(std::string_view n, std::string_view v) : name(n), value(std::string(v)) {}
    Field(std::string_view n, const char* v) : name(n), value(std::string(v)) {}
    Field(std::string_view n, const std::string& v) : name(n), value(v) {}
    Field(std::string_view n, double v) : name(n), value(v) {}
    template <class Integer>
        requires std::is_integral_v<Integer>
    Field(std::string_view n, Integer v) : name(n), value(std::int64_t(v)) {}
};
using Fields = std::initializer_list<Field>;

// Before the first line; the default is text at info.
void configure(Level, Format);

void debug(std::string_view event, Fields = {});
void info(std::string_view event, Fields = {});
void warn(std::string_view event, Fields = {});
void error(std::string_view event, Fields = {});

}
