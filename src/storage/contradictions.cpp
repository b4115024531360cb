#include "storage/contradictions.hpp"

#include <fmt/format.h>

namespace postrider::storage {

std::vector<std::string> contradictions(Connection& connection, std::span<const Never> facts,
                                        std::span<const Never> counts, std::int64_t id) {
    std::vector<std::string> found;
    auto how_often = [&](const Never& never) { return connection.value<std::int64_t>(never.count, id).value(); };
    for (auto& fact : facts)
        if (how_often(fact) > 0) found.emplace_back(fact.words);
    for (auto& never : counts)
        if (auto n = how_often(never)) found.push_back(fmt::format("{}: {}", never.words, n));
    return found;
}

}
