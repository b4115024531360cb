#include "cli/seal.hpp"

#include "cli/parse.hpp"
#include "system/file.hpp"
#include "system/random.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <string>
#include <string_view>
#include <unistd.h>

namespace postrider::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view mark = "\npostrider seal sha256 ";
constexpr std::size_t length = mark.size() + 64 + 1; // hex and a line feed

[[noreturn]] void fail(const fs::path& path, int code = errno) {
    throw Failure(fmt::format("{}: {}", path.string(), std::strerror(code)));
}

// Over the first `size` bytes.
std::string seal_over(const fs::path& path, std::uintmax_t size) {
    std::ifstream file(path, std::ios::binary);
    if (!file) fail(path);
    system::Sha256 digest;
    std::array<char, 65536> block;
    while (size > 0) {
        file.read(block.data(), std::streamsize(std::min<std::uintmax_t>(size, block.size())));
        if (file.gcount() == 0) throw Failure(fmt::format("{}: cannot be read to its end", path.string()));
        digest.add({block.data(), std::size_t(file.gcount())});
        size -= std::uintmax_t(file.gcount());
    }
    return std::string(mark) + system::hex(digest.finish()) + "\n";
}

}

void seal(const fs::path& path) {
    auto text = seal_over(path, fs::file_size(path));
    system::Descriptor file{::open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC)};
    if (file.number < 0) fail(path);
    if (int code = system::write_all(file.number, text)) fail(path, code);
    if (::fsync(file.number) != 0) fail(path);
}

Seal seal_of(const fs::path& path) {
    auto size = fs::file_size(path);
    if (size < length) return Seal::absent;
    std::ifstream file(path, std::ios::binary);
    std::string text(length, '\0');
    file.seekg(std::streamoff(size - length));
    if (!file.read(text.data(), length)) fail(path);
    if (!text.starts_with(mark)) return Seal::absent;
    return text == seal_over(path, size - length) ? Seal::intact : Seal::broken;
}

}
