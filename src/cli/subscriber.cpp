#include "cli/call.hpp"
#include "cli/command.hpp"
#include "cli/new_file.hpp"
#include "delivery/letters.hpp"
#include "delivery/whole_record.hpp"
#include "digest/rules.hpp"
#include "mail/utf8.hpp"
#include "smtp/outbox.hpp"
#include "subscribers/attributes.hpp"
#include "subscribers/export.hpp"
#include "subscribers/import.hpp"
#include "subscribers/subscribers.hpp"
#include "subscribers/subscriptions.hpp"
#include "subscribers/suppressions.hpp"
#include "subscribers/topics.hpp"
#include "web/letters.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <istream>
#include <span>

namespace postrider::cli {
namespace {

namespace json = boost::json;
using subscribers::List;
using subscribers::SubscriptionState;

// Writes the letter that asks for the confirmation, inside the transaction of its sign-up.
class Confirmations {
public:
    Confirmations(Call& call, const List& list)
        : call_(call), list_(list), pages_(call.library()), templates_(pages_.letter("confirm")) {}

    void write(const subscribers::MailConfirmation& asked, const mail::Address& address, std::string_view language) {
        auto& words = call_.site().words;
        auto url = fmt::format("{}/confirm/{}", words.url, call_.tokens().confirm(asked.id));
        auto message = web::confirmation_letter(templates_, words, list_, address, language, url, asked.mail,
                                                asked.expires_at, call_.now);
        delivery::Letters(call_.database())
            .add(delivery::Purpose::confirmation, digest::letter_sender(words), address.text(), address.key(), message,
                 call_.now, asked.expires_at - call_.now);
    }

private:
    Call& call_;
    const List& list_;
    web::PageTemplates pages_;
    web::LetterTemplates templates_;
};

List open_list(Call& call) {
    auto list = call.list(call.text("--list"));
    if (list.state == subscribers::ListState::archived)
        throw Failure(fmt::format("{0} is archived; `postrider list edit {0} --state open` opens it", list.slug));
    return list;
}

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

std::vector<std::string> topics_of(Call& call, const List& list) {
    return digest::topic_names(digest::ListRules(call.database()).of(list));
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

bool check_one(Call& call, const std::string& input) {
    auto address = mail::parse_address(input);
    auto shown_input = mail::valid_utf8(input);
    if (call.json()) {
        json::object row{{"input", shown_input}, {"taken", address.has_value()}};
        row["why"] = address ? json::value() : json::value(mail::valid_utf8(address.error().reason));
        row["normal"] = address ? json::value(address->text()) : json::value();
        row["ascii"] = address ? json::value(address->ascii()) : json::value();
        row["smtputf8"] = address && address->needs_smtputf8();
        print_json(call.out, row);
    } else if (!address)
        call.say(fmt::format("{}: not taken: {}", shown_input, address.error().reason));
    else
        call.say(
            fmt::format("{}: taken as {}{}{}", shown_input, address->text(),
                        address->ascii() == address->text() ? "" : fmt::format(", on the wire {}", address->ascii()),
                        address->needs_smtputf8() ? ", needs SMTPUTF8" : ""));
    return address.has_value();
}

// No address comes near the limit, and what ends no line (/dev/zero) would take all memory.
bool next_line(std::istream& in, std::string& line, std::int64_t number) {
    constexpr std::size_t longest = 10'000;
    line.clear();
    for (char c = 0; in.get(c) && c != '\n'; line += c)
        if (line.size() == longest)
            throw Failure(fmt::format("standard input:{}: the line is longer than {} bytes; write one address a line",
                                      number, longest));
    if (in.bad()) throw Failure("standard input: cannot be read");
    if (!in && line.empty()) return false;
    if (line.ends_with('\r')) line.pop_back();
    return true;
}

int check(Call& call) {
    bool all = true;
    for (auto& argument : call.arguments()) {
        if (argument != "-") {
            all &= check_one(call, argument);
            continue;
        }
        std::int64_t number = 1;
        for (std::string line; next_line(call.in, line, number); ++number) all &= check_one(call, line);
    }
    return all ? 0 : 1;
}

json::object json_of(const subscribers::ImportReport& report) {
    json::array rejections;
    for (auto& one : report.rejections)
        rejections.push_back(json::object{{"line", one.line}, {"reason", mail::valid_utf8(one.reason)}});
    return {{"rows", report.rows},
            {"new", report.added},
            {"unchanged", report.unchanged},
            {"suppressed", report.suppressed},
            {"unsubscribed", report.unsubscribed},
            {"undeliverable", report.undeliverable},
            {"rejected", report.rejected},
            {"rejections", std::move(rejections)},
            {"written_by", report.written_by.empty() ? json::value() : json::value(report.written_by)}};
}

std::vector<subscribers::ColumnMeaning> column_meanings(const Call& call) {
    std::vector<subscribers::ColumnMeaning> meanings;
    for (auto& text : call.texts("--map")) {
        auto equals = text.rfind('=');
        if (equals == 0 || equals == text.npos || equals + 1 == text.size())
            throw WrongUsage(fmt::format("--map \"{}\": write COLUMN=MEANING, as in --map \"E-Mail=email\"", text));
        meanings.push_back({text.substr(0, equals), text.substr(equals + 1)});
    }
    return meanings;
}

void say_report(Call& call, const std::string& file, const subscribers::ImportReport& report) {
    for (auto& one : report.rejections)
        call.note(fmt::format("{}:{}: {}", file, one.line, mail::valid_utf8(one.reason)));
    if (report.rejected > std::int64_t(report.rejections.size()))
        call.note(fmt::format("... and {} more", report.rejected - std::int64_t(report.rejections.size())));
    if (!report.written_by.empty()) call.say(fmt::format("{} is an export of {}", file, report.written_by));
    std::string kept;
    if (report.unsubscribed + report.undeliverable > 0)
        kept = fmt::format(" ({} unsubscribed and {} bounced, complained or blocked where they come from)",
                           report.unsubscribed, report.undeliverable);
    call.say(fmt::format("{}{}: {} new{}, {} unchanged, {} suppressed{}, {} rejected",
                         call.has("--dry-run") ? "nothing was stored; of " : "", counted(report.rows, "row"),
                         report.added, call.has("--confirmed") ? "" : " (each gets a mail to confirm)",
                         report.unchanged, report.suppressed, kept, report.rejected));
}

int import(Call& call) {
    auto list = open_list(call);
    subscribers::ImportOptions options{list.id,
                                       call.line("--basis"),
                                       call.has("--confirmed") ? subscribers::Standing::confirmed
                                                               : subscribers::Standing::unasked,
                                       call.has("--dry-run"),
                                       column_meanings(call),
                                       topics_of(call, list)};
    if (options.basis.empty()) throw WrongUsage("--basis is empty; say how these people agreed to get mail");
    Confirmations confirmations(call, list);
    Progress progress(call.err, call.terminal, "importing");
    subscribers::ImportHooks hooks;
    hooks.write_letter = [&](const subscribers::MailConfirmation& asked, const subscribers::SignUp& sign_up) {
        if (auto address = mail::parse_address(sign_up.address)) confirmations.write(asked, *address, sign_up.language);
    };
    hooks.progress = [&](const subscribers::ImportProgress& now) { progress.at(now.bytes_read, now.bytes_total); };
    std::optional<NewFile> rejected;
    if (auto path = call.text_if("--rejected")) {
        rejected.emplace(*path, NewFile::Existing::refuse);
        hooks.write_rejected = [&](std::string_view line) { rejected->stream() << line; };
    }
    auto& file = call.argument(0);
    auto report = subscribers::import_readers(call.database(), call.tokens(), call.site().sign_up, file, options, hooks,
                                              call.now);
    if (!report) throw Failure(report.error());
    if (rejected && report->rejected > 0) rejected->finish();
    if (call.json())
        print_json(call.out, json_of(*report));
    else
        say_report(call, file, *report);
    return 0;
}

int export_list(Call& call) {
    auto list = call.list(call.text("--list"));
    auto output = call.text_if("--output");
    std::optional<NewFile> file;
    if (output) file.emplace(*output, call.has("--force") ? NewFile::Existing::replace : NewFile::Existing::refuse);
    auto& out = file ? file->stream() : call.out;
    auto which = call.has("--all") ? subscribers::Exported::all : subscribers::Exported::active;
    auto write = [&](std::string_view piece) { out << piece; };
    auto count = subscribers::export_readers(call.database(), list.id, which, write);
    if (!file) return 0;
    file->finish();
    call.say(fmt::format("{} written to {}", counted(count, "reader"), *output));
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
const Option list_option{"--list", "SLUG", "the list", Times::once};

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

void add_many_readers(Commands& commands) {
    commands.push_back({"subscriber",
                        "check",
                        "Say whether addresses can be mailed, and their normal form. Needs no site.",
                        "subscriber check ada@example.org \"grüße@müller.example\"",
                        {{"ADDRESS", "an address; - reads one a line from standard input", Times::many}},
                        {json_option},
                        check});
    commands.push_back(
        {"subscriber",
         "import",
         "Put the readers of a CSV file on a list. Exports of Mailchimp, listmonk and MailPoet are known "
         "by their columns; whoever had left or bounced there stays out here.",
         "subscriber import readers.csv --list daily --basis \"joined at the fair, May 2026\" --dry-run",
         {{"FILE", "CSV with a header line: email, and name, language, timezone, topics, or attributes"}},
         {list_option,
          {"--basis", "TEXT", "how these people agreed; kept in the consent record", Times::once},
          {"--confirmed", "", "active at once, without a mail that asks"},
          {"--map", "COLUMN=MEANING",
           "what a column means: email, name, first_name, last_name, language, timezone, topics (\"World; Sport\"), "
           "status, - to leave it out, or the name of an attribute; any number of times",
           Times::any},
          {"--rejected", "FILE", "a new file for the rows that were rejected, with line and reason"},
          {"--dry-run", "", "count, and store nothing"},
          json_option},
         import});
    commands.push_back({"subscriber",
                        "export",
                        "Write the readers of a list as CSV.",
                        "subscriber export --list daily --output readers.csv",
                        {},
                        {list_option,
                         {"--all", "", "those who have left, too, each with status and since when; else the active"},
                         {"--output", "FILE", "a new file, for you alone to read; left out: standard output"},
                         {"--force", "", "replace a file that is there"}},
                        export_list});
}

}

void add_subscriber(Commands& commands) {
    add_one_reader(commands);
    add_consent(commands);
    add_many_readers(commands);
}

}
