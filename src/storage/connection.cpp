#include "storage/connection.hpp"

#include "storage/wal.hpp"
#include "system/random.hpp"

#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <sys/stat.h>
#include <thread>
#include <tuple>
#include <unistd.h>
#include <utility>

namespace postrider::storage {
namespace {

constexpr Duration busy_timeout = 30s;

Error::Kind kind_of(int code) {
    switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return Error::Kind::busy;
    case SQLITE_CONSTRAINT: return Error::Kind::constraint;
    case SQLITE_FULL: return Error::Kind::full;
    case SQLITE_READONLY: return Error::Kind::read_only;
    case SQLITE_NOTADB: return Error::Kind::not_a_database;
    default: return Error::Kind::other;
    }
}

const char* name_of(int type) {
    switch (type) {
    case SQLITE_INTEGER: return "an integer";
    case SQLITE_FLOAT: return "a real";
    case SQLITE_TEXT: return "text";
    case SQLITE_BLOB: return "a blob";
    default: return "NULL";
    }
}

void require(sqlite3_stmt* statement, int column, int type) {
    int actual = sqlite3_column_type(statement, column);
    if (actual == type) return;
    throw Error(Error::Kind::other, fmt::format("column \"{}\" holds {} where {} was expected, in: {}",
                                                sqlite3_column_name(statement, column), name_of(actual), name_of(type),
                                                sqlite3_sql(statement)));
}

// The file's identity; zeros when it is not there (":memory:").
std::pair<std::uint64_t, std::uint64_t> identity(const std::string& path) {
    struct stat found{};
    if (::stat(path.c_str(), &found) != 0) return {};
    return {found.st_dev, found.st_ino};
}

// For schema files that hash what is there already; SQLite has no digests of its own.
void sha256(sqlite3_context* context, int, sqlite3_value** values) {
    auto* bytes = static_cast<const char*>(sqlite3_value_blob(*values));
    auto size = std::size_t(sqlite3_value_bytes(*values));
    try {
        auto digest = system::sha256({bytes ? bytes : "", size});
        sqlite3_result_blob(context, digest.data(), int(digest.size()), SQLITE_TRANSIENT);
    } catch (const std::exception& error) {
        sqlite3_result_error(context, error.what(), -1);
    }
}

std::string path_in(const std::string& url) {
    if (url.starts_with("sqlite:")) return url.substr(7);
    throw Error(Error::Kind::other, fmt::format("database.url \"{}\" must begin with sqlite:", url));
}

}

// What other threads may touch while the connection is at work.
struct Connection::Patience {
    std::atomic<bool> ended = false;
    std::atomic<bool> log_lost = false;
    Duration limit = busy_timeout;
    std::chrono::steady_clock::time_point since;

    // SQLite's own handler waits up to a tenth of a second between two looks, which is long beside commits of a few milliseconds.
    static int wait(void* self, int looks) {
        auto& patience = *static_cast<Patience*>(self);
        auto now = std::chrono::steady_clock::now();
        if (looks == 0) patience.since = now;
        if (patience.ended || now - patience.since >= patience.limit) return 0;
        std::this_thread::sleep_for(std::chrono::milliseconds(std::min(looks + 1, 20)));
        return 1;
    }
};

bool Row::null(int column) const { return sqlite3_column_type(statement_, column) == SQLITE_NULL; }

std::int64_t Row::integer(int column) const {
    require(statement_, column, SQLITE_INTEGER);
    return sqlite3_column_int64(statement_, column);
}

double Row::real(int column) const {
    require(statement_, column, SQLITE_FLOAT);
    return sqlite3_column_double(statement_, column);
}

std::string_view Row::text(int column) const {
    require(statement_, column, SQLITE_TEXT);
    auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
    return {text, std::size_t(sqlite3_column_bytes(statement_, column))};
}

std::string_view Row::blob(int column) const {
    require(statement_, column, SQLITE_BLOB);
    auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement_, column));
    return {bytes, std::size_t(sqlite3_column_bytes(statement_, column))};
}

