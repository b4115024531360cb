#pragma once

#include "smtp/relay.hpp"
#include "smtp/reply.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

// An SMTP server on loopback with faults to order, in the test's own executor: no thread, no timer, no sleep.
//
//   relay.answers(Stage::rcpt, "451 4.3.0 later");                     // whoever it is
//   relay.answers_for("ada@example.org", Stage::rcpt, "550 5.1.1 no");
//   relay.hangs_up(Stage::body);                                       // the next dot gets no answer
//   EXPECT_EQ(relay.tries_for("ada@example.org"), 1);
//
// Of the rules that fit, the youngest counts. A rule holds `times` times, or until accepts_everything().

namespace postrider::test {

using smtp::Stage;

constexpr int always = -1;

struct TakenMail {
    std::string from, to; // of the envelope; `to` is the first recipient
    std::string mail_parameters, rcpt_parameters;
    std::string bytes;            // dots unstuffed, without the final dot
    bool next_rode_along = false; // the next MAIL was there when the dot was
    int connection = 0;           // 1 for the first
};

class ScriptedRelay {
public:
    // For TLS: the certificate is made on the spot, for this host name or IP address.
    enum class Encryption { none, starttls, from_the_start };
    enum class Certificate { valid, expired };
    explicit ScriptedRelay(boost::asio::any_io_executor, Encryption = Encryption::none,
                           const std::string& certificate_for = "127.0.0.1", Certificate = Certificate::valid);
    ~ScriptedRelay(); // hangs up
    ScriptedRelay(const ScriptedRelay&) = delete;

    [[nodiscard]] std::uint16_t port() const;
    [[nodiscard]] std::string url() const;
    [[nodiscard]] const std::string& ca_file() const; // of the certificate; gone with the relay
    // To this relay, trusted and encrypted where it can be.
    [[nodiscard]] smtp::RelaySettings settings() const;
    void stops_listening(); // new connections are refused; open ones stay

    // What it offers. Default: PIPELINING, 8BITMIME, SMTPUTF8, SIZE 10000000, DSN, ENHANCEDSTATUSCODES.
    void offers(std::vector<std::string> keywords);
    void offers_no_pipelining();
    void forgets_what_came_with_a_command();                  // offers PIPELINING and does not honour it
    void withdraws_starttls(bool hidden = true);              // has a certificate, does not say so
    void wants_login(std::string user, std::string password); // AUTH PLAIN LOGIN; MAIL without it is 530
    void asks_for_the_message_even_without_recipients();      // 354 to DATA after a refused RCPT
    void says_421_after(int messages);                        // on each connection

    // Faults. A reply is "451 4.3.0 later"; a 421 also hangs up.
    void answers(Stage, std::string reply, int times = always);
    void answers_for(const std::string& address, Stage, std::string reply, int times = always); // rcpt, data, body
    void answers_message(int number, Stage, std::string reply);  // the n-th MAIL of the relay's life, from 1
    void says(Stage, std::string bytes, int times = 1);          // these bytes instead of an answer
    void hangs_up(Stage, int times = 1, std::string first = {}); // instead of an answer; at body the mail is not taken
    void hangs_up_inside_the_body(int times = 1);                // once some of it has come
    void loses_the_answer(int times = 1);                        // takes the mail, hangs up instead of saying so
    void falls_silent(Stage, int times = always, std::string first = {}); // says `first`, then nothing more
    void hangs_up_on_everyone();                                          // now
    void says_goodbye_to_everyone(const std::string& words);              // now; not over TLS
    void accepts_everything();                                            // forgets the rules

    // What it saw.
    [[nodiscard]] const std::vector<TakenMail>& messages() const; // answered 2xx, or lost on order
    [[nodiscard]] int messages_for(const std::string& address) const;
    [[nodiscard]] int tries_for(const std::string& address) const; // RCPT commands
    [[nodiscard]] int bodies() const;                              // final dots, whatever the answer
    [[nodiscard]] int empty_messages() const;                      // lone dots without a recipient
    [[nodiscard]] int connections() const;                         // ever made
    [[nodiscard]] int open_connections() const;
    [[nodiscard]] bool is_silent() const;                           // somebody waits for an answer that will not come
    [[nodiscard]] const std::vector<std::string>& commands() const; // lines outside of bodies
    [[nodiscard]] int count(const std::string& command) const;      // lines that begin so
    [[nodiscard]] bool saw_in_the_clear(const std::string& text) const; // among the bytes that came without TLS

private:
    struct State;
    struct Client;
    std::shared_ptr<State> state_;
};

}
