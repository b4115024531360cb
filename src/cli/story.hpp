#pragma once

#include "cli/command.hpp"
#include "stories/stories.hpp"

#include <boost/json/fwd.hpp>

// What the commands about stories share.

namespace postrider::cli {

[[nodiscard]] boost::json::object story_json(const stories::Story&);

void add_story_adding(Commands&); // read, add
void add_story_import(Commands&);

}
