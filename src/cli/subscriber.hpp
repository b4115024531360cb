#pragma once

#include "cli/call.hpp"
#include "cli/command.hpp"
#include "subscribers/lists.hpp"
#include "subscribers/sign_up.hpp"
#include "web/letters.hpp"

#include <string>
#include <string_view>
#include <vector>

// What the commands about readers share.

namespace postrider::cli {

inline const Option list_option{"--list", "SLUG", "the list", Times::once};

// The one that --list names. Failure when it is archived.
[[nodiscard]] subscribers::List open_list(Call&);
[[nodiscard]] std::vector<std::string> topics_of(Call&, const subscribers::List&);

// Writes the letter that asks for the confirmation, inside the transaction of its sign-up.
class Confirmations {
public:
    Confirmations(Call& call, const subscribers::List& list);
    void write(const subscribers::MailConfirmation& asked, const mail::Address& address, std::string_view language);

private:
    Call& call_;
    const subscribers::List& list_;
    web::PageTemplates pages_;
    web::LetterTemplates templates_;
};

void add_many_readers(Commands&); // check, import, export

}
