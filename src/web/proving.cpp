#include "subscribers/client_network.hpp"
#include "subscribers/proof_of_work.hpp"
#include "system/embedded.hpp"
#include "web/entry.hpp"
#include "web/pages.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json.hpp>

#include <algorithm>

// What shows that a person fills in a form. Nothing of it is ever a reason to refuse: who brings no proof may sign up less
// often.

namespace postrider::web {
namespace {

constexpr Duration form_lives_for = 24h;
constexpr int works_a_second = 4; // of one client: an office behind one address may sign up at once
constexpr int odd_parts = 6;      // ten minutes of an hour's rate at once are odd

}

// What is left of those that were noted: they run off at the rate that is usual.
double Pages::recent_sign_ups(Time now) const {
    auto& odd = sign_up_.odd_above;
    auto run_off = double(odd.count) * double((now - sign_ups_at_).count()) / double(odd.per.count());
    return std::max(0.0, sign_ups_ - std::max(0.0, run_off));
}

bool Pages::work_is_wanted(Time now) const {
    using Work = subscribers::ProofOfWork;
    if (sign_up_.proof_of_work != Work::automatic) return sign_up_.proof_of_work == Work::on;
    return recent_sign_ups(now) > double(sign_up_.odd_above.count) / odd_parts;
}

void Pages::note_sign_up(Time now) {
    // Bounded, so that an attack of an hour is not held against the readers of the next day.
    sign_ups_ = std::min(recent_sign_ups(now) + 1, double(sign_up_.odd_above.count));
    sign_ups_at_ = now;
}

// A check costs us as much as one try costs a browser, and a wrong solution costs its sender nothing.
bool Pages::may_check_work(const std::string& client, Time now) {
    if (client.empty()) return true;
    if (now < works_checked_since_ || now - works_checked_since_ >= 1s) {
        works_checked_.clear();
        works_checked_since_ = now;
    }
    auto& checked = works_checked_[subscribers::client_network(client)];
    if (checked == works_a_second) return false;
    ++checked;
    return true;
}

boost::asio::awaitable<Pages::Proven> Pages::proof_in(const Entry& entry, ListId list, const std::string& client,
                                                      Time now) {
    Proven proven{subscribers::Proof::enough, {}};
    if (work_is_wanted(now)) {
        std::optional<std::string> nonce;
        if (!entry.altcha.empty() && may_check_work(client, now)) {
            auto check = [](const subscribers::LinkTokens& tokens, std::string payload,
                            Time at) -> boost::asio::awaitable<std::optional<std::string>> {
                co_return subscribers::solved_nonce(tokens, payload, at);
            };
            auto checking = check(tokens_, entry.altcha, now);
            nonce = co_await boost::asio::co_spawn(working_thread_, std::move(checking), boost::asio::use_awaitable);
        }
        if (!nonce) co_return Proven{subscribers::Proof::missing, {}};
        proven.nonce = std::move(*nonce);
    }
    if (sign_up_.form_age > Duration::zero()) {
        auto made = tokens_.read_form(entry.form, list);
        bool ours = made && now - *made >= sign_up_.form_age && now - *made <= form_lives_for;
        if (!ours) proven.proof = subscribers::Proof::missing;
    }
    co_return proven;
}

bool Pages::leads_back(const Entry& entry) const {
    return std::ranges::find(sign_up_.return_to, entry.return_to) != sign_up_.return_to.end();
}

Pages::Answer Pages::challenge(const http::Request&, const Names&) {
    auto now = clock_.now();
    http::Response response{204, {}, {}};
    if (work_is_wanted(now)) {
        response.status = 200;
        response.body = subscribers::challenge(tokens_, now);
        response.headers.add("Content-Type", "application/json");
    }
    co_return response;
}

Pages::Answer Pages::join_script(const http::Request&, const Names&) {
    http::Response response;
    response.body = embedded::scripts().front().text;
    response.headers.add("Content-Type", "text/javascript; charset=utf-8");
    response.headers.add("Cross-Origin-Resource-Policy", "cross-origin"); // for pages anywhere
    co_return response;
}

}
