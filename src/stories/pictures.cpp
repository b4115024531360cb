#include "stories/pictures.hpp"

#include "storage/connection.hpp"
#include "stories/html_tree.hpp"

#include <algorithm>
#include <set>

namespace postrider::stories {
namespace {

constexpr std::size_t looked_at = 100; // stories
constexpr std::size_t of_one_story = 10;

}

std::vector<std::string> unsized_pictures(std::string_view safe_html, std::size_t most) {
    std::vector<std::string> urls;
    if (safe_html.find("<img") == safe_html.npos) return urls;
    const auto tree = parse_html(safe_html);
    std::vector<const Node*> open{tree.root.get()};
    while (!open.empty() && urls.size() < most) {
        const auto& node = *open.back();
        open.pop_back();
        if (node.is("img") && !(node.has("width") && node.has("height")))
            if (auto url = image_of(node, {}); !url.empty()) urls.push_back(std::move(url));
        for (auto child = node.children.rbegin(); child != node.children.rend(); ++child) open.push_back(&*child);
    }
    return urls;
}

std::vector<std::string> unsized_pictures(std::span<const PicturedStory> stories) {
    std::vector<std::string> wanted;
    for (auto& story : stories) {
        if (!story.picture.empty()) wanted.push_back(story.picture);
        for (auto& inner : unsized_pictures(story.html, of_one_story)) wanted.push_back(std::move(inner));
    }
    return wanted;
}

// What the feed brought last is looked at, however long it is known, and whoever else has candidates.
std::vector<PicturedStory> Pictures::newest(FeedId feed, Time since) {
    auto ids = connection_.all(
        R"sql(
        SELECT newest.story_id FROM
            (SELECT DISTINCT story_id FROM story_key WHERE feed_id = $1 ORDER BY story_id DESC LIMIT $3) AS newest
        WHERE EXISTS (SELECT 1 FROM feed_list JOIN story_list ON story_list.list_id = feed_list.list_id
                      WHERE feed_list.feed_id = $1 AND story_list.story_id = newest.story_id AND
                            story_list.standing = 'candidate' AND story_list.since >= $2)
        ORDER BY newest.story_id DESC)sql",
        [](const storage::Row& row) { return row.get<StoryId>(0); }, feed, since, std::int64_t(looked_at));
    std::vector<PicturedStory> stories;
    for (auto id : ids)
        connection_.each(
            "SELECT image_url, image_width, image_height, html FROM story WHERE id = $1",
            [&](const storage::Row& row) {
                bool sized = row.get<int>(1) > 0 && row.get<int>(2) > 0;
                bool shows_any = row.text(3).find("<img") != std::string_view::npos;
                PicturedStory story{std::string(sized ? "" : row.text(0)), std::string(shows_any ? row.text(3) : "")};
                if (!story.picture.empty() || shows_any) stories.push_back(std::move(story));
            },
            id);
    return stories;
}

std::vector<std::string> Pictures::unread(std::span<const std::string> urls, std::size_t most) {
    std::vector<std::string> unread;
    std::set<std::string_view> seen;
    for (auto& url : urls) {
        if (unread.size() == most) break;
        if (!seen.insert(url).second) continue;
        if (!connection_.value<int>("SELECT 1 FROM picture WHERE url = $1", url)) unread.push_back(url);
    }
    return unread;
}

void Pictures::keep(std::string_view url, std::optional<PictureSize> size, Time now) {
    const auto kept = size.value_or(PictureSize{});
    connection_.run(
        R"sql(INSERT INTO picture (url, width, height, read_at) VALUES ($1, $2, $3, $4)
              ON CONFLICT (url) DO UPDATE SET width = $2, height = $3, read_at = $4)sql",
        url, kept.width, kept.height, now);
}

PictureSizes Pictures::sizes_of(const std::vector<std::string>& urls) {
    PictureSizes sizes;
    for (auto& url : urls)
        connection_.each(
            "SELECT width, height FROM picture WHERE url = $1 AND width > 0",
            [&](const storage::Row& row) { sizes[url] = {row.get<int>(0), row.get<int>(1)}; }, url);
    return sizes;
}

}
