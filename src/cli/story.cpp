#include "cli/call.hpp"
#include "cli/command.hpp"
#include "http/client.hpp"
#include "http/url.hpp"
#include "stories/html.hpp"
#include "stories/page.hpp"
#include "stories/stories.hpp"
#include "stories/url.hpp"
#include "system/curl_loop.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>

#include <unordered_map>

namespace postrider::cli {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;
using stories::Stories;
using stories::Story;
using stories::StoryState;

http::Fetched fetch(Call& call, const std::string& url) {
    auto* site = call.site_if();
    auto settings = site ? site->feeds : http::ClientSettings{};
    if (call.has("--allow-private-addresses")) settings.allow_private_addresses = true;
    asio::io_context context(1);
    system::CurlLoop curl(context.get_executor());
    http::Client client(curl, settings);
    http::FetchResult fetched;
    std::exception_ptr failure;
    http::FetchRequest request{url, "", "", "text/html, application/xhtml+xml;q=0.9, */*;q=0.5"};
    asio::co_spawn(context, client.get(std::move(request)), [&](std::exception_ptr failed, http::FetchResult result) {
        failure = failed;
        fetched = std::move(result);
    });
    context.run();
    if (failure) std::rethrow_exception(failure);
    if (!fetched) throw Failure(fmt::format("{}: {}", url, fetched.error().text));
    if (fetched->status / 100 != 2) throw Failure(fmt::format("{}: the server answers {}", url, fetched->status));
    return *std::move(fetched);
}

struct Found {
    stories::Page page;
    std::string url; // where it came from; may be empty for a file
};

Found read_page(Call& call, const std::string& from) {
    http::Fetched answer;
    answer.final_url = call.text("--url");
    if (stories::is_web_address(from))
        answer = fetch(call, from);
    else
        answer.body = read_file(call, from);
    auto page = stories::read_page(answer.body, answer.content_type, answer.final_url);
    if (!page) throw Failure(fmt::format("{}: {}", from, page.error().reason));
    return {std::move(*page), answer.final_url};
}

json::value text_or_null(const std::string& text) { return text.empty() ? json::value() : json::value(text); }

int read(Call& call) {
    auto page = read_page(call, call.argument(0)).page;
    if (call.json()) {
        print_json(call.out, json::object{{"title", text_or_null(page.title)},
                                          {"byline", text_or_null(page.byline)},
                                          {"agency", text_or_null(page.agency)},
                                          {"dateline", text_or_null(page.dateline)},
                                          {"section", text_or_null(page.section)},
                                          {"published", json_time(page.published)},
                                          {"updated", json_time(page.updated)},
                                          {"summary", text_or_null(page.summary)},
                                          {"text", text_or_null(page.text)},
                                          {"html", text_or_null(page.html)},
                                          {"image", text_or_null(page.image)},
                                          {"canonical_url", text_or_null(page.canonical_url)},
                                          {"site", text_or_null(page.site)},
                                          {"language", text_or_null(page.language)}});
        return 0;
    }
    call.say(page.title);
    auto fact = [&](std::string_view name, const std::string& value) {
        if (!value.empty()) call.say(fmt::format("{}: {}", name, value));
    };
    fact("byline", page.byline);
    fact("agency", page.agency);
    fact("dateline", page.dateline);
    fact("section", page.section);
    if (page.published) fact("published", shown(page.published));
    if (page.updated) fact("updated", shown(page.updated));
    fact("image", page.image);
    fact("address", page.canonical_url);
    fact("site", page.site);
    fact("language", page.language);
    call.say("");
    call.say(page.text);
    return 0;
}

Story story_of_page(const Found& found) {
    auto& page = found.page;
    Story story;
    story.url = page.canonical_url.empty() ? found.url : page.canonical_url;
    story.title = stories::excerpt(page.title, 300);
    story.byline = stories::excerpt(page.byline.empty() ? page.agency : page.byline, 200);
    story.source = page.site;
    story.published_at = page.published;
    story.summary = stories::excerpt(page.summary, 500);
    story.html = page.html;
    story.image.url = page.image;
    if (!page.section.empty()) story.categories.push_back(page.section);
    story.language = page.language;
    return story;
}

Story story_of_options(Call& call) {
    Story story;
    story.title = stories::excerpt(call.text("--title"), 300);
    story.url = call.text("--url");
    if (story.title.empty()) throw WrongUsage("story add needs a URL, a FILE.html, or --title TITLE with --url URL");
    if (story.url.empty()) throw WrongUsage("--title needs --url URL: where readers find the story");
    if (auto file = call.text_if("--html")) story.html = stories::safe_html(read_file(call, *file), story.url);
    story.summary = stories::excerpt(call.text("--summary"), 500);
    if (story.summary.empty()) story.summary = stories::excerpt(stories::plain_text(story.html), 300);
    return story;
}

std::string picture_of(const std::string& address) {
    auto url = http::Url::parse(address);
    if (url) return address;
    throw WrongUsage(fmt::format("--image \"{}\" is no address of a picture: {}; write it as "
                                 "https://courier.example/ship.jpg",
                                 address, url.error()));
}

void read_words(Call& call, Story& story) {
    if (auto title = call.text_if("--title")) story.title = stories::excerpt(*title, 300);
    if (auto summary = call.text_if("--summary")) story.summary = stories::excerpt(*summary, 500);
    if (auto byline = call.text_if("--byline")) story.byline = stories::excerpt(*byline, 200);
    if (auto image = call.text_if("--image")) story.image = {picture_of(*image), 0, 0, ""};
    for (auto& category : call.texts("--category")) story.categories.push_back(category);
}

json::object json_of(const Story& story) {
    json::array categories;
    for (auto& one : story.categories) categories.push_back(json::string(one));
    return {{"id", story.id.number},
            {"title", story.title},
            {"url", story.url},
            {"state", to_text(story.state)},
            {"byline", story.byline},
            {"source", story.source},
            {"published", json_time(story.published_at)},
            {"first_seen", json_time(story.first_seen_at)},
            {"summary", story.summary},
            {"image", story.image.url},
            {"categories", std::move(categories)},
            {"language", story.language}};
}

int add(Call& call) {
    auto list = call.list(call.text("--list"));
    auto story = call.count() == 1 ? story_of_page(read_page(call, call.argument(0))) : story_of_options(call);
    read_words(call, story);
    auto url = http::Url::parse(story.url);
    if (!url)
        throw Failure(fmt::format("\"{}\" is no address of a story: {}; give it with --url", story.url, url.error()));
    if (story.source.empty()) story.source = url->host();
    story.canonical_url = stories::canonical_url(story.url);

    Stories stories(call.database());
    storage::Transaction transaction(call.database());
    auto [id, is_new] = stories.put(story, call.now);
    stories.stand(list.id, id, stories::Standing::candidate, call.now);
    transaction.commit();
    auto kept = stories.find(id).value();
    if (kept.image.url.starts_with("http://"))
        call.note(fmt::format("its picture {} is not shown in mails: only those from https:// are", kept.image.url));
    if (call.json()) {
        auto row = json_of(kept);
        row["list"] = list.slug;
        row["new"] = is_new;
        print_json(call.out, row);
        return 0;
    }
    call.say(is_new ? fmt::format("story {} is a candidate of {}: {}", id.number, list.slug, kept.title)
                    : fmt::format("story {} was known already, and has the new words: {}; `postrider issue explain {}` "
                                  "says whether it goes out",
                                  id.number, kept.title, list.slug));
    return 0;
}

int ls(Call& call) {
    auto list = call.list(call.text("--list"));
    auto considered = digest::Issues(call.database()).considered(list.id);
    if (call.json()) {
        json::array rows;
        for (auto& one : considered) {
            auto row = json_of(one.candidate.story);
            row["standing"] = one.candidate.standing == stories::Standing::candidate ? "candidate" : "remembered";
            row["number"] = one.issue && *one.issue > 0 ? json::value(*one.issue) : json::value();
            rows.push_back(std::move(row));
        }
        print_json(call.out, rows);
        return 0;
    }
    if (considered.empty()) {
        call.say(fmt::format("{0} has no stories yet; `postrider feed add URL --list {0}` brings some", list.slug));
        return 0;
    }
    Table table({"ID", "STATE", "FIRST SEEN", "ISSUE", "TITLE"});
    for (auto& one : considered) {
        auto& story = one.candidate.story;
        auto issue = !one.issue        ? (one.candidate.standing == stories::Standing::candidate ? "" : "remembered")
                     : *one.issue == 0 ? "draft"
                                       : std::to_string(*one.issue);
        table.row({std::to_string(story.id.number), std::string(to_text(story.state)), shown(story.first_seen_at),
                   issue, shortened(story.title, 70)});
    }
    table.print(call.out, call.terminal);
    return 0;
}

Story story_of(Call& call) {
    auto id = call.id(0, "story");
    auto story = Stories(call.database()).find(StoryId{id});
    if (!story) throw Failure(fmt::format("there is no story {}; `postrider story ls --list SLUG` shows them", id));
    return *std::move(story);
}

int show(Call& call) {
    auto story = story_of(call);
    if (call.json()) {
        auto row = json_of(story);
        row["html"] = story.html;
        print_json(call.out, row);
        return 0;
    }
    Table table({fmt::format("story {}", story.id.number), story.title});
    table.row({"state", std::string(to_text(story.state))});
    table.row({"url", story.url});
    if (!story.byline.empty()) table.row({"byline", story.byline});
    table.row({"source", story.source});
    table.row({"published", shown(story.published_at)});
    table.row({"first seen", shown(story.first_seen_at)});
    if (!story.image.url.empty()) table.row({"image", story.image.url});
    table.print(call.out, call.terminal);
    call.say("");
    call.say(story.summary);
    return 0;
}

auto putting(StoryState state, std::string_view words) {
    return [state, words](Call& call) {
        auto story = story_of(call);
        (void)Stories(call.database()).set_state(story.id, state);
        call.say(fmt::format("story {} {}: {}", story.id.number, words, story.title));
        return 0;
    };
}

}

