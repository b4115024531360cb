#pragma once

#include "cli/call.hpp"

#include <string>
#include <vector>

namespace postrider::cli {

// What the running daemon says of itself at /health: one sentence for each thing that is wrong. It is asked, and not read from the
// database, because the worst of its troubles is that nothing can be written there. Bounded by seconds.
[[nodiscard]] std::vector<std::string> troubles_of_daemon(Call&);

}
