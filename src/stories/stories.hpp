#pragma once

#include "storage/ids.hpp"
#include "stories/feed.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// The stories a site knows, and for which lists each is a candidate.
//
// In:     items of feeds, pages, the operator's own words.
// Out:    one story per canonical address (or per feed and id, where an item has no address); candidates for digest/.
// Always: a story that is seen again is the same story, with its newest words; it is never a candidate twice. Its HTML
// is safe: it
//         went through safe_html() on its way in. This room alone writes story, story_key, story_list, feed and
//         feed_list.

namespace postrider::stories {

enum class StoryState { new_, held, hidden };
[[nodiscard]] std::string_view to_text(StoryState);

struct Story {
    StoryId id;
    std::optional<std::string> canonical_url;
    std::string url, title, byline, source;
    std::optional<Time> published_at;
    Time first_seen_at;
    std::string summary; // plain text
    std::string html;    // safe
    Image image;
    std::vector<std::string> categories;
    std::string language;
    StoryState state = StoryState::new_;
    std::optional<Time> not_before; // embargo
    std::optional<Time> expires_at; // of no use to readers from then on
    std::optional<Time> pinned_at;  // first in the next issue of each of its lists
};

enum class Standing { candidate, remembered };

// A story as a list sees it.
struct Candidate {
    Story story;
    Standing standing;
    Time since; // first seen for this list
    // Of the feed through which the list has it, the heaviest of several; none for one that was added by hand.
    std::optional<FeedId> feed = {};
    std::string feed_title = {};
    int weight = 0;
    std::int64_t place = 0; // in that feed when it was first seen there, 0 for the top
};

class Stories {
public:
    explicit Stories(storage::Connection& connection) : connection_(connection) {}

    // Finds the story by its canonical address, or makes it. Known stories get the new words; first_seen_at and state
    // stay. `story.id` is not looked at. The result's bool: it was new.
    std::pair<StoryId, bool> put(const Story& story, Time now);
    // The story an id of a feed stands for.
    [[nodiscard]] std::optional<StoryId> of_feed(FeedId feed, std::string_view key);
    void know_as(FeedId feed, std::string_view key, StoryId story, std::size_t place = 0);

    // Makes the story a candidate of the list, or remembers it. One that already stands there keeps its standing.
    void stand(ListId list, StoryId story, Standing standing, Time now);

    [[nodiscard]] std::optional<Story> find(StoryId id);
    // Newest first seen first.
    [[nodiscard]] std::vector<Candidate> of_list(ListId list);
    // False when there is no such story.
    bool set_state(StoryId id, StoryState state);
    bool set_embargo(StoryId id, std::optional<Time> not_before);
    bool set_expiry(StoryId id, std::optional<Time> expires_at);
    bool pin(StoryId id, std::optional<Time> at); // none: no longer

private:
    storage::Connection& connection_;
};

}
