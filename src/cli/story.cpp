#include "cli/story.hpp"

#include "cli/call.hpp"
#include "stories/stories.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace postrider::cli {
namespace {

namespace json = boost::json;
using stories::Stories;
using stories::Story;
using stories::StoryState;

int ls(Call& call) {
    auto list = call.list(call.text("--list"));
    auto considered = digest::Issues(call.database()).considered(list.id);
    if (call.json()) {
        json::array rows;
        for (auto& one : considered) {
            auto row = story_json(one.candidate.story);
            row["standing"] = one.candidate.standing == stories::Standing::candidate ? "candidate" : "remembered";
            row["number"] = one.issue && *one.issue > 0 ? json::value(*one.issue) : json::value();
            rows.push_back(std::move(row));
        }
        print_json(call.out, rows);
        return 0;
    }
    if (considered.empty()) {
        call.say(fmt::format("{0} has no stories yet; `postrider feed add URL --list {0}` brings some", list.slug));
        return 0;
    }
    Table table({"ID", "STATE", "FIRST SEEN", "ISSUE", "TITLE"});
    for (auto& one : considered) {
        auto& story = one.candidate.story;
        auto issue = !one.issue        ? (one.candidate.standing == stories::Standing::candidate ? "" : "remembered")
                     : *one.issue == 0 ? "draft"
                                       : std::to_string(*one.issue);
        table.row({std::to_string(story.id.number), std::string(to_text(story.state)), shown(story.first_seen_at),
                   issue, shortened(story.title, 70)});
    }
    table.print(call.out, call.terminal);
    return 0;
}

Story story_of(Call& call) {
    auto id = call.id(0, "story");
    auto story = Stories(call.database()).find(StoryId{id});
    if (!story) throw Failure(fmt::format("there is no story {}; `postrider story ls --list SLUG` shows them", id));
    return *std::move(story);
}

int show(Call& call) {
    auto story = story_of(call);
    if (call.json()) {
        auto row = story_json(story);
        row["html"] = story.html;
        print_json(call.out, row);
        return 0;
    }
    Table table({fmt::format("story {}", story.id.number), story.title});
    table.row({"state", std::string(to_text(story.state))});
    table.row({"url", story.url});
    if (!story.byline.empty()) table.row({"byline", story.byline});
    table.row({"source", story.source});
    table.row({"published", shown(story.published_at)});
    table.row({"first seen", shown(story.first_seen_at)});
    if (!story.image.url.empty()) table.row({"image", story.image.url});
    if (story.not_before) table.row({"not before", shown(story.not_before)});
    if (story.expires_at) table.row({"expires", shown(story.expires_at)});
    if (story.pinned_at) table.row({"pinned", shown(story.pinned_at)});
    table.print(call.out, call.terminal);
    call.say("");
    call.say(story.summary);
    return 0;
}

// "none" takes it away; nothing when the option is not given.
std::optional<std::optional<Time>> time_or_none(Call& call, std::string_view option) {
    if (call.text(option) == "none") return std::optional<Time>();
    if (auto time = call.time_if(option)) return time;
    return std::nullopt;
}

int edit(Call& call) {
    auto story = story_of(call);
    Stories stories(call.database());
    auto embargo = time_or_none(call, "--not-before");
    auto expiry = time_or_none(call, "--expires");
    if (embargo) story.not_before = *embargo;
    if (expiry) story.expires_at = *expiry;
    // That it goes into no issue from now on is a wish like any other; that it never could is a mistake.
    if (auto never = why_never_sent(story, Time()); !never.empty()) throw Failure("--expires: " + never);
    if (embargo) (void)stories.set_embargo(story.id, *embargo);
    if (expiry) (void)stories.set_expiry(story.id, *expiry);
    auto edited = stories.find(story.id).value();
    if (call.json()) {
        print_json(call.out, story_json(edited));
        return 0;
    }
    call.say(fmt::format("story {}: not before {}, expires {}", edited.id.number, shown(edited.not_before),
                         shown(edited.expires_at)));
    return 0;
}

int pin(Call& call) {
    auto story = story_of(call);
    (void)Stories(call.database()).pin(story.id, call.now);
    call.say(fmt::format("story {} is pinned: it goes first into the next issue of each of its lists: {}",
                         story.id.number, story.title));
    if (story.state != StoryState::new_)
        call.note(fmt::format("but it is {0}, and stays out until `postrider story release {1}`", to_text(story.state),
                              story.id.number));
    return 0;
}

int unpin(Call& call) {
    auto story = story_of(call);
    (void)Stories(call.database()).pin(story.id, std::nullopt);
    call.say(fmt::format("story {} is a story like any other: {}", story.id.number, story.title));
    return 0;
}

// In which lists it was sent, or in the one that is named.
int resend(Call& call) {
    using Again = digest::Issues::Again;
    auto story = story_of(call);
    digest::Issues issues(call.database());
    std::vector<subscribers::List> lists;
    if (auto slug = call.text_if("--list"))
        lists.push_back(call.list(*slug));
    else
        lists = subscribers::Lists(call.database()).all();
    std::vector<std::string> again;
    bool drafted = false;
    storage::Transaction transaction(call.database());
    for (auto& list : lists) {
        auto done = issues.send_again(list.id, story.id);
        if (done == Again::done) again.push_back(list.slug);
        drafted |= done == Again::in_draft;
    }
    transaction.commit();
    if (again.empty() && drafted)
        throw Failure(fmt::format("story {} is part of a draft, which has not gone out yet", story.id.number));
    if (again.empty())
        throw Failure(fmt::format("story {0} was never sent{1}; `postrider story pin {0}` sends it in the next issue",
                                  story.id.number, call.has("--list") ? " to " + call.text("--list") : std::string()));
    if (call.json()) {
        print_json(call.out, json::object{{"id", story.id.number}, {"lists", json::value_from(again)}});
        return 0;
    }
    call.say(
        fmt::format("story {} goes out once more, to {}: {}", story.id.number, fmt::join(again, ", "), story.title));
    return 0;
}

auto putting(StoryState state, std::string_view words) {
    return [state, words](Call& call) {
        auto story = story_of(call);
        (void)Stories(call.database()).set_state(story.id, state);
        call.say(fmt::format("story {} {}: {}", story.id.number, words, story.title));
        return 0;
    };
}

}

