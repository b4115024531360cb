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
    bool may_undo = false;                 // left a moment ago
};

Membership membership(storage::Connection& connection, const subscribers::LinkTokens& tokens, SubscriptionId id,
                      Time now) {
    Membership found;
    auto list = connection.value<ListId>("SELECT list_id FROM subscription WHERE id = $1", id);
    if (!list) return found;
    found.list = subscribers::Lists(connection).find(*list);
    auto reader = subscribers::read_one(connection, id);
    found.address = std::move(reader.address);
    found.language = std::move(reader.language);
    auto address = mail::parse_address(found.address);
    subscribers::Subscriptions subscriptions(connection, tokens);
    found.active = address && subscriptions.active(*list, *address);
    found.may_undo = !found.active && subscriptions.may_come_back(id, now);
    return found;
}

// What was pressed on the page after leaving, or what a mail program sends by itself (RFC 8058 section 3.2), which says
// so; the button of the page before says nothing.
struct Pressed {
    subscribers::LeftHow how = subscribers::LeftHow::page;
    bool undo = false;
    std::optional<subscribers::LeftReason> reason;
};

Pressed pressed_in(const http::Request& request) {
    auto form = http::parse_form(request);
    // Not everybody names the type of what they send, or names it right.
    if (!form) form = http::parse_urlencoded(request.body);
    if (!form) return {};
    if (http::equal_without_case(form->value("List-Unsubscribe"), "One-Click"))
        return {subscribers::LeftHow::one_click, false, {}};
    return {subscribers::LeftHow::page, form->value("undo") == "1",
            subscribers::parse_left_reason(form->value("reason"))};
}

}

Pages::Answer Pages::leave_form(const http::Request& request, const Names& names) {
    auto id = tokens_.read_leave(names[0]);
    if (!id) co_return not_found(request);
    auto now = clock_.now();
    auto read = [&](storage::Connection& connection) { return membership(connection, tokens_, *id, now); };
    auto found = co_await database_.read(read);
    auto words = found.list ? speaking(*found.list, found.language) : speaking(request);
    if (!found.active) co_return left_page(words, found.list, {found.address});
    auto heading = words.text("leave_heading", {{"list", found.list->title}});
    auto address = masked(found.address);
    auto all = data(words, heading, *found.list);
    all["sentence"] =
        json::object{{"leave_heading", heading}, {"leave_text", words.html("leave_text", {{"address", address}})}};
    all["address"] = address;
    all["action"] = path_of("/leave/" + names[0]);
    co_return page(200, "page_leave.html", std::move(all));
}

Pages::Answer Pages::leave(const http::Request& request, const Names& names) {
    auto id = tokens_.read_leave(names[0]);
    if (!id) co_return not_found(request);
    auto pressed = pressed_in(request);
    auto now = clock_.now();
    auto work = [&](storage::Connection& connection) {
        subscribers::Subscriptions subscriptions(connection, tokens_);
        if (pressed.undo)
            (void)subscriptions.come_back(*id, request.client, now);
        else if (pressed.reason)
            subscriptions.say_why(*id, *pressed.reason);
        else
            (void)subscriptions.leave(*id, pressed.how, request.client, now);
        return membership(connection, tokens_, *id, now);
    };
    auto found = co_await database_.write_together(work);
    auto words = found.list ? speaking(*found.list, found.language) : speaking(request);
    if (found.active) co_return confirmed_page(words, *found.list);
    co_return left_page(
        words, found.list,
        {found.address, names[0], found.may_undo, pressed.reason ? AfterLeaving::thanks : AfterLeaving::asks});
}

http::Response Pages::left_page(const templates::Words& words, const std::optional<subscribers::List>& list,
                                const Left& left) {
    auto heading = words.text("left_heading");
    auto all = list ? data(words, heading, *list) : data(words, heading);
    if (!list) all["list"] = json::object{{"title", site_.name}};
    auto& title = list ? list->title : site_.name;
    auto shown = masked(left.address);
    auto text = shown.empty() ? words.html("left_text", {{"list", title}})
                              : words.html("left_text_address", {{"address", shown}, {"list", title}});
    all["sentence"] = json::object{{"left_text", text}};
    all["address"] = shown;
    if (list && list->state == subscribers::ListState::open) all["join_url"] = path_of("/join/" + list->slug);
    bool known = list && !left.token.empty() && !left.address.empty();
    if (known && left.may_undo) all["undo_action"] = path_of("/leave/" + left.token);
    if (known && left.after == AfterLeaving::asks) all["reason_action"] = path_of("/leave/" + left.token);
    all["thanks"] = left.after == AfterLeaving::thanks;
    return page(200, "page_left.html", std::move(all));
}

}
