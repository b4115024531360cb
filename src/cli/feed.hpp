#pragma once

#include "cli/command.hpp"
#include "stories/poller.hpp"

#include <boost/json/fwd.hpp>

// What the commands about feeds share.

namespace postrider::cli {

[[nodiscard]] stories::FeedRecord feed_of(Call&); // by the number that is the first argument
[[nodiscard]] boost::json::object feed_json(Call&, const stories::FeedRecord&);
[[nodiscard]] boost::json::object feed_json(Call&, const stories::PollReport&);

// add, import, export, edit: feed_adding.cpp.
void add_feed_adding(Commands&);

}
