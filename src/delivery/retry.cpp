#include "delivery/retry.hpp"

#include "system/ascii.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace postrider::delivery {
namespace {

using smtp::Stage;

constexpr Meaning accepted{Answer::accepted, About::reader, "the relay took it"};

template <std::size_t N>
bool says(const std::string& text, const std::array<std::string_view, N>& phrases) {
    return std::ranges::any_of(phrases, [&](std::string_view phrase) { return text.find(phrase) != text.npos; });
}

// Many servers put a code that means policy in front of words that mean a person: the words win.
constexpr std::array<std::string_view, 26> unknown_person = {
    "user unknown",        "unknown user",      "no such user",      "no mailbox here",       "unknown recipient",
    "recipient unknown",   "unknown address",   "not found",         "does not exist",        "doesn't exist",
    "no longer on",        "invalid recipient", "not our user",      "no such recipient",     "unknown account",
    "not a registered",    "no such mailbox",   "mailbox not found", "mailbox unavailable",   "user not found",
    "recipient not found", "no such person",    "account has been",  "undeliverable address", "unrouteable address",
    "address unknown"};
constexpr std::array<std::string_view, 10> closed_account = {"disabled",          "inactive",
                                                             "suspended",         "account closed",
                                                             "account is locked", "compte du destinataire est bloque",
                                                             "deactivated",       "discontinued",
                                                             "account expired",   "is not active"};
constexpr std::array<std::string_view, 10> full_mailbox = {
    "mailbox full",  "mailbox is full",      "over quota",         "quota exceeded",   "exceeded storage",
    "storage limit", "insufficient storage", "mailbox size limit", "over the maximum", "out of storage"};
constexpr std::array<std::string_view, 9> no_relaying = {
    "relay access denied",     "relaying denied",         "no relaying",
    "not permitted to relay",  "unable to relay",         "relay not permitted",
    "not configured to relay", "authentication required", "must authenticate"};
constexpr std::array<std::string_view, 24> policy_words = {"spam",
                                                           "blocked",
                                                           "blacklist",
                                                           "block list",
                                                           "blocklist",
                                                           "policy",
                                                           "reputation",
                                                           "dmarc",
                                                           "spf",
                                                           "dkim",
                                                           "banned",
                                                           "reverse dns",
                                                           "ptr record",
                                                           "rate limit",
                                                           "too many",
                                                           "unsolicited",
                                                           "dnsbl",
                                                           "spamhaus",
                                                           "virus",
                                                           "content rejected",
                                                           "client host rejected",
                                                           "unauthenticated",
                                                           "suspicious",
                                                           "unexpected volume"};

// Codes for the sender's set-up or standing: x.7.20 to x.7.32 and x.7.40 (RFC 7372, and Gmail's use of them), x.7.500 to
// x.7.799 (Microsoft).
bool about_our_standing(std::string_view enhanced) {
    if (enhanced.size() < 5 || enhanced.substr(1, 3) != ".7.") return false;
    int detail = 0;
    std::from_chars(enhanced.data() + 4, enhanced.data() + enhanced.size(), detail);
    return detail == 5 || detail == 40 || (detail >= 20 && detail <= 32) || (detail >= 500 && detail <= 799);
}

Meaning hold(About about, std::string_view why) { return {Answer::hold, about, why}; }
Meaning later(About about, std::string_view why) { return {Answer::later, about, why}; }
Meaning refused(std::string_view why) { return {Answer::refused, About::reader, why}; }

// Before the envelope, and at MAIL: nothing has been said about any reader yet.
Meaning before_the_reader(Stage stage, const smtp::Reply& reply) {
    if (stage == Stage::mail && reply.enhanced == "5.6.7")
        return refused("the address needs SMTPUTF8, which the other side does not offer (RFC 6531)");
    if (stage == Stage::auth && reply.code / 100 == 4)
        return hold(About::relay, "the relay cannot check our login for the moment"); // RFC 4954 section 6
    if (stage == Stage::auth)
        return hold(About::relay, "the relay refuses our login: check user and password_file of its [[relay]]");
    if (stage == Stage::starttls) return hold(About::relay, "the relay does not start TLS");
    if (stage == Stage::mail && (reply.code == 552 || reply.enhanced == "5.3.4"))
        return hold(About::relay, "the message is larger than the relay takes (RFC 1870)");
    if (reply.code == 421) return hold(About::relay, "the relay closes the connection");
    if (stage == Stage::mail && reply.code / 100 == 4)
        return hold(About::relay, "the relay takes no mail from us for the moment");
    if (stage == Stage::mail) return hold(About::relay, "the relay refuses our sender address");
    return hold(About::relay, "the relay does not want to talk to us");
}

Meaning temporary(Stage stage, const smtp::Reply& reply, const std::string& text) {
    if (reply.code == 421 && !text.empty() && reply.enhanced.starts_with("4.7"))
        return hold(About::domain, "the other side limits what it takes from us");
    if (reply.code == 421) return later(About::relay, "the relay closes the connection");
    if (about_our_standing(reply.enhanced))
        return hold(About::domain, "the provider objects to our set-up or rate, not to the reader");
    if (stage == Stage::data) return later(About::relay, "the relay cannot take a message now");
    if (reply.enhanced.ends_with(".2.2")) return later(About::reader, "the mailbox is full");
    return later(About::reader, "a temporary refusal");
}

Meaning permanent(Stage stage, const smtp::Reply& reply, const std::string& text) {
    auto code = std::string_view(reply.enhanced);
    if (code == "5.2.2") return later(About::reader, "the mailbox is full");
    if (says(text, no_relaying) || reply.code == 530 || reply.code == 535)
        return hold(About::relay, "the relay wants a login, or does not take mail for others from us");
    if (about_our_standing(code))
        return hold(About::domain, "the provider objects to our set-up or standing, not to the reader");
    if (code == "5.6.7") return refused("the address needs SMTPUTF8, which the other side does not offer (RFC 6531)");
    if (code == "5.3.4") return hold(About::relay, "the message is larger than the relay takes");
    if (code == "5.7.17" || code == "5.7.18") return refused("the mailbox has another owner now"); // RFC 7293
    if (code == "5.7.13" || reply.code == 525) return refused("the account is disabled");
    if (code.starts_with("5.1.8") || code.starts_with("5.1.7"))
        return hold(About::relay, "our sender address is not believed");
    if (code.starts_with("5.1.")) return refused("there is no such address");
    if (code == "5.2.1" || says(text, closed_account)) return refused("the mailbox is closed");
    if (says(text, unknown_person)) return refused("there is no such address");
    if (says(text, full_mailbox)) return later(About::reader, "the mailbox is full");
    // A 552 at RCPT means a full mailbox on servers older than RFC 5321, which asks us to read it as 452
    // (section 4.5.3.1.10).
    if (reply.code == 552 && stage == Stage::rcpt) return later(About::reader, "the mailbox is full");
    if (reply.code == 552) return hold(About::relay, "the message is larger than the relay takes");
    if (code.starts_with("5.7."))
        return hold(stage == Stage::rcpt ? About::domain : About::relay,
                    "a policy of the other side, about us and not about the reader");
    if (says(text, policy_words))
        return hold(stage == Stage::rcpt ? About::domain : About::relay, "a policy of the other side, about us");
    if (code.starts_with("5.6.")) return hold(About::relay, "the other side objects to the message itself");
    if (reply.code == 501 && stage == Stage::rcpt) return refused("the other side cannot read the address");
    if (reply.code == 500 || (reply.code >= 502 && reply.code <= 504) || reply.code == 555 || reply.code == 501)
        return hold(About::relay, "the relay does not understand us");
    if (stage == Stage::data) return hold(About::relay, "the relay takes no message from us");
    if (reply.code == 556) return refused("the domain takes no mail (RFC 7504)");
    return refused("refused for good");
}

TryAgain no_later_than(Time end, Duration wait, std::string reason, Time now) {
    return {std::min(now + wait, end), std::move(reason)};
}

}

