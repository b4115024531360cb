#include "subscribers/consent.hpp"

#include "cli/call.hpp"
#include "cli/command.hpp"
#include "system/random.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

namespace postrider::cli {
namespace {

namespace json = boost::json;

json::object json_of(const subscribers::ConsentRecord& one) {
    json::object row{{"entry", one.entry}, {"at", rfc3339(one.at)}, {"event", one.event}, {"list", one.list_slug}};
    row["words"] = json_text(one.words);
    row["version"] = json_text(subscribers::version_of(one.words));
    row["language"] = json_text(one.language);
    row["form"] = json_text(one.form);
    row["client"] = json_text(one.client);
    row["sign_up"] = one.sign_up ? json::value(one.sign_up->number) : json::value();
    row["mail"] = json_text(one.mail);
    row["hash"] = system::hex(one.hash);
    return row;
}

void say(Call& call, const subscribers::ConsentRecord& one) {
    call.say(fmt::format("{}  {:<9}  {}  (entry {}, hash {})", shown(one.at), one.event, one.list_slug, one.entry,
                         system::hex(one.hash).substr(0, 16)));
    auto line = [&](std::string_view what, std::string_view text) {
        if (!text.empty()) call.say(fmt::format("    {:<9} {}", what, text));
    };
    line("words", one.words);
    line("version", one.language.empty() ? subscribers::version_of(one.words)
                                         : fmt::format("{}, {}", subscribers::version_of(one.words), one.language));
    line("form", one.form);
    line("client", one.client);
    if (one.sign_up) line("sign-up", std::to_string(one.sign_up->number));
    line("mail", one.mail);
}

int consent(Call& call) {
    auto address = call.address(call.argument(0));
    auto record = subscribers::consent_of(call.database(), address.key());
    if (call.json()) {
        json::array rows;
        for (auto& one : record) rows.push_back(json_of(one));
        print_json(call.out, rows);
        return 0;
    }
    if (record.empty())
        throw Failure(fmt::format("nothing is on record of {}; `postrider doctor` says whether the record is whole",
                                  address.text()));
    for (auto& one : record) say(call, one);
    return 0;
}

}

void add_consent(Commands& commands) {
    commands.push_back({"subscriber",
                        "consent",
                        "Show what a person agreed to, when, from where and how.",
                        "subscriber consent ada@example.org",
                        {{"ADDRESS", "mail address of the reader"}},
                        {json_option},
                        consent});
}

}