void add_story(Commands& commands) {
    const Argument id{"ID", "number of the story, from `postrider story ls`"};
    const Option private_addresses{"--allow-private-addresses", "", "also from this machine and intranets"};
    commands.push_back({"story",
                        "read",
                        "Show what would be taken from a page; stores nothing.",
                        "story read https://courier.example/2026/ship.html",
                        {{"URL|FILE", "address or file of the page"}},
                        {{"--url", "URL", "where the file came from"}, private_addresses, json_option},
                        read});
    commands.push_back({"story",
                        "add",
                        "Make a page, or your own words, a candidate for a list's next issue.",
                        "story add --title \"The ship came in\" --url https://courier.example/ship --list daily",
                        {{"URL|FILE", "the page, or a file of it", Times::maybe}},
                        {{"--list", "SLUG", "the list", Times::once},
                         {"--title", "TITLE", "headline"},
                         {"--url", "URL", "where readers find it"},
                         {"--summary", "TEXT", "what it says, in a few sentences"},
                         {"--html", "FILE", "its whole text"},
                         {"--byline", "NAME", "who wrote it"},
                         {"--image", "URL", "its picture"},
                         {"--category", "NAME", "its topic; may come several times", Times::any},
                         private_addresses,
                         json_option},
                        add});
    commands.push_back({"story",
                        "ls",
                        "Show the stories of a list, newest first.",
                        "story ls --list daily",
                        {},
                        {{"--list", "SLUG", "the list", Times::once}, json_option},
                        ls});
    commands.push_back({"story", "show", "Show a story.", "story show 12", {id}, {json_option}, show});
    commands.push_back({"story",
                        "hold",
                        "Keep a story out of issues until it is released.",
                        "story hold 12",
                        {id},
                        {},
                        putting(StoryState::held, "is held back until it is released")});
    commands.push_back({"story",
                        "release",
                        "Let a story that was held or hidden into issues again.",
                        "story release 12",
                        {id},
                        {},
                        putting(StoryState::new_, "may go into issues")});
    commands.push_back({"story",
                        "hide",
                        "Keep a story out of issues for good.",
                        "story hide 12",
                        {id},
                        {},
                        putting(StoryState::hidden, "stays out of issues")});
}

}
