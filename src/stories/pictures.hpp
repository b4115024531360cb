#pragma once

#include "storage/ids.hpp"
#include "stories/feed.hpp"
#include "stories/picture_size.hpp"
#include "system/time.hpp"

#include <functional>
#include <map>
#include <span>
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

// What of a story is still to be looked into.
struct PicturedStory {
    std::string picture; // its own, unless that has a size
    std::string html;    // safe; empty: it shows no picture
};
// Of all these, in their order, those without width and height: at most ten of the HTML of one. Some stand there twice.
[[nodiscard]] std::vector<std::string> unsized_pictures(std::span<const PicturedStory> stories);

class Pictures {
public:
    explicit Pictures(storage::Connection& connection) : connection_(connection) {}

    // Of the hundred stories that a feed brought last the candidates of since then, the newest first.
    [[nodiscard]] std::vector<PicturedStory> newest(FeedId, Time since);
    // Those that were never read, each once: at most so many.
    [[nodiscard]] std::vector<std::string> unread(std::span<const std::string> urls, std::size_t most);
    // None: it is no picture that we can read.
    void keep(std::string_view url, std::optional<PictureSize>, Time now);
    [[nodiscard]] PictureSizes sizes_of(const std::vector<std::string>& urls);

private:
    storage::Connection& connection_;
};

}
