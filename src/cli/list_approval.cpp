#include "cli/list_approval.hpp"

#include "cli/call.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

namespace postrider::cli {
namespace {

namespace json = boost::json;

constexpr Option options[] = {
    {"--approve", "DURATION", "how long before its slot an editor is shown an issue, to approve or stop it; none: not"},
    {"--unanswered", "send|wait",
     "what becomes of an issue at its slot when the editor has not answered; at first wait"},
    {"--editor", "ADDRESS", "who is asked; none: the operator of the site"},
};

constexpr Duration shortest = 1min, longest = 7 * 24h;

}

std::span<const Option> approval_options() { return options; }

std::optional<digest::Approval> read_approval(Call& call, subscribers::List& list,
                                              std::optional<digest::Approval> approval) {
    // Two ways to ask a person, of which a list has one: the one that was said last.
    bool asks_ahead = call.has("--approve") && call.text("--approve") != "none";
    if (asks_ahead && call.text("--approval") == "yes")
        throw WrongUsage("--approve and --approval yes are two ways to ask a person; give one of them");
    if (asks_ahead) list.approval = false;
    if (call.text("--approval") == "yes") approval.reset();
    if (call.text("--approve") == "none")
        approval.reset();
    else if (auto ahead = call.duration_if("--approve")) {
        if (*ahead < shortest || *ahead > longest) throw WrongUsage("--approve: write a time from 1m to 7d");
        if (!approval) approval.emplace();
        approval->ahead = *ahead;
    }
    for (auto option : {"--unanswered", "--editor"})
        if (call.has(option) && !approval)
            throw WrongUsage(
                fmt::format("{} needs --approve DURATION: how long before its slot an issue is shown", option));
    if (auto word = call.text_if("--unanswered")) {
        auto unanswered = digest::parse_unanswered(*word);
        if (!unanswered) throw WrongUsage(fmt::format("--unanswered \"{}\": write send or wait", *word));
        approval->unanswered = *unanswered;
    }
    if (auto editor = call.text_if("--editor"))
        approval->editor = *editor == "none" ? std::string() : call.address(*editor).text();
    if (approval && approval->editor.empty() && call.site().words.editor.empty())
        throw Failure("nobody could be asked: give --editor ADDRESS, or write operator = \"you@...\" into [site] of "
                      "postrider.toml");
    return approval;
}

void show_approval(Table& table, const subscribers::List& list, const std::optional<digest::Approval>& approval,
                   const std::string& site_editor) {
    if (!approval) {
        table.row({"approval", list.approval ? "yes: an issue waits until it is approved" : "no"});
        return;
    }
    table.row({"approval", fmt::format("{} ahead, by {}; without an answer it {}", to_text(approval->ahead),
                                       approval->editor.empty() ? site_editor : approval->editor,
                                       approval->unanswered == digest::Unanswered::send ? "is sent" : "waits")});
}

json::value approval_json(const std::optional<digest::Approval>& approval) {
    if (!approval) return nullptr;
    return json::object{{"ahead", to_text(approval->ahead)},
                        {"unanswered", to_text(approval->unanswered)},
                        {"editor", approval->editor}};
}

}
