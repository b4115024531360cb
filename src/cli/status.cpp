#include "cli/call.hpp"
#include "cli/command.hpp"
#include "cli/health.hpp"
#include "cli/progress.hpp"
#include "cli/sending.hpp"
#include "cli/watching.hpp"
#include "daemon/lock.hpp"
#include "delivery/mailings.hpp"
#include "digest/notices.hpp"
#include "http/url.hpp"
#include "stories/feeds.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <unistd.h>

namespace postrider::cli {
namespace {

namespace json = boost::json;
using digest::Issue;
using digest::IssueState;

struct Open {
    Issue issue;
    delivery::Balance balance;
    std::string waits; // what it waits for; empty: nothing
};

std::vector<Open> open_issues(Call& call, bool daemon_running, const std::vector<delivery::HoldRecord>& holds) {
    std::vector<Open> open;
    delivery::Mailings mailings(call.database());
    for (auto& issue : digest::Issues(call.database()).all()) {
        if (issue.state == IssueState::held)
            open.push_back({issue, {}, fmt::format("a person: `postrider issue approve {}`", issue.id.number)});
        if (issue.state == IssueState::draft && issue.slot) // an editor has let it go
            open.push_back({issue,
                            {},
                            *issue.slot > call.now
                                ? fmt::format("its slot, {}", shown(issue.slot))
                                : fmt::format("being made, overdue since {}: the log says why", shown(issue.slot))});
        if (!under_way(issue.state)) continue;
        std::string waits;
        if (issue.state == IssueState::paused)
            waits = fmt::format("you: `postrider issue resume {}`", issue.id.number);
        else if (!daemon_running)
            waits = "the daemon: `postrider serve`";
        else if (holds.size() == call.site().relays.size() && !holds.empty())
            waits = fmt::format("the relay {}: {}", holds.front().name, harmless(holds.front().reason));
        else
            waits = waits_for(call, issue, call.now);
        open.push_back({issue, mailings.progress(*issue.mailing), waits});
    }
    return open;
}

bool in_trouble(const stories::FeedRecord& feed) {
    return feed.state == stories::FeedState::failing || feed.state == stories::FeedState::gone;
}

// A slot that has come and was neither filled nor skipped: the daemon is down, or the list cannot be published.
std::optional<Time> overdue(Call& call, const subscribers::List& list) {
    if (!list.schedule) return std::nullopt;
    digest::Issues issues(call.database());
    auto slot = digest::Publishing::next_slot(list, digest::Publishing::slots_since(issues, list, call.now));
    return slot && *slot + 1min < call.now ? slot : std::nullopt;
}

struct Report {
    bool running = false;
    delivery::Holds holds;
    std::vector<Open> open;
    std::vector<stories::FeedRecord> failing;
    std::int64_t feeds = 0, letters = 0;
    std::vector<subscribers::List> lists;
    std::vector<std::string> wrong; // as the daemon says
    std::vector<digest::Trouble> troubles;
};

json::object json_of(const delivery::HoldRecord& hold) {
    return {{"name", hold.name}, {"held_until", rfc3339(hold.until)}, {"reason", hold.reason}};
}

std::string sentence(const digest::Trouble& trouble) {
    static const auto english = templates::Languages().words({"en"}); // reading the catalogue takes a millisecond
    return harmless(digest::sentence_of(trouble, english));
}

json::array troubles_json(const Report& report) {
    json::array rows;
    for (auto& one : report.troubles)
        rows.push_back(json::object{{"kind", to_text(one.kind)},
                                    {"subject", one.subject},
                                    {"since", rfc3339(one.since)},
                                    {"what", sentence(one)}});
    return rows;
}

// What no other line of the screen shows.
bool is_told_apart(const digest::Trouble& trouble) {
    using digest::TroubleKind;
    return trouble.kind == TroubleKind::feed_silent || trouble.kind == TroubleKind::slot_missed ||
           trouble.kind == TroubleKind::issues_skipped || trouble.kind == TroubleKind::issue_unanswered;
}

std::vector<digest::Trouble> troubles_of(Call& call) {
    std::vector<std::string> relays;
    for (auto& relay : call.site().relays) relays.push_back(relay.lane.relay.name);
    return digest::Notices(call.database(), call.site().words, std::nullopt, relays).troubles(call.now);
}

json::object json_of(Call& call, const Report& report) {
    json::array lists, issues, relays, domains, feeds;
    subscribers::Lists counts(call.database());
    for (auto& list : report.lists)
        lists.push_back(json::object{{"list", list.slug},
                                     {"state", to_text(list.state)},
                                     {"readers", counts.active_count(list.id)},
                                     {"next", json_time(digest::Publishing::next_slot(list, call.now))},
                                     {"overdue", json_time(overdue(call, list))}});
    for (auto& one : report.open) {
        json::object row{{"issue", one.issue.id.number}, {"list", one.issue.list_slug}};
        row["number"] = json::value_from(one.issue.number);
        row["status"] = to_text(one.issue.state);
        row["planned"] = one.balance.planned;
        row["accepted"] = one.balance.accepted;
        row["refused"] = one.balance.refused;
        row["settled"] = one.balance.settled();
        row["deferred"] = one.balance.deferred;
        row["pending"] = one.balance.pending();
        row["waits_for"] = json_text(one.waits);
        issues.push_back(std::move(row));
    }
    for (auto& hold : report.holds.relays) relays.push_back(json_of(hold));
    for (auto& hold : report.holds.domains) domains.push_back(json_of(hold));
    for (auto& feed : report.failing)
        feeds.push_back(json::object{{"id", feed.id.number},
                                     {"url", http::masked(feed.url)},
                                     {"state", to_text(feed.state)},
                                     {"last_error", feed.last_error}});
    return {{"site", call.site().words.name},
            {"daemon", report.running},
            {"wrong", json::value_from(report.wrong)},
            {"lists", std::move(lists)},
            {"issues", std::move(issues)},
            {"relays_held", std::move(relays)},
            {"domains_held", std::move(domains)},
            {"feeds", report.feeds},
            {"feeds_failing", std::move(feeds)},
            {"troubles", troubles_json(report)},
            {"letters_waiting", report.letters}};
}

// On a terminal, lines that it holds.
void say(Call& call, const std::string& text, std::optional<Colour> colour = std::nullopt) {
    auto lines = call.terminal.out ? wrapped(text, columns_of(STDOUT_FILENO)) : text;
    call.say(colour ? painted(lines, *colour, call.terminal.colour) : lines);
}

// One issue, and on a line of its own what it waits for.
void say(Call& call, const Open& one) {
    auto text = fmt::format("{} is {}", name_of(one.issue), to_text(one.issue.state));
    if (one.issue.state == IssueState::sending)
        text += ": " + progress_text({one.balance, {}, {}}, std::nullopt, call.now);
    if (one.issue.state == IssueState::paused) text += ": " + account_text(one.balance, std::nullopt);
    say(call, text);
    if (!one.waits.empty()) say(call, "  waits for " + one.waits);
}

void say(Call& call, std::string_view who, const delivery::HoldRecord& hold) {
    auto when = hold.until > call.now ? fmt::format("held until {}", moment(hold.until, call.now))
                                      : std::string("being tried again");
    say(call, fmt::format("{}{} is {}: {}", who, hold.name, when, harmless(hold.reason)), Colour::red);
}

void print(Call& call, const Report& report) {
    auto bad = [&](std::string_view text) { return painted(text, Colour::red, call.terminal.colour); };
    call.say(fmt::format("{} ({}): the daemon is {}", call.site().words.name, call.site().folder.string(),
                         report.running ? "running" : bad("not running; `postrider serve` starts it")));
    call.say("");
    for (auto& trouble : report.wrong) call.say(bad(harmless(trouble)));
    for (auto& trouble : report.troubles)
        if (is_told_apart(trouble)) say(call, sentence(trouble), Colour::red);
    if (!report.wrong.empty() || std::ranges::any_of(report.troubles, is_told_apart)) call.say("");
    if (report.lists.empty()) call.say("no list yet; `postrider list add SLUG --title T` makes one");
    Table lists({"LIST", "STATE", "READERS", "NEXT ISSUE", ""});
    subscribers::Lists counts(call.database());
    for (auto& list : report.lists) {
        auto late = overdue(call, list);
        lists.row({list.slug, std::string(to_text(list.state)), std::to_string(counts.active_count(list.id)),
                   shown(digest::Publishing::next_slot(list, call.now)),
                   late ? fmt::format("overdue since {}", shown(late)) : ""});
    }
    if (!lists.empty()) lists.print(call.out, call.terminal);
    call.say("");
    if (report.open.empty()) call.say("no issue is waiting or being sent");
    for (auto& one : report.open) say(call, one);
    for (auto& hold : report.holds.relays) say(call, "relay ", hold);
    constexpr std::size_t most_domains = 10;
    for (std::size_t i = 0; i < std::min(report.holds.domains.size(), most_domains); ++i)
        say(call, "domain ", report.holds.domains[i]);
    if (report.holds.domains.size() > most_domains)
        call.say(fmt::format("and {} held; --json names them all",
                             counted(std::int64_t(report.holds.domains.size() - most_domains), "more domain")));
    for (auto& feed : report.failing)
        say(call,
            fmt::format("feed {} is {}: {} ({})", feed.id.number, to_text(feed.state), feed.last_error,
                        http::masked(feed.url)),
            Colour::red);
    call.say(fmt::format("{}, {} in trouble; {} waiting", counted(report.feeds, "feed"), report.failing.size(),
                         counted(report.letters, "letter")));
}

int status(Call& call) {
    Report report;
    report.running = daemon::daemon_running(call.site());
    if (report.running) report.wrong = troubles_of_daemon(call);
    report.lists = subscribers::Lists(call.database()).all();
    report.troubles = troubles_of(call);
    // The daemon names them too; here each has a line of its own.
    std::erase_if(report.wrong, [&](auto& said) {
        return std::ranges::any_of(report.troubles, [&](auto& one) { return sentence(one) == harmless(said); });
    });
    report.holds = holds_of(call);
    report.open = open_issues(call, report.running, report.holds.relays);
    report.failing = stories::Feeds(call.database()).all();
    report.feeds = std::int64_t(report.failing.size());
    std::erase_if(report.failing, [](auto& feed) { return !in_trouble(feed); });
    report.letters =
        call.database().value<std::int64_t>("SELECT count(*) FROM letter WHERE state = 'waiting'").value_or(0);
    if (call.json())
        print_json(call.out, json_of(call, report));
    else
        print(call, report);
    return 0;
}

}

void add_status(Commands& commands) {
    commands.push_back(
        {"status", "", "What is due, being sent, overdue, failing; one screen.", "status", {}, {json_option}, status});
}

}
