#include "templates/designs.hpp"

#include "system/nearest.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

namespace postrider::templates {
namespace {

constexpr std::array<std::pair<std::string_view, std::string_view>, 3> built_in = {{
    {"digest", "a front page: the lead with its picture, then the rest, by topic"},
    {"brief", "headlines, and one sentence each"},
    {"letter", "one story in full, the others as links"},
}};

using Origins = std::map<std::string, Library::Origin, std::less<>>;

Origins origins_of(const Library& library) {
    Origins origins;
    for (auto& entry : library.names()) origins.emplace(entry.name, entry.origin);
    return origins;
}

// Of a pair: changed when one of them is.
std::optional<Library::Origin> origin_of(const Origins& origins, std::string_view name) {
    auto page = origins.find(std::string(name) + ".html"), plain = origins.find(std::string(name) + ".txt");
    if (page == origins.end() || plain == origins.end()) return std::nullopt;
    return std::max(page->second, plain->second);
}

}

std::vector<Design> designs(const Library& library) {
    std::vector<Design> found;
    const auto origins = origins_of(library);
    for (auto& [name, what] : built_in)
        if (auto origin = origin_of(origins, name)) found.push_back({std::string(name), std::string(what), *origin});
    for (auto& [file, origin] : origins) {
        if (origin != Library::Origin::added || !file.ends_with(".html")) continue;
        auto name = file.substr(0, file.size() - std::string_view(".html").size());
        if (origin_of(origins, name)) found.push_back({name, "your own", origin});
    }
    return found;
}

std::optional<std::string> no_design(const Library& library, std::string_view name) {
    std::vector<std::string> known;
    for (auto& design : designs(library)) {
        if (design.name == name) return std::nullopt;
        known.push_back(design.name);
    }
    const auto origins = origins_of(library);
    const bool page = origins.contains(std::string(name) + ".html"),
               plain = origins.contains(std::string(name) + ".txt");
    if (page != plain)
        return fmt::format("there is no template \"{}.{}\"; a design needs both parts, HTML and text", name,
                           page ? "txt" : "html");
    auto message = fmt::format("there is no design \"{}\"", name);
    if (auto near = system::nearest(name, known)) return message + fmt::format("; did you mean \"{}\"?", *near);
    return message + fmt::format("; there are {}", fmt::join(known, ", "));
}

}
