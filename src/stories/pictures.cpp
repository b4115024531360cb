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

std::vector<std::string> Pictures::unread(FeedId feed, Time since, std::size_t most) {
    std::vector<std::string> wanted;
    connection_.each(
        R"sql(
        SELECT DISTINCT story.id, story.image_url, story.image_width, story.image_height, story.html, story_list.since
        FROM story_key
        JOIN story ON story.id = story_key.story_id
        JOIN story_list ON story_list.story_id = story.id
        WHERE story_key.feed_id = $1 AND story_list.standing = 'candidate' AND story_list.since >= $2
        ORDER BY story_list.since DESC, story.id DESC LIMIT $3)sql",
        [&](const storage::Row& row) {
            auto url = std::string(row.text(1));
            if (!url.empty() && (row.get<int>(2) == 0 || row.get<int>(3) == 0)) wanted.push_back(std::move(url));
            for (auto& inner : unsized_pictures(row.text(4), of_one_story)) wanted.push_back(std::move(inner));
        },
        feed, since, std::int64_t(looked_at));
    std::vector<std::string> unread;
    std::set<std::string_view> seen;
    for (auto& url : wanted) {
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
