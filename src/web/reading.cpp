#include "delivery/message.hpp"
#include "digest/issues.hpp"
#include "http/date.hpp"
#include "storage/database.hpp"
#include "subscribers/audience.hpp"
#include "web/issue_feeds.hpp"
#include "web/issue_frame.hpp"
#include "web/pages.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <charconv>
#include <limits>
#include <stdexcept>

namespace postrider::web {
namespace {

namespace json = boost::json;

constexpr std::size_t issues_shown = 50;
constexpr std::size_t entries_in_feed = 25;

templates::Program stored_page(storage::Connection& connection, IssueId id) {
    auto program = templates::Program::from_stored(digest::Issues(connection).page(id));
    if (!program) throw std::runtime_error("a frozen issue is broken: " + program.error());
    return std::move(*program);
}

struct Archive {
    subscribers::List list;
    std::vector<digest::Issue> issues;
    std::vector<std::string> contents; // of the issues, where they were asked for
    std::optional<int> older_than;     // where the next page begins; none: this is the last
};

std::optional<subscribers::List> public_list(storage::Connection& connection, const std::string& slug) {
    auto list = subscribers::Lists(connection).find(slug);
    // The archive of a list that is not open is not public: it may have been private.
    if (list && list->state != subscribers::ListState::open) list.reset();
    return list;
}

enum class With { headings, contents };

std::optional<Archive> archive_of(storage::Connection& connection, const std::string& slug, int before,
                                  std::size_t limit, With with) {
    auto list = public_list(connection, slug);
    if (!list) return std::nullopt;
    digest::Issues all(connection);
    auto issues = all.published(list->id, limit + 1, before);
    Archive archive{std::move(*list), {}, {}, std::nullopt};
    if (issues.size() > limit) {
        issues.resize(limit);
        archive.older_than = issues.back().number;
    }
    for (auto& issue : issues)
        if (with == With::contents) archive.contents.push_back(all.content(issue.id));
    archive.issues = std::move(issues);
    return archive;
}

std::optional<int> number_in(std::string_view text) {
    int number = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size() || number < 1) return std::nullopt;
    return number;
}

// "?before=12": the page with the issues before the twelfth. What cannot be read is the first page.
int page_in(const http::Request& request) {
    auto form = http::parse_urlencoded(request.query);
    auto before = form ? number_in(form->value("before")) : std::nullopt;
    return before.value_or(std::numeric_limits<int>::max());
}

Time last_change(const Archive& archive) {
    return archive.issues.empty() ? archive.list.created_at : *archive.issues.front().frozen_at;
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
    auto before = page_in(request);
    auto read = [&](storage::Connection& connection) {
        return archive_of(connection, names[0], before, issues_shown, With::headings);
    };
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
    all["json_feed_url"] = path_of("/archive/" + list.slug + "/feed.json");
    all["issues"] = std::move(issues);
    if (found->older_than)
        all["older_url"] = path_of(fmt::format("/archive/{}?before={}", list.slug, *found->older_than));
    co_return page(200, "page_archive.html", std::move(all));
}

Pages::Answer Pages::archive_issue(const http::Request& request, const Names& names) {
    auto number = number_in(names[1]);
    if (!number) co_return not_found(request);
    struct Shown {
        subscribers::List list;
        digest::Issue issue;
        std::string html;
        std::optional<int> earlier, later;
    };
    auto read = [&](storage::Connection& connection) -> std::optional<Shown> {
        auto list = public_list(connection, names[0]);
        if (!list) return std::nullopt;
        digest::Issues issues(connection);
        auto issue = issues.find(list->id, *number);
        if (!issue || !digest::is_published(*issue)) return std::nullopt;
        Shown shown{*list, *issue, delivery::for_nobody(stored_page(connection, issue->id)), {}, {}};
        for (auto& one : issues.published(list->id, 1, *number)) shown.earlier = one.number;
        if (auto one = issues.published_after(list->id, *number)) shown.later = one->number;
        return shown;
    };
    auto found = co_await database_.read(read);
    if (!found) co_return not_found(request);

    auto& list = found->list;
    auto all = data(speaking(list), found->issue.subject, list);
    auto url_of = [&](std::optional<int> other) {
        return other ? path_of(fmt::format("/archive/{}/{}", list.slug, *other)) : std::string();
    };
    all["archive_url"] = path_of("/archive/" + list.slug);
    all["join_url"] = path_of("/join/" + list.slug);
    all["earlier_url"] = url_of(found->earlier);
    all["later_url"] = url_of(found->later);
    auto top = templates_.render("page_issue_top.html", all).html;
    auto end = templates_.render("page_issue_end.html", all).html;
    auto response = html_answer(200, framed(found->html, top, end), std::string(issue_policy));
    response.headers.add("Last-Modified", http::http_date(*found->issue.frozen_at));
    auto link = [&](std::string_view format, std::string_view type) {
        return fmt::format("<{}/feed.{}>; rel=\"alternate\"; type=\"application/{}\"", path_of("/archive/" + list.slug),
                           format, type);
    };
    response.headers.add("Link", link("xml", "atom+xml") + ", " + link("json", "feed+json"));
    co_return response;
}

Pages::Answer Pages::archive_feed(const http::Request& request, const Names& names) {
    auto before = page_in(request);
    // What an issue holds may be large: it is taken apart where it is read, and not on the loop.
    auto read = [&](storage::Connection& connection) {
        auto found = archive_of(connection, names[0], before, entries_in_feed, With::contents);
        if (found)
            for (auto& content : found->contents) content = stories_as_html(content);
        return found;
    };
    auto found = co_await database_.read(read);
    if (!found) co_return not_found(request);

    auto& list = found->list;
    bool as_json = request.path.ends_with(".json") || request.path.ends_with(".json/");
    auto page_url = site_.url + "/archive/" + list.slug;
    auto itself = page_url + (as_json ? "/feed.json" : "/feed.xml");
    IssueFeed feed{list.title, list.description, site_.name, list.language, page_url, itself, {}, last_change(*found)};
    if (before != std::numeric_limits<int>::max()) feed.url += fmt::format("?before={}", before);
    if (found->older_than) feed.next_url = fmt::format("{}?before={}", itself, *found->older_than);
    std::vector<FeedEntry> entries;
    for (std::size_t i = 0; i < found->issues.size(); ++i) {
        auto& issue = found->issues[i];
        entries.push_back({issue.subject, fmt::format("{}/{}", page_url, *issue.number), std::move(found->contents[i]),
                           *issue.frozen_at});
    }
    http::Response response{200, {}, as_json ? json_feed(feed, entries) : atom(feed, entries)};
    response.headers.add("Content-Type", as_json ? "application/feed+json" : "application/atom+xml; charset=utf-8");
    response.headers.add("Last-Modified", http::http_date(feed.updated));
    co_return response;
}

}
