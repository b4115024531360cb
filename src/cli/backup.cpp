#include "cli/call.hpp"
#include "cli/command.hpp"
#include "cli/new_file.hpp"
#include "cli/seal.hpp"
#include "storage/migrations.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <unistd.h>

// A backup is one SQLite file: the database as it was at one moment, and in the table kept_file the files that belong
// to the site. Behind the last page stands a seal; the number in the header says that it must be there.

namespace postrider::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t sealed = 0x50536561; // SQLite's application_id

// Removes what was begun unless it came to its end.
class Unfinished {
public:
    explicit Unfinished(fs::path path) : path_(std::move(path)) {}
    ~Unfinished() {
        std::error_code ignored;
        if (!path_.empty()) fs::remove_all(path_, ignored);
    }
    Unfinished(const Unfinished&) = delete;
    Unfinished& operator=(const Unfinished&) = delete;
    void keep() { path_.clear(); }

private:
    fs::path path_;
};

std::string bytes_of(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) throw Failure(fmt::format("{}: {}", path.string(), std::strerror(errno)));
    return {std::istreambuf_iterator(file), {}};
}

void keep_file(storage::Connection& backup, const fs::path& file, const std::string& name) {
    auto mode = std::int64_t(fs::status(file).permissions() & fs::perms::mask);
    auto bytes = bytes_of(file);
    backup.run("INSERT INTO kept_file (path, mode, content) VALUES ($1, $2, $3)", name, mode, storage::Blob{bytes});
}

void keep_folder(storage::Connection& backup, const fs::path& folder, const std::string& name) {
    if (!fs::is_directory(folder)) return;
    for (auto& entry : fs::recursive_directory_iterator(folder))
        if (entry.is_regular_file())
            keep_file(backup, entry.path(), (fs::path(name) / fs::relative(entry.path(), folder)).generic_string());
}

int backup(Call& call) {
    auto& site = call.site();
    fs::path file = call.argument(0);
    if (fs::exists(file)) throw Failure(fmt::format("{} is there already; name a new file", file.string()));
    auto part = fs::path(file.string() + ".part");
    make_private_file(part); // with its mode, before a byte of it is secret
    Unfinished unfinished(part);
    call.database().backup_to(part.string());
    {
        storage::Connection copy("sqlite:" + part.string());
        copy.script("PRAGMA journal_mode=DELETE");
        copy.script(fmt::format("PRAGMA application_id={}", sealed));
        storage::Transaction transaction(copy);
        copy.script(
            "CREATE TABLE kept_file (path TEXT PRIMARY KEY, mode INTEGER NOT NULL, content BLOB NOT NULL) STRICT");
        keep_file(copy, site.folder / "postrider.toml", "postrider.toml");
        keep_folder(copy, site.keys, "keys");
        keep_folder(copy, site.templates, "templates");
        transaction.commit();
    }
    seal(part);
    // link() refuses to overwrite, whoever made the file meanwhile.
    if (::link(part.c_str(), file.c_str()) != 0)
        throw Failure(fmt::format("{}: {}", file.string(), std::strerror(errno)));
    call.say(fmt::format("{} holds the whole site ({} bytes), keys included: keep it as safe as them", file.string(),
                         fs::file_size(file)));
    return 0;
}

struct KeptFile {
    fs::path path;
    std::int64_t mode;
    std::string content;
};

bool stays_inside(const fs::path& path) {
    if (path.empty() || path.is_absolute()) return false;
    for (auto& step : path)
        if (step == ".." || step == "." || step.empty()) return false;
    auto first = path.begin()->string();
    return path == "postrider.toml" || first == "keys" || first == "templates";
}

std::vector<KeptFile> kept_files(storage::Connection& backup, const std::string& name) {
    if (!backup.value<std::int64_t>("SELECT 1 FROM sqlite_schema WHERE name = 'kept_file'"))
        throw Failure(fmt::format("{} is a database, but no backup: `postrider backup` makes one", name));
    auto files = backup.all("SELECT path, mode, content FROM kept_file ORDER BY path", [](const storage::Row& row) {
        return KeptFile{std::string(row.text(0)), row.integer(1), std::string(row.blob(2))};
    });
    for (auto& file : files)
        if (!stays_inside(file.path))
            throw Failure(fmt::format("{} holds a file \"{}\" that would leave the site; nothing was restored", name,
                                      file.path.string()));
    return files;
}

