#include "subscribers/import_columns.hpp"

#include "subscribers/csv.hpp"
#include "system/ascii.hpp"
#include "system/trimmed.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

namespace postrider::subscribers {
namespace {

using enum Column::Meaning;

constexpr std::size_t longest_attribute = 64;

struct Known {
    std::string_view title; // in small letters
    Column::Meaning meaning;
};

// Titles that mean the same in any file.
constexpr Known plain[] = {{"email", email},
                           {"name", name},
                           {"language", language},
                           {"timezone", timezone},
                           {"topics", topics},
                           {"rejected_line", ignored}, // our own file of rejected rows has them
                           {"rejected_reason", ignored}};

// What an operator may say of a column; any other word names an attribute.
constexpr Known words[] = {{"email", email},         {"name", name},         {"first_name", first_name},
                           {"last_name", last_name}, {"language", language}, {"timezone", timezone},
                           {"topics", topics},       {"status", status},     {"-", ignored}};

// The export of one contact list; unsubscribed and cleaned contacts come with columns of their own.
constexpr Known mailchimp[] = {{"email address", email},
                               {"first name", first_name},
                               {"last name", last_name},
                               {"timezone", timezone},
                               {"unsub_time", left_at},
                               {"clean_time", bounced_at},
                               {"unsub_campaign_title", ignored},
                               {"unsub_campaign_id", ignored},
                               {"unsub_reason", ignored},
                               {"unsub_reason_other", ignored},
                               {"clean_campaign_title", ignored},
                               {"clean_campaign_id", ignored},
                               {"member_rating", ignored},
                               {"optin_time", ignored},
                               {"optin_ip", ignored},
                               {"confirm_time", ignored},
                               {"confirm_ip", ignored},
                               {"latitude", ignored},
                               {"longitude", ignored},
                               {"gmtoff", ignored},
                               {"dstoff", ignored},
                               {"last_changed", ignored},
                               {"leid", ignored},
                               {"euid", ignored}};
constexpr Known listmonk[] = {{"uuid", ignored},          {"email", email},   {"name", name},
                              {"attributes", attributes}, {"status", status}, {"created_at", ignored},
                              {"updated_at", ignored}};
constexpr Known mailpoet[] = {{"email", email},
                              {"first name", first_name},
                              {"last name", last_name},
                              {"list status", status},
                              {"global status", status},
                              {"subscription ip", ignored},
                              {"subscription time", ignored},
                              {"confirmation time", ignored},
                              {"confirmation ip", ignored},
                              {"list", ignored}};
constexpr Known ours[] = {{"email", email},   {"name", name},     {"language", language}, {"timezone", timezone},
                          {"topics", topics}, {"status", status}, {"since", ignored}};

struct Program {
    std::string_view name;
    std::span<const Known> titles;
    std::array<std::string_view, 3> mark; // only its files have all of these
};
constexpr Program programs[] = {{"Mailchimp", mailchimp, {"email address", "optin_time", "confirm_time"}},
                                {"listmonk", listmonk, {"uuid", "attributes", "status"}},
                                {"MailPoet", mailpoet, {"email", "list status", "list"}},
                                {"MailPoet", mailpoet, {"email", "global status", "list"}},
                                {"Postrider", ours, {"email", "status", "since"}}};

std::optional<Column::Meaning> meaning_of(std::span<const Known> known, std::string_view word) {
    auto found = std::ranges::find(known, word, &Known::title);
    if (found == known.end()) return {};
    return found->meaning;
}

const Program* writer_of(std::span<const std::string> titles) {
    auto is_there = [&](std::string_view mark) {
        return std::ranges::any_of(titles, [&](auto& title) { return system::lower(title) == mark; });
    };
    auto found = std::ranges::find_if(programs, [&](auto& one) { return std::ranges::all_of(one.mark, is_there); });
    return found == std::end(programs) ? nullptr : found;
}

Column column_of(const std::string& title, const Program* program, std::span<const ColumnMeaning> said) {
    for (auto& [wanted, meaning] : said)
        if (system::equal_without_case(wanted, title)) {
            auto known = meaning_of(words, system::lower(meaning));
            return {known.value_or(attribute), known ? title : meaning};
        }
    auto word = system::lower(title);
    if (auto known = meaning_of(program ? program->titles : plain, word)) return {*known, title};
    return {title.empty() ? ignored : attribute, title, word.find("status") != word.npos};
}

std::optional<std::string> fault_of(std::span<const Column> columns, std::span<const std::string> titles) {
    std::vector<std::string> seen;
    for (auto& column : columns) {
        if (column.title.size() > longest_attribute)
            return fmt::format("the name of a column is longer than {} octets", longest_attribute);
        if (column.meaning == ignored || column.meaning == status) continue;
        // What may be there once is known by its meaning, an attribute by its name.
        auto name = column.meaning == attribute ? column.title : fmt::format("\n{}", int(column.meaning));
        if (std::ranges::find(seen, name) != seen.end())
            return fmt::format("the column \"{}\" is there twice", column.title);
        seen.push_back(std::move(name));
    }
    if (std::ranges::find(columns, email, &Column::meaning) == columns.end())
        return fmt::format("there is no column \"email\", only: {}; say which one it is: --map \"COLUMN=email\"",
                           fmt::join(titles, ", "));
    return {};
}

}

std::expected<Columns, std::string> columns_of(std::span<const std::string_view> header,
                                               std::span<const ColumnMeaning> said) {
    std::vector<std::string> titles;
    for (auto field : header) titles.emplace_back(system::trimmed(unguarded(field)));
    for (auto& [wanted, meaning] : said)
        if (std::ranges::none_of(titles, [&](auto& title) { return system::equal_without_case(wanted, title); }))
            return std::unexpected(fmt::format("there is no column \"{}\", only: {}", wanted, fmt::join(titles, ", ")));
    auto* program = writer_of(titles);
    Columns result;
    if (program) result.written_by = program->name;
    for (auto& title : titles) result.columns.push_back(column_of(title, program, said));
    if (auto fault = fault_of(result.columns, titles)) return std::unexpected(*fault);
    return result;
}

std::string_view to_text(Before before) {
    constexpr std::string_view names[] = {"subscribed", "unconfirmed", "unsubscribed",
                                          "bounced",    "complained",  "blocked"};
    return names[int(before)];
}

std::expected<Before, std::string> standing_before(std::string_view word) {
    constexpr std::pair<std::string_view, Before>
        known[] = {{"subscribed", Before::subscribed},     {"active", Before::subscribed},
                   {"enabled", Before::subscribed},        {"confirmed", Before::subscribed},
                   {"inactive", Before::subscribed}, // MailPoet: who opened nothing for a while
                   {"unconfirmed", Before::unconfirmed},   {"pending", Before::unconfirmed},
                   {"unsubscribed", Before::unsubscribed}, {"disabled", Before::unsubscribed},
                   {"bounced", Before::bounced},           {"cleaned", Before::bounced},
                   {"complained", Before::complained},     {"blocked", Before::blocked},
                   {"blocklisted", Before::blocked},       {"blacklisted", Before::blocked}};
    auto found = std::ranges::find_if(known, [&](auto& one) { return system::equal_without_case(one.first, word); });
    if (found != std::end(known)) return found->second;
    return std::unexpected(fmt::format("the status \"{}\" is none of subscribed, unconfirmed, unsubscribed, bounced, "
                                       "complained, blocked",
                                       word));
}

}
