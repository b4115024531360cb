#include "stories/picture_reading.hpp"

#include "http/url.hpp"
#include "stories/poll.hpp"
#include "system/log.hpp"
#include "system/mail_hosts.hpp"

namespace postrider::stories {
namespace asio = boost::asio;
namespace {

constexpr Duration for_so_long = 30s;
constexpr std::size_t first_bytes =
    128 * 1024; // photographs carry up to 64 KB of Exif, and colour profiles, before their size
constexpr int failures_in_a_row = 3;

}

http::FetchRequest picture_request(std::string url) {
    http::FetchRequest request{std::move(url), "", "", "image/webp,image/png,image/jpeg,image/gif,image/*;q=0.5"};
    request.first_bytes = first_bytes;
    return request;
}

std::optional<PictureSize> size_in(const http::FetchResult& fetched) {
    return has_body(fetched) ? picture_size(fetched->body) : std::nullopt;
}

asio::awaitable<std::vector<ReadPicture>> read_pictures(std::vector<std::string> urls, std::string own_host,
                                                        Fetches& fetches, Hosts& hosts, system::Clock& clock,
                                                        std::stop_token stop) {
    const auto until = clock.now() + for_so_long;
    std::vector<ReadPicture> read;
    int failures = 0;
    for (auto& url : urls) {
        if (clock.now() >= until || stop.stop_requested() || failures == failures_in_a_row) break;
        auto parsed = http::Url::parse(url);
        if (!parsed || system::is_reserved_name(parsed->host())) continue;
        // Another host than the feed's is asked only while nobody else asks it; the next poll comes back to the rest.
        std::optional<Hosts::Taken> taken;
        auto host = parsed->host();
        if (host != own_host) {
            if (hosts.busy(host)) continue;
            hosts.take(host);
            taken.emplace(hosts, std::move(host));
        }
        auto request = picture_request(parsed->text());
        auto fetched = co_await fetches.get(std::move(request));
        failures = fetched ? 0 : failures + 1;
        // A server in trouble may be well at the next poll.
        if (!fetched || fetched->status >= 500 || fetched->status == 429) {
            log::debug("the size of a picture could not be read",
                       {{"url", parsed->shown()}, {"reason", trouble_of(fetched, std::nullopt)}});
            continue;
        }
        read.push_back({std::move(url), size_in(fetched)});
    }
    co_return read;
}

}
