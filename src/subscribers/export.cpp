#include "subscribers/export.hpp"

#include "subscribers/attributes.hpp"
#include "subscribers/csv.hpp"

#include <set>
#include <span>
#include <string>
#include <vector>

namespace postrider::subscribers {
namespace {

constexpr std::size_t piece = 64 * 1024;

std::set<std::string, std::less<>> attribute_names(storage::Connection& connection, ListId list) {
    std::set<std::string, std::less<>> names;
    connection.each(
        R"sql(SELECT p.attributes FROM subscription s JOIN subscriber p ON p.id = s.subscriber_id
              WHERE s.list_id = $1 AND s.left_at IS NULL AND p.attributes <> '{}' ORDER BY s.id)sql",
        [&](const storage::Row& row) {
            for (auto& [name, value] : parse_attributes(row.text(0)))
                if (!names.contains(name)) names.insert(name);
        },
        list);
    return names;
}

void append_row(std::string& to, std::span<const std::string_view> fields) {
    std::vector<std::string> safe;
    for (auto field : fields) safe.push_back(guarded(field));
    append_csv(to, std::vector<std::string_view>(safe.begin(), safe.end()));
}

}

std::int64_t export_readers(storage::Connection& connection, ListId list,
                            const std::function<void(std::string_view)>& write) {
    storage::Snapshot snapshot(connection); // so that the header fits the rows below it
    auto names = attribute_names(connection, list);
    std::vector<std::string_view> fields = {"email", "name", "language", "timezone"};
    fields.insert(fields.end(), names.begin(), names.end());
    std::string text;
    append_row(text, fields);

    std::int64_t readers = 0;
    connection.each(
        R"sql(SELECT p.address, p.name, p.language, p.timezone, p.attributes
              FROM subscription s JOIN subscriber p ON p.id = s.subscriber_id
              WHERE s.list_id = $1 AND s.left_at IS NULL ORDER BY s.id)sql",
        [&](const storage::Row& row) {
            Attributes attributes;
            if (row.text(4) != "{}") attributes = parse_attributes(row.text(4));
            fields.clear();
            for (int column = 0; column < 4; ++column) fields.push_back(row.text(column));
            for (auto& name : names) {
                auto value = attributes.find(name);
                fields.push_back(value == attributes.end() ? std::string_view() : std::string_view(value->second));
            }
            append_row(text, fields);
            ++readers;
            if (text.size() < piece) return;
            write(text);
            text.clear();
        },
        list);
    write(text);
    return readers;
}

}
