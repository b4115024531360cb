#include "daemon/lock.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <stdexcept>
#include <sys/file.h>
#include <unistd.h>
#include <utility>

namespace postrider::daemon {

std::optional<Lock> Lock::take(const Site& site) {
    auto path = site.lock_file();
    int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (file < 0)
        throw std::runtime_error(fmt::format("{}: {}; the daemon must be able to write beside its database",
                                             path.string(), std::strerror(errno)));
    if (::flock(file, LOCK_EX | LOCK_NB) == 0) return Lock(file);
    ::close(file);
    return std::nullopt;
}

Lock::Lock(Lock&& other) noexcept : file_(std::exchange(other.file_, -1)) {}

Lock::~Lock() {
    if (file_ >= 0) ::close(file_); // the file stays: removing it would let two processes lock two files of one name
}

bool daemon_running(const Site& site) {
    int file = ::open(site.lock_file().c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0) return false;
    bool held = ::flock(file, LOCK_SH | LOCK_NB) != 0;
    ::close(file);
    return held;
}

}
