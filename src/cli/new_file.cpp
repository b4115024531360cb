#include "cli/new_file.hpp"

#include "cli/parse.hpp"
#include "system/random.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>

namespace postrider::cli {
namespace {

namespace fs = std::filesystem;

bool is_special(const fs::path& path) {
    std::error_code error;
    auto status = fs::status(path, error);
    return fs::exists(status) && !fs::is_regular_file(status) && !fs::is_directory(status);
}

[[noreturn]] void refuse_existing(const fs::path& path) {
    throw Failure(fmt::format("{} is there already; name a new file, or give --force to replace it", path.string()));
}

}

void make_private_file(const fs::path& file) {
    int descriptor = ::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (descriptor < 0) throw Failure(fmt::format("{}: {}", file.string(), std::strerror(errno)));
    ::close(descriptor);
}

NewFile::NewFile(fs::path path, Existing existing) : path_(std::move(path)), existing_(existing) {
    std::error_code error;
    if (!is_special(path_)) {
        if (fs::is_directory(path_, error)) throw Failure(fmt::format("{}: is a folder; name a file", path_.string()));
        if (existing_ == Existing::refuse && fs::exists(fs::symlink_status(path_, error))) refuse_existing(path_);
        part_ = path_.string() + "." + system::hex(system::random_bytes(4)) + ".part";
        make_private_file(part_);
    }
    stream_.open(part_.empty() ? path_ : part_, std::ios::binary);
    if (!stream_) throw Failure(fmt::format("{}: cannot be written", path_.string()));
}

NewFile::~NewFile() {
    std::error_code ignored;
    if (!part_.empty()) fs::remove(part_, ignored);
}

void NewFile::finish() {
    stream_.close();
    if (!stream_) throw Failure(fmt::format("{}: could not be written to its end; is the disk full?", path_.string()));
    if (part_.empty()) return;
    // link() refuses to overwrite, whoever made the file meanwhile; what remains of the part goes with this object.
    bool done = existing_ == Existing::replace ? ::rename(part_.c_str(), path_.c_str()) == 0
                                               : ::link(part_.c_str(), path_.c_str()) == 0;
    if (done) return;
    if (errno == EEXIST) refuse_existing(path_);
    throw Failure(fmt::format("{}: {}", path_.string(), std::strerror(errno)));
}

}
