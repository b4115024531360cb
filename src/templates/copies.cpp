#include "templates/copies.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <fstream>
#include <system_error>

namespace postrider::templates {
namespace {

std::filesystem::path kept_file(const Library& library, const Source& built_in) {
    return library.folder() / ".built-in" / built_in.file;
}

}

void remember_built_in(const Library& library, std::string_view name) {
    auto built_in = Library::built_in(name);
    if (!built_in) return;
    auto path = kept_file(library, *built_in);
    std::error_code error;
    std::filesystem::create_directories(path.parent_path(), error);
    if (error) throw TemplateError(fmt::format("{}: {}", path.parent_path().string(), error.message()));
    std::ofstream file(path, std::ios::binary | std::ios::trunc);
    file << built_in->text;
    file.flush();
    if (!file)
        throw TemplateError(
            fmt::format("{}: cannot be written: {}", path.string(), std::generic_category().message(errno)));
}

std::optional<std::string> copied_from(const Library& library, std::string_view name) {
    auto built_in = Library::built_in(name);
    if (!built_in) return std::nullopt;
    auto path = kept_file(library, *built_in);
    std::error_code error;
    if (!std::filesystem::exists(path, error)) return std::nullopt;
    return read_source(path).text;
}

bool built_in_has_changed(const Library& library, std::string_view name) {
    auto copied = copied_from(library, name);
    return copied && *copied != Library::built_in(name)->text;
}

}
