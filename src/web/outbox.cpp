#include "web/outbox_folder.hpp"
#include "web/pages.hpp"

#include <boost/json.hpp>

namespace postrider::web {
namespace {

namespace json = boost::json;

constexpr std::size_t mails_shown = 200;

// A mail is looked at as a mail program would: without scripts, forms and an origin, its links in a window of their own.
constexpr std::string_view mail_policy =
    "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline'; "
    "img-src https: data:; form-action 'none'; frame-ancestors 'none'; base-uri 'none'";

http::Response plain(std::string text) {
    http::Response response{200, {}, std::move(text)};
    response.headers.add("Content-Type", "text/plain; charset=utf-8");
    return response;
}

}

Pages::Answer Pages::outbox(const http::Request& request, const Names&) {
    if (!outbox_) co_return not_found(request);
    auto entries = co_await outbox_->newest(mails_shown);
    auto words = speaking(request);
    json::array mails;
    for (auto& entry : entries) {
        auto url = path_of("/outbox/" + http::percent_encode(entry.file));
        mails.push_back(json::object{{"to", words.text("outbox_to", {{"address", entry.mail.to}})},
                                     {"subject", entry.mail.subject},
                                     {"date", entry.mail.date},
                                     {"url_html", entry.mail.html.empty() ? std::string() : url + "/html"},
                                     {"url_text", url + "/text"},
                                     {"url_source", url + "/source"}});
    }
    auto all = data(words, words.text("outbox_heading"));
    all["mails"] = std::move(mails);
    co_return page(200, "page_outbox.html", all);
}

Pages::Answer Pages::outbox_mail(const http::Request& request, const Names& names) {
    if (!outbox_) co_return not_found(request);
    auto source = co_await outbox_->source(names[0]);
    if (!source) co_return not_found(request);
    if (names[1] == "source") co_return plain(std::move(*source));
    auto mail = read_mail(*source);
    if (names[1] == "text") co_return plain(std::move(mail.text));
    if (names[1] != "html" || mail.html.empty()) co_return not_found(request);
    co_return html_answer(200, std::move(mail.html), std::string(mail_policy));
}

}
