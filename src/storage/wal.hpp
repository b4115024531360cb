#pragma once

#include <string>

struct sqlite3;

namespace postrider::storage {

// Whether the write-ahead log beside the database still holds every commit that is not in the database yet. A log that was cut off,
// deleted or replaced is dangerous beyond what it lost: the next commit would leave a hole in it, and a checkpoint copy the hole
// into the database.
//
// Call it with the write lock held: then nobody shortens the log lawfully. Some microseconds.
[[nodiscard]] bool log_is_whole(sqlite3* database, const std::string& path);

}
