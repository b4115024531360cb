#pragma once

#include "storage/connection.hpp"
#include "system/embedded.hpp"

#include <span>

// The numbered files of schema/, applied in order, each in one transaction, each once.
//
// Always: a file that was applied never changes (its SHA-256 is kept); a database that has a file this program does not
// know
//         is newer than the program and is refused. In the files {auto_id}, {blob}, {strict} and
//         {strict_clustered} stand for what differs between engines.

namespace postrider::storage {

// Brings the database up to date. Throws Error (kind newer) that names the file; then nothing was changed.
void migrate(Connection& connection, std::span<const embedded::File> files, Time now);

// Throws Error when the database is not exactly at the state of `files`; for connections that may not write.
void require_current(Connection& connection, std::span<const embedded::File> files);

}
