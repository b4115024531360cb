#include "web/letters.hpp"

#include "digest/prose.hpp"
#include "mail/message.hpp"
#include "system/random.hpp"
#include "web/wording.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

namespace postrider::web {
namespace {

namespace json = boost::json;
using Values = templates::Words::Values;

constexpr std::size_t columns = 72;

std::string written(const LetterTemplates& templates, const mail::Mailbox& from, const mail::Address& address,
                    std::string_view name, std::string_view message_id, json::object html_words,
                    json::object text_words, Time now) {
    auto subject = templates.subject.render(text_words);
    mail::make_one_line(subject);
    mail::Heading heading{from, {}, std::move(subject), {}, mail::Body::alternative};
    mail::Recipient recipient{address, name, message_id, {}, {}};
    return mail::whole_message(heading, recipient, now, templates.text.render(text_words),
                               templates.html.render(html_words));
}

json::object every_letter(const LetterTemplates& templates, const templates::Words& said, const digest::SiteWords& site,
                          const subscribers::List& list) {
    return {{"site", digest::site_content(site)}, {"list", list_words(site, list)},
            {"language", said.language()},        {"direction", said.direction()},
            {"align_start", said.align_start()},  {"words", words_of(templates.words, said)}};
}

void wrap(json::value& text) {
    if (text.is_string()) text = digest::wrapped(text.as_string(), columns);
}

json::object as_plain_text(json::object words, const json::object& sentences) {
    words["sentence"] = sentences;
    // A subject is one line, wherever it stands.
    for (auto& [key, text] : words["sentence"].as_object())
        if (!key.ends_with("_subject")) wrap(text);
    for (auto& [key, text] : words["words"].as_object()) wrap(text);
    for (auto key : {"why", "expires"})
        if (auto* text = words.if_contains(key)) wrap(*text);
    wrap(words["list"].as_object()["description"]);
    return words;
}

}

json::object list_words(const digest::SiteWords& site, const subscribers::List& list) {
    auto words = digest::list_content(site, list);
    words["slug"] = list.slug;
    if (list.state != subscribers::ListState::open) words["archive_url"] = "";
    return words;
}

std::string confirmation_letter(const LetterTemplates& templates, const digest::SiteWords& site,
                                const subscribers::List& list, const mail::Address& address, std::string_view language,
                                std::string_view confirm_url, std::string_view message_id, Time expires_at, Time now) {
    auto said = templates.languages->words({language, list.language});
    Values list_only{{"list", list.title}}, both{{"list", list.title}, {"address", address.text()}};
    Values who{{"list", list.title}, {"site", site.name}};
    json::object words = every_letter(templates, said, site, list);
    words["subscriber"] = json::object{{"address", address.text()}};
    words["confirm_url"] = confirm_url;
    words["expires"] = expiry_in_words(said, expires_at - now);
    json::object sentences{{"confirm_subject", said.text("confirm_subject", list_only)},
                           {"confirm_preview", said.text("confirm_preview", list_only)},
                           {"confirm_asked", said.text("confirm_asked", both)},
                           {"confirm_who", said.text("confirm_who", who)}};
    auto text_words = as_plain_text(words, sentences);
    sentences["confirm_asked"] = said.html("confirm_asked", both);
    sentences["confirm_who"] = said.html("confirm_who", who);
    words["sentence"] = std::move(sentences);
    return written(templates, site.from, address, "", message_id, words, text_words, now);
}

std::string welcome_letter(const LetterTemplates& templates, const digest::SiteWords& site,
                           const subscribers::List& list, const mail::Address& address, std::string_view name,
                           std::string_view language, const WelcomeLinks& links, Time now) {
    auto said = templates.languages->words({language, list.language});
    auto joined = said.dates(list.timezone, templates::Dates::Style::long_).in_words(now);
    Values list_only{{"list", list.title}}, address_only{{"address", address.text()}};
    json::object words = every_letter(templates, said, site, list);
    words["subscriber"] =
        json::object{{"address", address.text()}, {"name", name}, {"first_name", name.substr(0, name.find(' '))}};
    words["why"] = said.text("why", {{"address", address.text()}, {"list", list.title}, {"date", joined}});
    words["unsubscribe_url"] = links.unsubscribe_url;
    words["preferences_url"] = links.preferences_url;
    json::object sentences{{"welcome_subject", said.text("welcome_subject", list_only)},
                           {"welcome_next", said.text("welcome_next", address_only)}};
    auto text_words = as_plain_text(words, sentences);
    sentences["welcome_next"] = said.html("welcome_next", address_only);
    words["sentence"] = std::move(sentences);
    auto sender = mail::parse_sender(list.sender);
    auto message_id = system::hex(system::random_bytes(16));
    return written(templates, sender ? *sender : site.from, address, name, message_id, words, text_words, now);
}

std::string moved_letter(const LetterTemplates& templates, const digest::SiteWords& site, const subscribers::List& list,
                         const mail::Address& address, std::string_view language, std::string_view preferences_url,
                         Time now) {
    auto said = templates.languages->words({language, list.language});
    Values address_only{{"address", address.text()}};
    json::object words = every_letter(templates, said, site, list);
    words["preferences_url"] = preferences_url;
    json::object sentences{{"moved_text", said.text("moved_text", address_only)}};
    auto text_words = as_plain_text(words, sentences);
    sentences["moved_text"] = said.html("moved_text", address_only);
    words["sentence"] = std::move(sentences);
    return written(templates, site.from, address, "", system::hex(system::random_bytes(16)), words, text_words, now);
}

}
