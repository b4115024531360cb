#include "delivery/whole_record.hpp"
#include "digest/rules.hpp"
#include "schedule/zone.hpp"
#include "storage/database.hpp"
#include "subscribers/subscriptions.hpp"
#include "subscribers/topics.hpp"
#include "web/outbox_folder.hpp"
#include "web/pages.hpp"
#include "web/wording.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>

namespace postrider::web {
namespace {

namespace json = boost::json;
using subscribers::SubscriptionState;

std::string state_in_words(const templates::Words& words, const std::optional<subscribers::Membership>& membership,
                           const subscribers::List& list) {
    if (!membership || membership->state == SubscriptionState::unsubscribed) return words.text("not_subscribed");
    if (membership->state == SubscriptionState::pending) return words.text("waiting");
    auto dates = words.dates(list.timezone, templates::Dates::Style::long_);
    return words.text("subscribed_since", {{"date", dates.in_words(membership->since)}});
}

constexpr Duration week = 7 * 24h;
constexpr int offered_weeks[] = {1, 2, 4, 8, 12};

std::optional<int> weeks_in(std::string_view text) {
    for (int weeks : offered_weeks)
        if (text == std::to_string(weeks)) return weeks;
    return std::nullopt;
}

json::array zone_choices(const std::string& chosen) {
    json::array zones{json::object{{"name", ""}, {"chosen", chosen.empty()}}};
    bool offered = chosen.empty();
    auto add = [&](std::string_view name) {
        zones.push_back(json::object{{"name", name}, {"chosen", name == chosen}});
        offered |= name == chosen;
    };
    for (auto name : schedule::zones_of_places()) add(name);
    if (!offered) add(chosen);
    return zones;
}

bool is_active(const std::optional<subscribers::Membership>& membership) {
    return membership && membership->state == SubscriptionState::active;
}

}

struct Pages::Preferences {
    struct Line {
        subscribers::List list;
        std::optional<subscribers::Membership> membership;
        std::vector<std::string> topics; // that its readers may choose among
    };
    subscribers::Subscriber person;
    mail::Address address;
    std::vector<Line> lines; // what the reader is on, and what is open to everybody

