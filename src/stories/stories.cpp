#include "stories/stories.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <array>
#include <unordered_map>

namespace postrider::stories {
namespace {

namespace json = boost::json;

constexpr std::array<std::string_view, 3> state_names = {"new", "held", "hidden"};

constexpr int story_columns = 20;
const std::string selected = "SELECT story.id, story.canonical_url, story.url, story.title, story.byline, "
                             "story.source, story.published_at, story.first_seen_at, "
                             "story.summary, story.html, story.image_url, story.image_width, story.image_height, "
                             "story.image_alt, story.categories, "
                             "story.language, story.state, story.not_before, story.expires_at, story.pinned_at";

Story story_in(const storage::Row& row) {
    Story story;
    story.id = row.get<StoryId>(0);
    story.canonical_url = row.get<std::optional<std::string>>(1);
    story.url = row.text(2);
    story.title = row.text(3);
    story.byline = row.text(4);
    story.source = row.text(5);
    story.published_at = row.get<std::optional<Time>>(6);
    story.first_seen_at = row.get<Time>(7);
    story.summary = row.text(8);
    story.html = row.text(9);
    story.image = {std::string(row.text(10)), row.get<int>(11), row.get<int>(12), std::string(row.text(13))};
    story.categories = json::value_to<std::vector<std::string>>(json::parse(row.text(14)));
    story.language = row.text(15);
    for (std::size_t i = 0; i < state_names.size(); ++i)
        if (row.text(16) == state_names[i]) story.state = StoryState(i);
    story.not_before = row.get<std::optional<Time>>(17);
    story.expires_at = row.get<std::optional<Time>>(18);
    story.pinned_at = row.get<std::optional<Time>>(19);
    return story;
}

}

std::string_view to_text(StoryState state) { return state_names[std::size_t(state)]; }

std::pair<StoryId, bool> Stories::put(const Story& story, Time now) {
    auto categories = json::serialize(json::value_from(story.categories));
    std::optional<StoryId> known;
    if (story.canonical_url)
        known = connection_.value<StoryId>("SELECT id FROM story WHERE canonical_url = $1", *story.canonical_url);
    else if (story.id.number != 0)
        known = story.id;
    if (known) {
        // Only a real change is written: a feed repeats itself every half hour.
        connection_.run(R"sql(
            UPDATE story SET url = $2, title = $3, byline = $4, summary = $5, html = $6, image_url = $7, image_width = $8,
                             image_height = $9, image_alt = $10, categories = $11, language = $12,
                             published_at = coalesce(published_at, $13)
            WHERE id = $1 AND (url <> $2 OR title <> $3 OR byline <> $4 OR summary <> $5 OR html <> $6 OR image_url <> $7 OR
                               image_width <> $8 OR image_height <> $9 OR image_alt <> $10 OR categories <> $11 OR language <> $12))sql",
                        *known, story.url, story.title, story.byline, story.summary, story.html, story.image.url,
                        story.image.width, story.image.height, story.image.alt, categories, story.language,
                        story.published_at);
        return {*known, false};
    }
    auto made =
        connection_.value<StoryId>(R"sql(
        INSERT INTO story (canonical_url, url, title, byline, source, published_at, first_seen_at, summary, html, image_url, image_width,
                           image_height, image_alt, categories, language)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) RETURNING id)sql",
                                   story.canonical_url, story.url, story.title, story.byline, story.source,
                                   story.published_at, now, story.summary, story.html, story.image.url,
                                   story.image.width, story.image.height, story.image.alt, categories, story.language);
    return {made.value(), true};
}

std::optional<StoryId> Stories::of_feed(FeedId feed, std::string_view key) {
    return connection_.value<StoryId>("SELECT story_id FROM story_key WHERE feed_id = $1 AND key = $2", feed, key);
}

void Stories::know_as(FeedId feed, std::string_view key, StoryId story, std::size_t place) {
    connection_.run(R"sql(
        INSERT INTO story_key (feed_id, key, story_id, place) VALUES ($1, $2, $3, $4) ON CONFLICT (feed_id, key) DO NOTHING)sql",
                    feed, key, story, std::int64_t(place));
}

void Stories::stand(ListId list, StoryId story, Standing standing, Time now) {
    std::string_view word = standing == Standing::candidate ? "candidate" : "remembered";
    connection_.run(R"sql(
        INSERT INTO story_list (list_id, story_id, standing, since) VALUES ($1, $2, $3, $4) ON CONFLICT (list_id, story_id) DO NOTHING)sql",
                    list, story, word, now);
}

std::optional<Story> Stories::find(StoryId id) {
    return connection_.first(selected + " FROM story WHERE id = $1", story_in, id);
}

std::vector<Candidate> Stories::of_list(ListId list) {
    struct Origin {
        FeedId feed;
        std::string title;
        int weight;
        std::int64_t place;
    };
    std::unordered_map<StoryId, Origin> origins; // the heaviest first, so that it stays
    connection_.each(
        R"sql(
        SELECT story_key.story_id, feed.id, feed.title, feed.url, feed.weight, story_key.place
        FROM feed_list JOIN feed ON feed.id = feed_list.feed_id JOIN story_key ON story_key.feed_id = feed.id
        WHERE feed_list.list_id = $1 ORDER BY feed.weight DESC, feed.id, story_key.place)sql",
        [&](const storage::Row& row) {
            auto title = row.text(2).empty() ? row.text(3) : row.text(2);
            origins.try_emplace(row.get<StoryId>(0), row.get<FeedId>(1), std::string(title), row.get<int>(4),
                                row.get<std::int64_t>(5));
        },
        list);
    return connection_.all(
        selected + ", story_list.standing, story_list.since FROM story_list JOIN story ON story.id = story_id "
                   "WHERE list_id = $1 ORDER BY since DESC, story.id DESC",
        [&](const storage::Row& row) {
            auto standing = row.text(story_columns) == "candidate" ? Standing::candidate : Standing::remembered;
            Candidate candidate{story_in(row), standing, row.get<Time>(story_columns + 1)};
            if (auto found = origins.find(candidate.story.id); found != origins.end()) {
                candidate.feed = found->second.feed;
                candidate.feed_title = found->second.title;
                candidate.weight = found->second.weight;
                candidate.place = found->second.place;
            }
            return candidate;
        },
        list);
}

bool Stories::set_state(StoryId id, StoryState state) {
    return connection_.run("UPDATE story SET state = $2 WHERE id = $1", id, to_text(state)) == 1;
}

bool Stories::set_embargo(StoryId id, std::optional<Time> not_before) {
    return connection_.run("UPDATE story SET not_before = $2 WHERE id = $1", id, not_before) == 1;
}

bool Stories::set_expiry(StoryId id, std::optional<Time> expires_at) {
    return connection_.run("UPDATE story SET expires_at = $2 WHERE id = $1", id, expires_at) == 1;
}

bool Stories::pin(StoryId id, std::optional<Time> at) {
    return connection_.run("UPDATE story SET pinned_at = $2 WHERE id = $1", id, at) == 1;
}

}
