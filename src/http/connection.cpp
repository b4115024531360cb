#include "http/connection.hpp"

#include "http/date.hpp"
#include "system/log.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace postrider::http {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

constexpr std::size_t read_size = 8 * 1024;

// "/leave/TOKEN" -> "/leave": what may stand in a log.
std::string loggable(const std::string& path) { return path.substr(0, path.find('/', 1)); }

bool is_safe_field(std::string_view name, std::string_view value) {
    auto is_token = [](char c) { return c > ' ' && c < 0x7f && c != ':'; };
    auto is_text = [](char c) { return (unsigned char)c >= ' ' ? c != 0x7f : c == '\t'; };
    return !name.empty() && std::all_of(name.begin(), name.end(), is_token) &&
           std::all_of(value.begin(), value.end(), is_text);
}

bool is_set_by_us(std::string_view name) {
    return equal_without_case(name, "Date") || equal_without_case(name, "Content-Length") ||
           equal_without_case(name, "Connection") || equal_without_case(name, "Transfer-Encoding") ||
           equal_without_case(name, "Keep-Alive");
}

Response plain(int status, std::string_view sentence) {
    Response response;
    response.status = status;
    response.headers.add("Content-Type", "text/plain; charset=utf-8");
    response.headers.add("X-Content-Type-Options", "nosniff");
    response.body = fmt::format("{}\n", sentence);
    return response;
}

}

std::string_view DateLine::now() {
    auto second = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    if (second != second_) {
        second_ = second;
        line_ = fmt::format("Date: {}\r\n", http_date(second));
    }
    return line_;
}

Connection::Connection(Surroundings& around, tcp::socket socket, asio::ip::address peer)
    : around_(around), settings_(around.settings), socket_(std::move(socket)), peer_(std::move(peer)),
      parser_(around.settings.limits) {}

asio::awaitable<void> Connection::serve() {
    while (co_await read_request()) {
        begin(Doing::working);
        ++requests_;
        const bool wants_more = parser_.keep_alive();
        Request request = parser_.take();
        request.client = client_of(request);
        Response response = co_await answer(std::move(request));
        bool keep = wants_more && !around_.stopping && requests_ < settings_.requests_per_connection &&
                    !equal_without_case(response.headers.value("Connection"), "close");
        bool written = co_await write(std::move(response), keep);
        if (!written || !keep) break;
        parser_.reset();
    }
    if (parser_.refusal()) {
        Response response = refused(parser_.refusal()->status, parser_.refusal()->reason);
        co_await write(std::move(response), false);
    }
    co_await let_go();
}

// False when there is nothing to answer any more, or a refusal.
asio::awaitable<bool> Connection::read_request() {
    begin(Doing::waiting);
    allow(requests_ == 0 ? settings_.header_timeout : settings_.idle_timeout);
    SteadyClock::time_point body_began;
    std::size_t body_received = 0;
    while (true) {
        const bool header_was_done = parser_.header_done();
        const auto used = parser_.feed(unread());
        taken_ += used;
        if (parser_.refusal()) co_return false;
        if (parser_.done()) co_return true;

        if (!parser_.header_done()) {
            if (doing_ == Doing::waiting && !unread().empty()) {
                begin(Doing::reading);
                allow(settings_.header_timeout);
            }
        } else if (!header_was_done) {
            begin(Doing::reading);
            allow(settings_.body_timeout);
            body_began = SteadyClock::now();
            if (parser_.expects_continue() && unread().empty() && parser_.request().body.empty()) {
                bool written = co_await write_all("HTTP/1.1 100 Continue\r\n\r\n", {});
                if (!written) co_return false;
                begin(Doing::reading);
            }
        } else {
            // The allowance grows with what was received: a slow but steady sender may go on, one that drips may not.
            body_received += used;
            deadline_ = body_began + settings_.body_timeout + at_lowest_rate(body_received);
        }
        if (around_.stopping && doing_ == Doing::waiting) co_return false;
        bool more = co_await read_more();
        if (!more) co_return false;
    }
}

asio::awaitable<bool> Connection::read_more() {
    if (taken_ == filled_) taken_ = filled_ = 0;
    if (filled_ == buffer_.size() && taken_ > 0) {
        buffer_.erase(0, taken_);
        filled_ -= taken_;
        taken_ = 0;
    }
    if (buffer_.size() - filled_ < read_size / 2) buffer_.resize(filled_ + read_size);
    error_code failure;
    auto space = asio::buffer(buffer_.data() + filled_, buffer_.size() - filled_);
    filled_ += co_await socket_.async_read_some(space, asio::redirect_error(asio::use_awaitable, failure));
    if (!failure) co_return true;
    if (expired_ && doing_ == Doing::reading) {
        Response late = refused(408, "The request did not arrive in time.");
        co_await write(std::move(late), false);
    }
    co_return false;
}

std::string Connection::client_of(const Request& request) const {
    if (around_.trusted.empty()) return peer_.to_string();
    std::string forwarded_for;
    for (const auto& [name, value] : request.headers) {
        if (!equal_without_case(name, "X-Forwarded-For")) continue;
        if (!forwarded_for.empty()) forwarded_for += ',';
        forwarded_for += value;
    }
    return client_address(peer_, forwarded_for, around_.trusted).to_string();
}

