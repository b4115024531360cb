#include "delivery/letters.hpp"
#include "digest/rules.hpp"
#include "http/url.hpp"
#include "mail/utf8.hpp"
#include "storage/database.hpp"
#include "subscribers/topics.hpp"
#include "system/log.hpp"
#include "system/mail_hosts.hpp"
#include "system/random.hpp"
#include "templates/markup.hpp"
#include "web/entry.hpp"
#include "web/letters.hpp"
#include "web/pages.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>

namespace postrider::web {
namespace {

namespace json = boost::json;

constexpr std::size_t largest_form = 16 * 1024;
constexpr std::size_t longest_echo = 320; // what the form gives back after a mistake

std::expected<Entry, std::string> entry_in(const http::Request& request) {
    if (is_json(request)) return entry_in_json(request.body);
    auto form = http::parse_form(request);
    if (!form) return std::unexpected("Send it as application/x-www-form-urlencoded, multipart/form-data or JSON.");
    Entry entry{form->value("email"), form->value("name"), form->value("language"), !form->value("website").empty()};
    if (form->has("topics")) entry.topics = form->all("topics");
    entry.form = form->value("form");
    entry.altcha = form->value("altcha");
    entry.return_to = form->value("return_to");
    return entry;
}

// The reason is in English, where it can be had only.
std::string not_an_address(const templates::Words& words, const mail::AddressError& error) {
    auto sentence = words.text("bad_address");
    if (!words.language().starts_with("en") || !sentence.ends_with('.')) return sentence;
    sentence.pop_back();
    return fmt::format("{}: {}.", sentence, error.reason);
}

// Which form this was, for the consent record. An origin is what a browser says of a page that is not ours.
std::string form_of(const http::Request& request, std::string_view site_url) {
    constexpr std::size_t longest_origin = 200;
    if (is_json(request)) return "JSON";
    std::string origin(request.headers.value("Origin"));
    bool elsewhere = origin.size() <= longest_origin && http::Url::parse(origin) && !site_url.starts_with(origin);
    return elsewhere ? fmt::format("form on {}", origin) : "join page";
}

http::Response sent_on(const std::string& to) {
    http::Response response{303, {}, {}};
    response.headers.add("Location", to);
    return response;
}

std::string_view shown_domain(const mail::Address& address) {
    std::string_view text = address.text();
    return text.substr(text.rfind('@') + 1);
}

}

boost::asio::awaitable<std::optional<Pages::OpenList>> Pages::open_list(const std::string& slug) {
    auto read = [&](storage::Connection& connection) -> std::optional<OpenList> {
        auto list = subscribers::Lists(connection).find(slug);
        if (!list || list->state != subscribers::ListState::open) return std::nullopt;
        auto topics = digest::topic_names(digest::ListRules(connection).of(*list));
        return OpenList{std::move(*list), std::move(topics)};
    };
    co_return co_await database_.read(read);
}

Pages::Answer Pages::join_form(const http::Request& request, const Names& names) {
    auto list = co_await open_list(names[0]);
    if (!list) co_return not_found(request);
    co_return join_page(200, speaking(*list), *list, "", {});
}

Pages::Answer Pages::join(const http::Request& request, const Names& names) {
    auto format = wanted_format(request);
    auto list = co_await open_list(names[0]);
    if (!list) co_return not_found(request);
    if (request.body.size() > largest_form) co_return refused(format, speaking(*list), 413, "too_large");
    auto entry = entry_in(request);
    if (!entry && format == http::Format::json) co_return json_answer(400, json::object{{"error", entry.error()}});
    if (!entry) co_return refused(format, speaking(*list), 400, "unreadable");
    auto words = speaking(*list, entry->language);
    if (entry->trapped) co_return asked_page(format, words, *list);

    auto address = mail::parse_address(http::trimmed(entry->email));
    if (!address) {
        auto error = not_an_address(words, address.error());
        co_return bad_address(format, words, *list, *entry, error);
    }
    auto fault = co_await fault_of(words, *address);
    if (!fault.empty()) co_return bad_address(format, words, *list, *entry, fault);

    auto now = clock_.now();
    if (work_is_wanted(now) && !entry->altcha.empty()) {
        // Before any work of ours: whoever is over the budget gets the same answer for less.
        auto wait = [&](storage::Connection& connection) {
            return subscribers::Budgets(connection, tokens_, sign_up_).wait_for_client(request.client, now);
        };
        if (auto time = co_await database_.read(wait)) co_return too_many(format, words, *time);
    }
    auto proven = co_await proof_in(*entry, list->id, request.client, now);
    note_sign_up(now);
    auto templates = templates_.letter("confirm");
    auto agreed = fmt::format("{}. {}", words.text("subscribe_to", {{"list", list->title}}), words.text("join_hint"));
    auto form = form_of(request, site_.url);
    subscribers::Asking asking{list->id, *address, entry->name, entry->language, request.client, form, agreed};
    asking.words_language = words.language();
    if (entry->topics) asking.topics = subscribers::chosen_topics(*entry->topics, list->topics);
    asking.proof = proven.proof;
    asking.solution = proven.nonce;
    auto ask = [&](storage::Connection& connection) {
        storage::Transaction transaction(connection);
        auto outcome = subscribers::SignUps(connection, tokens_, sign_up_).ask(asking, now);
        write_confirmation(connection, templates, outcome, *list, *address, entry->language, now);
        transaction.commit();
        return outcome;
    };
    auto outcome = co_await database_.write_together(ask);

    auto* over = std::get_if<subscribers::OverBudget>(&outcome);
    if (over && over->which == subscribers::Budget::client) co_return too_many(format, words, over->wait);
    if (over && over->refused == subscribers::flood)
        log::warn("somebody floods an address with sign-ups; it gets no more mail than the budget allows",
                  {{"list", list->slug}, {"refused", over->refused}, {"client", request.client}});
    if (std::holds_alternative<subscribers::NotOpen>(outcome)) co_return not_found(request);
    if (format == http::Format::html && leads_back(*entry)) co_return sent_on(entry->return_to);
    co_return asked_page(format, words, *list, subscribers::suggested(*address));
}

boost::asio::awaitable<std::string> Pages::fault_of(const templates::Words& words, const mail::Address& address) {
    if (sign_up_.role_addresses == subscribers::RoleAddresses::refuse && subscribers::is_role(address))
        co_return words.text("bad_role", {{"address", address.text()}});
    if (disposable_.contains(address)) co_return words.text("bad_disposable", {{"domain", shown_domain(address)}});
    bool good_domain = co_await may_take_mail(address);
    if (good_domain) co_return "";
    auto fault = words.text("bad_domain", {{"domain", shown_domain(address)}});
    if (auto other = subscribers::suggested(address)) fault += " " + words.text("did_you_mean", {{"address", *other}});
    co_return fault;
}

boost::asio::awaitable<bool> Pages::may_take_mail(const mail::Address& address) {
    if (!sign_up_.check_mx || !options_.mail_hosts) co_return true;
    auto answer = co_await options_.mail_hosts->ask(std::string(address.domain_ascii()));
    co_return answer != system::MailHost::takes_none;
}

void Pages::write_confirmation(storage::Connection& connection, const LetterTemplates& templates,
                               const subscribers::AskOutcome& outcome, const subscribers::List& list,
                               const mail::Address& address, std::string_view language, Time now) const {
    auto* over = std::get_if<subscribers::OverBudget>(&outcome);
    if (over && over->which == subscribers::Budget::client) return; // is told, and gets no work out of us
    auto* asked = std::get_if<subscribers::MailConfirmation>(&outcome);
    auto id = asked ? asked->id : subscribers::SignUpId{};
    auto expires_at = asked ? asked->expires_at : now + sign_up_.confirm_within;
    auto url = fmt::format("{}/confirm/{}", site_.url, tokens_.confirm(id));
    auto mail = asked ? asked->mail : system::hex(system::random_bytes(16));
    auto message = confirmation_letter(templates, site_, list, address, language, url, mail, expires_at, now);
    storage::Transaction kept(connection); // undone where nothing was asked: the same work for all
    delivery::Letters(connection)
        .add(delivery::Purpose::confirmation, digest::letter_sender(site_), address.text(), address.key(), message, now,
             expires_at - now);
    if (asked) kept.commit();
}

http::Response Pages::asked_page(http::Format format, const templates::Words& words, const subscribers::List& list,
                                 const std::optional<std::string>& suggestion) {
    if (format == http::Format::json) {
        json::object answer{
            {"status", "asked"}, {"list", list.slug}, {"message", words.text("asked_text", {{"list", list.title}})}};
        if (suggestion) answer["suggestion"] = *suggestion;
        return json_answer(202, answer);
    }
    auto all = data(words, words.text("asked_heading"), list);
    json::object sentence{{"asked_text", words.html("asked_text", {{"list", list.title}})}};
    if (suggestion) sentence["did_you_mean"] = words.html("did_you_mean", {{"address", *suggestion}});
    all["sentence"] = std::move(sentence);
    all["join_url"] = path_of("/join/" + list.slug);
    return page(200, "page_asked.html", std::move(all));
}

http::Response Pages::bad_address(http::Format format, const templates::Words& words, const OpenList& list,
                                  const Entry& entry, std::string_view error) {
    if (format == http::Format::json) return json_answer(422, json::object{{"error", error}});
    return join_page(422, words, list, error, entry);
}

http::Response Pages::too_many(http::Format format, const templates::Words& words, Duration wait) {
    auto seconds = std::max<std::int64_t>(1, std::chrono::ceil<std::chrono::seconds>(wait).count());
    auto response = refused(format, words, 429, "too_many");
    response.headers.add("Retry-After", std::to_string(seconds));
    return response;
}

http::Response Pages::join_page(int status, const templates::Words& words, const OpenList& list, std::string_view error,
                                const Entry& entry) {
    auto all = data(words, list.title, list);
    all["action"] = path_of("/join/" + list.slug);
    all["error"] = error;
    all["email"] = mail::valid_utf8(entry.email.substr(0, longest_echo));
    all["name"] = mail::valid_utf8(entry.name.substr(0, longest_echo));
    all["has_name"] = true;
    auto chosen = entry.topics ? subscribers::chosen_topics(*entry.topics, list.topics) : "";
    all["topics"] = topic_choices(list.topics, chosen);
    all["has_topics"] = !list.topics.empty();
    auto now = clock_.now();
    all["form_token"] = sign_up_.form_age > Duration::zero() ? tokens_.form(list.id, now) : "";
    all["return_to"] = leads_back(entry) ? entry.return_to : "";
    bool works = work_is_wanted(now);
    auto answer = page(status, "page_join.html", std::move(all));
    auto policy = std::string(answer.headers.value("Content-Security-Policy"));
    if (works) {
        // Not in the template, so that an operator's own page has it too, and no template ever holds a script.
        auto body = templates::body_of(answer.body);
        answer.body.insert(body ? body->end : answer.body.size(),
                           fmt::format("<script src=\"{}\" defer></script>\n", path_of("/join.js")));
        policy += "; script-src 'self'; connect-src 'self'";
    }
    // A browser holds the redirection that answers a form to the form's own policy.
    constexpr std::string_view own = "form-action 'self'";
    if (leads_back(entry))
        policy.insert(policy.find(own) + own.size(), " " + http::Url::parse(entry.return_to).value().origin());
    answer.headers.set("Content-Security-Policy", std::move(policy));
    return answer;
}

}
