#include "http/server.hpp"

#include "http/address_rules.hpp"
#include "http/date.hpp"
#include "system/log.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <list>
#include <map>
#include <optional>
#include <stdexcept>

namespace postrider::http {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using SteadyClock = std::chrono::steady_clock;

namespace {

constexpr std::size_t read_size = 8 * 1024;

tcp::endpoint listening_endpoint(const std::string& listen) {
    auto colon = listen.rfind(':');
    auto host = listen.substr(0, colon);
    unsigned port = 0;
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    if (host == "localhost") host = "127.0.0.1";
    error_code failure;
    auto address = asio::ip::make_address(host, failure);
    bool port_is_good = false;
    if (colon != std::string::npos) {
        const char* last = listen.data() + listen.size();
        auto [end, error] = std::from_chars(listen.data() + colon + 1, last, port);
        port_is_good = error == std::errc{} && end == last && port <= 65535;
    }
    if (failure || !port_is_good)
        throw std::invalid_argument(
            fmt::format("\"{}\" is not an address and a port, such as 127.0.0.1:8025 or [::1]:8025", listen));
    return {address, std::uint16_t(port)};
}

std::vector<AddressRange> trusted_ranges(const std::vector<std::string>& texts) {
    std::vector<AddressRange> ranges;
    for (const auto& text : texts) {
        auto range = AddressRange::parse(text);
        if (!range)
            throw std::invalid_argument(
                fmt::format("\"{}\" is not an address or a range of addresses, such as 10.0.0.0/8", text));
        ranges.push_back(*range);
    }
    return ranges;
}

// One visitor may own a whole /64, so that is what counts as one.
std::string budget_key(const asio::ip::address& address) {
    if (address.is_v4()) return address.to_string();
    auto bytes = address.to_v6().to_bytes();
    return {bytes.begin(), bytes.begin() + 8};
}

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

// The Date of all answers of one second is written once.
class DateLine {
public:
    std::string_view now() {
        auto second = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
        if (second != second_) {
            second_ = second;
            line_ = fmt::format("Date: {}\r\n", http_date(second));
        }
        return line_;
    }

private:
    std::chrono::sys_seconds second_{};
    std::string line_;
};

enum class Doing { waiting, reading, working, writing, leaving };

}

struct Server::State : std::enable_shared_from_this<Server::State> {
    struct Connection;
    using Connections = std::list<std::shared_ptr<Connection>>;

    State(asio::any_io_executor e, ServerSettings s, Handler h)
        : executor(std::move(e)), settings(std::move(s)), handler(std::move(h)),
          endpoint(listening_endpoint(settings.listen)), trusted(trusted_ranges(settings.trusted_proxies)),
          acceptor(executor), watch(executor), all_gone(executor) {}

    void listen();
    asio::awaitable<void> accept();
    asio::awaitable<void> watch_deadlines();
    void welcome(tcp::socket socket);
    void ended(Connections::iterator place, const std::string& key, std::exception_ptr failure);
    void stop();
    void close();
    [[nodiscard]] bool is_trusted(const asio::ip::address&) const;
    [[nodiscard]] Duration watch_interval() const;

    asio::any_io_executor executor;
    ServerSettings settings;
    Handler handler;
    tcp::endpoint endpoint;
    std::vector<AddressRange> trusted;
    tcp::acceptor acceptor;
    asio::steady_timer watch;    // one for all connections
    asio::steady_timer all_gone; // rings when the last connection of a stopped server ends
    Connections connections;
    std::map<std::string, std::size_t> per_client;
    DateLine date;
    bool stopping = false;
};

// One visitor's connection: read a request, have it answered, write the answer, again. Its coroutine keeps the state
// alive.
struct Server::State::Connection {
    Connection(State& s, tcp::socket k, asio::ip::address p)
        : state(s), settings(s.settings), socket(std::move(k)), peer(std::move(p)), parser(settings.limits) {}

    asio::awaitable<void> serve();
    asio::awaitable<bool> read_request();
    asio::awaitable<bool> read_more();
    asio::awaitable<Response> answer(Request request);
    asio::awaitable<bool> write(Response response, bool keep);
    asio::awaitable<bool> write_all(std::string_view head, std::string_view body);
    asio::awaitable<void> let_go();

