#include "subscribers/lists.hpp"

#include <algorithm>

namespace postrider::subscribers {
namespace {

List list_of(const storage::Row& row) {
    List list;
    list.id = row.get<ListId>(0);
    list.slug = row.get<std::string>(1);
    list.title = row.get<std::string>(2);
    list.description = row.get<std::string>(3);
    list.state = row.get<ListState>(4);
    list.sender = row.get<std::string>(5);
    list.language = row.get<std::string>(6);
    list.timezone = row.get<std::string>(7);
    list.schedule = row.get<std::optional<std::string>>(8);
    list.schedule_set_at = row.get<std::optional<Time>>(9);
    list.template_name = row.get<std::string>(10);
    list.minimum = row.get<int>(11);
    list.maximum = row.get<int>(12);
    list.look_back = row.get<Duration>(13);
    list.approval = row.get<bool>(14);
    list.welcome = row.get<bool>(15);
    list.created_at = row.get<Time>(16);
    list.local_hour = row.get<bool>(17);
    return list;
}

bool limits_hold(const List& list) {
    return list.minimum >= 1 && list.maximum >= list.minimum && list.look_back > Duration::zero();
}

}

std::string_view to_text(ListState state) {
    switch (state) {
    case ListState::open: return "open";
    case ListState::private_: return "private";
    case ListState::archived: return "archived";
    }
    return {};
}

std::optional<ListState> parse_list_state(std::string_view text) {
    for (auto state : {ListState::open, ListState::private_, ListState::archived})
        if (text == to_text(state)) return state;
    return std::nullopt;
}

std::string_view to_text(ListError error) {
    switch (error) {
    case ListError::bad_slug:
        return "a slug is 1 to 64 of a-z, 0-9 and -, neither begins nor ends with -, and is not only digits";
    case ListError::duplicate_slug: return "there is a list with this slug already";
    case ListError::bad_limits: return "a list needs 1 <= min <= max and a look-back longer than nothing";
    }
    return {};
}

bool valid_slug(std::string_view slug) {
    auto digit = [](char c) { return c >= '0' && c <= '9'; };
    auto allowed = [&](char c) { return digit(c) || (c >= 'a' && c <= 'z') || c == '-'; };
    if (slug.empty() || slug.size() > 64 || !std::ranges::all_of(slug, allowed)) return false;
    return slug.front() != '-' && slug.back() != '-' && !std::ranges::all_of(slug, digit);
}

std::expected<List, ListError> Lists::add(List list, Time now) {
    if (!valid_slug(list.slug)) return std::unexpected(ListError::bad_slug);
    if (!limits_hold(list)) return std::unexpected(ListError::bad_limits);
    list.created_at = now;
    list.schedule_set_at = list.schedule ? std::optional(now) : std::nullopt;

    storage::Transaction transaction(connection_);
    auto id = connection_.value<ListId>(
        R"sql(INSERT INTO list (slug, title, description, state, sender, language, timezone, schedule, schedule_set_at,
                                template, minimum, maximum, look_back, approval, welcome, created_at,
                                local_hour)
              VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
              ON CONFLICT (slug) DO NOTHING RETURNING id)sql",
        list.slug, list.title, list.description, list.state, list.sender, list.language, list.timezone, list.schedule,
        list.schedule_set_at, list.template_name, list.minimum, list.maximum, list.look_back, list.approval,
        list.welcome, list.created_at, list.local_hour);
    if (id) connection_.run("INSERT INTO list_counter (list_id) VALUES ($1)", *id);
    transaction.commit();
    if (!id) return std::unexpected(ListError::duplicate_slug);
    list.id = *id;
    return list;
}

std::expected<List, ListError> Lists::update(List list, Time now) {
    if (!limits_hold(list)) return std::unexpected(ListError::bad_limits);
    storage::Transaction transaction(connection_);
    if (auto before = find(list.id)) {
        // Slots that lie behind us under the new rhythm were never promised to anybody.
        bool changed = before->schedule != list.schedule || before->timezone != list.timezone;
        list.schedule_set_at = !list.schedule ? std::nullopt : changed ? std::optional(now) : before->schedule_set_at;
        list.slug = before->slug;
        list.created_at = before->created_at;
    }
    connection_.run(
        R"sql(UPDATE list SET title = $1, description = $2, state = $3, sender = $4, language = $5, timezone = $6,
                              schedule = $7, schedule_set_at = $8, template = $9, minimum = $10, maximum = $11,
                              look_back = $12, approval = $13, welcome = $14, local_hour = $15
              WHERE id = $16)sql",
        list.title, list.description, list.state, list.sender, list.language, list.timezone, list.schedule,
        list.schedule_set_at, list.template_name, list.minimum, list.maximum, list.look_back, list.approval,
        list.welcome, list.local_hour, list.id);
    transaction.commit();
    return list;
}

void Lists::archive(ListId id) {
    storage::Transaction transaction(connection_);
    connection_.run("UPDATE list SET state = $1 WHERE id = $2", ListState::archived, id);
    transaction.commit();
}

std::optional<List> Lists::find(ListId id) {
    return connection_.first(
        R"sql(SELECT id, slug, title, description, state, sender, language, timezone, schedule, schedule_set_at,
                     template, minimum, maximum, look_back, approval, welcome, created_at, local_hour
              FROM list WHERE id = $1)sql",
        list_of, id);
}

std::optional<List> Lists::find(std::string_view slug) {
    return connection_.first(
        R"sql(SELECT id, slug, title, description, state, sender, language, timezone, schedule, schedule_set_at,
                     template, minimum, maximum, look_back, approval, welcome, created_at, local_hour
              FROM list WHERE slug = $1)sql",
        list_of, slug);
}

std::vector<List> Lists::all() {
    return connection_.all(
        R"sql(SELECT id, slug, title, description, state, sender, language, timezone, schedule, schedule_set_at,
                     template, minimum, maximum, look_back, approval, welcome, created_at, local_hour
              FROM list ORDER BY slug)sql",
        list_of);
}

std::int64_t Lists::active_count(ListId id) {
    return connection_.value<std::int64_t>("SELECT active FROM list_counter WHERE list_id = $1", id).value_or(0);
}

int Lists::take_issue_number(ListId id) {
    storage::Transaction transaction(connection_);
    auto number = connection_.value<int>(
        R"sql(UPDATE list_counter SET last_issue_number = last_issue_number + 1
              WHERE list_id = $1 RETURNING last_issue_number)sql",
        id);
    transaction.commit();
    return number.value();
}

}

postrider::subscribers::ListState postrider::storage::Column<postrider::subscribers::ListState>::read(const Row& row,
                                                                                                      int column) {
    if (auto state = subscribers::parse_list_state(row.text(column))) return *state;
    throw Error(Error::Kind::other, "list.state holds an unknown word");
}
