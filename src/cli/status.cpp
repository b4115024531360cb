#include "cli/call.hpp"
#include "cli/command.hpp"
#include "daemon/lock.hpp"
#include "delivery/mailings.hpp"
#include "stories/feeds.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>

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

struct RelayHold {
    std::string name, reason;
    Time until;
};

// Until a message is taken again: between two tries the hold is over and the trouble is not.
std::vector<RelayHold> relay_holds(Call& call) {
    auto holds = call.database().all(
        "SELECT name, coalesce(reason, ''), held_until FROM relay_state WHERE held_until IS NOT NULL ORDER BY name",
        [](const storage::Row& row) {
            return RelayHold{row.get<std::string>(0), row.get<std::string>(1), row.get<Time>(2)};
        });
    // One that was taken out of the configuration holds nothing up.
    std::erase_if(holds, [&](auto& hold) {
        return std::ranges::none_of(call.site().relays, [&](auto& one) { return one.lane.relay.name == hold.name; });
    });
    return holds;
}

std::vector<Open> open_issues(Call& call, bool daemon_running, const std::vector<RelayHold>& holds) {
    std::vector<Open> open;
    delivery::Mailings mailings(call.database());
    for (auto& issue : digest::Issues(call.database()).all()) {
        if (issue.state == IssueState::held)
            open.push_back({issue, {}, fmt::format("a person: `postrider issue approve {}`", issue.id.number)});
        bool under_way = issue.state == IssueState::scheduled || issue.state == IssueState::sending ||
                         issue.state == IssueState::paused;
        if (!under_way) continue;
        std::string waits;
        if (issue.state == IssueState::paused)
            waits = fmt::format("you: `postrider issue resume {}`", issue.id.number);
        else if (!daemon_running)
            waits = "the daemon: `postrider serve`";
        else if (holds.size() == call.site().relays.size() && !holds.empty())
            waits = fmt::format("the relay {}: {}", holds.front().name, holds.front().reason);
        open.push_back({issue, mailings.balance(*issue.mailing), waits});
    }
    return open;
}

std::vector<stories::FeedRecord> failing_feeds(Call& call) {
    auto feeds = stories::Feeds(call.database()).all();
    std::erase_if(feeds, [](auto& feed) {
        return feed.state != stories::FeedState::failing && feed.state != stories::FeedState::gone;
    });
    return feeds;
}

// A slot that has come and was neither filled nor skipped: the daemon is down, or the list cannot be published.
std::optional<Time> overdue(Call& call, const subscribers::List& list) {
    if (!list.schedule) return std::nullopt;
    auto since = std::max(list.schedule_set_at.value_or(list.created_at),
                          digest::Issues(call.database()).last_slot(list.id).value_or(Time()));
    auto slot = digest::Publishing::next_slot(list, since);
    return slot && *slot + 1min < call.now ? slot : std::nullopt;
}

struct Report {
    bool running = false;
    std::vector<RelayHold> holds;
    std::vector<Open> open;
    std::vector<stories::FeedRecord> failing;
    std::int64_t feeds = 0, letters = 0;
    std::vector<subscribers::List> lists;
};

json::object json_of(Call& call, const Report& report) {
    json::array lists, issues, relays, feeds;
    subscribers::Lists counts(call.database());
    for (auto& list : report.lists)
        lists.push_back(json::object{{"list", list.slug},
                                     {"state", to_text(list.state)},
                                     {"readers", counts.active_count(list.id)},
                                     {"next", json_time(digest::Publishing::next_slot(list, call.now))},
                                     {"overdue", json_time(overdue(call, list))}});
    for (auto& one : report.open) {
        json::object row{{"issue", one.issue.id.number}, {"list", one.issue.list_slug}};
        row["number"] = one.issue.number ? json::value(*one.issue.number) : json::value();
        row["status"] = to_text(one.issue.state);
        row["planned"] = one.balance.planned;
        row["settled"] = one.balance.settled();
        row["deferred"] = one.balance.deferred;
        row["pending"] = one.balance.pending();
        row["waits_for"] = one.waits.empty() ? json::value() : json::value(one.waits);
        issues.push_back(std::move(row));
    }
    for (auto& hold : report.holds)
        relays.push_back(
            json::object{{"name", hold.name}, {"held_until", rfc3339(hold.until)}, {"reason", hold.reason}});
    for (auto& feed : report.failing)
        feeds.push_back(json::object{{"id", feed.id.number},
                                     {"url", feed.url},
                                     {"state", to_text(feed.state)},
                                     {"last_error", feed.last_error}});
    return {{"site", call.site().words.name},    {"daemon", report.running},         {"lists", std::move(lists)},
            {"issues", std::move(issues)},       {"relays_held", std::move(relays)}, {"feeds", report.feeds},
            {"feeds_failing", std::move(feeds)}, {"letters_waiting", report.letters}};
}

void print(Call& call, const Report& report) {
    auto bad = [&](std::string_view text) { return painted(text, Colour::red, call.terminal.colour); };
    call.say(fmt::format("{} ({}): the daemon is {}", call.site().words.name, call.site().folder.string(),
                         report.running ? "running" : bad("not running; `postrider serve` starts it")));
    call.say("");
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
    Table issues({"ISSUE", "LIST", "STATUS", "SETTLED", "PLANNED", "DEFERRED", "WAITS FOR"});
    for (auto& one : report.open)
        issues.row({std::to_string(one.issue.id.number), one.issue.list_slug, std::string(to_text(one.issue.state)),
                    std::to_string(one.balance.settled()), std::to_string(one.balance.planned),
                    std::to_string(one.balance.deferred), one.waits});
    call.say("");
    if (issues.empty())
        call.say("no issue is waiting or being sent");
    else
        issues.print(call.out, call.terminal);
    for (auto& hold : report.holds)
        call.say(bad(fmt::format("relay {} is {}: {}", hold.name,
                                 hold.until > call.now ? fmt::format("left alone until {}", shown(hold.until))
                                                       : std::string("being tried again"),
                                 hold.reason)));
    for (auto& feed : report.failing)
        call.say(
            bad(fmt::format("feed {} is {}: {} ({})", feed.id.number, to_text(feed.state), feed.last_error, feed.url)));
    call.say(fmt::format("{}, {} in trouble; {} waiting", counted(report.feeds, "feed"), report.failing.size(),
                         counted(report.letters, "letter")));
}

int status(Call& call) {
    Report report;
    report.running = daemon::daemon_running(call.site());
    report.lists = subscribers::Lists(call.database()).all();
    report.holds = relay_holds(call);
    report.open = open_issues(call, report.running, report.holds);
    report.failing = failing_feeds(call);
    report.feeds = std::int64_t(stories::Feeds(call.database()).all().size());
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