    [[nodiscard]] Duration at_lowest_rate(std::size_t bytes) const {
        return Duration(bytes * 1000 / std::max<std::size_t>(settings.lowest_rate, 1));
    }
    void allow(Duration time, std::size_t bytes = 0) { deadline = SteadyClock::now() + time + at_lowest_rate(bytes); }
    void begin(Doing what) {
        doing = what;
        if (what == Doing::working) deadline = SteadyClock::time_point::max(); // a handler keeps its own time
    }
    [[nodiscard]] std::string_view unread() const { return std::string_view(buffer).substr(taken, filled - taken); }
    [[nodiscard]] std::string head_of(const Response& response, bool keep);
    [[nodiscard]] std::string client_of(const Request& request) const;

    void interrupt() {
        error_code ignored;
        socket.cancel(ignored);
    }
    void close() {
        error_code ignored;
        socket.close(ignored);
    }

    State& state;
    const ServerSettings& settings;
    tcp::socket socket;
    asio::ip::address peer;
    RequestParser parser;
    std::string buffer; // [taken, filled) is not parsed yet
    std::size_t taken = 0;
    std::size_t filled = 0;
    std::size_t requests = 0;
    Doing doing = Doing::waiting;
    SteadyClock::time_point deadline = SteadyClock::time_point::max();
    bool expired = false;
};

asio::awaitable<void> Server::State::Connection::serve() {
    while (co_await read_request()) {
        begin(Doing::working);
        ++requests;
        const bool wants_more = parser.keep_alive();
        Request request = parser.take();
        request.client = client_of(request);
        Response response = co_await answer(std::move(request));
        bool keep = wants_more && !state.stopping && requests < settings.requests_per_connection &&
                    !equal_without_case(response.headers.value("Connection"), "close");
        bool written = co_await write(std::move(response), keep);
        if (!written || !keep) break;
        parser.reset();
    }
    if (parser.refusal()) {
        Response response = plain(parser.refusal()->status, parser.refusal()->reason);
        co_await write(std::move(response), false);
    }
    co_await let_go();
}

// False when there is nothing to answer any more, or a refusal.
asio::awaitable<bool> Server::State::Connection::read_request() {
    begin(Doing::waiting);
    allow(requests == 0 ? settings.header_timeout : settings.idle_timeout);
    SteadyClock::time_point body_began;
    std::size_t body_received = 0;
    while (true) {
        const bool header_was_done = parser.header_done();
        const auto used = parser.feed(unread());
        taken += used;
        if (parser.refusal()) co_return false;
        if (parser.done()) co_return true;

        if (!parser.header_done()) {
            if (doing == Doing::waiting && !unread().empty()) {
                begin(Doing::reading);
                allow(settings.header_timeout);
            }
        } else if (!header_was_done) {
            begin(Doing::reading);
            allow(settings.body_timeout);
            body_began = SteadyClock::now();
            if (parser.expects_continue() && unread().empty() && parser.request().body.empty()) {
                bool written = co_await write_all("HTTP/1.1 100 Continue\r\n\r\n", {});
                if (!written) co_return false;
                begin(Doing::reading);
            }
        } else {
            // The allowance grows with what was received: a slow but steady sender is let through, a dripping one is
            // not.
            body_received += used;
            deadline = body_began + settings.body_timeout + at_lowest_rate(body_received);
        }
        if (state.stopping && doing == Doing::waiting) co_return false;
        bool more = co_await read_more();
        if (!more) co_return false;
    }
}

asio::awaitable<bool> Server::State::Connection::read_more() {
    if (taken == filled) taken = filled = 0;
    if (filled == buffer.size() && taken > 0) {
        buffer.erase(0, taken);
        filled -= taken;
        taken = 0;
    }
    if (buffer.size() - filled < read_size / 2) buffer.resize(filled + read_size);
    error_code failure;
    auto space = asio::buffer(buffer.data() + filled, buffer.size() - filled);
    filled += co_await socket.async_read_some(space, asio::redirect_error(asio::use_awaitable, failure));
    if (!failure) co_return true;
    if (expired && doing == Doing::reading) {
        Response late = plain(408, "The request did not arrive in time.");
        co_await write(std::move(late), false);
    }
    co_return false;
}

std::string Server::State::Connection::client_of(const Request& request) const {
    if (state.trusted.empty()) return peer.to_string();
    std::string forwarded_for;
    for (const auto& [name, value] : request.headers) {
        if (!equal_without_case(name, "X-Forwarded-For")) continue;
        if (!forwarded_for.empty()) forwarded_for += ',';
        forwarded_for += value;
    }
    return client_address(peer, forwarded_for, state.trusted).to_string();
}

asio::awaitable<Response> Server::State::Connection::answer(Request request) {
    if (request.path == "*") { // RFC 9110 section 9.3.7: about the server as a whole
        Response response;
        response.status = 204;
        response.headers.add("Allow", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
        co_return response;
    }
    std::string place = fmt::format("{} {}", request.method, loggable(request.path));
    std::string reason;
    try {
        Response response = co_await state.handler(std::move(request));
        co_return response;
    } catch (const std::exception& e) {
        reason = e.what();
    } catch (...) {
        reason = "something that is no exception";
    }
    log::error("a request failed", {{"request", place}, {"error", reason}});
    co_return plain(500, "Something went wrong here. It has been noted.");
}

std::string Server::State::Connection::head_of(const Response& response, bool keep) {
    std::string head;
    head.reserve(512);
    head += "HTTP/1.1 ";
    head += fmt::format_int(response.status).c_str();
    head += ' ';
    head += reason_phrase(response.status);
    head += "\r\n";
    head += state.date.now();
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
    if (keep && parser.is_http_1_0()) head += "Connection: keep-alive\r\n";
    head += "\r\n";
    return head;
}

asio::awaitable<bool> Server::State::Connection::write(Response response, bool keep) {
    if (response.status < 200 || response.status > 599) {
        log::error("a handler gave an impossible status", {{"status", response.status}});
        response = plain(500, "Something went wrong here. It has been noted.");
    }
    const bool has_no_body = parser.is_head() || response.status == 204 || response.status == 304;
    const std::string head = head_of(response, keep);
    std::string_view body = response.body;
    if (has_no_body) body = {};
    co_return co_await write_all(head, body);
}

asio::awaitable<bool> Server::State::Connection::write_all(std::string_view head, std::string_view body) {
    begin(Doing::writing);
    bool first = true;
    while (!head.empty() || !body.empty()) {
        std::array<asio::const_buffer, 2> pieces{asio::buffer(head), asio::buffer(body)};
        error_code failure;
        // Nearly every answer fits into the socket's buffer: then there is nothing to wait for.
        std::size_t sent = socket.write_some(pieces, failure);
        auto from_head = std::min(sent, head.size());
        head.remove_prefix(from_head);
        body.remove_prefix(sent - from_head);
        if (!failure) continue;
        if (failure != asio::error::would_block && failure != asio::error::try_again) co_return false;
        if (first) allow(settings.write_timeout, body.size());
        first = false;
        failure.clear();
        co_await socket.async_wait(tcp::socket::wait_write, asio::redirect_error(asio::use_awaitable, failure));
        if (failure) co_return false;
    }
    co_return true;
}

// Closing with unread bytes makes the kernel reset the connection, and the peer may lose our last answer. So the peer
// is given the end of our side first, and a little time to read it.
asio::awaitable<void> Server::State::Connection::let_go() {
    begin(Doing::leaving);
    error_code failure;
    socket.shutdown(tcp::socket::shutdown_send, failure);
    if (failure || expired || state.stopping) co_return close();
    allow(std::min<Duration>(settings.header_timeout, 2s));
    buffer.resize(read_size);
    for (std::size_t discarded = 0; !failure && discarded < 256 * 1024;) {
        auto space = asio::buffer(buffer.data(), buffer.size());
        discarded += co_await socket.async_read_some(space, asio::redirect_error(asio::use_awaitable, failure));
    }
    close();
}

void Server::State::listen() {
    if (acceptor.is_open()) return;
    try {
        acceptor.open(endpoint.protocol());
        acceptor.set_option(tcp::acceptor::reuse_address(true));
        if (endpoint.address().is_v6() && endpoint.address().is_unspecified())
            acceptor.set_option(asio::ip::v6_only(false));
        acceptor.bind(endpoint);
        acceptor.listen();
        endpoint = acceptor.local_endpoint();
    } catch (const boost::system::system_error& e) {
        error_code ignored;
        acceptor.close(ignored);
        throw std::runtime_error(fmt::format("cannot listen on {}: {}", settings.listen, e.code().message()));
    }
}

bool Server::State::is_trusted(const asio::ip::address& address) const {
    return std::any_of(trusted.begin(), trusted.end(), [&](const AddressRange& range) { return range.holds(address); });
}

asio::awaitable<void> Server::State::accept() {
    while (!stopping) {
        error_code failure;
        tcp::socket socket = co_await acceptor.async_accept(asio::redirect_error(asio::use_awaitable, failure));
        if (stopping) break;
        if (!failure) {
            welcome(std::move(socket));
            continue;
        }
        if (failure == asio::error::operation_aborted) break;
        if (failure == asio::error::connection_aborted) continue;
        // Out of descriptors or memory: it passes as connections end, and asking again at once would only burn time.
        log::error("cannot accept a connection", {{"error", failure.message()}});
        asio::steady_timer pause(executor, 200ms);
        co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, failure));
    }
}

