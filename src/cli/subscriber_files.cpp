#include "cli/new_file.hpp"
#include "cli/subscriber.hpp"
#include "mail/utf8.hpp"
#include "subscribers/export.hpp"
#include "subscribers/import.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <istream>

namespace postrider::cli {
namespace {

namespace json = boost::json;

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
