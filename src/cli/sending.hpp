#pragma once

#include "cli/call.hpp"
#include "subscribers/audience.hpp"
#include "templates/fault.hpp"

#include <optional>
#include <string>
#include <vector>

// `issue send`, and what other verbs of issue share with it.
//
// Always: with --wait and without a daemon nothing is made. A test mail is a letter: no issue, no entry in the ledger.

namespace postrider::cli {

int send_issue(Call&);

// A list (its next issue) or an issue, by the names operators use.
struct Target {
    subscribers::List list;
    std::optional<IssueId> issue;
};
[[nodiscard]] Target target_of(Call&, const std::string& word);

// The reader of this address on the list; a stranger with this address when there is none; without an address the
// list's own sender.
[[nodiscard]] subscribers::Reader reader_of(Call&, const subscribers::List&, const std::optional<std::string>& address);

[[nodiscard]] std::string name_of(const digest::Issue&); // "issue 12 (daily/3)"
// "; no daemon is running: ..." or nothing.
[[nodiscard]] std::string hint_without_daemon(Call&);
// What a template's findings say, to standard error; the mail goes out all the same.
void note_warnings(Call&, const std::vector<templates::Fault>&);
void refuse_archived(const subscribers::List&);

}
