#include "cli/call.hpp"
#include "cli/command.hpp"
#include "daemon/lock.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

namespace postrider::cli {
namespace {

namespace json = boost::json;

int rotate(Call& call) {
    (void)call.database(); // with it the keys are known to be this site's
    (void)call.tokens();
    auto file = call.site().key_file();
    auto id = subscribers::LinkTokens::rotate(file);
    if (call.json()) {
        print_json(call.out, json::object{{"key", id.number}, {"file", file.string()}});
        return 0;
    }
    call.say(fmt::format("key {} signs the links of new mail{}; all older links go on working. Make a new backup: {} "
                         "has changed",
                         id.number,
                         daemon::daemon_running(call.site()) ? ", in the running daemon within a second" : "",
                         file.string()));
    return 0;
}

int ls(Call& call) {
    auto ids = call.tokens().all();
    json::array rows;
    Table table({"KEY", "USE"});
    for (auto id : ids) {
        auto use = id == ids.back() ? "signs and verifies" : "verifies";
        rows.push_back(json::object{{"key", id.number}, {"signs", id == ids.back()}});
        table.row({std::to_string(id.number), use});
    }
    if (call.json())
        print_json(call.out, rows);
    else
        table.print(call.out, call.terminal);
    return 0;
}

}

void add_key(Commands& commands) {
    commands.push_back({"key",
                        "rotate",
                        "Make a new key that signs links from now on. Old links go on working.",
                        "key rotate",
                        {},
                        {json_option},
                        rotate});
    commands.push_back({"key",
                        "ls",
                        "Show the keys of links by their numbers; never the keys themselves.",
                        "key ls",
                        {},
                        {json_option},
                        ls});
}

}
