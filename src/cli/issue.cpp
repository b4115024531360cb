#include "cli/call.hpp"
#include "cli/command.hpp"
#include "cli/report.hpp"
#include "cli/sending.hpp"
#include "cli/watching.hpp"
#include "delivery/mailings.hpp"
#include "digest/issues.hpp"
#include "subscribers/audience.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <iterator>

namespace postrider::cli {
namespace {

namespace json = boost::json;
using digest::Issue;
using digest::Issues;
using digest::IssueState;

json::object json_of(Call& call, const Issue& issue) {
    json::object row{{"issue", issue.id.number}};
    row["number"] = json::value_from(issue.number);
    row["list"] = issue.list_slug;
    row["status"] = to_text(issue.state);
    row["subject"] = issue.subject;
    row["stories"] = Issues(call.database()).stories(issue.id).size();
    row["slot"] = json_time(issue.slot);
    row["created_at"] = json_time(issue.created_at);
    row["scheduled_at"] = json_time(issue.frozen_at);
    row["reason"] = json_text(issue.reason);
    return row;
}

int ls(Call& call) {
    Issues issues(call.database());
    auto slug = call.text_if("--list");
    auto found = slug ? issues.of_list(call.list(*slug).id) : issues.all();
    if (call.json()) {
        json::array rows;
        for (auto& issue : found) rows.push_back(json_of(call, issue));
        print_json(call.out, rows);
        return 0;
    }
    if (found.empty()) {
        call.say("no issue yet; `postrider issue send LIST` makes one");
        return 0;
    }
    Table table({"ISSUE", "LIST", "NUMBER", "STATUS", "SLOT", "SUBJECT"});
    for (auto& issue : found)
        table.row({std::to_string(issue.id.number), issue.list_slug, issue.number ? std::to_string(*issue.number) : "-",
                   std::string(to_text(issue.state)), shown(issue.slot),
                   issue.reason.empty() ? shortened(issue.subject, 60) : issue.reason});
    table.print(call.out, call.terminal);
    return 0;
}

int show(Call& call) {
    auto issue = call.issue(call.argument(0));
    auto row = json_of(call, issue);
    json::array stories;
    Table table({"STORY", "TITLE", "URL"});
    for (auto id : Issues(call.database()).stories(issue.id)) {
        auto story = stories::Stories(call.database()).find(id);
        if (!story) continue;
        stories.push_back(json::object{{"id", id.number}, {"title", story->title}, {"url", story->url}});
        table.row({std::to_string(id.number), shortened(story->title, 60), story->url});
    }
    if (call.json()) {
        row["stories"] = std::move(stories);
        print_json(call.out, row);
        return 0;
    }
    call.say(fmt::format("{}: {}{}", name_of(issue), to_text(issue.state),
                         issue.reason.empty() ? "" : fmt::format(", {}", issue.reason)));
    if (!issue.subject.empty()) call.say(issue.subject);
    if (issue.slot) call.say(fmt::format("fills the slot of {}", shown(issue.slot)));
    if (issue.state == IssueState::scheduled)
        if (auto ahead = waits_for(call, issue, call.now); !ahead.empty()) call.say("waits for " + ahead);
    if (!table.empty()) table.print(call.out, call.terminal);
    return 0;
}

// --- preview -------------------------------------------------------------------------------------------------------

enum class Form { text, html, eml };

Form form_of(const Call& call) {
    int chosen = call.has("--html") + call.has("--text") + call.has("--eml");
    if (chosen > 1) throw WrongUsage("issue preview takes one of --html, --text and --eml");
    if (call.has("--html")) return Form::html;
    if (call.has("--eml")) return Form::eml;
    auto output = call.text("--output");
    if (chosen == 0 && (output.ends_with(".html") || output.ends_with(".htm"))) return Form::html;
    if (chosen == 0 && output.ends_with(".eml")) return Form::eml;
    return Form::text;
}

int preview(Call& call) {
    auto form = form_of(call);
    auto target = target_of(call, call.argument(0));
    auto reader = reader_of(call, target.list, call.text_if("--to"));
    auto sample = call.publishing().sample(target.list, target.issue, reader, "", call.now);
    if (sample.example)
        call.note(fmt::format("no story of {} is eligible; the newest stand in as an example", target.list.slug));
    note_warnings(call, sample.warnings);
    auto& bytes = form == Form::html ? sample.html : form == Form::eml ? sample.eml : sample.text;
    auto output = call.text_if("--output");
    if (!output) {
        call.out << bytes;
        return 0;
    }
    std::ofstream file(*output, std::ios::binary | std::ios::trunc);
    file << bytes;
    file.flush();
    if (!file) throw Failure(fmt::format("{}: cannot be written", *output));
    call.say(fmt::format("written to {}", *output));
    return 0;
}

int explain(Call& call) {
    auto list = call.list(call.argument(0));
    auto selection = call.publishing().explain(list, call.now);
    if (call.json()) {
        json::array rows;
        for (auto& choice : selection.choices)
            rows.push_back(json::object{
                {"story", choice.story.number}, {"title", choice.title}, {"in", choice.in}, {"why", choice.why}});
        print_json(call.out, rows);
        return 0;
    }
    Table table({"STORY", "IN", "TITLE", "WHY"});
    for (auto& choice : selection.choices)
        table.row(
            {std::to_string(choice.story.number), choice.in ? "yes" : "no", shortened(choice.title, 50), choice.why});
    if (!table.empty()) table.print(call.out, call.terminal);
    call.say(
        selection.chosen.empty()
            ? fmt::format("no issue now: {}", selection.why_not)
            : fmt::format("the next issue has {}", counted(std::int64_t(selection.chosen.size()), "story", "stories")));
    return 0;
}

int draft(Call& call) {
    auto list = call.list(call.argument(0));
    refuse_archived(list);
    auto outcome = call.publishing().draft(list, std::nullopt, IssueState::draft, call.now);
    if (!outcome.issue) {
        if (call.json()) print_json(call.out, nullptr);
        call.note(fmt::format("nothing to send: {}", outcome.why_not));
        return 0;
    }
    auto issue = Issues(call.database()).find(*outcome.issue).value();
    if (call.json())
        print_json(call.out, json_of(call, issue));
    else
        call.say(
            fmt::format("issue {0} of {1} is a draft with {2}; `postrider issue preview {0}` shows it, `postrider "
                        "issue send {0}` sends it",
                        issue.id.number, list.slug,
                        counted(std::int64_t(Issues(call.database()).stories(issue.id).size()), "story", "stories")));
    return 0;
}

// --- steering ------------------------------------------------------------------------------------------------------

[[noreturn]] void refuse(const Issue& issue, std::string_view verb) {
    throw Failure(fmt::format("{} is {} and cannot be {}", name_of(issue), to_text(issue.state), verb));
}

int approve(Call& call) {
    auto issue = call.issue(call.argument(0));
    if (issue.state == IssueState::draft && issue.slot) {
        call.say(fmt::format("{} is approved already and goes out at {}", name_of(issue), shown(issue.slot)));
        return 0;
    }
    if (issue.state == IssueState::draft)
        throw Failure(fmt::format("issue {0} is a draft and waits for nobody; `postrider issue send {0}` sends it",
                                  issue.id.number));
    if (issue.state != IssueState::held) refuse(issue, "approved");
    note_warnings(call, call.publishing().approve(issue.id, call.now).warnings);
    auto approved = Issues(call.database()).find(issue.id).value();
    if (approved.state == IssueState::draft)
        call.say(fmt::format("{} is approved and goes out at {}{}", name_of(approved), shown(approved.slot),
                             hint_without_daemon(call)));
    else
        call.say(fmt::format("{} is approved and scheduled{}", name_of(approved), hint_without_daemon(call)));
    return 0;
}

int pause(Call& call) {
    auto issue = call.issue(call.argument(0));
    if (!issue.mailing || !delivery::Mailings(call.database()).pause(*issue.mailing)) refuse(issue, "paused");
    call.say(fmt::format("{} is paused; `postrider issue resume {}` goes on", name_of(issue), issue.id.number));
    return 0;
}

int resume(Call& call) {
    auto issue = call.issue(call.argument(0));
    if (!issue.mailing || !delivery::Mailings(call.database()).resume(*issue.mailing)) refuse(issue, "resumed");
    call.say(fmt::format("{} goes on{}", name_of(issue), hint_without_daemon(call)));
    return 0;
}

int cancel(Call& call) {
    auto issue = call.issue(call.argument(0));
    if (!call.publishing().cancel(issue.id, call.now)) refuse(issue, "cancelled");
    call.say(fmt::format("{} is cancelled", name_of(issue)));
    return 0;
}

// --- accounts ------------------------------------------------------------------------------------------------------

std::string sum_of(const delivery::Balance& balance) {
    auto sum =
        fmt::format("{} planned = {} accepted + {} refused + {} suppressed + {} expired + {} unknown", balance.planned,
                    balance.accepted, balance.refused, balance.suppressed, balance.expired, balance.unknown);
    if (balance.deferred != 0) sum += fmt::format(" + {} deferred", balance.deferred);
    if (balance.pending() != 0) sum += fmt::format(" + {} still to do", balance.pending());
    return sum;
}

int verify(Call& call) {
    auto issue = call.issue(call.argument(0));
    storage::Snapshot moment(call.database()); // a daemon may be sending
    delivery::Mailings mailings(call.database());
    auto balance = issue.mailing ? mailings.recount(*issue.mailing) : delivery::Balance{};
    auto findings = Issues(call.database()).contradictions(issue.id);
    if (issue.mailing) std::ranges::move(mailings.contradictions(*issue.mailing), std::back_inserter(findings));
    std::ranges::move(subscribers::counter_contradictions(call.database(), issue.list), std::back_inserter(findings));
    if (!balance.balanced() && findings.empty()) findings.push_back("the account does not balance");
    for (auto& finding : findings) call.note(fmt::format("{}: {}", name_of(issue), finding));
    if (call.json()) {
        print_json(call.out, json::object{{"issue", issue.id.number},
                                          {"list", issue.list_slug},
                                          {"status", to_text(issue.state)},
                                          {"planned", balance.planned},
                                          {"accepted", balance.accepted},
                                          {"refused", balance.refused},
                                          {"suppressed", balance.suppressed},
                                          {"expired", balance.expired},
                                          {"unknown", balance.unknown},
                                          {"deferred", balance.deferred},
                                          {"pending", balance.pending()},
                                          {"balanced", balance.balanced()},
                                          {"findings", json::value_from(findings)}});
    } else if (findings.empty())
        call.say(fmt::format("{} ({}): no contradiction; {}", name_of(issue), to_text(issue.state), sum_of(balance)));
    else
        call.say(fmt::format("{} ({}): {}; {}", name_of(issue), to_text(issue.state),
                             counted(std::int64_t(findings.size()), "contradiction"), sum_of(balance)));
    return findings.empty() ? 0 : 1;
}

const Argument issue_argument{"ISSUE", "its number, from `postrider issue ls`, or LIST/NUMBER"};
const Argument list_argument{"LIST", "slug of the list"};
const Argument either_argument{"LIST|ISSUE", "a list: what would be its next issue; or an issue"};

void add_looking(Commands& commands) {
    commands.push_back({"issue",
                        "ls",
                        "Show issues, newest first.",
                        "issue ls --list daily",
                        {},
                        {{"--list", "SLUG", "only of this list"}, json_option},
                        ls});
    commands.push_back(
        {"issue", "show", "Show an issue and its stories.", "issue show 12", {issue_argument}, {json_option}, show});
    commands.push_back({"issue",
                        "preview",
                        "Show an issue as a reader would get it; sends nothing.",
                        "issue preview daily --html --output next.html",
                        {either_argument},
                        {{"--to", "ADDRESS", "as this reader would get it"},
                         {"--html", "", "its HTML part"},
                         {"--text", "", "its text part"},
                         {"--eml", "", "the exact message"},
                         {"--output", "FILE", "left out: standard output"}},
                        preview});
    commands.push_back({"issue",
                        "explain",
                        "Say for each story of a list whether it would be in the next issue, and why.",
                        "issue explain daily",
                        {list_argument},
                        {json_option},
                        explain});
}

void add_sending(Commands& commands) {
    commands.push_back({"issue",
                        "draft",
                        "Make an issue from what is eligible, and stop there.",
                        "issue draft daily",
                        {list_argument},
                        {json_option},
                        draft});
    commands.push_back({"issue",
                        "send",
                        "Send a list's next issue, or a draft, now.",
                        "issue send daily --wait",
                        {either_argument},
                        {{"--test", "ADDRESS", "only this one mail, marked as a test; nothing counts as sent"},
                         {"--wait", "", "show progress until it is done"}},
                        send_issue});
    commands.push_back({"issue",
                        "approve",
                        "Let an issue go that waits for a person.",
                        "issue approve 12",
                        {issue_argument},
                        {},
                        approve});
    commands.push_back({"issue",
                        "pause",
                        "Send nothing more of an issue until it is resumed.",
                        "issue pause 12",
                        {issue_argument},
                        {},
                        pause});
    commands.push_back(
        {"issue", "resume", "Go on with a paused issue.", "issue resume 12", {issue_argument}, {}, resume});
    commands.push_back({"issue",
                        "cancel",
                        "Send nothing more of an issue, for good.",
                        "issue cancel 12",
                        {issue_argument},
                        {},
                        cancel});
}

void add_accounts(Commands& commands) {
    commands.push_back({"issue",
                        "report",
                        "Show what became of an issue, reader by reader in numbers.",
                        "issue report daily/3 --json",
                        {issue_argument},
                        {{"--follow", "", "show progress until it is sent or cancelled, then the report"}, json_option},
                        report});
    commands.push_back({"issue",
                        "verify",
                        "Look for contradictions in an issue's records.",
                        "issue verify 12",
                        {issue_argument},
                        {json_option},
                        verify});
}

}

void add_issue(Commands& commands) {
    add_looking(commands);
    add_sending(commands);
    add_accounts(commands);
}

}
