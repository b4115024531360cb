#pragma once

#include "digest/content.hpp"
#include "http/form.hpp"
#include "http/message.hpp"
#include "storage/ids.hpp"
#include "subscribers/address_rules.hpp"
#include "subscribers/budgets.hpp"
#include "subscribers/link_tokens.hpp"
#include "subscribers/lists.hpp"
#include "subscribers/sign_up.hpp"
#include "system/clock.hpp"
#include "templates/source.hpp"
#include "web/page_templates.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/json/fwd.hpp>

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

// What a reader sees of the program: one function for each page, from a request to an answer.
//
// In:     requests that daemon/routes sorted by path and method, and the names that stood in the path.
// Out:    HTML, or JSON for programs that sign readers up; letters written in the transaction that made them necessary.
// Always: a page speaks the reader's language where a link tells who it is; else the list's, else the browser's, else
//         English. A function for GET changes nothing, not even a row. Nobody learns from an answer whether an address is known:
//         it is the same for all, to the octet. Every token that is not ours gets the one page of not_found(). No full
//         address and no token is shown to whoever opens a link; every value is escaped.
// Threads: one loop thread; the database does its work on its own, and so does the check of a proof of work. Errors: what storage throws comes out of the co_await.

namespace postrider::storage {
class Database;
}

namespace postrider::system {
class MailHosts;
}

namespace postrider::web {

struct KeptMail;
class OutboxFolder;
struct Entry;

struct PageOptions {
    std::optional<std::filesystem::path> outbox;             // of the built-in test relay; none: no pages for it
    std::function<std::vector<std::string>()> what_is_wrong; // for /health: one sentence each; called on the loop
    system::MailHosts* mail_hosts = nullptr;                 // for check_mx; none: every domain counts as good
};

class Pages {
public:
    using Answer = boost::asio::awaitable<http::Response>;
    using Names = std::vector<std::string>; // what stood in the variable places of the path, in order

    // References must outlive it.
    Pages(storage::Database&, system::Clock&, const templates::Library&, const subscribers::LinkTokens&,
          const digest::SiteWords&, const subscribers::Settings&, PageOptions = {});
    ~Pages();

    // home.cpp
    Answer home(const http::Request&, const Names&);
    Answer health(const http::Request&, const Names&); // 200 whatever is wrong; the body says what

    // joining.cpp; names: the list's slug
    Answer join_form(const http::Request&, const Names&);
    Answer join(const http::Request&, const Names&);

    // proving.cpp
    Answer challenge(const http::Request&, const Names&);   // 204 where no work is asked for
    Answer join_script(const http::Request&, const Names&); // for forms anywhere

    // confirming.cpp; names: a token, to confirm or to ask for a new link
    Answer confirm_form(const http::Request&, const Names&);
    Answer confirm(const http::Request&, const Names&);

    // leaving.cpp; names: a token
    Answer leave_form(const http::Request&, const Names&);
    Answer leave(const http::Request&, const Names&); // RFC 8058 too: 200 for every token of ours, whatever the body is

    // preferences.cpp; names: a token
    Answer preferences(const http::Request&, const Names&);
    Answer change_preferences(const http::Request&, const Names&);

    // reading.cpp
    Answer view(const http::Request&, const Names&);          // a token
    Answer archive(const http::Request&, const Names&);       // a slug
    Answer archive_issue(const http::Request&, const Names&); // a slug and a number
    Answer archive_feed(const http::Request&, const Names&);  // a slug; JSON where the path ends so, else Atom

    // approving.cpp; names: a token
    Answer approve_form(const http::Request&, const Names&);
    Answer approve(const http::Request&, const Names&);
    Answer stop_form(const http::Request&, const Names&);
    Answer stop(const http::Request&, const Names&);

    // outbox.cpp
    Answer outbox(const http::Request&, const Names&);
    // A file and "text", "source", "html", or that as a frame: "html-light", "html-dark"; or a page with such a frame.
    Answer outbox_mail(const http::Request&, const Names&);

    [[nodiscard]] http::Response not_found(const http::Request&);
    // For a request that the server would not take: its header may be missing or cut short. A program is told `reason`.
    [[nodiscard]] http::Response not_taken(const http::Request&, int status, std::string_view reason);
    // A page that says what went wrong, by the words REASON_heading and REASON_text, or the latter as {"error": ...}.
    [[nodiscard]] http::Response refusal(const http::Request&, int status, std::string_view reason);
    [[nodiscard]] const std::string& site_path() const { return site_path_; } // of site.url: "" or "/mail"
    [[nodiscard]] Time now() const { return clock_.now(); }
    [[nodiscard]] bool is_secure() const { return site_.url.starts_with("https://"); }

private:
    struct Preferences;
    struct Change;
    struct Changed;
    enum class Decision { approve, stop }; // an editor's

    [[nodiscard]] templates::Words speaking(const http::Request&, std::string_view wish = "");
    [[nodiscard]] templates::Words speaking(const subscribers::List&, std::string_view reader_language = "");
    // What every page's template knows: title, site, language, direction, words; and the list.
    [[nodiscard]] boost::json::object data(const templates::Words&, std::string_view title) const;
    [[nodiscard]] boost::json::object data(const templates::Words&, std::string_view title,
                                           const subscribers::List&) const;
    // `more`: what the page's policy allows besides its own styles and forms, such as "; frame-src 'self'".
    [[nodiscard]] http::Response page(int status, std::string_view name, boost::json::object data,
                                      std::string_view more = "");
    // Where a form posts to: a path, so that 'self' of the policy is met under whatever name the visitor came.
    [[nodiscard]] std::string path_of(std::string_view path) const { return site_path_ + std::string(path); }

