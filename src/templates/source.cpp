#include "templates/source.hpp"

#include "system/embedded.hpp"
#include "system/nearest.hpp"
#include "templates/catalogue.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <fstream>
#include <map>
#include <system_error>

namespace postrider::templates {
namespace {

constexpr std::string_view suffix = ".mustache";
constexpr std::size_t largest = 16 * 1024 * 1024;

bool is_name(std::string_view name) {
    auto letter = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
               c == '.';
    };
    return !name.empty() && name.size() <= 100 && name.front() != '.' && std::ranges::all_of(name, letter);
}

bool is_catalogue(std::string_view name) { return language_in(name).has_value(); }

std::string file_of(std::string_view name) { return std::string(name).append(is_catalogue(name) ? "" : suffix); }

bool is_absence(std::error_code error) {
    return error == std::errc::no_such_file_or_directory || error == std::errc::not_a_directory;
}

}

std::string name_of(const std::filesystem::path& path) {
    std::string name = path.filename().string();
    if (name.ends_with(suffix)) name.resize(name.size() - suffix.size());
    return name;
}

Source read_source(const std::filesystem::path& path) {
    // Read to its end rather than by its size, so that pipes (/dev/stdin, <(command)) serve too.
    std::error_code error;
    bool folder = std::filesystem::is_directory(path, error);
    std::ifstream file(path, std::ios::binary);
    if (folder) throw TemplateError(fmt::format("{}: is a folder", path.string()));
    if (!file) throw TemplateError(fmt::format("{}: {}", path.string(), std::generic_category().message(errno)));

    Source source{name_of(path), path.string(), {}};
    std::array<char, 65536> block;
    while (file.read(block.data(), block.size()) || file.gcount() > 0) {
        source.text.append(block.data(), std::size_t(file.gcount()));
        if (source.text.size() > largest) throw TemplateError(fmt::format("{}: larger than 16 MB", path.string()));
    }
    if (file.bad()) throw TemplateError(fmt::format("{}: cannot be read", path.string()));
    return source;
}

Library::Library(std::filesystem::path folder) : folder_(std::move(folder)) {}

std::optional<Source> Library::find(std::string_view name) const {
    if (!is_name(name)) return std::nullopt;
    auto path = folder_ / file_of(name);
    std::error_code error;
    auto status = std::filesystem::status(path, error);
    if (!std::filesystem::exists(status)) {
        // A folder we may not look into is not the same as a folder without the file.
        if (error && !is_absence(error)) throw TemplateError(fmt::format("{}: {}", path.string(), error.message()));
        return built_in(name);
    }
    Source source = read_source(path);
    source.file = file_of(name);
    return source;
}

Source Library::get(std::string_view name) const {
    if (auto source = find(name)) return *std::move(source);
    std::vector<std::string> known;
    for (Entry& entry : names()) known.push_back(std::move(entry.name));
    for (Entry& entry : catalogue_names()) known.push_back(std::move(entry.name));
    std::string message = fmt::format("there is no template \"{}\"", name);
    if (auto near = system::nearest(name, known)) message += fmt::format("; did you mean \"{}\"?", *near);
    throw TemplateError(message);
}

std::vector<Library::Entry> Library::names() const { return entries(false); }

std::vector<Library::Entry> Library::catalogue_names() const { return entries(true); }

std::vector<Source> Library::catalogues() const {
    std::vector<Source> sources;
    for (auto& entry : catalogue_names())
        if (entry.origin != Origin::built_in) sources.push_back(get(entry.name));
    return sources;
}

std::vector<Library::Entry> Library::entries(bool catalogues) const {
    auto is_one = [&](std::string_view file) {
        return catalogues ? is_catalogue(file) : file.ends_with(suffix) && is_name(name_of(file));
    };
    std::map<std::string, Origin, std::less<>> found;
    for (const embedded::File& file : embedded::templates())
        if (is_one(file.name)) found.emplace(name_of(file.name), Origin::built_in);

    std::error_code error;
    std::filesystem::directory_iterator end;
    for (std::filesystem::directory_iterator entry(folder_, error); !error && entry != end; entry.increment(error)) {
        std::string file = entry->path().filename().string();
        if (!is_one(file)) continue;
        auto [place, added] = found.emplace(name_of(file), Origin::added);
        if (!added) place->second = Origin::changed;
    }
    if (error && !is_absence(error)) throw TemplateError(fmt::format("{}: {}", folder_.string(), error.message()));

    std::vector<Entry> entries;
    for (auto& [name, origin] : found) entries.push_back({name, origin});
    return entries;
}

std::optional<Source> Library::built_in(std::string_view name) {
    std::string wanted = file_of(name);
    for (const embedded::File& file : embedded::templates())
        if (file.name == wanted) return Source{std::string(name), wanted, std::string(file.text)};
    return std::nullopt;
}

}
