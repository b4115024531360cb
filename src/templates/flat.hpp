#pragma once

#include "templates/mustache.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

// A template laid out as one text, as if every section were shown once, for whoever wants to read it as HTML.
//
// In:     a template with its partials.
// Out:    its literals in the order of rendering, partials in place, with one mark for each value; and the place in
//         its file for every place in that text.
// Always: linear; at most 4 MB of text, what comes later is left out. A partial that includes itself is there once.

namespace postrider::templates {

class FlatTemplate {
public:
    static constexpr char value_mark = '\x01'; // stands for what will be a value

    explicit FlatTemplate(const Template&); // which must outlive it

    struct Value {
        std::string name; // with {{.}} as the name of its section
        bool raw;
        Fault place; // without a message
    };
    [[nodiscard]] std::string_view text() const { return text_; }
    [[nodiscard]] const std::vector<Value>& values() const { return values_; }
    [[nodiscard]] Fault fault_at(std::size_t offset, std::string message, Severity) const;

private:
    struct Piece {
        std::size_t at; // in text_
        const Template::Part* part;
        const Token* token;
    };

    void lay(const Template& source, std::size_t part, int depth);

    std::string text_;
    std::vector<Piece> pieces_;
    std::vector<Value> values_;
    std::vector<std::string_view> sections_;
    std::vector<bool> inside_; // of each part: being laid out
};

}
