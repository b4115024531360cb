#pragma once

#include "system/rate.hpp"
#include "system/time.hpp"

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

// postrider.toml, read key by key, each with its type and its default.
//
// In:     the file, and the environment: POSTRIDER_HTTP__LISTEN=... stands in for listen of [http]; only names with a
// double
//         underscore are keys. Then one call for each key the program knows.
// Out:    values; or a ConfigError "postrider.toml:12: retry_for of [delivery]: ..." that says what to write instead.
// Always: a key that nobody asked for is an error with the nearest known key (finish()): a typing mistake never passes
// for a default.

namespace postrider::system {

struct ConfigError : std::runtime_error {
    using std::runtime_error::runtime_error;
};

class Config {
public:
    // One [table], or one of several [[tables]].
    class Table {
    public:
        [[nodiscard]] std::string text(std::string_view key, std::string_view otherwise = "");
        [[nodiscard]] std::optional<std::string> text_if(std::string_view key);
        [[nodiscard]] std::string required(std::string_view key, std::string_view example);
        [[nodiscard]] bool flag(std::string_view key, bool otherwise);
        [[nodiscard]] std::int64_t number(std::string_view key, std::int64_t otherwise, std::int64_t least,
                                          std::int64_t most);
        [[nodiscard]] Duration duration(std::string_view key, Duration otherwise, Duration least = {});
        [[nodiscard]] std::optional<Rate> rate(std::string_view key, std::optional<Rate> otherwise = {});
        [[nodiscard]] std::int64_t size(std::string_view key, std::int64_t otherwise); // bytes; "10MB", "64kB"
        [[nodiscard]] std::vector<std::string> texts(std::string_view key);            // an array of strings

        // "postrider.toml:12: url of [[relay]]: " and the complaint, for what only the caller can judge.
        [[nodiscard]] ConfigError error(std::string_view key, std::string_view complaint) const;
        [[nodiscard]] bool has(std::string_view key) const;

    private:
        friend class Config;
        struct State;
        Table(std::shared_ptr<State> state, std::string name, int index)
            : state_(std::move(state)), name_(std::move(name)), index_(index) {}
        struct Found;
        [[nodiscard]] std::optional<Found> find(std::string_view key);
        [[nodiscard]] std::string place(std::string_view key) const;

        std::shared_ptr<State> state_;
        std::string name_;
        int index_; // of [[name]]; -1: [name]
    };

    // Throws ConfigError: unreadable, or no TOML (with line and column). `environment` holds NAME=VALUE.
    static Config load(const std::filesystem::path& file, const std::map<std::string, std::string>& environment);
    static std::map<std::string, std::string> process_environment(); // those that begin with POSTRIDER_

    [[nodiscard]] Table table(std::string_view name);
    [[nodiscard]] std::vector<Table> tables(std::string_view name); // of [[name]], in order
    // Whether the file has [name] or [[name]], even without a key in it.
    [[nodiscard]] bool has(std::string_view table) const;
    // Throws ConfigError for the first key, table or environment name that was not asked for.
    void finish() const;

private:
    explicit Config(std::shared_ptr<Table::State> state) : state_(std::move(state)) {}
    std::shared_ptr<Table::State> state_;
};

}
