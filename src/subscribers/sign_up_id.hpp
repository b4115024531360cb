#pragma once

#include "storage/ids.hpp"

namespace postrider::subscribers {

using SignUpId = storage::Id<struct SignUpTag>;

}
