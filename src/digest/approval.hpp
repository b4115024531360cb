#pragma once

#include "digest/content.hpp"
#include "digest/issues.hpp"
#include "mail/address.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>

// Issues that an editor sees before they go out.
//
// In:     what the operator set for a list; an issue; now.
// Out:    whether it goes out without an answer; the letter that asks.
// Always: an issue is held from `ahead` of its slot on; with the editor's word it is a draft that has a slot, and goes
//         out then, or at once where the slot is past. This room alone writes list_approval.

namespace postrider::digest {

enum class Unanswered { send, wait };
[[nodiscard]] std::string_view to_text(Unanswered);
[[nodiscard]] std::optional<Unanswered> parse_unanswered(std::string_view);

struct Approval {
    Duration ahead{};
    Unanswered unanswered = Unanswered::wait;
    std::string editor; // an address; empty: the site's operator
};

// When it goes out without an answer: at its slot; an issue that was late itself gives the editor his time all the same.
[[nodiscard]] Time answer_until(const Issue&, const Approval&);
// Of an issue with a slot that is a draft or held. `approval`: none: nobody asks for this list any more.
[[nodiscard]] bool may_go(const Issue&, const Approval* approval, Time now);

class Approvals {
public:
    explicit Approvals(storage::Connection& connection) : connection_(connection) {}

    [[nodiscard]] std::optional<Approval> of(ListId);
    [[nodiscard]] std::map<ListId, Approval> all();
    void keep(ListId, const std::optional<Approval>&); // none: it goes out by itself

private:
    storage::Connection& connection_;
};

struct Question {
    std::string subject, html, text; // the issue, as a reader would get it
    Time slot;
    Unanswered unanswered;
    std::string approve_url, stop_url;
};
// The whole message, fit to follow DATA. Pure but for the Message-ID.
[[nodiscard]] std::string question_letter(const SiteWords&, const subscribers::List&, const mail::Address& editor,
                                          const Question&, const templates::Words&, Time now);

}
