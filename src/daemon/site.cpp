#include "daemon/site.hpp"

#include "http/url.hpp"
#include "mail/utf8.hpp"
#include "smtp/connect.hpp"
#include "storage/migrations.hpp"
#include "subscribers/subscribers.hpp"
#include "system/ascii.hpp"
#include "system/config.hpp"

#include <fmt/format.h>

#include <fstream>

namespace postrider::daemon {
namespace {

namespace fs = std::filesystem;
using system::Config;
using system::ConfigError;

constexpr const char* file_name = "postrider.toml";
constexpr std::size_t longest_url = 500; // RFC 5322 section 2.1.1: with a token and in brackets below 998
constexpr int most_to_outbox = 250;      // of the 300 connections that smtp::Server takes

bool is_https_or_loopback(const std::string& url) {
    if (url.starts_with("https://")) return url.size() > 8;
    if (!url.starts_with("http://")) return false;
    auto host = url.substr(7, url.find_first_of(":/", url.starts_with("http://[") ? url.find(']') : 7) - 7);
    return host == "localhost" || host == "[::1]" || host.starts_with("127.");
}

// Scheme and host and nothing else (RFC 6454 section 6.2).
bool is_origin(const std::string& text) {
    auto url = http::Url::parse(text);
    return url && text.find('*') == text.npos && text.find('/', text.find("//") + 2) == text.npos &&
           text.find_first_of("?#@ ") == text.npos;
}

template <class Choice>
Choice choose(Config::Table& table, std::string_view key, Choice otherwise,
              std::initializer_list<std::pair<std::string_view, Choice>> choices) {
    auto word = table.text_if(key);
    if (!word) return otherwise;
    std::string all;
    for (auto& [name, choice] : choices) {
        if (*word == name) return choice;
        all += all.empty() ? std::string(name) : fmt::format(", {}", name);
    }
    throw table.error(key, fmt::format("\"{}\" is none of: {}", *word, all));
}

// Words that stand in every mail. Who writes an address over several lines may.
void require_words(Config::Table& table, std::string_view key, std::string words, std::string_view line_ends) {
    std::erase_if(words, [&](char c) { return line_ends.contains(c); });
    if (auto control = mail::control_character(words))
        throw table.error(key,
                          fmt::format("holds a control character ({}); write it as a reader shall see it", *control));
}

digest::SiteWords read_words(Config::Table table) {
    auto name = table.required("name", "The Courier");
    require_words(table, "name", name, "");
    auto from = table.required("from", "The Courier <news@courier.example>");
    auto mailbox = mail::parse_sender(from);
    if (!mailbox) throw table.error("from", fmt::format("\"{}\" is no sender: {}", from, mailbox.error().reason));
    auto url = table.required("url", "https://mail.courier.example");
    while (url.ends_with('/')) url.pop_back();
    // RFC 8058 section 3.1 wants https for the one-click link; a test on this machine has no certificate.
    if (!is_https_or_loopback(url))
        throw table.error("url",
                          fmt::format("\"{}\" must begin with https:// (plain http is for this machine only)", url));
    if (!http::Url::parse(url) || url.find_first_of("?#@ ") != url.npos)
        throw table.error("url", "links are built on it: write scheme, host and perhaps a path, and nothing else");
    if (url.size() > longest_url)
        throw table.error("url", fmt::format("is longer than {} characters: links built on it must fit into a line of "
                                             "mail; write a shorter path",
                                             longest_url));
    auto postal_address =
        table.required("postal_address", "1 Press Square, Example City"); // CAN-SPAM, 15 USC 7704(a)(5)
    require_words(table, "postal_address", postal_address, "\r\n");
    auto privacy_url = table.text("privacy_url");
    if (!privacy_url.empty() && !privacy_url.starts_with("https://") && !privacy_url.starts_with("http://"))
        throw table.error("privacy_url", "must begin with https://");
    return {name, url, postal_address, privacy_url, *mailbox};
}

std::string read_operator(Config::Table table) {
    auto written = table.text("operator");
    if (written.empty()) return written;
    if (auto address = mail::parse_address(written); !address)
        throw table.error("operator", fmt::format("\"{}\" is no address: {}", written, address.error().reason));
    return written;
}

std::string read_language(Config::Table table) {
    auto written = table.text("language", "en");
    auto language = subscribers::clean_language(written);
    if (language.empty())
        throw table.error("language", fmt::format("\"{}\" is no language tag; write one as en, de or pt-BR", written));
    return language;
}

std::string read_secret(Config::Table& table, const fs::path& folder) {
    auto name = table.text_if("password_file");
    if (!name) return "";
    std::ifstream file(folder / *name);
    std::string secret;
    if (!file || !std::getline(file, secret) || secret.empty())
        throw table.error(
            "password_file",
            fmt::format("{} cannot be read or is empty; write the password into its first line, mode 0600", *name));
    auto mode = fs::status(folder / *name).permissions();
    if ((mode & (fs::perms::group_all | fs::perms::others_all)) != fs::perms::none)
        throw table.error("password_file", fmt::format("{} can be read by others; chmod 600 it", *name));
    if (secret.back() == '\r') secret.pop_back();
    return secret;
}

std::optional<delivery::WarmUp> read_warm_up(Config::Table table) {
    constexpr std::int64_t most = 1'000'000'000;
    delivery::WarmUp warm_up{table.number("warm_up_from", 0, 1, most), table.number("warm_up_to", 0, 1, most),
                             int(table.number("warm_up_days", 21, 2, 365))};
    if (warm_up.from == 0 && warm_up.to == 0) {
        if (table.has("warm_up_days"))
            throw table.error("warm_up_days",
                              "says nothing alone; a warm-up needs warm_up_from and warm_up_to, in messages a day");
        return std::nullopt;
    }
    if (warm_up.from == 0 || warm_up.to == 0)
        throw table.error(warm_up.from == 0 ? "warm_up_from" : "warm_up_to",
                          "is missing; a warm-up needs warm_up_from and warm_up_to, in messages a day");
    if (warm_up.to < warm_up.from) throw table.error("warm_up_to", "is less than warm_up_from");
    return warm_up;
}

Relay read_relay(Config::Table table, const fs::path& folder) {
    Relay relay;
    auto& settings = relay.lane.relay;
    settings.name = table.text("name", "main");
    settings.url = table.required("url", "smtp://127.0.0.1:25");
    relay.outbox = settings.url == "outbox:";
    if (!relay.outbox && !settings.url.starts_with("smtp://") && !settings.url.starts_with("smtps://"))
        throw table.error("url",
                          fmt::format("\"{}\" must begin with smtp:// or smtps://, or be outbox:", settings.url));
    settings.user = table.text("user");
    settings.password = read_secret(table, folder);
    if (settings.user.empty() != settings.password.empty())
        throw table.error(settings.user.empty() ? "password_file" : "user",
                          "user and password_file belong together: write both or neither");
    settings.tls =
        choose(table, "tls", smtp::default_tls(settings.url),
               {{"required", smtp::Tls::required}, {"offered", smtp::Tls::offered}, {"never", smtp::Tls::never}});
    settings.ca_file = table.text("ca_file");
    if (!settings.ca_file.empty()) {
        settings.ca_file = (folder / settings.ca_file).string();
        if (!fs::exists(settings.ca_file))
            throw table.error("ca_file", fmt::format("{} does not exist", settings.ca_file));
    }
    settings.hello_name = table.text("hello");
    if (auto fault = relay.outbox ? std::nullopt : smtp::fault_of(settings))
        throw table.error(fault->starts_with("hello") ? "hello" : "url", *fault);
    relay.lane.connections = int(table.number("connections", 10, 1, relay.outbox ? most_to_outbox : 1000));
    relay.lane.rate = table.rate("rate");
    relay.lane.messages_per_connection = int(table.number("messages_per_connection", 0, 0, 1'000'000));
    if (table.has("weight")) relay.lane.weight = int(table.number("weight", 1, 0, 1000));
    relay.lane.warm_up = read_warm_up(table);
    return relay;
}

fs::path read_database(Config::Table table, const fs::path& state) {
    auto url = table.text("url", "sqlite:postrider.db");
    if (url.starts_with("postgresql://"))
        throw table.error("url", "this program was built without PostgreSQL; write sqlite:postrider.db");
    if (!url.starts_with("sqlite:") || url.size() == 7)
        throw table.error("url", fmt::format("\"{}\" must look like sqlite:postrider.db", url));
    return state / url.substr(7);
}

std::vector<Relay> read_relays(Config& config, const fs::path& folder) {
    std::vector<Relay> relays;
    for (auto& table : config.tables("relay")) relays.push_back(read_relay(table, folder));
    if (relays.empty())
        throw ConfigError(fmt::format("{}: no [[relay]]: say who takes the mail, for example url = "
                                      "\"smtp://127.0.0.1:25\", or url = \"outbox:\" for a test",
                                      file_name));
    for (std::size_t i = 0; i < relays.size(); ++i)
        for (std::size_t k = 0; k < i; ++k)
            if (relays[i].lane.relay.name == relays[k].lane.relay.name)
                throw ConfigError(fmt::format("{}: two relays are named \"{}\"; give each [[relay]] a name of its own",
                                              file_name, relays[i].lane.relay.name));
    return relays;
}

std::map<std::string, Rate> read_domain_rates(Config& config) {
    std::map<std::string, Rate> rates;
    for (auto& table : config.tables("domain")) {
        auto name = table.required("name", "gmail.com");
        auto address = mail::parse_address("postmaster@" + name); // case and international names as in every address
        if (!address) throw table.error("name", fmt::format("\"{}\" is no domain: {}", name, address.error().reason));
        auto rate = table.rate("rate");
        if (!rate) throw table.error("rate", "is missing; write rate = \"20/s\"");
        if (!rates.emplace(address->domain_ascii(), *rate).second)
            throw table.error("name", fmt::format("\"{}\" has a [[domain]] already", name));
    }
    return rates;
}

delivery::RetrySettings read_retry(Config::Table table) {
    delivery::RetrySettings retry;
    retry.retry_for = table.duration("retry_for", retry.retry_for, 1s);
    retry.retry_first = table.duration("retry_first", retry.retry_first, 1ms);
    using OnUnknown = delivery::RetrySettings::OnUnknown;
    retry.on_unknown =
        choose(table, "on_unknown", retry.on_unknown, {{"resend", OnUnknown::resend}, {"record", OnUnknown::record}});
    return retry;
}

std::optional<mail::dkim::Settings> read_dkim(Config& config, const fs::path& folder) {
    auto table = config.table("dkim");
    if (!config.has("dkim") && !table.has("selector")) return {}; // the environment can name it too
    auto checked = [&](std::string_view key, const std::string& text, auto rule) {
        auto name = rule(text);
        if (!name) throw table.error(key, fmt::format("\"{}\" {}", text, name.error()));
        return *name;
    };
    mail::dkim::Settings settings;
    settings.selector = checked("selector", table.required("selector", "n2026"), mail::dkim::selector_from);
    if (auto domain = table.text_if("domain")) settings.domain = checked("domain", *domain, mail::dkim::domain_from);
    if (auto file = table.text_if("key_file")) settings.key_file = folder / *file;
    if (!settings.key_file.empty() && settings.domain.empty())
        throw table.error("domain", "is missing; a key_file signs for one domain, as in courier.example");
    using Only = std::optional<mail::dkim::Algorithm>;
    // Never Ed25519 alone: many receivers do not know it.
    settings.only =
        choose(table, "algorithm", Only(), {{"both", Only()}, {"rsa-sha256", mail::dkim::Algorithm::rsa_sha256}});
    return settings;
}

void read_sign_up(Config::Table table, const fs::path& folder, subscribers::Settings& settings) {
    settings.per_address = *table.rate("per_address", settings.per_address);
    settings.per_client = *table.rate("per_client", settings.per_client);
    settings.per_domain = *table.rate("per_domain", settings.per_domain);
    settings.per_list = *table.rate("per_list", settings.per_list);
    settings.total = *table.rate("total", settings.total);
    settings.per_network = *table.rate("per_network", settings.per_network);
    settings.per_unproven = *table.rate("per_unproven", settings.per_unproven);
    using Work = subscribers::ProofOfWork;
    settings.proof_of_work = choose(table, "proof_of_work", settings.proof_of_work,
                                    {{"off", Work::off}, {"on", Work::on}, {"auto", Work::automatic}});
    settings.odd_above = *table.rate("odd_above", settings.odd_above);
    settings.form_age = table.duration("form_age", settings.form_age);
    using Role = subscribers::RoleAddresses;
    settings.role_addresses =
        choose(table, "role_addresses", settings.role_addresses, {{"accept", Role::accept}, {"refuse", Role::refuse}});
    if (auto file = table.text_if("disposable_domains"); file && !file->empty()) {
        settings.disposable_domains = folder / *file;
        // Its lines, perhaps a hundred thousand, are for the daemon and for `doctor`: no other command needs them.
        std::ifstream domains(settings.disposable_domains);
        if (!domains || (domains.peek(), domains.bad()))
            throw table.error("disposable_domains",
                              fmt::format("{} cannot be read", settings.disposable_domains.string()));
    }
    settings.return_to = table.texts("return_to");
    for (auto& url : settings.return_to)
        if (!is_https_or_loopback(url) || !http::Url::parse(url))
            throw table.error("return_to", fmt::format("\"{}\" must be an https:// address", url));
    settings.check_mx = table.flag("check_mx", settings.check_mx);
    settings.confirm_within = table.duration("confirm_within", settings.confirm_within, 1min);
    settings.purge_after = table.duration("purge_after", settings.purge_after, 1min);
    settings.keep_clients = table.duration("keep_clients", settings.keep_clients);
}

}

fs::path Site::find(const std::optional<fs::path>& given) {
    auto required = [](const fs::path& folder, std::string_view said) {
        if (fs::exists(folder / file_name)) return fs::absolute(folder);
        throw ConfigError(fmt::format("{} ({}) holds no {}; `postrider -C {} init` makes a site there", folder.string(),
                                      said, file_name, folder.string()));
    };
    if (given) return required(*given, "-C");
    if (auto* folder = std::getenv("POSTRIDER_SITE")) return required(folder, "$POSTRIDER_SITE");
    if (fs::exists(file_name)) return fs::current_path();
    if (fs::exists(fs::path("/etc/postrider") / file_name)) return "/etc/postrider";
    throw ConfigError(fmt::format("no site here: neither this folder nor /etc/postrider holds a {}; give one with -C "
                                  "DIR, or make one with `postrider init`",
                                  file_name));
}

Site Site::load(const fs::path& folder) {
    auto config = Config::load(folder / file_name, Config::process_environment());
    Site site(read_words(config.table("site")));
    site.operator_address = site.words.editor = read_operator(config.table("site"));
    site.language = read_language(config.table("site"));
    site.folder = folder;
    // Installed system-wide, what changes lives apart from what is configured (FHS 3.0 section 5.8).
    auto state = folder == fs::path("/etc/postrider") ? fs::path("/var/lib/postrider") : folder;
    site.keys = state / "keys";
    site.outbox = state / "outbox";
    site.templates = folder / "templates";
    site.database_file = read_database(config.table("database"), state);
    site.database_url = "sqlite:" + site.database_file.string();

    auto http = config.table("http");
    site.http.listen = http.text("listen", site.http.listen);
    if (auto fault = http::fault_of_listen(site.http.listen)) throw http.error("listen", *fault);
    site.http.trusted_proxies = http.texts("trusted_proxies");
    for (auto& range : site.http.trusted_proxies)
        if (auto fault = http::fault_of_proxy(range)) throw http.error("trusted_proxies", *fault);
    site.cors_origins = http.texts("cors_origins");
    for (auto& origin : site.cors_origins) origin = system::lower(origin); // as browsers send it
    for (auto& origin : site.cors_origins)
        if (!is_origin(origin))
            throw http.error("cors_origins",
                             fmt::format("\"{}\" is no origin; write it like https://courier.example", origin));
    site.relays = read_relays(config, folder);
    site.domain_rates = read_domain_rates(config);
    site.rate = config.table("delivery").rate("rate");
    site.retry = read_retry(config.table("delivery"));
    site.dkim = read_dkim(config, folder);
    site.catch_up = config.table("digest").duration("catch_up", site.catch_up);

    auto feeds = config.table("feeds");
    site.feeds.contact = feeds.text("contact");
    site.feeds.allow_private_addresses = feeds.flag("allow_private_addresses", false);
    site.feed_every = feeds.duration("every", site.feed_every);
    if (site.feed_every < 1min) throw feeds.error("every", "no publisher likes to be asked more than once a minute");
    read_sign_up(config.table("signup"), folder, site.sign_up);

    auto log = config.table("log");
    site.log_level = choose(log, "level", site.log_level,
                            {{"debug", log::Level::debug},
                             {"info", log::Level::info},
                             {"warn", log::Level::warn},
                             {"error", log::Level::error}});
    site.log_format =
        choose(log, "format", site.log_format, {{"text", log::Format::text}, {"json", log::Format::json}});
    config.finish();
    return site;
}

storage::Connection open_database(const Site& site, Time now) {
    bool fresh = !fs::exists(site.key_file());
    storage::Connection connection(site.database_url, fresh ? storage::Access::create : storage::Access::read_write);
    if (!fresh && connection.empty())
        throw storage::Error(
            storage::Error::Kind::not_a_database,
            fmt::format("{} is empty, though the site has keys; look at database.url, or bring it back with "
                        "`postrider restore`",
                        site.database_file.string()));
    storage::migrate(connection, embedded::schema(), now);
    if (fresh && connection.value<std::int64_t>("SELECT 1 FROM site_keys"))
        throw ConfigError(fmt::format("{} is gone: without it every link mailed so far is dead and nobody on the "
                                      "suppression list is recognised; put it back from a backup",
                                      site.key_file().string()));
    return connection;
}

void check_keys(storage::Connection& connection, const subscribers::LinkTokens& tokens, const Site& site) {
    auto known = connection.value<std::string>("SELECT fingerprint FROM site_keys");
    if (!known)
        connection.run("INSERT INTO site_keys (fingerprint) SELECT $1 WHERE NOT EXISTS (SELECT 1 FROM site_keys)",
                       tokens.fingerprint());
    else if (*known != tokens.fingerprint())
        throw ConfigError(
            fmt::format("{} holds the keys of another site than {}; put the right file back from a backup",
                        site.key_file().string(), site.database_file.string()));
}

}
