#include "cli/parse.hpp"

#include "system/nearest.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace postrider::cli {
namespace {

std::string name_of(const Command& command) {
    return command.verb.empty() ? std::string(command.noun) : fmt::format("{} {}", command.noun, command.verb);
}

std::vector<std::string> nouns_of(const Commands& commands) {
    std::vector<std::string> nouns;
    for (auto& command : commands)
        if (std::ranges::find(nouns, command.noun) == nouns.end()) nouns.emplace_back(command.noun);
    return nouns;
}

std::vector<std::string> verbs_of(const Commands& commands, std::string_view noun) {
    std::vector<std::string> verbs;
    for (auto& command : commands)
        if (command.noun == noun) verbs.emplace_back(command.verb);
    return verbs;
}

std::string joined(const std::vector<std::string>& words) { return fmt::format("{}", fmt::join(words, ", ")); }

bool is_option(std::string_view word) { return word.size() > 1 && word.front() == '-'; }

class Reading {
public:
    Reading(std::span<const std::string> words, const Commands& commands) : words_(words), commands_(commands) {}

    Parsed read() {
        read_front();
        if (!parsed_.text.empty()) return std::move(parsed_);
        find_command();
        if (!parsed_.command) return std::move(parsed_);
        while (at_ < words_.size()) take(words_[at_++]);
        if (parsed_.options.contains("--help")) {
            parsed_.text = help_of(*parsed_.command);
            parsed_.command = nullptr;
            return std::move(parsed_);
        }
        check_arguments();
        check_options();
        return std::move(parsed_);
    }

private:
    // What stands before the noun.
    void read_front() {
        for (; at_ < words_.size() && is_option(words_[at_]); ++at_) {
            auto& word = words_[at_];
            if (word == "--version")
                parsed_.text = "postrider " POSTRIDER_VERSION "\n";
            else if (word == "--help" || word == "-h")
                parsed_.text = help_of_program(commands_);
            else if (word.starts_with("-C"))
                take_folder(word);
            else
                throw WrongUsage(
                    fmt::format("unknown option {} before the command{}; only -C DIR, --help and --version "
                                "stand there",
                                word, did_you_mean(word, std::vector<std::string>{"--help", "--version"})));
            if (!parsed_.text.empty()) return;
        }
        if (at_ < words_.size() && words_[at_] == "help") {
            auto nouns = nouns_of(commands_);
            bool about = at_ + 1 < words_.size() && std::ranges::count(nouns, words_[at_ + 1]);
            parsed_.text = about ? help_of_noun(commands_, words_[at_ + 1]) : help_of_program(commands_);
        }
    }

    // "-C DIR" or "-CDIR"
    void take_folder(const std::string& word) {
        if (parsed_.folder) throw WrongUsage("-C is given twice");
        if (word.size() > 2)
            parsed_.folder = word.substr(2);
        else if (++at_ < words_.size() && !words_[at_].empty())
            parsed_.folder = words_[at_];
        else
            throw WrongUsage("-C needs the folder of a site");
    }

    void find_command() {
        auto nouns = nouns_of(commands_);
        if (at_ == words_.size()) throw WrongUsage("a command is missing; `postrider --help` lists them");
        noun_ = words_[at_++];
        if (!std::ranges::count(nouns, noun_))
            throw WrongUsage(fmt::format("unknown command \"{}\"{}; `postrider --help` lists them", noun_,
                                         did_you_mean(noun_, nouns)));
        auto verbs = verbs_of(commands_, noun_);
        std::string verb;
        if (!verbs.front().empty()) {
            if (at_ == words_.size()) throw WrongUsage(fmt::format("{} what? One of: {}", noun_, joined(verbs)));
            verb = words_[at_++];
            if (verb == "--help" || verb == "-h" || verb == "help") {
                parsed_.text = help_of_noun(commands_, noun_);
                return;
            }
        }
        auto found = std::ranges::find_if(commands_, [&](auto& c) { return c.noun == noun_ && c.verb == verb; });
        if (found == commands_.end())
            throw WrongUsage(
                fmt::format("{} has no \"{}\"{}; it knows: {}", noun_, verb, did_you_mean(verb, verbs), joined(verbs)));
        parsed_.command = &*found;
    }

    void take(const std::string& word) {
        if (only_arguments_ || !is_option(word)) {
            parsed_.arguments.push_back(word);
        } else if (word == "--") {
            only_arguments_ = true;
        } else if (word == "-h") {
            parsed_.options["--help"];
        } else if (word == "-C") {
            throw WrongUsage("-C DIR stands before the command: postrider -C DIR " + name_of(*parsed_.command));
        } else
            take_option(word);
    }

    void take_option(const std::string& word) {
        auto equals = word.find('=');
        auto name = word.substr(0, equals);
        auto* option = find_option(name);
        if (!option) {
            std::vector<std::string> known{"--help"};
            for (auto& one : parsed_.command->options) known.emplace_back(one.name);
            throw WrongUsage(fmt::format("{} has no option {}{}; `postrider {} --help` shows what it takes",
                                         name_of(*parsed_.command), name, did_you_mean(name, known),
                                         name_of(*parsed_.command)));
        }
        auto& values = parsed_.options[name];
        if (!values.empty() && option->times != Times::any) throw WrongUsage(fmt::format("{} is given twice", name));
        if (option->value.empty()) {
            if (equals != word.npos) throw WrongUsage(fmt::format("{} takes no value", name));
            values.emplace_back();
            return;
        }
        values.push_back(equals == word.npos ? value_of(*option) : word.substr(equals + 1));
    }

