#pragma once

#include "templates/program.hpp"

#include <boost/json/fwd.hpp>

#include <memory>
#include <string>

// A template ready to be rendered: the one door to the mustache library (plan.cpp).
//
// In:     a checked template, and which names are left open for the reader (null: none).
// Out:    a text, or a Program.
// Always: render and run change nothing and may be called from any thread. Holds what it needs of the template, except
// for a plan
//         that the template itself holds.

namespace postrider::templates {

// The member that makes an object stand for a slot: left_to_reader().
inline constexpr std::string_view reader_slot = "\x01slot";
inline constexpr std::string_view reader_choice = "\x01one of"; // likewise: one_of()

class Plan {
public:
    Plan(const Template&, const ReaderNames*); // throws TemplateError
    ~Plan();
    Plan(const Plan&) = delete;
    Plan& operator=(const Plan&) = delete;

    [[nodiscard]] std::string render(const boost::json::value& data) const;
    [[nodiscard]] Program run(const boost::json::value& data) const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}
