#pragma once

#include "system/time.hpp"
#include "templates/mustache.hpp"
#include "templates/program.hpp"

#include <string>

// A design filled with an issue that never was: to see it, and to weigh it, without a list.
//
// In:     the HTML of a design.
// Out:    its program with twenty stories, as many as a list sends by default, compiled and inlined as for a real issue;
//         or the whole mail for a reader called Ada.
// Always: pure; the same for the same moment. Nothing in it belongs to anybody: courier.example, in English.

namespace postrider::digest {

[[nodiscard]] templates::Program example_program(const templates::Template& html, Time now);
[[nodiscard]] std::string example_mail(const templates::Template& html, Time now);

}
