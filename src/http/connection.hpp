#pragma once

#include "http/address_rules.hpp"
#include "http/request_parser.hpp"
#include "http/server.hpp"

#include <boost/asio/ip/tcp.hpp>

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

// One visitor's connection to the server: read a request, have it answered, write the answer, again. For server.cpp
// only.
//
// Always: whenever it waits for the peer it has a deadline, which the server checks now and then: one timer for all
//         connections.

namespace postrider::http {

// The Date of all answers of one second is written once.
class DateLine {
public:
    [[nodiscard]] std::string_view now();

private:
    std::chrono::sys_seconds second_{};
    std::string line_;
};

// What a connection knows of its server; outlives it.
struct Surroundings {
    const ServerSettings& settings;
    Handler handler;
    Refuser refuser;
    std::vector<AddressRange> trusted;
    DateLine date;
    bool stopping = false;
    std::chrono::steady_clock::time_point reading_ends = std::chrono::steady_clock::time_point::max();
};

class Connection {
public:
    using SteadyClock = std::chrono::steady_clock;

    Connection(Surroundings&, boost::asio::ip::tcp::socket, boost::asio::ip::address peer); // the socket does not block

    boost::asio::awaitable<void> serve();

    // Nothing of a request is known yet, or its answer is given.
    [[nodiscard]] bool is_idle() const { return doing_ == Doing::waiting || doing_ == Doing::leaving; }
    void check_deadline(SteadyClock::time_point now);
    // Ends the connection when nothing of a request is known yet; false: it is at work, or ends already.
    [[nodiscard]] bool give_way();
    void interrupt(); // ends the wait under way, if there is one
    void close();

private:
    enum class Doing { waiting, reading, working, writing, leaving };

    boost::asio::awaitable<bool> read_request();
    boost::asio::awaitable<bool> read_more();
    boost::asio::awaitable<Response> answer(Request);
    [[nodiscard]] Response refused(int status, std::string_view reason);
    boost::asio::awaitable<bool> write(Response, bool keep);
    boost::asio::awaitable<bool> write_all(std::string_view head, std::string_view body);
    boost::asio::awaitable<void> let_go();

    void begin(Doing);
    void allow(Duration time, std::size_t bytes = 0);
    [[nodiscard]] Duration at_lowest_rate(std::size_t bytes) const;
    [[nodiscard]] std::string_view unread() const;
    [[nodiscard]] std::string head_of(const Response&, bool keep);
    [[nodiscard]] std::string client_of(const Request&) const;

    Surroundings& around_;
    const ServerSettings& settings_;
    boost::asio::ip::tcp::socket socket_;
    boost::asio::ip::address peer_;
    RequestParser parser_;
    std::string buffer_; // [taken_, filled_) is not parsed yet
    std::size_t taken_ = 0;
    std::size_t filled_ = 0;
    std::size_t requests_ = 0;
    Doing doing_ = Doing::waiting;
    SteadyClock::time_point deadline_ = SteadyClock::time_point::max();
    bool expired_ = false;
};

}