    // The next word. One that looks like an option is taken for one, and the value for forgotten.
    std::string value_of(const Option& option) {
        if (at_ == words_.size())
            throw WrongUsage(fmt::format("{0} wants a value: {0} {1}", option.name, option.value));
        if (words_[at_].starts_with("--"))
            throw WrongUsage(fmt::format("{0} wants a value, and \"{1}\" looks like an option; if it is meant, write "
                                         "{0}={1}",
                                         option.name, words_[at_]));
        return words_[at_++];
    }

    const Option* find_option(std::string_view name) const {
        for (auto* option : {&help_option, &yes_option})
            if (option->name == name) return option;
        for (auto& option : parsed_.command->options)
            if (option.name == name) return &option;
        return nullptr;
    }

    void check_arguments() const {
        auto& command = *parsed_.command;
        std::size_t most = 0, given = parsed_.arguments.size();
        for (std::size_t i = 0; i < command.arguments.size(); ++i) {
            auto& argument = command.arguments[i];
            bool needed = argument.times == Times::once || argument.times == Times::many;
            if (needed && given <= i)
                throw WrongUsage(
                    fmt::format("{} needs {}: postrider {}", name_of(command), argument.name, usage_of(command)));
            bool several = argument.times == Times::many || argument.times == Times::any;
            most = several ? std::size_t(-1) : most + 1;
        }
        if (given > most)
            throw WrongUsage(fmt::format("\"{}\" is too much: postrider {} (quote what has spaces)",
                                         parsed_.arguments[most], usage_of(command)));
    }

    void check_options() const {
        for (auto& option : parsed_.command->options)
            if (option.times == Times::once && !parsed_.options.contains(option.name))
                throw WrongUsage(fmt::format("{} needs {} {} ({})", name_of(*parsed_.command), option.name,
                                             option.value, option.help));
    }

    std::span<const std::string> words_;
    const Commands& commands_;
    std::size_t at_ = 0;
    std::string noun_;
    bool only_arguments_ = false;
    Parsed parsed_;
};

void append_row(std::string& text, std::string_view left, std::string_view right, std::size_t width) {
    text += fmt::format("  {:<{}}  {}\n", left, width, right);
}

std::string shown(const Argument& argument) {
    switch (argument.times) {
    case Times::once: return std::string(argument.name);
    case Times::maybe: return fmt::format("[{}]", argument.name);
    case Times::many: return fmt::format("{}...", argument.name);
    case Times::any: return fmt::format("[{}...]", argument.name);
    }
    return {};
}

std::string shown(const Option& option) {
    return option.value.empty() ? std::string(option.name) : fmt::format("{} {}", option.name, option.value);
}

}

std::string did_you_mean(std::string_view word, std::span<const std::string> known) {
    auto near = system::nearest(word, known);
    return near ? fmt::format("; did you mean \"{}\"?", *near) : "";
}

Parsed parse(std::span<const std::string> words, const Commands& commands) { return Reading(words, commands).read(); }

std::string usage_of(const Command& command) {
    auto text = name_of(command);
    for (auto& argument : command.arguments) text += " " + shown(argument);
    for (auto& option : command.options) {
        if (option.times == Times::once) text += " " + shown(option);
        if (option.times != Times::once) text += fmt::format(" [{}]", shown(option));
    }
    return text;
}

std::string help_of(const Command& command) {
    auto text = fmt::format("{}\n\nUsage: postrider [-C DIR] {}\n", command.summary, usage_of(command));
    std::size_t width = 6;
    for (auto& argument : command.arguments) width = std::max(width, argument.name.size());
    for (auto& option : command.options) width = std::max(width, shown(option).size());
    text += "\n";
    for (auto& argument : command.arguments) append_row(text, argument.name, argument.help, width);
    for (auto& option : command.options) append_row(text, shown(option), option.help, width);
    append_row(text, help_option.name, help_option.help, width);
    text += fmt::format("\nExample:\n  postrider {}\n", command.example);
    return text;
}

std::string help_of_noun(const Commands& commands, std::string_view noun) {
    std::string text;
    std::size_t width = 0;
    for (auto& command : commands)
        if (command.noun == noun) width = std::max(width, name_of(command).size());
    for (auto& command : commands) {
        if (command.noun != noun) continue;
        if (command.verb.empty()) return help_of(command);
        append_row(text, name_of(command), command.summary, width);
    }
    auto first = std::ranges::find(commands, noun, &Command::noun);
    return fmt::format("Usage: postrider [-C DIR] {} VERB\n\n{}\nExample:\n  postrider {}\n", noun, text,
                       first->example);
}

std::string help_of_program(const Commands& commands) {
    std::string text = "Postrider reads feeds, makes digests of them and mails them to the readers of a list.\n\n"
                       "Usage: postrider [-C DIR] NOUN VERB\n\n";
    for (auto& noun : nouns_of(commands)) {
        auto verbs = verbs_of(commands, noun);
        auto first = std::ranges::find(commands, noun, &Command::noun);
        append_row(text, noun, verbs.front().empty() ? std::string(first->summary) : joined(verbs), 11);
    }
    text +=
        "\nThe site is the folder given with -C, else $POSTRIDER_SITE, else this folder if it holds a postrider.toml, "
        "else\n/etc/postrider. `postrider NOUN VERB --help` shows what a command takes.\n\n"
        "Example:\n  postrider -C courier init\n";
    return text;
}

}
