#pragma once

#include "digest/content.hpp"
#include "mail/address.hpp"
#include "subscribers/lists.hpp"
#include "web/page_templates.hpp"

#include <string>
#include <string_view>

// The letters a visitor brings about: the one that asks to confirm, the welcome, and the one to an address that was left
// for another.
//
// In:     the templates, the site, the list, the reader's address, language and links.
// Out:    the whole message, fit to follow DATA.
// Always: in the reader's language, or the list's where the reader has none. A letter of the program, not of a list:
//         Auto-Submitted, no List- field, no Precedence. Whoever typed into a
//         form has no say in it but for the address: the mail may reach somebody who never asked.
// Threads: may run anywhere.

namespace postrider::web {

[[nodiscard]] std::string confirmation_letter(const LetterTemplates&, const digest::SiteWords&,
                                              const subscribers::List&, const mail::Address&, std::string_view language,
                                              std::string_view confirm_url, std::string_view message_id,
                                              Time expires_at, Time now);

struct WelcomeLinks {
    std::string unsubscribe_url, preferences_url;
};
[[nodiscard]] std::string welcome_letter(const LetterTemplates&, const digest::SiteWords&, const subscribers::List&,
                                         const mail::Address&, std::string_view name, std::string_view language,
                                         const WelcomeLinks&, Time now);

// Tells the old address that the mails go to another one, which it does not name: the old one may be somebody else's by
// now.
[[nodiscard]] std::string moved_letter(const LetterTemplates&, const digest::SiteWords&, const subscribers::List&,
                                       const mail::Address&, std::string_view language,
                                       std::string_view preferences_url, Time now);

// As digest::list_content, but with an archive only where it is public.
[[nodiscard]] boost::json::object list_words(const digest::SiteWords&, const subscribers::List&);

}
