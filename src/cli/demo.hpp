#pragma once

#include <filesystem>
#include <iosfwd>
#include <optional>
#include <string>

// The whole story in one process: a site in a folder of its own, a feed, three readers who join through the real pages, an issue over
// SMTP to the built-in relay, one reader who leaves by one click. Every step is looked at from outside and checked.

namespace postrider::cli {

struct DemoOptions {
    std::optional<std::filesystem::path> site; // none: a temporary folder
    std::optional<std::string> feed;           // URL or file; none: the built-in sample
    bool keep_serving = false;                 // until a signal, when all is verified
};

// 0 only if every step was verified.
int demo(const DemoOptions& options, std::ostream& out);

}
