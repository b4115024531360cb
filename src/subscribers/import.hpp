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
//         is an attribute.
// Out:    counts that add up: rows = added + unchanged + suppressed + rejected. A dry run gives the same counts and
//         writes nothing.
// Always: an import brings nobody back: who is on the suppression list, or has left this list, is `suppressed`.
//         Nothing about a person who is known already is changed. It commits at least every 50 ms and leaves the
//         database alone in between, so that a daemon goes on beside it; stopped in the middle, it has imported a
//         part, and running it again imports the rest. Memory does not grow with the file, but for 32 octets a row in
//         a dry run.

namespace postrider::subscribers {

enum class Standing {
    confirmed, // active at once; the operator's basis is the consent
    unasked,   // each gets a confirmation mail
};

struct ImportOptions {
    ListId list;
    std::string basis; // "joined at the fair, May 2026, on paper"
    Standing standing = Standing::unasked;
    bool dry_run = false;
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
    std::int64_t rejected = 0;
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
};

// The error is one line that begins with the file's name (and line, where there is one): no such file, no header, no
// list.
[[nodiscard]] std::expected<ImportReport, std::string>
import_readers(storage::Connection&, const LinkTokens&, const Settings&, const std::filesystem::path& file,
               const ImportOptions&, const ImportHooks&, Time now);

}
