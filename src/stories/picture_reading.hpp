#pragma once

#include "http/client.hpp"
#include "stories/fetches.hpp"
#include "stories/hosts.hpp"
#include "stories/picture_size.hpp"
#include "system/clock.hpp"

#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

// Reads how large pictures are, from their first bytes.
//
// In:     addresses.
// Out:    each with its size, or with none when what came is no picture; those that were not asked for are not there.
// Always: one at a time, for at most half a minute; of each picture no more than 128 KB, by the client that guards
//         against private addresses. Where the network is down it stops after three failures. It holds nothing back:
//         the stories are stored before.

namespace postrider::stories {

constexpr std::size_t pictures_at_once = 24; // of a poll

// What the beginning of a picture is asked for with.
[[nodiscard]] http::FetchRequest picture_request(std::string url);
[[nodiscard]] std::optional<PictureSize> size_in(const http::FetchResult&);

struct ReadPicture {
    std::string url;
    std::optional<PictureSize> size;
};

// `own_host` is the poll's already. References must outlive it.
[[nodiscard]] boost::asio::awaitable<std::vector<ReadPicture>>
read_pictures(std::vector<std::string> urls, std::string own_host, Fetches&, Hosts&, system::Clock&, std::stop_token);

}
