#pragma once

#include "templates/mustache.hpp"

#include <boost/json/fwd.hpp>

#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <vector>

// An issue's template, rendered once with the issue's data; what depends on the reader is left open as slots and small
// conditions.
//
// In:     a template, the issue's data, which names are the reader's; then, per reader, one value for each slot.
// Out:    exactly the bytes that a full render with the issue's and the reader's data together would give.
//         Data may leave values to the reader too: left_to_reader() and only_if.
// Always: a Program never changes; any number of threads may fill it at once. Filling is copying: no lookups, no
// parsing.
//         Conditions nest properly. A reader's name always means the reader, even where a story has a value of that
//         name.

namespace postrider::templates {

struct ReaderNames {
    std::vector<std::string> groups = {"subscriber"}; // every name below them: subscriber.name, subscriber.ATTRIBUTE
    std::vector<std::string> names = {"unsubscribe_url", "preferences_url", "view_url", "why"};

    [[nodiscard]] bool contains(std::string_view name) const;
    [[nodiscard]] bool is_group(std::string_view name) const;
};

struct Piece {
    enum class Kind : std::uint8_t {
        literal,      // text, already escaped
        escaped,      // the slot's value, escaped for HTML
        raw,          // the slot's value as it is
        begin_if,     // up to its end: only where the slot's value is not empty
        begin_unless, // up to its end: only where it is empty
        end
    };
    Kind kind;
    std::uint32_t slot = 0;    // not of a literal, not of an end
    std::uint32_t partner = 0; // of a begin: the index of its end
    std::string text;          // of a literal

    bool operator==(const Piece&) const = default;
};

class Program {
public:
    Program() = default; // writes nothing

    // Appends to out. values[i] belongs to slots()[i]; values that are missing at the end count as empty.
    void fill(std::string& out, std::span<const std::string_view> values) const;

    [[nodiscard]] std::span<const Piece> pieces() const { return pieces_; }
    [[nodiscard]] std::span<const std::string> slots() const { return slots_; } // "subscriber.name", each once

    // The same slots and conditions between other literals: as many as there are, in their order.
    [[nodiscard]] Program with_literals(std::vector<std::string> texts) const;

    // A compact text without control characters of its own: valid UTF-8 where the template and the data are.
    [[nodiscard]] std::string stored() const;
    // The error says what is wrong with the text; nothing in it is trusted.
    [[nodiscard]] static std::expected<Program, std::string> from_stored(std::string_view);

    bool operator==(const Program&) const = default;

private:
    friend class Plan;
    Program(std::vector<std::string> slots, std::vector<Piece> pieces)
        : slots_(std::move(slots)), pieces_(std::move(pieces)) {}

    std::vector<std::string> slots_;
    std::vector<Piece> pieces_;
};

// Instead of a value in the issue's data: wherever a template writes it, or opens it as a section, the slot of this name
// stands.
[[nodiscard]] boost::json::object left_to_reader(std::string_view slot);
// An object of a list with this member is only shown where the slot it names is not empty.
inline constexpr std::string_view only_if = "\x01only if";
// One of these objects, each with its only_if: for a name under which a reader sees a single one of them.
[[nodiscard]] boost::json::object one_of(boost::json::array objects);

// Throws TemplateError as Template::render does, and where a group is opened as a section ({{#subscriber}}): what its
// attributes are is not known before there is a reader.
[[nodiscard]] Program compile(const Template&, const boost::json::value& issue_data, const ReaderNames& = {});

}
