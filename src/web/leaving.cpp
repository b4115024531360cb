#include "storage/database.hpp"
#include "subscribers/audience.hpp"
#include "subscribers/subscriptions.hpp"
#include "web/pages.hpp"
#include "web/wording.hpp"

#include <boost/json.hpp>

namespace postrider::web {
namespace {

namespace json = boost::json;

struct Membership {
    std::optional<subscribers::List> list; // none: there is no such subscription, as behind the link of a test mail
    std::string address;                   // empty: erased
    std::string language;                  // the reader's, perhaps empty
    bool active = false;                   // on the list now, by this stretch or a later one
};

Membership membership(storage::Connection& connection, const subscribers::LinkTokens& tokens, SubscriptionId id) {
    Membership found;
    auto list = connection.value<ListId>("SELECT list_id FROM subscription WHERE id = $1", id);
    if (!list) return found;
    found.list = subscribers::Lists(connection).find(*list);
    auto reader = subscribers::read_one(connection, id);
    found.address = std::move(reader.address);
    found.language = std::move(reader.language);
    auto address = mail::parse_address(found.address);
    found.active = address && subscribers::Subscriptions(connection, tokens).active(*list, *address);
    return found;
}

// What a mail program sends by itself says so (RFC 8058 section 3.2); the button of our page says nothing.
subscribers::LeftHow how_left(const http::Request& request) {
    auto form = http::parse_form(request);
    // Not everybody names the type of what they send, or names it right.
    if (!form) form = http::parse_urlencoded(request.body);
    bool one_click = form && http::equal_without_case(form->value("List-Unsubscribe"), "One-Click");
    return one_click ? subscribers::LeftHow::one_click : subscribers::LeftHow::page;
}

}

Pages::Answer Pages::leave_form(const http::Request& request, const Names& names) {
    auto id = tokens_.read_leave(names[0]);
    if (!id) co_return not_found(request);
    auto read = [&](storage::Connection& connection) { return membership(connection, tokens_, *id); };
    auto found = co_await database_.read(read);
    auto words = found.list ? speaking(*found.list, found.language) : speaking(request);
    if (!found.active) co_return left_page(words, found.list, found.address);
    auto heading = words.text("leave_heading", {{"list", found.list->title}});
    auto address = masked(found.address);
    auto all = data(words, heading, *found.list);
    all["sentence"] =
        json::object{{"leave_heading", heading}, {"leave_text", words.html("leave_text", {{"address", address}})}};
    all["address"] = address;
    all["action"] = path_of("/leave/" + names[0]);
    co_return page(200, "page_leave.html", all);
}

Pages::Answer Pages::leave(const http::Request& request, const Names& names) {
    auto id = tokens_.read_leave(names[0]);
    if (!id) co_return not_found(request);
    auto how = how_left(request);
    auto now = clock_.now();
    auto work = [&](storage::Connection& connection) {
        (void)subscribers::Subscriptions(connection, tokens_).leave(*id, how, request.client, now);
        return membership(connection, tokens_, *id);
    };
    auto found = co_await database_.write(work);
    auto words = found.list ? speaking(*found.list, found.language) : speaking(request);
    co_return left_page(words, found.list, found.address);
}

http::Response Pages::left_page(const templates::Words& words, const std::optional<subscribers::List>& list,
                                std::string_view address) {
    auto heading = words.text("left_heading");
    auto all = list ? data(words, heading, *list) : data(words, heading);
    if (!list) all["list"] = json::object{{"title", site_.name}};
    auto& title = list ? list->title : site_.name;
    auto shown = masked(address);
    auto text = shown.empty() ? words.html("left_text", {{"list", title}})
                              : words.html("left_text_address", {{"address", shown}, {"list", title}});
    all["sentence"] = json::object{{"left_text", text}};
    all["address"] = shown;
    if (list && list->state == subscribers::ListState::open) all["join_url"] = path_of("/join/" + list->slug);
    return page(200, "page_left.html", all);
}

}
