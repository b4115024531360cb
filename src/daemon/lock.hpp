#pragma once

#include "daemon/site.hpp"

#include <optional>

// One daemon to a site: an advisory lock beside the database that dies with its process, kill -9 included.

namespace postrider::daemon {

class Lock {
public:
    // Nothing when another process holds it. Throws std::runtime_error when the file cannot be made.
    static std::optional<Lock> take(const Site& site);
    Lock(Lock&& other) noexcept;
    Lock& operator=(Lock&&) = delete;
    ~Lock();

private:
    explicit Lock(int file) : file_(file) {}
    int file_;
};

[[nodiscard]] bool daemon_running(const Site& site);

}
