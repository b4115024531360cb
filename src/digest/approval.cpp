#include "digest/approval.hpp"

#include "digest/prose.hpp"
#include "mail/message.hpp"
#include "system/random.hpp"
#include "templates/escape.hpp"
#include "templates/markup.hpp"

#include <fmt/format.h>

namespace postrider::digest {
namespace {

constexpr std::size_t columns = 72;

Approval approval_in(const storage::Row& row, int first) {
    auto unanswered = parse_unanswered(row.text(first + 1));
    if (!unanswered)
        throw storage::Error(storage::Error::Kind::other, "list_approval.unanswered holds an unknown word");
    return {row.get<Duration>(first), *unanswered, row.get<std::string>(first + 2)};
}

std::string_view key_of(Unanswered unanswered) {
    return unanswered == Unanswered::send ? "approve_sends" : "approve_waits";
}

// Above the issue, and apart from it. Mail programs drop style blocks, so it brings its styles along.
std::string banner(const Question& question, const templates::Words& words, const std::string& sentence) {
    auto link = [&](const std::string& url, std::string_view key) {
        std::string text;
        templates::append_escaped(text, words.text(key));
        return fmt::format("<a href=\"{}\" style=\"color:#93321c;font-weight:bold\">{}</a>", url, text);
    };
    return fmt::format("<div dir=\"{}\" style=\"padding:16px;background:#fff;color:#1b1a17;border-bottom:3px solid "
                       "#93321c;font:16px/1.5 Helvetica,Arial,sans-serif\"><p style=\"margin:0 0 8px\">{}</p>"
                       "<p style=\"margin:0\">{} &nbsp; {}</p></div>",
                       words.direction(), sentence, link(question.approve_url, "approve_button"),
                       link(question.stop_url, "stop_button"));
}

std::string with_banner(std::string html, const std::string& banner) {
    const auto body = templates::body_of(html);
    html.insert(body ? body->begin : 0, banner);
    return html;
}

}

std::string_view to_text(Unanswered unanswered) { return unanswered == Unanswered::send ? "send" : "wait"; }

std::optional<Unanswered> parse_unanswered(std::string_view text) {
    if (text == "send") return Unanswered::send;
    if (text == "wait") return Unanswered::wait;
    return std::nullopt;
}

Time answer_until(const Issue& issue, const Approval& approval) {
    return issue.created_at < *issue.slot ? *issue.slot : issue.created_at + approval.ahead;
}

bool may_go(const Issue& issue, const Approval* approval, Time now) {
    if (issue.state == IssueState::draft) return *issue.slot <= now;
    return approval && approval->unanswered == Unanswered::send && answer_until(issue, *approval) <= now;
}

std::optional<Approval> Approvals::of(ListId list) {
    return connection_.first(
        "SELECT ahead, unanswered, editor FROM list_approval WHERE list_id = $1",
        [](const storage::Row& row) { return approval_in(row, 0); }, list);
}

std::map<ListId, Approval> Approvals::all() {
    std::map<ListId, Approval> found;
    connection_.each("SELECT list_id, ahead, unanswered, editor FROM list_approval",
                     [&](const storage::Row& row) { found.emplace(row.get<ListId>(0), approval_in(row, 1)); });
    return found;
}

void Approvals::keep(ListId list, const std::optional<Approval>& approval) {
    if (!approval) {
        connection_.run("DELETE FROM list_approval WHERE list_id = $1", list);
        return;
    }
    connection_.run(
        R"sql(INSERT INTO list_approval (list_id, ahead, unanswered, editor) VALUES ($1, $2, $3, $4)
              ON CONFLICT (list_id) DO UPDATE SET ahead = $2, unanswered = $3, editor = $4)sql",
        list, approval->ahead, to_text(approval->unanswered), approval->editor);
}

std::string question_letter(const SiteWords& site, const subscribers::List& list, const mail::Address& editor,
                            const Question& question, const templates::Words& words, Time now) {
    const auto due = moment_in_words(question.slot, words, list.timezone);
    const auto key = key_of(question.unanswered);
    auto text = wrapped(words.text(key, {{"list", list.title}, {"date", due}}), columns) + "\n\n";
    text += fmt::format("{}:\n{}\n\n{}:\n{}\n\n", words.text("approve_button"), question.approve_url,
                        words.text("stop_button"), question.stop_url);
    text += std::string(columns, '-') + "\n\n" + question.text;
    auto html =
        with_banner(question.html, banner(question, words, words.html(key, {{"list", list.title}, {"date", due}})));
    auto subject = fmt::format("[{}] {}", words.text("approve_mark"), question.subject);
    mail::Heading heading{site.from, {}, std::move(subject), {}, mail::Body::alternative};
    auto message_id = system::hex(system::random_bytes(16));
    return mail::whole_message(heading, {editor, "", message_id, {}, {}}, now, text, html);
}

}
