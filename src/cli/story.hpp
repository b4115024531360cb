#pragma once

#include "cli/command.hpp"
#include "stories/stories.hpp"

#include <boost/json/fwd.hpp>

// What the commands about stories share.

namespace postrider::cli {

[[nodiscard]] boost::json::object story_json(const stories::Story&);
// Why its embargo and its expiry keep it out of every issue; empty: they do not.
[[nodiscard]] std::string why_never_sent(const stories::Story&, Time now);
// With its embargo and its expiry, where it has them. The bool: it was new.
std::pair<StoryId, bool> keep_candidate(stories::Stories&, ListId, const stories::Story&, Time now);

void add_story_adding(Commands&); // read, add
void add_story_import(Commands&);

}
