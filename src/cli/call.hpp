#pragma once

#include "cli/output.hpp"
#include "cli/parse.hpp"
#include "cli/run.hpp"
#include "daemon/site.hpp"
#include "digest/issues.hpp"
#include "digest/publishing.hpp"
#include "http/client.hpp"
#include "mail/address.hpp"
#include "storage/connection.hpp"
#include "subscribers/link_tokens.hpp"
#include "subscribers/lists.hpp"
#include "templates/source.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// What a command has in hand while it runs: its arguments, the streams, and the site, opened as far as it is asked for.
//
// Always: the database is brought up to date when it is first used. A value that cannot be read is WrongUsage; a list,
//         issue or address that is not there is a Failure with the next thing to do.

namespace postrider::cli {

class Call {
public:
    Call(Parsed parsed, std::istream& in, std::ostream& out, std::ostream& err, const Terminal& terminal);
    ~Call();

    std::istream& in;
    std::ostream& out;
    std::ostream& err;
    const Terminal terminal;
    const Time now; // when the command began

    // Arguments and options.
    [[nodiscard]] std::size_t count() const { return parsed_.arguments.size(); }
    [[nodiscard]] const std::string& argument(std::size_t index) const { return parsed_.arguments.at(index); }
    [[nodiscard]] const std::vector<std::string>& arguments() const { return parsed_.arguments; }
    [[nodiscard]] const std::optional<std::string>& folder() const { return parsed_.folder; } // of -C
    [[nodiscard]] bool has(std::string_view option) const { return parsed_.options.contains(option); }
    [[nodiscard]] bool json() const { return has("--json"); }
    [[nodiscard]] std::optional<std::string> text_if(std::string_view option) const;
    [[nodiscard]] std::string text(std::string_view option, std::string_view otherwise = "") const;
    // For what readers see or a header holds: UTF-8 without control characters, else a Failure.
    [[nodiscard]] std::string line(std::string_view option, std::string_view otherwise = "") const;
    [[nodiscard]] std::vector<std::string> texts(std::string_view option) const;
    [[nodiscard]] std::vector<std::string> lines(std::string_view option) const; // each as line() has it
    [[nodiscard]] std::optional<std::int64_t> number_if(std::string_view option, std::int64_t least,
                                                        std::int64_t most) const;
    [[nodiscard]] std::optional<Duration> duration_if(std::string_view option) const;
    [[nodiscard]] std::optional<Time> time_if(std::string_view option) const; // RFC 3339
    [[nodiscard]] std::optional<bool> yes_or_no_if(std::string_view option) const;
    [[nodiscard]] std::int64_t id(std::size_t index, std::string_view what) const; // an argument: "feed"

    // The site.
    [[nodiscard]] const daemon::Site& site();
    [[nodiscard]] const daemon::Site* site_if(); // null: there is none, and -C was not given
    // For what a command fetches itself: the site's, if there is one, and --allow-private-addresses.
    [[nodiscard]] http::ClientSettings client_settings();
    [[nodiscard]] storage::Connection& database();
    [[nodiscard]] const subscribers::LinkTokens& tokens();
    [[nodiscard]] const templates::Library& library();
    [[nodiscard]] digest::Publishing& publishing();

    // Things of the site by the names operators use.
    [[nodiscard]] subscribers::List list(std::string_view slug);
    [[nodiscard]] digest::Issue issue(const std::string& target); // "12" or "daily/3"
    [[nodiscard]] mail::Address address(std::string_view text) const;

    // True at once with --yes. Without a terminal to ask on, a Failure that names --yes.
    [[nodiscard]] bool confirmed(std::string_view question);

    // One line each on standard output, or standard error.
    void say(std::string_view line) { out << line << '\n'; }
    void note(std::string_view line) { err << line << '\n'; }

private:
    Parsed parsed_;
    struct Open;
    std::unique_ptr<Open> open_;
};

// The whole file; Failure when it cannot be read, or is longer than 10 MB, which pipes and devices may be without end.
// "-": standard input.
[[nodiscard]] std::string read_file(Call&, const std::string& name);
// `Name <a@b>`, quoted where the name needs it.
[[nodiscard]] std::string mailbox_text(const mail::Mailbox&);

// The whole text as a number.
[[nodiscard]] std::optional<std::int64_t> whole_number(std::string_view text);

// No command before issue's target: digits are an id, LIST/NUMBER a number of a list.
[[nodiscard]] bool names_an_issue(std::string_view target);

}
