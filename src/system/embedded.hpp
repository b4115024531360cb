#pragma once

#include <span>
#include <string_view>

// Files of schema/, templates/ and config/ that the build puts into the binary. Views live as long as the program; sorted by
// name.

namespace postrider::embedded {

struct File {
    std::string_view name; // "001_lists.sql"
    std::string_view text;
};

std::span<const File> schema();
std::span<const File> templates();
std::span<const File> sample();  // the feed of `postrider demo`
std::span<const File> scripts(); // what pages may load

}
