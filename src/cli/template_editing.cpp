#include "cli/template_editing.hpp"

#include "templates/copies.hpp"
#include "templates/line_diff.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <spawn.h>
#include <sys/wait.h>

extern char** environ;

namespace postrider::cli {
namespace {

namespace fs = std::filesystem;
using templates::Library;
using templates::Source;

void open_editor(const fs::path& file) {
    auto* editor = std::getenv("EDITOR");
    if (!editor || !*editor) return;
    // $EDITOR may bring options of its own ("code --wait"), so a shell reads it; the file is an argument.
    std::string shell = "/bin/sh", option = "-c", script = std::string(editor) + " \"$1\"", name = "postrider",
                path = file.string();
    char* words[] = {shell.data(), option.data(), script.data(), name.data(), path.data(), nullptr};
    pid_t child = 0;
    if (posix_spawn(&child, "/bin/sh", nullptr, nullptr, words, environ) != 0)
        throw Failure(fmt::format("the editor \"{}\" could not be started", editor));
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
}

void copy(const Library& library, const Source& source, const fs::path& path) {
    fs::create_directories(library.folder());
    std::ofstream file(path, std::ios::binary);
    file << source.text;
    file.flush();
    if (!file) throw Failure(fmt::format("{}: cannot be written", path.string()));
    templates::remember_built_in(library, source.name);
}

int say_merged(Call& call, const Source& source, bool there) {
    if (!there) throw Failure(fmt::format("{} is the built-in one: there is nothing to merge", source.name));
    if (!Library::built_in(source.name)) throw Failure(fmt::format("{} has no built-in one", source.name));
    templates::remember_built_in(call.library(), source.name);
    call.say(fmt::format("{} counts as made from the built-in one of today", source.name));
    return 0;
}

bool diff_one(Call& call, const std::string& name) {
    auto& library = call.library();
    auto yours = library.get(name);
    auto built_in = Library::built_in(name);
    auto copied = templates::copied_from(library, name);
    if (!built_in || !fs::exists(library.folder() / yours.file)) {
        call.note(name + (built_in ? " is the built-in one" : " has no built-in one to compare with"));
        return false;
    }
    if (call.has("--built-in")) {
        if (!copied)
            call.note(fmt::format("{} was not copied by `template edit`, so from which built-in one it was made is not "
                                  "known",
                                  name));
        else
            call.out << templates::unified_diff(*copied, built_in->text, name + " (as you copied it)",
                                                name + " (built-in)");
        return copied && *copied != built_in->text;
    }
    call.out << templates::unified_diff(copied.value_or(built_in->text), yours.text, name + " (built-in)",
                                        name + " (yours)");
    if (copied && *copied != built_in->text)
        call.note(fmt::format("the built-in {0} has changed since you copied it: `postrider template diff {0} "
                              "--built-in` shows how; `postrider template edit {0} --merged` when you have taken it "
                              "over",
                              name));
    return copied.value_or(built_in->text) != yours.text;
}

}

int edit_template(Call& call) {
    auto& library = call.library();
    auto source = library.get(call.argument(0));
    auto path = library.folder() / source.file;
    bool there = fs::exists(path);
    if (call.has("--merged")) return say_merged(call, source, there);
    if (!there) copy(library, source, path);
    call.say(there ? fmt::format("{} is yours already", path.string())
                   : fmt::format("{} is a copy of the built-in one; `postrider template check {}` when you have "
                                 "changed it",
                                 path.string(), source.name));
    if (call.terminal.in && call.terminal.out) open_editor(path);
    return 0;
}

int diff_templates(Call& call) {
    if (call.count() > 0) {
        if (!diff_one(call, call.argument(0))) call.say("no difference");
        return 0;
    }
    bool any = false;
    auto entries = call.library().names();
    for (auto& catalogue : call.library().catalogue_names()) entries.push_back(catalogue);
    for (auto& entry : entries)
        if (entry.origin == Library::Origin::changed) any |= diff_one(call, entry.name);
    if (!any) call.say("no difference");
    return 0;
}

}
