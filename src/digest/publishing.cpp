#include "digest/publishing.hpp"

#include "delivery/message.hpp"
#include "schedule/schedule.hpp"
#include "system/fault_point.hpp"
#include "templates/check.hpp"
#include "templates/inline_styles.hpp"
#include "templates/mustache.hpp"
#include "templates/program.hpp"
#include "templates/review.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>

namespace postrider::digest {
namespace {

namespace json = boost::json;

// Gmail wants a sender name of 5 to 15 characters that stays the same (Feedback-ID,
// support.google.com/mail/answer/6254652).
std::string feedback_sender(const SiteWords& site) {
    std::string name;
    for (char c : site.name)
        if (std::isalnum(static_cast<unsigned char>(c)) && name.size() < 15)
            name += char(std::tolower(static_cast<unsigned char>(c)));
    return name.size() >= 5 ? name : name + "postrider";
}

templates::Program stored_program(std::string_view text) {
    auto program = templates::Program::from_stored(text);
    if (!program) throw std::runtime_error("a frozen issue is broken: " + program.error());
    return std::move(*program);
}

std::vector<std::string> unsized_pictures(std::span<const stories::Story> stories, bool of_bodies) {
    constexpr std::size_t most_of_a_body = 50;
    std::vector<std::string> urls;
    for (auto& story : stories) {
        if (!story.image.url.empty()) urls.push_back(story.image.url);
        if (!of_bodies) continue;
        for (auto& url : stories::unsized_pictures(story.html, most_of_a_body)) urls.push_back(std::move(url));
    }
    return urls;
}

// With the topic that the list puts each under as its first category.
std::vector<stories::Story> under_topics(std::vector<stories::Story> stories, const Rules& rules) {
    if (rules.topics.empty()) return stories;
    for (auto& story : stories)
        if (auto topic = topic_of(story, rules); !topic.empty())
            story.categories.insert(story.categories.begin(), topic);
    return stories;
}

const Approval* approval_of(const std::map<ListId, Approval>& approvals, ListId list) {
    auto found = approvals.find(list);
    return found == approvals.end() ? nullptr : &found->second;
}

// Of stories that stand under_topics().
delivery::Topics topics_of(const Rules& rules, std::span<const stories::Story> stories) {
    delivery::Topics topics{topic_names(rules), {}};
    for (auto& story : stories) {
        auto known =
            story.categories.empty() ? topics.names.end() : std::ranges::find(topics.names, story.categories.front());
        topics.stories.push_back(known == topics.names.end() ? -1 : int(known - topics.names.begin()));
    }
    return topics;
}

// Slots up to then are dealt with now.
Time looked_ahead(const Approval* approval, Time now) { return approval ? now + approval->ahead : now; }

}

struct Publishing::Selected {
    std::vector<Considered> considered;
    Selection selection;
};

struct Publishing::Compiled {
    json::object content;
    std::string subject; // without a reader
    templates::Program page, plain;
    delivery::MessageParts parts;
    std::vector<templates::Fault> warnings;
};

templates::Template Publishing::load(const std::string& name, const std::string& design,
                                     std::vector<templates::Fault>& warnings) const {
    auto partials = [this](std::string_view partial) { return library_.find(partial); };
    auto reviewed = templates::review(library_.get(name), partials, {&design, 1});
    if (auto* error = templates::first_error(reviewed.faults)) throw templates::TemplateError(*error);
    warnings.insert(warnings.end(), reviewed.faults.begin(), reviewed.faults.end());
    return std::move(*reviewed.parsed);
}

// A catalogue that cannot be used stops no issue, as it stops no page: the built-in words stand in.
templates::Words Publishing::words_for(std::string_view language, std::vector<templates::Fault>& warnings) const {
    auto stand_in = [&](templates::Fault fault) {
        fault.message += "; the built-in words stand in";
        fault.severity = templates::Severity::warning;
        warnings.push_back(std::move(fault));
    };
    try {
        auto said = templates::Languages(library_).words({language});
        if (said.broken()) stand_in(*said.broken());
        return said;
    } catch (const templates::TemplateError& error) { // one cannot even be read
        stand_in(error.fault().value_or(templates::Fault{fmt::format("words.{}.json", language), 1, 1, error.what()}));
        return templates::Languages().words({language});
    }
}

Publishing::Compiled Publishing::compile(const subscribers::List& list, const IssueWords& words,
                                         std::span<const stories::Story> stories) const {
    auto sender = mail::parse_sender(list.sender);
    if (!sender)
        throw std::runtime_error(
            fmt::format("the sender of {} is no address: \"{}\": {}; `postrider list edit {} --from` mends it",
                        list.slug, list.sender, sender.error().reason, list.slug));
    std::vector<templates::Fault> warnings;
    auto said = words_for(list.language, warnings);
    auto ready = [&](const std::string& name) { return load(name, list.template_name, warnings); };
    const auto page = ready(list.template_name + ".html"), plain = ready(list.template_name + ".txt");
    const bool whole = templates::names(page, "html") || templates::names(plain, "text");
    auto content = issue_content(site_, list, ListLooks(connection_).of(list.id), words, stories, said,
                                 whole ? Bodies::shown : Bodies::left_out,
                                 stories::Pictures(connection_).sizes_of(unsized_pictures(stories, whole)));
    auto topics = topics_of(ListRules(connection_).of(list), stories);
    auto subject = templates::compile(ready("subject"), by_choice(content, topics));
    auto plain_subject = delivery::for_nobody(subject);
    mail::make_one_line(plain_subject);
    content.at("issue").as_object()["subject"] = plain_subject;

    auto html = templates::with_inlined_styles(templates::compile(page, by_choice(content, topics)));
    auto text = templates::compile(plain, by_choice(for_plain_text(content), topics));
    // With topics the page holds several leads; nobody gets more than who gets every story.
    auto largest = topics.names.empty() ? html : templates::with_inlined_styles(templates::compile(page, content));
    if (auto fault = templates::fault_of_size(largest, list.template_name + ".html.mustache"))
        warnings.push_back(*fault);
    auto domain = std::string(sender->address.domain_ascii());
    mail::ListFields fields{
        list.title, fmt::format("{}.{}", list.slug, domain), fmt::format("{}/", site_.url),
        list.state == subscribers::ListState::open ? fmt::format("{}/archive/{}", site_.url, list.slug) : "",
        fmt::format("{}:{}:digest:{}", words.number, list.slug, feedback_sender(site_))};
    mail::Heading heading{*sender, {}, plain_subject, fields, mail::Body::alternative};
    delivery::MessageParts parts{std::move(heading),
                                 tokens_.newest(),
                                 "",
                                 words.date,
                                 std::move(subject),
                                 text,
                                 html,
                                 delivery::why_program(said, list.title),
                                 said.language(),
                                 list.timezone,
                                 std::move(topics)};
    return {std::move(content), std::move(plain_subject), std::move(html),
            std::move(text),    std::move(parts),         std::move(warnings)};
}

std::vector<stories::Story> Publishing::stories_of(std::span<const StoryId> ids) {
    std::vector<stories::Story> stories;
    for (auto id : ids)
        if (auto story = stories::Stories(connection_).find(id)) stories.push_back(std::move(*story));
    return stories;
}

Publishing::Selected Publishing::select_from(const subscribers::List& list, Time now) {
    Selected selected{issues_.considered(list.id), {}};
    selected.selection = select(selected.considered, ListRules(connection_).of(list), now);
    return selected;
}

Selection Publishing::explain(const subscribers::List& list, Time now) { return select_from(list, now).selection; }

Outcome Publishing::draft(const subscribers::List& list, std::optional<Time> slot, IssueState state, Time now) {
    storage::Transaction transaction(connection_);
    auto [considered, selection] = select_from(list, now);
    if (selection.chosen.empty()) return {std::nullopt, selection.why_not};
    std::vector<StoryId> stories;
    for (auto i : selection.chosen) stories.push_back(considered[i].candidate.story.id);
    auto id = issues_.draft(list.id, slot, state, stories, now);
    transaction.commit();
    return {id, ""};
}

std::vector<templates::Fault> Publishing::freeze(IssueId id, Time now) {
    storage::Transaction transaction(connection_);
    auto issue = issues_.find(id).value();
    auto list = lists_.find(issue.list).value();
    if (issue.state != IssueState::draft && issue.state != IssueState::held) // somebody else was quicker
        throw std::runtime_error(fmt::format("issue {} is {} already; see `postrider issue report {}`", id.number,
                                             to_text(issue.state), id.number));
    // What was hidden or held while the issue was a draft stays out of it, and is free for a later one.
    std::vector<stories::Story> stories;
    for (auto& story : stories_of(issues_.stories(id))) {
        if (story.state == stories::StoryState::new_)
            stories.push_back(std::move(story));
        else
            issues_.free_story(id, story.id);
    }
    if (stories.empty())
        throw std::runtime_error(
            fmt::format("every story of issue {} is hidden or held, so it would be empty; release one, or "
                        "`postrider issue cancel {}`",
                        id.number, id.number));
    auto left_over = explain(list, now).chosen.size(); // what would make the next issue
    IssueWords words{lists_.take_issue_number(list.id), now, left_over};
    auto compiled = compile(list, words, under_topics(std::move(stories), ListRules(connection_).of(list)));
    auto message = delivery::Message::compile(compiled.parts);
    auto mailing = delivery::Mailings(connection_)
                       .add(list.id, message.to_text(), now, list.local_hour ? issue.slot : std::nullopt);
    system::fault_point("issue half frozen");
    issues_.freeze(id, words.number, compiled.subject, json::serialize(compiled.content), compiled.page.stored(),
                   compiled.plain.stored(), mailing, now);
    transaction.commit();
    return std::move(compiled.warnings);
}

Outcome Publishing::publish(const subscribers::List& list, std::optional<Time> slot, Time now) {
    storage::Transaction transaction(connection_);
    auto outcome = draft(list, slot, list.approval ? IssueState::held : IssueState::draft, now);
    if (outcome.issue && !list.approval) outcome.warnings = freeze(*outcome.issue, now);
    if (!outcome.issue && slot) issues_.skip(list.id, *slot, outcome.why_not, now);
    transaction.commit();
    return outcome;
}

std::optional<Time> Publishing::next_slot(const subscribers::List& list, Time after) {
    if (!list.schedule || list.state == subscribers::ListState::archived) return std::nullopt;
    auto schedule = schedule::parse(*list.schedule);
    auto zone = schedule::Zone::find(list.timezone);
    if (!schedule || !zone) return std::nullopt;
    return schedule::next(*schedule, *zone, after);
}

Time Publishing::slots_since(Issues& issues, const subscribers::List& list, Time until) {
    const auto last = issues.last_slot(list.id, until);
    const auto began = list.schedule_set_at.value_or(list.created_at);
    return last && began > until ? *last : std::max(began, last.value_or(Time()));
}

bool Publishing::anything_due(Time now) {
    const auto approvals = Approvals(connection_).all();
    for (auto& list : lists_.all()) {
        if (!list.schedule || list.state == subscribers::ListState::archived) continue;
        const auto until = looked_ahead(approval_of(approvals, list.id), now);
        auto slot = next_slot(list, slots_since(issues_, list, until));
        bool broken = !slot; // publish_due says what is wrong with it
        if (broken || *slot <= until || issues_.skipped_after(list.id, until)) return true;
    }
    return std::ranges::any_of(issues_.awaiting(),
                               [&](auto& issue) { return may_go(issue, approval_of(approvals, issue.list), now); });
}

void Publishing::fill_slots(const subscribers::List& list, const Approval* approval, Time now, Duration catch_up,
                            std::vector<Fired>& fired) {
    auto schedule = schedule::parse(*list.schedule);
    if (!schedule)
        throw std::runtime_error(fmt::format("the schedule of {} is broken: {}", list.slug,
                                             schedule::explain(*list.schedule, schedule.error())));
    auto zone = schedule::Zone::find(list.timezone);
    if (!zone)
        throw std::runtime_error(
            fmt::format("the time zone of {} is unknown: {}", list.slug, schedule::unknown_zone(list.timezone)));
    const auto until = looked_ahead(approval, now);
    issues_.forget_skipped_after(list.id, until);
    for (auto& due : due_slots(*schedule, *zone, slots_since(issues_, list, until), now, catch_up)) {
        Outcome outcome;
        if (due.skipped.empty())
            outcome = approval ? ask(list, *approval, due.slot, now) : publish(list, due.slot, now);
        else if (issues_.skip(list.id, due.slot, due.skipped, now))
            outcome.why_not = due.skipped;
        fired.push_back({list, due.slot, outcome});
    }
    if (approval) ask_ahead(list, *approval, *schedule, *zone, now, fired);
}

std::vector<Publishing::Fired> Publishing::publish_due(Time now, Duration catch_up, std::vector<std::string>& errors) {
    std::vector<Fired> fired;
    const auto approvals = Approvals(connection_).all();
    auto guarded = [&](const std::string& slug, auto work) {
        try {
            work();
        } catch (const templates::TemplateError& error) {
            errors.push_back(fmt::format("{}: {}", slug, error.what()));
        } catch (const storage::Error&) {
            throw; // about the database, not about this list
        } catch (const std::exception& error) {
            errors.push_back(fmt::format("{}: {}", slug, error.what()));
        }
    };
    for (auto& list : lists_.all()) {
        if (!list.schedule || list.state == subscribers::ListState::archived) continue;
        guarded(list.slug, [&] { fill_slots(list, approval_of(approvals, list.id), now, catch_up, fired); });
    }
    for (auto& issue : issues_.awaiting())
        if (may_go(issue, approval_of(approvals, issue.list), now))
            guarded(issue.list_slug, [&] { settle(issue, now, fired); });
    return fired;
}

Sample Publishing::sample(const subscribers::List& list, std::optional<IssueId> issue,
                          const subscribers::Reader& reader, std::string_view subject_prefix, Time now) {
    Sample sample;
    auto frozen = issue ? issues_.find(*issue) : std::nullopt;
    std::optional<delivery::Message> message;
    templates::Program page, plain;
    MailingId mailing;
    if (frozen && frozen->mailing) {
        mailing = *frozen->mailing;
        message = delivery::Message::from_text(delivery::Mailings(connection_).message(mailing));
        page = stored_program(issues_.page(*issue));
        plain = stored_program(issues_.plain(*issue));
        sample.subject = frozen->subject;
    } else {
        std::vector<stories::Story> stories;
        std::size_t left_over = 0;
        if (issue)
            stories = stories_of(issues_.stories(*issue));
        else {
            auto [considered, selection] = select_from(list, now);
            left_over = selection.left_over;
            for (auto i : selection.chosen) stories.push_back(considered[i].candidate.story);
            sample.example = stories.empty();
            for (auto& other : considered)
                if (sample.example && other.candidate.story.state == stories::StoryState::new_ &&
                    int(stories.size()) < list.maximum)
                    stories.push_back(other.candidate.story);
        }
        auto number = connection_.value<int>("SELECT last_issue_number FROM list_counter WHERE list_id = $1", list.id)
                          .value_or(0) +
                      1;
        auto shown = under_topics(std::move(stories), ListRules(connection_).of(list));
        auto compiled = compile(list, IssueWords{number, now, left_over}, shown);
        page = compiled.page;
        plain = compiled.plain;
        sample.subject = compiled.subject;
        sample.warnings = compiled.warnings;
        compiled.parts.subject_prefix = subject_prefix;
        message = delivery::Message::compile(compiled.parts);
    }
    delivery::ReaderLinks links;
    auto signer = tokens_.signer(message->key());
    links.make(signer ? *signer : tokens_.signer(), site_.url, mailing, reader);
    delivery::Message::Scratch scratch;
    auto address = mail::parse_address(reader.address);
    if (!address) throw std::runtime_error(fmt::format("{} is no address: {}", reader.address, address.error().reason));
    message->write(sample.eml, reader, *address, links, scratch);
    message->write_sender(sample.sender, signer ? *signer : tokens_.signer(), mailing, reader.subscription);
    sample.html = message->page(page, reader, links);
    sample.text = message->page(plain, reader, links);
    return sample;
}

bool Publishing::cancel(IssueId id, Time now) {
    storage::Transaction transaction(connection_);
    auto issue = issues_.find(id).value();
    bool done = false;
    if (issue.mailing) {
        // Before its first message its stories are free again; later they stay used, as some readers have them.
        delivery::Mailings mailings(connection_);
        bool untouched = !mailings.anything_sent(*issue.mailing);
        done = mailings.cancel(*issue.mailing, now);
        if (done && untouched) issues_.free_stories(id);
    } else
        done = issues_.discard(id);
    transaction.commit();
    return done;
}

}
