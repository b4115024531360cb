#include "cli/call.hpp"

#include "mail/utf8.hpp"
#include "storage/migrations.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>

namespace postrider::cli {
namespace {

namespace fs = std::filesystem;

bool is_digits(std::string_view text) {
    return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

constexpr std::size_t largest_file = 10'000'000; // as of a feed that a server gives

std::string read_to_end(std::istream& stream, const std::string& name) {
    std::string text;
    std::array<char, 65536> block;
    while (stream.read(block.data(), block.size()) || stream.gcount() > 0) {
        text.append(block.data(), std::size_t(stream.gcount()));
        if (text.size() > largest_file)
            throw Failure(fmt::format("{}: is longer than 10 MB, the limit for a file that is read whole", name));
    }
    if (stream.bad()) throw Failure(fmt::format("{}: cannot be read", name));
    return text;
}

void check_line(std::string_view option, std::string_view text) {
    if (!mail::is_utf8(text)) throw Failure(fmt::format("{} is no text in UTF-8", option));
    if (auto control = mail::control_character(text))
        throw Failure(fmt::format("{} holds a control character ({}); it must be one line of text", option, *control));
}

}

struct Call::Open {
    std::optional<daemon::Site> site;
    std::unique_ptr<storage::Connection> database;
    std::optional<subscribers::LinkTokens> tokens;
    std::optional<templates::Library> library;
    std::optional<digest::Publishing> publishing;
};

Call::Call(Parsed parsed, std::istream& i, std::ostream& o, std::ostream& e, const Terminal& t)
    : in(i), out(o), err(e), terminal(t), now(std::chrono::floor<Duration>(std::chrono::system_clock::now())),
      parsed_(std::move(parsed)), open_(std::make_unique<Open>()) {}

Call::~Call() = default;

std::optional<std::string> Call::text_if(std::string_view option) const {
    auto found = parsed_.options.find(option);
    if (found == parsed_.options.end() || found->second.empty()) return std::nullopt;
    return found->second.back();
}

std::string Call::text(std::string_view option, std::string_view otherwise) const {
    return text_if(option).value_or(std::string(otherwise));
}

std::string Call::line(std::string_view option, std::string_view otherwise) const {
    auto text = text_if(option);
    if (!text) return std::string(otherwise);
    check_line(option, *text);
    return *text;
}

std::vector<std::string> Call::lines(std::string_view option) const {
    auto all = texts(option);
    for (auto& text : all) check_line(option, text);
    return all;
}

std::vector<std::string> Call::texts(std::string_view option) const {
    auto found = parsed_.options.find(option);
    return found == parsed_.options.end() ? std::vector<std::string>() : found->second;
}

std::optional<std::int64_t> Call::number_if(std::string_view option, std::int64_t least, std::int64_t most) const {
    auto text = text_if(option);
    if (!text) return std::nullopt;
    auto number = whole_number(*text);
    if (!number || *number < least || *number > most)
        throw WrongUsage(fmt::format("{} \"{}\": write a whole number from {} to {}", option, *text, least, most));
    return number;
}

std::optional<Duration> Call::duration_if(std::string_view option) const {
    auto text = text_if(option);
    if (!text) return std::nullopt;
    auto duration = parse_duration(*text);
    if (!duration) throw WrongUsage(fmt::format("{}: {}", option, duration.error()));
    return *duration;
}

std::optional<Time> Call::time_if(std::string_view option) const {
    auto text = text_if(option);
    if (!text) return std::nullopt;
    auto time = parse_rfc3339(*text);
    if (!time) throw WrongUsage(fmt::format("{} \"{}\": write a time as 2026-11-24T07:00:00Z", option, *text));
    return time;
}

std::optional<bool> Call::yes_or_no_if(std::string_view option) const {
    auto text = text_if(option);
    if (!text) return std::nullopt;
    if (*text == "yes") return true;
    if (*text == "no") return false;
    throw WrongUsage(fmt::format("{} \"{}\": write yes or no", option, *text));
}

std::int64_t Call::id(std::size_t index, std::string_view what) const {
    auto number = whole_number(argument(index));
    if (!number || *number < 1)
        throw WrongUsage(
            fmt::format("\"{0}\" is no number of a {1}; `postrider {1} ls` shows the numbers", argument(index), what));
    return *number;
}

const daemon::Site& Call::site() {
    if (!open_->site) {
        auto given = parsed_.folder ? std::optional<fs::path>(*parsed_.folder) : std::nullopt;
        open_->site = daemon::Site::load(daemon::Site::find(given));
    }
    return *open_->site;
}

const daemon::Site* Call::site_if() {
    bool named = parsed_.folder || std::getenv("POSTRIDER_SITE");
    if (!named && !fs::exists("postrider.toml") && !fs::exists("/etc/postrider/postrider.toml")) return nullptr;
    return &site();
}

http::ClientSettings Call::client_settings() {
    auto* of_site = site_if();
    auto settings = of_site ? of_site->feeds : http::ClientSettings{};
    if (has("--allow-private-addresses")) settings.allow_private_addresses = true;
    return settings;
}

storage::Connection& Call::database() {
    if (!open_->database) {
        open_->database = std::make_unique<storage::Connection>(daemon::open_database(site(), now));
    }
    return *open_->database;
}

const subscribers::LinkTokens& Call::tokens() {
    if (!open_->tokens) {
        auto& connection = database(); // which refuses to go on where the keys of its readers are gone
        open_->tokens.emplace(site().key_file());
        daemon::check_keys(connection, *open_->tokens, site());
    }
    return *open_->tokens;
}

const templates::Library& Call::library() {
    if (!open_->library) open_->library.emplace(site().templates);
    return *open_->library;
}

digest::Publishing& Call::publishing() {
    if (!open_->publishing) open_->publishing.emplace(database(), library(), tokens(), site().words);
    return *open_->publishing;
}

subscribers::List Call::list(std::string_view slug) {
    subscribers::Lists lists(database());
    if (auto list = lists.find(slug)) return *std::move(list);
    std::vector<std::string> known;
    for (auto& list : lists.all()) known.push_back(list.slug);
    auto near = did_you_mean(slug, known);
    throw Failure(fmt::format("there is no list \"{}\"{}; `postrider list ls` shows them", slug, near));
}

digest::Issue Call::issue(const std::string& target) {
    digest::Issues issues(database());
    auto slash = target.rfind('/');
    std::optional<digest::Issue> found;
    if (slash != target.npos) {
        auto number = whole_number(std::string_view(target).substr(slash + 1));
        auto of = list(std::string_view(target).substr(0, slash));
        if (number && *number > 0 && *number <= 1'000'000'000) found = issues.find(of.id, int(*number));
    } else if (auto number = whole_number(target)) {
        found = issues.find(IssueId{*number});
    } else
        throw WrongUsage(fmt::format("\"{}\" is no issue; write its number (`postrider issue ls` shows them) or "
                                     "LIST/NUMBER",
                                     target));
    if (!found) throw Failure(fmt::format("there is no issue {}; `postrider issue ls` shows them", target));
    return *std::move(found);
}

mail::Address Call::address(std::string_view text) const {
    auto address = mail::parse_address(text);
    if (!address) throw Failure(fmt::format("{}: {}", text, address.error().reason));
    return *std::move(address);
}

bool Call::confirmed(std::string_view question) {
    if (has("--yes")) return true;
    if (!terminal.in) throw Failure(fmt::format("{} Nobody is here to ask; give --yes", question));
    err << question << " [y/N] " << std::flush;
    std::string answer;
    std::getline(in, answer);
    return answer == "y" || answer == "Y" || answer == "yes";
}

std::string read_file(Call& call, const std::string& name) {
    if (name == "-") return read_to_end(call.in, "standard input");
    std::error_code error;
    if (fs::is_directory(name, error)) throw Failure(fmt::format("{}: is a folder; name a file", name));
    std::ifstream file(name, std::ios::binary);
    if (!file) throw Failure(fmt::format("{}: {}", name, std::strerror(errno)));
    return read_to_end(file, name);
}

std::string mailbox_text(const mail::Mailbox& mailbox) {
    if (mailbox.name.empty()) return mailbox.address.text();
    if (mailbox.name.find_first_of("\"\\,;:<>@()[].") == std::string::npos)
        return fmt::format("{} <{}>", mailbox.name, mailbox.address.text());
    std::string quoted;
    for (char c : mailbox.name) {
        if (c == '"' || c == '\\') quoted += '\\';
        quoted += c;
    }
    return fmt::format("\"{}\" <{}>", quoted, mailbox.address.text());
}

std::optional<std::int64_t> whole_number(std::string_view text) {
    std::int64_t number = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return number;
}

bool names_an_issue(std::string_view target) { return target.find('/') != target.npos || is_digits(target); }

}
