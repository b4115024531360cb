#include "cli/run.hpp"

#include "cli/call.hpp"
#include "cli/command.hpp"
#include "cli/parse.hpp"

#include <algorithm>
#include <ostream>

namespace postrider::cli {
namespace {

void complain(std::ostream& err, std::string message) {
    // One line, whatever it quotes; nothing in it may move a terminal's cursor either.
    std::ranges::replace_if(message, [](unsigned char c) { return c < 0x20 || c == 0x7f; }, ' ');
    err << "postrider: " << message << '\n';
}

}

const Commands& commands() {
    static const Commands all = [] {
        Commands table;
        for (auto add : {add_init, add_serve, add_status, add_doctor, add_list, add_feed, add_story, add_issue,
                         add_schedule, add_subscriber, add_suppression, add_template, add_relay, add_dkim, add_key, add_backup})
            add(table);
        return table;
    }();
    return all;
}

int run(std::span<const std::string> arguments, std::istream& in, std::ostream& out, std::ostream& err,
        const Terminal& terminal) {
    try {
        auto parsed = parse(arguments, commands());
        if (!parsed.command) {
            out << parsed.text;
            return 0;
        }
        auto& command = *parsed.command;
        Call call(std::move(parsed), in, out, err, terminal);
        int status = command.run(call);
        out.flush();
        if (out) return status;
        complain(err, "standard output could not be written");
        return 1;
    } catch (const WrongUsage& wrong) {
        complain(err, wrong.what());
        return 2;
    } catch (const std::exception& error) {
        complain(err, error.what());
        return 1;
    }
}

}
