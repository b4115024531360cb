#include "web/archived_issues.hpp"

namespace postrider::web {

bool is_public(const digest::Issue& issue) {
    using enum digest::IssueState;
    return issue.number && issue.mailing && (issue.state == sending || issue.state == paused || issue.state == sent);
}

std::vector<digest::Issue> archived_issues(storage::Connection& connection, ListId list, std::size_t limit) {
    std::vector<digest::Issue> shown;
    for (auto& issue : digest::Issues(connection).of_list(list)) {
        if (shown.size() == limit) break;
        if (is_public(issue)) shown.push_back(std::move(issue));
    }
    return shown;
}

}
