#include "cli/report.hpp"

#include "cli/progress.hpp"
#include "cli/sending.hpp"
#include "cli/watching.hpp"
#include "delivery/answer_times.hpp"
#include "delivery/waves.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

namespace postrider::cli {
namespace {

namespace json = boost::json;
using delivery::AnswerHistogram;
using delivery::AnswerTimes;
using delivery::Balance;
using digest::Issue;

constexpr std::size_t most_reasons = 10;

std::vector<AnswerHistogram> answer_times(Call& call, const Issue& issue) {
    return issue.mailing ? AnswerTimes::of(call.database(), *issue.mailing) : std::vector<AnswerHistogram>();
}

delivery::WavesNow waves_of(Call& call, const Issue& issue) {
    if (!issue.mailing) return {};
    auto waves = delivery::waves_now(call.database(), *issue.mailing, call.now);
    if (!digest::under_way(issue.state)) waves.next.reset();
    return waves;
}

json::array json_of(const std::vector<delivery::Refusal>& reasons) {
    json::array rows;
    for (auto& one : reasons) rows.push_back(json::object{{"reason", one.reason}, {"count", one.count}});
    return rows;
}

json::object json_of(const delivery::Others& others) { return {{"reasons", others.reasons}, {"count", others.count}}; }

json::object json_of(const AnswerHistogram& histogram) {
    json::array buckets;
    for (std::size_t i = 0; i < histogram.counts.size(); ++i) {
        bool bounded = i < delivery::answer_bounds.size();
        buckets.push_back(
            json::object{{"up_to_ms", bounded ? json::value(delivery::answer_bounds[i].count()) : json::value()},
                         {"count", histogram.counts[i]}});
    }
    return {{"relay", histogram.relay}, {"count", histogram.total()}, {"buckets", std::move(buckets)}};
}

json::array json_of(const delivery::WavesNow& waves) {
    json::array rows;
    for (auto& wave : waves.waves)
        rows.push_back(json::object{
            {"wave", wave.number + 1}, {"at", rfc3339(wave.not_before)}, {"zones", json::value_from(wave.names())}});
    return rows;
}

json::object json_of(Call& call, const Issue& issue, const Balance& balance) {
    json::object row{{"issue", issue.id.number}};
    row["number"] = json::value_from(issue.number);
    row["list"] = issue.list_slug;
    row["status"] = to_text(issue.state);
    row["planned"] = balance.planned;
    row["accepted"] = balance.accepted;
    row["refused"] = balance.refused;
    row["suppressed"] = balance.suppressed;
    row["expired"] = balance.expired;
    row["unknown"] = balance.unknown;
    row["deferred"] = balance.deferred;
    row["pending"] = balance.pending();
    row["remaining"] = balance.planned - balance.settled();
    row["balanced"] = balance.balanced();
    row["first_sent_at"] = json_time(balance.first_sent_at);
    row["last_sent_at"] = json_time(balance.last_sent_at);
    row["next_try_at"] = json_time(balance.next_try_at);
    row["attempts"] = balance.attempts;
    row["refusals"] = json_of(balance.refusals);
    row["other_refusals"] = json_of(balance.other_refusals);
    row["deferrals"] = json_of(balance.deferrals);
    row["other_deferrals"] = json_of(balance.other_deferrals);
    row["suppressions"] = json_of(balance.suppressions);
    row["other_suppressions"] = json_of(balance.other_suppressions);
    auto waves = waves_of(call, issue);
    row["waves"] = json_of(waves);
    row["next_wave"] = waves.next ? json::value(waves.next->number + 1) : json::value();
    json::array times;
    for (auto& histogram : answer_times(call, issue)) times.push_back(json_of(histogram));
    row["answer_times"] = std::move(times);
    return row;
}

void say_reasons(Call& call, std::string_view heading, const std::vector<delivery::Refusal>& reasons,
                 delivery::Others others) {
    if (reasons.empty()) return;
    call.say(heading);
    for (std::size_t i = 0; i < reasons.size(); ++i) {
        if (i < most_reasons) {
            call.say(fmt::format("{:>10}  {}", grouped(reasons[i].count), harmless(reasons[i].reason)));
            continue;
        }
        ++others.reasons;
        others.count += reasons[i].count;
    }
    if (others.reasons > 0)
        call.say(fmt::format("{:>10}  for {}", grouped(others.count), counted(others.reasons, "other reason")));
}

void say_answer_times(Call& call, const AnswerHistogram& histogram) {
    constexpr std::size_t widest = 40;
    auto half = histogram.half_within();
    call.say(fmt::format("answers of the relay {}: {}, half of them within {}", histogram.relay,
                         grouped(histogram.total()), half ? to_text(*half) : "more than a minute"));
    auto filled = [](std::int64_t count) { return count > 0; };
    auto first = std::ranges::find_if(histogram.counts, filled) - histogram.counts.begin();
    auto last = std::ranges::find_if(histogram.counts.rbegin(), histogram.counts.rend(), filled).base() -
                histogram.counts.begin();
    auto most = std::ranges::max(histogram.counts);
    for (auto i = first; i < last; ++i) {
        auto count = histogram.counts[std::size_t(i)];
        bool bounded = std::size_t(i) < delivery::answer_bounds.size();
        auto label = bounded ? "within " + to_text(delivery::answer_bounds[std::size_t(i)]) : std::string("longer");
        // Whoever was counted gets at least one mark.
        auto bar = std::size_t((count * std::int64_t(widest) + most - 1) / most);
        call.say(fmt::format("  {:>12}  {:<{}}  {}", label, std::string(bar, '#'), widest, grouped(count)));
    }
}

void say_remaining(Call& call, const Issue& issue, const Balance& balance) {
    auto remaining = balance.planned - balance.settled();
    if (remaining <= 0) return;
    bool over = issue.state == digest::IssueState::cancelled;
    std::string text = fmt::format("{} remain{}: {} {}", grouped(remaining), remaining == 1 ? "s" : "",
                                   grouped(balance.pending()), over ? "never tried" : "not tried yet");
    if (balance.deferred > 0)
        text += fmt::format(", {} {}", grouped(balance.deferred), over ? "not tried again" : "to be tried again");
    if (balance.next_try_at && !over) text += fmt::format(", the first at {}", moment(*balance.next_try_at, call.now));
    call.say(text);
}

}

delivery::Balance balance_of(Call& call, const Issue& issue) {
    return issue.mailing ? delivery::Mailings(call.database()).balance(*issue.mailing) : delivery::Balance{};
}

void print_report(Call& call, const Issue& issue, const Balance& balance) {
    if (call.json()) return print_json(call.out, json_of(call, issue, balance));
    call.say(fmt::format("{}: {}", name_of(issue), to_text(issue.state)));
    Table table({"PLANNED", "ACCEPTED", "REFUSED", "SUPPRESSED", "EXPIRED", "UNKNOWN", "DEFERRED", "PENDING"});
    table.row({std::to_string(balance.planned), std::to_string(balance.accepted), std::to_string(balance.refused),
               std::to_string(balance.suppressed), std::to_string(balance.expired), std::to_string(balance.unknown),
               std::to_string(balance.deferred), std::to_string(balance.pending())});
    table.print(call.out, call.terminal);
    if (balance.first_sent_at)
        call.say(fmt::format("sent from {} to {}, {}", rfc3339(*balance.first_sent_at), rfc3339(*balance.last_sent_at),
                             counted(balance.attempts, "attempt")));
    say_remaining(call, issue, balance);
    if (auto waves = waves_of(call, issue); waves.next) call.say(fmt::format("next: {}", wave_text(waves, call.now)));
    say_reasons(call, "refused or expired:", balance.refusals, balance.other_refusals);
    say_reasons(call, "put off:", balance.deferrals, balance.other_deferrals);
    say_reasons(call, "suppressed:", balance.suppressions, balance.other_suppressions);
    for (auto& histogram : answer_times(call, issue)) say_answer_times(call, histogram);
    if (!balance.balanced())
        call.say(painted(fmt::format("THE ACCOUNT DOES NOT BALANCE; `postrider issue verify {}` looks for the reason",
                                     issue.id.number),
                         Colour::red, call.terminal.colour));
}

int report(Call& call) {
    auto issue = call.issue(call.argument(0));
    if (call.has("--follow")) return watch(call, issue.id);
    print_report(call, issue, balance_of(call, issue));
    return 0;
}

}
