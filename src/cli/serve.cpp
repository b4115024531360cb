#include "cli/call.hpp"
#include "cli/command.hpp"
#include "cli/demo.hpp"
#include "daemon/daemon.hpp"

#include <fmt/format.h>

namespace postrider::cli {
namespace {

int serve(Call& call) {
    auto site = call.site();
    if (auto format = call.text_if("--log")) {
        if (*format != "text" && *format != "json")
            throw WrongUsage(fmt::format("--log \"{}\": write text or json", *format));
        site.log_format = *format == "json" ? log::Format::json : log::Format::text;
    }
    return daemon::serve(site, call.has("--once") ? daemon::Mode::once : daemon::Mode::forever);
}

int show_demo(Call& call) {
    DemoOptions options;
    if (auto folder = call.text_if("--site")) options.site = *folder;
    options.feed = call.text_if("--feed");
    options.keep_serving = call.terminal.out;
    return demo(options, call.out);
}

}

void add_serve(Commands& commands) {
    commands.push_back({"serve",
                        "",
                        "The daemon: pages, feeds, schedule and delivery, until it is told to stop.",
                        "-C /etc/postrider serve",
                        {},
                        {{"--once", "", "do all that is due now, then leave"},
                         {"--log", "text|json", "form of the log on standard error; left out: the site's"}},
                        serve});
    commands.push_back({"demo",
                        "",
                        "The whole story in one process, from a feed to the readers' mailboxes. Needs nothing.",
                        "demo",
                        {},
                        {{"--site", "DIR", "where to make its site; left out: a temporary folder"},
                         {"--feed", "URL|FILE", "any real feed; left out: a built-in one"}},
                        show_demo});
}

}
