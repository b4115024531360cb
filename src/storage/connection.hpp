#pragma once

#include "system/time.hpp"

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

struct sqlite3;
struct sqlite3_stmt;

// One connection to the site's database: SQL text with $1..$n in, typed rows out.
//
// In:     string literals of SQL in the dialect that SQLite and PostgreSQL share; every value bound, never pasted.
// Out:    rows whose columns are read by type; reading an integer as text, or NULL as either, throws instead of
//         guessing.
// Always: an outermost write transaction starts with BEGIN IMMEDIATE, so a writer waits for the lock at its start and
//         never in its middle. What is committed survives a kill, and a power cut:
//         - WAL with synchronous=FULL. A commit appends its pages to the log, the last one marked as a commit, and syncs
//           the log before COMMIT returns (https://sqlite.org/pragma.html#pragma_synchronous: in WAL mode FULL is what
//           makes commits durable; NORMAL would lose the last ones).
//         - Each page of the log carries a checksum over all before it. After a cut the log counts up to the last commit
//           whose checksums hold (https://sqlite.org/walformat.html section 4); half a commit is none.
//         - A checkpoint syncs the log before it writes to the database, and the database before the log is used anew.
//         So whoever acts on a commit after COMMIT has returned, as delivery/ does with the next body, acts on what is
//         on the disk. tests/storage/power_cut_test.cpp cuts the power after each commit. What nobody can promise: a
//         disk that says it has synced and has not, or a file system that is shared over a network.
// Threads: a connection belongs to one thread at a time. Errors: storage::Error, whose kind says whether to wait or to
// stop.

namespace postrider::storage {

struct Error : std::runtime_error {
    enum class Kind {
        busy,       // somebody else held the lock longer than the busy time-out
        constraint, // UNIQUE, CHECK, NOT NULL, FOREIGN KEY
        full,       // no space left on the disk
        read_only,
        not_a_database,
        newer, // written by a newer program, or a shipped schema file was changed
        other,
    };
    Error(Kind k, const std::string& message) : std::runtime_error(message), kind(k) {}
    Kind kind;
};

struct Blob {
    std::string_view bytes;
};

// A value to bind. Strings and blobs are borrowed for the length of the call.
using Value = std::variant<std::nullptr_t, std::int64_t, double, std::string_view, Blob>;

// What a type looks like in the database. Specialise for identifiers and enumerations beside their definition.
template <class T>
struct Column;

// The current row of a running statement. Views it gives live until the next row.
class Row {
public:
    explicit Row(sqlite3_stmt* statement) : statement_(statement) {}

    template <class T>
    [[nodiscard]] T get(int column) const {
        return Column<T>::read(*this, column);
    }

    [[nodiscard]] bool null(int column) const;
    [[nodiscard]] std::int64_t integer(int column) const;
    [[nodiscard]] double real(int column) const;
    [[nodiscard]] std::string_view text(int column) const;
    [[nodiscard]] std::string_view blob(int column) const;

private:
    sqlite3_stmt* statement_;
};

enum class Access {
    create,     // reads and writes; makes the file when there is none
    read_write, // the file must be there
    read_only
};

class Connection {
public:
    // Opens "sqlite:PATH". Does not migrate: see storage/migrations.hpp.
    // Throws Error, naming the path, when it is not a database or cannot be opened.
    explicit Connection(const std::string& url, Access access = Access::create);
    ~Connection();
    Connection(Connection&&) noexcept;
    Connection& operator=(Connection&&) = delete;

    // Runs a statement and gives the number of rows it changed.
    template <class... Values>
    std::int64_t run(std::string_view sql, const Values&... values) {
        return execute(sql, bound(values...), [](const Row&) { return true; });
    }
    // Calls `row` for each row, in order.
    template <class... Values>
    void each(std::string_view sql, const std::function<void(const Row&)>& row, const Values&... values) {
        execute(sql, bound(values...), [&](const Row& r) { return row(r), true; });
    }
    // `make` of the first row, or nothing. The statement is always stepped to its end, so RETURNING takes effect whole.
    template <class Make, class... Values>
    auto first(std::string_view sql, const Make& make, const Values&... values) {
        std::optional<std::invoke_result_t<const Make&, const Row&>> result;
        execute(sql, bound(values...), [&](const Row& r) {
            if (!result) result.emplace(make(r));
            return true;
        });
        return result;
    }
    // The first column of the first row.
    template <class T, class... Values>
    std::optional<T> value(std::string_view sql, const Values&... values) {
        return first(sql, [](const Row& r) { return r.get<T>(0); }, values...);
    }
    template <class Make, class... Values>
    auto all(std::string_view sql, const Make& make, const Values&... values) {
        std::vector<std::invoke_result_t<const Make&, const Row&>> rows;
        execute(sql, bound(values...), [&](const Row& r) { return rows.push_back(make(r)), true; });
        return rows;
    }

    // For statements whose text and number of values are made at run time. `row` returns false to stop early.
    std::int64_t execute(std::string_view sql, std::span<const Value> values,
                         const std::function<bool(const Row&)>& row);
    // Several statements without values, as a schema file holds them.
    void script(const std::string& sql);

    // How long it waits for another process's lock before it throws Error::Kind::busy. At first 30 s: a long command of ours commits
    // every 50 ms, so this much means trouble.
    void wait_for_others(Duration limit);
    // From now on it does not wait at all, not even in a statement that waits already. Any thread.
    void stop_waiting();

