#pragma once

#include "digest/issues.hpp"

#include <cstddef>
#include <vector>

// Which issues of a list the world may read: those that went out, or began to, newest first.

namespace postrider::web {

[[nodiscard]] bool is_public(const digest::Issue&);
[[nodiscard]] std::vector<digest::Issue> archived_issues(storage::Connection&, ListId, std::size_t limit);

}
