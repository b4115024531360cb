#include "smtp/server.hpp"

#include "system/log.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <exception>
#include <optional>
#include <set>
#include <utility>

namespace postrider::smtp {

namespace asio = boost::asio;
using asio::awaitable;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

constexpr std::size_t longest_piece = 65536;  // of a body's line
constexpr std::size_t longest_command = 4096; // RFC 5321 section 4.5.3.1.4 asks for 512 and more with parameters

bool begins_with_word(std::string_view line, std::string_view word) {
    if (line.size() < word.size() ||
        (line.size() > word.size() && std::isalnum(static_cast<unsigned char>(line[word.size()]))))
        return false;
    return std::equal(word.begin(), word.end(), line.begin(),
                      [](char a, char b) { return a == std::toupper(static_cast<unsigned char>(b)); });
}

struct Path {
    std::string address;
    std::string_view parameters;
};

// "<address> parameters", where the address may have a quoted local part. Nothing when it is not of that form.
std::optional<Path> path(std::string_view text) {
    while (text.starts_with(' ')) text.remove_prefix(1);
    if (!text.starts_with('<')) return std::nullopt;
    bool quoted = false;
    for (std::size_t i = 1; i < text.size(); ++i) {
        if (text[i] == '\\' && quoted)
            ++i;
        else if (text[i] == '"')
            quoted = !quoted;
        else if (text[i] == '>' && !quoted)
            return Path{std::string(text.substr(1, i - 1)), text.substr(i + 1)};
    }
    return std::nullopt;
}

// One client's conversation, without its socket: bytes in, bytes out.
class Conversation {
public:
    Conversation(const Receiver::Handler& handler, const Receiver::Limits& limits)
        : handler_(handler), limits_(limits) {
        answer("220 postrider ESMTP");
    }

    // Takes what is complete. Commands that came together are answered together (RFC 2920 section 3.2).
    void feed(std::string_view bytes) {
        in_ += bytes;
        std::size_t at = 0;
        while (!over_ && (in_body_ ? take_body(at) : take_command(at))) {
        }
        in_.erase(0, at);
    }

    std::string out;
    [[nodiscard]] bool over() const { return over_; }

private:
    void answer(std::string_view line) {
        out += line;
        out += "\r\n";
    }

    bool take_command(std::size_t& at) {
        auto end = in_.find('\n', at);
        if (end == std::string::npos) {
            if (in_.size() - at <= longest_command) return false;
            answer("500 5.5.2 Line too long");
            over_ = true;
            return false;
        }
        auto line = std::string_view(in_).substr(at, end - at);
        at = end + 1;
        if (line.ends_with('\r')) line.remove_suffix(1);
        command(line);
        return true;
    }

    void command(std::string_view line) {
        if (begins_with_word(line, "EHLO")) {
            reset();
            answer("250-postrider");
            answer("250-PIPELINING");
            answer(fmt::format("250-SIZE {}", limits_.message));
            answer("250-8BITMIME");
            answer("250-SMTPUTF8");
            answer("250 ENHANCEDSTATUSCODES");
        } else if (begins_with_word(line, "HELO")) {
            reset();
            answer("250 postrider");
        } else if (begins_with_word(line, "MAIL FROM")) {
            mail(line.substr(std::min<std::size_t>(10, line.size())));
        } else if (begins_with_word(line, "RCPT TO")) {
            rcpt(line.substr(std::min<std::size_t>(8, line.size())));
        } else if (begins_with_word(line, "DATA")) {
            data();
        } else if (begins_with_word(line, "RSET")) {
            reset();
            answer("250 2.0.0 Ok");
        } else if (begins_with_word(line, "NOOP")) {
            answer("250 2.0.0 Ok");
        } else if (begins_with_word(line, "VRFY")) {
            answer("252 2.1.5 Send and see");
        } else if (begins_with_word(line, "QUIT")) {
            answer("221 2.0.0 Bye");
            over_ = true;
        } else {
            answer("500 5.5.1 Not a command");
        }
    }

    void reset() {
        mail_ = ReceivedMail{};
        has_sender_ = false;
    }

    void mail(std::string_view rest) {
        auto sender = path(rest);
        if (!sender) return answer("501 5.1.7 MAIL FROM:<address>");
        if (has_sender_) return answer("503 5.5.1 A mail is under way");
        ReceivedMail fresh;
        for (auto left = sender->parameters; !left.empty();) {
            auto word = left.substr(0, left.find(' '));
            left.remove_prefix(std::min(left.size(), word.size() + 1));
            if (word.empty()) continue;
            std::size_t size = 0;
            if (begins_with_word(word, "SIZE")) {
                auto digits = word.substr(std::min<std::size_t>(5, word.size()));
                std::from_chars(digits.data(), digits.data() + digits.size(), size);
                if (size > limits_.message) return answer("552 5.3.4 Message too big");
            } else if (begins_with_word(word, "SMTPUTF8")) {
                fresh.smtputf8 = true;
            } else if (!begins_with_word(word, "BODY")) {
                return answer("555 5.5.4 Parameter not known");
            }
        }
        fresh.from = std::move(sender->address);
        mail_ = std::move(fresh);
        has_sender_ = true;
        answer("250 2.1.0 Ok");
    }

    void rcpt(std::string_view rest) {
        if (!has_sender_) return answer("503 5.5.1 MAIL first");
        auto recipient = path(rest);
        if (!recipient || recipient->address.empty()) return answer("501 5.1.3 RCPT TO:<address>");
        if (mail_.to.size() >= limits_.recipients) return answer("452 4.5.3 Too many recipients");
        mail_.to.push_back(std::move(recipient->address));
        answer("250 2.1.5 Ok");
    }

