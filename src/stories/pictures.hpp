#pragma once

#include "storage/ids.hpp"
#include "stories/feed.hpp"
#include "stories/picture_size.hpp"
#include "system/time.hpp"

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

// The pictures of stories, and how large they are.
//
// In:     addresses as stories have them.
// Out:    sizes that were read; the pictures whose size nobody knows yet.
// Always: what could not be read is remembered too, and not asked for again. This room alone writes picture.

namespace postrider::stories {

// By address; what is not there is not known.
using PictureSizes = std::map<std::string, PictureSize, std::less<>>;

// Of the pictures in HTML that safe_html() made, in their order, those without width and height; at most so many.
[[nodiscard]] std::vector<std::string> unsized_pictures(std::string_view safe_html, std::size_t most);

class Pictures {
public:
    explicit Pictures(storage::Connection& connection) : connection_(connection) {}

    // Those of a feed's newest candidates, seen since then, the newest story's first: at most so many.
    [[nodiscard]] std::vector<std::string> unread(FeedId, Time since, std::size_t most);
    // None: it is no picture that we can read.
    void keep(std::string_view url, std::optional<PictureSize>, Time now);
    [[nodiscard]] PictureSizes sizes_of(const std::vector<std::string>& urls);

private:
    storage::Connection& connection_;
};

}
