#include "storage/connection.hpp"
#include "storage/database.hpp"
#include "storage/migrations.hpp"

#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <unistd.h>

namespace postrider::storage {
namespace {

class Storage : public testing::Test {
protected:
    Storage() {
        auto pattern = (std::filesystem::temp_directory_path() / "postrider-XXXXXX").string();
        folder = mkdtemp(pattern.data());
    }
    ~Storage() override { std::filesystem::remove_all(folder); }

    std::string path() const { return folder / "test.db"; }
    std::string url() const { return "sqlite:" + path(); }
    static Error::Kind kind_thrown_by(auto action) {
        try {
            action();
        } catch (const Error& error) {
            message = error.what();
            return error.kind;
        }
        ADD_FAILURE() << "nothing was thrown";
        return Error::Kind::other;
    }

    std::filesystem::path folder;
    static inline std::string message;
};

TEST_F(Storage, ASnapshotSeesOneMomentAndKeepsNobodyWaiting) {
    Connection reading(url()), writing(url());
    writing.script("CREATE TABLE a (n INTEGER)");
    auto count = [](Connection& c) { return c.value<int>("SELECT count(*) FROM a").value(); };
    {
        Snapshot moment(reading);
        EXPECT_EQ(count(reading), 0);
        writing.run("INSERT INTO a VALUES (1)");
        EXPECT_EQ(count(reading), 0);
        Snapshot within(reading);
        EXPECT_EQ(count(reading), 0);
    }
    EXPECT_EQ(count(reading), 1);
    EXPECT_FALSE(reading.in_transaction());
}

TEST_F(Storage, ATransactionFindsALogThatWasCutOffAndWritesNothingMore) {
    auto log = path() + "-wal";
    for (auto harm : {0, 1, 2}) {
        std::filesystem::remove(path());
        Connection connection(url());
        connection.script("CREATE TABLE a (n INTEGER)");
        auto insert = [&] {
            Transaction transaction(connection);
            connection.run("INSERT INTO a VALUES (1)");
            transaction.commit();
        };
        insert();
        EXPECT_TRUE(connection.still_in_place());
        auto size = std::filesystem::file_size(log);
        if (harm == 0) std::filesystem::resize_file(log, size - 1);
        if (harm == 1) std::filesystem::resize_file(log, 0), std::filesystem::resize_file(log, size); // a hole
        if (harm == 2) std::filesystem::remove(log);
        EXPECT_EQ(kind_thrown_by(insert), Error::Kind::other);
        EXPECT_NE(message.find("-wal was cut off"), message.npos) << message;
        EXPECT_FALSE(connection.still_in_place());
        EXPECT_FALSE(connection.in_transaction());
    }
}

constexpr embedded::File first{"001_a.sql", "CREATE TABLE a (id {auto_id}, word TEXT NOT NULL) {strict};"};
constexpr embedded::File second{"002_b.sql", "CREATE TABLE b (id {auto_id}) {strict}; INSERT INTO b VALUES (7);"};

TEST_F(Storage, ValuesComeBackAsTheyWent) {
    Connection connection(url());
    connection.script("CREATE TABLE t (i INTEGER, r REAL, s TEXT, b BLOB) STRICT");
    std::string zeros("a\0b", 3);
    connection.run("INSERT INTO t VALUES ($1, $2, $3, $4)", 9'000'000'000LL, 1.5, zeros, Blob{zeros});
    connection.each("SELECT i, r, s, b FROM t", [&](const Row& row) {
        EXPECT_EQ(row.get<std::int64_t>(0), 9'000'000'000LL);
        EXPECT_EQ(row.get<double>(1), 1.5);
        EXPECT_EQ(row.get<std::string>(2), zeros);
        EXPECT_EQ(row.blob(3), zeros);
    });
}

TEST_F(Storage, AWrongTypeIsRefusedAndNeverGuessed) {
    Connection connection(url());
    EXPECT_THROW((void)connection.value<std::int64_t>("SELECT 'seven'"), Error);
    EXPECT_THROW((void)connection.value<std::string>("SELECT 7"), Error);
    EXPECT_THROW((void)connection.value<std::string>("SELECT NULL"), Error);
    EXPECT_THROW((void)connection.value<int>("SELECT 9000000000"), Error);
    EXPECT_EQ(connection.value<std::optional<std::string>>("SELECT NULL").value(), std::nullopt);
}

TEST_F(Storage, ValuesAreBoundByNumberWhateverTheirOrderInTheText) {
    Connection connection(url());
    EXPECT_EQ(connection.value<std::string>("SELECT $2 || $1 || $2", "a", "b"), "bab");
    EXPECT_THROW(connection.run("SELECT $1", 1, 2), Error);
}

TEST_F(Storage, ATransactionThatIsNotCommittedNeverHappened) {
    Connection connection(url());
    connection.script("CREATE TABLE t (i INTEGER) STRICT");
    {
        Transaction forgotten(connection);
        connection.run("INSERT INTO t VALUES (1)");
    }
    EXPECT_EQ(connection.value<std::int64_t>("SELECT count(*) FROM t"), 0);
    {
        Transaction outer(connection);
        {
            Transaction inner(connection);
            connection.run("INSERT INTO t VALUES (2)");
            inner.commit();
        }
        outer.commit();
    }
    EXPECT_EQ(connection.value<std::int64_t>("SELECT count(*) FROM t"), 1);
}

TEST_F(Storage, AnInnerTransactionThatIsNotCommittedUndoesItselfAndNotTheOuterOne) {
    Connection connection(url());
    connection.script("CREATE TABLE t (i INTEGER) STRICT");
    Transaction outer(connection);
    connection.run("INSERT INTO t VALUES (1)");
    {
        Transaction inner(connection);
        connection.run("INSERT INTO t VALUES (2)");
    }
    outer.commit();
    EXPECT_EQ(connection.value<std::int64_t>("SELECT sum(i) FROM t"), 1);
}

TEST_F(Storage, AnOuterTransactionThatIsNotCommittedUndoesTheInnerOnesToo) {
    Connection connection(url());
    connection.script("CREATE TABLE t (i INTEGER) STRICT");
    {
        Transaction outer(connection);
        Transaction inner(connection);
        connection.run("INSERT INTO t VALUES (2)");
        inner.commit();
    }
    EXPECT_EQ(connection.value<std::int64_t>("SELECT count(*) FROM t"), 0);
}

TEST_F(Storage, SchemaFilesAreAppliedOnceAndInOrder) {
    Connection connection(url());
    std::array files{first};
    migrate(connection, files, Time());
    std::array more{first, second};
    migrate(connection, more, Time());
    migrate(connection, more, Time());
    EXPECT_EQ(connection.value<std::int64_t>("SELECT count(*) FROM b"), 1);
    require_current(connection, more);
}

TEST_F(Storage, ANewerDatabaseIsRefusedByName) {
    Connection connection(url());
    std::array more{first, second};
    migrate(connection, more, Time());
    std::array files{first};
    EXPECT_EQ(kind_thrown_by([&] { migrate(connection, files, Time()); }), Error::Kind::newer);
    EXPECT_NE(message.find("002_b.sql"), message.npos) << message;
}

TEST_F(Storage, AChangedSchemaFileIsRefusedByName) {
    Connection connection(url());
    std::array files{first};
    migrate(connection, files, Time());
    std::array changed{embedded::File{"001_a.sql", "CREATE TABLE a (id {auto_id}) {strict};"}};
    EXPECT_EQ(kind_thrown_by([&] { migrate(connection, changed, Time()); }), Error::Kind::newer);
    EXPECT_NE(message.find("001_a.sql"), message.npos) << message;
}

TEST_F(Storage, ASchemaFileThatFailsInItsMiddleLeavesNothing) {
    Connection connection(url());
    std::array files{first,
                     embedded::File{"002_bad.sql", "CREATE TABLE c (id {auto_id}) {strict}; CREATE TABLE oops ("}};
    EXPECT_THROW(migrate(connection, files, Time()), Error);
    EXPECT_FALSE(connection.value<std::int64_t>("SELECT 1 FROM sqlite_schema WHERE name = 'c'"));
    EXPECT_TRUE(connection.value<std::int64_t>("SELECT 1 FROM sqlite_schema WHERE name = 'a'"));
}

TEST_F(Storage, TheShippedSchemaAppliesToAnEmptyDatabase) {
    Connection connection(url());
    migrate(connection, embedded::schema(), Time());
    EXPECT_EQ(connection.value<std::int64_t>("SELECT count(*) FROM list"), 0);
}

TEST_F(Storage, AFileThatIsNoDatabaseIsNamed) {
    std::ofstream(path()) << std::string(8192, 'x');
    EXPECT_EQ(kind_thrown_by([&] { Connection connection(url()); }), Error::Kind::not_a_database);
    EXPECT_NE(message.find(path()), message.npos) << message;
}

TEST_F(Storage, AnotherProgramsDatabaseIsLeftAlone) {
    Connection connection(url());
    connection.script("CREATE TABLE theirs (i INTEGER)");
    std::array files{first};
    EXPECT_EQ(kind_thrown_by([&] { migrate(connection, files, Time()); }), Error::Kind::not_a_database);
}

TEST_F(Storage, ABackupIsAWholeDatabase) {
    Connection connection(url());
    connection.script("CREATE TABLE t (i INTEGER) STRICT; INSERT INTO t VALUES (5)");
    connection.backup_to(folder / "copy.db");
    Connection copy("sqlite:" + (folder / "copy.db").string(), Access::read_only);
    EXPECT_EQ(copy.value<std::int64_t>("SELECT i FROM t"), 5);
    EXPECT_EQ(kind_thrown_by([&] { copy.run("INSERT INTO t VALUES (6)"); }), Error::Kind::read_only);
}

TEST_F(Storage, TheDaemonsDatabaseRunsWorkOnItsThreadsAndBringsBackValuesAndExceptions) {
    {
        Connection setup(url());
        setup.script("CREATE TABLE t (i INTEGER) STRICT");
    }
    Database database(url());
    boost::asio::io_context loop;
    std::int64_t seen = 0;
    bool thrown = false;
    auto story = [&]() -> boost::asio::awaitable<void> {
        co_await database.write([](Connection& c) { return c.run("INSERT INTO t VALUES (41)"); });
        seen = co_await database.read([](Connection& c) { return c.value<std::int64_t>("SELECT i FROM t").value(); });
        try {
            co_await database.write([](Connection& c) { c.run("INSERT INTO nowhere VALUES (1)"); });
        } catch (const Error&) {
            thrown = true;
        }
    };
    boost::asio::co_spawn(loop, story(), [](std::exception_ptr error) {
        if (error) std::rethrow_exception(error);
    });
    loop.run();
    EXPECT_EQ(seen, 41);
    EXPECT_TRUE(thrown);
}

}
}
