#include "system/random.hpp"
#include "system/signal.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <fmt/format.h>

#include <array>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// A quick SMTP sink for measurements: it takes every mail, looks at nothing but where a message ends, and keeps nothing.
//
// In:     --port N           on 127.0.0.1; 0, the default, takes a free one. The first line printed is "port N".
//         --delay MS         every answer travels this long: a round trip of MS
//         --answer STAGE "REPLY" [--every N]
//                            answers so at greeting, ehlo, mail, rcpt, data or body (after the final dot), each time or
//                            each N-th time; may be given several times
//         --drop N           breaks the connection in place of the answer to every N-th message's final dot
//         --record FILE      appends "RECIPIENT<TAB>MESSAGE-ID<TAB>CONNECTION<TAB>SHA-256" of every message it accepts, before it
//                            answers; connections are counted from 1, the hash is of the whole message. What a report
//                            (see Out) has counted is in the file.
// Out:    on SIGUSR1, and at the end on SIGTERM or SIGINT, one line of JSON: messages accepted, octets of their bodies,
//         messages that were answered otherwise or dropped, connections, and the times of the first and the last
//         message in microseconds since 1970.
// Always: one thread; one write for all the answers that one read brought.

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

struct Fault {
    std::string stage, reply;
    std::int64_t every = 1;
    std::int64_t seen = 0;
};

struct Options {
    std::uint16_t port = 0;
    std::chrono::milliseconds delay{0};
    std::vector<Fault> faults;
    std::int64_t drop_every = 0;
    std::FILE* record = nullptr;
};

struct Count {
    std::int64_t messages = 0, octets = 0, failed = 0, connections = 0;
    std::int64_t first = 0, last = 0; // microseconds since 1970
};

std::int64_t microseconds_now() {
    return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch())
        .count();
}

// What all connections share.
struct Sink {
    asio::io_context context{1};
    Options options;
    Count count;

    std::string_view answer(std::string_view stage, std::string_view usual) {
        for (auto& fault : options.faults)
            if (fault.stage == stage && ++fault.seen % fault.every == 0) return fault.reply;
        return usual;
    }
    bool drops() const {
        return options.drop_every > 0 && (count.messages + count.failed + 1) % options.drop_every == 0;
    }
    void report() {
        if (options.record) std::fflush(options.record);
        fmt::print(R"({{"messages": {}, "octets": {}, "failed": {}, "connections": {}, "first": {}, "last": {}}})"
                   "\n",
                   count.messages, count.octets, count.failed, count.connections, count.first, count.last);
        std::fflush(stdout);
    }
};

bool begins_with_word(std::string_view line, std::string_view word) {
    return line.size() >= word.size() && strncasecmp(line.data(), word.data(), word.size()) == 0;
}

class Connection : public std::enable_shared_from_this<Connection> {
public:
    Connection(Sink& sink, tcp::socket socket) : sink_(sink), socket_(std::move(socket)), timer_(sink.context) {}

    void start() {
        number_ = ++sink_.count.connections;
        socket_.set_option(tcp::no_delay(true));
        say(sink_.answer("greeting", "220 sink ESMTP"));
        send();
        read();
    }

private:
    void read() {
        auto free = asio::buffer(buffer_.data() + filled_, buffer_.size() - filled_);
        socket_.async_read_some(free, [self = shared_from_this()](error_code error, std::size_t size) {
            if (!error) self->take(size);
        });
    }

    void take(std::size_t size) {
        filled_ += size;
        std::string_view text(buffer_.data(), filled_);
        while (!leaving_) {
            auto used = in_message_ ? message(text) : command(text);
            if (used == 0) break;
            text.remove_prefix(used);
        }
        if (text.size() == buffer_.size()) leaving_ = true; // a command line of 128 kB
        std::memmove(buffer_.data(), text.data(), text.size());
        filled_ = text.size();
        send();
        if (!leaving_) read();
    }

