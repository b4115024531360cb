#pragma once

#include "cli/run.hpp"
#include "system/random.hpp"

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>
#include <string>
#include <vector>

// Commands as an operator types them, in a folder of their own, without a process.

namespace postrider::cli {

namespace fs = std::filesystem;
namespace json = boost::json;

struct Done {
    int status;
    std::string out, err;

    [[nodiscard]] json::value data() const { return json::parse(out); }
    [[nodiscard]] long error_lines() const { return std::ranges::count(err, '\n'); }
    [[nodiscard]] bool says(std::string_view words) const { return (out + err).find(words) != std::string::npos; }
};

inline Done type(std::vector<std::string> words, const std::string& input = "", const Terminal& terminal = {}) {
    std::istringstream in(input);
    std::ostringstream out, err;
    int status = run(words, in, out, err, terminal);
    return {status, out.str(), err.str()};
}

// What is wrong usage or cannot be done is said in one line.
inline void expect_refused(const Done& done, int status, std::string_view words) {
    EXPECT_EQ(done.status, status) << done.out << done.err;
    EXPECT_EQ(done.error_lines(), 1) << done.err;
    EXPECT_TRUE(done.err.find(words) != std::string::npos) << done.err;
}

inline std::set<std::string> keys(const json::value& value) {
    std::set<std::string> names;
    for (auto& [name, unused] : value.as_object()) names.insert(name);
    return names;
}

inline void expect_keys(const json::value& value, std::initializer_list<std::string> wanted) {
    auto names = keys(value);
    for (auto& name : wanted) EXPECT_TRUE(names.contains(name)) << name << " is missing in " << value;
}

class CommandLine : public testing::Test {
protected:
    CommandLine() : folder(fs::temp_directory_path() / ("postrider-cli-" + system::hex(system::random_bytes(8)))) {
        fs::create_directories(folder);
    }
    ~CommandLine() override { fs::remove_all(folder); }

    [[nodiscard]] fs::path site() const { return folder / "site"; }
    [[nodiscard]] std::string file(std::string_view name, std::string_view content = "") const {
        auto path = folder / name;
        fs::create_directories(path.parent_path());
        std::ofstream(path, std::ios::binary) << content;
        return path.string();
    }
    [[nodiscard]] static std::string read(const fs::path& path) {
        std::ifstream stream(path, std::ios::binary);
        return {std::istreambuf_iterator(stream), {}};
    }

    // In the site.
    Done on_site(std::vector<std::string> words, const std::string& input = "", const Terminal& terminal = {}) const {
        words.insert(words.begin(), {"-C", site().string()});
        return type(std::move(words), input, terminal);
    }
    Done must(std::vector<std::string> words) const {
        auto done = on_site(words);
        EXPECT_EQ(done.status, 0) << words.front() << ": " << done.err;
        return done;
    }
    json::value data(std::vector<std::string> words) const {
        words.emplace_back("--json");
        return must(words).data();
    }

    Done init(std::vector<std::string> more = {}) const {
        std::vector<std::string> words = {"init",
                                          "--name",
                                          "The \"Courier\"",
                                          "--url",
                                          "http://127.0.0.1:8025",
                                          "--from",
                                          "The Courier <news@courier.example>",
                                          "--postal-address",
                                          "1 Press Square, Example City",
                                          "--relay",
                                          "outbox:",
                                          "--yes"};
        words.insert(words.end(), more.begin(), more.end());
        return on_site(words);
    }

    const fs::path folder;
};

// With a list, daily.
class ASite : public CommandLine {
protected:
    ASite() {
        EXPECT_EQ(init().status, 0);
        must({"list", "add", "daily", "--title", "The Daily"});
    }
    void reader(const std::string& address) const {
        must({"subscriber", "add", address, "--list", "daily", "--confirmed", "--basis", "on the phone"});
    }
    void story(const std::string& title, const std::string& url) const {
        must({"story", "add", "--title", title, "--url", url, "--list", "daily"});
    }
};

}
