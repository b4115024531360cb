#include "storage/wal.hpp"

#include <sqlite3.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <sys/stat.h>

namespace postrider::storage {
namespace {

// The header of the wal-index and of the log, https://sqlite.org/walformat.html sections 2.2 and 4.2.
constexpr int region_size = 32 * 1024;
constexpr std::size_t index_page_size = 14, index_frames = 16, index_salt = 32;
constexpr std::size_t log_header = 32, log_salt = 16, frame_header = 24, salt_size = 8;

template <class Number>
Number number_at(const volatile void* region, std::size_t offset) {
    Number value;
    std::memcpy(&value, const_cast<const char*>(static_cast<const volatile char*>(region)) + offset, sizeof value);
    return value;
}

sqlite3_file* file_of(sqlite3* database, int which) {
    sqlite3_file* file = nullptr;
    sqlite3_file_control(database, "main", which, static_cast<void*>(&file));
    return file && file->pMethods ? file : nullptr;
}

}

bool log_is_whole(sqlite3* database, const std::string& path) {
    auto* main = file_of(database, SQLITE_FCNTL_FILE_POINTER);
    auto* log = file_of(database, SQLITE_FCNTL_JOURNAL_POINTER);
    if (!main || !log || main->pMethods->iVersion < 2) return true; // in memory
    volatile void* index = nullptr;
    if (main->pMethods->xShmMap(main, 0, region_size, 0, &index) != SQLITE_OK || !index) return true;
    auto frames = number_at<std::uint32_t>(index, index_frames);
    if (frames == 0) return true; // all of it is in the database

    std::int64_t page = number_at<std::uint16_t>(index, index_page_size);
    if (page == 1) page = 65536;
    auto needed = std::int64_t(log_header) + std::int64_t(frames) * (page + std::int64_t(frame_header));
    sqlite3_int64 size = 0;
    struct stat found{};
    if (log->pMethods->xFileSize(log, &size) != SQLITE_OK || size < needed) return false;
    if (::stat((path + "-wal").c_str(), &found) != 0 || found.st_size != size) return false;

    // One that was cut to nothing and has grown again has no header.
    std::array<char, log_header> header{};
    if (log->pMethods->xRead(log, header.data(), int(header.size()), 0) != SQLITE_OK) return false;
    auto salt = number_at<std::array<char, salt_size>>(index, index_salt);
    return std::memcmp(header.data() + log_salt, salt.data(), salt_size) == 0;
}

}
