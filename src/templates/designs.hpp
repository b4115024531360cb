#pragma once

#include "templates/source.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

// The designs of an issue that a list can choose: pairs of templates, NAME.html and NAME.txt.
//
// In:     the built-in templates and the operator's folder.
// Out:    the designs, the built-in ones first, then the operator's own by name.
// Always: a built-in mail of another kind (confirm, welcome) is no design of an issue.

namespace postrider::templates {

struct Design {
    std::string name; // "digest"
    std::string what; // one line for the operator
    Library::Origin origin;
};

[[nodiscard]] std::vector<Design> designs(const Library&);

// Why a list cannot have this design, with the nearest one that it can; nothing when it can.
[[nodiscard]] std::optional<std::string> no_design(const Library&, std::string_view name);

}
