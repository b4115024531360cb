#include "cli/call.hpp"
#include "cli/command.hpp"
#include "cli/template_editing.hpp"
#include "digest/example.hpp"
#include "templates/copies.hpp"
#include "templates/designs.hpp"
#include "templates/mustache.hpp"
#include "templates/review.hpp"
#include "templates/words.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

namespace postrider::cli {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;
using templates::Fault;
using templates::Library;
using templates::Source;

json::value read_data(Call& call) {
    auto name = call.text_if("--data");
    if (!name) return json::object{};
    auto text = read_file(call, *name);
    json::error_code error;
    json::parse_options options;
    options.max_depth = 256;
    auto data = json::parse(text, error, {}, options);
    if (error)
        throw Failure(fmt::format("{}: is not JSON: {}", *name == "-" ? "standard input" : *name, error.message()));
    return data;
}

int render(Call& call) {
    auto folders = call.texts("--partials");
    for (auto& folder : folders)
        if (!fs::is_directory(folder)) throw Failure(fmt::format("--partials {}: is no folder", folder));
    auto partial = [&](std::string_view name) -> std::optional<Source> {
        if (name.find('/') != name.npos || name.find("..") != name.npos)
            throw Failure(fmt::format("{}: the partial \"{}\" is refused: its name must not lead out of the folder",
                                      call.argument(0), name));
        for (auto& folder : folders)
            for (auto& file : {std::string(name) + ".mustache", std::string(name)})
                if (fs::is_regular_file(fs::path(folder) / file))
                    return templates::read_source(fs::path(folder) / file);
        return std::nullopt;
    };
    auto parsed = templates::parse(templates::read_source(call.argument(0)), partial, templates::Escaping::html);
    if (!parsed) throw Failure(parsed.error().front().text());
    call.out << parsed->render(read_data(call));
    return 0;
}

constexpr std::string_view origin_words[] = {"built-in", "changed", "added"};

using DesignLists = std::map<std::string, std::vector<std::string>, std::less<>>; // the lists that have each design

DesignLists lists_by_design(Call& call) {
    DesignLists lists;
    for (auto& list : subscribers::Lists(call.database()).all()) lists[list.template_name].push_back(list.slug);
    return lists;
}

void show_designs(Call& call, const std::vector<templates::Design>& designs, DesignLists& lists) {
    Table table({"DESIGN", "WHAT IT IS", "ORIGIN", "LISTS"});
    for (auto& design : designs) {
        auto& of_it = lists[design.name];
        table.row({design.name, design.what, std::string(origin_words[int(design.origin)]),
                   of_it.empty() ? "-" : fmt::format("{}", fmt::join(of_it, ", "))});
    }
    table.print(call.out, call.terminal);
}

int ls(Call& call) {
    json::array rows;
    Table table({"TEMPLATE", "ORIGIN"});
    auto designs = templates::designs(call.library());
    auto lists = lists_by_design(call);
    auto entries = call.library().names();
    for (auto& catalogue : call.library().catalogue_names()) entries.push_back(catalogue);
    for (auto& entry : entries) {
        auto origin = origin_words[int(entry.origin)];
        bool behind = templates::built_in_has_changed(call.library(), entry.name);
        json::object row{{"name", entry.name}, {"origin", origin}, {"built_in_has_changed", behind}};
        for (auto& design : designs)
            if (entry.name == design.name + ".html" || entry.name == design.name + ".txt") {
                row["design"] = design.name;
                row["what"] = design.what;
                row["lists"] = json::value_from(lists[design.name]);
            }
        rows.push_back(std::move(row));
        table.row({entry.name, fmt::format("{}{}", origin, behind ? "; the built-in one has changed since" : "")});
    }
    if (call.json()) {
        print_json(call.out, rows);
        return 0;
    }
    show_designs(call, designs, lists);
    call.say("");
    table.print(call.out, call.terminal);
    return 0;
}

// The built-in ones are there without a site.
Library library_of(Call& call) {
    auto* site = call.site_if();
    return Library(site ? site->templates : fs::path());
}

bool is_html_of_one(const std::vector<templates::Design>& designs, const Source& source) {
    return std::ranges::any_of(designs, [&](auto& one) { return source.name == one.name + ".html"; });
}

// With whatever faults it has.
int show_inlined(Call& call, const Library& library, const Source& source) {
    if (is_html_of_one(templates::designs(library), source))
        if (auto design = templates::parse(source, [&](std::string_view name) { return library.find(name); })) {
            call.out << digest::example_mail(*design, call.now);
            return 0;
        }
    throw Failure(fmt::format("{0} is no HTML of a design that can be filled; `postrider template check {0}` says more",
                              source.name));
}

int show(Call& call) {
    auto library = library_of(call);
    auto source = library.get(call.argument(0));
    if (call.has("--inlined")) return show_inlined(call, library, source);
    if (call.json())
        print_json(call.out, json::object{{"name", source.name}, {"file", source.file}, {"text", source.text}});
    else
        call.out << source.text;
    return 0;
}

std::vector<Source> sources_to_check(Call& call, const Library& library) {
    std::vector<Source> sources;
    if (call.count() == 0) {
        for (auto& entry : library.names()) sources.push_back(library.get(entry.name));
        for (auto& entry : library.catalogue_names()) sources.push_back(library.get(entry.name));
        return sources;
    }
    auto& name = call.argument(0);
    bool is_file = name.find('/') != name.npos || name.ends_with(".mustache") || fs::is_regular_file(name);
    sources.push_back(is_file ? templates::read_source(name) : library.get(name));
    return sources;
}

// Files that nothing will ever read: a name that is spelled wrong is no fault of any template.
std::vector<Fault> stray_files(const Library& library, const std::set<std::string>& partials,
                               const std::vector<std::string>& designs) {
    std::error_code error;
    if (!fs::is_directory(library.folder(), error)) return {};
    std::set<std::string> there, used = partials;
    for (auto& entry : fs::directory_iterator(library.folder())) there.insert(entry.path().filename().string());
    for (auto& design : designs)
        for (auto part : {".html", ".txt"}) used.insert(design + part);
    std::vector<std::string> known(used.begin(), used.end());
    for (auto& entry : library.names())
        if (entry.origin != Library::Origin::added) known.push_back(entry.name);

    std::vector<Fault> faults;
    for (auto& file : there) {
        auto name = templates::name_of(file);
        auto base = name.substr(0, name.rfind('.'));
        bool for_a_list = there.contains(base + ".html.mustache") && there.contains(base + ".txt.mustache");
        if (file.starts_with('.') || file.ends_with('~') || fs::is_directory(library.folder() / file, error)) continue;
        if (templates::language_in(file)) continue;
        if (name == file)
            faults.push_back(
                {file, 1, 1,
                 fmt::format("is not read: its name does not end in .mustache{}", did_you_mean(name, known))});
        else if (!for_a_list && std::ranges::find(known, name) == known.end())
            faults.push_back(
                {file, 1, 1,
                 fmt::format("is not used: no list and no template has this name{}", did_you_mean(name, known))});
    }
    return faults;
}

// Of the designs that lists use.
std::vector<Fault> missing_parts(const Library& library, const std::vector<std::string>& designs) {
    std::vector<Fault> faults;
    for (auto& design : std::set<std::string>(designs.begin(), designs.end()))
        for (auto part : {".html", ".txt"})
            if (!library.find(design + part))
                faults.push_back({design + part + ".mustache", 1, 1,
                                  fmt::format("a list uses the design {}, and this part of it is not there; its issues "
                                              "cannot be made",
                                              design)});
    return faults;
}

// With the example stories: is it too large, and does it come to an end at all?
std::optional<Fault> fault_of_weighing(const Call& call, const templates::Template& design) {
    auto& file = design.source().file;
    try {
        return templates::fault_of_size(digest::example_program(design, call.now), file);
    } catch (const templates::TemplateError& error) {
        return error.fault().value_or(Fault{file, 1, 1, error.what()});
    }
}

int told_faults(Call& call, const std::vector<Fault>& faults, std::size_t checked) {
    // A partial's fault shows in everything that uses it.
    std::vector<std::string> lines;
    std::int64_t errors = 0;
    json::array rows;
    for (auto& fault : faults) {
        auto line = fault.text();
        if (std::ranges::find(lines, line) != lines.end()) continue;
        lines.push_back(line);
        bool error = fault.severity == templates::Severity::error;
        errors += error;
        rows.push_back(json::object{{"file", fault.file},
                                    {"line", fault.line},
                                    {"column", fault.column},
                                    {"severity", error ? "error" : "warning"},
                                    {"message", fault.message}});
        call.note(line);
    }
    auto templates = counted(std::int64_t(checked), "template");
    auto warnings = std::int64_t(lines.size()) - errors;
    if (call.json())
        print_json(call.out, json::object{{"templates", checked}, {"faults", std::move(rows)}});
    else
        call.say(fmt::format("{} checked, {}{}", templates, errors ? counted(errors, "fault") : "no fault",
                             warnings ? ", " + counted(warnings, "warning") : ""));
    return errors ? 1 : 0;
}

int check(Call& call) {
    auto library = library_of(call);
    auto offered = templates::designs(library);
    std::vector<std::string> designs; // those, and what lists use
    for (auto& design : offered) designs.push_back(design.name);
    if (call.site_if())
        for (auto& list : subscribers::Lists(call.database()).all()) designs.push_back(list.template_name);
    auto sources = sources_to_check(call, library);
    std::vector<Fault> faults;
    std::set<std::string> partials_used;
    bool all_parsed = true;
    for (auto& source : sources) {
        auto beside = fs::path(source.file).parent_path();
        auto partials = [&](std::string_view name) -> std::optional<Source> {
            bool plain = name.find('/') == name.npos && name.find("..") == name.npos;
            auto file = beside / (std::string(name) + ".mustache");
            if (plain && !beside.empty() && fs::is_regular_file(file)) return templates::read_source(file);
            return library.find(name);
        };
        auto reviewed = templates::review(source, partials, designs);
        if (!templates::first_error(reviewed.faults) && is_html_of_one(offered, source))
            if (auto fault = fault_of_weighing(call, *reviewed.parsed)) reviewed.faults.push_back(*fault);
        for (auto& fault : reviewed.faults) faults.push_back(fault);
        if (reviewed.parsed)
            for (auto& part : reviewed.parsed->parts())
                if (part.source.name != source.name) partials_used.insert(part.source.name);
        all_parsed &= reviewed.parsed || templates::language_in(source.name);
    }
    if (call.count() == 0) {
        if (all_parsed) // else its partials are not known
            for (auto& fault : stray_files(library, partials_used, designs)) faults.push_back(fault);
        for (auto& fault : missing_parts(library, designs)) faults.push_back(fault);
    }
    return told_faults(call, faults, sources.size());
}

}