void Server::State::welcome(tcp::socket socket) {
    error_code failure;
    auto remote = socket.remote_endpoint(failure);
    if (failure) return; // gone already
    socket.non_blocking(true, failure);
    socket.set_option(tcp::no_delay(true), failure);

    auto peer = unmapped(remote.address());
    auto key = is_trusted(peer) ? std::string() : budget_key(peer);
    auto known = per_client.find(key);
    const bool one_too_many = known != per_client.end() && known->second >= settings.connections_per_client;
    if (connections.size() >= settings.connections || one_too_many) {
        static constexpr std::string_view busy =
            "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nRetry-After: 5\r\nConnection: close\r\n\r\n";
        socket.write_some(asio::buffer(busy), failure);
        log::debug("a connection was turned away", {{"client", peer.to_string()}, {"open", connections.size()}});
        return;
    }
    if (!key.empty()) ++per_client[key];
    auto self = shared_from_this();
    auto connection = std::make_shared<Connection>(*this, std::move(socket), std::move(peer));
    connections.push_front(connection);
    auto when_ended = [self, place = connections.begin(), key](std::exception_ptr e) { self->ended(place, key, e); };
    auto story = [](std::shared_ptr<State>, std::shared_ptr<Connection> c) -> asio::awaitable<void> {
        co_await c->serve();
    };
    asio::co_spawn(executor, story(self, std::move(connection)), std::move(when_ended));
}

