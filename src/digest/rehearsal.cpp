#include "digest/rehearsal.hpp"

#include <algorithm>

namespace postrider::digest {
namespace {

constexpr Duration week = 7 * 24h, looked_at = 4 * week;
constexpr std::size_t most_slots = 10'000, most_waiting = 1'000, most_models = 200;

// The newest stories, as they were when nobody had said anything about them.
std::vector<Considered> models_of(const std::vector<Considered>& stories) {
    std::vector<Considered> models;
    for (auto& considered : stories) {
        if (models.size() >= most_models) break;
        if (considered.candidate.story.state == stories::StoryState::hidden) continue;
        auto& model = models.emplace_back(considered);
        model.issue.reset();
        model.before.reset();
        model.candidate.standing = stories::Standing::candidate;
        auto& story = model.candidate.story;
        story.state = stories::StoryState::new_;
        story.not_before.reset();
        story.expires_at.reset();
        story.pinned_at.reset();
    }
    if (models.empty()) models.push_back({{.story = {}, .standing = stories::Standing::candidate, .since = {}}, {}});
    return models;
}

class Simulation {
public:
    Simulation(std::vector<Considered> stories, double a_week, Time now)
        : models_(models_of(stories)), waiting_(std::move(stories)), next_(now) {
        if (a_week > 0) every_ = std::max<Duration>(1s, Duration(std::int64_t(double(week.count()) / a_week)));
        drop_sent();
    }

    RehearsedSlot fill(Time slot, const Rules& rules) {
        come_in(slot);
        auto selection = select(waiting_, rules, slot);
        RehearsedSlot filled{slot, selection.chosen.size(), selection.left_over, Rehearsed::skips, selection.why_not};
        if (filled.stories > 0)
            filled.what = filled.left_over >= filled.stories ? Rehearsed::overflows : Rehearsed::sends;
        for (auto i : selection.chosen) waiting_[i].issue = 1;
        drop_sent();
        return filled;
    }

private:
    void drop_sent() {
        std::erase_if(waiting_, [](auto& one) { return one.issue && *one.issue > 0; });
    }

    void come_in(Time until) {
        if (every_ == Duration::zero()) return;
        for (; next_ + every_ <= until && waiting_.size() < most_waiting; ++made_) {
            next_ += every_;
            auto& story = waiting_.emplace_back(models_[made_ % models_.size()]);
            story.candidate.story.id = StoryId{-std::int64_t(made_) - 1};
            story.candidate.story.published_at = next_;
            story.candidate.since = next_;
        }
        next_ = std::max(next_, until - every_);
    }

    std::vector<Considered> models_, waiting_;
    Duration every_{};
    Time next_; // when the last one came in
    std::size_t made_ = 0;
};

}

std::string_view to_text(Rehearsed what) {
    switch (what) {
    case Rehearsed::sends: return "sends";
    case Rehearsed::overflows: return "overflows";
    case Rehearsed::skips: return "skips";
    }
    return {};
}

double stories_a_week(std::span<const Considered> stories, Time now) {
    Time first = now;
    std::size_t count = 0;
    for (auto& considered : stories) {
        auto at = came_at(considered);
        if (at > now || now - at > looked_at) continue;
        first = std::min(first, at);
        ++count;
    }
    if (count < 2) return 0;
    // A feed shows no more than its last few items: what it has is the rate of the time they span.
    auto span = std::max<Duration>(now - first, 24h);
    return double(count) * double(week.count()) / double(span.count());
}

std::vector<RehearsedSlot> rehearse(std::vector<Considered> stories, const Rules& rules,
                                    const schedule::Schedule& schedule, const schedule::Zone& zone, double a_week,
                                    Time now, Time end) {
    Simulation simulation(std::move(stories), a_week, now);
    std::vector<RehearsedSlot> slots;
    for (auto slot = schedule::next(schedule, zone, now); slot && *slot <= end && slots.size() < most_slots;
         slot = schedule::next(schedule, zone, *slot))
        slots.push_back(simulation.fill(*slot, rules));
    return slots;
}

}
