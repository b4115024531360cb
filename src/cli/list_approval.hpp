#pragma once

#include "cli/command.hpp"
#include "cli/output.hpp"
#include "digest/approval.hpp"

#include <boost/json/fwd.hpp>

#include <optional>
#include <span>

// Who sees a list's issues before they go out, as the commands about lists take and show it.

namespace postrider::cli {

[[nodiscard]] std::span<const Option> approval_options();
// What the command line says, over what the list has; none: its issues go out by themselves, or wait for --approval.
// Failure where nobody could be asked.
[[nodiscard]] std::optional<digest::Approval> read_approval(Call&, subscribers::List&, std::optional<digest::Approval>);
void show_approval(Table&, const subscribers::List&, const std::optional<digest::Approval>&,
                   const std::string& site_editor);
[[nodiscard]] boost::json::value approval_json(const std::optional<digest::Approval>&); // null: none

}
