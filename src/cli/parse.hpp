#pragma once

#include "cli/command.hpp"

#include <map>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

// The words of a command line, held against the table of commands.
//
// In:     arguments without the program's name. Options stand anywhere behind the noun, as --name VALUE or --name=VALUE
//         (a value that begins with -- only so), once unless the command takes several; behind -- nothing is an option; -C DIR stands before the noun.
// Out:    the command with its arguments, or a text of help; or WrongUsage, with the nearest known word.

namespace postrider::cli {

struct WrongUsage : std::runtime_error { // status 2
    using std::runtime_error::runtime_error;
};
struct Failure : std::runtime_error { // status 1
    using std::runtime_error::runtime_error;
};

struct Parsed {
    std::optional<std::string> folder; // of -C
    const Command* command = nullptr;  // none: `text` is the whole answer
    std::string text;
    std::vector<std::string> arguments;
    std::map<std::string, std::vector<std::string>, std::less<>> options; // by name; of a switch empty strings
};

[[nodiscard]] Parsed parse(std::span<const std::string> words, const Commands&);

[[nodiscard]] std::string help_of_program(const Commands&);
[[nodiscard]] std::string help_of_noun(const Commands&, std::string_view noun);
[[nodiscard]] std::string help_of(const Command&);
[[nodiscard]] std::string usage_of(const Command&); // "subscriber add ADDRESS --list SLUG [--name NAME]"

// `; did you mean "list"?`, or nothing.
[[nodiscard]] std::string did_you_mean(std::string_view word, std::span<const std::string> known);

}