Connection::Connection(const std::string& url, Access access)
    : path_(path_in(url)), patience_(std::make_unique<Patience>()) {
    int flags = access == Access::read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
    if (access == Access::create) flags |= SQLITE_OPEN_CREATE;
    if (access != Access::create && path_ != ":memory:" && !std::filesystem::exists(path_))
        throw Error(
            Error::Kind::other,
            fmt::format("{} does not exist; look at database.url, or bring it back with `postrider restore`", path_));
    try {
        if (sqlite3_open_v2(path_.c_str(), &database_, flags | SQLITE_OPEN_NOMUTEX, nullptr) != SQLITE_OK) fail("open");
        sqlite3_extended_result_codes(database_, 1);
        sqlite3_busy_handler(database_, &Patience::wait, patience_.get());
        sqlite3_create_function(database_, "sha256", 1, SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY, nullptr,
                                &sha256, nullptr, nullptr);
        script("PRAGMA foreign_keys=ON; PRAGMA synchronous=FULL; PRAGMA secure_delete=FAST; PRAGMA cache_size=-4096; "
               "PRAGMA temp_store=MEMORY;");
        if (access != Access::read_only) script("PRAGMA journal_mode=WAL;");
        script("SELECT count(*) FROM sqlite_schema;"); // the first read finds out whether it is a database at all
        std::tie(device_, inode_) = identity(path_);
    } catch (...) {
        sqlite3_close(database_);
        throw;
    }
}

Connection::Connection(Connection&& other) noexcept
    : path_(std::move(other.path_)), patience_(std::move(other.patience_)),
      database_(std::exchange(other.database_, nullptr)), device_(other.device_), inode_(other.inode_),
      statements_(std::move(other.statements_)), depth_(std::exchange(other.depth_, 0)) {
    other.statements_.clear();
}

Connection::~Connection() {
    for (auto& [sql, prepared] : statements_) sqlite3_finalize(prepared.statement);
    sqlite3_close(database_);
}

void Connection::fail(const char* doing) {
    int code = database_ ? sqlite3_extended_errcode(database_) : SQLITE_NOMEM;
    auto kind = kind_of(code);
    std::string what = database_ ? sqlite3_errmsg(database_) : "out of memory";
    // SQLite writes beside the file too (-wal, -shm), and says of a folder that may not be written only that it cannot open something.
    auto folder = std::filesystem::absolute(path_).parent_path();
    if ((code & 0xff) == SQLITE_CANTOPEN && ::access(folder.c_str(), W_OK) != 0) {
        what +=
            fmt::format(" ({}: {}); the file and its folder must be writable", folder.string(), std::strerror(errno));
        kind = Error::Kind::read_only;
    }
    throw Error(kind, fmt::format("{}: {}{}{}", path_, what, *doing ? ", in: " : "", doing));
}

const Connection::Prepared& Connection::prepared(std::string_view sql) {
    if (auto known = statements_.find(sql); known != statements_.end()) return known->second;
    Prepared made{nullptr, {}};
    if (sqlite3_prepare_v3(database_, sql.data(), int(sql.size()), SQLITE_PREPARE_PERSISTENT, &made.statement,
                           nullptr) != SQLITE_OK)
        fail(std::string(sql).c_str());
    for (int n = sqlite3_bind_parameter_count(made.statement), i = 1; i <= n; ++i)
        made.places.push_back(sqlite3_bind_parameter_index(made.statement, fmt::format("${}", i).c_str()));
    return statements_.emplace(sql, std::move(made)).first->second;
}

