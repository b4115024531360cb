#include "web/letters.hpp"

#include "mail/message.hpp"
#include "system/random.hpp"
#include "web/wording.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

namespace postrider::web {
namespace {

namespace json = boost::json;

std::string written(const LetterTemplates& templates, const mail::Mailbox& from, const mail::Address& address,
                    std::string_view name, json::object html_words, json::object text_words, Time now) {
    auto subject = templates.subject.render(text_words);
    while (subject.ends_with('\n') || subject.ends_with('\r')) subject.pop_back();
    mail::Heading heading{from, {}, std::move(subject), {}, mail::Body::alternative};
    auto message_id = system::hex(system::random_bytes(16));
    mail::Recipient recipient{address, name, message_id, {}, {}};
    return mail::whole_message(heading, recipient, now, templates.text.render(text_words),
                               templates.html.render(html_words));
}

}

std::string letter_sender(const digest::SiteWords& site) {
    return fmt::format("bounce@{}", site.from.address.domain_ascii());
}

json::object list_words(const digest::SiteWords& site, const subscribers::List& list) {
    auto words = digest::list_content(site, list);
    words["slug"] = list.slug;
    if (list.state != subscribers::ListState::open) words["archive_url"] = "";
    return words;
}

std::string confirmation_letter(const LetterTemplates& templates, const digest::SiteWords& site,
                                const subscribers::List& list, const mail::Address& address,
                                std::string_view confirm_url, Time expires_at, Time now) {
    json::object words{{"site", digest::site_content(site)},
                       {"list", list_words(site, list)},
                       {"subscriber", json::object{{"address", address.text()}}},
                       {"confirm_url", confirm_url},
                       {"expires", "in " + in_words(expires_at - now)}};
    return written(templates, site.from, address, "", words, words, now);
}

std::string welcome_letter(const LetterTemplates& templates, const digest::SiteWords& site,
                           const subscribers::List& list, const mail::Address& address, std::string_view name,
                           const WelcomeLinks& links, Time now) {
    auto why = fmt::format("You receive this because {} joined {} on {}.", address.text(), list.title,
                           date_in_words(now, list.timezone));
    json::object words{
        {"site", digest::site_content(site)},
        {"list", list_words(site, list)},
        {"subscriber",
         json::object{{"address", address.text()}, {"name", name}, {"first_name", name.substr(0, name.find(' '))}}},
        {"why", why},
        {"unsubscribe_url", links.unsubscribe_url},
        {"preferences_url", links.preferences_url}};
    auto text_words = words;
    text_words["why"] = digest::wrapped(why, 72);
    text_words["list"].as_object()["description"] = digest::wrapped(list.description, 72);
    auto sender = mail::parse_mailbox(list.sender);
    return written(templates, sender ? *sender : site.from, address, name, words, text_words, now);
}

}
