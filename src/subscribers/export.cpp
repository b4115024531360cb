#include "subscribers/export.hpp"

#include "subscribers/attributes.hpp"
#include "subscribers/csv.hpp"
#include "subscribers/topics.hpp"

#include <set>
#include <span>
#include <string>
#include <vector>

namespace postrider::subscribers {
namespace {

constexpr std::size_t piece = 64 * 1024;

// Each reader once, by the newest stretch; the columns are those of the file, with the attributes last.
constexpr std::string_view active_readers = R"sql(
    SELECT p.address, p.name, p.language, p.timezone, 'active', s.activated_at, p.attributes,
           s.topics
    FROM subscription s JOIN subscriber p ON p.id = s.subscriber_id
    WHERE s.list_id = $1 AND s.left_at IS NULL ORDER BY s.id)sql";
constexpr std::string_view all_readers = R"sql(
    SELECT p.address, p.name, p.language, p.timezone,
           CASE WHEN s.left_at IS NULL THEN 'active' WHEN s.left_how = 'suppressed' THEN 'blocked'
                ELSE 'unsubscribed' END,
           coalesce(s.left_at, s.activated_at), p.attributes, s.topics
    FROM subscription s JOIN subscriber p ON p.id = s.subscriber_id
    WHERE s.list_id = $1
      AND s.id = (SELECT max(n.id) FROM subscription n WHERE n.subscriber_id = p.id AND n.list_id = $1)
    ORDER BY s.id)sql";

// The columns that some reader has a value for.
struct Further {
    bool topics = false;
    std::set<std::string, std::less<>> attributes;
};

Further further_columns(storage::Connection& connection, ListId list, std::string_view readers) {
    Further columns;
    auto& names = columns.attributes;
    connection.each(
        readers,
        [&](const storage::Row& row) {
            columns.topics |= !row.text(7).empty();
            if (row.text(6) == "{}") return;
            for (auto& [name, value] : parse_attributes(row.text(6)))
                if (!names.contains(name)) names.insert(name);
        },
        list);
    if (columns.topics) names.erase("topics"); // a file cannot have both
    return columns;
}

void append_row(std::string& to, std::span<const std::string_view> fields) {
    std::vector<std::string> safe;
    for (auto field : fields) safe.push_back(guarded(field));
    append_csv(to, std::vector<std::string_view>(safe.begin(), safe.end()));
}

}

std::int64_t export_readers(storage::Connection& connection, ListId list, Exported which,
                            const std::function<void(std::string_view)>& write) {
    storage::Snapshot snapshot(connection); // so that the header fits the rows below it
    auto readers = which == Exported::all ? all_readers : active_readers;
    auto [has_topics, names] = further_columns(connection, list, readers);
    std::vector<std::string_view> fields = {"email", "name", "language", "timezone"};
    if (which == Exported::all) fields.insert(fields.end(), {"status", "since"});
    if (has_topics) fields.push_back("topics");
    fields.insert(fields.end(), names.begin(), names.end());
    std::string text;
    append_row(text, fields);

    std::int64_t count = 0;
    connection.each(
        readers,
        [&](const storage::Row& row) {
            Attributes attributes;
            if (row.text(6) != "{}") attributes = parse_attributes(row.text(6));
            fields.clear();
            for (int column = 0; column < 4; ++column) fields.push_back(row.text(column));
            auto since = rfc3339(row.get<Time>(5));
            if (which == Exported::all) fields.insert(fields.end(), {row.text(4), since});
            auto topics = topics_as_text(row.text(7));
            if (has_topics) fields.push_back(topics);
            for (auto& name : names) {
                auto value = attributes.find(name);
                fields.push_back(value == attributes.end() ? std::string_view() : std::string_view(value->second));
            }
            append_row(text, fields);
            ++count;
            if (text.size() < piece) return;
            write(text);
            text.clear();
        },
        list);
    write(text);
    return count;
}

}
