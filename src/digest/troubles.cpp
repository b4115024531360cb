#include "digest/troubles.hpp"

#include "http/url.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace postrider::digest {
namespace {

constexpr std::array<std::string_view, 9> names = {"feed_failing",     "feed_gone",    "feed_silent",
                                                   "slot_missed",      "slot_overdue", "issues_skipped",
                                                   "issue_unanswered", "relay_held",   "addresses_flooded"};

constexpr Duration late = 10min;           // publishing may be tried again until then
constexpr Duration held_long = 15min;      // a relay that restarts is back sooner
constexpr Duration unanswered_after = 24h; // without a slot
constexpr int skipped_in_a_row = 3;
constexpr int arrivals_of_a_habit = 5;

Duration patience(TroubleKind kind) { return kind == TroubleKind::relay_held ? held_long : Duration::zero(); }

std::string name_of(const stories::FeedRecord& feed) {
    auto address = http::without_login(feed.url);
    return feed.title.empty() ? address : fmt::format("{} ({})", feed.title, address);
}

void of_feed(const stories::FeedRecord& feed, Time now, std::vector<Trouble>& found) {
    using stories::FeedState;
    auto add = [&](TroubleKind kind, Time since, const std::string& reason) {
        found.push_back({kind, std::to_string(feed.id.number), name_of(feed), reason, since});
    };
    if (feed.state == FeedState::failing)
        add(TroubleKind::feed_failing, feed.last_success_at.value_or(feed.created_at), feed.last_error);
    if (feed.state == FeedState::gone)
        add(TroubleKind::feed_gone, feed.last_polled_at.value_or(feed.created_at), feed.last_error);
    if (is_silent(feed, now)) add(TroubleKind::feed_silent, *feed.news_at, "");
}

void of_list(const ListFacts& list, Time now, std::vector<Trouble>& found) {
    if (list.overdue && *list.overdue + late < now)
        found.push_back({TroubleKind::slot_overdue, list.slug, list.title, "", *list.overdue});
    if (list.slots.empty()) return;
    const auto& newest = list.slots.front();
    const bool missed = newest.state == IssueState::skipped && newest.reason.starts_with("missed");
    if (missed) found.push_back({TroubleKind::slot_missed, list.slug, list.title, newest.reason, *newest.slot});
    const auto used = std::ranges::find_if(list.slots, [](auto& one) { return one.state != IssueState::skipped; });
    if (!missed && used - list.slots.begin() >= skipped_in_a_row)
        found.push_back({TroubleKind::issues_skipped, list.slug, list.title, newest.reason, *std::prev(used)->slot});
}

void of_held(const Issue& issue, Time now, std::vector<Trouble>& found) {
    const bool too_late =
        issue.slot ? *issue.slot < now && issue.created_at + late < now : issue.created_at + unanswered_after < now;
    if (too_late)
        found.push_back({TroubleKind::issue_unanswered, std::to_string(issue.id.number),
                         fmt::format("{} ({})", issue.list_slug, issue.id.number), "", issue.created_at});
}

bool is_about(const Trouble& one, const Trouble& other) {
    return one.kind == other.kind && one.subject == other.subject;
}

}

std::string_view to_text(TroubleKind kind) { return names[std::size_t(kind)]; }

std::optional<TroubleKind> parse_trouble_kind(std::string_view text) {
    const auto found = std::ranges::find(names, text);
    if (found == names.end()) return std::nullopt;
    return TroubleKind(found - names.begin());
}

// Twice the longest wait that is usual, and a day at least: a feed of a newsroom sleeps at night.
bool is_silent(const stories::FeedRecord& feed, Time now) {
    if (feed.state != stories::FeedState::active || feed.failures > 0) return false;
    if (!feed.news_at || feed.arrivals < arrivals_of_a_habit) return false;
    return now - *feed.news_at > std::max<Duration>(24h, 2 * feed.habit);
}

std::vector<Trouble> troubles_in(const Facts& facts, Time now) {
    std::vector<Trouble> found;
    for (auto& relay : facts.relays)
        found.push_back({TroubleKind::relay_held, relay.name, relay.name, relay.reason, now});
    if (facts.flood)
        found.push_back(
            {TroubleKind::addresses_flooded, "", std::to_string(facts.flood->addresses), "", facts.flood->since});
    for (auto& list : facts.lists) of_list(list, now, found);
    for (auto& issue : facts.held) of_held(issue, now, found);
    for (auto& feed : facts.feeds) of_feed(feed, now, found);
    return found;
}

bool Steps::any() const { return !(begun.empty() && forgotten.empty() && cured.empty()) || mail(); }

Steps next_steps(const std::vector<Notice>& known, const std::vector<Trouble>& troubles, std::optional<int> mails,
                 Time now) {
    Steps steps;
    const bool may_tell = mails && *mails < most_mails;
    for (std::size_t i = 0; i < troubles.size(); ++i) {
        auto same = [&](auto& notice) { return !notice.cured_at && is_about(notice.trouble, troubles[i]); };
        if (std::ranges::any_of(known, same)) continue;
        steps.begun.push_back(i);
        if (may_tell && patience(troubles[i].kind) == Duration::zero()) steps.told_at_once.push_back(i);
    }
    for (std::size_t i = 0; i < known.size(); ++i) {
        const auto& [id, trouble, told_at, cured_at] = known[i];
        const bool lasts = std::ranges::any_of(troubles, [&](auto& one) { return is_about(one, trouble); });
        if (!cured_at && lasts) {
            if (!told_at && may_tell && now - trouble.since >= patience(trouble.kind)) steps.told.push_back(i);
            continue;
        }
        if (!told_at) {
            steps.forgotten.push_back(i);
            continue;
        }
        if (!cured_at) steps.cured.push_back(i);
        if (may_tell) steps.told_cured.push_back(i);
    }
    return steps;
}

}
