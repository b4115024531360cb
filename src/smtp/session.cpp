#include "smtp/session.hpp"

#include "system/log.hpp"

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <unistd.h>

namespace postrider::smtp {

namespace asio = boost::asio;
using asio::awaitable;

namespace {

// Room for the longest path and every parameter we add: RFC 5321 section 4.5.3.1.3 (256), RFC 3461 section 5.4.1 (500).
constexpr std::size_t longest_address = 320;

bool is_ascii(std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

// Nothing that could end the command (CR, LF), hide from a C string (NUL) or leave the angle brackets.
bool is_safe_in_brackets(std::string_view address) {
    bool quoted = false, escaped = false;
    if (address.size() > longest_address) return false;
    if (std::ranges::all_of(address, [](char c) { return c > ' ' && c < 0x7F && c != '<' && c != '>' && c != '"'; }))
        return true;
    for (char c : address) {
        auto byte = static_cast<unsigned char>(c);
        if (byte < ' ' || byte == 0x7F) return false;
        if (!quoted && (c == ' ' || c == '<' || c == '>')) return false;
        if (c == '"' && !escaped) quoted = !quoted;
        escaped = quoted && c == '\\' && !escaped;
    }
    return !quoted;
}

// RFC 3461 section 4: printable ASCII but '+' and '='; the rest as +XX.
void append_xtext(std::string& out, std::string_view text) {
    for (char c : text) {
        auto byte = static_cast<unsigned char>(c);
        if (byte > ' ' && byte < 0x7F && c != '+' && c != '=')
            out += c;
        else
            fmt::format_to(std::back_inserter(out), "+{:02X}", byte);
    }
}

}

// Libcurl's socket under a number of our own, so that Asio watches it beside libcurl and not instead of it.
struct Session::Wire {
    Wire(Line l, const asio::any_io_executor& executor) : line(std::move(l)), watched(executor) {
        int own = ::dup(line.socket());
        if (own < 0) throw std::runtime_error("the socket of a relay cannot be watched: too many open files");
        watched.assign(own);
    }

