#include "cli/feed.hpp"

#include "cli/call.hpp"
#include "cli/command.hpp"
#include "http/url.hpp"
#include "stories/feed.hpp"
#include "stories/feeds.hpp"
#include "stories/news.hpp"
#include "stories/poll_body.hpp"
#include "stories/poller.hpp"
#include "stories/url.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

namespace postrider::cli {
namespace {

namespace json = boost::json;
using stories::FeedRecord;
using stories::Feeds;
using stories::PollReport;

// --- check ---------------------------------------------------------------------------------------------------------

struct Checked {
    stories::Feed feed;
    std::string url; // where it came from
};

Checked read_feed(Call& call, const std::string& from) {
    if (stories::is_web_address(from)) {
        auto fetched = stories::fetch_feed(from, call.client_settings());
        if (!fetched) throw Failure(fmt::format("{}: {}", http::masked(from), fetched.error()));
        return {std::move(fetched->feed), fetched->answer.final_url};
    }
    auto url = call.text("--url");
    auto feed = stories::parse_feed(read_file(call, from), "", url);
    if (!feed) throw Failure(fmt::format("{}: {}", from, stories::not_a_feed(feed.error())));
    return {std::move(*feed), url};
}

json::object json_of(const std::string& id, const stories::Story& story, std::optional<Time> published) {
    return {{"id", id},
            {"title", story.title},
            {"url", story.url},
            {"byline", story.byline},
            {"published", json_time(published)},
            {"summary", story.summary},
            {"html", story.html},
            {"image", story.image.url},
            {"categories", json::value_from(story.categories)},
            {"language", story.language}};
}

int check(Call& call) {
    auto checked = read_feed(call, call.argument(0));
    // A poll keeps the oldest first, and takes no date for later than now; here the feed is shown as it is.
    std::unordered_map<std::string, std::pair<std::size_t, std::optional<Time>>> places;
    for (std::size_t i = 0; i < checked.feed.items.size(); ++i)
        places.try_emplace(checked.feed.items[i].id, i, checked.feed.items[i].published);
    auto title = checked.feed.title;
    if (checked.feed.cut_off)
        call.note(fmt::format("{}: the document ends in the middle; stories may be missing", call.argument(0)));
    auto news = stories::news_of(std::move(checked.feed), checked.url, call.now);
    std::ranges::sort(news.items, {}, [&](auto& item) { return places.at(item.keys.front()).first; });

    if (call.json()) {
        json::array rows;
        for (auto& item : news.items)
            rows.push_back(json_of(item.keys.front(), item.story, places.at(item.keys.front()).second));
        print_json(call.out, rows);
        return 0;
    }
    call.say(fmt::format("\"{}\": {}{}", title, counted(std::int64_t(news.items.size()), "story", "stories"),
                         news.left_out ? fmt::format(", {} left out", news.left_out) : ""));
    Table table({"PUBLISHED", "TITLE", "URL"});
    for (auto& item : news.items)
        table.row({shown(places.at(item.keys.front()).second), shortened(item.story.title, 60), item.story.url});
    if (!table.empty()) table.print(call.out, call.terminal);
    return 0;
}

// --- kept feeds ----------------------------------------------------------------------------------------------------

json::array slugs_of(Call& call, FeedId feed) {
    json::array slugs;
    subscribers::Lists lists(call.database());
    for (auto id : Feeds(call.database()).lists_of(feed))
        if (auto list = lists.find(id)) slugs.push_back(json::string(list->slug));
    return slugs;
}

int ls(Call& call) {
    Feeds kept(call.database());
    auto slug = call.text_if("--list");
    auto feeds = slug ? kept.of_list(call.list(*slug).id) : kept.all();
    if (call.json()) {
        json::array rows;
        for (auto& feed : feeds) rows.push_back(feed_json(call, feed));
        print_json(call.out, rows);
        return 0;
    }
    if (feeds.empty()) {
        call.say("no feed yet; `postrider feed add URL --list SLUG` adds one");
        return 0;
    }
    Table table({"ID", "STATE", "TITLE", "NEXT POLL", "URL", "TROUBLE"});
    for (auto& feed : feeds)
        table.row({std::to_string(feed.id.number), std::string(to_text(feed.state)), shortened(feed.title, 30),
                   shown(feed.next_poll_at), http::masked(feed.url), feed.last_error});
    table.print(call.out, call.terminal);
    return 0;
}

int show(Call& call) {
    auto feed = feed_of(call);
    if (call.json()) {
        print_json(call.out, feed_json(call, feed));
        return 0;
    }
    Table table({fmt::format("feed {}", feed.id.number), feed.title});
    table.row({"url", http::masked(feed.url)});
    table.row({"state", std::string(to_text(feed.state))});
    std::string lists;
    for (auto& slug : slugs_of(call, feed.id)) lists += (lists.empty() ? "" : ", ") + std::string(slug.as_string());
    table.row({"lists", lists});
    table.row({"every", to_text(feed.every)});
    if (feed.weight != 0) table.row({"weight", std::to_string(feed.weight)});
    if (feed.read_pages) table.row({"full", "the pages of entries that are no more than a title are read"});
    table.row({"next poll", shown(feed.next_poll_at)});
    table.row({"last poll", shown(feed.last_polled_at)});
    table.row({"last success", shown(feed.last_success_at)});
    if (!feed.last_error.empty())
        table.row({"trouble", fmt::format("{} ({} in a row)", feed.last_error, counted(feed.failures, "failure"))});
    if (feed.moved_url)
        table.row({"moves", fmt::format("{} of 3 permanent redirects in a row to {}; the third makes it the address",
                                        feed.moved_times, http::masked(*feed.moved_url))});
    if (feed.new_ids_at)
        table.row(
            {"new ids", fmt::format("{} came under new ids at {}; the same links are no news, and nothing is "
                                    "sent again",
                                    counted(feed.new_ids, "known story", "known stories"), shown(feed.new_ids_at))});
    if (feed.flooded_at)
        table.row({"flood", fmt::format("{} too many at once at {}; remembered, not sent: `postrider story pin ID` "
                                        "sends one all the same",
                                        counted(feed.flooded, "item was", "items were"), shown(feed.flooded_at))});
    table.print(call.out, call.terminal);
    return 0;
}

std::string line_of(const PollReport& report) {
    auto name = fmt::format("feed {} ({})", report.feed.id.number, http::masked(report.feed.url));
    if (report.waits_until)
        return fmt::format("{}: not asked; its server wants to be left alone until {}, --force asks anyway", name,
                           shown(report.waits_until));
    if (report.not_modified) return fmt::format("{}: unchanged", name);
    auto line = fmt::format("{}: {}{}", name, counted(std::int64_t(report.new_stories), "new story", "new stories"),
                            report.remembered ? fmt::format(", {} remembered", report.remembered) : "");
    if (report.pages) line += fmt::format(", {} read", counted(std::int64_t(report.pages), "page"));
    if (report.flooded) line += fmt::format("; {} more were too many at once and are only remembered", report.flooded);
    if (report.new_ids)
        line += fmt::format("; {} came under new ids and are not sent again",
                            counted(std::int64_t(report.new_ids), "known story", "known stories"));
    return line;
}

int poll(Call& call) {
    if (call.count() == 1 && call.has("--all")) throw WrongUsage("feed poll takes an ID or --all, not both");
    std::vector<FeedId> ids;
    if (call.count() == 1)
        ids.push_back(feed_of(call).id);
    else if (call.has("--all")) {
        for (auto& feed : Feeds(call.database()).all())
            if (feed.state == stories::FeedState::active || feed.state == stories::FeedState::failing)
                ids.push_back(feed.id);
    } else
        throw WrongUsage("feed poll needs an ID, or --all");
    auto force = call.has("--force") ? stories::Force::yes : stories::Force::no;
    auto reports = stories::poll_now(call.site().database_url, ids, force, call.site().feeds);
    bool all_well = true;
    json::array rows;
    for (auto& report : reports) {
        if (call.json()) rows.push_back(feed_json(call, report));
        if (!report.error.empty()) {
            all_well = false;
            call.note(
                fmt::format("feed {} ({}): {}", report.feed.id.number, http::masked(report.feed.url), report.error));
        } else if (!call.json())
            call.say(line_of(report));
    }
    if (call.json()) print_json(call.out, rows);
    if (!call.json() && reports.empty()) call.say("no feed is to be polled; `postrider feed ls` shows them");
    return all_well ? 0 : 1;
}

int pause(Call& call) {
    auto feed = feed_of(call);
    (void)Feeds(call.database()).pause(feed.id);
    call.say(fmt::format("feed {0} is paused; `postrider feed resume {0}` goes on", feed.id.number));
    return 0;
}

int resume(Call& call) {
    auto feed = feed_of(call);
    (void)Feeds(call.database()).resume(feed.id, call.now);
    call.say(fmt::format("feed {} is active and due now", feed.id.number));
    return 0;
}

int remove(Call& call) {
    auto feed = feed_of(call);
    (void)Feeds(call.database()).remove(feed.id);
    call.say(fmt::format("feed {} ({}) is removed; its stories stay", feed.id.number, http::masked(feed.url)));
    return 0;
}

}

stories::FeedRecord feed_of(Call& call) {
    auto id = call.id(0, "feed");
    auto feed = Feeds(call.database()).find(FeedId{id});
    if (!feed) throw Failure(fmt::format("there is no feed {}; `postrider feed ls` shows them", id));
    return *std::move(feed);
}

json::object feed_json(Call& call, const FeedRecord& feed) {
    return {{"id", feed.id.number},
            {"url", http::masked(feed.url)},
            {"title", feed.title},
            {"state", to_text(feed.state)},
            {"lists", slugs_of(call, feed.id)},
            {"every", to_text(feed.every)},
            {"next_poll_at", json_time(feed.next_poll_at)},
            {"retry_after_until", json_time(feed.retry_after_until)},
            {"last_polled_at", json_time(feed.last_polled_at)},
            {"last_success_at", json_time(feed.last_success_at)},
            {"failures", feed.failures},
            {"weight", feed.weight},
            {"full", feed.read_pages},
            {"new_ids", feed.new_ids},
            {"new_ids_at", json_time(feed.new_ids_at)},
            {"flooded", feed.flooded},
            {"flooded_at", json_time(feed.flooded_at)},
            {"last_error", json_text(feed.last_error)}};
}

json::object feed_json(Call& call, const PollReport& report) {
    auto row = feed_json(call, report.feed);
    row["new"] = report.new_stories;
    row["remembered"] = report.remembered;
    row["items"] = report.items;
    row["left_out"] = report.left_out;
    row["pages"] = report.pages;
    row["not_modified"] = report.not_modified;
    row["error"] = json_text(report.error);
    row["waits_until"] = json_time(report.waits_until);
    return row;
}

void add_feed(Commands& commands) {
    const Argument id{"ID", "number of the feed, from `postrider feed ls`"};
    commands.push_back({"feed",
                        "check",
                        "Read a feed as a poll would and print its stories; stores nothing.",
                        "feed check https://courier.example/feed.xml",
                        {{"URL|FILE", "address or file of the feed"}},
                        {{"--url", "URL", "where the file came from, for its relative links"},
                         {"--allow-private-addresses", "", "also from this machine and intranets"},
                         json_option},
                        check});
    add_feed_adding(commands);
    commands.push_back(
        {"feed", "ls", "Show all feeds.", "feed ls", {}, {{"--list", "SLUG", "only of this list"}, json_option}, ls});
    commands.push_back({"feed", "show", "Show how a feed is doing.", "feed show 1", {id}, {json_option}, show});
    commands.push_back({"feed",
                        "poll",
                        "Ask feeds for news now, due or not.",
                        "feed poll --all",
                        {{"ID", "number of the feed", Times::maybe}},
                        {{"--all", "", "every feed that is not paused or gone"},
                         {"--force", "", "even while a server wants to be left alone"},
                         json_option},
                        poll});
    commands.push_back({"feed", "pause", "Do not ask a feed until it is resumed.", "feed pause 1", {id}, {}, pause});
    commands.push_back({"feed", "resume", "Ask a feed again.", "feed resume 1", {id}, {}, resume});
    commands.push_back({"feed", "remove", "Forget a feed; its stories stay.", "feed remove 1", {id}, {}, remove});
}

}
