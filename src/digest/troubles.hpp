#pragma once

#include "delivery/holds.hpp"
#include "digest/issues.hpp"
#include "stories/feeds.hpp"
#include "subscribers/budgets.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// What is a trouble that the operator should hear of, and when he is told. The whole policy of notices is here and in
// troubles.cpp; it stands in this room because slots, drafts and skipped issues are this room's, and feeds and relays
// lie below it.
//
// In:     facts of the database, what was noticed before, and now.
// Out:    the troubles there are; which of them begin, are told, are over.
// Always: pure. A trouble is told once, and once again when it is over; one that passes before its patience is over is
//         never told. However many there are, they make few mails a day.

namespace postrider::digest {

enum class TroubleKind {
    feed_failing,
    feed_gone,
    feed_silent,    // for longer than its habit
    slot_missed,    // while the program was down
    slot_overdue,   // the issue cannot be made
    issues_skipped, // several in a row
    issue_unanswered,
    relay_held,
    addresses_flooded, // by strangers, with sign-ups
};
[[nodiscard]] std::string_view to_text(TroubleKind);
[[nodiscard]] std::optional<TroubleKind> parse_trouble_kind(std::string_view);

struct ListFacts {
    std::string slug, title;
    std::optional<Time> overdue; // a slot that has come and was neither filled nor skipped
    std::vector<Issue> slots;    // the newest issues that have a slot, newest first
};

struct Facts {
    std::vector<stories::FeedRecord> feeds;
    std::vector<ListFacts> lists;
    std::vector<Issue> held; // waiting for a person
    std::vector<delivery::HoldRecord> relays;
    std::optional<subscribers::Flood> flood;
};

struct Trouble {
    TroubleKind kind;
    std::string subject; // with the kind: which one it is
    std::string name;    // for people
    std::string reason;  // of the program or a server, in English; may be empty
    Time since;
    bool operator==(const Trouble&) const = default;
};
[[nodiscard]] std::vector<Trouble> troubles_in(const Facts&, Time now);
[[nodiscard]] bool is_silent(const stories::FeedRecord&, Time now);

struct Notice {
    std::int64_t id;
    Trouble trouble;
    std::optional<Time> told_at;
    std::optional<Time> cured_at;
};

// By number in what next_steps() was given.
struct Steps {
    std::vector<std::size_t> begun;            // troubles without a notice
    std::vector<std::size_t> forgotten;        // notices: over before anybody was told
    std::vector<std::size_t> cured;            // notices that were told, and are over
    std::vector<std::size_t> told, told_cured; // notices, all in one mail
    std::vector<std::size_t> told_at_once;     // troubles of `begun` that need no patience
    [[nodiscard]] bool any() const;
    [[nodiscard]] bool mail() const { return !(told.empty() && told_cured.empty() && told_at_once.empty()); }
};
constexpr int most_mails = 8; // in 24 hours
// `mails`: how many were written in the last 24 hours; none: nobody is to be told.
[[nodiscard]] Steps next_steps(const std::vector<Notice>& known, const std::vector<Trouble>& troubles,
                               std::optional<int> mails, Time now);

}
