#pragma once

#include "storage/connection.hpp"

// While it lives, what is deleted is overwritten with zeros, in pages that become free, too. Otherwise SQLite overwrites
// only where it writes anyway.
//
// Always: for this connection. Of pages that were free before it says nothing (Connection::wipe_deleted), and the log
//         holds older states until SQLite begins it anew, which is after a thousand pages.

namespace postrider::storage {

class Wiping {
public:
    explicit Wiping(Connection&);
    ~Wiping();
    Wiping(const Wiping&) = delete;
    Wiping& operator=(const Wiping&) = delete;

private:
    Connection& connection_;
};

}
