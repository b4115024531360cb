#include "delivery/letters.hpp"
#include "storage/database.hpp"
#include "subscribers/audience.hpp"
#include "subscribers/subscriptions.hpp"
#include "web/letters.hpp"
#include "web/pages.hpp"
#include "web/wording.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

namespace postrider::web {
namespace {

constexpr Duration welcome_lives_for = 3 * 24h;

struct Waiting {
    subscribers::SignUp sign_up;
    subscribers::List list;
    bool has_left = false; // confirmed once, and not a reader any more
};

std::optional<Waiting> waiting(storage::Connection& connection, const subscribers::LinkTokens& tokens,
                               const subscribers::Settings& settings, subscribers::SignUpId id) {
    auto sign_up = subscribers::SignUps(connection, tokens, settings).find(id);
    if (!sign_up) return std::nullopt;
    auto list = subscribers::Lists(connection).find(sign_up->list);
    if (!list || list->state == subscribers::ListState::archived) return std::nullopt;
    auto address = mail::parse_address(sign_up->address);
    bool has_left =
        sign_up->confirmed_at && address && !subscribers::Subscriptions(connection, tokens).active(list->id, *address);
    return Waiting{std::move(*sign_up), std::move(*list), has_left};
}

}

Pages::Answer Pages::confirm_form(const http::Request& request, const Names& names) {
    auto again = tokens_.read_ask_again(names[0]);
    auto id = again ? again : tokens_.read_confirm(names[0]);
    if (!id) co_return not_found(request);
    auto read = [&](storage::Connection& connection) { return waiting(connection, tokens_, sign_up_, *id); };
    auto found = co_await database_.read(read);
    if (!found) co_return not_found(request);

    auto words = speaking(found->list, found->sign_up.language);
    if (found->has_left) co_return left_page(words, found->list, {});
    if (found->sign_up.confirmed_at) co_return confirmed_page(words, found->list);
    if (again || found->sign_up.expires_at <= clock_.now()) co_return expired_page(words, *id, found->list);
    auto heading = words.text("receive_heading", {{"list", found->list.title}});
    auto address = masked(found->sign_up.address);
    auto all = data(words, heading, found->list);
    all["sentence"] = boost::json::object{
        {"receive_heading", heading},
        {"confirm_who", words.html("confirm_who", {{"list", found->list.title}, {"site", site_.name}})},
        {"receive_text", words.html("receive_text", {{"address", address}})}};
    all["address"] = address;
    all["action"] = path_of("/confirm/" + names[0]);
    co_return page(200, "page_confirm.html", std::move(all));
}

Pages::Answer Pages::confirm(const http::Request& request, const Names& names) {
    if (auto again = tokens_.read_ask_again(names[0])) co_return co_await ask_again(request, *again);
    auto id = tokens_.read_confirm(names[0]);
    if (!id) co_return not_found(request);

    using What = subscribers::ConfirmResult::What;
    struct Confirmed {
        What what = What::unknown;
        std::optional<subscribers::List> list;
        std::string language;
        bool has_left = false;
    };
    auto now = clock_.now();
    auto templates = templates_.letter("welcome"), moved = templates_.letter("moved");
    auto work = [&](storage::Connection& connection) {
        storage::Transaction transaction(connection);
        Confirmed confirmed;
        auto result = subscribers::SignUps(connection, tokens_, sign_up_).confirm(*id, request.client, now);
        confirmed.what = result.what;
        confirmed.has_left = result.what == What::already && !result.subscription;
        if (auto sign_up = subscribers::SignUps(connection, tokens_, sign_up_).find(*id))
            confirmed.language = sign_up->language;
        if (result.what != What::unknown) confirmed.list = subscribers::Lists(connection).find(result.list);
        if (result.what == What::confirmed && confirmed.list->welcome && result.subscription)
            write_welcome(connection, templates, *result.subscription, *confirmed.list, now);
        if (result.moved_from) tell_old_address(connection, moved, *result.moved_from, *confirmed.list, now);
        transaction.commit();
        return confirmed;
    };
    auto confirmed = co_await database_.write_together(work);
    if (!confirmed.list) co_return not_found(request);
    auto words = speaking(*confirmed.list, confirmed.language);
    if (confirmed.what == What::expired) co_return expired_page(words, *id, *confirmed.list);
    if (confirmed.has_left) co_return left_page(words, confirmed.list, {});
    co_return confirmed_page(words, *confirmed.list);
}

http::Response Pages::confirmed_page(const templates::Words& words, const subscribers::List& list) {
    auto all = data(words, words.text("confirmed_heading"), list);
    all["sentence"] = boost::json::object{{"confirmed_text", words.html("confirmed_text", {{"list", list.title}})}};
    return page(200, "page_confirmed.html", std::move(all));
}

void Pages::write_welcome(storage::Connection& connection, const LetterTemplates& templates, SubscriptionId id,
                          const subscribers::List& list, Time now) const {
    auto reader = subscribers::read_one(connection, id);
    auto address = mail::parse_address(reader.address);
    if (!address) return;
    WelcomeLinks links{site_.url + "/leave/", site_.url + "/preferences/"};
    auto signer = tokens_.signer();
    signer.leave(links.unsubscribe_url, id);
    signer.preferences(links.preferences_url, reader.subscriber);
    auto message = welcome_letter(templates, site_, list, *address, reader.name, reader.language, links, now);
    delivery::Letters(connection)
        .add(delivery::Purpose::welcome, digest::letter_sender(site_), address->text(), address->key(), message, now,
             welcome_lives_for);
}

void Pages::tell_old_address(storage::Connection& connection, const LetterTemplates& templates, SubscriptionId id,
                             const subscribers::List& list, Time now) const {
    auto reader = subscribers::read_one(connection, id);
    auto address = mail::parse_address(reader.address);
    if (!address) return;
    auto url = site_.url + "/preferences/";
    tokens_.signer().preferences(url, reader.subscriber);
    auto message = moved_letter(templates, site_, list, *address, reader.language, url, now);
    delivery::Letters(connection)
        .add(delivery::Purpose::notice, digest::letter_sender(site_), address->text(), address->key(), message, now,
             welcome_lives_for);
}

Pages::Answer Pages::ask_again(const http::Request& request, subscribers::SignUpId id) {
    auto now = clock_.now();
    auto templates = templates_.letter("confirm");
    struct Again {
        subscribers::AskOutcome outcome;
        subscribers::List list;
        std::string language;
    };
    auto work = [&](storage::Connection& connection) -> std::optional<Again> {
        storage::Transaction transaction(connection);
        auto old = waiting(connection, tokens_, sign_up_, id);
        if (!old) return std::nullopt;
        auto outcome = subscribers::SignUps(connection, tokens_, sign_up_).ask_again(id, request.client, now);
        auto address = mail::parse_address(old->sign_up.address);
        if (!outcome || !address) return std::nullopt;
        write_confirmation(connection, templates, *outcome, old->list, *address, old->sign_up.language, now);
        transaction.commit();
        return Again{std::move(*outcome), std::move(old->list), std::move(old->sign_up.language)};
    };
    auto again = co_await database_.write_together(work);
    if (!again || std::holds_alternative<subscribers::NotOpen>(again->outcome)) co_return not_found(request);
    auto* over = std::get_if<subscribers::OverBudget>(&again->outcome);
    auto words = speaking(again->list, again->language);
    if (over && over->which == subscribers::Budget::client) co_return too_many(http::Format::html, words, over->wait);
    co_return asked_page(http::Format::html, words, again->list);
}

http::Response Pages::expired_page(const templates::Words& words, subscribers::SignUpId id,
                                   const subscribers::List& list) {
    auto all = data(words, words.text("expired_heading"), list);
    all["sentence"] = boost::json::object{{"expired_text", words.html("expired_text", {{"list", list.title}})}};
    all["action"] = path_of("/confirm/" + tokens_.ask_again(id));
    return page(410, "page_confirm_expired.html", std::move(all));
}

}