    // Both give how much of the text they have done with; 0: more has to come.
    std::size_t command(std::string_view text) {
        auto end = text.find("\r\n");
        if (end == text.npos) return 0;
        auto line = text.substr(0, end);
        if (begins_with_word(line, "MAIL FROM:")) {
            auto reply = sink_.answer("mail", "250 2.1.0 Ok");
            has_sender_ = reply.starts_with('2');
            recipients_.clear();
            say(reply);
        } else if (begins_with_word(line, "RCPT TO:")) {
            auto reply = has_sender_ ? sink_.answer("rcpt", "250 2.1.5 Ok") : "503 5.5.1 No sender";
            if (reply.starts_with('2')) recipients_.emplace_back(line.substr(8));
            say(reply);
        } else if (begins_with_word(line, "DATA")) {
            auto reply = recipients_.empty() ? "554 5.5.1 No valid recipients"
                                             : sink_.answer("data", "354 End data with <CR><LF>.<CR><LF>");
            in_message_ = reply.starts_with('3');
            message_.clear();
            octets_ = 0;
            say(reply);
            if (in_message_) return end; // the line's own CRLF may be the one before the final dot
        } else if (begins_with_word(line, "EHLO")) {
            say(sink_.answer("ehlo", "250-sink\r\n250-PIPELINING\r\n250-SIZE 52428800\r\n250-8BITMIME\r\n"
                                     "250-ENHANCEDSTATUSCODES\r\n250 SMTPUTF8"));
        } else if (begins_with_word(line, "HELO")) {
            say("250 sink");
        } else if (begins_with_word(line, "QUIT")) {
            say("221 2.0.0 Bye");
            leaving_ = true;
        } else if (begins_with_word(line, "RSET") || begins_with_word(line, "NOOP")) {
            say("250 2.0.0 Ok");
        } else {
            say("500 5.5.2 Unknown command");
        }
        return end + 2;
    }

    std::size_t message(std::string_view text) {
        constexpr std::string_view final_dot = "\r\n.\r\n";
        auto end = text.find(final_dot); // memchr for CR, some 180 times in a mail of 14 kB
        bool whole = end != text.npos;
        // What could be the beginning of the final dot stays for the next read.
        auto used = whole ? end + final_dot.size() : text.size() < final_dot.size() ? 0 : text.size() - 4;
        octets_ += std::int64_t(used);
        if (sink_.options.record) message_.append(text.substr(0, used));
        if (whole) finish_message();
        return used;
    }

    void finish_message() {
        in_message_ = false;
        auto now = microseconds_now();
        if (sink_.count.first == 0) sink_.count.first = now;
        sink_.count.last = now;
        if (sink_.drops()) {
            ++sink_.count.failed;
            leaving_ = true;
            return;
        }
        auto reply = sink_.answer("body", "250 2.0.0 Ok: taken");
        if (reply.starts_with('2')) {
            ++sink_.count.messages;
            sink_.count.octets += octets_;
            if (sink_.options.record) record();
        } else {
            ++sink_.count.failed;
        }
        has_sender_ = false;
        recipients_.clear();
        say(reply);
    }

    void record() {
        constexpr std::string_view name = "\r\nMessage-ID:";
        auto at = message_.find(name);
        auto value = at == message_.npos ? std::string_view() : std::string_view(message_).substr(at + name.size());
        value = value.substr(0, value.find('\r'));
        value.remove_prefix(std::min(value.find_first_not_of(' '), value.size()));
        for (auto& recipient : recipients_)
            fmt::print(sink_.options.record, "{}\t{}\t{}\t{}\n", recipient, value, number_,
                       postrider::system::hex(postrider::system::sha256(message_)));
    }

    void say(std::string_view reply) { answers_.append(reply).append("\r\n"); }

    void send() {
        if (sink_.options.delay.count() == 0) {
            error_code error;
            if (!answers_.empty()) asio::write(socket_, asio::buffer(answers_), error);
            answers_.clear();
            if (error || leaving_) close();
            return;
        }
        // On the way for `delay`, in order; meanwhile more may be read.
        travelling_.push_back({std::chrono::steady_clock::now() + sink_.options.delay, std::move(answers_)});
        answers_.clear();
        if (travelling_.size() == 1) wait();
    }

