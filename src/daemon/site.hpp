#pragma once

#include "delivery/lane.hpp"
#include "delivery/pace.hpp"
#include "delivery/retry.hpp"
#include "digest/content.hpp"
#include "http/client.hpp"
#include "http/server.hpp"
#include "mail/dkim.hpp"
#include "storage/connection.hpp"
#include "subscribers/budgets.hpp"
#include "subscribers/link_tokens.hpp"
#include "system/log.hpp"

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

// A site: the folder with postrider.toml, and everything the file says, checked.
//
// In:     -C DIR, $POSTRIDER_SITE, the current folder, or /etc/postrider, in this order; the environment's overrides.
// Out:    the settings of every room; or system::ConfigError with file, line, key and the next thing to do.
// Always: config/postrider.toml shows every key that load() knows, and no other (a test holds the two together).

namespace postrider::daemon {

struct Relay {
    delivery::LaneSettings lane;
    bool outbox = false; // the built-in test relay: url is known once it listens
};

struct Site {
    explicit Site(digest::SiteWords w) : words(std::move(w)) {}

    std::filesystem::path folder;        // of postrider.toml
    std::filesystem::path database_file; // what "sqlite:" names
    std::filesystem::path keys, templates, outbox;
    std::string database_url;

    digest::SiteWords words;
    std::string operator_address; // gets the program's notices; may be empty
    std::string language = "en";  // of these notices

    http::ServerSettings http;
    std::vector<std::string> cors_origins; // whose pages may post JSON sign-ups
    std::vector<Relay> relays;
    std::map<std::string, Rate> domain_rates;
    std::optional<Rate> rate; // of all mail together
    delivery::RetrySettings retry;
    std::optional<mail::dkim::Settings> dkim; // none: the relay signs
    Duration catch_up = 12h;
    subscribers::Settings sign_up;
    http::ClientSettings feeds;
    Duration feed_every = 30min;
    log::Level log_level = log::Level::info;
    log::Format log_format = log::Format::text;

    [[nodiscard]] std::filesystem::path key_file() const { return keys / "links"; }
    [[nodiscard]] std::filesystem::path lock_file() const { return database_file.string() + ".lock"; }

    // The folder itself, or where it is found; throws ConfigError naming every place that was looked at.
    static std::filesystem::path find(const std::optional<std::filesystem::path>& given);
    static Site load(const std::filesystem::path& folder);
};

// Brought up to date. Made when the site is new, that is, without keys: a database that is missing or empty beside keys is an error,
// and never replaced by an empty one. Throws ConfigError where keys were in use and are gone.
[[nodiscard]] storage::Connection open_database(const Site& site, Time now);
// That the keys are those the database knows; the first ones it meets are. Throws ConfigError for others.
void check_keys(storage::Connection& connection, const subscribers::LinkTokens& tokens, const Site& site);

}
