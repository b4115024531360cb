#include "system/file.hpp"

#include <cerrno>
#include <fcntl.h>
#include <unistd.h>

namespace postrider::system {

Descriptor::~Descriptor() {
    if (number >= 0) ::close(number);
}

int write_all(int descriptor, std::string_view bytes) {
    while (!bytes.empty()) {
        auto count = ::write(descriptor, bytes.data(), bytes.size());
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return errno;
        bytes.remove_prefix(std::size_t(count));
    }
    return 0;
}

std::expected<std::size_t, int> read_all(int descriptor, std::span<char> to) {
    std::size_t size = 0;
    while (size < to.size()) {
        auto count = ::read(descriptor, to.data() + size, to.size() - size);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return std::unexpected(errno);
        if (count == 0) break;
        size += std::size_t(count);
    }
    return size;
}

int sync_folder(const std::filesystem::path& folder) {
    Descriptor opened{::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    return opened.number >= 0 && ::fsync(opened.number) == 0 ? 0 : errno;
}

}
