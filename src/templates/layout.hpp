#pragma once

#include "templates/program.hpp"

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <vector>

// A template laid out for rendering: runs of plain steps, and a skeleton of what is left, which the mustache library
// walks.
//
// The library takes 136 bytes for every blank, has its own idea of lines and no idea of places, so it never sees a
// text. Its template is this skeleton only, written with numbers for names:
//   {{r7}}            do the steps of run 7: write literals and values, leave slots for the reader
//   {{#s3}} {{/s3}}   a section over path 3; {{#n3}} {{/n3}} an inverted one
//   {{>p2}}           expansion 2: a partial that includes itself and so cannot be put in place beforehand
// All other partials are in place, each line with its indentation, as the specification asks.

namespace postrider::templates {

struct Step {
    enum class Kind : std::uint8_t { literal, escaped, raw, slot_escaped, slot_raw, begin_if, begin_unless, end };
    Kind kind;
    std::uint32_t index = 0; // into literals, paths or slots
};

struct Run {
    std::uint32_t first, last; // half open, into steps
};

using Path = std::vector<std::string>; // empty: the implicit iterator

class Layout {
public:
    // Readers may be null: then nothing is left open. The template and the names must outlive the layout.
    // Throws TemplateError where sections nest too deep or the whole grows too large.
    Layout(const Template&, const ReaderNames* readers);

    [[nodiscard]] const std::string& skeleton() const { return skeleton_; }
    // Lays an expansion out on first use. Throws TemplateError when it is more than 64 deep.
    const std::string& skeleton_of(std::uint32_t expansion);

    [[nodiscard]] const std::vector<Step>& steps() const { return steps_; }
    [[nodiscard]] const std::vector<Run>& runs() const { return runs_; }
    [[nodiscard]] const std::vector<std::string_view>& literals() const { return literals_; }
    [[nodiscard]] const std::vector<Path>& paths() const { return paths_; }
    [[nodiscard]] const std::vector<std::string>& slots() const { return slots_; }
    [[nodiscard]] bool has_expansions() const { return !expansions_.empty(); }
    [[nodiscard]] bool has_readers() const { return readers_ != nullptr; }
    // A slot that the data asks for; made at its first mention.
    std::uint32_t slot_named(std::string_view name);
    [[nodiscard]] const Template::Part& root() const { return parts_.front(); }

private:
    static constexpr std::int64_t no_slot = -1;

    struct Place { // where in the nest of sections and partials a part is laid out
        std::string indent;
        int sections = 0;
        int partials = 0;
        int recursion = 0;
        std::int64_t dot = no_slot; // the slot that {{.}} stands for
    };
    struct Expansion {
        const Template::Part* user;
        const Token* token;
        Place place;
        bool laid_out = false;
        std::string skeleton;
    };
    struct Section {
        std::string skeleton_end; // empty: a condition on a slot
        std::int64_t outer_dot;
    };

    void part(const Template::Part&, Place);
    void indented(std::string_view text, const std::string& indent, bool& line_begins);
    void literal(std::string_view text); // must live as long as the template
    void copied_literal(std::string text);
    void variable(const Token&, const Place&);
    void section(const Template::Part&, const Token&, Place&, std::vector<Section>&);
    void partial(const Template::Part&, const Token&, const Place&);
    void end_run();
    std::int64_t slot_of(std::string_view name, const Place&);
    std::uint32_t path_of(std::string_view name);
    void count(const Template::Part&, const Token&);

    const std::deque<Template::Part>& parts_;
    Escaping escaping_;
    const ReaderNames* readers_;
    std::string skeleton_;
    std::string* writing_ = nullptr; // the skeleton being written, while it is
    std::vector<Step> steps_;
    std::vector<Run> runs_;
    std::uint32_t run_begin_ = 0;
    std::vector<std::string_view> literals_; // view the template's text, or kept_
    std::deque<std::string> kept_;
    std::vector<Path> paths_;
    std::map<std::string, std::uint32_t, std::less<>> path_numbers_;
    std::vector<std::string> slots_;
    std::map<std::string, std::uint32_t, std::less<>> slot_numbers_;
    std::deque<Expansion> expansions_;
    std::size_t tokens_ = 0;
    std::size_t copied_ = 0; // bytes in kept_
};

}
