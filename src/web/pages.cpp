#include "web/pages.hpp"

#include "subscribers/topics.hpp"
#include "web/letters.hpp"
#include "web/outbox_folder.hpp"
#include "web/wording.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>

namespace postrider::web {
namespace {

namespace json = boost::json;

// "/mail" of "https://courier.example/mail"
std::string path_in(std::string_view url) {
    auto host = url.find("://");
    auto slash = host == url.npos ? url.npos : url.find('/', host + 3);
    return slash == url.npos ? "" : std::string(url.substr(slash));
}

}

Pages::Pages(storage::Database& database, system::Clock& clock, const templates::Library& library,
             const subscribers::LinkTokens& tokens, const digest::SiteWords& site, const subscribers::Settings& sign_up,
             PageOptions options)
    : database_(database), clock_(clock), library_(library), tokens_(tokens), site_(site), sign_up_(sign_up),
      options_(std::move(options)), templates_(library), site_path_(path_in(site.url)) {
    if (!sign_up.disposable_domains.empty()) disposable_ = subscribers::DisposableDomains(sign_up.disposable_domains);
    if (options_.outbox) outbox_ = std::make_unique<OutboxFolder>(*options_.outbox);
}

Pages::~Pages() { working_thread_.join(); }

templates::Words Pages::speaking(const http::Request& request, std::string_view wish) {
    auto wishes = languages_in(request.headers.value("Accept-Language"));
    wishes.insert(wishes.begin(), std::string(wish));
    return templates_.languages()->words(wishes);
}

templates::Words Pages::speaking(const subscribers::List& list, std::string_view reader_language) {
    return templates_.languages()->words({reader_language, list.language});
}

json::object Pages::data(const templates::Words& words, std::string_view title) const {
    return {{"title", title},
            {"language", words.language()},
            {"direction", words.direction()},
            {"site", digest::site_content(site_)}};
}

json::object Pages::data(const templates::Words& words, std::string_view title, const subscribers::List& list) const {
    auto all = data(words, title);
    all["list"] = list_words(site_, list);
    return all;
}

http::Response Pages::page(int status, std::string_view name, json::object data, std::string_view more) {
    auto page = templates_.render(name, std::move(data));
    auto policy = fmt::format("default-src 'none'; style-src {}; form-action 'self'; frame-ancestors 'none'; "
                              "base-uri 'none'{}",
                              page.style_source, more);
    return html_answer(status, std::move(page.html), std::move(policy));
}

http::Response Pages::not_found(const http::Request& request) { return refusal(request, 404, "not_found"); }

http::Response Pages::not_taken(const http::Request& request, int status, std::string_view reason) {
    if (wanted_format(request) == http::Format::json) return json_answer(status, json::object{{"error", reason}});
    return notice(speaking(request), status, status == 413 ? "too_large" : "not_understood");
}

http::Response Pages::refusal(const http::Request& request, int status, std::string_view reason) {
    return refused(wanted_format(request), speaking(request), status, reason);
}

http::Response Pages::refused(http::Format format, const templates::Words& words, int status, std::string_view reason) {
    if (format == http::Format::html) return notice(words, status, reason);
    return json_answer(status, json::object{{"error", words.text(fmt::format("{}_text", reason))}});
}

http::Response Pages::notice(const templates::Words& words, int status, std::string_view reason) {
    auto heading = words.text(fmt::format("{}_heading", reason));
    auto all = data(words, heading);
    if (status != 200) all["status"] = status;
    all["heading"] = heading;
    if (status >= 400 && status < 500) all["home_url"] = path_of("/");
    all["text"] = words.text(fmt::format("{}_text", reason));
    return page(status, "page_error.html", std::move(all));
}

json::array topic_choices(std::span<const std::string> offered, std::string_view chosen) {
    auto names = subscribers::topics_in(chosen);
    json::array topics;
    for (auto& name : offered)
        topics.push_back(json::object{{"name", name}, {"chosen", std::ranges::find(names, name) != names.end()}});
    return topics;
}

bool is_json(const http::Request& request) {
    auto type = http::media_type(request.headers.value("Content-Type"));
    return type == "application/json" || type.ends_with("+json");
}

http::Format wanted_format(const http::Request& request) {
    return is_json(request) ? http::Format::json : http::preferred_format(request.headers.value("Accept"));
}

http::Response html_answer(int status, std::string html, std::string policy) {
    http::Response response{status, {}, std::move(html)};
    response.headers.add("Content-Type", "text/html; charset=utf-8");
    response.headers.add("Content-Security-Policy", std::move(policy));
    return response;
}

http::Response json_answer(int status, const json::value& value) {
    http::Response response{status, {}, json::serialize(value) + "\n"};
    response.headers.add("Content-Type", "application/json");
    return response;
}

}
