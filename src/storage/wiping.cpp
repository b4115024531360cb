#include "storage/wiping.hpp"

#include <sqlite3.h>

namespace postrider::storage {

// Not Connection::run: the pragma takes effect when it is prepared, and run() keeps what it has prepared.
Wiping::Wiping(Connection& connection) : connection_(connection) { connection_.script("PRAGMA secure_delete=ON;"); }

Wiping::~Wiping() { sqlite3_exec(connection_.handle(), "PRAGMA secure_delete=FAST;", nullptr, nullptr, nullptr); }

}
