#include "cli/sending.hpp"

#include "cli/watching.hpp"
#include "daemon/lock.hpp"
#include "delivery/letters.hpp"
#include "subscribers/subscribers.hpp"
#include "subscribers/subscriptions.hpp"

#include <fmt/format.h>

#include <ranges>
#include <thread>

namespace postrider::cli {
namespace {

using digest::Issue;
using digest::Issues;
using digest::IssueState;

constexpr Duration glance = 100ms; // between two looks at the database

// A message that was frozen without the mark gets it here: into its Subject, wherever that is encoded from.
std::string marked_as_test(std::string eml, std::string_view mark) {
    auto end_of_header = eml.find("\r\n\r\n");
    auto subject = eml.find("\r\nSubject: ");
    if (subject == eml.npos || subject > end_of_header) return eml;
    auto value = subject + std::string_view("\r\nSubject: ").size();
    if (eml.compare(value, mark.size(), mark) != 0) eml.insert(value, mark);
    return eml;
}

// A letter's state, or nothing when it is gone.
std::optional<std::string> letter_state(Call& call, LetterId id) {
    return call.database().value<std::string>("SELECT state FROM letter WHERE id = $1", id);
}

int wait_for_letter(Call& call, LetterId id) {
    for (;;) {
        auto state = letter_state(call, id).value_or("gone");
        if (state == "accepted") {
            call.say("the relay took it");
            return 0;
        }
        if (state != "waiting") {
            auto reason =
                call.database().value<std::optional<std::string>>("SELECT reason FROM letter WHERE id = $1", id);
            throw Failure(fmt::format("the test mail is {}: {}", state,
                                      reason && *reason ? **reason : std::string("no reason was given")));
        }
        if (!daemon::daemon_running(call.site()))
            throw Failure("the daemon has left; the test mail waits until `postrider serve` runs again");
        std::this_thread::sleep_for(glance);
    }
}

int send_test(Call& call, const Target& target, const std::string& written) {
    auto address = call.address(written);
    auto running = daemon::daemon_running(call.site());
    if (call.has("--wait") && !running) throw Failure("no daemon serves this site; start one with `postrider serve`");
    constexpr std::string_view mark = "[Test] ";
    auto reader = reader_of(call, target.list, written);
    auto sample = call.publishing().sample(target.list, target.issue, reader, mark, call.now);
    if (sample.example)
        call.note(fmt::format("no story of {} is eligible; the newest stand in as an example", target.list.slug));
    note_warnings(call, sample.warnings);
    auto id = delivery::Letters(call.database())
                  .add(delivery::Purpose::test, sample.sender, address.text(), address.key(),
                       marked_as_test(std::move(sample.eml), mark), call.now, 24h);
    call.say(fmt::format("a test mail to {} is on its way{}", address.text(), hint_without_daemon(call)));
    return call.has("--wait") ? wait_for_letter(call, id) : 0;
}

int said(Call& call, IssueId id) {
    auto issue = Issues(call.database()).find(id).value();
    if (issue.state == IssueState::held) {
        call.say(fmt::format("issue {0} of {1} is held until a person approves it: `postrider issue approve {0}`",
                             id.number, issue.list_slug));
        return 0;
    }
    if (call.has("--wait")) return watch(call, id);
    call.say(fmt::format("{} is scheduled{}", name_of(issue), hint_without_daemon(call)));
    return 0;
}

int send_existing(Call& call, IssueId id) {
    auto issue = Issues(call.database()).find(id).value();
    if (issue.state == IssueState::held)
        throw Failure(
            fmt::format("issue {0} is held until a person approves it: `postrider issue approve {0}`", id.number));
    if (issue.state != IssueState::draft)
        throw Failure(fmt::format("{} is {}; only a draft can be sent", name_of(issue), to_text(issue.state)));
    note_warnings(call, call.publishing().freeze(id, call.now));
    return said(call, id);
}

// Whoever asks twice, or waits, may mean the one that has not arrived yet.
std::string hint_under_way(Call& call, ListId list) {
    for (auto& issue : Issues(call.database()).of_list(list))
        if (under_way(issue.state))
            return fmt::format("; {} is {}: `postrider issue report {} --follow` watches it", name_of(issue),
                               to_text(issue.state), issue.id.number);
    return "";
}

}

Target target_of(Call& call, const std::string& word) {
    if (!names_an_issue(word)) return {call.list(word), std::nullopt};
    auto issue = call.issue(word);
    return {subscribers::Lists(call.database()).find(issue.list).value(), issue.id};
}

subscribers::Reader reader_of(Call& call, const subscribers::List& list, const std::optional<std::string>& written) {
    auto sender = mail::parse_sender(list.sender);
    auto address = written ? call.address(*written) : (sender ? sender->address : call.site().words.from.address);
    if (written)
        if (auto active = subscribers::Subscriptions(call.database(), call.tokens()).active(list.id, address))
            return subscribers::read_one(call.database(), *active);
    auto person = subscribers::Subscribers(call.database()).find(address);
    auto profile = person ? person->profile : subscribers::Profile{};
    return {{},
            person ? person->id : SubscriberId{},
            address.text(),
            profile.name,
            profile.language,
            profile.attributes,
            call.now,
            false};
}

std::string name_of(const Issue& issue) {
    if (!issue.number) return fmt::format("issue {} ({})", issue.id.number, issue.list_slug);
    return fmt::format("issue {} ({}/{})", issue.id.number, issue.list_slug, *issue.number);
}

std::string hint_without_daemon(Call& call) {
    if (daemon::daemon_running(call.site())) return "";
    return "; no daemon is running: `postrider serve` sends it, `postrider serve --once` does so and leaves";
}

void note_warnings(Call& call, const std::vector<templates::Fault>& warnings) {
    constexpr std::size_t shown = 5;
    for (auto& fault : warnings | std::views::take(shown)) call.note(fault.text());
    if (warnings.size() > shown)
        call.note(fmt::format("and {} more; `postrider template check` shows all", warnings.size() - shown));
}

void refuse_archived(const subscribers::List& list) {
    if (list.state == subscribers::ListState::archived)
        throw Failure(fmt::format("{0} is archived, nothing is sent; `postrider list edit {0} --state open` opens it",
                                  list.slug));
}

int send_issue(Call& call) {
    auto target = target_of(call, call.argument(0));
    if (auto address = call.text_if("--test")) return send_test(call, target, *address);
    refuse_archived(target.list);
    if (call.has("--wait") && !daemon::daemon_running(call.site()))
        throw Failure(
            "no daemon serves this site, so nothing was made; start one with `postrider serve`, or leave --wait "
            "out and run `postrider serve --once`");
    if (target.issue) return send_existing(call, *target.issue);
    auto outcome = call.publishing().publish(target.list, std::nullopt, call.now);
    note_warnings(call, outcome.warnings);
    if (outcome.issue) return said(call, *outcome.issue);
    call.say(fmt::format("nothing to send: {}{}", outcome.why_not, hint_under_way(call, target.list.id)));
    return 0;
}

}
