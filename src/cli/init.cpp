#include "cli/call.hpp"
#include "cli/command.hpp"
#include "storage/migrations.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <fstream>

namespace postrider::cli {
namespace {

namespace fs = std::filesystem;

struct Answers {
    std::string name, url, from, postal_address, relay;
};

struct Question {
    std::string_view option, asks, otherwise;
    std::string Answers::* answer;
};

constexpr Question questions[] = {
    {"--name", "Name of the site", "", &Answers::name},
    {"--url", "Address under which readers reach it", "http://127.0.0.1:8025", &Answers::url},
    {"--from", "Sender, as Name <address>", "", &Answers::from},
    {"--postal-address", "Postal address, for the foot of every issue", "", &Answers::postal_address},
    {"--relay", "Relay that takes the mail (outbox: keeps it in a folder, for tests)", "outbox:", &Answers::relay},
};

Answers ask(Call& call) {
    Answers answers;
    bool may_ask = call.terminal.in && !call.has("--yes");
    std::string missing;
    for (auto& question : questions) {
        auto& answer = answers.*question.answer;
        answer = call.line(question.option);
        while (answer.empty() && may_ask) {
            call.err << question.asks;
            if (!question.otherwise.empty()) call.err << " [" << question.otherwise << "]";
            call.err << ": " << std::flush;
            if (!std::getline(call.in, answer)) throw Failure("nothing was made");
            if (answer.empty()) answer = question.otherwise;
        }
        if (answer.empty()) answer = question.otherwise;
        if (answer.empty()) missing += (missing.empty() ? "" : ", ") + std::string(question.option);
    }
    if (!missing.empty())
        throw WrongUsage(fmt::format("init needs {}; `postrider init --help` shows an example", missing));
    return answers;
}

// A basic string of TOML 1.0.
std::string toml_text(std::string_view text) {
    std::string out = "\"";
    for (char c : text) {
        if (c == '"' || c == '\\')
            out += {'\\', c};
        else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
            out += fmt::format("\\u{:04X}", static_cast<unsigned char>(c));
        else
            out += c;
    }
    return out + '"';
}

std::string listen_of(const std::string& url) {
    // On this machine the address of the links is the one to listen on.
    for (std::string_view prefix : {"http://127.0.0.1:", "http://localhost:"})
        if (url.starts_with(prefix))
            return "127.0.0.1:" + url.substr(prefix.size(), url.find('/', prefix.size()) - prefix.size());
    return "127.0.0.1:8025";
}

std::string configuration(const Answers& answers) {
    return fmt::format(R"toml(# A site of Postrider. config/postrider.toml of the distribution shows every key.

[site]
name = {}
from = {}
# Readers' links begin with this.
url = {}
# At the foot of every issue; the law of many countries asks for it.
postal_address = {}
# operator = "desk@courier.example"        # gets the program's notices
# privacy_url = "https://courier.example/privacy"

[database]
url = "sqlite:postrider.db"

[http]
# Where the pages are served; put a proxy with TLS in front of it.
listen = {}
trusted_proxies = []

# Who takes our mail: smtp://host:port or smtps://host:port. "outbox:" sends nothing and keeps the mail in outbox/.
[[relay]]
name = "main"
url = {}
# user = "courier"
# password_file = "keys/relay"             # the password is its first line; chmod 600
# tls = "required"                         # required | offered | never (left out: required, but never for this machine)
connections = 10
# rate = "100/s"

[delivery]
retry_for = "36h"
on_unknown = "resend"

[digest]
# A slot that was missed while the program was down still goes out within this time.
catch_up = "12h"

[feeds]
# contact = "https://courier.example/about"   # in the User-Agent
allow_private_addresses = false

[log]
level = "info"
)toml",
                       toml_text(answers.name), toml_text(answers.from), toml_text(answers.url),
                       toml_text(answers.postal_address), toml_text(listen_of(answers.url)), toml_text(answers.relay));
}

fs::path folder_of(Call& call) {
    if (call.count() == 1 && call.folder()) throw WrongUsage("init takes -C DIR or DIR, not both");
    if (call.count() == 1) return call.argument(0);
    if (call.folder()) return *call.folder();
    if (auto* folder = std::getenv("POSTRIDER_SITE")) return folder;
    return ".";
}

void write(const fs::path& path, std::string_view text) {
    std::ofstream file(path, std::ios::binary);
    file << text;
    file.flush();
    if (!file) throw Failure(fmt::format("{}: cannot be written", path.string()));
}

void make(Call& call, const fs::path& folder, const Answers& answers) {
    write(folder / "postrider.toml", configuration(answers));
    auto site = daemon::Site::load(fs::absolute(folder));
    fs::create_directories(site.database_file.parent_path());
    if (answers.relay == "outbox:") {
        fs::create_directories(site.outbox);
        fs::permissions(site.outbox, fs::perms::owner_all);
    }
    storage::Connection database(site.database_url);
    // Addresses are in it; the files beside it get the same mode from SQLite.
    fs::permissions(site.database_file, fs::perms::owner_read | fs::perms::owner_write);
    storage::migrate(database, embedded::schema(), call.now);
    // The keys come last: as long as there are none, a database may be made, so an init that is killed can be gone on with.
    subscribers::LinkTokens tokens(site.key_file());
    daemon::check_keys(database, tokens, site);
    fs::permissions(site.keys, fs::perms::owner_all);
}

int init(Call& call) {
    auto folder = folder_of(call);
    if (fs::exists(folder / "postrider.toml"))
        throw Failure(
            fmt::format("{} is a site already, and nothing was changed; edit its postrider.toml", folder.string()));
    bool there = fs::exists(folder);
    if (there && !fs::is_directory(folder)) throw Failure(fmt::format("{} is no folder", folder.string()));
    if (there && !fs::is_empty(folder))
        throw Failure(fmt::format("{} is not empty, and nothing was changed; name a new folder: postrider -C DIR init",
                                  folder.string()));
    auto answers = ask(call);
    fs::create_directories(folder);
    try {
        make(call, folder, answers);
    } catch (...) {
        // Ours alone: it was empty, or absent.
        std::error_code ignored;
        for (auto& entry : fs::directory_iterator(folder, ignored)) fs::remove_all(entry.path(), ignored);
        if (!there) fs::remove(folder, ignored);
        throw;
    }
    auto shown = folder == "." ? std::string() : fmt::format(" -C {}", folder.string());
    call.say(fmt::format("{} is a site now. Next: `postrider{} list add SLUG --title T`, then `postrider{} serve`",
                         fs::absolute(folder).lexically_normal().string(), shown, shown));
    return 0;
}

}

void add_init(Commands& commands) {
    commands.push_back(
        {"init",
         "",
         "Make a site: a folder with its configuration, keys and database.",
         "-C courier init --name \"The Courier\" --url https://mail.courier.example --from \"The Courier "
         "<news@courier.example>\" --postal-address \"1 Press Square, Example City\" --relay "
         "smtp://127.0.0.1:25 --yes",
         {{"DIR", "an empty folder, or none yet; left out: that of -C, else this one", Times::maybe}},
         {{"--name", "NAME", "of the site, on pages and in mails"},
          {"--url", "URL", "where readers' links begin; left out: http://127.0.0.1:8025"},
          {"--from", "\"NAME <ADDRESS>\"", "sender of confirmations, and of lists without their own"},
          {"--postal-address", "TEXT", "for the foot of every issue"},
          {"--relay", "URL", "smtp://HOST:PORT, smtps://HOST:PORT, or outbox: (left out)"},
          {"--yes", "", "ask nothing"}},
         init});
}

}
