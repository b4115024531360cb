#include "web/pages.hpp"

#include "web/letters.hpp"
#include "web/outbox_folder.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

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
    : database_(database), clock_(clock), tokens_(tokens), site_(site), sign_up_(sign_up), options_(std::move(options)),
      templates_(library), site_path_(path_in(site.url)) {
    if (options_.outbox) outbox_ = std::make_unique<OutboxFolder>(*options_.outbox);
}

Pages::~Pages() = default;

json::object Pages::words(std::string_view title) const {
    return {{"title", title}, {"language", "en"}, {"direction", "ltr"}, {"site", digest::site_content(site_)}};
}

json::object Pages::words(std::string_view title, const subscribers::List& list) const {
    auto all = words(title);
    auto of_list = list_words(site_, list);
    all["language"] = of_list["language"];
    all["direction"] = of_list["direction"];
    all["list"] = std::move(of_list);
    return all;
}

http::Response Pages::page(int status, std::string_view name, const json::object& words) {
    auto page = templates_.render(name, words);
    auto policy = fmt::format("default-src 'none'; style-src {}; form-action 'self'; frame-ancestors 'none'; "
                              "base-uri 'none'",
                              page.style_source);
    return html_answer(status, std::move(page.html), std::move(policy));
}

http::Response Pages::not_found(http::Format format) {
    return refusal(format, 404, "This page does not exist",
                   "The link is not complete, or it is no longer valid. Open it once more from the mail.");
}

http::Response Pages::refusal(http::Format format, int status, std::string_view heading, std::string_view text) {
    if (format == http::Format::json) return json_answer(status, json::object{{"error", text}});
    auto all = words(heading);
    all["status"] = status;
    all["heading"] = heading;
    all["text"] = text;
    return page(status, "page_error.html", all);
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
