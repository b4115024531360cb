#include "cli/call.hpp"
#include "cli/command.hpp"
#include "cli/story.hpp"
#include "http/fetch_now.hpp"
#include "http/url.hpp"
#include "stories/html.hpp"
#include "stories/limits.hpp"
#include "stories/page.hpp"
#include "stories/page_story.hpp"
#include "stories/stories.hpp"
#include "stories/url.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

namespace postrider::cli {
namespace {

namespace json = boost::json;
using stories::Stories;
using stories::Story;

http::Fetched fetch(Call& call, const std::string& url) {
    http::FetchRequest request{url, "", "", "text/html, application/xhtml+xml;q=0.9, */*;q=0.5"};
    auto fetched = http::fetch_now(std::move(request), call.client_settings());
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

int read(Call& call) {
    auto page = read_page(call, call.argument(0)).page;
    if (call.json()) {
        print_json(call.out, json::object{{"title", json_text(page.title)},
                                          {"byline", json_text(page.byline)},
                                          {"agency", json_text(page.agency)},
                                          {"dateline", json_text(page.dateline)},
                                          {"section", json_text(page.section)},
                                          {"published", json_time(page.published)},
                                          {"updated", json_time(page.updated)},
                                          {"summary", json_text(page.summary)},
                                          {"text", json_text(page.text)},
                                          {"html", json_text(page.html)},
                                          {"image", json_text(page.image)},
                                          {"canonical_url", json_text(page.canonical_url)},
                                          {"site", json_text(page.site)},
                                          {"language", json_text(page.language)}});
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

Story story_of_options(Call& call) {
    Story story;
    story.title = stories::excerpt(call.line("--title"), stories::longest_title);
    story.url = call.text("--url");
    if (story.title.empty()) throw WrongUsage("story add needs a URL, a FILE.html, or --title TITLE with --url URL");
    if (story.url.empty()) throw WrongUsage("--title needs --url URL: where readers find the story");
    if (auto file = call.text_if("--html")) story.html = stories::safe_html(read_file(call, *file), story.url);
    story.summary = stories::excerpt(call.text("--summary"), stories::longest_summary);
    if (story.summary.empty())
        story.summary = stories::excerpt(stories::plain_text(story.html), stories::longest_excerpt);
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
    if (call.has("--title")) story.title = stories::excerpt(call.line("--title"), stories::longest_title);
    if (auto summary = call.text_if("--summary")) story.summary = stories::excerpt(*summary, stories::longest_summary);
    if (call.has("--byline")) story.byline = stories::excerpt(call.line("--byline"), stories::longest_byline);
    if (auto image = call.text_if("--image")) story.image = {picture_of(*image), 0, 0, ""};
    for (auto& category : call.lines("--category")) story.categories.push_back(category);
}

Story story_asked_for(Call& call) {
    if (call.count() == 0) return story_of_options(call);
    auto found = read_page(call, call.argument(0));
    return stories::story_of_page(found.page, found.url);
}

int add(Call& call) {
    auto list = call.list(call.text("--list"));
    auto story = story_asked_for(call);
    read_words(call, story);
    story.not_before = call.time_if("--not-before");
    story.expires_at = call.time_if("--expires");
    if (auto never = why_never_sent(story, call.now); !never.empty()) throw Failure("--expires: " + never);
    auto url = http::Url::parse(story.url);
    if (!url)
        throw Failure(fmt::format("\"{}\" is no address of a story: {}; give it with --url", story.url, url.error()));
    if (story.source.empty()) story.source = url->host();
    story.canonical_url = stories::canonical_url(story.url);

    Stories stories(call.database());
    storage::Transaction transaction(call.database());
    auto [id, is_new] = keep_candidate(stories, list.id, story, call.now);
    if (call.has("--pin")) (void)stories.pin(id, call.now);
    transaction.commit();
    auto kept = stories.find(id).value();
    if (kept.image.url.starts_with("http://"))
        call.note(fmt::format("its picture {} is not shown in mails: only those from https:// are", kept.image.url));
    if (call.json()) {
        auto row = story_json(kept);
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

}

void add_story_adding(Commands& commands) {
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
                         {"--not-before", "TIME", "embargo: 2026-11-24T07:00:00Z"},
                         {"--expires", "TIME", "from then on it goes into no issue"},
                         {"--pin", "", "first in the next issue"},
                         private_addresses,
                         json_option},
                        add});
}

}
