#pragma once

#include "cli/command.hpp"
#include "stories/stories.hpp"

#include <boost/json/fwd.hpp>

// What the commands about stories share.

namespace postrider::cli {

[[nodiscard]] boost::json::object story_json(const stories::Story&);
// Of an option; nothing when it is not given.
[[nodiscard]] std::optional<Time> moment(Call&, std::string_view option);

void add_story_adding(Commands&); // read, add
void add_story_import(Commands&);

}
