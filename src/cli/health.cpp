#include "cli/health.hpp"

#include "http/fetch_now.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

namespace postrider::cli {
namespace {

namespace json = boost::json;

// Where a daemon that listens on every address is reached from here.
std::string address_of(std::string listen) {
    if (listen.starts_with("0.0.0.0:")) return "127.0.0.1" + listen.substr(7);
    if (listen.starts_with("[::]:")) return "[::1]" + listen.substr(4);
    return listen;
}

http::FetchResult get(const std::string& url) {
    http::ClientSettings settings;
    settings.allow_private_addresses = true; // the operator's own
    settings.connect = 2s;
    settings.total = 4s;
    settings.redirects = 0;
    return http::fetch_now({url, "", "", "application/json"}, settings);
}

}

std::vector<std::string> troubles_of_daemon(Call& call) {
    auto url = fmt::format("http://{}/health", address_of(call.site().http.listen));
    if (url.ends_with(":0/health")) return {}; // a port that only the daemon knows
    auto answer = get(url);
    if (!answer) return {fmt::format("it does not answer: {}", answer.error().text)};
    boost::system::error_code fault;
    auto told = json::parse(answer->body, fault);
    auto* wrong = fault || !told.is_object() ? nullptr : told.as_object().if_contains("wrong");
    if (!wrong || !wrong->is_array()) return {fmt::format("{} does not answer as a daemon of ours", url)};
    std::vector<std::string> troubles;
    for (auto& one : wrong->as_array())
        if (one.is_string()) troubles.emplace_back(one.as_string());
    return troubles;
}

}
