#include "cli/call.hpp"
#include "cli/story.hpp"
#include "http/url.hpp"
#include "stories/html.hpp"
#include "stories/limits.hpp"
#include "stories/url.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <array>

namespace postrider::cli {
namespace {

namespace json = boost::json;
using stories::Stories;
using stories::Story;

struct Line {
    int number;
    Story story;
};
struct Refusal {
    int line;
    std::string reason;
};

constexpr std::array<std::string_view, 12> keys = {"title",    "url",        "summary", "html",
                                                   "byline",   "source",     "image",   "published",
                                                   "language", "categories", "expires", "not_before"};

struct Unfit {
    std::string reason;
};

std::string text(const json::object& row, std::string_view key) {
    auto* value = row.if_contains(key);
    if (!value || value->is_null()) return {};
    if (!value->is_string()) throw Unfit{fmt::format("\"{}\" is no text", key)};
    return std::string(value->as_string());
}

std::optional<Time> time(const json::object& row, std::string_view key) {
    auto written = text(row, key);
    if (written.empty()) return std::nullopt;
    auto parsed = parse_rfc3339(written);
    if (!parsed) throw Unfit{fmt::format("\"{}\" is no time; write it as 2026-11-24T07:00:00Z", key)};
    return parsed;
}

std::vector<std::string> categories(const json::object& row) {
    std::vector<std::string> names;
    auto* value = row.if_contains("categories");
    if (!value || value->is_null()) return names;
    if (!value->is_array()) throw Unfit{"\"categories\" is no array"};
    for (auto& one : value->as_array()) {
        if (!one.is_string()) throw Unfit{"\"categories\" holds what is no text"};
        if (names.size() < 50) names.push_back(stories::excerpt(std::string_view(one.as_string()), 100));
    }
    return names;
}

Story story_of(const json::object& row, Time now) {
    for (auto& [key, unused] : row)
        if (std::ranges::find(keys, std::string_view(key)) == keys.end())
            throw Unfit{fmt::format("\"{}\" is no property of a story", std::string_view(key))};
    Story story;
    story.url = text(row, "url");
    auto url = http::Url::parse(story.url);
    if (!url) throw Unfit{story.url.empty() ? "has no \"url\"" : fmt::format("\"url\": {}", url.error())};
    story.canonical_url = stories::canonical_url(story.url);
    story.title = stories::excerpt(text(row, "title"), stories::longest_title);
    if (story.title.empty()) throw Unfit{"has no \"title\""};
    story.html = stories::safe_html(text(row, "html"), story.url);
    story.summary = stories::excerpt(text(row, "summary"), stories::longest_summary);
    if (story.summary.empty())
        story.summary = stories::excerpt(stories::plain_text(story.html), stories::longest_excerpt);
    story.byline = stories::excerpt(text(row, "byline"), stories::longest_byline);
    story.source = stories::excerpt(text(row, "source"), stories::longest_title);
    if (story.source.empty()) story.source = url->host();
    story.image.url = text(row, "image");
    if (!story.image.url.empty() && !http::Url::parse(story.image.url))
        throw Unfit{"\"image\" is no address of a picture"};
    story.language = text(row, "language").substr(0, 35);
    story.categories = categories(row);
    if (auto published = time(row, "published")) story.published_at = std::min(*published, now);
    story.not_before = time(row, "not_before");
    story.expires_at = time(row, "expires");
    if (auto never = why_never_sent(story, now); !never.empty()) throw Unfit{"\"expires\": " + never};
    return story;
}

std::pair<std::vector<Line>, std::vector<Refusal>> read_lines(std::string_view file, Time now) {
    std::vector<Line> lines;
    std::vector<Refusal> refused;
    for (int number = 1; !file.empty(); ++number) {
        auto end = std::min(file.find('\n'), file.size());
        auto line = file.substr(0, end);
        file.remove_prefix(std::min(end + 1, file.size()));
        if (line.find_first_not_of(" \t\r") == line.npos) continue;
        boost::system::error_code error;
        auto value = json::parse(line, error);
        try {
            if (error || !value.is_object()) throw Unfit{"is no JSON object"};
            lines.push_back({number, story_of(value.as_object(), now)});
        } catch (const Unfit& unfit) {
            refused.push_back({number, unfit.reason});
        }
    }
    return {std::move(lines), std::move(refused)};
}

int import_stories(Call& call) {
    auto list = call.list(call.text("--list"));
    auto [lines, refused] = read_lines(read_file(call, call.argument(0)), call.now);
    std::size_t added = 0, known = 0;
    storage::Transaction transaction(call.database()); // undone at the end of a dry run
    Stories stories(call.database());
    for (auto& line : lines) {
        auto is_new = keep_candidate(stories, list.id, line.story, call.now).second;
        ++(is_new ? added : known);
    }
    if (!call.has("--dry-run")) transaction.commit();
    if (call.json()) {
        json::array rejections;
        for (auto& one : refused) rejections.push_back(json::object{{"line", one.line}, {"reason", one.reason}});
        print_json(call.out, json::object{{"rows", lines.size() + refused.size()},
                                          {"new", added},
                                          {"known", known},
                                          {"rejected", refused.size()},
                                          {"rejections", std::move(rejections)}});
        return refused.empty() ? 0 : 1;
    }
    for (auto& one : refused) call.note(fmt::format("{}:{}: {}", call.argument(0), one.line, one.reason));
    call.say(fmt::format("{} new, {} known, {} refused{}", counted(std::int64_t(added), "story", "stories"), known,
                         refused.size(), call.has("--dry-run") ? "; nothing was stored" : ""));
    return refused.empty() ? 0 : 1;
}

}

void add_story_import(Commands& commands) {
    commands.push_back({"story",
                        "import",
                        "Make many stories candidates: JSON Lines, one object a story, with title, url, and as you "
                        "like summary, html, byline, source, image, published, language, categories, not_before, "
                        "expires.",
                        "story import stories.jsonl --list daily --dry-run",
                        {{"FILE", "JSON Lines; - reads standard input"}},
                        {{"--list", "SLUG", "the list", Times::once},
                         {"--dry-run", "", "say what would be stored, store nothing"},
                         json_option},
                        import_stories});
}

}
