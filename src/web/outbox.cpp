#include "web/colours.hpp"
#include "web/outbox_folder.hpp"
#include "web/pages.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace postrider::web {
namespace {

namespace json = boost::json;

constexpr std::size_t mails_shown = 200;

// A mail is looked at as a mail program would: without scripts, forms and an origin, its links in a window of their own.
std::string mail_policy(std::string_view frame_ancestors) {
    return fmt::format(
        "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline'; "
        "img-src https: data:; form-action 'none'; frame-ancestors {}; base-uri 'none'",
        frame_ancestors);
}

// How a mail is shown in a frame: the last part of the page's address, the word for it, what is in the frame.
struct View {
    std::string_view name, word, frame;
    bool phone;
};
constexpr std::array<View, 4> views{{{"desktop", "outbox_desktop", "html-light", false},
                                     {"desktop-dark", "outbox_desktop_dark", "html-dark", false},
                                     {"phone", "outbox_phone", "html-light", true},
                                     {"phone-dark", "outbox_phone_dark", "html-dark", true}}};

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
                                     {"url_html", entry.mail.html.empty() ? std::string() : url + "/desktop"},
                                     {"url_phone", url + "/phone"},
                                     {"url_text", url + "/text"},
                                     {"url_source", url + "/source"}});
    }
    auto all = data(words, words.text("outbox_heading"));
    all["mails"] = std::move(mails);
    co_return page(200, "page_outbox.html", std::move(all));
}

Pages::Answer Pages::outbox_mail(const http::Request& request, const Names& names) {
    if (!outbox_) co_return not_found(request);
    auto source = co_await outbox_->source(names[0]);
    if (!source) co_return not_found(request);
    if (names[1] == "source") co_return plain(std::move(*source));
    auto mail = read_mail(*source);
    if (names[1] == "text") co_return plain(std::move(mail.text));
    if (mail.html.empty()) co_return not_found(request);
    if (names[1] == "html") co_return html_answer(200, std::move(mail.html), mail_policy("'none'"));
    if (names[1] == "html-light")
        co_return html_answer(200, in_colours(mail.html, Colours::light), mail_policy("'self'"));
    if (names[1] == "html-dark")
        co_return html_answer(200, in_colours(mail.html, Colours::dark), mail_policy("'self'"));
    co_return outbox_view(request, names, mail);
}

http::Response Pages::outbox_view(const http::Request& request, const Names& names, const KeptMail& mail) {
    const auto* shown = std::ranges::find(views, names[1], &View::name);
    if (shown == views.end()) return not_found(request);
    auto words = speaking(request);
    auto url = path_of("/outbox/" + http::percent_encode(names[0])) + "/";
    json::array links;
    for (const auto& view : views)
        links.push_back(json::object{
            {"url", url + std::string(view.name)}, {"text", words.text(view.word)}, {"current", &view == shown}});
    auto all = data(words, mail.subject.empty() ? words.text("outbox_heading") : mail.subject);
    all["to"] = words.text("outbox_to", {{"address", mail.to}});
    all["date"] = mail.date;
    all["views"] = std::move(links);
    all["phone"] = shown->phone;
    all["url_frame"] = url + std::string(shown->frame);
    all["url_text"] = url + "text";
    all["url_source"] = url + "source";
    all["url_outbox"] = path_of("/outbox/");
    return page(200, "page_outbox_mail.html", std::move(all), "; frame-src 'self'");
}

}
