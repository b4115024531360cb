#include "schedule/schedule.hpp"

#include "cli/call.hpp"
#include "cli/command.hpp"
#include "digest/rehearsal.hpp"

#include <boost/json.hpp>
#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace postrider::cli {
namespace {

namespace json = boost::json;
using schedule::Schedule;
using schedule::Zone;

Schedule schedule_of(const std::string& expression) {
    auto schedule = schedule::parse(expression);
    if (!schedule) throw Failure(schedule::explain(expression, schedule.error()));
    return *std::move(schedule);
}

Zone zone_of(const std::string& name) {
    auto zone = Zone::find(name);
    if (!zone) throw Failure(schedule::unknown_zone(name));
    return *std::move(zone);
}

std::vector<Time> next_times(const Schedule& schedule, const Zone& zone, Time from, std::int64_t count) {
    std::vector<Time> times;
    std::optional<Time> at = from;
    while (std::int64_t(times.size()) < count && (at = schedule::next(schedule, zone, *at))) times.push_back(*at);
    return times;
}

// Fewer times than asked for, or none, would else be a riddle.
void note_end(Call& call, const std::vector<Time>& times, Time from, std::int64_t wanted) {
    if (std::int64_t(times.size()) == wanted) return;
    call.note(fmt::format("no {}time after {}: the search ends with the year 9999, or after 400 years without one",
                          times.empty() ? "" : "further ", rfc3339(times.empty() ? from : times.back())));
}

// "Tue 2026-11-24 07:00 CET"
std::string local_text(const Zone& zone, Time time) {
    auto local = std::chrono::system_clock::time_point(zone.local(time).time_since_epoch());
    return fmt::format("{:%a %Y-%m-%d %H:%M} {}", fmt::gmtime(std::chrono::system_clock::to_time_t(local)),
                       zone.abbreviation(time));
}

json::array json_times(const std::vector<Time>& times) {
    json::array rows;
    for (auto time : times) rows.push_back(json::string(rfc3339(time)));
    return rows;
}

void print_times(Call& call, const Zone& zone, const std::vector<Time>& times) {
    for (auto time : times) call.say(fmt::format("  {}  {}", local_text(zone, time), rfc3339(time)));
}

// The argument with the days of --except.
std::string expression_of(Call& call, std::size_t argument) {
    return schedule::with_exceptions(call.argument(argument), call.lines("--except"));
}

int explain(Call& call) {
    auto schedule = schedule_of(expression_of(call, 0));
    auto zone = zone_of(call.text("--timezone", "UTC"));
    auto from = call.time_if("--from").value_or(call.now);
    auto count = call.number_if("--count", 0, 100'000).value_or(10);
    auto times = next_times(schedule, zone, from, count);
    note_end(call, times, from, count);
    auto words = schedule::in_words(schedule);
    if (call.json()) {
        print_json(call.out, json::object{{"expression", schedule.expression},
                                          {"timezone", zone.name()},
                                          {"words", words},
                                          {"next", json_times(times)}});
        return 0;
    }
    call.say(fmt::format("{} ({})", words, zone.name()));
    print_times(call, zone, times);
    return 0;
}

int set(Call& call) {
    auto list = call.list(call.argument(0));
    auto expression = expression_of(call, 1);
    if (auto name = call.text_if("--timezone")) list.timezone = zone_of(*name).name();
    auto zone = zone_of(list.timezone);
    if (expression == "none")
        list.schedule.reset();
    else
        list.schedule = schedule_of(expression).expression;
    auto set = subscribers::Lists(call.database()).update(list, call.now);
    if (!set) throw Failure(fmt::format("{}: {}", list.slug, to_text(set.error())));
    if (!set->schedule) {
        call.say(fmt::format("{0} has no schedule now; `postrider issue send {0}` sends by hand", list.slug));
        return 0;
    }
    auto schedule = schedule_of(*set->schedule);
    call.say(fmt::format("{} goes out {} ({}); next:", list.slug, schedule::in_words(schedule), zone.name()));
    print_times(call, zone, next_times(schedule, zone, call.now, 3));
    return 0;
}

Schedule schedule_of_list(const subscribers::List& list) {
    if (!list.schedule)
        throw Failure(fmt::format("{0} has no schedule; `postrider schedule set {0} \"every weekday at 07:00\"` gives "
                                  "it one",
                                  list.slug));
    return schedule_of(*list.schedule);
}

int next(Call& call) {
    auto list = call.list(call.argument(0));
    auto schedule = schedule_of_list(list);
    auto zone = zone_of(list.timezone);
    auto from = call.time_if("--from").value_or(call.now);
    auto count = call.number_if("--count", 0, 100'000).value_or(10);
    auto times = next_times(schedule, zone, from, count);
    note_end(call, times, from, count);
    if (call.json()) {
        print_json(call.out, json::object{{"list", list.slug},
                                          {"expression", schedule.expression},
                                          {"timezone", zone.name()},
                                          {"words", schedule::in_words(schedule)},
                                          {"next", json_times(times)}});
        return 0;
    }
    call.say(fmt::format("{} goes out {} ({})", list.slug, schedule::in_words(schedule), zone.name()));
    print_times(call, zone, times);
    return 0;
}

// The coming month in simulated time.
int rehearse(Call& call) {
    auto list = call.list(call.argument(0));
    auto schedule = schedule_of_list(list);
    auto zone = zone_of(list.timezone);
    auto end = call.now + call.number_if("--days", 1, 3660).value_or(30) * 24h;
    auto considered = digest::Issues(call.database()).considered(list.id);
    auto a_week = digest::stories_a_week(considered, call.now);
    if (auto rate = call.number_if("--rate", 0, 1'000'000)) a_week = double(*rate);
    auto rules = digest::ListRules(call.database()).of(list);
    auto slots = digest::rehearse(std::move(considered), rules, schedule, zone, a_week, call.now, end);

    Table table({"SLOT", "UTC", "", "STORIES", "LEFT OVER", "WHY NOT"});
    json::array rows;
    for (auto& slot : slots) {
        rows.push_back(json::object{{"slot", rfc3339(slot.slot)},
                                    {"local", local_text(zone, slot.slot)},
                                    {"what", to_text(slot.what)},
                                    {"stories", slot.stories},
                                    {"left_over", slot.left_over},
                                    {"why_not", slot.stories ? json::value() : json::value(slot.why_not)}});
        table.row({local_text(zone, slot.slot), rfc3339(slot.slot), std::string(to_text(slot.what)),
                   std::to_string(slot.stories), std::to_string(slot.left_over), slot.why_not});
    }
    if (call.json()) {
        print_json(call.out, rows);
        return 0;
    }
    call.say(fmt::format("{} goes out {} ({}). With the stories of now and {:.1f} new ones a week, which is {}:",
                         list.slug, schedule::in_words(schedule), zone.name(), a_week,
                         call.has("--rate") ? "what --rate says" : "what the last four weeks had"));
    table.print(call.out, call.terminal);
    auto count = [&](digest::Rehearsed what) {
        return std::ranges::count_if(slots, [&](auto& slot) { return slot.what == what; });
    };
    call.say(fmt::format("{} send, {} of them overflow, {} are skipped",
                         counted(std::ssize(slots) - count(digest::Rehearsed::skips), "slot"),
                         count(digest::Rehearsed::overflows), count(digest::Rehearsed::skips)));
    return 0;
}

}

void add_schedule(Commands& commands) {
    const Argument list{"LIST", "slug of the list"};
    const Option count{"--count", "N", "how many times; left out: 10"};
    const Option from{"--from", "TIME", "times after this one: 2026-11-24T07:00:00Z; left out: now"};
    const Option except{"--except", "DAY", "a day on which nothing falls due: 2026-12-25, \"december 25\", sundays",
                        Times::any};
    const Option timezone{"--timezone", "ZONE", "whose clocks are meant: Europe/Berlin"};
    commands.push_back({"schedule",
                        "explain",
                        "Say a schedule in plain words, and when it falls due. Needs no site.",
                        "schedule explain \"every weekday at 07:00\" --timezone Europe/Berlin",
                        {{"EXPRESSION", "plain English or five cron fields, in quotes"}},
                        {timezone, except, from, count, json_option},
                        explain});
    commands.push_back({"schedule",
                        "set",
                        "Say when issues of a list go out.",
                        "schedule set daily \"every weekday at 07:00\"",
                        {list, {"EXPRESSION", "plain English or five cron fields, in quotes; none: by hand only"}},
                        {timezone, except},
                        set});
    commands.push_back({"schedule",
                        "next",
                        "Show when the next issues of a list are due.",
                        "schedule next daily --count 5",
                        {list},
                        {count, from, json_option},
                        next});
    commands.push_back({"schedule",
                        "rehearse",
                        "Go through the coming days in simulated time: which slots would send, skip or overflow, "
                        "with the stories of now and as many new ones as the last four weeks had.",
                        "schedule rehearse daily --days 30",
                        {list},
                        {{"--days", "N", "how far to look; left out: 30"},
                         {"--rate", "N", "new stories in a week; left out: as many as there were"},
                         json_option},
                        rehearse});
}

}