json::object story_json(const Story& story) {
    return {{"id", story.id.number},
            {"title", story.title},
            {"url", story.url},
            {"state", to_text(story.state)},
            {"byline", story.byline},
            {"source", story.source},
            {"published", json_time(story.published_at)},
            {"first_seen", json_time(story.first_seen_at)},
            {"summary", story.summary},
            {"image", story.image.url},
            {"categories", json::value_from(story.categories)},
            {"language", story.language},
            {"not_before", json_time(story.not_before)},
            {"expires", json_time(story.expires_at)},
            {"pinned", story.pinned_at.has_value()}};
}

std::string why_never_sent(const Story& story, Time now) {
    if (!story.expires_at) return {};
    if (story.not_before && *story.expires_at <= *story.not_before)
        return fmt::format("it would be over ({}) before it may be sent ({}), and in no issue",
                           rfc3339(*story.expires_at), rfc3339(*story.not_before));
    if (*story.expires_at <= now) return fmt::format("{} is past; it would be in no issue", rfc3339(*story.expires_at));
    return {};
}

std::pair<StoryId, bool> keep_candidate(Stories& stories, ListId list, const Story& story, Time now) {
    auto [id, is_new] = stories.put(story, now);
    stories.stand(list, id, stories::Standing::candidate, now);
    if (story.not_before) (void)stories.set_embargo(id, story.not_before);
    if (story.expires_at) (void)stories.set_expiry(id, story.expires_at);
    return {id, is_new};
}

void add_story(Commands& commands) {
    const Argument id{"ID", "number of the story, from `postrider story ls`"};
    add_story_adding(commands);
    add_story_import(commands);
    commands.push_back({"story",
                        "ls",
                        "Show the stories of a list, newest first.",
                        "story ls --list daily",
                        {},
                        {{"--list", "SLUG", "the list", Times::once}, json_option},
                        ls});
    commands.push_back({"story", "show", "Show a story.", "story show 12", {id}, {json_option}, show});
    commands.push_back({"story",
                        "hold",
                        "Keep a story out of issues until it is released.",
                        "story hold 12",
                        {id},
                        {},
                        putting(StoryState::held, "is held back until it is released")});
    commands.push_back({"story",
                        "release",
                        "Let a story that was held or hidden into issues again.",
                        "story release 12",
                        {id},
                        {},
                        putting(StoryState::new_, "may go into issues")});
    commands.push_back({"story",
                        "hide",
                        "Keep a story out of issues for good.",
                        "story hide 12",
                        {id},
                        {},
                        putting(StoryState::hidden, "stays out of issues")});
    commands.push_back({"story",
                        "edit",
                        "Say from when, and until when, a story may go into issues.",
                        "story edit 12 --not-before 2026-11-24T07:00:00Z",
                        {id},
                        {{"--not-before", "TIME", "embargo: 2026-11-24T07:00:00Z; none: at once"},
                         {"--expires", "TIME", "from then on it goes into no issue; none: never"},
                         json_option},
                        edit});
    commands.push_back({"story",
                        "pin",
                        "Put a story first into the next issue of each of its lists, whatever their filters say.",
                        "story pin 12",
                        {id},
                        {},
                        pin});
    commands.push_back({"story", "unpin", "Treat a pinned story as any other.", "story unpin 12", {id}, {}, unpin});
    commands.push_back({"story",
                        "resend",
                        "Let a story that has gone out into one more issue, with its newest words.",
                        "story resend 12 --list daily",
                        {id},
                        {{"--list", "SLUG", "only in this list; left out: wherever it was sent"}, json_option},
                        resend});
}

}
