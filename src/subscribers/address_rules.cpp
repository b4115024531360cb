#include "subscribers/address_rules.hpp"

#include "system/nearest.hpp"
#include "system/trimmed.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <fstream>
#include <stdexcept>

namespace postrider::subscribers {
namespace {

constexpr std::size_t most_domains = 2'000'000;
constexpr std::size_t longest_domain = 255;

constexpr std::array<std::string_view, 28> great_providers{
    "gmail.com",      "googlemail.com", "hotmail.com", "outlook.com", "yahoo.com",   "icloud.com",    "live.com",
    "aol.com",        "protonmail.com", "proton.me",   "t-online.de", "freenet.de",  "hotmail.fr",    "laposte.net",
    "wanadoo.fr",     "orange.fr",      "hotmail.it",  "libero.it",   "hotmail.es",  "hotmail.co.uk", "yahoo.co.uk",
    "btinternet.com", "yandex.ru",      "comcast.net", "verizon.net", "yahoo.co.jp", "bluewin.ch",    "ziggo.nl"};

// Real providers within one slip of another.
constexpr std::array<std::string_view, 12> real_neighbours{"mail.com",   "email.com",  "ymail.com",  "gmail.co.uk",
                                                           "hotmail.de", "yahoo.de",   "yahoo.fr",   "yahoo.es",
                                                           "yahoo.it",   "outlook.fr", "outlook.de", "hotmail.nl"};

// RFC 2142 and what is seen beside it.
constexpr std::array<std::string_view, 26> roles{
    "abuse",   "admin",  "administrator", "billing",   "contact", "ftp",      "hostmaster",
    "info",    "list",   "mailer-daemon", "marketing", "news",    "no-reply", "noc",
    "noreply", "office", "postmaster",    "root",      "sales",   "security", "support",
    "usenet",  "uucp",   "webmaster",     "www",       "help"};

bool looks_like_a_domain(std::string_view text) {
    auto fits = [](unsigned char c) { return std::isalnum(c) || c == '-' || c == '.'; };
    return text.contains('.') && std::ranges::all_of(text, fits);
}

}

std::optional<std::string> suggested(const mail::Address& address) {
    auto domain = address.domain_ascii();
    if (std::ranges::find(great_providers, domain) != great_providers.end() ||
        std::ranges::find(real_neighbours, domain) != real_neighbours.end())
        return std::nullopt;
    for (auto provider : great_providers) {
        // In a short name one letter is as likely another provider.
        if (provider.size() < 9 || system::spelling_distance(domain, provider) != 1) continue;
        auto& text = address.text();
        return std::string(text.substr(0, text.rfind('@') + 1)) + std::string(provider);
    }
    return std::nullopt;
}

bool is_role(const mail::Address& address) {
    auto key = address.key();
    auto local = key.substr(0, key.rfind('@'));
    if (auto plus = local.find('+'); plus != local.npos && plus > 0) local.resize(plus);
    return std::ranges::find(roles, local) != roles.end();
}

DisposableDomains::DisposableDomains(const std::filesystem::path& path) {
    std::ifstream file(path);
    if (!file) throw std::runtime_error(fmt::format("{} cannot be read", path.string()));
    std::string line;
    for (std::int64_t number = 1; std::getline(file, line); ++number) {
        auto domain = system::trimmed(std::string_view(line).substr(0, line.find('#')));
        if (domain.empty()) continue;
        auto address = mail::parse_address(fmt::format("x@{}", domain.substr(0, longest_domain + 1)));
        // Public lists hold a few names that no address can have; those are refused anyway.
        if (!address && looks_like_a_domain(domain)) continue;
        if (!address)
            throw std::runtime_error(fmt::format("{}:{}: this is no domain; write one a line", path.string(), number));
        if (domains_.size() == most_domains)
            throw std::runtime_error(fmt::format("{}:{}: more than {} domains", path.string(), number, most_domains));
        domains_.emplace(address->domain_ascii());
    }
    if (file.bad()) throw std::runtime_error(fmt::format("{} cannot be read to its end", path.string()));
}

bool DisposableDomains::contains(const mail::Address& address) const {
    std::string_view domain = address.domain_ascii();
    while (!domain.empty()) {
        if (domains_.contains(domain)) return true;
        auto dot = domain.find('.');
        domain = dot == domain.npos ? std::string_view() : domain.substr(dot + 1);
    }
    return false;
}

}