    void wait() {
        timer_.expires_at(travelling_.front().arrives);
        timer_.async_wait([self = shared_from_this()](error_code error) {
            if (!error) self->arrive();
        });
    }

    void arrive() {
        error_code error;
        asio::write(socket_, asio::buffer(travelling_.front().text), error);
        travelling_.pop_front();
        if (error || (leaving_ && travelling_.empty())) return close();
        if (!travelling_.empty()) wait();
    }

    void close() {
        error_code ignored;
        socket_.shutdown(tcp::socket::shutdown_both, ignored);
        socket_.close(ignored);
        leaving_ = true;
    }

    struct Answers {
        std::chrono::steady_clock::time_point arrives;
        std::string text;
    };

    Sink& sink_;
    tcp::socket socket_;
    asio::steady_timer timer_;
    std::array<char, 131072> buffer_;
    std::size_t filled_ = 0; // of buffer_
    std::string answers_;
    std::deque<Answers> travelling_;
    bool leaving_ = false;

    bool has_sender_ = false, in_message_ = false;
    std::vector<std::string> recipients_;
    std::int64_t octets_ = 0;
    std::string message_; // when it is recorded
    std::int64_t number_ = 0;
};

void accept(Sink& sink, tcp::acceptor& acceptor) {
    acceptor.async_accept([&](error_code error, tcp::socket socket) {
        if (!error) std::make_shared<Connection>(sink, std::move(socket))->start();
        if (error != asio::error::operation_aborted) accept(sink, acceptor);
    });
}

void report_when_told(Sink& sink, asio::signal_set& signals) {
    signals.async_wait([&](error_code error, int signal) {
        if (error) return;
        sink.report();
        if (signal != SIGUSR1) return sink.context.stop();
        report_when_told(sink, signals);
    });
}

template <class Number>
Number number(std::string_view text) {
    Number value = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size())
        throw std::runtime_error(fmt::format("\"{}\" is no number", text));
    return value;
}

Options options_from(std::vector<std::string> words) {
    Options options;
    std::size_t at = 0;
    auto next = [&]() -> const std::string& {
        if (at == words.size()) throw std::runtime_error(words.back() + " needs a value");
        return words[at++];
    };
    while (at < words.size()) {
        auto word = next();
        if (word == "--port") {
            options.port = number<std::uint16_t>(next());
        } else if (word == "--delay") {
            options.delay = std::chrono::milliseconds(number<int>(next()));
        } else if (word == "--answer") {
            auto stage = next();
            options.faults.push_back({stage, next()});
        } else if (word == "--every" && !options.faults.empty()) {
            options.faults.back().every = std::max<std::int64_t>(1, number<std::int64_t>(next()));
        } else if (word == "--drop") {
            options.drop_every = number<std::int64_t>(next());
        } else if (word == "--record") {
            auto& file = next();
            options.record = std::fopen(file.c_str(), "a");
            if (!options.record) throw std::runtime_error("cannot write " + file);
        } else {
            throw std::runtime_error("no option " + word + "; the top of tests/bench/sink.cpp names them");
        }
    }
    return options;
}

}

int main(int count, char** words) try {
    Sink sink;
    sink.options = options_from({words + 1, words + count});
    tcp::acceptor acceptor(sink.context, {asio::ip::address_v4::loopback(), sink.options.port});
    asio::signal_set signals(sink.context, SIGUSR1, SIGTERM, SIGINT);
    fmt::print("port {}\n", acceptor.local_endpoint().port());
    std::fflush(stdout);
    accept(sink, acceptor);
    report_when_told(sink, signals);
    sink.context.run();
    return 0;
} catch (const std::exception& error) {
    fmt::print(stderr, "sink: {}\n", error.what());
    return 1;
}
