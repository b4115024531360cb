#pragma once

#include "http/client.hpp"

// One fetch for a command that has nothing else to do: on a loop of its own; blocks until the answer is there.

namespace postrider::http {

[[nodiscard]] FetchResult fetch_now(FetchRequest, const ClientSettings&);

}
