#include "storage/migrations.hpp"

#include "system/fault_point.hpp"
#include "system/random.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

namespace postrider::storage {
namespace {

std::string in_dialect(std::string_view text) {
    std::string sql(text);
    for (auto [name, meaning] : {std::pair{"{auto_id}", "INTEGER PRIMARY KEY AUTOINCREMENT"},
                                 {"{blob}", "BLOB"},
                                 {"{strict}", "STRICT"},
                                 {"{strict_clustered}", "STRICT, WITHOUT ROWID"}})
        for (auto at = sql.find(name); at != sql.npos; at = sql.find(name, at))
            sql.replace(at, std::string_view(name).size(), meaning);
    return sql;
}

bool has_history(Connection& connection) {
    return connection.value<std::int64_t>("SELECT 1 FROM sqlite_schema WHERE name = 'applied_schema'").has_value();
}

// The names of applied files; throws when one of them is unknown or was changed.
std::set<std::string> checked_history(Connection& connection, std::span<const embedded::File> files) {
    std::set<std::string> applied;
    if (!has_history(connection)) {
        if (connection.value<std::int64_t>("SELECT 1 FROM sqlite_schema LIMIT 1"))
            throw Error(Error::Kind::not_a_database,
                        "this database belongs to another program; name a new file in database.url");
        return applied;
    }
    connection.each("SELECT name, digest FROM applied_schema ORDER BY name", [&](const Row& row) {
        auto name = row.get<std::string>(0);
        auto file = std::ranges::find(files, name, &embedded::File::name);
        if (file == files.end())
            throw Error(
                Error::Kind::newer,
                fmt::format("the database was written by a newer Postrider: it has schema/{}, which this program "
                            "({}) does not know; install the newer program",
                            name, POSTRIDER_VERSION));
        if (system::hex(system::sha256(file->text)) != row.text(1))
            throw Error(Error::Kind::newer,
                        fmt::format("schema/{} was changed after it had been applied to this database; a shipped "
                                    "schema file never changes, add a new one",
                                    name));
        applied.insert(name);
    });
    return applied;
}

}

void migrate(Connection& connection, std::span<const embedded::File> files, Time now) {
    auto applied = checked_history(connection, files);
    for (auto& file : files) {
        if (applied.contains(std::string(file.name))) continue;
        Transaction transaction(connection);
        connection.script("CREATE TABLE IF NOT EXISTS applied_schema ("
                          "name TEXT PRIMARY KEY, digest TEXT NOT NULL, applied_at INTEGER NOT NULL) STRICT");
        // Another process may have been quicker while this one waited for the lock.
        if (connection.value<std::int64_t>("SELECT 1 FROM applied_schema WHERE name = $1", file.name)) continue;
        connection.script(in_dialect(file.text));
        system::fault_point("schema file half applied");
        connection.run("INSERT INTO applied_schema (name, digest, applied_at) VALUES ($1, $2, $3)", file.name,
                       system::hex(system::sha256(file.text)), now);
        transaction.commit();
    }
}

void require_current(Connection& connection, std::span<const embedded::File> files) {
    auto applied = checked_history(connection, files);
    for (auto& file : files)
        if (!applied.contains(std::string(file.name)))
            throw Error(Error::Kind::other,
                        fmt::format("the database lacks schema/{}; run any writing command, or `postrider serve`, once",
                                    file.name));
}

}
