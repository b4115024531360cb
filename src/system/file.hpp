#pragma once

#include <cstddef>
#include <expected>
#include <filesystem>
#include <span>
#include <string_view>

// Files by their descriptors, for what must be whole and on the disk before the next step: keys, seals.
//
// Whatever can fail gives the errno; what to say of it is the caller's.

namespace postrider::system {

// Closed at the end, when it is one: open() gives -1 when it failed.
struct Descriptor {
    int number;

    explicit Descriptor(int opened) : number(opened) {}
    ~Descriptor();
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
};

// All of it, however often the system takes a part only. 0, or the errno. Not synced.
[[nodiscard]] int write_all(int descriptor, std::string_view bytes);

// Until the end of the file, or until `to` is full: how many bytes there are, or the errno.
[[nodiscard]] std::expected<std::size_t, int> read_all(int descriptor, std::span<char> to);

// Makes the names in a folder durable. 0, or the errno.
[[nodiscard]] int sync_folder(const std::filesystem::path& folder);

}
