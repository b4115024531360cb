#include "delivery/message.hpp"
#include "storage/database.hpp"
#include "subscribers/audience.hpp"
#include "web/archived_issues.hpp"
#include "web/atom.hpp"
#include "web/issue_frame.hpp"
#include "web/pages.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <charconv>
#include <stdexcept>

namespace postrider::web {
namespace {

namespace json = boost::json;

constexpr std::size_t issues_shown = 500;
constexpr std::size_t entries_in_feed = 25;

templates::Program stored_page(storage::Connection& connection, IssueId id) {
    auto program = templates::Program::from_stored(digest::Issues(connection).page(id));
    if (!program) throw std::runtime_error("a frozen issue is broken: " + program.error());
    return std::move(*program);
}

struct Archive {
    subscribers::List list;
    std::vector<digest::Issue> issues;
};

// The archive of a list that is not open is not public: it may have been private.
std::optional<Archive> archive_of(storage::Connection& connection, const std::string& slug, std::size_t limit) {
    auto list = subscribers::Lists(connection).find(slug);
    if (!list || list->state != subscribers::ListState::open) return std::nullopt;
    auto issues = archived_issues(connection, list->id, limit);
    return Archive{std::move(*list), std::move(issues)};
}

std::optional<int> number_in(std::string_view text) {
    int number = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size() || number < 1) return std::nullopt;
    return number;
}

}

Pages::Answer Pages::view(const http::Request& request, const Names& names) {
    auto delivery = tokens_.read_view(names[0]);
    if (!delivery) co_return not_found(request);
    auto read = [&](storage::Connection& connection) -> std::optional<std::string> {
        auto issue = digest::Issues(connection).of_mailing(delivery->mailing);
        if (!issue) return std::nullopt;
        auto program = stored_page(connection, issue->id);
        auto reader = subscribers::read_one(connection, delivery->subscription);
        if (reader.address.empty()) return delivery::for_nobody(program); // erased since

        auto message = delivery::Message::from_text(delivery::Mailings(connection).message(delivery->mailing));
        auto signer = tokens_.signer(message.key());
        delivery::ReaderLinks links;
        links.make(signer ? *signer : tokens_.signer(), site_.url, delivery->mailing, reader);
        return message.page(program, reader, links);
    };
    auto html = co_await database_.read(read);
    if (!html) co_return not_found(request);
    co_return html_answer(200, std::move(*html), std::string(issue_policy));
}

Pages::Answer Pages::archive(const http::Request& request, const Names& names) {
    auto read = [&](storage::Connection& connection) { return archive_of(connection, names[0], issues_shown); };
    auto found = co_await database_.read(read);
    if (!found) co_return not_found(request);

    auto& list = found->list;
    auto words = speaking(list);
    auto dates = words.dates(list.timezone, templates::Dates::Style::full);
    json::array issues;
    for (auto& issue : found->issues)
        issues.push_back(json::object{{"number", words.text("issue_number", {{"number", words.number(*issue.number)}})},
                                      {"subject", issue.subject},
                                      {"date", dates.in_words(*issue.frozen_at)},
                                      {"url", path_of(fmt::format("/archive/{}/{}", list.slug, *issue.number))}});
    auto all = data(words, list.title, list);
    all["join_url"] = path_of("/join/" + list.slug);
    all["feed_url"] = path_of("/archive/" + list.slug + "/feed.xml");
    all["issues"] = std::move(issues);
    co_return page(200, "page_archive.html", all);
}

Pages::Answer Pages::archive_issue(const http::Request& request, const Names& names) {
    auto number = number_in(names[1]);
    if (!number) co_return not_found(request);
    auto read = [&](storage::Connection& connection) -> std::optional<std::string> {
        auto list = subscribers::Lists(connection).find(names[0]);
        if (!list || list->state != subscribers::ListState::open) return std::nullopt;
        auto issue = digest::Issues(connection).find(list->id, *number);
        if (!issue || !is_public(*issue)) return std::nullopt;
        return delivery::for_nobody(stored_page(connection, issue->id));
    };
    auto html = co_await database_.read(read);
    if (!html) co_return not_found(request);
    co_return html_answer(200, framed(*html, "", ""), std::string(issue_policy));
}

Pages::Answer Pages::archive_feed(const http::Request& request, const Names& names) {
    auto read = [&](storage::Connection& connection) { return archive_of(connection, names[0], entries_in_feed); };
    auto found = co_await database_.read(read);
    if (!found) co_return not_found(request);

    auto& list = found->list;
    auto page_url = site_.url + "/archive/" + list.slug;
    auto updated = found->issues.empty() ? list.created_at : *found->issues.front().frozen_at;
    AtomFeed feed{list.title, list.description, site_.name, list.language, page_url + "/feed.xml", page_url, updated};
    std::vector<AtomEntry> entries;
    for (auto& issue : found->issues)
        entries.push_back({issue.subject, fmt::format("{}/{}", page_url, *issue.number), *issue.frozen_at});
    http::Response response{200, {}, atom(feed, entries)};
    response.headers.add("Content-Type", "application/atom+xml; charset=utf-8");
    co_return response;
}

}