std::int64_t Connection::execute(std::string_view sql, std::span<const Value> values,
                                 const std::function<bool(const Row&)>& row) {
    auto& [statement, places] = prepared(sql);
    if (values.size() != places.size())
        throw Error(Error::Kind::other,
                    fmt::format("{} values for {} places in: {}", values.size(), places.size(), sql));
    // A statement that calls back into itself (a row handler that runs the same query) would reset its own cursor.
    if (sqlite3_stmt_busy(statement))
        throw Error(Error::Kind::other, fmt::format("a row handler runs its own statement again: {}", sql));
    struct Reset {
        sqlite3_stmt* statement;
        ~Reset() { sqlite3_reset(statement); }
    } reset{statement};

    for (std::size_t i = 0; i < values.size(); ++i) {
        struct Bind {
            sqlite3_stmt* statement;
            int at;
            int operator()(std::nullptr_t) const { return sqlite3_bind_null(statement, at); }
            int operator()(std::int64_t v) const { return sqlite3_bind_int64(statement, at, v); }
            int operator()(double v) const { return sqlite3_bind_double(statement, at, v); }
            int operator()(std::string_view v) const {
                return sqlite3_bind_text64(statement, at, v.data() ? v.data() : "", v.size(), SQLITE_STATIC,
                                           SQLITE_UTF8);
            }
            int operator()(Blob v) const {
                return sqlite3_bind_blob64(statement, at, v.bytes.data() ? v.bytes.data() : "", v.bytes.size(),
                                           SQLITE_STATIC);
            }
        };
        if (std::visit(Bind{statement, places[i]}, values[i]) != SQLITE_OK) fail(std::string(sql).c_str());
    }

    Row current(statement);
    int code;
    while ((code = sqlite3_step(statement)) == SQLITE_ROW)
        if (!row(current)) return 0;
    if (code != SQLITE_DONE) fail(std::string(sql).c_str());
    return sqlite3_stmt_readonly(statement) ? 0 : sqlite3_changes64(database_);
}

void Connection::script(const std::string& sql) {
    if (sqlite3_exec(database_, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) fail("");
}

void Connection::wait_for_others(Duration limit) { patience_->limit = limit; }

void Connection::stop_waiting() { patience_->ended = true; }

bool Connection::still_in_place() const {
    return !patience_->log_lost && identity(path_) == std::pair(device_, inode_);
}

void Connection::leave_alone() {
    sqlite3_exec(database_, "ROLLBACK", nullptr, nullptr, nullptr);
    sqlite3_db_config(database_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
    patience_->log_lost = true;
    throw Error(
        Error::Kind::other,
        fmt::format("{0}-wal was cut off, deleted or replaced while {0} was open, and with it what had been committed "
                    "last; nothing more is written",
                    path_));
}

bool Connection::empty() { return !value<std::int64_t>("SELECT 1 FROM sqlite_schema LIMIT 1"); }

std::int64_t Connection::data_version() { return value<std::int64_t>("PRAGMA data_version").value(); }

void Connection::wipe_deleted() {
    constexpr std::int64_t quickly_rewritten = 256 * 1024 * 1024;
    auto size = value<std::int64_t>("PRAGMA page_count").value() * value<std::int64_t>("PRAGMA page_size").value();
    if (size < quickly_rewritten) script("VACUUM;");
    // The log holds older states of pages until it is used anew.
    run("PRAGMA wal_checkpoint(TRUNCATE)");
}

void Connection::backup_to(const std::string& path) { run("VACUUM INTO $1", path); }

Transaction::Transaction(Connection& connection) : connection_(connection), level_(connection.depth_) {
    connection_.run(level_ == 0 ? std::string("BEGIN IMMEDIATE") : fmt::format("SAVEPOINT level_{}", level_));
    if (level_ == 0 && !log_is_whole(connection_.database_, connection_.path_)) connection_.leave_alone();
    ++connection_.depth_;
}

Transaction::~Transaction() {
    if (done_) return;
    --connection_.depth_;
    // A full disk or a lost database has undone everything already; then there is nothing to roll back, and commit()
    // will say so.
    if (sqlite3_get_autocommit(connection_.database_)) return;
    auto sql = level_ == 0 ? std::string("ROLLBACK") : fmt::format("ROLLBACK TO level_{0}; RELEASE level_{0}", level_);
    sqlite3_exec(connection_.database_, sql.c_str(), nullptr, nullptr, nullptr);
}

void Transaction::commit() {
    if (sqlite3_get_autocommit(connection_.database_))
        throw Error(Error::Kind::other, "the transaction was already undone");
    connection_.run(level_ == 0 ? std::string("COMMIT") : fmt::format("RELEASE level_{}", level_));
    --connection_.depth_;
    done_ = true;
}

Snapshot::Snapshot(Connection& connection) : connection_(connection), outermost_(!connection.in_transaction()) {
    if (outermost_) connection_.run("BEGIN");
    ++connection_.depth_;
}

Snapshot::~Snapshot() {
    --connection_.depth_;
    if (outermost_) sqlite3_exec(connection_.database_, "ROLLBACK", nullptr, nullptr, nullptr);
}

}