    // Whether the path still names the file that is open: false once it was deleted or replaced, and what is written is
    // lost; or once a transaction found its log cut off. Any thread.
    [[nodiscard]] bool still_in_place() const;
    // Whether anything was ever made in it.
    [[nodiscard]] bool empty();

    // Rises with every commit of another connection to the same database, and only then.
    [[nodiscard]] std::int64_t data_version();
    // What was deleted is not in the files any more either. Rewrites the whole database, unless that would keep others
    // waiting (from 256 MB on; then pages that are free may hold it until they are used again, which is soon where many
    // readers come and go).
    void wipe_deleted();
    // Copies the whole database to a new file, consistently, while others write.
    void backup_to(const std::string& path);

    [[nodiscard]] bool in_transaction() const { return depth_ > 0; }
    [[nodiscard]] sqlite3* handle() const { return database_; } // for storage/ itself

private:
    friend class Transaction;
    friend class Snapshot;

    template <class... Values>
    static std::array<Value, sizeof...(Values)> bound(const Values&... values) {
        return {to_value(values)...};
    }
    template <class T>
    static Value to_value(const T& value) {
        if constexpr (requires { Value(Column<T>::bind(value)); })
            return Value(Column<T>::bind(value));
        else if constexpr (std::is_integral_v<T>)
            return std::int64_t(value);
        else if constexpr (std::is_convertible_v<const T&, std::string_view>)
            return std::string_view(value);
        else
            return Value(value);
    }
    struct Prepared {
        sqlite3_stmt* statement;
        std::vector<int> places; // of $1, $2, ... in SQLite's own counting, which is by first appearance
    };
    const Prepared& prepared(std::string_view sql);
    [[noreturn]] void fail(const char* doing);
    [[noreturn]] void leave_alone();

    struct Hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view s) const { return std::hash<std::string_view>()(s); }
    };
    struct Patience;
    std::string path_;
    std::unique_ptr<Patience> patience_; // where SQLite's busy handler looks
    sqlite3* database_ = nullptr;
    std::uint64_t device_ = 0, inode_ = 0;
    std::unordered_map<std::string, Prepared, Hash, std::equal_to<>> statements_;
    int depth_ = 0;
};

// BEGIN IMMEDIATE ... COMMIT. Throws before it writes anything when the log beside the database was cut off. Undone when commit() was not called. Inside another one it is a savepoint of that one:
// undone by itself when it was not committed, and with the outer one in any case.
class Transaction {
public:
    explicit Transaction(Connection& connection);
    ~Transaction();
    Transaction(const Transaction&) = delete;
    Transaction& operator=(const Transaction&) = delete;
    void commit();

private:
    Connection& connection_;
    int level_; // 0: the outermost
    bool done_ = false;
};

// Everything read while it lives is of one moment, and nobody is kept waiting for it. For reading only.
class Snapshot {
public:
    explicit Snapshot(Connection& connection);
    ~Snapshot();
    Snapshot(const Snapshot&) = delete;
    Snapshot& operator=(const Snapshot&) = delete;

private:
    Connection& connection_;
    bool outermost_; // inside a transaction, or another snapshot, it is that one's moment
};

template <>
struct Column<std::int64_t> {
    static std::int64_t read(const Row& row, int column) { return row.integer(column); }
};
template <>
struct Column<int> {
    static int read(const Row& row, int column) {
        auto value = row.integer(column);
        if (value != int(value)) throw Error(Error::Kind::other, "an integer of the database does not fit in 32 bits");
        return int(value);
    }
};
template <>
struct Column<bool> {
    static std::int64_t bind(bool value) { return value; }
    static bool read(const Row& row, int column) { return row.integer(column) != 0; }
};
template <>
struct Column<double> {
    static double read(const Row& row, int column) { return row.real(column); }
};
template <>
struct Column<std::string> {
    static std::string read(const Row& row, int column) { return std::string(row.text(column)); }
};
template <>
struct Column<std::string_view> {
    static std::string_view read(const Row& row, int column) { return row.text(column); }
};
template <>
struct Column<Time> {
    static std::int64_t bind(Time time) { return time.time_since_epoch().count(); }
    static Time read(const Row& row, int column) { return Time(Duration(row.integer(column))); }
};
template <>
struct Column<Duration> {
    static std::int64_t bind(Duration duration) { return duration.count(); }
    static Duration read(const Row& row, int column) { return Duration(row.integer(column)); }
};
template <class T>
struct Column<std::optional<T>> {
    static Value bind(const std::optional<T>& value) {
        if (!value) return nullptr;
        if constexpr (requires { Value(Column<T>::bind(*value)); })
            return Value(Column<T>::bind(*value));
        else if constexpr (std::is_integral_v<T>)
            return std::int64_t(*value);
        else if constexpr (std::is_convertible_v<const T&, std::string_view>)
            return std::string_view(*value);
        else
            return Value(*value);
    }
    static std::optional<T> read(const Row& row, int column) {
        if (row.null(column)) return std::nullopt;
        return Column<T>::read(row, column);
    }
};

// An identifier of one table's rows; two of different tables do not mix. `using ListId = storage::Id<struct ListTag>;`
template <class Tag>
struct Id {
    std::int64_t number = 0;
    auto operator<=>(const Id&) const = default;
};
template <class Tag>
struct Column<Id<Tag>> {
    static std::int64_t bind(Id<Tag> id) { return id.number; }
    static Id<Tag> read(const Row& row, int column) { return {row.integer(column)}; }
};

}

template <class Tag>
struct std::hash<postrider::storage::Id<Tag>> {
    std::size_t operator()(postrider::storage::Id<Tag> id) const { return std::hash<std::int64_t>()(id.number); }
};