asio::awaitable<Response> Connection::answer(Request request) {
    if (request.path == "*") { // RFC 9110 section 9.3.7: about the server as a whole
        Response response;
        response.status = 204;
        response.headers.add("Allow", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
        co_return response;
    }
    std::string place = fmt::format("{} {}", request.method, loggable(request.path));
    std::string reason;
    try {
        Response response = co_await around_.handler(std::move(request));
        co_return response;
    } catch (const std::exception& e) {
        reason = e.what();
    } catch (...) {
        reason = "something that is no exception";
    }
    log::error("a request failed", {{"request", place}, {"error", reason}});
    co_return plain(500, "Something went wrong here. It has been noted.");
}

Response Connection::refused(int status, std::string_view reason) {
    if (!around_.refuser) return plain(status, reason);
    try {
        return around_.refuser(parser_.request(), status, reason);
    } catch (const std::exception& e) {
        log::error("a refusal has no page", {{"status", status}, {"error", e.what()}});
        return plain(status, reason);
    }
}

std::string Connection::head_of(const Response& response, bool keep) {
    std::string head;
    head.reserve(512);
    head += "HTTP/1.1 ";
    head += fmt::format_int(response.status).c_str();
    head += ' ';
    head += reason_phrase(response.status);
    head += "\r\n";
    head += around_.date.now();
    for (const auto& [name, value] : response.headers) {
        if (is_set_by_us(name)) continue;
        if (!is_safe_field(name, value)) {
            log::error("a header field with control characters was left out", {{"field", name}});
            continue;
        }
        head.append(name).append(": ").append(value).append("\r\n");
    }
    const bool has_no_length = response.status == 204 || response.status == 304;
    if (!has_no_length)
        head.append("Content-Length: ").append(fmt::format_int(response.body.size()).c_str()).append("\r\n");
    if (!keep) head += "Connection: close\r\n";
    if (keep && parser_.is_http_1_0()) head += "Connection: keep-alive\r\n";
    head += "\r\n";
    return head;
}

asio::awaitable<bool> Connection::write(Response response, bool keep) {
    if (response.status < 200 || response.status > 599) {
        log::error("a handler gave an impossible status", {{"status", response.status}});
        response = plain(500, "Something went wrong here. It has been noted.");
    }
    const bool has_no_body = parser_.is_head() || response.status == 204 || response.status == 304;
    const std::string head = head_of(response, keep);
    std::string_view body = response.body;
    if (has_no_body) body = {};
    co_return co_await write_all(head, body);
}

asio::awaitable<bool> Connection::write_all(std::string_view head, std::string_view body) {
    begin(Doing::writing);
    bool first = true;
    while (!head.empty() || !body.empty()) {
        std::array<asio::const_buffer, 2> pieces{asio::buffer(head), asio::buffer(body)};
        error_code failure;
        // Nearly every answer fits into the socket's buffer: then there is nothing to wait for.
        std::size_t sent = socket_.write_some(pieces, failure);
        auto from_head = std::min(sent, head.size());
        head.remove_prefix(from_head);
        body.remove_prefix(sent - from_head);
        if (!failure) continue;
        if (failure != asio::error::would_block && failure != asio::error::try_again) co_return false;
        if (first) allow(settings_.write_timeout, body.size());
        first = false;
        failure.clear();
        co_await socket_.async_wait(tcp::socket::wait_write, asio::redirect_error(asio::use_awaitable, failure));
        if (failure) co_return false;
    }
    co_return true;
}

// Closing with unread bytes makes the kernel reset the connection, and the peer may lose our last answer. So the peer
// is given the end of our side first, and a little time to read it.
asio::awaitable<void> Connection::let_go() {
    begin(Doing::leaving);
    error_code failure;
    socket_.shutdown(tcp::socket::shutdown_send, failure);
    if (failure || expired_ || around_.stopping) co_return close();
    allow(std::min<Duration>(settings_.header_timeout, 2s));
    buffer_.resize(read_size);
    for (std::size_t discarded = 0; !failure && discarded < 256 * 1024;) {
        auto space = asio::buffer(buffer_.data(), buffer_.size());
        discarded += co_await socket_.async_read_some(space, asio::redirect_error(asio::use_awaitable, failure));
    }
    close();
}

void Connection::begin(Doing what) {
    doing_ = what;
    if (what == Doing::working) deadline_ = SteadyClock::time_point::max(); // a handler keeps its own time
}

void Connection::allow(Duration time, std::size_t bytes) {
    deadline_ = SteadyClock::now() + time + at_lowest_rate(bytes);
}

Duration Connection::at_lowest_rate(std::size_t bytes) const {
    return Duration(bytes * 1000 / std::max<std::size_t>(settings_.lowest_rate, 1));
}

void Connection::check_deadline(SteadyClock::time_point now) {
    // A server that leaves answers what it has heard, and waits a moment only for the rest of what it has not.
    bool too_late_to_read = doing_ == Doing::reading && now >= around_.reading_ends;
    if (now < deadline_ && !too_late_to_read) return;
    expired_ = true;
    interrupt();
}

bool Connection::give_way() {
    if (doing_ != Doing::waiting || expired_) return false;
    expired_ = true;
    interrupt();
    return true;
}

void Connection::interrupt() {
    error_code ignored;
    socket_.cancel(ignored);
}

void Connection::close() {
    error_code ignored;
    socket_.close(ignored);
}

std::string_view Connection::unread() const { return std::string_view(buffer_).substr(taken_, filled_ - taken_); }

}
