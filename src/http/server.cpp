#include "http/server.hpp"

#include "http/address_rules.hpp"
#include "http/connection.hpp"
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
        if (auto fault = fault_of_proxy(text)) throw std::invalid_argument(*fault);
        ranges.push_back(*AddressRange::parse(text));
    }
    return ranges;
}

constexpr Duration half_requests_may_take = 500ms; // once the server leaves

// One visitor may own a whole /64, so that is what counts as one.
std::string budget_key(const asio::ip::address& address) {
    if (address.is_v4()) return address.to_string();
    auto bytes = address.to_v6().to_bytes();
    return {bytes.begin(), bytes.begin() + 8};
}

}

struct Server::State : std::enable_shared_from_this<Server::State> {
    using Connections = std::list<std::shared_ptr<Connection>>;

    State(asio::any_io_executor e, ServerSettings s, Handler h, Refuser r)
        : executor(std::move(e)), settings(std::move(s)), endpoint(listening_endpoint(settings.listen)),
          surroundings{settings, std::move(h), std::move(r), trusted_ranges(settings.trusted_proxies)},
          acceptor(executor), watch(executor), all_gone(executor) {}

    void listen();
    asio::awaitable<void> accept();
    asio::awaitable<void> watch_deadlines();
    void welcome(tcp::socket socket);
    bool make_room();
    void ended(Connections::iterator place, const std::string& key, std::exception_ptr failure);
    void stop();
    void close();
    [[nodiscard]] bool is_trusted(const asio::ip::address&) const;
    [[nodiscard]] Duration watch_interval() const;

    asio::any_io_executor executor;
    ServerSettings settings;
    tcp::endpoint endpoint;
    Surroundings surroundings;
    tcp::acceptor acceptor;
    asio::steady_timer watch;    // one for all connections
    asio::steady_timer all_gone; // rings when the last connection of a stopped server ends
    Connections connections;
    std::map<std::string, std::size_t> per_client;
};

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
    return std::any_of(surroundings.trusted.begin(), surroundings.trusted.end(),
                       [&](const AddressRange& range) { return range.holds(address); });
}

asio::awaitable<void> Server::State::accept() {
    while (!surroundings.stopping) {
        error_code failure;
        tcp::socket socket = co_await acceptor.async_accept(asio::redirect_error(asio::use_awaitable, failure));
        if (surroundings.stopping) break;
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
    const bool full = connections.size() >= settings.connections;
    if (one_too_many || (full && !make_room())) {
        static constexpr std::string_view busy =
            "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nRetry-After: 5\r\nConnection: close\r\n\r\n";
        socket.write_some(asio::buffer(busy), failure);
        log::debug("a connection was turned away", {{"client", peer.to_string()}, {"open", connections.size()}});
        return;
    }
    if (!key.empty()) ++per_client[key];
    auto self = shared_from_this();
    auto connection = std::make_shared<Connection>(surroundings, std::move(socket), std::move(peer));
    connections.push_front(connection);
    auto when_ended = [self, place = connections.begin(), key](std::exception_ptr e) { self->ended(place, key, e); };
    auto story = [](std::shared_ptr<State>, std::shared_ptr<Connection> c) -> asio::awaitable<void> {
        co_await c->serve();
    };
    asio::co_spawn(executor, story(self, std::move(connection)), std::move(when_ended));
}

// Whoever opened a connection and says nothing goes first, the longest first: silence keeps no visitor out. What gives way
// needs a moment to be gone, so the crowd may be a little larger than it should for as long.
bool Server::State::make_room() {
    if (connections.size() >= settings.connections + settings.connections / 8 + 1) return false;
    return std::any_of(connections.rbegin(), connections.rend(),
                       [](auto& connection) { return connection->give_way(); });
}

void Server::State::ended(Connections::iterator place, const std::string& key, std::exception_ptr failure) {
    (*place)->close();
    connections.erase(place);
    if (auto found = per_client.find(key); found != per_client.end() && --found->second == 0) per_client.erase(found);
    if (connections.empty() && surroundings.stopping) {
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
    while (!surroundings.stopping || !connections.empty()) {
        error_code failure;
        watch.expires_after(watch_interval());
        co_await watch.async_wait(asio::redirect_error(asio::use_awaitable, failure));
        auto now = SteadyClock::now();
        for (auto& connection : connections) connection->check_deadline(now);
    }
}

void Server::State::stop() {
    if (surroundings.stopping) return;
    surroundings.stopping = true;
    surroundings.reading_ends = SteadyClock::now() + half_requests_may_take;
    error_code ignored;
    acceptor.close(ignored);
    for (auto& connection : connections)
        if (connection->is_idle()) connection->interrupt();
    if (!connections.empty()) return;
    all_gone.cancel();
    watch.cancel();
}

void Server::State::close() {
    stop();
    for (auto& connection : connections) connection->close();
}

Server::Server(asio::any_io_executor executor, ServerSettings settings, Handler handler, Refuser refuser)
    : state_(
          std::make_shared<State>(std::move(executor), std::move(settings), std::move(handler), std::move(refuser))) {}

Server::~Server() { state_->close(); }

void Server::listen() { state_->listen(); }

std::uint16_t Server::port() const { return state_->endpoint.port(); }

asio::awaitable<void> Server::run() {
    auto state = state_;
    if (!state->surroundings.stopping) state->listen();
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

std::optional<std::string> fault_of_listen(const std::string& listen) {
    try {
        (void)listening_endpoint(listen);
        return std::nullopt;
    } catch (const std::invalid_argument& fault) {
        return fault.what();
    }
}

std::optional<std::string> fault_of_proxy(const std::string& range) {
    if (AddressRange::parse(range)) return std::nullopt;
    return fmt::format("\"{}\" is not an address or a range of addresses, such as 10.0.0.0/8", range);
}

}
