#pragma once

#include "storage/ids.hpp"
#include "system/time.hpp"

#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// The newsletters of a site.
//
// Always: a slug never changes and never comes back for another list; a list always has its counter row. A list is
//         archived, never deleted: its issues, its readers' consent and their links live on.

namespace postrider::subscribers {

// open: anybody may join; private: only the operator adds readers; archived: nobody joins, nothing is sent.
enum class ListState { open, private_, archived };
[[nodiscard]] std::string_view to_text(ListState);
[[nodiscard]] std::optional<ListState> parse_list_state(std::string_view);

struct List {
    ListId id;
    std::string slug;
    std::string title;
    std::string description;
    ListState state = ListState::open;
    std::string sender; // "The Courier <news@courier.example>"
    std::string language = "en";
    std::string timezone = "UTC";
    std::optional<std::string> schedule; // as the operator wrote it; none: only by hand
    std::optional<Time> schedule_set_at; // slots before this are not owed to anyone
    std::string template_name = "digest";
    int minimum = 1;
    int maximum = 20;
    Duration look_back = 7 * 24h;
    bool approval = false; // an issue is held until a person approves it
    bool welcome = false;
    bool local_hour = false; // a scheduled issue comes at the same hour of each reader's own clock
    Time created_at;
};

enum class ListError {
    bad_slug, // not 1 to 64 of a-z 0-9 -, or it begins or ends with -, or is only digits (that is an issue's number)
    duplicate_slug, // an archived list keeps its slug too
    bad_limits,     // not 1 <= minimum <= maximum, or a look-back that is not positive
};
[[nodiscard]] std::string_view to_text(ListError);

[[nodiscard]] bool valid_slug(std::string_view);

class Lists {
public:
    explicit Lists(storage::Connection& connection) : connection_(connection) {}

    // Takes every column but id, schedule_set_at and created_at from `list`; gives it back as stored.
    [[nodiscard]] std::expected<List, ListError> add(List list, Time now);
    // Writes every column but slug and created_at. A changed schedule or time zone starts to count at `now`.
    [[nodiscard]] std::expected<List, ListError> update(List list, Time now);
    void archive(ListId);

    [[nodiscard]] std::optional<List> find(ListId);
    [[nodiscard]] std::optional<List> find(std::string_view slug);
    [[nodiscard]] std::vector<List> all(); // by slug, archived ones included

    [[nodiscard]] std::int64_t active_count(ListId); // readers, from the counter
    // The next number of an issue, counted from 1; taken for good when the surrounding transaction commits.
    [[nodiscard]] int take_issue_number(ListId);

private:
    storage::Connection& connection_;
};

}

template <>
struct postrider::storage::Column<postrider::subscribers::ListState> {
    static std::string_view bind(postrider::subscribers::ListState state) {
        return postrider::subscribers::to_text(state);
    }
    static postrider::subscribers::ListState read(const Row& row, int column);
};