std::string_view to_text(About about) {
    constexpr std::string_view names[] = {"reader", "domain", "relay"};
    return names[int(about)];
}

std::string_view to_text(Answer answer) {
    constexpr std::string_view names[] = {"accepted", "later", "refused", "hold"};
    return names[int(answer)];
}

Meaning meaning_of(Stage stage, const smtp::Reply& reply) {
    if (reply.code / 100 == 2 || (stage == Stage::data && reply.code == 354)) return accepted;
    if (stage != Stage::rcpt && stage != Stage::data && stage != Stage::body) return before_the_reader(stage, reply);
    auto text = system::lower(reply.text);
    if (reply.code / 100 == 4) return temporary(stage, reply, text);
    if (reply.code / 100 == 5) return permanent(stage, reply, text);
    return hold(About::relay, "an answer that means nothing at this place"); // 1yz, 3yz: RFC 5321 section 4.2.1
}

Duration wait_after(int tries, double jitter, const RetrySettings& settings) {
    auto wait = settings.retry_first;
    for (int i = 1; i < tries && wait < 4h; ++i) wait *= 2;
    wait = std::min<Duration>(wait, std::max<Duration>(4h, settings.retry_first));
    // The first wait is what the operator wrote, to the letter; later ones are spread so that they do not come back as
    // one crowd.
    if (tries > 1) wait += Duration(std::int64_t(double(wait.count()) * (jitter - 0.5) / 5));
    return wait;
}

