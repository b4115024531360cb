#pragma once

#include "templates/source.hpp"

#include <optional>
#include <string>
#include <string_view>

// Which built-in text an operator's template was copied from, so that after an upgrade both can be told apart: what the
// operator changed, and what the program did.
//
// In:     the operator's folder; names of templates and catalogues.
// Out:    the text as it was when it was copied, kept in .built-in/ beside the copies.
// Always: a file that was not made by `template edit` has none, and nothing is said of it.
// Errors: TemplateError where the folder cannot be read or written.

namespace postrider::templates {

// Keeps the built-in text of today as the one that the operator's file comes from.
void remember_built_in(const Library&, std::string_view name);
[[nodiscard]] std::optional<std::string> copied_from(const Library&, std::string_view name);
// Whether the program has another text by now than the one that was copied.
[[nodiscard]] bool built_in_has_changed(const Library&, std::string_view name);

}
