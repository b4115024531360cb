#include "cli/call.hpp"
#include "cli/feed.hpp"
#include "cli/new_file.hpp"
#include "http/url.hpp"
#include "stories/feeds.hpp"
#include "stories/opml.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>

namespace postrider::cli {
namespace {

namespace json = boost::json;
using stories::Feeds;
using stories::FoundFeed;
using stories::PollReport;

constexpr std::int64_t heaviest = 1'000'000;

Duration interval(Call& call) {
    auto every = call.duration_if("--every").value_or(call.site().feed_every);
    if (every < 1min) throw WrongUsage("--every: no publisher likes to be asked more than once a minute");
    return every;
}

// --- add -----------------------------------------------------------------------------------------------------------

json::array json_of(const std::vector<FoundFeed>& found) {
    json::array rows;
    for (auto& one : found) rows.push_back(json::object{{"title", one.title}, {"url", http::masked(one.url)}});
    return rows;
}

// Asked on a terminal; anywhere else the operator reads the offers and names one.
std::optional<std::string> chosen(Call& call, const std::vector<FoundFeed>& offers) {
    if (!call.terminal.in || call.json()) return std::nullopt;
    call.err << fmt::format("Which one? [1-{}, or nothing] ", offers.size()) << std::flush;
    std::string answer;
    std::getline(call.in, answer);
    auto number = whole_number(answer);
    if (!number || *number < 1 || *number > std::ssize(offers)) return std::nullopt;
    return offers[std::size_t(*number) - 1].url;
}

std::string offer(Call& call, const std::string& page, const std::vector<FoundFeed>& offers) {
    if (call.json())
        print_json(call.out, json::object{{"declared", json_of(offers)}});
    else {
        Table table({"", "TITLE", "URL"});
        for (std::size_t i = 0; i < offers.size(); ++i)
            table.row({std::to_string(i + 1), shortened(offers[i].title, 50), http::masked(offers[i].url)});
        table.print(call.out, call.terminal);
    }
    if (auto url = chosen(call, offers)) return *url;
    throw Failure(fmt::format("{}: is a page that declares {} feeds; name one of them to `postrider feed add`",
                              http::masked(page), offers.size()));
}

// Fetches the address, and where it is a page, the feed that the page declares.
PollReport fetched(Call& call, stories::NewFeed wanted) {
    auto& site = call.site();
    const auto asked_for = wanted.url;
    auto report = stories::add_feed(site.database_url, wanted, site.feeds);
    if (report.error.empty()) return report;
    auto [declared, guessed] = report.found;
    if (!declared.empty()) {
        wanted.url = declared.size() == 1 ? declared.front().url : offer(call, asked_for, declared);
        auto declared_one = stories::add_feed(site.database_url, wanted, site.feeds);
        if (!declared_one.error.empty())
            throw Failure(fmt::format("{}: declares the feed {}: {}", http::masked(asked_for), http::masked(wanted.url),
                                      declared_one.error));
        return declared_one;
    }
    for (auto& one : guessed) {
        wanted.url = one.url;
        auto lucky = stories::add_feed(site.database_url, wanted, site.feeds);
        if (lucky.error.empty() || lucky.feed.id.number != 0) return lucky;
    }
    if (!guessed.empty())
        report.error += ", it declares none, and there is none at the usual places; `postrider story add` takes a "
                        "single page";
    throw Failure(fmt::format("{}: {}", http::masked(asked_for), report.error));
}

int add(Call& call) {
    auto list = call.list(call.text("--list"));
    stories::NewFeed wanted{call.argument(0), list.id, interval(call),
                            int(call.number_if("--catch-up", 0, 1'000'000).value_or(0))};
    if (call.has("--full")) wanted.read_pages = true;
    if (auto weight = call.number_if("--weight", -heaviest, heaviest)) wanted.weight = int(*weight);
    if (auto url = http::Url::parse(wanted.url); !url)
        throw Failure(fmt::format("{}: {}", http::masked(wanted.url), url.error()));
    (void)call.database(); // up to date before the poller opens it
    auto report = fetched(call, wanted);
    if (!report.error.empty()) throw Failure(fmt::format("{}: {}", http::masked(report.feed.url), report.error));
    if (call.json()) {
        print_json(call.out, feed_json(call, report));
        return 0;
    }
    if (auto url = http::Url::parse(wanted.url); url && url->text() != report.feed.url)
        call.say(fmt::format("found the feed {}", http::masked(report.feed.url)));
    call.say(fmt::format("feed {} \"{}\" serves {}: {} remembered, which are not sent; {} for the next issue",
                         report.feed.id.number, report.feed.title, list.slug,
                         counted(std::int64_t(report.remembered), "story", "stories"), report.new_stories));
    return 0;
}

int edit(Call& call) {
    auto feed = feed_of(call);
    Feeds feeds(call.database());
    if (call.has("--every")) (void)feeds.set_every(feed.id, interval(call));
    if (auto weight = call.number_if("--weight", -heaviest, heaviest)) (void)feeds.set_weight(feed.id, int(*weight));
    if (auto full = call.yes_or_no_if("--full")) (void)feeds.set_read_pages(feed.id, *full);
    auto edited = feeds.find(feed.id).value();
    if (call.json())
        print_json(call.out, feed_json(call, edited));
    else
        call.say(fmt::format("feed {} is asked every {}; its weight is {}; the pages of bare titles are {}read",
                             edited.id.number, to_text(edited.every), edited.weight, edited.read_pages ? "" : "not "));
    return 0;
}

// --- OPML ----------------------------------------------------------------------------------------------------------

struct Import {
    std::size_t added = 0, given = 0, known = 0;
};

Import keep(Call& call, stories::Opml& opml) {
    auto list = call.list(call.text("--list"));
    auto every = interval(call);
    auto catch_up = int(call.number_if("--catch-up", 0, 1'000'000).value_or(0));
    Import import;
    std::vector<stories::OpmlFeed> taken;
    std::size_t next = 0;
    while (next < opml.feeds.size()) { // a daemon beside us waits for no more than a piece of it
        storage::Transaction transaction(call.database());
        for (auto until = std::min(next + 500, opml.feeds.size()); next < until; ++next) {
            auto& feed = opml.feeds[next];
            auto url = http::Url::parse(feed.url);
            if (!url) {
                opml.refused.push_back({feed.url, url.error()});
                continue;
            }
            auto added = Feeds(call.database()).add(url->text(), list.id, every, catch_up, call.now);
            ++(added.new_feed ? import.added : added.new_for_list ? import.given : import.known);
            taken.push_back(feed);
        }
        transaction.commit();
    }
    opml.feeds = std::move(taken);
    return import;
}

// What the file holds and is not imported; what is named twice is.
std::size_t missing_from(const stories::Opml& opml) { return opml.refused.size() + opml.left_out + opml.too_deep; }

void note_what_is_missing(Call& call, const stories::Opml& opml) {
    for (auto& one : opml.refused) call.note(fmt::format("{}: {}", http::masked(one.url), one.reason));
    if (opml.left_out) call.note(fmt::format("{} more feeds are left out: 20,000 are taken at once", opml.left_out));
    if (opml.too_deep)
        call.note(fmt::format("{} nested deeper than 200 folders and left out",
                              counted(std::int64_t(opml.too_deep), "element is", "elements are")));
    if (auto missing = missing_from(opml); missing > 0)
        call.note(fmt::format("{}: {} of it not imported", call.argument(0),
                              counted(std::int64_t(missing), "entry is", "entries are")));
}

int import_opml(Call& call) {
    const bool dry_run = call.has("--dry-run");
    if (!dry_run && !call.has("--list")) throw WrongUsage("feed import needs --list SLUG, or --dry-run");
    auto opml = stories::parse_opml(read_file(call, call.argument(0)));
    if (!opml) throw Failure(fmt::format("{}: this is {}", call.argument(0), opml.error().what));
    if (opml->cut_off)
        throw Failure(
            fmt::format("{}: ends in the middle, after {}; nothing was stored. Get the whole file, or close its "
                        "last tags by hand if you want no more than these",
                        call.argument(0), counted(std::int64_t(opml->feeds.size()), "feed")));
    Import import;
    if (!dry_run) import = keep(call, *opml);
    const int status = missing_from(*opml) == 0 ? 0 : 1;
    if (call.json()) {
        json::array feeds, refused;
        for (auto& feed : opml->feeds)
            feeds.push_back(json::object{{"title", feed.title}, {"url", http::masked(feed.url)}});
        for (auto& one : opml->refused)
            refused.push_back(json::object{{"url", http::masked(one.url)}, {"reason", one.reason}});
        print_json(call.out, json::object{{"feeds", std::move(feeds)},
                                          {"new", import.added},
                                          {"given", import.given},
                                          {"unchanged", import.known},
                                          {"repeated", opml->repeated},
                                          {"left_out", opml->left_out},
                                          {"too_deep", opml->too_deep},
                                          {"refused", std::move(refused)}});
        return status;
    }
    note_what_is_missing(call, *opml);
    if (dry_run) {
        Table table({"TITLE", "URL"});
        for (auto& feed : opml->feeds) table.row({shortened(feed.title, 50), http::masked(feed.url)});
        if (!table.empty()) table.print(call.out, call.terminal);
        call.say(fmt::format("{}; nothing was stored", counted(std::int64_t(opml->feeds.size()), "feed")));
        return status;
    }
    call.say(fmt::format("{} new, {} known and now of {} too, {} unchanged; a running daemon asks them, or `postrider "
                         "feed poll --all`; what they hold then is remembered, not sent",
                         counted(std::int64_t(import.added), "feed"), import.given, call.text("--list"), import.known));
    return status;
}

int export_opml(Call& call) {
    Feeds feeds(call.database());
    std::vector<stories::FeedRecord> kept;
    auto title = call.site().words.name;
    if (auto slug = call.text_if("--list")) {
        auto list = call.list(*slug);
        title = list.title;
        kept = feeds.of_list(list.id);
    } else
        kept = feeds.all();
    std::vector<stories::OpmlFeed> rows;
    for (auto& feed : kept) {
        if (feed.state == stories::FeedState::gone) continue;
        auto address = call.has("--passwords") ? feed.url : http::without_login(feed.url);
        if (address != feed.url)
            call.note(
                fmt::format("feed {}: its user and password are left out; --passwords keeps them", feed.id.number));
        rows.push_back({feed.title, std::move(address), ""});
    }
    auto text = stories::write_opml(title, rows, call.now);
    if (auto file = call.text_if("--output")) {
        NewFile out(*file, call.has("--force") ? NewFile::Existing::replace : NewFile::Existing::refuse);
        out.stream() << text;
        out.finish();
    } else
        call.out << text;
    return 0;
}

}

void add_feed_adding(Commands& commands) {
    const Option every{"--every", "DURATION", "how often it is asked; left out: the site's"};
    const Option weight{"--weight", "N", "heavier feeds go first where a list is ordered by weight; at first 0"};
    commands.push_back({"feed",
                        "add",
                        "Let a feed serve a list; fetches it at once. Of a page, the feed that it declares.",
                        "feed add https://courier.example/feed.xml --list daily",
                        {{"URL", "address of the feed, or of a page of its site"}},
                        {{"--list", "SLUG", "the list", Times::once},
                         every,
                         {"--catch-up", "N", "the newest N of the items that are there already may be sent"},
                         {"--full", "", "read the pages of entries that are no more than a title"},
                         weight,
                         json_option},
                        add});
    commands.push_back(
        {"feed",
         "edit",
         "Change how a feed is asked and read; what is not named stays.",
         "feed edit 1 --weight 10",
         {{"ID", "number of the feed, from `postrider feed ls`"}},
         {every, weight, {"--full", "yes|no", "read the pages of entries that are no more than a title"}, json_option},
         edit});
    commands.push_back({"feed",
                        "import",
                        "Let all feeds of an OPML file serve a list; they are fetched when the daemon comes to them.",
                        "feed import feeds.opml --list daily",
                        {{"FILE", "the OPML file; - reads standard input"}},
                        {{"--list", "SLUG", "the list"},
                         every,
                         {"--catch-up", "N", "the newest N of the items of each may be sent"},
                         {"--dry-run", "", "show what the file holds, store nothing"},
                         json_option},
                        import_opml});
    commands.push_back(
        {"feed",
         "export",
         "Write all feeds as OPML, for any other program.",
         "feed export --output feeds.opml",
         {},
         {{"--list", "SLUG", "only of this list"},
          {"--output", "FILE", "a new file; left out: standard output"},
          {"--passwords", "", "with the user and password in a feed's address, which are left out otherwise"},
          {"--force", "", "replace a file that is there"}},
         export_opml});
}

}
