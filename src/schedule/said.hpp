#pragma once

#include "schedule/reader.hpp"
#include "schedule/schedule.hpp"

#include <chrono>
#include <expected>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

namespace postrider::schedule {

// What the clauses of an English schedule said, each at most once and right in itself, with the places for error
// messages.
struct Said {
    enum class Unit { none, minutes, days, weeks, months, years };
    enum class Selection { none, weekdays, dates };

    std::string_view text;

    Unit unit = Unit::none; // how often: every `count` units
    int count = 1;
    Span unit_place;

    Selection selection = Selection::none; // which days; they stand in `days`, as do the months
    Span selection_place;
    bool months = false;
    Days days;

    std::set<int> times;      // minutes since midnight
    std::set<int> half_times; // those of them that the part of the day decides: "7", "7:30", without am or pm
    Span times_place;

    enum class Part { none, morning, afternoon, evening };
    Part part = Part::none; // "in the morning": which half of the day the times mean
    Span part_place;

    int often = 0; // "twice a week" must name two days
    Span often_place;

    std::optional<std::pair<int, int>> window; // minutes since midnight, both included
    Span window_place;

    std::optional<std::chrono::local_days> start;
    Span start_place;
};

// The schedule that the clauses make together, or why they make none: something is missing, or two of them contradict
// each other.
[[nodiscard]] std::expected<Schedule, ScheduleError> add_up(Said);

}
