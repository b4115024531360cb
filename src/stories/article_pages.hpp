#pragma once

#include "http/url.hpp"
#include "stories/fetches.hpp"
#include "stories/hosts.hpp"
#include "stories/news.hpp"
#include "stories/page.hpp"
#include "stories/robots.hpp"
#include "system/clock.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <map>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

// The article pages that one poll reads, for entries of its feed that are no more than a title.
//
// In:     news, and which of them are bare.
// Out:    the same, with what their pages say of them.
// Always: at most 20 pages a poll, for at most two minutes; none that its site's robots.txt keeps programs away from.
//         Between two requests to one host passes the settings' pause, or what its robots.txt asks for if that is more.
//         Pages are read on the thread for reading.

namespace postrider::stories {

class ArticlePages {
public:
    // `own_host` is the feed's, which is the poll's already and was asked just now. References must outlive it.
    ArticlePages(FeedId feed, std::string own_host, Fetches& fetches, Hosts& hosts,
                 boost::asio::any_io_executor reading, system::Clock& clock, Duration pause, std::stop_token stop)
        : feed_(feed), own_host_(std::move(own_host)), fetches_(fetches), hosts_(hosts), reading_(std::move(reading)),
          clock_(clock), pause_(pause), stop_(std::move(stop)) {
        answered_at_[own_host_] = clock_.now();
    }

    // Of `wanted`, the numbers of bare items, it gives those whose pages are still to be read, in their order.
    boost::asio::awaitable<std::vector<std::size_t>> read(News&, std::span<const std::size_t> wanted);
    [[nodiscard]] std::size_t asked() const { return asked_; }

private:
    // Not before so long after the last answer of its host.
    boost::asio::awaitable<http::FetchResult> get(const std::string& host, http::FetchRequest, Duration pause);
    // Nothing: the site answers with an error of its own, which means: keep away (RFC 9309 section 2.3.1.4).
    boost::asio::awaitable<std::optional<RobotsRules>> robots_of(const http::Url& page);
    // Nothing: it is not to be read.
    boost::asio::awaitable<std::optional<Duration>> pause_before(const http::Url& page);
    boost::asio::awaitable<std::optional<Page>> article(std::string url);

    FeedId feed_;
    std::string own_host_;
    Fetches& fetches_;
    Hosts& hosts_;
    boost::asio::any_io_executor reading_;
    system::Clock& clock_;
    Duration pause_;
    std::stop_token stop_;
    std::map<std::string, std::optional<RobotsRules>> robots_; // by origin; asked once a poll
    std::map<std::string, Time> answered_at_;                  // by host
    std::size_t asked_ = 0;
};

}
