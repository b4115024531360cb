#include "storage/database.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include <filesystem>
#include <stdexcept>
#include <string>
#include <unistd.h>
#include <vector>

namespace postrider::storage {
namespace {

namespace asio = boost::asio;

class Together : public testing::Test {
protected:
    Together() {
        auto pattern = (std::filesystem::temp_directory_path() / "postrider-XXXXXX").string();
        folder = mkdtemp(pattern.data());
        setup.emplace("sqlite:" + (folder / "test.db").string());
        setup->script("CREATE TABLE parent (id INTEGER PRIMARY KEY);"
                      "CREATE TABLE child (parent INTEGER REFERENCES parent (id) DEFERRABLE INITIALLY DEFERRED);"
                      "CREATE TABLE item (n INTEGER)");
    }
    ~Together() override {
        setup.reset();
        std::filesystem::remove_all(folder);
    }

    std::int64_t count(std::string_view table) {
        return setup->value<std::int64_t>("SELECT count(*) FROM " + std::string(table)).value();
    }
    // Each of the works is asked for by a coroutine of its own, all at once; what became of each, in order.
    std::vector<std::string> asked_at_once(std::vector<std::function<int(Connection&)>> works) {
        asio::io_context loop;
        Database database("sqlite:" + (folder / "test.db").string());
        std::vector<std::string> became(works.size());
        for (std::size_t i = 0; i < works.size(); ++i)
            asio::co_spawn(
                loop,
                [&, i]() -> asio::awaitable<void> {
                    try {
                        auto value = co_await database.write_together(works[i]);
                        became[i] = std::to_string(value);
                    } catch (const std::exception& error) {
                        became[i] = error.what();
                    }
                },
                asio::detached);
        loop.run();
        return became;
    }
    static int put(Connection& connection, int n) {
        connection.run("INSERT INTO item (n) VALUES ($1)", n);
        return n;
    }

    std::filesystem::path folder;
    std::optional<Connection> setup;
};

TEST_F(Together, WhatIsAskedAtOnceIsCommittedAtOnceAndEachGetsItsOwnValue) {
    auto before = setup->data_version();
    std::vector<std::function<int(Connection&)>> works;
    for (int n = 0; n < 40; ++n) works.emplace_back([n](Connection& c) { return put(c, n); });
    auto became = asked_at_once(works);
    for (int n = 0; n < 40; ++n) EXPECT_EQ(became[std::size_t(n)], std::to_string(n));
    EXPECT_EQ(count("item"), 40);
    EXPECT_EQ(setup->data_version(), before + 1);
}

TEST_F(Together, OneThatFailsLeavesNothingBehindAndTheOthersAlone) {
    auto became = asked_at_once({[](Connection& c) { return put(c, 1); },
                                 [](Connection& c) -> int {
                                     put(c, 2);
                                     throw std::runtime_error("no");
                                 },
                                 [](Connection& c) { return put(c, 3); }});
    EXPECT_EQ(became, (std::vector<std::string>{"1", "no", "3"}));
    EXPECT_EQ(setup->all("SELECT n FROM item ORDER BY n", [](const Row& row) { return row.integer(0); }),
              (std::vector<std::int64_t>{1, 3}));
}

TEST_F(Together, NobodyIsToldOfSuccessWhenTheCommitFails) {
    // A deferred foreign key is looked at in the commit.
    auto became = asked_at_once({[](Connection& c) { return put(c, 1); },
                                 [](Connection& c) {
                                     c.run("INSERT INTO child (parent) VALUES (7)");
                                     return 2;
                                 }});
    EXPECT_NE(became[0].find("FOREIGN KEY"), std::string::npos) << became[0];
    EXPECT_NE(became[1].find("FOREIGN KEY"), std::string::npos) << became[1];
    EXPECT_EQ(count("item") + count("child"), 0);
}

}
}
