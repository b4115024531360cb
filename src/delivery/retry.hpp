#pragma once

#include "smtp/reply.hpp"
#include "system/time.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <variant>

// What becomes of a delivery after one try. The whole failure policy of the program is here and in retry.cpp.
//
// In:     where the conversation ended, what the relay said, which try it was and when the first one began.
// Out:    a Verdict. Pure: no clock, no database, no socket; the same try always gets the same verdict.
// Always: what is our fault (policy, login, an oversized message) is never held against the reader.
// Source: RFC 5321 sections 4.2 to 4.5, RFC 3463, RFC 7505, and the codes the great providers document.

namespace postrider::delivery {

enum class About { reader, domain, relay };
[[nodiscard]] std::string_view to_text(About);

enum class Answer { accepted, later, refused, hold };
[[nodiscard]] std::string_view to_text(Answer);

// What a reply means, before anybody's tries are counted.
struct Meaning {
    Answer answer;
    About about;
    std::string_view why; // a sentence for the operator
};
[[nodiscard]] Meaning meaning_of(smtp::Stage stage, const smtp::Reply& reply);

struct RetrySettings {
    Duration retry_for = 36h; // from the start of the mailing; afterwards nobody is tried any more
    Duration retry_first = 5min;
    enum class OnUnknown { resend, record } on_unknown = OnUnknown::resend;
};

struct Try {
    smtp::Stage stage;                // the last command that was answered, or should have been
    std::optional<smtp::Reply> reply; // none: the connection broke, or a timer of RFC 5321 section 4.5.3.2 ran out
    bool after_dot = false;           // the message may have been taken although nobody said so
    int number = 1;                   // 1 for the first
    Time first_began;                 // when the mailing began
    double jitter = 0.5;              // 0 to 1; spreads the second and later waits by a tenth either way
    std::string_view recipient;       // whom the relay was asked about; kept out of every reason
};

struct Accepted {};
struct TryAgain {
    Time at;
    std::string reason;
};
struct Refused { // about this reader; permanent
    std::string reason;
};
struct Expired { // nobody took it in time
    std::string reason;
};
struct Unknown { // the connection broke after the final dot; tried again at `again`, or never
    std::optional<Time> again;
    std::string reason;
};
struct Hold { // about us; never a refusal of the reader
    About about;
    std::string reason;
};
using Verdict = std::variant<Accepted, TryAgain, Refused, Expired, Unknown, Hold>;

// Never gives a time later than first_began + retry_for; after that it is Expired (Unknown where after_dot) with the
// last reason.
[[nodiscard]] Verdict judge(const Try& attempt, const RetrySettings& settings, Time now);

// The wait before the next try: retry_first, then twice as long each time, at most four hours.
[[nodiscard]] Duration wait_after(int tries, double jitter, const RetrySettings& settings);

// How long to leave a relay or domain alone after `times` troubles in a row. An unreachable relay: 1 s, doubling to 30
// s. A policy answer: one minute, doubling to half an hour; then one message is tried.
[[nodiscard]] Duration unreachable_for(int times);
[[nodiscard]] Duration held_for(int times);
// When no session could be opened: as unreachable where the relay said nothing or 4yz, half a minute and longer where
// it cannot check our login, as a policy where it refused for good.
[[nodiscard]] Duration closed_for(smtp::Stage stage, const std::optional<smtp::Reply>& reply, int times);

// "550 5.1.1 no such user here", shortened to one line: the form in which reasons are recorded, logged and counted. Many
// relays quote the recipient; here it is "...", so that equal reasons are equal and nobody's address outlives an erasure.
[[nodiscard]] std::string reason_of(smtp::Stage stage, const std::optional<smtp::Reply>& reply,
                                    std::string_view recipient = {});
// The text with "..." in place of every mention of the recipient, in any letter case.
[[nodiscard]] std::string without(std::string text, std::string_view recipient);

}
