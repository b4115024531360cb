#include "cli/call.hpp"
#include "cli/command.hpp"
#include "subscribers/suppressions.hpp"
#include "system/random.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

namespace postrider::cli {
namespace {

namespace json = boost::json;

int add(Call& call) {
    auto address = call.address(call.argument(0));
    auto reason = call.line("--reason");
    subscribers::Suppressions suppressions(call.database(), call.tokens());
    auto closed = suppressions.add(address, subscribers::SuppressionKind::operator_, reason, call.now);
    if (call.json())
        print_json(call.out, json::object{{"address", address.text()}, {"reason", reason}, {"subscriptions", closed}});
    else
        call.say(fmt::format("{} is not mailed any more; {} ended", address.text(), counted(closed, "subscription")));
    return 0;
}

int ls(Call& call) {
    json::array rows;
    Table table({"HASH", "KIND", "SINCE", "REASON"});
    subscribers::Suppressions(call.database(), call.tokens()).each([&](const subscribers::Suppression& one) {
        auto hash = system::hex(one.hash);
        if (call.json())
            rows.push_back(json::object{
                {"hash", hash}, {"kind", to_text(one.kind)}, {"reason", one.reason}, {"since", rfc3339(one.since)}});
        else
            table.row({hash.substr(0, 16), std::string(to_text(one.kind)), shown(one.since), one.reason});
    });
    if (call.json())
        print_json(call.out, rows);
    else if (table.empty())
        call.say("nobody is on the suppression list");
    else
        table.print(call.out, call.terminal);
    return 0;
}

int remove(Call& call) {
    auto address = call.address(call.argument(0));
    if (!subscribers::Suppressions(call.database(), call.tokens()).remove(address))
        throw Failure(fmt::format("{} is not on the suppression list", address.text()));
    call.say(fmt::format("{} may be mailed again; its subscriptions do not come back by themselves", address.text()));
    return 0;
}

}

void add_suppression(Commands& commands) {
    const Argument address{"ADDRESS", "mail address"};
    commands.push_back({"suppression",
                        "add",
                        "Never mail an address again, on any list.",
                        "suppression add ada@example.org --reason \"asked by letter\"",
                        {address},
                        {{"--reason", "TEXT", "why", Times::once}, json_option},
                        add});
    commands.push_back({"suppression",
                        "ls",
                        "Show the suppression list. It knows addresses by a keyed hash only.",
                        "suppression ls",
                        {},
                        {json_option},
                        ls});
    commands.push_back({"suppression",
                        "remove",
                        "Let an address be mailed again.",
                        "suppression remove ada@example.org",
                        {address},
                        {},
                        remove});
}

}
