#include "digest/publishing.hpp"
#include "storage/database.hpp"
#include "system/log.hpp"
#include "web/pages.hpp"

#include <boost/json.hpp>

namespace postrider::web {
namespace {

namespace json = boost::json;
using digest::IssueState;
using Given = digest::Publishing::Answer;

std::string_view page_of(Given answer) {
    if (answer == Given::too_late) return "too_late";
    return answer == Given::stopped ? "stopped" : "approved";
}

struct Asked {
    std::optional<digest::Issue> issue;
    std::optional<subscribers::List> list;
    std::vector<stories::Story> stories;
};

Asked asked_about(storage::Connection& connection, IssueId id) {
    Asked asked;
    digest::Issues issues(connection);
    asked.issue = issues.find(id);
    if (!asked.issue) return asked;
    asked.list = subscribers::Lists(connection).find(asked.issue->list);
    for (auto story : issues.stories(id))
        if (auto found = stories::Stories(connection).find(story)) asked.stories.push_back(std::move(*found));
    return asked;
}

json::array shown(const std::vector<stories::Story>& stories) {
    json::array rows;
    for (auto& story : stories)
        rows.push_back(json::object{{"title", story.title}, {"url", story.url}, {"summary", story.summary}});
    return rows;
}

// What is decided is shown, whichever link was opened.
std::optional<std::string_view> decided(const digest::Issue& issue) {
    if (issue.state == IssueState::held) return std::nullopt;
    if (issue.state == IssueState::cancelled || issue.state == IssueState::skipped) return "stopped";
    if (digest::is_approved(issue)) return "approved";
    return std::nullopt;
}

}

Pages::Answer Pages::approve_form(const http::Request& request, const Names& names) {
    auto id = tokens_.read_approve(names[0]);
    co_return co_await decision_form(request, id, Decision::approve, path_of("/approve/" + names[0]));
}

Pages::Answer Pages::stop_form(const http::Request& request, const Names& names) {
    auto id = tokens_.read_stop(names[0]);
    co_return co_await decision_form(request, id, Decision::stop, path_of("/stop/" + names[0]));
}

Pages::Answer Pages::approve(const http::Request& request, const Names& names) {
    auto id = tokens_.read_approve(names[0]);
    co_return co_await decide(request, id, Decision::approve);
}

Pages::Answer Pages::stop(const http::Request& request, const Names& names) {
    auto id = tokens_.read_stop(names[0]);
    co_return co_await decide(request, id, Decision::stop);
}

Pages::Answer Pages::decision_form(const http::Request& request, std::optional<IssueId> id, Decision decision,
                                   std::string action) {
    if (!id) co_return not_found(request);
    auto read = [&](storage::Connection& connection) { return asked_about(connection, *id); };
    auto asked = co_await database_.read(read);
    if (!asked.issue) co_return not_found(request);
    auto words = speaking(*asked.list);
    const bool may_still_stop = decision == Decision::stop && asked.issue->state == IssueState::draft;
    if (auto known = decided(*asked.issue); known && !may_still_stop) co_return notice(words, 200, *known);
    const bool approves = decision == Decision::approve;
    auto heading = words.text(approves ? "approve_heading" : "stop_heading", {{"list", asked.list->title}});
    auto all = data(words, heading, *asked.list);
    all["heading"] = heading;
    all["stories"] = shown(asked.stories);
    all["action"] = std::move(action);
    all["button"] = words.text(approves ? "approve_button" : "stop_button");
    all["other"] = words.text(approves ? "stop_button" : "approve_button");
    all["other_url"] = path_of(approves ? "/stop/" + tokens_.stop(*id) : "/approve/" + tokens_.approve(*id));
    co_return page(200, "page_approve.html", std::move(all));
}

Pages::Answer Pages::decide(const http::Request& request, std::optional<IssueId> id, Decision decision) {
    if (!id) co_return not_found(request);
    auto now = clock_.now();
    struct Decided {
        std::optional<subscribers::List> list;
        std::string_view page;
        std::string trouble;
        std::vector<templates::Fault> warnings;
    };
    auto work = [&](storage::Connection& connection) {
        Decided decided;
        auto issue = digest::Issues(connection).find(*id);
        if (!issue) return decided;
        decided.list = subscribers::Lists(connection).find(issue->list);
        digest::Publishing publishing(connection, library_, tokens_, site_);
        try {
            if (decision == Decision::approve) {
                auto answered = publishing.approve(*id, now);
                decided.page = page_of(answered.answer);
                decided.warnings = std::move(answered.warnings);
            } else {
                decided.page = page_of(publishing.stop(*id));
            }
        } catch (const storage::Error&) {
            throw;
        } catch (const std::exception& error) { // a template that cannot be used, a draft without stories
            decided.trouble = error.what();
        }
        return decided;
    };
    auto decided = co_await database_.write(work); // alone: making an issue takes its time
    if (!decided.list) co_return not_found(request);
    for (auto& fault : decided.warnings)
        log::warn("a template has a fault", {{"list", decided.list->slug}, {"fault", fault.text()}});
    auto words = speaking(*decided.list);
    if (decided.trouble.empty()) co_return notice(words, 200, decided.page);
    log::error("an issue that was approved cannot be made", {{"issue", id->number}, {"reason", decided.trouble}});
    co_return notice(words, 503, "busy");
}

}
