#pragma once

#include "subscribers/import.hpp"

#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <vector>

// What the columns of a file of readers mean: by their titles, by what the operator says, by the program that wrote the
// file.
//
// In:     the header's titles; titles with their meaning from the operator.
// Out:    a meaning for each column; how a reader stood where the file comes from.
// Always: pure. Known exports are recognised by columns that no other file has: Mailchimp (subscribed, unsubscribed and
//         cleaned contacts, each a file of its own), listmonk, MailPoet, and our own.

namespace postrider::subscribers {

struct Column {
    enum class Meaning {
        email,
        name,
        first_name,
        last_name,
        language,
        timezone,
        topics,     // "World; Sport"; of a list that has none an attribute
        status,     // a word; see standing_before()
        left_at,    // not empty: unsubscribed
        bounced_at, // not empty: bounced
        attributes, // a JSON object of them
        attribute,
        ignored
    } meaning;
    std::string title;     // as the file has it; of an attribute its name
    bool doubtful = false; // an attribute by its title only, that could be the readers' status
};

struct Columns {
    std::string_view written_by; // "Mailchimp"; empty: nobody known
    std::vector<Column> columns;
};

// The error says what is wrong with the header, without the file's name.
[[nodiscard]] std::expected<Columns, std::string> columns_of(std::span<const std::string_view> titles,
                                                             std::span<const ColumnMeaning> said);

// How a reader stood where the file comes from.
enum class Before { subscribed, unconfirmed, unsubscribed, bounced, complained, blocked };
[[nodiscard]] std::string_view to_text(Before);
// By the word that a program writes for it, in any letter case; the error says which words are known.
[[nodiscard]] std::expected<Before, std::string> standing_before(std::string_view word);

}
