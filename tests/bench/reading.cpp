#include "stories/encoding.hpp"
#include "stories/feed.hpp"
#include "stories/html.hpp"
#include "stories/news.hpp"
#include "stories/page.hpp"
#include "system/embedded.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <vector>

// How fast feeds and article pages are read on one core.
//
// In:   the folder that POSTRIDER_CORPORA names.
// Out:  one line of JSON: medians of rounds in processor time, and the longest that one feed or page took. "read": the
//       feed parsed; "news": also made safe and sorted, as a poll has it; "article": a page read.

namespace fs = std::filesystem;
using namespace postrider;

namespace {

struct File {
    std::string name, bytes;
};

std::vector<File> files_of(const fs::path& folder, const std::function<bool(const fs::path&)>& wanted) {
    std::vector<File> files;
    if (!fs::is_directory(folder)) return files;
    for (auto& entry : fs::recursive_directory_iterator(folder)) {
        if (!entry.is_regular_file() || !wanted(entry.path())) continue;
        std::ifstream in(entry.path(), std::ios::binary);
        files.push_back({entry.path().string(), {std::istreambuf_iterator<char>(in), {}}});
    }
    std::ranges::sort(files, {}, &File::name);
    return files;
}

double processor_seconds() {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return double(now.tv_sec) + double(now.tv_nsec) / 1e9;
}

struct Result {
    double per_second = 0, megabytes_per_second = 0, longest_ms = 0;
    std::string longest;
};

// Each round reads all files once; what counts is the median round, and the quickest reading of the slowest file.
Result measured(const std::vector<File>& files, int rounds, const std::function<void(const File&)>& read) {
    std::vector<double> seconds, best(files.size(), 1e9);
    for (int round = 0; round < rounds; ++round) {
        double all = 0;
        for (std::size_t i = 0; i < files.size(); ++i) {
            const auto began = processor_seconds();
            read(files[i]);
            const auto took = processor_seconds() - began;
            best[i] = std::min(best[i], took);
            all += took;
        }
        seconds.push_back(all);
    }
    if (files.empty()) return {};
    std::ranges::sort(seconds);
    const auto median = seconds[seconds.size() / 2];
    double bytes = 0;
    for (auto& file : files) bytes += double(file.bytes.size());
    const auto slowest = std::size_t(std::ranges::max_element(best) - best.begin());
    return {double(files.size()) / median, bytes / 1e6 / median, best[slowest] * 1000,
            fs::path(files[slowest].name).filename().string()};
}

std::string json_of(const Result& result) {
    return fmt::format(
        R"({{"per_second": {:.1f}, "megabytes_per_second": {:.2f}, "longest_ms": {:.2f}, "longest": "{}"}})",
        result.per_second, result.megabytes_per_second, result.longest_ms, result.longest);
}

}

int main() {
    const char* corpora = std::getenv("POSTRIDER_CORPORA");
    if (!corpora) {
        fmt::print(stderr, "POSTRIDER_CORPORA does not name a folder: nothing to read\n");
        return 0;
    }
    const auto ends = [](std::vector<std::string> extensions) {
        return [extensions = std::move(extensions)](const fs::path& path) -> bool {
            return path.filename() != "README.md" &&
                   std::ranges::find(extensions, path.extension().string()) != extensions.end();
        };
    };
    const auto feeds = files_of(fs::path(corpora) / "feeds-real", ends({".xml", ".rss", ".atom", ".rdf"}));
    auto pages = files_of(fs::path(corpora) / "article-readability",
                          [](const fs::path& path) { return path.filename() == "source.html"; });
    const Time now(1'800'000'000'000ms);
    constexpr int rounds = 5;
    const auto read = measured(feeds, rounds, [](const File& file) {
        (void)stories::parse_feed(file.bytes, "", "https://a.example/feed").has_value();
    });
    const auto news = measured(feeds, rounds, [&](const File& file) {
        if (auto feed = stories::parse_feed(file.bytes, "", "https://a.example/feed"))
            (void)stories::news_of(std::move(*feed), "https://a.example/feed", now);
    });
    const auto article = measured(pages, rounds, [](const File& file) {
        (void)stories::read_page(file.bytes, "text/html", "https://a.example/page").has_value();
    });
    fmt::print("{{\"feeds\": {}, \"pages\": {}, \"read\": {}, \"news\": {}, \"article\": {}}}\n", feeds.size(),
               pages.size(), json_of(read), json_of(news), json_of(article));
    return 0;
}
