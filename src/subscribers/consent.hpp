#pragma once

#include "storage/ids.hpp"
#include "system/time.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

// The record of what was agreed to, when and how. Only ever added to; erasing a person empties the columns that name
// one.

namespace postrider::subscribers {

enum class ConsentEvent { asked, confirmed, imported, added, left, erased };
[[nodiscard]] std::string_view to_text(ConsentEvent);

struct ConsentEntry {
    ListId list;
    std::string_view address_key;
    ConsentEvent event;
    Time at;
    std::string_view words = {};  // the sentence the reader agreed to, or the operator's basis
    std::string_view client = {}; // the reader's network address; empty: none
    std::string_view form = {};   // the page or program it came through; empty: none
};
void record_consent(storage::Connection&, const ConsentEntry&);

// For a person who asks what is known about them, oldest first.
struct ConsentRecord {
    std::string list_slug;
    std::string event;
    Time at;
    std::string words, client, form;
};
[[nodiscard]] std::vector<ConsentRecord> consent_of(storage::Connection&, std::string_view address_key);

// Empties network addresses written before `until`, at most `limit` of them; gives how many it emptied.
std::int64_t forget_clients(storage::Connection&, Time until, int limit);

}
