#pragma once

#include "mail/address.hpp"
#include "storage/connection.hpp"
#include "subscribers/erase.hpp"
#include "system/time.hpp"

#include <string>

// Everything that is kept of a person, to be given to them (GDPR article 15) or forgotten (article 17): what
// subscribers/erase.hpp knows, the letters that are kept still, and what became of each issue.
//
// Always: one and the same for the reader who asks on the page and for the operator who is asked by mail.

namespace postrider::delivery {

// One JSON object.
[[nodiscard]] std::string whole_record(storage::Connection&, const subscribers::LinkTokens&, const mail::Address&,
                                       Time now);

// In one transaction, overwritten with zeros (storage/wiping.hpp). Mails kept in the outbox are the caller's to delete.
subscribers::Erased erase_record(storage::Connection&, const subscribers::LinkTokens&, const mail::Address&, Time now);

}
