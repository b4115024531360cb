#pragma once

#include "smtp/connect.hpp"
#include "smtp/relay.hpp"
#include "smtp/reply.hpp"
#include "system/clock.hpp"
#include "system/curl_loop.hpp"

#include <boost/asio/awaitable.hpp>

#include <array>
#include <expected>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

// One conversation with a relay, message after message (RFC 5321; pipelined as RFC 2920 allows, else command by
// command).
//
//   auto result = co_await session.begin(first);              // MAIL RCPT DATA
//   while (result.ready()) {
//       auto reply = co_await session.finish(body, next);      // body . and next's MAIL RCPT DATA: one group, one
//       round trip
//       ... commit the outcome ...
//       if (!next) break;
//       result = co_await session.envelope_result();           // the answers for next
//   }
//   co_await session.quit();
//
// In:     envelopes of mail-safe addresses; bodies of CRLF lines, dot-stuffed, without the terminating dot.
// Out:    replies, refusals of one envelope (the session is then clean and goes on with begin()), or SessionLost.
// Always: an address that could end or extend a command is refused here and never sent. Every wait has a deadline
// (Timeouts), which
//         costs no timer: somebody calls expire() now and then, or runs keep_time(). Nothing is written that was not
//         asked for: the next body leaves only with the next finish(). An envelope that is ready() must get its body;
//         who has none any more drops the session. Belongs to one single-threaded executor, one coroutine at a time.

namespace postrider::smtp {

// Views must live until the call they are given to has returned.
struct Envelope {
    std::string_view from, to;
    bool smtputf8 = false;    // the message has UTF-8 in its header; addresses beyond ASCII are noticed anyway
    std::size_t size = 0;     // bytes of the body; 0: not said
    std::string_view id = {}; // asks for DSN with this ENVID where the relay can (RFC 3461); empty: does not ask
};

struct EnvelopeResult {
    Stage stage = Stage::data; // mail, rcpt or data: who refused
    std::optional<Reply>
        refusal; // none: DATA was answered 354, the body may come. Our own where the relay cannot do what is needed

    [[nodiscard]] bool ready() const { return !refusal; }
};

// The conversation is over: the relay said 421, fell silent, hung up, or talked nonsense.
struct SessionLost : std::runtime_error {
    SessionLost(Stage s, bool after, std::optional<Reply> r, const std::string& text)
        : std::runtime_error(text), stage(s), after_dot(after), reply(std::move(r)) {}

    Stage stage;                // whose answer did not come
    bool after_dot;             // the final dot had left and no answer to it came: the message may have been accepted
    std::optional<Reply> reply; // the last word, such as 421; with one, the message of `stage` was not accepted
    bool in_time = true;        // false: a timer of RFC 5321 section 4.5.3.2 ran out
};

class Session {
public:
    // Settings, loop and clock must outlive the session.
    static boost::asio::awaitable<std::expected<std::unique_ptr<Session>, ConnectError>>
    open(system::CurlLoop&, system::Clock&, const RelaySettings&);
    Session(const Session&) = delete;
    ~Session(); // hangs up

    // MAIL, RCPT and DATA alone: for the first message, and after a refusal, unless the session is lost() by it.
    boost::asio::awaitable<EnvelopeResult> begin(const Envelope&);

    // The body after a ready() envelope, and the answer to its dot as soon as it is there. `body` is the caller's
    // buffer, to which the dot and `next`'s commands are appended before it leaves, so that it need not be copied. With
    // `next`, its answers must be taken by envelope_result() before anything else.
    boost::asio::awaitable<Reply> finish(std::string& body, const Envelope* next);
    boost::asio::awaitable<EnvelopeResult> envelope_result();
    // finish() in two steps, for whoever has something to do while the relay works. `body` may be reused after the
    // first.
    boost::asio::awaitable<void> send_body(std::string& body, const Envelope* next);
    boost::asio::awaitable<Reply> body_reply();

    // Says goodbye and waits briefly; what goes wrong then does not matter.
    boost::asio::awaitable<void> quit();

    // When the present wait has lasted long enough; Time::max() while nothing is awaited.
    [[nodiscard]] Time deadline() const { return deadline_; }
    // Ends a wait past its deadline: the waiting coroutine gets SessionLost.
    void expire(Time now);
    // Calls expire() about every second until cancelled: for whoever has one session and no sweep.
    boost::asio::awaitable<void> keep_time();

    [[nodiscard]] const Capabilities& offered() const;
    [[nodiscard]] bool encrypted() const;
    [[nodiscard]] bool lost() const { return lost_; }

private:
    struct Wire;
    enum class Direction { read, write };
    enum class Next { none, sent, unsent, refused };

    Session(std::unique_ptr<Wire>, system::Clock&, const Timeouts&);

    [[nodiscard]] std::optional<EnvelopeResult> compose(const Envelope&);
    boost::asio::awaitable<void> send(std::string_view bytes, Duration limit);
    boost::asio::awaitable<void> await_reply(); // into reply_; the slow path of reply_ready()
    boost::asio::awaitable<void> wait(Direction);
    boost::asio::awaitable<EnvelopeResult> group_result();
    boost::asio::awaitable<EnvelopeResult> dialogue();
    boost::asio::awaitable<void> end_empty_message();

    [[nodiscard]] bool push(std::string_view& bytes); // all of it has left
    [[nodiscard]] bool pull();                        // something came
    [[nodiscard]] bool reply_ready();                 // reply_ holds the next one
    void expect_silence();
    void last_words();
    [[nodiscard]] SessionLost lose(const std::string& text, std::optional<Reply> = std::nullopt);
    [[nodiscard]] Duration limit() const;

    std::unique_ptr<Wire> wire_;
    system::Clock& clock_;
    const Timeouts& timeouts_;
    ReplyReader reader_;
    Reply reply_;
    std::string commands_; // MAIL RCPT DATA of the envelope under way
    std::size_t mail_end_ = 0, rcpt_end_ = 0;
    std::string scratch_;
    EnvelopeResult refused_; // what became of `next` when it never left
    Next next_ = Next::none;
    Stage stage_ = Stage::mail;
    Time deadline_ = Time::max();
    bool waiting_ = false, timed_out_ = false, lost_ = false;
    bool after_dot_ = false;
    bool transaction_open_ = false; // RSET must precede the next MAIL
    bool just_sent_ = false;        // nothing can have come yet: waiting first saves a system call
    std::array<char, 4096> in_;
};

}
