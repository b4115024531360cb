#include "cli/progress.hpp"

#include "cli/output.hpp"
#include "smtp/reply.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace postrider::cli {
namespace {

using delivery::Balance;
using delivery::HoldRecord;
using delivery::MailingState;

constexpr std::size_t least_bar = 6, most_bar = 30;

std::string length(std::int64_t seconds) {
    if (seconds < 60) return fmt::format("{}s", seconds);
    if (seconds < 3600) return fmt::format("{}m {}s", seconds / 60, seconds % 60);
    if (seconds < 48 * 3600) return fmt::format("{}h {}m", seconds / 3600, seconds / 60 % 60);
    return fmt::format("{} days", seconds / 86400);
}

std::string said(std::string_view who, const HoldRecord& hold, Time now) {
    auto when = hold.until > now ? fmt::format("held until {}", moment(hold.until, now)) : "being tried again";
    return fmt::format("{}{} {}{}", who, hold.name, when, hold.reason.empty() ? "" : ": " + harmless(hold.reason));
}

std::vector<const HoldRecord*> held_domains(const Sight& sight, Time now) {
    std::vector<const HoldRecord*> held;
    for (auto& domain : sight.holds.domains)
        if (domain.until > now) held.push_back(&domain);
    return held;
}

// What of the line is not the bar, the most important first.
std::vector<std::string> facts(const Balance& balance, std::optional<double> rate) {
    std::vector<std::string> facts;
    facts.push_back(
        fmt::format("{}% {} of {}", percent(balance), grouped(balance.settled()), grouped(balance.planned)));
    bool goes_on = balance.state == MailingState::sending && rate && *rate > 0;
    if (goes_on)
        facts.push_back(*rate < 10 ? fmt::format("{:.1f}/s", *rate)
                                   : fmt::format("{}/s", grouped(std::int64_t(*rate))));
    if (goes_on && balance.pending() > 0)
        facts.push_back(fmt::format("{} left", length(std::int64_t(double(balance.pending()) / *rate) + 1)));
    auto add = [&](std::int64_t count, std::string_view what) {
        if (count > 0) facts.push_back(fmt::format("{} {}", grouped(count), what));
    };
    add(balance.refused, "refused");
    add(balance.expired, "expired");
    add(balance.unknown, "unknown");
    add(balance.deferred, "deferred");
    return facts;
}

}

std::string grouped(std::int64_t number) {
    auto digits = std::to_string(number);
    auto first = std::size_t(number < 0);
    for (auto at = digits.size(); at > first + 3;) digits.insert(at -= 3, 1, ',');
    return digits;
}

std::string moment(Time at, Time now) {
    auto time = fmt::gmtime(std::chrono::system_clock::to_time_t(at));
    if (at < now + 10min && at > now - 10min) return fmt::format("{:%H:%M:%S} UTC", time);
    bool today = std::chrono::floor<std::chrono::days>(at) == std::chrono::floor<std::chrono::days>(now);
    return today ? fmt::format("{:%H:%M} UTC", time) : shown(at);
}

std::string harmless(std::string_view text) {
    auto line = smtp::fit_to_show(text, 400);
    std::ranges::replace(line, '\n', ' ');
    return line;
}

void RecentRate::add(Moment now, std::int64_t settled) {
    marks_.push_back({now, settled});
    while (marks_.size() > 2 && marks_[1].at <= now - 10s) marks_.pop_front();
}

std::optional<double> RecentRate::per_second() const {
    if (marks_.empty()) return std::nullopt;
    std::chrono::duration<double> seen = marks_.back().at - marks_.front().at;
    if (seen < 1s) return std::nullopt;
    return double(std::max<std::int64_t>(marks_.back().settled - marks_.front().settled, 0)) / seen.count();
}

std::string standstill(const Sight& sight, Time now) {
    auto& balance = sight.balance;
    if (balance.state == MailingState::paused) return "paused";
    if (balance.state == MailingState::scheduled)
        return sight.waits_for.empty() ? "about to start" : "waits for " + sight.waits_for;
    if (balance.state != MailingState::sending) return "";
    std::string text;
    auto add = [&](const std::string& more) { text += text.empty() ? more : "; " + more; };
    for (auto& relay : sight.holds.relays) add(said("relay ", relay, now));
    if (auto domains = held_domains(sight, now); !domains.empty()) {
        add(said("", *domains.front(), now));
        if (domains.size() > 1) add(fmt::format("{} held", counted(std::int64_t(domains.size()) - 1, "more domain")));
    }
    if (text.empty() && !sight.waits_for.empty()) add("waits for " + sight.waits_for);
    if (text.empty() && balance.pending() == 0 && balance.next_try_at && *balance.next_try_at > now)
        add(fmt::format("next try at {}", moment(*balance.next_try_at, now)));
    return text;
}

std::string standstill_subject(const Sight& sight, Time now) {
    std::string subject(to_text(sight.balance.state));
    if (sight.balance.state != MailingState::sending) return subject;
    for (auto& relay : sight.holds.relays) subject += " " + relay.name;
    if (!held_domains(sight, now).empty()) subject += " domains";
    return subject;
}

int percent(const Balance& balance) {
    if (balance.planned <= 0) return balance.state == MailingState::sent ? 100 : 0;
    return int(std::clamp<std::int64_t>(balance.settled() * 100 / balance.planned, 0, 100));
}

std::string account_text(const Balance& balance, std::optional<double> rate) {
    return fmt::format("{}", fmt::join(facts(balance, rate), ", "));
}

std::string progress_text(const Sight& sight, std::optional<double> rate, Time now) {
    auto text = account_text(sight.balance, rate);
    if (auto still = standstill(sight, now); !still.empty()) text += "; " + still;
    return text;
}

std::string progress_line(std::string_view name, const Sight& sight, std::optional<double> rate, Time now,
                          std::size_t columns) {
    auto all = facts(sight.balance, rate);
    auto still = standstill(sight, now);
    auto text = all.front();
    std::size_t bar_and_name = width_of(name) + least_bar + 4; // brackets and two spaces
    // A reason keeps some room even where there are many facts.
    auto room = columns - std::min(columns, bar_and_name + std::min<std::size_t>(width_of(still), 24));
    for (auto fact = all.begin() + 1; fact != all.end(); ++fact)
        if (width_of(text) + width_of(*fact) + 2 <= room) text += ", " + *fact;
    if (!still.empty()) text += "; " + still;

    auto taken = width_of(name) + width_of(text) + 4;
    auto cells = taken >= columns ? least_bar : std::clamp(columns - taken, least_bar, most_bar);
    bool no_bar = width_of(name) + least_bar + 4 + width_of(all.front()) > columns;
    if (no_bar) return shortened(fmt::format("{} {}", name, text), columns);
    auto filled = std::size_t(percent(sight.balance)) * cells / 100;
    return shortened(
        fmt::format("{} [{}{}] {}", name, std::string(filled, '='), std::string(cells - filled, ' '), text), columns);
}

}