Duration unreachable_for(int times) { return std::min<Duration>(1s * (1 << std::min(times - 1, 5)), 30s); }
Duration held_for(int times) { return std::min<Duration>(1min * (1 << std::min(times - 1, 5)), 30min); }

Duration closed_for(Stage stage, const std::optional<smtp::Reply>& reply, int times) {
    if (!reply) return unreachable_for(times);
    if (reply->code / 100 == 5) return held_for(times); // it will say so again, and counts how often it is asked
    // "Too many logins" comes as a 454 too: asking every second would keep it true.
    if (stage == Stage::auth) return std::min<Duration>(30s * (1 << std::min(times - 1, 4)), 5min);
    return unreachable_for(times);
}

std::string without(std::string text, std::string_view recipient) {
    if (recipient.empty()) return text;
    auto mention = system::lower(recipient), folded = system::lower(text);
    for (auto at = folded.find(mention); at != folded.npos; at = folded.find(mention, at + 3)) {
        text.replace(at, mention.size(), "...");
        folded.replace(at, mention.size(), "...");
    }
    return text;
}

std::string reason_of(Stage stage, const std::optional<smtp::Reply>& reply, std::string_view recipient) {
    if (!reply) return fmt::format("no answer at {}", smtp::to_text(stage));
    auto reason = reply->enhanced.empty() ? fmt::format("{} {}", reply->code, reply->text)
                                          : fmt::format("{} {} {}", reply->code, reply->enhanced, reply->text);
    for (char& c : reason)
        if (static_cast<unsigned char>(c) < ' ') c = ' ';
    reason = without(std::move(reason), recipient);
    if (reason.size() <= 200) return reason;
    reason.resize(200);
    while (!reason.empty() && (reason.back() & 0xc0) == 0x80) reason.pop_back(); // a cut UTF-8 character goes whole
    if (!reason.empty() && (reason.back() & 0x80)) reason.pop_back();
    return reason;
}

Verdict judge(const Try& attempt, const RetrySettings& settings, Time now) {
    // A broken connection is nobody's refusal.
    auto meaning = attempt.reply ? meaning_of(attempt.stage, *attempt.reply) : hold(About::relay, "no answer");
    if (meaning.answer == Answer::accepted) return Accepted{}; // by far the most; it needs no reason
    auto reason = reason_of(attempt.stage, attempt.reply, attempt.recipient);
    auto end = attempt.first_began + settings.retry_for;
    auto wait = wait_after(attempt.number, attempt.jitter, settings);

    if (!attempt.reply && attempt.after_dot) {
        // RFC 5321 section 4.5.3.2.6: it may have been taken. The next try carries the same Message-ID.
        if (settings.on_unknown == RetrySettings::OnUnknown::record || now >= end) return Unknown{std::nullopt, reason};
        return Unknown{std::min(now + wait, end), reason};
    }

    switch (meaning.answer) {
    case Answer::accepted: return Accepted{};
    case Answer::refused: return Refused{reason};
    case Answer::hold: return Hold{meaning.about, reason};
    case Answer::later: break;
    }
    if (meaning.about == About::relay) return Hold{About::relay, reason};
    if (now >= end) return Expired{reason};
    return no_later_than(end, wait, reason, now);
}

}