    void data() {
        if (mail_.to.empty()) return answer("503 5.5.1 RCPT first");
        in_body_ = true;
        too_big_ = false;
        answer("354 End with a dot on its own line");
    }

    // Line by line, where a line ends at CRLF only: a lone LF is part of it, so that no dot after one can end the
    // message.
    bool take_body(std::size_t& at) {
        for (;;) {
            auto end = in_.find("\r\n", at);
            if (end == std::string::npos) {
                if (in_.size() - at > longest_piece) take_piece(at);
                return false;
            }
            auto line = std::string_view(in_).substr(at, end + 2 - at);
            at = end + 2;
            if (std::exchange(inside_line_, false)) {
                keep(line);
                continue;
            }
            if (line == ".\r\n") {
                body_is_complete();
                return true;
            }
            if (line.starts_with('.')) line.remove_prefix(1);
            keep(line);
        }
    }

    // The beginning of a line that is far too long, so that it is not searched for its end again and again.
    void take_piece(std::size_t& at) {
        auto piece = std::string_view(in_).substr(at, in_.size() - at - 1); // the last byte may be a CR
        at += piece.size();
        if (!std::exchange(inside_line_, true) && piece.starts_with('.')) piece.remove_prefix(1);
        keep(piece);
    }

    void keep(std::string_view bytes) {
        if (mail_.bytes.size() + bytes.size() > limits_.message) too_big_ = true;
        if (!too_big_) mail_.bytes += bytes;
    }

    void body_is_complete() {
        in_body_ = false;
        if (too_big_) {
            answer("552 5.3.4 Message too big");
        } else {
            try {
                answer(to_text(handler_(mail_)));
            } catch (const std::exception& problem) {
                log::error("built-in relay cannot take a mail", {{"error", problem.what()}});
                answer("451 4.3.0 Local problem");
            }
        }
        reset();
    }

    const Receiver::Handler& handler_;
    const Receiver::Limits& limits_;
    std::string in_;
    ReceivedMail mail_;
    bool has_sender_ = false, in_body_ = false, inside_line_ = false, too_big_ = false, over_ = false;
};

}

struct Receiver::State {
    State(asio::any_io_executor executor, Handler h, std::uint16_t port, Limits l)
        : acceptor(executor, tcp::endpoint(asio::ip::address_v4::loopback(), port)), handler(std::move(h)), limits(l) {}

    tcp::acceptor acceptor;
    Handler handler;
    Limits limits;
    std::set<tcp::socket*> open;
    bool stopped = false;

    static awaitable<void> accept(std::shared_ptr<State> self) {
        while (!self->stopped) {
            error_code failure;
            auto socket = co_await self->acceptor.async_accept(asio::redirect_error(asio::use_awaitable, failure));
            if (self->stopped) co_return;
            if (failure) { // too many open files, or the client left again
                log::warn("built-in relay cannot accept a connection", {{"error", failure.message()}});
                asio::steady_timer pause(self->acceptor.get_executor(), std::chrono::milliseconds(100));
                co_await pause.async_wait(asio::use_awaitable);
                continue;
            }
            if (self->open.size() >= self->limits.connections) continue; // closed by its destructor
            asio::co_spawn(self->acceptor.get_executor(), serve(self, std::move(socket)), report);
        }
    }

    static awaitable<void> serve(std::shared_ptr<State> self, tcp::socket socket) {
        struct Entry {
            State& state;
            tcp::socket* socket;
            ~Entry() { state.open.erase(socket); }
        } entry{*self, &socket};
        self->open.insert(&socket);
        error_code failure;
        socket.set_option(tcp::no_delay(true), failure);
        Conversation conversation(self->handler, self->limits);
        auto in = std::make_unique<std::array<char, 32768>>();
        for (;;) {
            if (!conversation.out.empty())
                co_await asio::async_write(socket, asio::buffer(conversation.out),
                                           asio::redirect_error(asio::use_awaitable, failure));
            conversation.out.clear();
            if (failure || conversation.over()) break;
            auto size =
                co_await socket.async_read_some(asio::buffer(*in), asio::redirect_error(asio::use_awaitable, failure));
            if (failure) break;
            conversation.feed({in->data(), size});
        }
        socket.shutdown(tcp::socket::shutdown_both, failure);
    }

    static void report(std::exception_ptr failure) {
        if (!failure) return;
        try {
            std::rethrow_exception(failure);
        } catch (const std::exception& problem) {
            log::error("built-in relay stopped", {{"error", problem.what()}});
        }
    }
};

Receiver::Receiver(asio::any_io_executor executor, Handler handler, std::uint16_t port)
    : Receiver(std::move(executor), std::move(handler), port, Limits()) {}

Receiver::Receiver(asio::any_io_executor executor, Handler handler, std::uint16_t port, Limits limits)
    : state_(std::make_shared<State>(std::move(executor), std::move(handler), port, limits)),
      port_(state_->acceptor.local_endpoint().port()) {}

Receiver::~Receiver() { stop(); }

void Receiver::run() { asio::co_spawn(state_->acceptor.get_executor(), State::accept(state_), State::report); }

void Receiver::stop() {
    if (state_->stopped) return;
    state_->stopped = true;
    error_code ignored;
    state_->acceptor.close(ignored);
    for (auto* socket : state_->open) socket->close(ignored);
}

}
