#pragma once

#include "storage/ids.hpp"

#include <functional>
#include <string_view>

// The readers of a list as CSV that import_readers() takes, and that leads to the same readers with the same values.

namespace postrider::subscribers {

enum class Exported {
    active,
    all // those who have left, too: two more columns say how each stands, and since when
};

// Calls `write` with pieces of the file, in order; UTF-8, CRLF, no BOM. Gives the number of readers. The file is one
// state of the database, even while others write. A value that a
// spreadsheet would run as a formula is guarded (csv.hpp); an import takes that off again.
std::int64_t export_readers(storage::Connection&, ListId, Exported, const std::function<void(std::string_view)>& write);

}
