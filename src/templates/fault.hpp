#pragma once

#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

// What is wrong with a template, and where. Places are as editors count them: lines and columns from 1, a column is one
// character.

namespace postrider::templates {

enum class Severity {
    error,  // what has it is refused
    warning // said, and used all the same
};

struct Fault {
    std::string file;
    int line = 1;
    int column = 1;
    std::string message;
    Severity severity = Severity::error;

    [[nodiscard]] std::string text() const; // digest.html.mustache:14:3: section "stories" is never closed
};

// A template that passed its checks and still cannot be used: it cannot be read, it recurses without end over this
// data.
class TemplateError : public std::runtime_error {
public:
    explicit TemplateError(const std::string& message) : std::runtime_error(message) {}
    explicit TemplateError(const Fault& fault) : std::runtime_error(fault.text()), fault_(fault) {}
    [[nodiscard]] const std::optional<Fault>& fault() const { return fault_; } // none: no place in a text

private:
    std::optional<Fault> fault_;
};

void sort_by_place(std::vector<Fault>&);

// The first fault for which a template is refused; null: there is none.
[[nodiscard]] const Fault* first_error(const std::vector<Fault>&);

}
