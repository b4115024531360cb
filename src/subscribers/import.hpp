#pragma once

#include "storage/ids.hpp"
#include "subscribers/link_tokens.hpp"
#include "subscribers/sign_up.hpp"

#include <cstdint>
#include <expected>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

// A file of readers onto a list.
//
// In:     CSV with a header line: `email`, and where they are there `name`, `language`, `timezone`; any other column
//         is an attribute, unless the operator says otherwise. Exports of other programs are recognised: see
//         import_columns.hpp.
// Out:    counts that add up: rows = added + unchanged + suppressed + rejected. A dry run gives the same counts and
//         writes nothing.
// Always: an import brings nobody back: who is on the suppression list, or has left this list, is `suppressed`. So is
//         who had left, bounced, complained or was blocked where the file comes from: that is kept, as having left
//         this list or as an entry of the suppression list, unless they have confirmed here themselves.
//         Nothing else about a person who is known already is changed. It commits at least every 50 ms and leaves the
//         database alone in between, so that a daemon goes on beside it; stopped in the middle, it has imported a
//         part, and running it again imports the rest. Memory does not grow with the file, but for 32 octets a row in
//         a dry run.

namespace postrider::subscribers {

enum class Standing {
    confirmed, // active at once; the operator's basis is the consent
    unasked,   // each gets a confirmation mail
};

struct ColumnMeaning {
    std::string title; // a column of the file, in any letter case
    std::string
        meaning; // email, name, first_name, last_name, language, timezone, topics, status, "-" (left out), or the name
                 // of an attribute
};

struct ImportOptions {
    ListId list;
    std::string basis; // "joined at the fair, May 2026, on paper"
    Standing standing = Standing::unasked;
    bool dry_run = false;
    std::vector<ColumnMeaning> columns = {};
    std::vector<std::string> topics = {}; // that the readers of the list may choose among
};

struct Rejection {
    std::int64_t line;
    std::string reason;
};

struct ImportReport {
    std::int64_t rows = 0;
    std::int64_t added = 0;
    std::int64_t unchanged = 0; // active already, or asked and not yet answered, or a second time in the file
    std::int64_t suppressed = 0;
    std::int64_t unsubscribed = 0;  // of the suppressed: had left where the file comes from
    std::int64_t undeliverable = 0; // of the suppressed: had bounced, complained or been blocked there
    std::int64_t rejected = 0;
    std::string_view written_by;       // the program whose export the file is; empty: not known
    std::vector<Rejection> rejections; // the first thousand, in the order of the file
};

struct ImportProgress {
    std::int64_t rows; // done with
    std::uintmax_t bytes_read, bytes_total;
};

struct ImportHooks {
    // Called for each of the unasked, inside the transaction that keeps the sign-up: writes the letter.
    std::function<void(const MailConfirmation&, const SignUp&)> write_letter;
    std::function<void(const ImportProgress&)> progress; // after each commit
    // The header, then each rejected row, as lines of CSV that can be mended and imported: the file's own columns
    // behind two that say the line and the reason.
    std::function<void(std::string_view)> write_rejected;
};

// The error is one line that begins with the file's name (and line, where there is one): no such file, no header, no
// list.
[[nodiscard]] std::expected<ImportReport, std::string>
import_readers(storage::Connection&, const LinkTokens&, const Settings&, const std::filesystem::path& file,
               const ImportOptions&, const ImportHooks&, Time now);

}