void Server::State::ended(Connections::iterator place, const std::string& key, std::exception_ptr failure) {
    (*place)->close();
    connections.erase(place);
    if (auto found = per_client.find(key); found != per_client.end() && --found->second == 0) per_client.erase(found);
    if (connections.empty() && stopping) {
        all_gone.cancel();
        watch.cancel();
    }
    if (!failure) return;
    try {
        std::rethrow_exception(failure);
    } catch (const std::exception& e) {
        log::error("a connection failed", {{"error", e.what()}});
    }
}

Duration Server::State::watch_interval() const {
    auto shortest =
        std::min({settings.header_timeout, settings.body_timeout, settings.idle_timeout, settings.write_timeout});
    return std::clamp<Duration>(shortest / 4, 5ms, 1s);
}

asio::awaitable<void> Server::State::watch_deadlines() {
    while (!stopping || !connections.empty()) {
        error_code failure;
        watch.expires_after(watch_interval());
        co_await watch.async_wait(asio::redirect_error(asio::use_awaitable, failure));
        auto now = SteadyClock::now();
        for (auto& connection : connections) {
            if (now < connection->deadline) continue;
            connection->expired = true;
            connection->interrupt();
        }
    }
}

void Server::State::stop() {
    if (stopping) return;
    stopping = true;
    error_code ignored;
    acceptor.close(ignored);
    for (auto& connection : connections)
        if (connection->doing == Doing::waiting || connection->doing == Doing::leaving) connection->interrupt();
    if (!connections.empty()) return;
    all_gone.cancel();
    watch.cancel();
}

void Server::State::close() {
    stop();
    for (auto& connection : connections) connection->close();
}

Server::Server(asio::any_io_executor executor, ServerSettings settings, Handler handler)
    : state_(std::make_shared<State>(std::move(executor), std::move(settings), std::move(handler))) {}

Server::~Server() { state_->close(); }

void Server::listen() { state_->listen(); }

std::uint16_t Server::port() const { return state_->endpoint.port(); }

asio::awaitable<void> Server::run() {
    auto state = state_;
    if (!state->stopping) state->listen();
    state->all_gone.expires_at(SteadyClock::time_point::max());
    auto watching = [](std::shared_ptr<State> s) -> asio::awaitable<void> { co_await s->watch_deadlines(); };
    asio::co_spawn(state->executor, watching(state), [](std::exception_ptr failure) {
        if (failure) log::error("the time-outs of connections are no longer watched");
    });
    co_await state->accept();
    state->stop();
    while (!state->connections.empty()) {
        error_code rung;
        co_await state->all_gone.async_wait(asio::redirect_error(asio::use_awaitable, rung));
    }
}

void Server::stop() { state_->stop(); }

void Server::close() { state_->close(); }

std::size_t Server::connections() const { return state_->connections.size(); }

}
