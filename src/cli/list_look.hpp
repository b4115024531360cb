#pragma once

#include "cli/command.hpp"
#include "cli/output.hpp"
#include "digest/look.hpp"

#include <boost/json/fwd.hpp>

#include <span>

// How a list's mails look, as the commands about lists take and show it.

namespace postrider::cli {

[[nodiscard]] std::span<const Option> look_options();
// What the command line says, over what the list has. Failure for what cannot stand in a mail.
[[nodiscard]] digest::Look read_look(Call&, digest::Look);
void show_look(Table&, const digest::Look&);
[[nodiscard]] boost::json::object look_json(const digest::Look&);

}