    Answer decision_form(const http::Request&, std::optional<IssueId>, Decision, std::string action);
    Answer decide(const http::Request&, std::optional<IssueId>, Decision);
    struct OpenList : subscribers::List {
        std::vector<std::string> topics; // that readers may choose among
    };
    boost::asio::awaitable<std::optional<OpenList>> open_list(const std::string& slug);
    // Only a domain that is known to take no mail is false.
    boost::asio::awaitable<bool> may_take_mail(const mail::Address&);
    // Why this address is not taken, in words; empty: it is.
    boost::asio::awaitable<std::string> fault_of(const templates::Words&, const mail::Address&);
    // The uniform answer; with what the address may have been meant to be, which depends on nothing but the address.
    http::Response asked_page(http::Format, const templates::Words&, const subscribers::List&,
                              const std::optional<std::string>& suggestion = {});
    http::Response bad_address(http::Format, const templates::Words&, const OpenList&, const Entry&,
                               std::string_view error);
    http::Response refused(http::Format, const templates::Words&, int status, std::string_view reason);
    // The page of a refusal; with 200, of something done after which there is nothing more to show.
    http::Response notice(const templates::Words&, int status, std::string_view reason);
    http::Response too_many(http::Format, const templates::Words&, Duration wait);
    http::Response join_page(int status, const templates::Words&, const OpenList&, std::string_view error,
                             const Entry&);
    // In the asking transaction. Makes the letter whatever the outcome is, and keeps it where there is one to send:
    // so that the time to the answer tells nothing either.
    void write_confirmation(storage::Connection&, const LetterTemplates&, const subscribers::AskOutcome&,
                            const subscribers::List&, const mail::Address&, std::string_view language, Time now) const;
    void write_welcome(storage::Connection&, const LetterTemplates&, SubscriptionId, const subscribers::List&,
                       Time now) const;
    [[nodiscard]] double recent_sign_ups(Time now) const;
    // Whether browsers are to work before a sign-up counts.
    [[nodiscard]] bool work_is_wanted(Time now) const;
    void note_sign_up(Time now);
    struct Proven {
        subscribers::Proof proof;
        std::string nonce;
    };
    boost::asio::awaitable<Proven> proof_in(const Entry&, ListId, const std::string& client, Time now);
    [[nodiscard]] bool may_check_work(const std::string& client, Time now);
    [[nodiscard]] bool leads_back(const Entry&) const; // to where a form may
    void tell_old_address(storage::Connection&, const LetterTemplates&, SubscriptionId, const subscribers::List&,
                          Time now) const;
    Answer ask_again(const http::Request&, subscribers::SignUpId);
    http::Response expired_page(const templates::Words&, subscribers::SignUpId, const subscribers::List&);
    http::Response confirmed_page(const templates::Words&, const subscribers::List&);
    enum class AfterLeaving { asks, thanks }; // why
    struct Left {
        std::string address; // empty: not known any more
        std::string token;   // of the link that led here; empty: another one did
        bool may_undo = false;
        AfterLeaving after = AfterLeaving::asks;
    };
    http::Response left_page(const templates::Words&, const std::optional<subscribers::List>&, const Left&);
    Changed apply(storage::Connection&, const Change&) const;
    void choose_topics(storage::Connection&, const http::Form&, const Preferences&) const;
    void ask_to_join(storage::Connection&, const Change&, std::string_view slug, Changed&) const;
    void ask_new_address(storage::Connection&, const Change&, Changed&) const;
    void ask(storage::Connection&, const Change&, const subscribers::List&, const mail::Address&,
             std::optional<SubscriptionId> replaces, Changed&) const;
    templates::Words speaking(const http::Request&, const Preferences&);
    http::Response outbox_view(const http::Request&, const Names&, const KeptMail&);
    struct Said {
        bool saved = false;
        std::string error = {}; // a sentence
    };
    http::Response preferences_page(const templates::Words&, const std::string& token, const Preferences&, const Said&);

    storage::Database& database_;
    system::Clock& clock_;
    const templates::Library& library_;
    const subscribers::LinkTokens& tokens_;
    const digest::SiteWords& site_;
    const subscribers::Settings& sign_up_;
    PageOptions options_;
    PageTemplates templates_;
    std::string site_path_; // of site.url: "" or "/mail"
    std::unique_ptr<OutboxFolder> outbox_;
    subscribers::DisposableDomains disposable_;
    double sign_ups_ = 0; // lately: each runs off at the rate of odd_above
    Time sign_ups_at_{};
    std::unordered_map<std::string, int> works_checked_; // by client, since:
    Time works_checked_since_{};
    boost::asio::thread_pool working_thread_{1}; // checks what browsers worked out
};

// Frozen issues are mail: they bring inline styles and pictures, and nothing that runs.
inline constexpr std::string_view issue_policy =
    "default-src 'none'; style-src 'unsafe-inline'; img-src https: data:; form-action 'none'; frame-ancestors 'none'; "
    "base-uri 'none'";

// name chosen, for each topic that a list offers; `chosen` as stored (subscribers/topics.hpp).
[[nodiscard]] boost::json::array topic_choices(std::span<const std::string> offered, std::string_view chosen);

[[nodiscard]] bool is_json(const http::Request&); // by its Content-Type
// JSON for whoever sent some, or asks for it.
[[nodiscard]] http::Format wanted_format(const http::Request&);
[[nodiscard]] http::Response html_answer(int status, std::string html, std::string policy);
[[nodiscard]] http::Response json_answer(int status, const boost::json::value&);

}
