#include "storage/contradictions.hpp"

#include "digest/issues.hpp"

#include <array>

namespace postrider::digest {
namespace {

using storage::Never;

constexpr std::array facts = {
    Never{"it is frozen without a mailing, or has one without being frozen", R"sql(
        SELECT count(*) FROM issue WHERE id = $1 AND (state = 'frozen') <> (mailing_id IS NOT NULL))sql"},
    Never{"its mailing does not exist", R"sql(
        SELECT count(*) FROM issue i WHERE i.id = $1 AND i.mailing_id IS NOT NULL
            AND NOT EXISTS (SELECT 1 FROM mailing m WHERE m.id = i.mailing_id))sql"},
    Never{"its mailing is another list's", R"sql(
        SELECT count(*) FROM issue i JOIN mailing m ON m.id = i.mailing_id WHERE i.id = $1 AND m.list_id <> i.list_id)sql"},
    Never{"it is frozen without a number, words or pages", R"sql(
        SELECT count(*) FROM issue WHERE id = $1 AND state = 'frozen' AND
            (number IS NULL OR frozen_at IS NULL OR content IS NULL OR page IS NULL OR plain IS NULL))sql"},
    Never{"it has a number without being frozen", R"sql(
        SELECT count(*) FROM issue WHERE id = $1 AND state <> 'frozen' AND number IS NOT NULL)sql"},
    Never{"its number is higher than the list has counted", R"sql(
        SELECT count(*) FROM issue i JOIN list_counter c ON c.list_id = i.list_id
        WHERE i.id = $1 AND i.number > c.last_issue_number)sql"},
    Never{"it goes to readers without a story", R"sql(
        SELECT count(*) FROM issue i JOIN mailing m ON m.id = i.mailing_id WHERE i.id = $1 AND m.state <> 'cancelled'
            AND NOT EXISTS (SELECT 1 FROM issue_story s WHERE s.issue_id = i.id))sql"},
};

constexpr std::array counts = {
    Never{"stories used up although it was skipped or cancelled as a draft", R"sql(
        SELECT count(*) FROM issue i JOIN issue_story s ON s.issue_id = i.id
        WHERE i.id = $1 AND i.state IN ('skipped', 'cancelled'))sql"},
    Never{"stories entered for another list", R"sql(
        SELECT count(*) FROM issue i JOIN issue_story s ON s.issue_id = i.id WHERE i.id = $1 AND s.list_id <> i.list_id)sql"},
    Never{"stories that another issue of the list has too", R"sql(
        SELECT count(*) FROM issue i JOIN issue_story s ON s.issue_id = i.id
        JOIN issue_story t ON t.story_id = s.story_id AND t.issue_id <> s.issue_id
        JOIN issue o ON o.id = t.issue_id AND o.list_id = i.list_id
        WHERE i.id = $1)sql"},
    Never{"stories that share a place", R"sql(
        SELECT count(*) - count(DISTINCT position) FROM issue_story WHERE issue_id = $1)sql"},
};

}

std::vector<std::string> Issues::contradictions(IssueId id) {
    storage::Snapshot moment(connection_);
    return storage::contradictions(connection_, facts, counts, id.number);
}

}
