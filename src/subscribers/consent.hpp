#pragma once

#include "storage/ids.hpp"
#include "subscribers/sign_up_id.hpp"
#include "system/time.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// The record of what was agreed to, when and how.
//
// Always: only ever added to, and chained by hash (consent_chain.hpp), so that nothing in it can be changed or taken
//         out unseen; the database refuses to. Forgetting a person empties the columns that name one, and the chain
//         stays whole.

namespace postrider::subscribers {

enum class ConsentEvent { asked, confirmed, imported, added, left, erased };
[[nodiscard]] std::string_view to_text(ConsentEvent);

struct ConsentEntry {
    ListId list;
    std::string_view address_key;
    ConsentEvent event;
    Time at;
    std::string_view words = {};    // the sentence the reader agreed to, or the operator's basis
    std::string_view client = {};   // the reader's network address; empty: none
    std::string_view form = {};     // the page or program it came through; empty: none
    std::string_view language = {}; // of the words; empty: not known
    std::optional<SignUpId> sign_up = std::nullopt;
    std::string_view mail = {}; // left side of the Message-ID of the mail that asked
};
void record_consent(storage::Connection&, const ConsentEntry&);

// What binds entries to the record, for whoever writes rows of its own. Lives within one writing transaction; every
// entry that is linked must be written, in this order.
class ConsentChain {
public:
    explicit ConsentChain(storage::Connection&);
    struct Link {
        std::string person_salt, client_salt; // empty: NULL
        std::string hash;
    };
    [[nodiscard]] Link link(const ConsentEntry&);

private:
    std::string before_;
};

// Of one person, oldest first.
struct ConsentRecord {
    std::int64_t entry;
    std::string list_slug;
    std::string event;
    Time at;
    std::string words, language, client, form, mail;
    std::optional<SignUpId> sign_up;
    std::string hash; // 32 bytes
};
[[nodiscard]] std::vector<ConsentRecord> consent_of(storage::Connection&, std::string_view address_key);
// Which version of a text this was: eight hexadecimal digits of its hash; empty for no words.
[[nodiscard]] std::string version_of(std::string_view words);

struct ConsentCheck {
    std::int64_t entries = 0;
    std::string head; // the hash of the last entry; who has it elsewhere can prove the record up to there
    std::optional<std::int64_t> broken; // the first entry that does not follow from the one before it
    bool cut_off = false;               // entries are missing at the end
};
// Reads every entry, `at_once` of them (1 or more) in one moment: in between the database can put its log away.
[[nodiscard]] ConsentCheck check_consent(storage::Connection&, std::int64_t at_once = 50'000);

// Empties what names the person, in the entries of one list or of all; gives how many there were.
std::int64_t forget_person(storage::Connection&, std::string_view address_key, std::optional<ListId> = {});
// Cuts network addresses that were written before `until` down to their network (/24, /48), at most `limit` of them;
// gives how many.
std::int64_t truncate_clients(storage::Connection&, Time until, int limit);

}