    static std::optional<Preferences> read(storage::Connection& connection, const subscribers::LinkTokens& tokens,
                                           SubscriberId id, Time now) {
        auto person = subscribers::Subscribers(connection).find(id);
        if (!person) return std::nullopt;
        auto address = mail::parse_address(person->address);
        if (!address) return std::nullopt;
        Preferences found{std::move(*person), std::move(*address), {}};
        auto memberships = subscribers::Subscriptions(connection, tokens).of(found.address, now);
        for (auto& list : subscribers::Lists(connection).all()) {
            auto same = [&](const auto& one) { return one.list == list.id; };
            auto membership = std::ranges::find_if(memberships, same);
            Line line{list, std::nullopt, {}};
            if (membership != memberships.end()) line.membership = *membership;
            if (is_active(line.membership)) line.topics = digest::topic_names(digest::ListRules(connection).of(list));
            if (is_active(line.membership) || list.state == subscribers::ListState::open)
                found.lines.push_back(std::move(line));
        }
        return found;
    }
};

namespace {

// Strangers may ask for it, so a new address may be asked through it; the reader's other lists move along.
constexpr auto may_move = [](const auto& line) {
    return is_active(line.membership) && line.list.state == subscribers::ListState::open;
};

}

struct Pages::Change {
    SubscriberId reader;
    const http::Form& form;
    LetterTemplates templates; // of a confirmation
    std::string_view client;
    Time now;
    std::optional<mail::Address> new_address = {}; // where one is asked for, and good
};

struct Pages::Changed {
    std::optional<Preferences> before, after; // no before: there was no such reader; no after: everything was deleted
    std::optional<subscribers::List> asked;   // the list that was asked for, and what came of it
    std::optional<subscribers::AskOutcome> outcome;
};

Pages::Answer Pages::preferences(const http::Request& request, const Names& names) {
    auto id = tokens_.read_preferences(names[0]);
    if (!id) co_return not_found(request);
    auto now = clock_.now();
    auto read = [&](storage::Connection& connection) { return Preferences::read(connection, tokens_, *id, now); };
    auto found = co_await database_.read(read);
    if (!found) co_return not_found(request);
    if (request.query != "export") co_return preferences_page(speaking(request, *found), names[0], *found, {});

    auto export_all = [&](storage::Connection& connection) {
        return delivery::whole_record(connection, tokens_, found->address, now);
    };
    http::Response response;
    response.body = co_await database_.read(export_all);
    response.headers.add("Content-Type", "application/json");
    response.headers.add("Content-Disposition", "attachment; filename=\"about-you.json\"");
    co_return response;
}

Pages::Answer Pages::change_preferences(const http::Request& request, const Names& names) {
    auto id = tokens_.read_preferences(names[0]);
    if (!id) co_return not_found(request);
    auto form = http::parse_form(request);
    if (!form) co_return refusal(request, 400, "unreadable");
    // What cannot be undone is asked twice.
    if (form->has("erase") && form->value("erase") != "everything") {
        auto now = clock_.now();
        auto read = [&](storage::Connection& connection) { return Preferences::read(connection, tokens_, *id, now); };
        auto found = co_await database_.read(read);
        if (!found) co_return not_found(request);
        auto words = speaking(request, *found);
        auto address = masked(found->address.text());
        auto all = data(words, words.text("erase_sure"));
        all["sentence"] = json::object{{"preferences_for", words.html("preferences_for", {{"address", address}})}};
        all["action"] = path_of("/preferences/" + names[0]);
        co_return page(200, "page_erase.html", all);
    }

    Change change{*id, *form, templates_.letter("confirm"), request.client, clock_.now()};
    std::optional<std::string> wrong; // about the new address: what keys of the catalogue say
    if (form->has("change")) {
        auto address = mail::parse_address(http::trimmed(form->value("email")));
        bool takes_mail = false;
        if (address) takes_mail = co_await may_take_mail(*address);
        if (takes_mail) change.new_address = std::move(*address);
        if (!takes_mail) wrong = "bad_address";
    }
    auto work = [&](storage::Connection& connection) {
        storage::Transaction transaction(connection);
        auto changed = apply(connection, change);
        transaction.commit();
        return changed;
    };
    auto changed = co_await database_.write_together(work);
    if (outbox_ && changed.before && !changed.after) co_await outbox_->forget(changed.before->address);

    if (!changed.before) co_return not_found(request);
    if (wrong) {
        auto words = speaking(request, *changed.before);
        co_return preferences_page(words, names[0], *changed.before, {false, words.text(*wrong)});
    }
    if (!changed.after) co_return notice(speaking(request, *changed.before), 200, "erased");
    if (changed.outcome) {
        auto* over = std::get_if<subscribers::OverBudget>(&*changed.outcome);
        auto words = speaking(*changed.asked, changed.before->person.profile.language);
        if (over && over->which == subscribers::Budget::client)
            co_return too_many(http::Format::html, words, over->wait);
        co_return asked_page(http::Format::html, words, *changed.asked);
    }
    co_return preferences_page(speaking(request, *changed.after), names[0], *changed.after, {true});
}

Pages::Changed Pages::apply(storage::Connection& connection, const Change& change) const {
    Changed changed{Preferences::read(connection, tokens_, change.reader, change.now), {}, {}, {}};
    if (!changed.before) return changed;
    auto& form = change.form;
    auto& address = changed.before->address;
    if (form.value("erase") == "everything") {
        (void)delivery::erase_record(connection, tokens_, address, change.now);
        return changed;
    }
    subscribers::Subscribers subscribers(connection);
    if (form.value("leave_all") == "1") {
        subscribers::Subscriptions subscriptions(connection, tokens_);
        for (auto& line : changed.before->lines)
            if (auto active = subscriptions.active(line.list.id, address))
                (void)subscriptions.leave(*active, subscribers::LeftHow::page, change.client, change.now);
    } else if (form.has("pause_end")) {
        subscribers.pause(change.reader, std::nullopt);
    } else if (auto weeks = weeks_in(form.value("pause"))) {
        subscribers.pause(change.reader, change.now + *weeks * week);
    } else if (auto slug = form.first("leave")) {
        subscribers::Subscriptions subscriptions(connection, tokens_);
        auto list = subscribers::Lists(connection).find(*slug);
        auto active = list ? subscriptions.active(list->id, address) : std::nullopt;
        if (active) (void)subscriptions.leave(*active, subscribers::LeftHow::page, change.client, change.now);
    } else if (change.new_address) {
        ask_new_address(connection, change, changed);
    } else if (auto joined = form.first("join")) {
        ask_to_join(connection, change, *joined, changed);
    } else if (form.has("save")) {
        auto profile = changed.before->person.profile;
        if (form.has("name")) profile.name = subscribers::clean_name(form.value("name"));
        if (form.has("language")) profile.language = subscribers::clean_language(form.value("language"));
        if (form.has("timezone")) {
            auto zone = form.value("timezone");
            if (zone.empty() || schedule::Zone::find(zone)) profile.timezone = zone;
        }
        subscribers.update(change.reader, profile);
        choose_topics(connection, form, *changed.before);
    }
    changed.after = Preferences::read(connection, tokens_, change.reader, change.now);
    return changed;
}

// Where the form asked for them, as it always does for lists that have topics.
void Pages::choose_topics(storage::Connection& connection, const http::Form& form, const Preferences& found) const {
    subscribers::Subscriptions subscriptions(connection, tokens_);
    for (auto& line : found.lines) {
        auto field = "topics-" + line.list.slug;
        auto active = form.has(field) ? subscriptions.active(line.list.id, found.address) : std::nullopt;
        if (active) subscriptions.choose_topics(*active, subscribers::chosen_topics(form.all(field), line.topics));
    }
}

// As any visitor would: whoever holds the link may have got it with a forwarded mail.
void Pages::ask_to_join(storage::Connection& connection, const Change& change, std::string_view slug,
                        Changed& changed) const {
    auto list = subscribers::Lists(connection).find(slug);
    if (!list || list->state != subscribers::ListState::open) return;
    ask(connection, change, *list, changed.before->address, std::nullopt, changed);
}

// The new address is asked, as any visitor's would be; until it confirms, nothing changes.
void Pages::ask_new_address(storage::Connection& connection, const Change& change, Changed& changed) const {
    auto line = std::ranges::find_if(changed.before->lines, may_move);
    if (line == changed.before->lines.end()) return;
    auto active = subscribers::Subscriptions(connection, tokens_).active(line->list.id, changed.before->address);
    ask(connection, change, line->list, *change.new_address, active, changed);
}

void Pages::ask(storage::Connection& connection, const Change& change, const subscribers::List& list,
                const mail::Address& address, std::optional<SubscriptionId> replaces, Changed& changed) const {
    auto& profile = changed.before->person.profile;
    auto words = change.templates.languages->words({profile.language, list.language});
    auto agreed = words.text("subscribe_to", {{"list", list.title}});
    subscribers::Asking asking{list.id, address, profile.name, profile.language, change.client, "preferences page",
                               agreed,  replaces};
    asking.words_language = words.language();
    changed.outcome = subscribers::SignUps(connection, tokens_, sign_up_).ask(asking, change.now);
    write_confirmation(connection, change.templates, *changed.outcome, list, address, profile.language, change.now);
    changed.asked = list;
}

// The reader's language, else that of the first list the reader is on, else the browser's.
templates::Words Pages::speaking(const http::Request& request, const Preferences& found) {
    if (!found.person.profile.language.empty()) return speaking(request, found.person.profile.language);
    for (auto& line : found.lines)
        if (is_active(line.membership)) return speaking(line.list);
    return speaking(request);
}

http::Response Pages::preferences_page(const templates::Words& words, const std::string& token,
                                       const Preferences& found, const Said& said) {
    json::array subscriptions, others, languages, topic_lists, weeks;
    int active_lists = 0;
    bool by_local_hour = false;
    auto choices = templates_.languages()->choices();
    auto offer = [&](const std::string& tag) {
        if (!tag.empty() && std::ranges::find(choices, tag, &templates::Languages::Choice::tag) == choices.end())
            choices.push_back({tag, templates::name_of_language(tag)});
    };
    auto& chosen = found.person.profile.language;
    offer(chosen);
    for (auto& line : found.lines) {
        bool active = is_active(line.membership);
        active_lists += active;
        by_local_hour |= active && line.list.local_hour;
        bool waits = line.membership && line.membership->state == SubscriptionState::pending;
        auto& part = active || waits ? subscriptions : others;
        part.push_back(json::object{{"list", line.list.slug},
                                    {"title", line.list.title},
                                    {"language", line.list.language},
                                    {"direction", templates::direction_of(line.list.language)},
                                    {"state", state_in_words(words, line.membership, line.list)},
                                    {"active", active}});
        if (!line.topics.empty())
            topic_lists.push_back(json::object{{"list", line.list.slug},
                                               {"title", line.list.title},
                                               {"topics", topic_choices(line.topics, line.membership->topics)}});
        offer(line.list.language);
    }
    // Whoever never chose has no language of their own: the list's words serve. So it stays until they choose.
    if (chosen.empty())
        languages.push_back(json::object{{"code", ""}, {"name", words.text("language_of_list")}, {"chosen", true}});
    for (auto& [tag, name] : choices)
        languages.push_back(json::object{{"code", tag}, {"name", name}, {"chosen", tag == chosen}});

    auto all = data(words, words.text("preferences_heading"));
    auto address = masked(found.address.text());
    all["sentence"] = json::object{{"preferences_for", words.html("preferences_for", {{"address", address}})}};
    all["address"] = address;
    all["action"] = path_of("/preferences/" + token);
    all["saved"] = said.saved;
    all["error"] = said.error;
    all["change_address"] = std::ranges::any_of(found.lines, may_move);
    all["subscriptions"] = std::move(subscriptions);
    all["has_others"] = !others.empty();
    all["others"] = std::move(others);
    all["settings"] = true;
    all["has_name"] = true;
    all["name"] = found.person.profile.name;
    all["has_languages"] = languages.size() > 1;
    all["languages"] = std::move(languages);
    all["topic_lists"] = std::move(topic_lists);
    if (by_local_hour) all["timezones"] = zone_choices(found.person.profile.timezone);
    all["has_timezones"] = by_local_hour;
    all["leave_all"] = active_lists > 1;
    if (auto until = found.person.paused_until; until && *until > clock_.now()) {
        auto zone = found.person.profile.timezone.empty() ? "UTC" : found.person.profile.timezone;
        auto dates = words.dates(zone, templates::Dates::Style::full);
        all["paused"] = words.text("paused_until", {{"date", dates.in_words(*until)}});
    } else if (active_lists > 0) {
        for (int count : offered_weeks)
            weeks.push_back(
                json::object{{"weeks", count}, {"name", words.text("pause_weeks", {{"count", std::int64_t(count)}})}});
        all["pauses"] = std::move(weeks);
    }
    all["may_pause"] = all.contains("pauses");
    all["export_url"] = path_of("/preferences/" + token + "?export");
    all["erase"] = true;
    return page(said.error.empty() ? 200 : 422, "page_preferences.html", all);
}

}
