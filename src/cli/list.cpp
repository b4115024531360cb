#include "cli/call.hpp"
#include "cli/command.hpp"
#include "cli/list_approval.hpp"
#include "cli/list_look.hpp"
#include "digest/rules.hpp"
#include "schedule/schedule.hpp"
#include "subscribers/subscriptions.hpp"
#include "templates/designs.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <iterator>

namespace postrider::cli {
namespace {

namespace json = boost::json;
using subscribers::List;
using subscribers::Lists;
using subscribers::ListState;

constexpr Option rules[] = {
    {"--from", "\"NAME <ADDRESS>\"", "sender; left out: the site's"},
    {"--description", "TEXT", "one sentence for the sign-up page"},
    {"--schedule", "EXPRESSION", "\"every weekday at 07:00\", a cron expression, or none"},
    {"--timezone", "ZONE", "of the schedule and of dates: Europe/Berlin; left out: UTC"},
    {"--language", "TAG", "of the newsletter: en, de, pt-BR"},
    {"--min", "N", "fewer stories make no issue; they wait for the next"},
    {"--max", "N", "more stories wait for the next issue"},
    {"--look-back", "DURATION", "how old a story may be when it is first seen: 7d"},
    {"--order", "ORDER", "how an issue shows its stories: newest, oldest, feed or weight (heaviest feeds first)"},
    {"--per-feed", "N", "at most so many stories of one feed in an issue; 0: any number"},
    {"--per-topic", "N", "at most so many stories of one topic in an issue; 0: any number"},
    {"--expire", "DURATION", "how long a story may wait for an issue; none: for ever"},
    {"--include", "WORDS", "takes only stories with these words, or category:NAME, by:NAME, source:NAME; none: all",
     Times::any},
    {"--exclude", "WORDS", "leaves such stories out; none: no longer", Times::any},
    {"--topic", "\"NAME = CATEGORY, ...\"",
     "stories of these categories stand under NAME, and readers may choose it; * takes all other stories; none: no "
     "longer",
     Times::any},
    {"--template", "NAME", "the design of its issues: digest, brief, letter, or your own NAME.html and NAME.txt"},
    {"--approval", "yes|no", "whether each issue waits, from its slot on, until a person approves it; else --approve"},
    {"--local-hour", "yes|no",
     "whether a scheduled issue comes when a reader's own clock shows the time of the schedule; who lives east of "
     "--timezone gets it a day later. For lists that send at most once a day"},
    {"--welcome", "yes|no", "whether who confirms gets a welcome mail"},
};

void read_schedule(List& list, const std::string& text) {
    if (text == "none") {
        list.schedule.reset();
        return;
    }
    auto schedule = schedule::parse(text);
    if (!schedule) throw Failure(schedule::explain(text, schedule.error()));
    list.schedule = schedule->expression;
}

void read_rules(Call& call, List& list) {
    if (call.has("--from")) {
        auto from = call.line("--from");
        if (auto mailbox = mail::parse_sender(from); !mailbox)
            throw Failure(
                fmt::format("--from \"{}\" is no sender: {}; write it as \"The Courier <news@courier.example>\"", from,
                            mailbox.error().reason));
        list.sender = from;
    }
    list.title = call.line("--title", list.title);
    if (list.title.empty()) throw Failure("a list needs a title that is not empty; give it with --title");
    list.description = call.line("--description", list.description);
    if (auto zone = call.text_if("--timezone")) {
        if (!schedule::Zone::find(*zone)) throw Failure(schedule::unknown_zone(*zone));
        list.timezone = *zone;
    }
    if (auto text = call.text_if("--schedule")) read_schedule(list, *text);
    if (auto language = call.text_if("--language")) {
        list.language = subscribers::clean_language(*language);
        if (list.language.empty())
            throw Failure(fmt::format("--language \"{}\" is no language tag; write one as en, de or pt-BR", *language));
    }
    list.minimum = int(call.number_if("--min", 1, 1'000'000).value_or(list.minimum));
    list.maximum = int(call.number_if("--max", 1, 1'000'000).value_or(list.maximum));
    list.look_back = call.duration_if("--look-back").value_or(list.look_back);
    if (auto name = call.text_if("--template")) {
        if (auto why_not = templates::no_design(call.library(), *name)) throw Failure("--template: " + *why_not);
        list.template_name = *name;
    }
    list.approval = call.yes_or_no_if("--approval").value_or(list.approval);
    list.local_hour = call.yes_or_no_if("--local-hour").value_or(list.local_hour);
    list.welcome = call.yes_or_no_if("--welcome").value_or(list.welcome);
}

template <class Thing, class Parse>
void read_texts(const Call& call, std::string_view option, std::vector<Thing>& things, Parse parse) {
    if (!call.has(option)) return;
    auto texts = call.lines(option);
    things.clear();
    if (texts.size() == 1 && texts.front() == "none") return;
    for (auto& text : texts) {
        auto thing = parse(text);
        if (!thing) throw WrongUsage(fmt::format("{} \"{}\" {}", option, text, thing.error()));
        things.push_back(std::move(*thing));
    }
}

// How stories are picked: what the command line says, over what the list has.
digest::Rules read_picking(Call& call, const List& list) {
    auto rules = digest::ListRules(call.database()).of(list);
    if (auto word = call.text_if("--order")) {
        auto sequence = digest::parse_sequence(*word);
        if (!sequence) throw WrongUsage(fmt::format("--order \"{}\": write newest, oldest, feed or weight", *word));
        rules.sequence = *sequence;
    }
    rules.per_feed = int(call.number_if("--per-feed", 0, 1'000'000).value_or(rules.per_feed));
    rules.per_topic = int(call.number_if("--per-topic", 0, 1'000'000).value_or(rules.per_topic));
    if (call.text("--expire") == "none")
        rules.expiry.reset();
    else if (auto expiry = call.duration_if("--expire")) {
        if (*expiry <= Duration::zero()) throw WrongUsage("--expire: a story needs some time");
        rules.expiry = *expiry;
    }
    read_texts(call, "--include", rules.include, digest::parse_filter);
    read_texts(call, "--exclude", rules.exclude, digest::parse_filter);
    read_texts(call, "--topic", rules.topics, digest::parse_topic);
    return rules;
}

template <class Thing>
json::array texts_of(const std::vector<Thing>& things) {
    json::array texts;
    for (auto& one : things) texts.push_back(json::string(one.text));
    return texts;
}

template <class Thing>
std::string joined(const std::vector<Thing>& things) {
    std::string text;
    for (auto& one : things) text += (text.empty() ? "" : "; ") + one.text;
    return text;
}

void show_picking(Table& table, const digest::Rules& rules) {
    table.row({"order", std::string(to_text(rules.sequence))});
    if (rules.per_feed) table.row({"per feed", fmt::format("at most {}", rules.per_feed)});
    if (rules.per_topic) table.row({"per topic", fmt::format("at most {}", rules.per_topic)});
    if (rules.expiry) table.row({"expire", fmt::format("after {} of waiting", to_text(*rules.expiry))});
    if (!rules.include.empty()) table.row({"include", joined(rules.include)});
    if (!rules.exclude.empty()) table.row({"exclude", joined(rules.exclude)});
    if (!rules.topics.empty()) table.row({"topics", joined(rules.topics)});
}

json::object json_of(Call& call, const List& list) {
    auto rules = digest::ListRules(call.database()).of(list);
    auto counts = subscribers::Subscriptions(call.database(), call.tokens()).counts(list.id, call.now);
    json::object reasons;
    for (auto& [reason, count] :
         subscribers::Subscriptions(call.database(), call.tokens()).reasons_for_leaving(list.id))
        reasons[to_text(reason)] = count;
    return {{"slug", list.slug},
            {"title", list.title},
            {"description", list.description},
            {"state", to_text(list.state)},
            {"from", list.sender},
            {"language", list.language},
            {"timezone", list.timezone},
            {"schedule", json::value_from(list.schedule)},
            {"next", json_time(digest::Publishing::next_slot(list, call.now))},
            {"template", list.template_name},
            {"look", look_json(digest::ListLooks(call.database()).of(list.id))},
            {"min", list.minimum},
            {"max", list.maximum},
            {"look_back", to_text(list.look_back)},
            {"order", to_text(rules.sequence)},
            {"per_feed", rules.per_feed},
            {"per_topic", rules.per_topic},
            {"expire", rules.expiry ? json::value(to_text(*rules.expiry)) : json::value()},
            {"include", texts_of(rules.include)},
            {"exclude", texts_of(rules.exclude)},
            {"topics", texts_of(rules.topics)},
            {"approval", list.approval},
            {"approve", approval_json(digest::Approvals(call.database()).of(list.id))},
            {"local_hour", list.local_hour},
            {"welcome", list.welcome},
            {"left_because", std::move(reasons)},
            {"active", counts.active},
            {"pending", counts.pending},
            {"unsubscribed", counts.unsubscribed},
            {"created_at", rfc3339(list.created_at)}};
}

void show(Call& call, const List& list) {
    if (call.json()) return print_json(call.out, json_of(call, list));
    auto counts = subscribers::Subscriptions(call.database(), call.tokens()).counts(list.id, call.now);
    Table table({list.slug, list.title});
    table.row({"state", std::string(to_text(list.state))});
    if (!list.description.empty()) table.row({"description", list.description});
    table.row({"from", list.sender});
    table.row(
        {"readers", fmt::format("{} active, {} pending, {} left", counts.active, counts.pending, counts.unsubscribed)});
    std::string reasons;
    for (auto& [reason, count] :
         subscribers::Subscriptions(call.database(), call.tokens()).reasons_for_leaving(list.id))
        reasons += fmt::format("{}{} {}", reasons.empty() ? "" : ", ", count, to_text(reason));
    if (!reasons.empty()) table.row({"left because", reasons});
    table.row({"schedule", list.schedule ? fmt::format("{} ({})", *list.schedule, list.timezone)
                                         : fmt::format("none: issues are sent by hand ({})", list.timezone)});
    if (auto next = digest::Publishing::next_slot(list, call.now)) table.row({"next", shown(next)});
    if (list.local_hour) table.row({"local hour", "yes: each reader gets a scheduled issue by their own clock"});
    table.row({"stories",
               fmt::format("{} to {} an issue, at most {} old", list.minimum, list.maximum, to_text(list.look_back))});
    show_picking(table, digest::ListRules(call.database()).of(list));
    table.row({"language", list.language});
    table.row({"template", list.template_name});
    show_look(table, digest::ListLooks(call.database()).of(list.id));
    show_approval(table, list, digest::Approvals(call.database()).of(list.id), call.site().words.editor);
    table.row({"welcome", list.welcome ? "yes" : "no"});
    table.print(call.out, call.terminal);
}

int add(Call& call) {
    List list;
    list.slug = call.argument(0);
    list.sender = mailbox_text(call.site().words.from);
    read_rules(call, list);
    if (call.has("--private")) list.state = ListState::private_;
    auto picking = read_picking(call, list);
    auto look = read_look(call, {});
    auto approval = read_approval(call, list, {});
    storage::Transaction transaction(call.database());
    auto added = Lists(call.database()).add(list, call.now);
    if (!added) throw Failure(fmt::format("{}: {}", list.slug, to_text(added.error())));
    digest::ListRules(call.database()).keep(added->id, picking);
    digest::ListLooks(call.database()).keep(added->id, look);
    digest::Approvals(call.database()).keep(added->id, approval);
    transaction.commit();
    if (call.json()) {
        print_json(call.out, json_of(call, *added));
        return 0;
    }
    call.say(fmt::format(
        "{} is a list now, {}; {}", added->slug, to_text(added->state),
        added->schedule
            ? fmt::format("its next issue is due at {}", shown(digest::Publishing::next_slot(*added, call.now)))
            : fmt::format("`postrider schedule set {} ...` gives it a schedule", added->slug)));
    return 0;
}

int edit(Call& call) {
    auto list = call.list(call.argument(0));
    read_rules(call, list);
    if (auto word = call.text_if("--state")) {
        auto state = subscribers::parse_list_state(*word);
        if (!state) throw WrongUsage(fmt::format("--state \"{}\": write open, private or archived", *word));
        list.state = *state;
    }
    auto picking = read_picking(call, list);
    auto look = read_look(call, digest::ListLooks(call.database()).of(list.id));
    auto approval = read_approval(call, list, digest::Approvals(call.database()).of(list.id));
    storage::Transaction transaction(call.database());
    auto edited = Lists(call.database()).update(list, call.now);
    if (!edited) throw Failure(fmt::format("{}: {}", list.slug, to_text(edited.error())));
    digest::ListRules(call.database()).keep(edited->id, picking);
    digest::ListLooks(call.database()).keep(edited->id, look);
    digest::Approvals(call.database()).keep(edited->id, approval);
    transaction.commit();
    show(call, *edited);
    return 0;
}

int ls(Call& call) {
    auto lists = Lists(call.database()).all();
    if (call.json()) {
        json::array rows;
        for (auto& list : lists) rows.push_back(json_of(call, list));
        print_json(call.out, rows);
        return 0;
    }
    if (lists.empty()) {
        call.say("no list yet; `postrider list add SLUG --title T` makes one");
        return 0;
    }
    Table table({"LIST", "TITLE", "STATE", "READERS", "NEXT", "SCHEDULE"});
    for (auto& list : lists)
        table.row({list.slug, shortened(list.title, 40), std::string(to_text(list.state)),
                   std::to_string(Lists(call.database()).active_count(list.id)),
                   shown(digest::Publishing::next_slot(list, call.now)), list.schedule.value_or("-")});
    table.print(call.out, call.terminal);
    return 0;
}

int archive(Call& call) {
    auto list = call.list(call.argument(0));
    Lists(call.database()).archive(list.id);
    call.say(fmt::format("{0} is archived: nobody joins it, nothing is sent; `postrider list edit {0} --state open` "
                         "opens it again",
                         list.slug));
    return 0;
}

}

void add_list(Commands& commands) {
    const Argument slug{"SLUG", "the list's name in addresses and commands: a-z, 0-9 and -"};
    std::vector<Option> adding{{"--title", "TITLE", "what readers see", Times::once}};
    adding.insert(adding.end(), std::begin(rules), std::end(rules));
    adding.insert(adding.end(), look_options().begin(), look_options().end());
    adding.insert(adding.end(), approval_options().begin(), approval_options().end());
    adding.push_back({"--private", "", "only the operator adds readers"});
    adding.push_back(json_option);
    std::vector<Option> editing{{"--title", "TITLE", "what readers see"}};
    editing.insert(editing.end(), std::begin(rules), std::end(rules));
    editing.insert(editing.end(), look_options().begin(), look_options().end());
    editing.insert(editing.end(), approval_options().begin(), approval_options().end());
    editing.push_back({"--state", "STATE", "open, private or archived"});
    editing.push_back(json_option);
    commands.push_back({"list",
                        "add",
                        "Make a list that readers can join.",
                        "list add daily --title \"The Daily\" --from \"The Courier <news@courier.example>\" "
                        "--schedule \"every weekday at 07:00\" --timezone Europe/Berlin",
                        {slug},
                        adding,
                        add});
    commands.push_back({"list", "ls", "Show all lists.", "list ls", {}, {json_option}, ls});
    commands.push_back(
        {"list", "show", "Show what is set for a list.", "list show daily", {slug}, {json_option}, [](Call& call) {
             show(call, call.list(call.argument(0)));
             return 0;
         }});
    commands.push_back({"list",
                        "edit",
                        "Change what is set for a list; what is not named stays.",
                        "list edit daily --max 12",
                        {slug},
                        editing,
                        edit});
    commands.push_back({"list",
                        "archive",
                        "Close a list: nobody joins, nothing is sent. Its issues and readers are kept.",
                        "list archive daily",
                        {slug},
                        {},
                        archive});
}

}
