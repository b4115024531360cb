#include "storage/connection.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <new>
#include <random>

// What a power cut leaves: of every file what was synced, and of what was written since any part, in sectors of 512 octets. A layer
// between SQLite and the operating system keeps account of both; a cut is then a folder made from that account.

namespace postrider::storage {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t sector = 512;

struct Write {
    std::size_t at;
    std::string bytes;
};

struct Contents {
    std::string synced;
    std::vector<Write> since;
};

std::map<std::string, Contents> disk; // by path

void apply(std::string& file, std::size_t at, std::string_view bytes) {
    if (file.size() < at + bytes.size()) file.resize(at + bytes.size());
    file.replace(at, bytes.size(), bytes);
}

struct File {
    sqlite3_file base;
    sqlite3_file* real;
    Contents* contents;
};
File& of(sqlite3_file* file) { return *reinterpret_cast<File*>(file); }
sqlite3_file* real(sqlite3_file* file) { return of(file).real; }

int close(sqlite3_file* file) { return real(file)->pMethods->xClose(real(file)); }
int read(sqlite3_file* file, void* to, int size, sqlite3_int64 at) {
    return real(file)->pMethods->xRead(real(file), to, size, at);
}
int write(sqlite3_file* file, const void* bytes, int size, sqlite3_int64 at) {
    of(file).contents->since.push_back({std::size_t(at), {static_cast<const char*>(bytes), std::size_t(size)}});
    return real(file)->pMethods->xWrite(real(file), bytes, size, at);
}
int truncate(sqlite3_file* file, sqlite3_int64 size) { return real(file)->pMethods->xTruncate(real(file), size); }
int sync(sqlite3_file* file, int flags) {
    auto& contents = *of(file).contents;
    for (auto& [at, bytes] : contents.since) apply(contents.synced, at, bytes);
    contents.since.clear();
    return real(file)->pMethods->xSync(real(file), flags);
}
int size(sqlite3_file* file, sqlite3_int64* size) { return real(file)->pMethods->xFileSize(real(file), size); }
int lock(sqlite3_file* file, int level) { return real(file)->pMethods->xLock(real(file), level); }
int unlock(sqlite3_file* file, int level) { return real(file)->pMethods->xUnlock(real(file), level); }
int reserved(sqlite3_file* file, int* answer) { return real(file)->pMethods->xCheckReservedLock(real(file), answer); }
int control(sqlite3_file* file, int what, void* value) {
    return real(file)->pMethods->xFileControl(real(file), what, value);
}
int sector_size(sqlite3_file*) { return int(sector); }
int characteristics(sqlite3_file*) { return 0; } // nothing is atomic, nothing in order
int map(sqlite3_file* file, int region, int size, int extend, void volatile** to) {
    return real(file)->pMethods->xShmMap(real(file), region, size, extend, to);
}
int shared_lock(sqlite3_file* file, int at, int count, int flags) {
    return real(file)->pMethods->xShmLock(real(file), at, count, flags);
}
void barrier(sqlite3_file* file) { real(file)->pMethods->xShmBarrier(real(file)); }
int unmap(sqlite3_file* file, int remove) { return real(file)->pMethods->xShmUnmap(real(file), remove); }

constexpr sqlite3_io_methods methods = {
    2,           close,           read, write,       truncate, sync,  size,    lock,   unlock, reserved, control,
    sector_size, characteristics, map,  shared_lock, barrier,  unmap, nullptr, nullptr};

int open(sqlite3_vfs* layer, const char* path, sqlite3_file* file, int flags, int* out) {
    auto* under = static_cast<sqlite3_vfs*>(layer->pAppData);
    auto* made = new (file)
        File{{nullptr}, reinterpret_cast<sqlite3_file*>(reinterpret_cast<File*>(file) + 1), &disk[path ? path : ""]};
    int code = under->xOpen(under, path, made->real, flags, out);
    if (made->real->pMethods) made->base.pMethods = &methods;
    return code;
}

int remove(sqlite3_vfs* layer, const char* path, int sync_folder) {
    disk[path] = {};
    auto* under = static_cast<sqlite3_vfs*>(layer->pAppData);
    return under->xDelete(under, path, sync_folder);
}

// While it is on, every database is opened through the layer.
class Layer {
public:
    Layer() : under_(sqlite3_vfs_find(nullptr)), layer_(*under_) {
        layer_.zName = "power";
        layer_.szOsFile = int(sizeof(File)) + under_->szOsFile;
        layer_.pAppData = under_;
        layer_.xOpen = open;
        layer_.xDelete = remove;
        disk.clear();
        on();
    }
    ~Layer() {
        off();
        sqlite3_vfs_unregister(&layer_);
    }
    void on() { sqlite3_vfs_register(&layer_, 1); }
    void off() { sqlite3_vfs_register(under_, 1); }

private:
    sqlite3_vfs* under_;
    sqlite3_vfs layer_;
};

class PowerCut : public testing::Test {
protected:
    PowerCut() {
        auto pattern = (fs::temp_directory_path() / "postrider-power-XXXXXX").string();
        folder = mkdtemp(pattern.data());
        layer.emplace();
        connection.emplace(url(folder));
        connection->script("CREATE TABLE outcome (id INTEGER PRIMARY KEY, words TEXT NOT NULL)");
    }
    ~PowerCut() override {
        connection.reset();
        layer.reset();
        fs::remove_all(folder);
    }
    static std::string url(const fs::path& where) { return "sqlite:" + (where / "site.db").string(); }