// Integrity and schema. The newest schema is not needed: restoring brings it up to date.
void check(storage::Connection& backup, const std::string& name) {
    auto verdict = backup.value<std::string>("PRAGMA integrity_check(1)").value_or("no answer");
    if (verdict != "ok") throw Failure(fmt::format("{} is damaged: {}", name, verdict));
    auto foreign = backup.value<std::string>("PRAGMA foreign_key_check");
    if (foreign) throw Failure(fmt::format("{} is damaged: rows of {} point nowhere", name, *foreign));
    if (!backup.value<std::int64_t>("SELECT 1 FROM sqlite_schema WHERE name = 'applied_schema'"))
        throw Failure(fmt::format("{} is no database of Postrider", name));
    backup.each("SELECT name FROM applied_schema", [&](const storage::Row& row) {
        auto known = embedded::schema();
        if (std::ranges::find(known, row.text(0), &embedded::File::name) == known.end())
            throw Failure(fmt::format("{} was made by a newer Postrider: it has schema/{}; install the newer program",
                                      name, row.text(0)));
    });
}

std::string counts_of(storage::Connection& backup, std::size_t files) {
    auto count = [&](std::string_view table) {
        return backup.value<std::int64_t>("SELECT count(*) FROM " + std::string(table)).value_or(0);
    };
    return fmt::format("{}, {}, {}, {}, {}", counted(count("list"), "list"), counted(count("subscriber"), "subscriber"),
                       counted(count("story"), "story", "stories"), counted(count("issue"), "issue"),
                       counted(std::int64_t(files), "file"));
}

void write_file(const fs::path& folder, const KeptFile& kept) {
    auto path = folder / kept.path;
    fs::create_directories(path.parent_path());
    if (*kept.path.begin() == "keys") fs::permissions(folder / "keys", fs::perms::owner_all);
    make_private_file(path);
    std::ofstream file(path, std::ios::binary);
    file << kept.content;
    file.flush();
    if (!file) throw Failure(fmt::format("{}: cannot be written", path.string()));
    fs::permissions(path, fs::perms(kept.mode) & fs::perms::mask);
}

fs::path empty_folder(Call& call) {
    fs::path folder = call.folder().value_or(".");
    if (fs::exists(folder) && (!fs::is_directory(folder) || !fs::is_empty(folder)))
        throw Failure(fmt::format("{} is not empty, and nothing was changed; name a new folder: postrider -C DIR "
                                  "restore {}",
                                  folder.string(), call.argument(0)));
    return folder;
}

int restore(Call& call) {
    auto& name = call.argument(0);
    if (!fs::is_regular_file(name)) throw Failure(fmt::format("{}: there is no such file", name));
    auto found = seal_of(name); // first: what is damaged may mislead SQLite too
    if (found == Seal::broken)
        throw Failure(fmt::format("{} is damaged: its content and its checksum do not agree", name));
    storage::Connection backup("sqlite:" + name, storage::Access::read_only);
    if (found == Seal::absent && backup.value<std::int64_t>("PRAGMA application_id") == sealed)
        throw Failure(fmt::format("{} is damaged: its end is missing, with the checksum", name));
    check(backup, name);
    auto files = kept_files(backup, name);
    auto counts = counts_of(backup, files.size());
    if (found == Seal::absent)
        call.note(fmt::format("{} has no checksum, as an older Postrider made it: changed values within its rows "
                              "would not be noticed",
                              name));
    if (call.has("--verify")) {
        call.say(fmt::format("{} is sound: {}", name, counts));
        return 0;
    }
    auto folder = empty_folder(call);
    bool was_there = fs::exists(folder);
    fs::create_directories(folder);
    try {
        for (auto& file : files) write_file(folder, file);
        auto site = daemon::Site::load(fs::absolute(folder));
        if (fs::exists(site.database_file))
            throw Failure(fmt::format("{} is there already; nothing was restored", site.database_file.string()));
        make_private_file(site.database_file);
        backup.backup_to(site.database_file.string());
        storage::Connection database(site.database_url);
        database.script("DROP TABLE kept_file; PRAGMA application_id=0");
        storage::migrate(database, embedded::schema(), call.now);
    } catch (...) {
        std::error_code ignored; // ours alone: it was empty, or absent
        for (auto& entry : fs::directory_iterator(folder, ignored)) fs::remove_all(entry.path(), ignored);
        if (!was_there) fs::remove(folder, ignored);
        throw;
    }
    call.say(fmt::format("restored to {}: {}", fs::absolute(folder).lexically_normal().string(), counts));
    return 0;
}

}

void add_backup(Commands& commands) {
    commands.push_back({"backup",
                        "",
                        "Write the whole site to one file while the daemon goes on: database, configuration, "
                        "keys, templates.",
                        "backup courier-2026-11-24.db",
                        {{"FILE", "a new file"}},
                        {},
                        backup});
    commands.push_back({"restore",
                        "",
                        "Make a site from a backup, in an empty folder.",
                        "-C courier restore courier-2026-11-24.db",
                        {{"FILE", "what `postrider backup` wrote"}},
                        {{"--verify", "", "only look whether the backup is sound; restores nothing"}},
                        restore});
}

}