    Line line;
    asio::posix::stream_descriptor watched;
};

Session::Session(std::unique_ptr<Wire> wire, system::Clock& clock, const Timeouts& timeouts)
    : wire_(std::move(wire)), clock_(clock), timeouts_(timeouts) {}

Session::~Session() = default;

awaitable<std::expected<std::unique_ptr<Session>, ConnectError>>
Session::open(system::CurlLoop& loop, system::Clock& clock, const RelaySettings& relay) {
    auto executor = co_await asio::this_coro::executor;
    auto line = co_await connect(loop, clock, relay);
    if (!line) co_return std::unexpected(std::move(line.error()));
    if (!relay.pipelining) line->offered.pipelining = false;
    auto wire = std::make_unique<Wire>(std::move(*line), executor);
    co_return std::unique_ptr<Session>(new Session(std::move(wire), clock, relay.timeouts));
}

const Capabilities& Session::offered() const { return wire_->line.offered; }
bool Session::encrypted() const { return wire_->line.encrypted; }

awaitable<EnvelopeResult> Session::begin(const Envelope& envelope) {
    expect_silence();
    if (auto refused = compose(envelope)) co_return std::move(*refused);
    if (!offered().pipelining) co_return co_await dialogue();
    stage_ = Stage::mail;
    if (!transaction_open_) {
        co_await send(commands_, timeouts_.command);
        co_return co_await group_result();
    }
    scratch_ = "RSET\r\n";
    scratch_ += commands_;
    co_await send(scratch_, timeouts_.command);
    if (!reply_ready()) co_await await_reply();
    if (!reply_.done()) throw lose("RSET was refused", reply_);
    transaction_open_ = false;
    co_return co_await group_result();
}

awaitable<Reply> Session::finish(std::string& body, const Envelope* next) {
    co_await send_body(body, next);
    co_return co_await body_reply();
}

awaitable<void> Session::send_body(std::string& body, const Envelope* next) {
    stage_ = Stage::body;
    next_ = Next::none;
    if (!body.ends_with("\r\n")) body += "\r\n";
    body += ".\r\n";
    auto dot = body.size();
    if (next) {
        if (auto refused = compose(*next)) {
            refused_ = std::move(*refused);
            next_ = Next::refused;
        } else if (offered().pipelining) {
            body += commands_;
            next_ = Next::sent;
        } else {
            next_ = Next::unsent;
        }
    }
    // The group leaves in one write where the socket takes it; the dot counts as sent once its last byte is libcurl's.
    for (std::string_view rest = body;;) {
        bool all = push(rest);
        after_dot_ = body.size() - rest.size() >= dot;
        if (all) break;
        deadline_ = clock_.now() + timeouts_.block;
        co_await wait(Direction::write);
    }
}

awaitable<Reply> Session::body_reply() {
    if (!reply_ready()) co_await await_reply();
    if (reply_.kind() == 3) throw lose(fmt::format("the relay answered the final dot with {}", to_text(reply_)));
    after_dot_ = false;
    transaction_open_ = false;
    co_return std::move(reply_);
}

awaitable<EnvelopeResult> Session::envelope_result() {
    switch (std::exchange(next_, Next::none)) {
    case Next::refused: co_return std::move(refused_);
    case Next::unsent: expect_silence(); co_return co_await dialogue();
    default: break;
    }
    co_return co_await group_result();
}

awaitable<void> Session::quit() {
    if (lost_) co_return;
    try {
        stage_ = Stage::quit;
        co_await send("QUIT\r\n", timeouts_.quit);
        if (!reply_ready()) co_await await_reply();
        lost_ = true;
    } catch (const SessionLost& lost) {
        log::debug("relay left without goodbye", {{"why", lost.what()}});
    }
}

void Session::expire(Time now) {
    if (!waiting_ || now < deadline_) return;
    timed_out_ = true;
    wire_->watched.cancel();
}

awaitable<void> Session::keep_time() {
    for (;;) {
        auto now = clock_.now();
        expire(now);
        co_await clock_.sleep_until(std::max(now + 1ms, std::min(deadline_, now + 1s)));
    }
}

// The three commands into commands_, or why this envelope cannot go over this relay.
std::optional<EnvelopeResult> Session::compose(const Envelope& envelope) {
    const auto& relay = offered();
    if (!is_safe_in_brackets(envelope.from))
        return EnvelopeResult{Stage::mail, Reply{501, "5.1.7", "the sender's address does not fit into a command"}};
    if (envelope.to.empty() || !is_safe_in_brackets(envelope.to))
        return EnvelopeResult{Stage::rcpt, Reply{501, "5.1.3", "the address does not fit into a command"}};
    bool utf8 = envelope.smtputf8 || !is_ascii(envelope.from) || !is_ascii(envelope.to);
    // RFC 6531 section 3.1.1: never sent to who has not offered it.
    if (utf8 && !relay.smtputf8)
        return EnvelopeResult{Stage::rcpt,
                              Reply{550, "5.6.7", "the relay does not take addresses beyond ASCII (SMTPUTF8)"}};
    // RFC 1870 section 4: nothing larger than the offered number is taken, so it need not be sent to be refused.
    if (relay.largest && envelope.size > relay.largest)
        return EnvelopeResult{Stage::mail, Reply{552, "5.3.4",
                                                 fmt::format("the message has {} bytes, and the relay takes {}",
                                                             envelope.size, relay.largest)}};
    bool dsn = relay.dsn && !envelope.id.empty();

    commands_.assign("MAIL FROM:<").append(envelope.from).append(">");
    if (relay.size && envelope.size) fmt::format_to(std::back_inserter(commands_), " SIZE={}", envelope.size);
    if (utf8) commands_ += " BODY=8BITMIME SMTPUTF8";
    if (dsn) {
        commands_ += " RET=HDRS ENVID=";
        append_xtext(commands_, envelope.id.substr(0, 33)); // 100 characters when each becomes +XX
    }
    commands_ += "\r\n";
    mail_end_ = commands_.size();
    commands_.append("RCPT TO:<").append(envelope.to).append(">");
    // The original recipient goes along where it is ASCII: RFC 6533's utf-8 form is rarely understood and never needed
    // by us.
    if (dsn) commands_ += " NOTIFY=FAILURE,DELAY";
    if (dsn && !utf8) append_xtext(commands_ += " ORCPT=rfc822;", envelope.to);
    commands_ += "\r\n";
    rcpt_end_ = commands_.size();
    commands_ += "DATA\r\n";
    return std::nullopt;
}

// The answers to a group that has been sent whole. Every one is read, whatever the earlier ones were (RFC 2920
// section 3.1).
awaitable<EnvelopeResult> Session::group_result() {
    EnvelopeResult result;
    auto refused = [&](Stage stage) {
        if (!result.refusal) result = EnvelopeResult{stage, reply_};
    };
    stage_ = Stage::mail;
    if (!reply_ready()) co_await await_reply();
    bool mail_taken = reply_.done();
    if (!mail_taken) refused(Stage::mail);

    stage_ = Stage::rcpt;
    if (!reply_ready()) co_await await_reply();
    bool rcpt_taken = reply_.done();
    if (!rcpt_taken) refused(Stage::rcpt);

    stage_ = Stage::data;
    if (!reply_ready()) co_await await_reply();
    if (reply_.done()) throw lose(fmt::format("the relay answered DATA with {}", to_text(reply_)));
    transaction_open_ = mail_taken || rcpt_taken;
    if (reply_.kind() != 3) {
        refused(Stage::data);
        co_return result;
    }
    if (!result.refusal) co_return result;
    // It waits for a message although it refused the envelope. A lone dot ends an empty one; but where it says it has a
    // recipient, that reader would get it: only hanging up keeps it from leaving. The refusal of MAIL decides.
    stage_ = result.stage;
    if (rcpt_taken)
        lost_ = true;
    else
        co_await end_empty_message();
    co_return result;
}

awaitable<void> Session::end_empty_message() {
    co_await send(".\r\n", timeouts_.block);
    if (!reply_ready()) co_await await_reply();
    transaction_open_ = false; // refused or swallowed, it is over (RFC 5321 section 4.1.1.4)
}

// Command by command, for a relay without PIPELINING.
awaitable<EnvelopeResult> Session::dialogue() {
    std::string_view commands = commands_;
    if (transaction_open_) {
        stage_ = Stage::mail;
        co_await send("RSET\r\n", timeouts_.command);
        if (!reply_ready()) co_await await_reply();
        if (!reply_.done()) throw lose("RSET was refused", reply_);
        transaction_open_ = false;
    }
    stage_ = Stage::mail;
    co_await send(commands.substr(0, mail_end_), timeouts_.command);
    if (!reply_ready()) co_await await_reply();
    if (!reply_.done()) co_return EnvelopeResult{Stage::mail, reply_};
    transaction_open_ = true;

    stage_ = Stage::rcpt;
    co_await send(commands.substr(mail_end_, rcpt_end_ - mail_end_), timeouts_.command);
    if (!reply_ready()) co_await await_reply();
    if (!reply_.done()) co_return EnvelopeResult{Stage::rcpt, reply_};

    stage_ = Stage::data;
    co_await send(commands.substr(rcpt_end_), timeouts_.data);
    if (!reply_ready()) co_await await_reply();
    if (reply_.done()) throw lose(fmt::format("the relay answered DATA with {}", to_text(reply_)));
    if (reply_.kind() != 3) co_return EnvelopeResult{Stage::data, reply_};
    co_return EnvelopeResult{};
}

awaitable<void> Session::send(std::string_view bytes, Duration limit) {
    while (!push(bytes)) {
        deadline_ = clock_.now() + limit;
        co_await wait(Direction::write);
    }
}

// One limit for the whole reply, however slowly it drips.
awaitable<void> Session::await_reply() {
    auto until = clock_.now() + limit();
    do {
        deadline_ = until;
        co_await wait(Direction::read);
    } while (!reply_ready());
}

awaitable<void> Session::wait(Direction direction) {
    boost::system::error_code failure;
    auto what = direction == Direction::read ? asio::posix::descriptor_base::wait_read
                                             : asio::posix::descriptor_base::wait_write;
    auto token = asio::redirect_error(asio::use_awaitable, failure);
    waiting_ = true;
    co_await wire_->watched.async_wait(what, token);
    waiting_ = false;
    deadline_ = Time::max();
    bool expired = std::exchange(timed_out_, false);
    if (!failure) co_return; // what came in the very moment of the deadline is still welcome
    if (expired) {
        auto silence = lose(fmt::format("no answer at {} in time", to_text(stage_)));
        silence.in_time = false;
        throw silence;
    }
    lost_ = true; // cancelled in the middle: nobody knows any more what the next reply belongs to
    throw boost::system::system_error(failure);
}

bool Session::push(std::string_view& bytes) {
    while (!bytes.empty()) {
        std::size_t sent = 0;
        auto code = curl_easy_send(wire_->line.easy(), bytes.data(), bytes.size(), &sent);
        if (code == CURLE_AGAIN) return false;
        if (code != CURLE_OK) {
            last_words();
            throw lose(fmt::format("the relay hung up ({})", curl_easy_strerror(code)));
        }
        bytes.remove_prefix(sent);
    }
    just_sent_ = true;
    return true;
}

bool Session::pull() {
    std::size_t received = 0;
    auto code = curl_easy_recv(wire_->line.easy(), in_.data(), in_.size(), &received);
    if (code == CURLE_AGAIN) return false;
    if (code != CURLE_OK) throw lose(fmt::format("the relay hung up ({})", curl_easy_strerror(code)));
    if (received == 0) throw lose(reader_.idle() ? "the relay hung up" : "the relay hung up in the middle of a reply");
    reader_.feed({in_.data(), received});
    return true;
}

bool Session::reply_ready() {
    for (;;) {
        switch (reader_.take(reply_)) {
        case ReplyReader::Found::reply:
            if (reply_.code == 421) throw lose(to_text(reply_), reply_); // RFC 5321 section 3.8: it hangs up, so we do
            return true;
        case ReplyReader::Found::garbage:
            throw lose(fmt::format("the relay does not speak SMTP: {}", reader_.garbage()));
        case ReplyReader::Found::nothing: break;
        }
        if (std::exchange(just_sent_, false) && !encrypted()) return false;
        if (!pull()) return false;
    }
}

// Before a command that nothing is outstanding for. What is there already is a goodbye, or answers get out of step.
void Session::expect_silence() {
    if (lost_) throw lose("the session is over");
    stage_ = Stage::mail;
    if (reader_.idle()) return;
    if (reply_ready()) throw lose(fmt::format("the relay spoke unasked: {}", to_text(reply_)));
    throw lose("the relay spoke unasked");
}

// A relay that hangs up on us may have said why: 421, or that the message is too large.
void Session::last_words() {
    for (;;) {
        auto found = reader_.take(reply_);
        if (found == ReplyReader::Found::reply && reply_.kind() >= 4) throw lose(to_text(reply_), reply_);
        if (found != ReplyReader::Found::nothing) return;
        std::size_t received = 0;
        if (curl_easy_recv(wire_->line.easy(), in_.data(), in_.size(), &received) != CURLE_OK || received == 0) return;
        reader_.feed({in_.data(), received});
    }
}

SessionLost Session::lose(const std::string& text, std::optional<Reply> reply) {
    lost_ = true;
    bool after_dot = after_dot_ && !reply;
    return {stage_, after_dot, std::move(reply), text};
}

Duration Session::limit() const {
    switch (stage_) {
    case Stage::data: return timeouts_.data;
    case Stage::body: return timeouts_.dot;
    case Stage::quit: return timeouts_.quit;
    default: return timeouts_.command;
    }
}

}
