#include "cli/call.hpp"
#include "cli/command.hpp"
#include "mail/dkim_keys.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

namespace postrider::cli {
namespace {

namespace dkim = mail::dkim;
namespace json = boost::json;

std::string named(const dkim::Key& key) {
    return key.algorithm() == dkim::Algorithm::rsa_sha256 ? fmt::format("RSA of {} bits", key.bits()) : "Ed25519";
}

// As it stands in a zone file (RFC 1035 section 5.1).
void print_record(Call& call, const dkim::KeyFile& file, const dkim::Key& key) {
    auto strings = dkim::txt_strings(key.record());
    call.say(fmt::format("{}. IN TXT ( \"{}\" )", dkim::record_name(key.selector(), file.domain),
                         fmt::join(strings, "\"\n    \"")));
}

json::array json_of(const dkim::KeyFile& file, const std::vector<dkim::Key>& keys) {
    json::array rows;
    for (auto& key : keys) {
        rows.push_back(json::object{{"algorithm", dkim::to_text(key.algorithm())},
                                    {"bits", key.bits()},
                                    {"selector", key.selector()},
                                    {"name", dkim::record_name(key.selector(), file.domain)},
                                    {"value", key.record()},
                                    {"strings", json::value_from(dkim::txt_strings(key.record()))}});
    }
    return rows;
}

json::object json_of(const dkim::KeyFile& file) {
    return {{"domain", file.domain}, {"selector", file.selector}, {"file", file.path.string()}};
}

std::string domain_of(Call& call) {
    auto domain = dkim::domain_from(call.argument(0));
    if (!domain) throw WrongUsage(fmt::format("\"{}\" {}", call.argument(0), domain.error()));
    return *domain;
}

int create(Call& call) {
    auto domain = domain_of(call);
    auto selector = dkim::selector_from(call.argument(1));
    if (!selector) throw WrongUsage(fmt::format("\"{}\" {}", call.argument(1), selector.error()));
    auto file = dkim::create_keys(call.site().keys, domain, *selector);
    if (!file) throw Failure(file.error());
    auto keys = dkim::read_keys(*file);
    if (!keys) throw Failure(keys.error());

    if (call.json()) {
        auto row = json_of(*file);
        row["keys"] = json_of(*file, *keys);
        print_json(call.out, row);
        return 0;
    }
    call.note(fmt::format("{} holds the keys now, for their owner only. Publish their public halves in the DNS of {}; "
                          "where its form takes one text, join the strings and leave the quotes out:",
                          file->path.string(), domain));
    for (auto& key : *keys) print_record(call, *file, key);
    call.note(
        fmt::format("When DNS answers with them, write selector = \"{}\" below [dkim] in {}, and start the daemon "
                    "again. Leave the key and the records of an older selector for a week: mail that it signed is "
                    "still on its way",
                    *selector, (call.site().folder / "postrider.toml").string()));
    return 0;
}

// Whether the configuration names it.
bool signs(Call& call, const dkim::KeyFile& file) {
    auto& named = call.site().dkim;
    return named && named->key_file.empty() && named->selector == file.selector &&
           (named->domain.empty() || named->domain == file.domain);
}

struct Look {
    dkim::KeyFile file;
    std::vector<dkim::Key> keys; // none: there is a fault
    std::vector<std::string> faults, warnings;
};

Look look_at(dkim::KeyFile file, const std::optional<std::string>& fault_of_folder) {
    Look look{std::move(file), {}, {}, {}};
    if (fault_of_folder) look.faults.push_back(*fault_of_folder);
    if (auto keys = dkim::read_keys(look.file))
        look.keys = std::move(*keys);
    else
        look.faults.push_back(keys.error());
    if (!look.keys.empty()) look.warnings = dkim::weaknesses(look.keys);
    return look;
}

json::object json_of(Call& call, const Look& look) {
    auto row = json_of(look.file);
    row["signs"] = signs(call, look.file);
    row["keys"] = json_of(look.file, look.keys);
    row["faults"] = json::value_from(look.faults);
    row["warnings"] = json::value_from(look.warnings);
    return row;
}

// Records on standard output, as a zone file; what is wrong beside them.
void print(Call& call, const Look& look) {
    for (auto& fault : look.faults) call.note(fault);
    for (auto& warning : look.warnings) call.note(fmt::format("{}: {}", look.file.path.string(), warning));
    if (look.keys.empty()) return;
    std::vector<std::string> names;
    for (auto& key : look.keys) names.push_back(named(key));
    call.say(fmt::format("; {}: {}; {}", look.file.path.string(), fmt::join(names, " and "),
                         signs(call, look.file) ? "signs" : "does not sign"));
    for (auto& key : look.keys) print_record(call, look.file, key);
}

int show(Call& call) {
    auto& folder = call.site().keys;
    auto files = dkim::key_files(folder);
    if (call.count() == 1) {
        auto domain = domain_of(call);
        std::erase_if(files, [&](const dkim::KeyFile& file) { return file.domain != domain; });
        if (files.empty())
            throw Failure(
                fmt::format("there is no key for {0}; `postrider dkim create {0} SELECTOR` makes one", domain));
    }
    json::array rows;
    bool sound = true;
    for (auto fault = dkim::fault_of_folder(folder); auto& file : files) {
        auto look = look_at(std::move(file), fault);
        sound = sound && look.faults.empty();
        if (call.json())
            rows.push_back(json_of(call, look));
        else
            print(call, look);
    }
    if (call.json())
        print_json(call.out, rows);
    else if (files.empty())
        call.say("there is no key; `postrider dkim create DOMAIN SELECTOR` makes one");
    return sound ? 0 : 1;
}

}

void add_dkim(Commands& commands) {
    commands.push_back({"dkim",
                        "create",
                        "Make the keys that sign mail of a domain, and print the DNS records they need.",
                        "dkim create courier.example n2026",
                        {{"DOMAIN", "the one behind the @ of your sender, or one above it"},
                         {"SELECTOR", "names the keys in DNS; a new one each time: letters, digits and -"}},
                        {json_option},
                        create});
    commands.push_back({"dkim",
                        "show",
                        "Show the DNS records of all keys, and what is wrong with their files.",
                        "dkim show courier.example",
                        {{"DOMAIN", "left out: all", Times::maybe}},
                        {json_option},
                        show});
}

}
