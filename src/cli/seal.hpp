#pragma once

#include <filesystem>

// A checksum at the end of a file, over all that stands before it: SQLite looks for damage in the structure of a
// database, and does not notice a letter that changed within a row.
//
// Always: a guard against worn disks and torn copies, not against people: whoever changes the file can seal it anew.
//         A database with a seal behind its last page opens as before.

namespace postrider::cli {

enum class Seal { intact, broken, absent };

void seal(const std::filesystem::path&); // written through to the disk; Failure where that is not possible
[[nodiscard]] Seal seal_of(const std::filesystem::path&);

}