void add_template(Commands& commands) {
    const Argument name{"NAME", "digest.html, subject, words.de.json, ...: `postrider template ls` shows them"};
    commands.push_back({"template",
                        "render",
                        "Fill in a Mustache template; the exact bytes go to standard output. Needs no site.",
                        "template render hello.mustache --data hello.json --partials parts",
                        {{"FILE", "the template"}},
                        {{"--data", "FILE.json", "its data; - reads standard input"},
                         {"--partials", "DIR", "where partials are; may come several times", Times::any}},
                        render});
    commands.push_back({"template",
                        "ls",
                        "Show the designs side by side, then all templates, and which of them are yours.",
                        "template ls",
                        {},
                        {json_option},
                        ls});
    commands.push_back(
        {"template",
         "show",
         "Print a template.",
         "template show digest.html",
         {name},
         {{"--inlined", "", "the HTML of a design with twenty example stories, style rules written into attributes"},
          json_option},
         show});
    commands.push_back({"template",
                        "check",
                        "Look for faults in one template, or in all.",
                        "template check digest.html",
                        {{"NAME|FILE", "left out: all", Times::maybe}},
                        {json_option},
                        check});
    commands.push_back({"template",
                        "edit",
                        "Copy a built-in template into templates/, and open it in $EDITOR on a terminal.",
                        "template edit digest.html",
                        {name},
                        {{"--merged", "", "what changed in the built-in one is in yours now: say no more of it"}},
                        edit_template});
    commands.push_back({"template",
                        "diff",
                        "Show what you changed against the built-in templates, as `diff -u` would.",
                        "template diff digest.html --built-in",
                        {{"NAME", "left out: all that are yours", Times::maybe}},
                        {{"--built-in", "", "what an upgrade changed in the built-in one since you copied it"}},
                        diff_templates});
}

}
