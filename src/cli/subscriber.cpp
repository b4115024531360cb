#include "cli/subscriber.hpp"

#include "delivery/letters.hpp"
#include "delivery/whole_record.hpp"
#include "digest/rules.hpp"
#include "smtp/outbox.hpp"
#include "subscribers/attributes.hpp"
#include "subscribers/subscribers.hpp"
#include "subscribers/subscriptions.hpp"
#include "subscribers/suppressions.hpp"
#include "subscribers/topics.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <span>

namespace postrider::cli {
namespace {

namespace json = boost::json;
using subscribers::List;
using subscribers::SubscriptionState;

int told(Call& call, const mail::Address& address, const List& list, std::string_view state, std::string_view line) {
    if (call.json())
        print_json(call.out, json::object{{"address", address.text()}, {"list", list.slug}, {"state", state}});
    else
        call.say(line);
    return 0;
}

[[noreturn]] void refuse_suppressed(const mail::Address& address) {
    throw Failure(fmt::format("{0} is on the suppression list and is not mailed; `postrider suppression remove {0}` if "
                              "its owner asks for it",
                              address.text()));
}

// What --topic says, as stored; none: it was not given.
std::optional<std::string> chosen_topics(Call& call, const List& list) {
    if (!call.has("--topic")) return std::nullopt;
    auto offered = topics_of(call, list);
    if (offered.empty())
        throw Failure(fmt::format(
            "{0} has no topics; `postrider list edit {0} --topic \"World = politics\"` gives it some", list.slug));
    auto wanted = call.texts("--topic");
    for (auto& name : wanted)
        if (subscribers::chosen_topics(std::span(&name, 1), offered).empty())
            throw Failure(fmt::format("{} has no topic \"{}\"; it has: {}", list.slug, name, fmt::join(offered, "; ")));
    return subscribers::chosen_topics(wanted, offered);
}

int add_confirmed(Call& call, const List& list, const mail::Address& address) {
    auto basis = call.line("--basis");
    if (basis.empty())
        throw WrongUsage("--confirmed needs --basis \"TEXT\": how this person agreed, for the consent record");
    subscribers::Subscriptions subscriptions(call.database(), call.tokens());
    subscribers::Profile profile{subscribers::clean_name(call.line("--name")),
                                 subscribers::clean_language(call.text("--language")), "", "{}"};
    auto result = subscriptions.add(list.id, address, profile, basis, "postrider subscriber add", call.now,
                                    chosen_topics(call, list));
    using What = subscribers::AddResult::What;
    if (result.what == What::suppressed) refuse_suppressed(address);
    return told(
        call, address, list, "active",
        fmt::format("{} is {}active on {}", address.text(), result.what == What::already ? "already " : "", list.slug));
}

int add(Call& call) {
    auto address = call.address(call.argument(0));
    auto list = open_list(call);
    if (call.has("--confirmed")) return add_confirmed(call, list, address);

    Confirmations confirmations(call, list);
    auto name = call.line("--name"), language = call.text("--language");
    auto basis = call.line("--basis", "added by the operator");
    subscribers::SignUps sign_ups(call.database(), call.tokens(), call.site().sign_up);
    storage::Transaction transaction(call.database());
    auto outcome = sign_ups.invite({list.id,
                                    address,
                                    name,
                                    language,
                                    "",
                                    "postrider subscriber add",
                                    basis,
                                    std::nullopt,
                                    {},
                                    chosen_topics(call, list)},
                                   call.now);
    if (auto* asked = std::get_if<subscribers::MailConfirmation>(&outcome))
        confirmations.write(*asked, address, language);
    transaction.commit();

    if (std::holds_alternative<subscribers::Suppressed>(outcome)) refuse_suppressed(address);
    if (std::holds_alternative<subscribers::AlreadyActive>(outcome))
        return told(call, address, list, "active",
                    fmt::format("{} is already active on {}", address.text(), list.slug));
    if (std::holds_alternative<subscribers::StillWaiting>(outcome))
        return told(
            call, address, list, "pending",
            fmt::format("{} was asked before and has not confirmed yet; no second mail is sent", address.text()));
    return told(call, address, list, "pending",
                fmt::format("{} gets a mail and is on {} once it is confirmed", address.text(), list.slug));
}

json::object json_of(const subscribers::Membership& one) {
    json::object row{{"list", one.list_slug}, {"state", to_text(one.state)}, {"since", rfc3339(one.since)}};
    row["left_how"] = json::value_from(one.left_how);
    row["topics"] = json::value_from(subscribers::topics_in(one.topics));
    return row;
}

int show(Call& call) {
    auto address = call.address(call.argument(0));
    auto& database = call.database();
    auto person = subscribers::Subscribers(database).find(address);
    auto lists = subscribers::Subscriptions(database, call.tokens()).of(address, call.now);
    auto suppression = subscribers::Suppressions(database, call.tokens()).find(address);
    if (!person && lists.empty() && !suppression)
        throw Failure(fmt::format("{} is not known here; `postrider subscriber add` adds a reader", address.text()));
    if (call.has("--export")) {
        print_json(call.out, json::parse(delivery::whole_record(database, call.tokens(), address, call.now)));
        return 0;
    }
    if (call.json()) {
        json::object row{{"address", person ? person->address : address.text()}};
        row["name"] = person ? person->profile.name : "";
        row["language"] = person ? person->profile.language : "";
        row["timezone"] = person ? person->profile.timezone : "";
        json::object attributes;
        if (person)
            for (auto& [name, value] : subscribers::parse_attributes(person->profile.attributes))
                attributes[name] = value;
        row["attributes"] = std::move(attributes);
        row["paused_until"] = json_time(person ? person->paused_until : std::nullopt);
        row["created_at"] = json_time(person ? std::optional(person->created_at) : std::nullopt);
        json::array rows;
        for (auto& one : lists) rows.push_back(json_of(one));
        row["subscriptions"] = std::move(rows);
        row["suppressed"] = nullptr;
        if (suppression)
            row["suppressed"] = json::object{{"kind", to_text(suppression->kind)},
                                             {"reason", suppression->reason},
                                             {"since", rfc3339(suppression->since)}};
        print_json(call.out, row);
        return 0;
    }
    call.say(person && !person->profile.name.empty() ? fmt::format("{} <{}>", person->profile.name, person->address)
                                                     : address.text());
    if (person && person->paused_until && *person->paused_until > call.now)
        call.say(fmt::format("wants no issues before {}", shown(*person->paused_until)));
    if (suppression)
        call.say(fmt::format("on the suppression list since {}: {} ({})", shown(suppression->since),
                             suppression->reason, to_text(suppression->kind)));
    Table table({"LIST", "STATE", "SINCE", "HOW", "TOPICS"});
    for (auto& one : lists)
        table.row({one.list_slug, std::string(to_text(one.state)), shown(one.since), one.left_how.value_or(""),
                   one.topics.empty() ? "all" : subscribers::topics_as_text(one.topics)});
    if (!table.empty()) table.print(call.out, call.terminal);
    return 0;
}

std::optional<SubscriptionState> wanted_state(const Call& call) {
    auto word = call.text_if("--state");
    if (!word) return std::nullopt;
    for (auto state : {SubscriptionState::pending, SubscriptionState::active, SubscriptionState::unsubscribed})
        if (*word == to_text(state)) return state;
    throw WrongUsage(fmt::format("--state \"{}\": write pending, active or unsubscribed", *word));
}

// Row by row: a list may have more readers than memory.
int ls(Call& call) {
    auto list = call.list(call.text("--list"));
    auto wanted = wanted_state(call);
    std::int64_t rows = 0;
    auto write = [&](const subscribers::Member& member) {
        if (wanted && member.state != *wanted) return;
        ++rows;
        if (call.json()) {
            json::object row{{"address", member.address},
                             {"state", to_text(member.state)},
                             {"name", member.name},
                             {"language", member.language},
                             {"since", rfc3339(member.since)}};
            call.out << (rows == 1 ? "[" : ",\n ") << json::serialize(row);
        } else
            call.say(fmt::format("{}  {:<12}  {}  {}", shown(member.since), to_text(member.state), member.address,
                                 member.name));
    };
    subscribers::Subscriptions(call.database(), call.tokens()).each_member(list.id, call.now, write);
    if (call.json()) call.out << (rows == 0 ? "[]\n" : "]\n");
    if (!call.json() && rows == 0) call.say(fmt::format("{} has no such readers", list.slug));
    return 0;
}

int remove(Call& call) {
    auto address = call.address(call.argument(0));
    auto list = call.list(call.text("--list"));
    subscribers::Subscriptions subscriptions(call.database(), call.tokens());
    bool waiting = false;
    for (auto& one : subscriptions.of(address, call.now))
        waiting |= one.list == list.id && one.state == SubscriptionState::pending;
    if (!subscriptions.remove(list.id, address, call.now) && !waiting)
        throw Failure(fmt::format("{0} is not on {1}; `postrider subscriber show {0}` shows where it is",
                                  address.text(), list.slug));
    call.say(fmt::format("{} is no longer on {}", address.text(), list.slug));
    return 0;
}

int erase(Call& call) {
    auto address = call.address(call.argument(0));
    auto question = fmt::format("Erase everything about {}? This cannot be undone.", address.text());
    if (!call.confirmed(question)) throw Failure("nothing was erased");
    auto erased = delivery::erase_record(call.database(), call.tokens(), address, call.now);
    call.database().wipe_deleted();
    auto kept =
        smtp::Outbox::forget(call.site().outbox, [&](std::string_view to) { return mail::is_same(to, address); });
    if (call.json()) {
        print_json(call.out, json::object{{"address", address.text()},
                                          {"subscriber", erased.subscriber},
                                          {"kept_mails", kept},
                                          {"subscriptions", erased.subscriptions},
                                          {"sign_ups", erased.sign_ups},
                                          {"consents", erased.consents}});
        return 0;
    }
    if (!erased.subscriber && erased.sign_ups + erased.consents == 0)
        call.note(fmt::format("nothing was known of {}; is it spelled as the reader writes it?", address.text()));
    call.say(fmt::format("{} is forgotten: {}, {}, {} of the consent record; a keyed hash remains, so that no import "
                         "brings the address back",
                         address.text(), counted(erased.subscriptions, "subscription"),
                         counted(erased.sign_ups, "sign-up"), counted(erased.consents, "entry", "entries")));
    return 0;
}

const Argument address_argument{"ADDRESS", "mail address of the reader"};

void add_one_reader(Commands& commands) {
    commands.push_back(
        {"subscriber",
         "add",
         "Ask somebody to join a list, or put them on it.",
         "subscriber add ada@example.org --list daily --confirmed --basis \"asked on the phone, 3 May\"",
         {address_argument},
         {list_option,
          {"--name", "NAME", "the reader's name"},
          {"--language", "TAG", "the reader's language"},
          {"--topic", "NAME", "one of the list's topics; left out: all of them, or those of before", Times::any},
          {"--confirmed", "", "active at once, without a mail that asks"},
          {"--basis", "TEXT", "how this person agreed; kept in the consent record"},
          json_option},
         add});
    commands.push_back({"subscriber",
                        "show",
                        "Show what is known of a reader.",
                        "subscriber show ada@example.org",
                        {address_argument},
                        {{"--export", "", "the whole record of the person as JSON, to be given to them"}, json_option},
                        show});
    commands.push_back({"subscriber",
                        "ls",
                        "Show the readers of a list.",
                        "subscriber ls --list daily --state active",
                        {},
                        {list_option, {"--state", "STATE", "only pending, active or unsubscribed"}, json_option},
                        ls});
    commands.push_back({"subscriber",
                        "remove",
                        "Take a reader off a list.",
                        "subscriber remove ada@example.org --list daily",
                        {address_argument},
                        {list_option},
                        remove});
    commands.push_back({"subscriber",
                        "erase",
                        "Forget a person: address, name, subscriptions, consent.",
                        "subscriber erase ada@example.org --yes",
                        {address_argument},
                        {json_option},
                        erase});
}

}

List open_list(Call& call) {
    auto list = call.list(call.text("--list"));
    if (list.state == subscribers::ListState::archived)
        throw Failure(fmt::format("{0} is archived; `postrider list edit {0} --state open` opens it", list.slug));
    return list;
}

std::vector<std::string> topics_of(Call& call, const List& list) {
    return digest::topic_names(digest::ListRules(call.database()).of(list));
}

Confirmations::Confirmations(Call& call, const List& list)
    : call_(call), list_(list), pages_(call.library()), templates_(pages_.letter("confirm")) {}

void Confirmations::write(const subscribers::MailConfirmation& asked, const mail::Address& address,
                          std::string_view language) {
    auto& words = call_.site().words;
    auto url = fmt::format("{}/confirm/{}", words.url, call_.tokens().confirm(asked.id));
    auto message = web::confirmation_letter(templates_, words, list_, address, language, url, asked.mail,
                                            asked.expires_at, call_.now);
    delivery::Letters(call_.database())
        .add(delivery::Purpose::confirmation, digest::letter_sender(words), address.text(), address.key(), message,
             call_.now, asked.expires_at - call_.now);
}

void add_subscriber(Commands& commands) {
    add_one_reader(commands);
    add_consent(commands);
    add_many_readers(commands);
}

}