    void commits(int id) {
        Transaction transaction(*connection);
        connection->run("INSERT INTO outcome (id, words) VALUES ($1, $2)", id, std::string(std::size_t(id % 700), 'x'));
        transaction.commit();
    }

    enum class Unsynced { lost, in_part };
    // What stands in the database after the power came back: how many outcomes, all from 1 on.
    std::int64_t outcomes_after_a_cut(Unsynced unsynced) {
        auto after = folder / "after";
        fs::create_directories(after);
        for (auto& [path, contents] : disk) {
            if (contents.synced.empty() && contents.since.empty()) continue; // deleted, or of no name
            auto bytes = contents.synced;
            for (auto& [at, written] : contents.since)
                for (std::size_t i = 0; unsynced == Unsynced::in_part && i < written.size(); i += sector)
                    if (random() % 2) apply(bytes, at + i, std::string_view(written).substr(i, sector));
            std::ofstream(after / fs::path(path).filename(), std::ios::binary) << bytes;
        }
        layer->off();
        std::int64_t count = 0;
        {
            Connection survivor(url(after), Access::read_write);
            EXPECT_EQ(survivor.value<std::string>("PRAGMA integrity_check"), "ok");
            count = survivor.value<std::int64_t>("SELECT count(*) FROM outcome").value();
            EXPECT_EQ(survivor.value<std::optional<std::int64_t>>("SELECT max(id) FROM outcome").value().value_or(0),
                      count);
        }
        layer->on();
        fs::remove_all(after);
        return count;
    }

    std::mt19937 random{20240229};
    fs::path folder;
    std::optional<Layer> layer;
    std::optional<Connection> connection;
};

TEST_F(PowerCut, ForgetsNothingThatWasCommittedAndBreaksNothing) {
    connection->script("PRAGMA wal_autocheckpoint=10"); // so that cuts fall around checkpoints, too
    for (int id = 1; id <= 60; ++id) {
        commits(id);
        ASSERT_GE(outcomes_after_a_cut(Unsynced::lost), id);
        ASSERT_GE(outcomes_after_a_cut(Unsynced::in_part), id);
    }
}

TEST_F(PowerCut, InTheMiddleOfATransactionUndoesThatOneOnly) {
    commits(1);
    Transaction transaction(*connection);
    connection->run("INSERT INTO outcome (id, words) VALUES (2, 'not yet')");
    EXPECT_EQ(outcomes_after_a_cut(Unsynced::lost), 1);
    EXPECT_EQ(outcomes_after_a_cut(Unsynced::in_part), 1);
}

TEST_F(PowerCut, WouldForgetWithoutSynchronousFullSoThisTestSeesTheDifference) {
    connection->script("PRAGMA synchronous=NORMAL");
    for (int id = 1; id <= 5; ++id) commits(id);
    EXPECT_LT(outcomes_after_a_cut(Unsynced::lost), 5);
}

}
}
