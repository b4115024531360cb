#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

// The table of commands: what each is called, what it takes, and what it does. Parsing, --help and the suggestions for
// mistyped words are made from it; one file per noun fills it.

namespace postrider::cli {

class Call;

enum class Times { once, maybe, many, any }; // exactly one, at most one, at least one, any number

struct Argument {
    std::string_view name; // "SLUG"
    std::string_view help;
    Times times = Times::once;
};

struct Option {
    std::string_view name;  // "--list"
    std::string_view value; // "SLUG"; empty: a switch
    std::string_view help;
    Times times = Times::maybe; // once: must be given; any: may be given several times
};

struct Command {
    std::string_view noun;
    std::string_view verb; // empty: the noun is the whole command
    std::string_view summary;
    std::string_view example; // what follows "postrider "
    std::vector<Argument> arguments;
    std::vector<Option> options;
    std::function<int(Call&)> run; // the exit status
};

using Commands = std::vector<Command>;

void add_init(Commands&);
void add_serve(Commands&);
void add_status(Commands&);
void add_doctor(Commands&);
void add_list(Commands&);
void add_feed(Commands&);
void add_story(Commands&);
void add_issue(Commands&);
void add_schedule(Commands&);
void add_subscriber(Commands&);
void add_consent(Commands&);
void add_suppression(Commands&);
void add_template(Commands&);
void add_relay(Commands&);
void add_dkim(Commands&);
void add_key(Commands&);
void add_backup(Commands&);

[[nodiscard]] const Commands& commands(); // all of them, in the order of --help

// Switches that every command knows.
inline constexpr Option json_option{"--json", "", "print data for programs: one object or array, times in UTC"};
inline constexpr Option yes_option{"--yes", "", "answer yes to every question"};
inline constexpr Option help_option{"--help", "", "show this"};

}
