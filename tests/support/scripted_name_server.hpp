#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/udp.hpp>

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

// Messages of DNS made by hand (RFC 1035 section 4), and a name server on loopback that answers with them.

namespace postrider::test::dns {

enum Type { a = 1, ns = 2, cname = 5, mx = 15, aaaa = 28 };
enum Code { no_error = 0, server_failure = 2, no_such_name = 3, refused = 5 };

inline std::string two_octets(unsigned value) { return {char(value >> 8), char(value)}; }

inline std::string name(std::string_view dotted) {
    std::string wire;
    while (!dotted.empty()) {
        auto label = dotted.substr(0, dotted.find('.'));
        wire += char(label.size());
        wire += label;
        dotted.remove_prefix(std::min(dotted.size(), label.size() + 1));
    }
    return wire + '\0';
}

inline const std::string the_name_asked = "\xC0\x0C"; // a pointer to octet 12, where the question stands

inline std::string record(Type type, const std::string& data, const std::string& owner = the_name_asked) {
    return owner + two_octets(type) + two_octets(1) + std::string("\0\0\1\0", 4) + two_octets(data.size()) + data;
}
inline std::string exchanger(unsigned preference, const std::string& host) {
    return record(mx, two_octets(preference) + host);
}

struct Message {
    std::string domain;
    Type type = mx;
    std::vector<std::string> answers;
    Code code = no_error;
    bool cut_short = false;
    bool looks_up_for_others = true;

    [[nodiscard]] std::string bytes(std::string_view id = "ab") const {
        std::string all(id);
        all += char(0x81 | (cut_short ? 2 : 0)); // a response; recursion was desired
        all += char((looks_up_for_others ? 0x80 : 0) | code);
        all += two_octets(1) + two_octets(answers.size()) + two_octets(0) + two_octets(0);
        all += name(domain) + two_octets(type) + two_octets(1);
        for (auto& answer : answers) all += answer;
        return all;
    }
};

// Lives on a thread of its own, which calls the script with the name and the type of each question. "" is silence. It
// knows the root of DNS without its script, unless it is cut off from the world.
class NameServer {
public:
    using Script = std::function<std::string(const Message& question)>;

    explicit NameServer(Script script) : script_(std::move(script)) {}
    ~NameServer() {
        stopping_ = true;
        udp::socket wake(context_, udp::v4());
        wake.send_to(boost::asio::buffer("", 0), socket_.local_endpoint());
    }
    NameServer(const NameServer&) = delete;

    // From the next question on.
    void answers_with(Script script) {
        std::lock_guard lock(changing_);
        script_ = std::move(script);
    }
    void is_cut_off() { cut_off_ = true; }
    [[nodiscard]] std::uint16_t port() const { return socket_.local_endpoint().port(); }
    [[nodiscard]] int questions() const { return questions_; }

private:
    using udp = boost::asio::ip::udp;

    void serve() {
        std::array<char, 512> received;
        while (!stopping_) {
            udp::endpoint peer;
            auto size = socket_.receive_from(boost::asio::buffer(received), peer);
            if (size < 17) continue;
            std::string_view query(received.data(), size);
            auto answer = answer_to(question_in(query));
            if (answer.empty()) continue;
            answer.replace(0, 2, query.substr(0, 2));
            boost::system::error_code left;
            socket_.send_to(boost::asio::buffer(answer), peer, 0, left);
        }
    }
    std::string answer_to(const Message& question) {
        if (question.domain.empty() && !cut_off_)
            return Message{"", ns, {record(ns, name("a.root-servers.net"))}}.bytes();
        ++questions_;
        std::unique_lock lock(changing_);
        auto script = script_;
        lock.unlock();
        return script(question);
    }
    static Message question_in(std::string_view query) {
        Message question;
        std::size_t at = 12;
        for (; query.at(at) != 0; at += 1 + std::size_t(query[at])) {
            if (!question.domain.empty()) question.domain += '.';
            question.domain += query.substr(at + 1, std::size_t(query[at]));
        }
        question.type = Type(query.at(at + 2));
        return question;
    }

    std::mutex changing_;
    Script script_;
    std::atomic<bool> stopping_ = false, cut_off_ = false;
    std::atomic<int> questions_ = 0;
    boost::asio::io_context context_;
    udp::socket socket_{context_, udp::endpoint(boost::asio::ip::address_v4::loopback(), 0)};
    std::jthread thread_{[this] { serve(); }};
};

}
